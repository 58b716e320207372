"""The SQL of the journal (schema.sql has the tables), and its rows read and checked through it.

What came after a run's start has a module of its own: ``revisions``.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from taskrun.digest import sha256_hex
from taskrun.errors import JournalCorruptError
from taskrun.journal import chain, revisions
from taskrun.journal.base import Damage, RunRow
from taskrun.journal.chain import LAST_SEQ, SEQ_BITS, Head, Tail
from taskrun.journal.codec import decode, unpack
from taskrun.journal.core import sqlite3
from taskrun.journal.lookup import not_found

RECENT = 1000

INSERT_DEFINITION = "INSERT INTO definitions (sha256, body) VALUES (?, ?) ON CONFLICT DO NOTHING"
INSERT_RUN = (
    "INSERT INTO runs (id, name, file, sha256, created, inputs, format, version, parent, options, definition, seal)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_HEAD = (
    "INSERT INTO heads (epoch, seq, chain, state, exit_code, ended, pid, host, boot_id, seal, run)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_ENTRY = (
    "INSERT INTO entries (key, time, kind, name, old_state, state, attempt, data, chain)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
MOST_AT_ONCE = 32
"""Entries in one statement: of more it gets too long to be worth keeping."""
INSERT_REQUEST = "INSERT INTO requests (run, time, verb, args, seal) VALUES (?, ?, ?, ?, ?)"
UPDATE_HEAD = (
    "UPDATE heads SET epoch = ?, seq = ?, chain = ?, state = ?, exit_code = ?, ended = ?, pid = ?, host = ?,"
    " boot_id = ?, seal = ? WHERE run = ?"
)
SELECT_KEY = "SELECT key, seal FROM runs WHERE id = ?"
SELECT_EPOCH = "SELECT epoch FROM heads WHERE run = ?"
SELECT_TAIL = "SELECT key, chain FROM entries WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1"
SELECT_HEAD = (
    "SELECT epoch, seq, chain, state, exit_code, ended, pid, host, boot_id, seal FROM heads WHERE run = ?"
)
SELECT_RUNS = (
    "SELECT id, name, file, runs.sha256, created, runs.inputs, format, version, parent, options, runs.definition,"
    " runs.seal, key,"
    " epoch, heads.seq, chain, state, exit_code, ended, pid, host, boot_id, heads.seal,"
    " revised.seq, revised.sha256, revised.inputs, revised.definition, revised.seal"
    " FROM runs LEFT JOIN heads ON heads.run = runs.key LEFT JOIN revisions revised ON revised.run = runs.key"
    " AND revised.seq = (SELECT max(seq) FROM revisions WHERE run = runs.key)"
)
SELECT_ENTRIES = (
    "SELECT key, time, kind, name, old_state, state, attempt, data, chain FROM entries"
    " WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?"
)
SELECT_REQUESTS = "SELECT id, run, time, verb, args, seal FROM requests WHERE run = ? AND id > ? ORDER BY id"
SELECT_DEFINITION = "SELECT body FROM definitions WHERE sha256 = ?"
COUNT_STRAYS = f"SELECT count(*) FROM entries WHERE key >> {SEQ_BITS} NOT IN (SELECT key FROM runs)"  # noqa: S608
SELECT_RECENT = "SELECT id FROM runs ORDER BY key DESC LIMIT ?"
SELECT_PREFIX = "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
DELETE_RUN = (
    "DELETE FROM entries WHERE key BETWEEN :first AND :last",
    "DELETE FROM requests WHERE run = :run",
    "DELETE FROM revisions WHERE run = :run",
    "DELETE FROM continuations WHERE run = :run",
    "DELETE FROM heads WHERE run = :run",
    "DELETE FROM runs WHERE key = :run",
    "DELETE FROM definitions WHERE sha256 NOT IN (SELECT definition FROM runs UNION SELECT definition FROM revisions)",
)


class Place(NamedTuple):
    """Where a run's rows are: its key, what is added to a seq, and the seal its chain starts from."""

    run: int
    base: int
    seal: int

    @property
    def first(self) -> Tail:
        """What entry 1 follows."""
        return Tail(0, self.seal)


def place_of(key: int, run_seal: int) -> Place:
    return Place(key, key << SEQ_BITS, run_seal)


@cache
def insert_at_once(count: int) -> str:
    """So many entries, if the run still has an epoch: one statement, which is a transaction of its own."""
    row = f"({', '.join('?' * INSERT_ENTRY.count('?'))})"
    into, _, _ = INSERT_ENTRY.partition(" VALUES")
    rows = ", ".join([row] * count)
    return f"{into} SELECT * FROM (VALUES {rows}) WHERE (SELECT epoch FROM heads WHERE run = ?) = ?"  # noqa: S608 - all ours


def ids(db: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[str]:
    return [row[0] for row in db.execute(sql, parameters)]


def recent(db: sqlite3.Connection) -> list[str]:
    return ids(db, SELECT_RECENT, (RECENT,))


def find_place(db: sqlite3.Connection, run_id: str) -> Place:
    found = db.execute(SELECT_KEY, (run_id,)).fetchone()
    if found is None:
        raise not_found(run_id, recent(db))
    return place_of(*found)


def fenced_place(db: sqlite3.Connection, run_id: str, epoch: int) -> Place:
    """As ``find_place``, for a writer: a HeldError unless ``epoch`` is the run's.

    Asked in the transaction that writes, so nobody can take the run over in between.
    """
    place = find_place(db, run_id)
    chain.refuse_stale(run_id, read_head(db, run_id, place), epoch)
    return place


def read_epoch(db: sqlite3.Connection, place: Place) -> int | None:
    """The quick question; None if the run is gone (a key is never used again)."""
    found = db.execute(SELECT_EPOCH, (place.run,)).fetchone()
    return found[0] if found else None


def head_seal(head: Head, place: Place) -> int:
    """A head is sealed with its run's seal: it cannot pass for another run's."""
    return chain.seal((place.run, *head), place.seal)


def read_head(db: sqlite3.Connection, run_id: str, place: Place) -> Head:
    found = db.execute(SELECT_HEAD, (place.run,)).fetchone()
    if found is None:
        find_place(db, run_id)  # deleted meanwhile: says so
        raise JournalCorruptError(f"the journal has lost where run {run_id} stands")
    head = Head(*found[:-1])
    if head_seal(head, place) != found[-1]:
        raise JournalCorruptError(f"where run {run_id} stands is not what was written")
    return head


def move_head(db: sqlite3.Connection, place: Place, head: Head) -> None:
    db.execute(UPDATE_HEAD, (*head, head_seal(head, place), place.run))


def to_run(row: Sequence[Any]) -> RunRow:
    """A row of SELECT_RUNS: the run's values and seal, its key, its head and its last revision, with their seals."""
    values, run_seal, key, head, stored = row[:11], row[11], row[12], Head(*row[13:22]), row[22]
    if not isinstance(run_seal, int) or head_seal(head, place_of(key, run_seal)) != stored:
        raise JournalCorruptError(f"where run {values[0]} stands is not what was written")
    revised = None if row[23] is None else revisions.checked((key, run_seal), row[23:])
    return chain.to_run(values, run_seal, head, revised)


def read_run(db: sqlite3.Connection, run_id: str) -> RunRow:
    return to_run(_row(db, run_id))


def _row(db: sqlite3.Connection, run_id: str) -> Sequence[Any]:
    row: Sequence[Any] | None = db.execute(f"{SELECT_RUNS} WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise not_found(run_id, recent(db))
    return row


def read_definition(db: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    row = _row(db, run_id)
    to_run(row)  # what it goes on with may have been damaged
    digest = row[10] if row[23] is None else row[26]
    body = (db.execute(SELECT_DEFINITION, (digest,)).fetchone() or (None,))[0]
    document = unpack(body) if isinstance(body, bytes) else b""
    if sha256_hex(document) != digest:
        raise JournalCorruptError(f"the definition of run {run_id} is not what was written")
    definition: dict[str, Any] = decode(document.decode())
    return definition


def read_entries(
    db: sqlite3.Connection, run_id: str, place: Place, after: int, limit: int | None
) -> tuple[list[chain.StoredEntry], Damage | None]:
    """Rows of entries ``after`` a seq, up to ``limit``, and the first damage among them.

    The row of entry ``after`` itself is read too: the chain goes on from it.
    """
    head = read_head(db, run_id, place)
    most = -1 if limit is None else limit + (after > 0)
    rows = db.execute(SELECT_ENTRIES, (place.base + max(after, 1), place.base + LAST_SEQ, most)).fetchall()
    start = place.first
    if after:
        if not rows or rows[0][0] != place.base + after:
            return [], chain.damage(run_id, after if rows or after <= head.seq else None)
        start = Tail(after, rows.pop(0)[-1])
    seq = chain.first_damage(rows, start, head, whole=len(rows) != limit)
    return rows, chain.damage(run_id, seq)


def read_tail(db: sqlite3.Connection, run_id: str, place: Place) -> Tail:
    """The last entry there is, which is no earlier than the one the head knows of."""
    head = read_head(db, run_id, place)
    found = db.execute(SELECT_TAIL, (place.base, place.base + LAST_SEQ)).fetchone()
    last = Tail(found[0] & LAST_SEQ, found[1]) if found else place.first
    if last.seq < head.seq or (last.seq == head.seq and last.chain != head.chain):
        raise JournalCorruptError(f"the last entries of run {run_id} are missing")
    return last


def delete_run(db: sqlite3.Connection, place: Place) -> None:
    keys = {"run": place.run, "first": place.base, "last": place.base + LAST_SEQ}
    for statement in DELETE_RUN:
        db.execute(statement, keys)


def with_prefix(db: sqlite3.Connection, prefix: str, limit: int) -> list[str]:
    return ids(db, SELECT_PREFIX, (prefix, prefix + "\x7f", limit))


def select_runs(states: int) -> str:
    """SELECT_RUNS for a number of states (0: all), newest first; the last parameter is the limit."""
    where = f" WHERE state IN ({', '.join('?' * states)})" if states else ""
    return f"{SELECT_RUNS}{where} ORDER BY key DESC LIMIT ?"
