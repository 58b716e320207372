-- The journal, version 2. Opened in WAL mode. Times are unix seconds, of entries microseconds.

-- What never changes about a run. `seal` is the checksum of the other columns but `key`.
CREATE TABLE runs (
  key        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  file       TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  created    REAL NOT NULL,
  inputs     TEXT NOT NULL,
  format     INTEGER NOT NULL,
  version    TEXT NOT NULL,
  parent     TEXT,
  options    TEXT NOT NULL,
  definition TEXT NOT NULL REFERENCES definitions (sha256),
  seal       INTEGER NOT NULL
);

CREATE INDEX runs_by_definition ON runs (definition);

-- Where a run stands: one small row, rewritten with every append. `seal` is the checksum of the others.
CREATE TABLE heads (
  run       INTEGER PRIMARY KEY REFERENCES runs (key),
  epoch     INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  chain     INTEGER NOT NULL,
  state     TEXT NOT NULL,
  exit_code INTEGER,
  ended     REAL,
  pid       INTEGER,
  host      TEXT NOT NULL,
  boot_id   TEXT NOT NULL,
  seal      INTEGER NOT NULL
);

-- The history, append-only. `key` is the run's key * 2^32 + the entry's seq: smaller and faster than a
-- primary key of two columns, and the entries of a run lie together, in order.
CREATE TABLE entries (
  key       INTEGER PRIMARY KEY,
  time      INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  name      TEXT NOT NULL,
  old_state TEXT,
  state     TEXT,
  attempt   INTEGER NOT NULL,
  data      TEXT,
  chain     INTEGER NOT NULL
);

-- What other processes ask of the one that drives a run.
CREATE TABLE requests (
  id   INTEGER PRIMARY KEY AUTOINCREMENT,
  run  INTEGER NOT NULL REFERENCES runs (key),
  time REAL NOT NULL,
  verb TEXT NOT NULL,
  args TEXT NOT NULL,
  seal INTEGER NOT NULL
);

CREATE INDEX requests_by_run ON requests (run, id);

-- Frozen workflows, each once: JSON, deflated when large, under the SHA-256 of the JSON.
CREATE TABLE definitions (
  sha256 TEXT NOT NULL UNIQUE,
  body   BLOB NOT NULL
);

-- What a run goes on with instead of what it was started with: the last one counts. `seq` is that of the entry
-- that tells of it. `seal` is the checksum of the others.
CREATE TABLE revisions (
  run        INTEGER NOT NULL REFERENCES runs (key),
  seq        INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  inputs     TEXT NOT NULL,
  definition TEXT NOT NULL REFERENCES definitions (sha256),
  seal       INTEGER NOT NULL,
  PRIMARY KEY (run, seq)
);

CREATE INDEX revisions_by_definition ON revisions (definition);

-- The commands that took a run over from the one before; `seq` is that of the last entry then.
CREATE TABLE continuations (
  run   INTEGER NOT NULL REFERENCES runs (key),
  epoch INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  time  REAL NOT NULL,
  verb  TEXT NOT NULL,
  seal  INTEGER NOT NULL,
  PRIMARY KEY (run, epoch)
);

-- For a person with the sqlite3 program.
CREATE VIEW history AS
  SELECT runs.id AS run, entries.key & 4294967295 AS seq, datetime(entries.time / 1000000, 'unixepoch') AS at,
         entries.kind, entries.name, entries.old_state, entries.state, entries.attempt, entries.data
    FROM runs JOIN entries ON entries.key BETWEEN runs.key << 32 AND (runs.key << 32) + 4294967295
   ORDER BY entries.key;
