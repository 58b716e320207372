"""The SQL of what came later than a run's start: definitions it went on with, commands that took it over."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from taskrun.errors import JournalCorruptError
from taskrun.journal import chain
from taskrun.journal.base import Continuation
from taskrun.journal.chain import LAST_SEQ, SEQ_BITS, Revised
from taskrun.journal.core import sqlite3

INSERT_REVISION = (
    "INSERT INTO revisions (run, seq, sha256, inputs, definition, seal) VALUES (?, ?, ?, ?, ?, ?)"
)
SELECT_REVISIONS = "SELECT seq, sha256, inputs, definition, seal FROM revisions WHERE run = ? ORDER BY seq"
INSERT_CONTINUATION = (
    "INSERT INTO continuations (run, epoch, seq, time, verb, seal) VALUES (?, ?, ?, ?, ?, ?)"
)
SELECT_CONTINUATIONS = (
    "SELECT key, runs.seal, epoch, seq, time, verb, continuations.seal"
    " FROM runs JOIN continuations ON run = key WHERE id = ? ORDER BY epoch"
)
SELECT_STATE = (
    "SELECT state FROM entries WHERE key BETWEEN ? AND ? AND kind = 'flow' ORDER BY key DESC LIMIT 1"
)
Stored = tuple[int, int]  # a run's key, and its seal, from which those of its rows go on


def insert_revision(db: sqlite3.Connection, run: Stored, revised: Revised) -> None:
    db.execute(INSERT_REVISION, (run[0], *revised, chain.seal((run[0], *revised), run[1])))


def read_revisions(db: sqlite3.Connection, run: Stored) -> list[Revised]:
    return [checked(run, row) for row in db.execute(SELECT_REVISIONS, (run[0],))]


def checked(run: Stored, row: Sequence[Any]) -> Revised:
    """A row of ``revisions``: its values, then its seal."""
    *values, stored = row
    if chain.seal((run[0], *values), run[1]) != stored:
        raise JournalCorruptError("the definition that a run goes on with is not what was written")
    return Revised(*values)


def insert_continuation(
    db: sqlite3.Connection, run: Stored, epoch: int, seq: int, time: float, verb: str
) -> None:
    values = (run[0], epoch, seq, float(time), verb)
    db.execute(INSERT_CONTINUATION, (*values, chain.seal(values, run[1])))


def read_continuations(db: sqlite3.Connection, run_ids: Collection[str]) -> list[Continuation]:
    return [found for run_id in run_ids for found in _of(db, run_id)]


def _of(db: sqlite3.Connection, run_id: str) -> Iterator[Continuation]:
    rows = db.execute(SELECT_CONTINUATIONS, (run_id,)).fetchall()
    ends = [row[3] for row in rows[1:]] + [LAST_SEQ]
    for (key, run_seal, epoch, seq, time, verb, stored), end in zip(rows, ends, strict=False):
        if chain.seal((key, epoch, seq, time, verb), run_seal) != stored:
            raise JournalCorruptError(f"who took run {run_id} over is not what was written")
        base = key << SEQ_BITS
        state = db.execute(SELECT_STATE, (base + 1, base + end)).fetchone()
        yield Continuation(run_id, epoch, time, verb, state[0] if state else "PENDING")
