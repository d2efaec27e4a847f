-- What SQLite and PostgreSQL both understand.

-- fragment: execution_row
-- purpose: the columns of engine.journal.ExecutionRow, in the order journal_rows reads them.
SELECT e.pid, e.id, e.arn, e.machine, e.name, e.status, p.seq, e.started, e.stopped, e.definition, e.input, e.output,
       e.error, e.cause, p.head, p.runnable, p.fault, p.faults, p.retry_at, e.version, e.trace_header
  FROM execution e JOIN progress p ON p.execution = e.id

-- name: execution_by_arn
-- purpose: DescribeExecution, and whom a taken name belongs to.
@execution_row WHERE e.arn = $1

-- name: execution_by_id
-- purpose: an execution to go on with.
@execution_row WHERE e.id = $1

-- name: executions_of_machine
-- purpose: ListExecutions without a status filter: newest first, after the last row seen.
@execution_row
 WHERE e.machine = $1 AND (e.started, e.id) < ($2, $3)
 ORDER BY e.started DESC, e.id DESC LIMIT $4

-- name: executions_of_machine_by_status
-- purpose: ListExecutions with a status filter: newest first, after the last row seen.
@execution_row
 WHERE e.machine = $1 AND e.status = $2 AND (e.started, e.id) < ($3, $4)
 ORDER BY e.started DESC, e.id DESC LIMIT $5

-- name: open_count
-- purpose: how many executions of a machine are running; a machine is gone when this is 0.
SELECT count(*) FROM execution WHERE machine = $1 AND status = 'RUNNING'

-- name: frames_of
-- purpose: every frame of an execution.
SELECT frame, parent, body FROM frame WHERE execution = $1 ORDER BY frame

-- name: tasks_of
-- purpose: every task in flight of an execution.
SELECT event, frame, kind, resource, body FROM task WHERE execution = $1 ORDER BY event

-- name: timers_of
-- purpose: every timer of an execution.
SELECT frame, kind, due FROM timer WHERE execution = $1 ORDER BY due, frame, kind

-- name: payloads_of
-- purpose: some payloads of an execution.
SELECT number, body FROM payload WHERE execution = $1 AND number IN (@integers($2))

-- name: pages_forward
-- purpose: history from its beginning: pages with events above $2 and below $3.
SELECT first, last, body FROM page WHERE execution = $1 AND last > $2 AND first < $3 ORDER BY first LIMIT $4

-- name: pages_backward
-- purpose: history from its end: pages with events above $2 and below $3.
SELECT first, last, body FROM page WHERE execution = $1 AND last > $2 AND first < $3 ORDER BY first DESC LIMIT $4

-- name: page_at
-- purpose: the page that begins with an event: is an append whose answer was lost already there?
SELECT last, body FROM page WHERE execution = $1 AND first = $2

-- name: progress_of
-- purpose: why an append was not written.
SELECT seq, last_event, head FROM progress WHERE execution = $1

-- name: fence_of
-- purpose: who owns a partition, at which epoch.
SELECT owner, epoch FROM partition WHERE pid = $1

-- name: runnable
-- purpose: recovery: executions with something to do now, by key, after the last one seen.
SELECT pid, execution FROM (
  SELECT * FROM (SELECT pid, execution FROM progress
    WHERE runnable AND (pid, execution) > ($2, $3) AND pid IN (@integers($1)) ORDER BY pid, execution LIMIT $4) a
  UNION
  SELECT * FROM (SELECT DISTINCT pid, execution FROM task
    WHERE kind = 'call' AND (pid, execution) > ($2, $3) AND pid IN (@integers($1)) ORDER BY pid, execution LIMIT $4) b
) c ORDER BY pid, execution LIMIT $4

-- name: timers_due
-- purpose: timers of owned partitions due by a time, earliest first.
SELECT pid, execution, frame, kind, due FROM timer
 WHERE due <= $2 AND pid IN (@integers($1)) ORDER BY due LIMIT $3

-- name: activities_waiting
-- purpose: tasks that wait for a worker's poll, oldest first, whoever owns them.
SELECT pid, execution, event, frame FROM task WHERE kind = 'activity' AND resource = $1 ORDER BY number LIMIT $2

-- name: parked
-- purpose: executions that could not be advanced.
@execution_row WHERE p.fault IS NOT NULL AND p.pid IN (@integers($1)) ORDER BY e.id LIMIT $2

-- name: outbox
-- purpose: the oldest status changes not yet delivered.
SELECT number, body FROM outbox WHERE pid IN (@integers($1)) ORDER BY number LIMIT $2

-- name: park
-- purpose: note that an execution could not be advanced, or that it could again.
UPDATE progress SET fault = $2, faults = $3, retry_at = $4 WHERE execution = $1

-- name: forget_outbox
-- purpose: a status change was delivered.
DELETE FROM outbox WHERE number = $1

-- name: document
-- purpose: one document.
SELECT version, body FROM document WHERE partition = $1 AND account = $2 AND region = $3 AND kind = $4 AND key = $5

-- name: documents
-- purpose: documents of a kind in the order of their keys, from a key (exclusive) to a key (exclusive).
SELECT key, version, body FROM document
 WHERE partition = $1 AND account = $2 AND region = $3 AND kind = $4 AND key > $5 AND key >= $6 AND key < $7
 ORDER BY key LIMIT $8

-- name: put_document
-- purpose: write a document whatever is there.
INSERT INTO document (partition, account, region, kind, key, version, body) VALUES ($1, $2, $3, $4, $5, 1, $6)
 ON CONFLICT (partition, account, region, kind, key)
 DO UPDATE SET version = document.version + 1, body = excluded.body

-- name: create_document
-- purpose: write a document that must not exist.
INSERT INTO document (partition, account, region, kind, key, version, body) VALUES ($1, $2, $3, $4, $5, 1, $6)
 ON CONFLICT (partition, account, region, kind, key) DO NOTHING

-- name: replace_document
-- purpose: write a document that must have a version.
UPDATE document SET version = version + 1, body = $6
 WHERE partition = $1 AND account = $2 AND region = $3 AND kind = $4 AND key = $5 AND version = $7

-- name: delete_document
-- purpose: delete a document, if it is there.
DELETE FROM document WHERE partition = $1 AND account = $2 AND region = $3 AND kind = $4 AND key = $5

-- name: delete_document_at
-- purpose: delete a document that must have a version.
DELETE FROM document
 WHERE partition = $1 AND account = $2 AND region = $3 AND kind = $4 AND key = $5 AND version = $6

-- name: definition
-- purpose: the immutable body of a definition.
SELECT body FROM definition WHERE hash = $1

-- name: put_definition
-- purpose: keep a definition; one that is there never changes.
INSERT INTO definition (hash, body) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING

-- name: finished_before
-- purpose: retention: executions that ended before a time, oldest first.
SELECT id FROM execution WHERE stopped < $1 ORDER BY stopped LIMIT $2

-- name: forget_execution
-- purpose: retention: the row of a finished execution.
DELETE FROM execution WHERE id = $1 AND stopped IS NOT NULL

-- name: forget_progress
-- purpose: retention: its progress.
DELETE FROM progress WHERE execution = $1

-- name: page_count
-- purpose: retention: is there still history of an execution? Counted up to a limit.
SELECT count(*) FROM (SELECT first FROM page WHERE execution = $1 LIMIT $2) counted

-- name: forget_pages
-- purpose: retention: history, at most some rows in one commit.
DELETE FROM page
 WHERE execution = $1 AND first IN (SELECT first FROM page WHERE execution = $1 ORDER BY first LIMIT $2)

-- name: frame_count
-- purpose: retention: is there still frames kept for a redrive of an execution? Counted up to a limit.
SELECT count(*) FROM (SELECT frame FROM frame WHERE execution = $1 LIMIT $2) counted

-- name: forget_frames
-- purpose: retention: frames kept for a redrive, at most some rows in one commit.
DELETE FROM frame
 WHERE execution = $1 AND frame IN (SELECT frame FROM frame WHERE execution = $1 ORDER BY frame LIMIT $2)

-- name: payload_count
-- purpose: retention: is there still large texts of an execution? Counted up to a limit.
SELECT count(*) FROM (SELECT number FROM payload WHERE execution = $1 LIMIT $2) counted

-- name: forget_payloads
-- purpose: retention: large texts, at most some rows in one commit.
DELETE FROM payload
 WHERE execution = $1 AND number IN (SELECT number FROM payload WHERE execution = $1 ORDER BY number LIMIT $2)

-- name: probe
-- purpose: can the database be written to again?
UPDATE probe SET number = number + 1

-- name: create_log_stream
-- purpose: a new stream; changes no row if its name is taken.
INSERT INTO log_stream (grp, name, id, created, first, last, ingested, bytes) VALUES ($1, $2, $3, $4, 0, 0, 0, 0)
 ON CONFLICT DO NOTHING

-- name: log_stream
-- purpose: one stream by name.
SELECT name, id, created, first, last, ingested FROM log_stream WHERE grp = $1 AND name = $2

-- name: log_streams
-- purpose: streams in the order of their names, from a name (exclusive) to a name (exclusive).
SELECT name, id, created, first, last, ingested FROM log_stream
 WHERE grp = $1 AND name > $2 AND name >= $3 AND name < $4 ORDER BY name LIMIT $5

-- name: log_streams_down
-- purpose: the same, backwards.
SELECT name, id, created, first, last, ingested FROM log_stream
 WHERE grp = $1 AND name < $2 AND name >= $3 AND name < $4 ORDER BY name DESC LIMIT $5

-- name: log_streams_recent
-- purpose: streams in the order of their last events.
SELECT name, id, created, first, last, ingested FROM log_stream
 WHERE grp = $1 AND (last, name) > ($2, $3) ORDER BY last, name LIMIT $4

-- name: log_streams_recent_down
-- purpose: the same, backwards.
SELECT name, id, created, first, last, ingested FROM log_stream
 WHERE grp = $1 AND (last, name) < ($2, $3) ORDER BY last DESC, name DESC LIMIT $4

-- name: log_group_bytes
-- purpose: how much the streams of a group hold.
SELECT coalesce(sum(bytes), 0) FROM log_stream WHERE grp = $1

-- name: grow_log_stream
-- purpose: events came: from $2 to $3, at $4, so many bytes. Fails if the stream is gone.
UPDATE log_stream SET first = CASE WHEN first = 0 OR first > $2 THEN $2 ELSE first END,
                      last = CASE WHEN last < $3 THEN $3 ELSE last END, ingested = $4, bytes = bytes + $5
 WHERE id = $1

-- name: shrink_log_stream
-- purpose: retention: so many bytes are gone from a stream.
UPDATE log_stream SET bytes = bytes - $2 WHERE id = $1

-- name: put_log_chunk
-- purpose: a bundle of events.
INSERT INTO log_chunk (grp, stream, first, last, ingested, bytes, body) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: log_chunks_of_stream
-- purpose: bundles of a stream by their first event, after one, before a time.
SELECT c.first, c.number, c.ingested, s.name, c.body FROM log_chunk c JOIN log_stream s ON s.id = c.stream
 WHERE c.stream = $1 AND (c.first, c.number) > ($2, $3) AND c.first < $4 ORDER BY c.first, c.number LIMIT $5

-- name: log_chunks_of_group
-- purpose: bundles of a group by their first event, after one, before a time.
SELECT c.first, c.number, c.ingested, s.name, c.body FROM log_chunk c JOIN log_stream s ON s.id = c.stream
 WHERE c.grp = $1 AND (c.first, c.number) > ($2, $3) AND c.first < $4 ORDER BY c.first, c.number LIMIT $5

-- name: log_chunks_of_stream_down
-- purpose: bundles of a stream by their last event, backwards, before one, not before a time.
SELECT c.last, c.number, c.ingested, s.name, c.body FROM log_chunk c JOIN log_stream s ON s.id = c.stream
 WHERE c.stream = $1 AND (c.last, c.number) < ($2, $3) AND c.last >= $4 ORDER BY c.last DESC, c.number DESC LIMIT $5

-- name: log_chunks_of_group_down
-- purpose: bundles of a group by their last event, backwards, before one, not before a time.
SELECT c.last, c.number, c.ingested, s.name, c.body FROM log_chunk c JOIN log_stream s ON s.id = c.stream
 WHERE c.grp = $1 AND (c.last, c.number) < ($2, $3) AND c.last >= $4 ORDER BY c.last DESC, c.number DESC LIMIT $5

-- name: log_chunks_before
-- purpose: retention: bundles of a group that ended before a time.
SELECT number, stream, bytes FROM log_chunk WHERE grp = $1 AND last < $2 ORDER BY last, number LIMIT $3

-- name: log_chunks_in
-- purpose: bundles of a stream that is to be deleted.
SELECT number, stream, bytes FROM log_chunk WHERE stream = $1 ORDER BY last, number LIMIT $2

-- name: forget_log_chunk
-- purpose: retention: one bundle.
DELETE FROM log_chunk WHERE number = $1

-- name: forget_log_stream
-- purpose: a stream is deleted, and the last bundles it got.
DELETE FROM log_stream WHERE id = $1
