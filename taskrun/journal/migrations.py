"""The version of the journal's tables, how a new journal gets them and how an older one is brought up to date."""

import os
from collections.abc import Iterator, Mapping

from taskrun.errors import JournalCorruptError, JournalTooNewError
from taskrun.journal.core import sqlite3

APPLICATION_ID = 0x7461736B
"""``task`` in ASCII, in the file's header: tells a journal from any other SQLite database."""

VERSION = 2

MIGRATIONS: Mapping[int, str] = {
    1: """
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
CREATE TABLE continuations (
  run   INTEGER NOT NULL REFERENCES runs (key),
  epoch INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  time  REAL NOT NULL,
  verb  TEXT NOT NULL,
  seal  INTEGER NOT NULL,
  PRIMARY KEY (run, epoch)
);
""",
}
"""Version -> the statements that lead from it to the next one: with them its tables are as in ``schema.sql``."""


def version_of(db: sqlite3.Connection, path: str, newest: int = VERSION) -> int:
    """The version of the tables; 0 for an empty file. What is not a journal of ours is refused here."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if (
        application == 0
        and version == 0
        and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    ):
        return 0
    if application != APPLICATION_ID or version < 1:
        raise foreign(path)
    if version > newest:
        raise JournalTooNewError(
            f"{path} was written by a newer taskrun (journal version {version}, this one knows {newest})",
            hint="upgrade taskrun, or set TASKRUN_HOME to another directory; nothing was changed",
        )
    return version


def foreign(path: str) -> JournalCorruptError:
    return JournalCorruptError(
        f"{path} is not a journal of taskrun, or its header is damaged",
        hint="move the file away (runs start afresh), or set TASKRUN_HOME to another directory",
    )


def bring_up(
    db: sqlite3.Connection,
    path: str,
    newest: int = VERSION,
    migrations: Mapping[int, str] = MIGRATIONS,
) -> None:
    """Create or migrate the tables, inside the transaction that is open on ``db``."""
    version = version_of(db, path, newest)
    if version == newest:
        return
    if version == 0:
        _run(db, schema())
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        version = VERSION
    while version < newest:
        if version not in migrations:
            raise JournalCorruptError(f"{path} has journal version {version}, which no taskrun has written")
        _run(db, migrations[version])
        version += 1
    db.execute(f"PRAGMA user_version = {newest}")


def schema() -> str:
    with open(os.path.join(os.path.dirname(__file__), "schema.sql"), encoding="utf-8") as file:
        return file.read()


def _run(db: sqlite3.Connection, script: str) -> None:
    """``executescript`` would commit first; here every statement stays in the open transaction."""
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""
