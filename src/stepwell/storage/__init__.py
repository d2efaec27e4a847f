"""Write units, the committer, two databases, named SQL, migrations, the journal, documents and ownership. No policy."""
