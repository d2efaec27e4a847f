-- Log streams and their events. A group's own row is a document; ``grp`` and ``id`` are drawn at random, so what comes after a
-- deletion under the same name is something new. Times are milliseconds since the epoch; 0: there is no event yet.

CREATE TABLE log_stream (
  grp bytea NOT NULL, name text COLLATE "C" NOT NULL, id bytea NOT NULL UNIQUE, created bigint NOT NULL,
  first bigint NOT NULL, last bigint NOT NULL, ingested bigint NOT NULL, bytes bigint NOT NULL, PRIMARY KEY (grp, name)
) WITH (fillfactor = 70);
CREATE INDEX log_stream_recent ON log_stream (grp, last, name);

-- Events in bundles, as they came; a bundle spans at most a minute. Numbers are never used again: readers' positions hold them.
CREATE TABLE log_chunk (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, grp bytea NOT NULL, stream bytea NOT NULL, first bigint NOT NULL,
  last bigint NOT NULL, ingested bigint NOT NULL, bytes bigint NOT NULL, body bytea NOT NULL
);
CREATE INDEX log_chunk_stream_first ON log_chunk (stream, first, number);
CREATE INDEX log_chunk_stream_last ON log_chunk (stream, last, number);
CREATE INDEX log_chunk_group_first ON log_chunk (grp, first, number);
CREATE INDEX log_chunk_group_last ON log_chunk (grp, last, number);
