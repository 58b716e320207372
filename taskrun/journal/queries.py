"""Every SQL statement of the journal (schema.sql has the tables), and its rows read and checked through them."""

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from taskrun.errors import JournalCorruptError
from taskrun.journal import chain
from taskrun.journal.base import Damage, RunRow
from taskrun.journal.chain import Head
from taskrun.journal.codec import decode, unpack
from taskrun.journal.lookup import not_found

SEQ_BITS = 32
LAST_SEQ = (1 << SEQ_BITS) - 1
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
INSERT_REQUEST = "INSERT INTO requests (run, time, verb, args, seal) VALUES (?, ?, ?, ?, ?)"
MOVE_HEAD = (
    "UPDATE heads SET epoch = ?, seq = ?, chain = ?, state = ?, exit_code = ?, ended = ?, pid = ?, host = ?,"
    " boot_id = ?, seal = ? WHERE run = ? AND seal = ?"
)
SELECT_KEY = "SELECT key, seal FROM runs WHERE id = ?"
SELECT_HEAD = (
    "SELECT epoch, seq, chain, state, exit_code, ended, pid, host, boot_id, seal FROM heads WHERE run = ?"
)
SELECT_RUNS = (
    "SELECT id, name, file, sha256, created, inputs, format, version, parent, options, definition, runs.seal, key,"
    " epoch, seq, chain, state, exit_code, ended, pid, host, boot_id, heads.seal"
    " FROM runs LEFT JOIN heads ON heads.run = runs.key"
)
SELECT_ENTRIES = (
    "SELECT key, time, kind, name, old_state, state, attempt, data, chain FROM entries"
    " WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?"
)
SELECT_REQUESTS = "SELECT id, run, time, verb, args, seal FROM requests WHERE run = ? AND id > ? ORDER BY id"
SELECT_DEFINITION = (
    "SELECT definition, body FROM runs LEFT JOIN definitions ON definitions.sha256 = definition WHERE id = ?"
)
SELECT_RECENT = "SELECT id FROM runs ORDER BY key DESC LIMIT ?"
SELECT_PREFIX = "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
DELETE_RUN = (
    "DELETE FROM entries WHERE key BETWEEN :first AND :last",
    "DELETE FROM requests WHERE run = :run",
    "DELETE FROM heads WHERE run = :run",
    "DELETE FROM runs WHERE key = :run",
    "DELETE FROM definitions WHERE NOT EXISTS (SELECT 1 FROM runs WHERE definition = definitions.sha256)",
)


class Place(NamedTuple):
    """Where a run's rows are: its key, what is added to a seq, and the seal its chain starts from."""

    run: int
    base: int
    seal: int


class Known(NamedTuple):
    """A head as it lies in the database, under its seal."""

    head: Head
    seal: int


def place_of(key: int, run_seal: int) -> Place:
    return Place(key, key << SEQ_BITS, run_seal)


def ids(db: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> list[str]:
    return [row[0] for row in db.execute(sql, parameters)]


def recent(db: sqlite3.Connection) -> list[str]:
    return ids(db, SELECT_RECENT, (RECENT,))


def find_place(db: sqlite3.Connection, run_id: str) -> Place:
    found = db.execute(SELECT_KEY, (run_id,)).fetchone()
    if found is None:
        raise not_found(run_id, recent(db))
    return place_of(*found)


def head_seal(head: Head, place: Place) -> int:
    """A head is sealed with its run's seal: it cannot pass for another run's."""
    return chain.seal((place.run, *head), place.seal)


def read_head(db: sqlite3.Connection, run_id: str, place: Place) -> Known:
    found = db.execute(SELECT_HEAD, (place.run,)).fetchone()
    if found is None:
        find_place(db, run_id)  # deleted meanwhile: says so
        raise JournalCorruptError(f"the journal has lost where run {run_id} stands")
    known = Known(Head(*found[:-1]), found[-1])
    if head_seal(known.head, place) != known.seal:
        raise JournalCorruptError(f"where run {run_id} stands is not what was written")
    return known


def move_head(db: sqlite3.Connection, place: Place, known: Known, head: Head) -> Known | None:
    """Put ``head`` in place of the known one; None if it is not the one in the database any more."""
    moved = Known(head, head_seal(head, place))
    cursor = db.execute(MOVE_HEAD, (*head, moved.seal, place.run, known.seal))
    return moved if cursor.rowcount == 1 else None


def to_run(row: Sequence[Any]) -> RunRow:
    """A row of SELECT_RUNS: the run's values and seal, its key, its head and that one's seal."""
    values, run_seal, key, head, stored = row[:11], row[11], row[12], Head(*row[13:22]), row[22]
    if not isinstance(run_seal, int) or head_seal(head, place_of(key, run_seal)) != stored:
        raise JournalCorruptError(f"where run {values[0]} stands is not what was written")
    return chain.to_run(values, run_seal, head)


def read_run(db: sqlite3.Connection, run_id: str) -> RunRow:
    row = db.execute(f"{SELECT_RUNS} WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise not_found(run_id, recent(db))
    return to_run(row)


def read_definition(db: sqlite3.Connection, run_id: str) -> dict[str, Any]:
    row = db.execute(SELECT_DEFINITION, (run_id,)).fetchone()
    if row is None:
        raise not_found(run_id, recent(db))
    digest, body = row
    document = unpack(body) if isinstance(body, bytes) else b""
    if hashlib.sha256(document).hexdigest() != digest:
        raise JournalCorruptError(f"the definition of run {run_id} is not what was written")
    definition: dict[str, Any] = decode(document.decode())
    return definition


def read_entries(
    db: sqlite3.Connection, run_id: str, place: Place, after: int, limit: int | None
) -> tuple[list[chain.StoredEntry], Damage | None]:
    """Rows of entries ``after`` a seq, up to ``limit``, and the first damage among them.

    The row of entry ``after`` itself is read too: the chain goes on from it.
    """
    head = read_head(db, run_id, place).head
    if after >= head.seq:
        return [], None
    most = -1 if limit is None else limit + (after > 0)
    rows = db.execute(SELECT_ENTRIES, (place.base + max(after, 1), place.base + LAST_SEQ, most)).fetchall()
    start = place.seal
    if after and rows:
        first = rows.pop(0)
        start = first[-1] if first[0] == place.base + after else -1
    seq = chain.broken(rows, after, start, place.base)
    if seq is None and len(rows) != limit and (not rows or rows[-1][-1] != head.chain):
        seq = after + len(rows) + 1
    return rows, chain.damage(run_id, seq)


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
