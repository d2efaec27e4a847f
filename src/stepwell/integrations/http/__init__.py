"""``http:invoke``: any HTTP API, authorised by an EventBridge connection.

``request`` builds the request (pure), ``tokens`` gets OAuth tokens, ``invoke`` sends and reads the answer.
"""
