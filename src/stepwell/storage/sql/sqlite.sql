-- What only SQLite is asked: one decision is one unit of these statements, and one process owns every partition.

-- name: start
-- purpose: a new execution; changes no row if its name is taken.
INSERT INTO execution (id, pid, arn, machine, name, status, started, stopped, definition, version, trace_header,
                       input, output, error, cause)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING

-- name: start_fenced
-- purpose: the same with its first decision: the partition must be ours ($16 worker, $17 epoch).
INSERT INTO execution (id, pid, arn, machine, name, status, started, stopped, definition, version, trace_header,
                       input, output, error, cause)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
 WHERE EXISTS (SELECT 1 FROM partition WHERE pid = $2 AND owner = $16 AND epoch = $17) ON CONFLICT DO NOTHING

-- name: start_progress
-- purpose: the changing part of a new execution.
INSERT INTO progress (execution, pid, seq, last_event, runnable, head, faults) VALUES ($1, $2, $3, $4, $5, $6, 0)

-- name: append
-- purpose: the guard of a decision with history: seq, density of event ids, and ownership. It is not parked any more.
UPDATE progress SET seq = seq + 1, head = $3, runnable = $4, last_event = $6,
                    fault = NULL, faults = 0, retry_at = NULL
 WHERE execution = $1 AND seq = $2 AND last_event = $5
   AND EXISTS (SELECT 1 FROM partition WHERE pid = $7 AND owner = $8 AND epoch = $9)

-- name: append_quiet
-- purpose: the guard of a decision without history: seq and ownership. It is not parked any more.
UPDATE progress SET seq = seq + 1, head = $3, runnable = $4,
                    fault = NULL, faults = 0, retry_at = NULL
 WHERE execution = $1 AND seq = $2
   AND EXISTS (SELECT 1 FROM partition WHERE pid = $5 AND owner = $6 AND epoch = $7)

-- name: put_page
-- purpose: the history of one decision.
INSERT INTO page (execution, first, last, body) VALUES ($1, $2, $3, $4)

-- name: drop_children
-- purpose: the frames below a frame.
DELETE FROM frame WHERE execution = $1 AND parent = $2

-- name: put_frame
-- purpose: one frame, new or changed.
INSERT INTO frame (execution, frame, parent, body) VALUES ($1, $2, $3, $4)
 ON CONFLICT (execution, frame) DO UPDATE SET parent = excluded.parent, body = excluded.body

-- name: put_payload
-- purpose: one large text.
INSERT INTO payload (execution, number, body) VALUES ($1, $2, $3)

-- name: drop_task
-- purpose: a task is over.
DELETE FROM task WHERE execution = $1 AND event = $2

-- name: drop_all_tasks
-- purpose: an execution is over.
DELETE FROM task WHERE execution = $1

-- name: put_task
-- purpose: a task in flight, new or changed; it keeps its place in the order of arrival.
INSERT INTO task (execution, pid, event, frame, kind, resource, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
 ON CONFLICT (execution, event)
 DO UPDATE SET frame = excluded.frame, kind = excluded.kind, resource = excluded.resource, body = excluded.body

-- name: drop_timer
-- purpose: a timer is over.
DELETE FROM timer WHERE execution = $1 AND frame = $2 AND kind = $3

-- name: drop_all_timers
-- purpose: an execution is over.
DELETE FROM timer WHERE execution = $1

-- name: put_timer
-- purpose: a timer, new or moved.
INSERT INTO timer (execution, pid, frame, kind, due) VALUES ($1, $2, $3, $4, $5)
 ON CONFLICT (execution, frame, kind) DO UPDATE SET due = excluded.due

-- name: finish
-- purpose: how an execution ended.
UPDATE execution SET status = $2, stopped = $3, output = $4, error = $5, cause = $6 WHERE id = $1

-- name: reopen
-- purpose: a redriven execution runs again.
UPDATE execution SET status = 'RUNNING', stopped = NULL, output = NULL, error = NULL, cause = NULL WHERE id = $1

-- name: put_outbox
-- purpose: a status change for subscribers.
INSERT INTO outbox (pid, body) VALUES ($1, $2)

-- name: take_partitions
-- purpose: this process owns all partitions from now on; whoever did before is fenced off.
UPDATE partition SET owner = $1, epoch = epoch + 1

-- name: enrol
-- purpose: under which address the one process answers.
INSERT INTO member (worker, address, expires, reads) VALUES ($1, $2, $3, $4)

-- name: forget_members
-- purpose: the processes before this one.
DELETE FROM member

-- name: owned
-- purpose: the partitions of a worker and their epochs.
SELECT pid, epoch FROM partition WHERE owner = $1

-- name: drop_all_frames
-- purpose: an execution succeeded: nothing can redrive it.
DELETE FROM frame WHERE execution = $1
