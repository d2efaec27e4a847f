-- Log streams and their events. A group's own row is a document; ``grp`` and ``id`` are drawn at random, so what comes after a
-- deletion under the same name is something new. Times are milliseconds since the epoch; 0: there is no event yet.

CREATE TABLE log_stream (
  grp BLOB NOT NULL, name TEXT NOT NULL, id BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, ingested INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (grp, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX log_stream_recent ON log_stream (grp, last, name);

-- Events in bundles, as they came; a bundle spans at most a minute. Numbers are never used again: readers' positions hold them.
CREATE TABLE log_chunk (
  number INTEGER PRIMARY KEY AUTOINCREMENT, grp BLOB NOT NULL, stream BLOB NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, ingested INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX log_chunk_stream_first ON log_chunk (stream, first, number);
CREATE INDEX log_chunk_stream_last ON log_chunk (stream, last, number);
CREATE INDEX log_chunk_group_first ON log_chunk (grp, first, number);
CREATE INDEX log_chunk_group_last ON log_chunk (grp, last, number);
