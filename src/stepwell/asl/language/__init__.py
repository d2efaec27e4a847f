"""The query languages: how a state's fields read and shape data. JSONPath now; each language is one module here."""
