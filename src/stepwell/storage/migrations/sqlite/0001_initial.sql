-- The first schema. Ids of executions are unique by themselves and ordered by time, so keys begin with them: what runs now
-- lies together, and a commit of many executions dirties few pages of the file.

CREATE TABLE member (
  worker TEXT PRIMARY KEY, address TEXT NOT NULL, expires REAL NOT NULL, reads TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partition (pid INTEGER PRIMARY KEY, owner TEXT, epoch INTEGER NOT NULL) STRICT;
INSERT INTO partition (pid, owner, epoch)
  WITH RECURSIVE pids (pid) AS (SELECT 0 UNION ALL SELECT pid + 1 FROM pids WHERE pid < 255) SELECT pid, NULL, 0 FROM pids;

CREATE TABLE definition (hash TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;

CREATE TABLE execution (
  id BLOB PRIMARY KEY, pid INTEGER NOT NULL, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, started REAL NOT NULL, stopped REAL, definition TEXT NOT NULL, version TEXT, trace_header BLOB,
  input BLOB NOT NULL, output BLOB, error BLOB, cause BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX execution_of_machine ON execution (machine, started, id);
CREATE INDEX execution_by_status ON execution (machine, status, started, id);
CREATE INDEX execution_stopped ON execution (stopped) WHERE stopped IS NOT NULL;

-- What changes with every decision, apart from what does not.
CREATE TABLE progress (
  execution BLOB PRIMARY KEY, pid INTEGER NOT NULL, seq INTEGER NOT NULL, last_event INTEGER NOT NULL,
  runnable INTEGER NOT NULL, head BLOB NOT NULL, fault BLOB, faults INTEGER NOT NULL, retry_at REAL
) STRICT, WITHOUT ROWID;
CREATE INDEX progress_runnable ON progress (pid, execution) WHERE runnable;
CREATE INDEX progress_parked ON progress (pid) WHERE fault IS NOT NULL;

-- With a rowid: new pages are written side by side whatever execution they belong to.
CREATE TABLE page (
  execution BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (execution, first)
) STRICT;

CREATE TABLE payload (
  execution BLOB NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (execution, number)
) STRICT;

CREATE TABLE frame (
  execution BLOB NOT NULL, frame INTEGER NOT NULL, parent INTEGER, body BLOB NOT NULL, PRIMARY KEY (execution, frame)
) STRICT, WITHOUT ROWID;
CREATE INDEX frame_children ON frame (execution, parent) WHERE parent IS NOT NULL;

CREATE TABLE task (
  number INTEGER PRIMARY KEY, execution BLOB NOT NULL, event INTEGER NOT NULL, pid INTEGER NOT NULL, frame INTEGER NOT NULL,
  kind TEXT NOT NULL, resource TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (execution, event)
) STRICT;
CREATE INDEX task_call ON task (pid, execution) WHERE kind = 'call';
CREATE INDEX task_activity ON task (resource, number) WHERE kind = 'activity';

CREATE TABLE timer (
  execution BLOB NOT NULL, frame INTEGER NOT NULL, kind TEXT NOT NULL, pid INTEGER NOT NULL, due REAL NOT NULL,
  PRIMARY KEY (execution, frame, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (due, pid);

CREATE TABLE document (
  partition TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  version INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (partition, account, region, kind, key)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number that was delivered never names another change.
CREATE TABLE outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, pid INTEGER NOT NULL, body BLOB NOT NULL) STRICT;

CREATE TABLE probe (number INTEGER NOT NULL) STRICT;
INSERT INTO probe (number) VALUES (0);
