-- The first schema. Names of keys sort by bytes ("C"), as on SQLite. Hot tables keep room for updates in place and are
-- vacuumed early.

CREATE TABLE member (
  worker text PRIMARY KEY, address text NOT NULL, expires double precision NOT NULL, reads text NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE partition (pid integer PRIMARY KEY, owner text, epoch bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO partition (pid, owner, epoch) SELECT pid, NULL, 0 FROM generate_series(0, 255) pid;

CREATE TABLE definition (hash text PRIMARY KEY, body bytea NOT NULL);

CREATE TABLE execution (
  id bytea PRIMARY KEY, pid integer NOT NULL, arn text COLLATE "C" NOT NULL UNIQUE, machine text COLLATE "C" NOT NULL,
  name text NOT NULL, status text COLLATE "C" NOT NULL, started double precision NOT NULL, stopped double precision,
  definition text NOT NULL, version text, trace_header bytea, input bytea NOT NULL, output bytea, error bytea, cause bytea
) WITH (fillfactor = 85);
CREATE INDEX execution_of_machine ON execution (machine, started, id);
CREATE INDEX execution_by_status ON execution (machine, status, started, id);
CREATE INDEX execution_stopped ON execution (stopped) WHERE stopped IS NOT NULL;

-- What changes with every decision, apart from what does not.
CREATE TABLE progress (
  execution bytea PRIMARY KEY, pid integer NOT NULL, seq integer NOT NULL, last_event integer NOT NULL,
  runnable boolean NOT NULL, head bytea NOT NULL, fault bytea, faults integer NOT NULL, retry_at double precision
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX progress_runnable ON progress (pid, execution) WHERE runnable;
CREATE INDEX progress_parked ON progress (pid) WHERE fault IS NOT NULL;

CREATE TABLE page (
  execution bytea NOT NULL, first integer NOT NULL, last integer NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (execution, first)
);

CREATE TABLE payload (
  execution bytea NOT NULL, number integer NOT NULL, body bytea NOT NULL, PRIMARY KEY (execution, number)
);

CREATE TABLE frame (
  execution bytea NOT NULL, frame integer NOT NULL, parent integer, body bytea NOT NULL, PRIMARY KEY (execution, frame)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX frame_children ON frame (execution, parent) WHERE parent IS NOT NULL;

CREATE TABLE task (
  number bigint GENERATED ALWAYS AS IDENTITY, execution bytea NOT NULL, event integer NOT NULL, pid integer NOT NULL,
  frame integer NOT NULL, kind text COLLATE "C" NOT NULL, resource text COLLATE "C" NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (execution, event)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX task_call ON task (pid, execution) WHERE kind = 'call';
CREATE INDEX task_activity ON task (resource, number) WHERE kind = 'activity';

CREATE TABLE timer (
  execution bytea NOT NULL, frame integer NOT NULL, kind text COLLATE "C" NOT NULL, pid integer NOT NULL,
  due double precision NOT NULL, PRIMARY KEY (execution, frame, kind)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX timer_due ON timer (due, pid);

CREATE TABLE document (
  partition text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL, region text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, version integer NOT NULL, body bytea NOT NULL,
  PRIMARY KEY (partition, account, region, kind, key)
) WITH (fillfactor = 80);

CREATE TABLE outbox (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pid integer NOT NULL, body bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE probe (number bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO probe (number) VALUES (0);
