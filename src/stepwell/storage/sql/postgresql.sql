-- What only PostgreSQL is asked.
--
-- The parts named group_* are put together, as far as a group needs them, into the one statement that writes a group of
-- starts and decisions (journal_postgresql.py says how; each part numbers its own parameters). n is a write's place in the group,
-- k the place of its (partition, epoch) among those of the group. Which writes passed their guard is kept as a string of bits:
-- looking a bit up costs nothing, whatever plan the statement gets.

-- name: group_fence
-- purpose: which partitions are ours at the epochs we believe in. FOR SHARE: a takeover waits for this commit. $1 worker.
mine AS MATERIALIZED (
  SELECT bit_or(set_bit(0::bit(512), held.k, 1)) AS bits FROM (
    SELECT f.k FROM partition p JOIN unnest($2::int[], $3::int[], $4::bigint[]) AS f (k, pid, epoch) ON f.pid = p.pid
     WHERE p.owner = $1 AND p.epoch = f.epoch ORDER BY p.pid FOR SHARE OF p) held)

-- name: group_append
-- purpose: the guard of decisions: ownership, seq, density of event ids. They are not parked any more.
appended AS (
  UPDATE progress SET seq = progress.seq + 1, head = a.head, runnable = a.runnable,
                      last_event = coalesce(a.last, progress.last_event), fault = NULL, faults = 0, retry_at = NULL
    FROM unnest($1::int[], $2::int[], $3::bytea[], $4::int[], $5::int[], $6::int[], $7::boolean[], $8::bytea[])
      AS a (n, k, id, expected, before, last, runnable, head)
   WHERE progress.execution = a.id AND progress.seq = a.expected
     AND (a.before IS NULL OR progress.last_event = a.before) AND get_bit((SELECT bits FROM mine), a.k) = 1
  RETURNING a.n)

-- name: group_start
-- purpose: new executions whose names are free; one with its first decision also needs ownership (k is not -1).
starts AS MATERIALIZED (
  SELECT * FROM unnest($1::int[], $2::int[], $3::bytea[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::float8[], $10::float8[], $11::text[], $12::text[], $13::bytea[], $14::bytea[], $15::bytea[], $16::bytea[],
      $17::bytea[], $18::int[], $19::int[], $20::boolean[], $21::bytea[])
    AS s (n, k, id, pid, arn, machine, name, status, started, stopped, definition, version, trace_header, input, output,
      error, cause, seq, last_event, runnable, head)),
started AS (
  INSERT INTO execution (id, pid, arn, machine, name, status, started, stopped, definition, version, trace_header,
                         input, output, error, cause)
  SELECT id, pid, arn, machine, name, status, started, stopped, definition, version, trace_header, input, output, error,
         cause
    FROM starts WHERE k < 0 OR get_bit((SELECT bits FROM mine), k) = 1
  ON CONFLICT DO NOTHING RETURNING id)

-- name: group_written_append
-- purpose: which writes passed their guard, if the group is all decisions.
written AS MATERIALIZED (SELECT n FROM appended)

-- name: group_written_start
-- purpose: the same, if the group is all starts. A group by id, not a join: its cost does not depend on estimates.
written AS MATERIALIZED (
  SELECT max(n) AS n FROM (SELECT id, n FROM starts UNION ALL SELECT id, -1 FROM started) x GROUP BY id HAVING count(*) = 2)

-- name: group_written_both
-- purpose: the same, if the group has both.
written AS MATERIALIZED (
  SELECT n FROM appended UNION ALL
  SELECT max(n) AS n FROM (SELECT id, n FROM starts UNION ALL SELECT id, -1 FROM started) x GROUP BY id HAVING count(*) = 2)

-- name: group_mask
-- purpose: the same as bits.
mask AS MATERIALIZED (SELECT bit_or(set_bit(0::bit(512), n, 1)) AS bits FROM written)

-- name: group_progress
-- purpose: the changing part of new executions.
begun AS (
  INSERT INTO progress (execution, pid, seq, last_event, runnable, head, faults)
  SELECT id, pid, seq, last_event, runnable, head, 0 FROM starts WHERE get_bit((SELECT bits FROM mask), n) = 1)

-- name: group_pages
-- purpose: history.
pages AS (
  INSERT INTO page (execution, first, last, body)
  SELECT u.execution, u.first, u.last, u.body
    FROM unnest($1::int[], $2::bytea[], $3::int[], $4::int[], $5::bytea[]) AS u (n, execution, first, last, body)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: group_payloads
-- purpose: large texts.
payloads AS (
  INSERT INTO payload (execution, number, body)
  SELECT u.execution, u.number, u.body
    FROM unnest($1::int[], $2::bytea[], $3::int[], $4::bytea[]) AS u (n, execution, number, body)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: group_children_dropped
-- purpose: frames below a frame, except those this group writes anew ($4 and $5).
children_dropped AS (
  DELETE FROM frame USING unnest($1::int[], $2::bytea[], $3::int[]) AS u (n, execution, parent)
   WHERE frame.execution = u.execution AND frame.parent = u.parent AND get_bit((SELECT bits FROM mask), u.n) = 1
     AND NOT EXISTS (SELECT 1 FROM unnest($4::bytea[], $5::int[]) AS kept (execution, frame)
                      WHERE kept.execution = frame.execution AND kept.frame = frame.frame))

-- name: group_frames
-- purpose: frames, new or changed.
frames AS (
  INSERT INTO frame (execution, frame, parent, body)
  SELECT u.execution, u.frame, u.parent, u.body
    FROM unnest($1::int[], $2::bytea[], $3::int[], $4::int[], $5::bytea[]) AS u (n, execution, frame, parent, body)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1
  ON CONFLICT (execution, frame) DO UPDATE SET parent = excluded.parent, body = excluded.body)

-- name: group_tasks_done
-- purpose: tasks that are over.
tasks_done AS (
  DELETE FROM task USING unnest($1::int[], $2::bytea[], $3::int[]) AS u (n, execution, event)
   WHERE task.execution = u.execution AND task.event = u.event AND get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: group_tasks
-- purpose: tasks in flight, new or changed; each keeps its place in the order of arrival.
tasks AS (
  INSERT INTO task (execution, pid, event, frame, kind, resource, body)
  SELECT u.execution, u.pid, u.event, u.frame, u.kind, u.resource, u.body
    FROM unnest($1::int[], $2::bytea[], $3::int[], $4::int[], $5::int[], $6::text[], $7::text[], $8::bytea[])
      AS u (n, execution, pid, event, frame, kind, resource, body)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1
  ON CONFLICT (execution, event)
  DO UPDATE SET frame = excluded.frame, kind = excluded.kind, resource = excluded.resource, body = excluded.body)

-- name: group_timers_done
-- purpose: timers that are over.
timers_done AS (
  DELETE FROM timer USING unnest($1::int[], $2::bytea[], $3::int[], $4::text[]) AS u (n, execution, frame, kind)
   WHERE timer.execution = u.execution AND timer.frame = u.frame AND timer.kind = u.kind
     AND get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: group_timers
-- purpose: timers, new or moved.
timers AS (
  INSERT INTO timer (execution, pid, frame, kind, due)
  SELECT u.execution, u.pid, u.frame, u.kind, u.due
    FROM unnest($1::int[], $2::bytea[], $3::int[], $4::int[], $5::text[], $6::float8[])
      AS u (n, execution, pid, frame, kind, due)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1
  ON CONFLICT (execution, frame, kind) DO UPDATE SET due = excluded.due)

-- name: group_closed
-- purpose: how executions ended, and what leaves with them; the frames of one that succeeded (frames true) too.
closings AS MATERIALIZED (
  SELECT u.* FROM unnest($1::int[], $2::bytea[], $3::text[], $4::float8[], $5::bytea[], $6::bytea[], $7::bytea[], $8::boolean[])
      AS u (n, execution, status, stopped, output, error, cause, frames)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1),
closed AS (
  UPDATE execution SET status = c.status, stopped = c.stopped, output = c.output, error = c.error, cause = c.cause
    FROM closings c WHERE execution.id = c.execution),
closed_tasks AS (DELETE FROM task USING closings c WHERE task.execution = c.execution),
closed_timers AS (DELETE FROM timer USING closings c WHERE timer.execution = c.execution),
closed_frames AS (DELETE FROM frame USING closings c WHERE frame.execution = c.execution AND c.frames)

-- name: group_reopened
-- purpose: redriven executions that run again.
reopened AS (
  UPDATE execution SET status = 'RUNNING', stopped = NULL, output = NULL, error = NULL, cause = NULL
    FROM unnest($1::int[], $2::bytea[]) AS u (n, execution)
   WHERE execution.id = u.execution AND get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: group_outbox
-- purpose: status changes for subscribers.
outboxes AS (
  INSERT INTO outbox (pid, body) SELECT u.pid, u.body FROM unnest($1::int[], $2::int[], $3::bytea[]) AS u (n, pid, body)
   WHERE get_bit((SELECT bits FROM mask), u.n) = 1)

-- name: heartbeat
-- purpose: this worker lives for another $3 seconds; answers the database's time.
INSERT INTO member (worker, address, expires, reads)
 VALUES ($1, $2, extract(epoch FROM clock_timestamp())::float8 + $3::float8, $4)
 ON CONFLICT (worker) DO UPDATE SET address = excluded.address, expires = excluded.expires, reads = excluded.reads
 RETURNING extract(epoch FROM clock_timestamp())::float8

-- name: partitions
-- purpose: every partition with its owner; free ones, and those of workers whose lease has run out, can be taken.
SELECT p.pid, p.owner, p.epoch, m.address,
       p.owner IS NULL OR m.worker IS NULL OR m.expires < extract(epoch FROM clock_timestamp())::float8 AS free
  FROM partition p LEFT JOIN member m ON m.worker = p.owner ORDER BY p.pid

-- name: take_partitions
-- purpose: take partitions that still are at the epoch they were seen at; waits for decisions in flight.
WITH found AS MATERIALIZED (
  SELECT p.pid FROM partition p JOIN unnest($2::int[], $3::bigint[]) AS seen (pid, epoch) ON seen.pid = p.pid
   WHERE p.epoch = seen.epoch ORDER BY p.pid FOR UPDATE OF p)
UPDATE partition SET owner = $1, epoch = epoch + 1 FROM found WHERE partition.pid = found.pid
RETURNING partition.pid, partition.epoch

-- name: release_partitions
-- purpose: give everything back at a graceful stop.
WITH found AS MATERIALIZED (SELECT pid FROM partition WHERE owner = $1 ORDER BY pid FOR UPDATE)
UPDATE partition SET owner = NULL FROM found WHERE partition.pid = found.pid

-- name: forget_member
-- purpose: this worker is gone.
DELETE FROM member WHERE worker = $1

-- name: forget_dead_members
-- purpose: workers whose lease ran out long ago and that own nothing.
DELETE FROM member m WHERE m.expires < extract(epoch FROM clock_timestamp())::float8 - $1::float8
  AND NOT EXISTS (SELECT 1 FROM partition p WHERE p.owner = m.worker)
