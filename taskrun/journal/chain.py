"""Checksums that tie a run's rows together, so that damage is found and named instead of believed.

Every entry carries the CRC-32 of its own text continued from the entry before it; the first continues from
the run's seal (the checksum of what never changes about the run). The run's head, rewritten whenever its
state changes, holds how far the chain was then, under a seal of its own. A changed, missing, doubled or moved
row breaks the chain at that row. This finds what a disk or a stray program does; it is no signature: somebody
who can write the file can write the sums.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from taskrun.errors import HeldError, JournalCorruptError, JournalError
from taskrun.journal.base import Damage, Entry, Request, RunRow
from taskrun.journal.codec import decode, encode, encode_any

SEQ_BITS = 32
LAST_SEQ = (1 << SEQ_BITS) - 1

StoredEntry = tuple[int, int, str, str, str | None, str | None, int, str | None, int]
"""(key, microseconds, kind, name, old_state, state, attempt, data as JSON, chain); the key's low bits are the seq."""


Standing = tuple[str | None, int | None, float | None]
"""(state, exit_code, ended)"""


class Head(NamedTuple):
    """Where a run stands: the part of it that changes.

    ``seq`` and ``chain`` are those of the last entry when the head was written. Entries alone don't rewrite
    it: that would cost a second page for every one.
    """

    epoch: int
    seq: int
    chain: int
    state: str
    exit_code: int | None
    ended: float | None
    pid: int | None
    host: str
    boot_id: str


class Tail(NamedTuple):
    """The last entry: its number and its link of the chain."""

    seq: int
    chain: int


def seal(values: Iterable[Any], start: int = 0) -> int:
    """The checksum of a row. Unit separators keep neighbouring columns from flowing into each other."""
    return crc32("\x1f".join(map(str, values)).encode(errors="surrogatepass"), start)


def link(entries: Iterable[Entry], before: Tail, base: int = 0) -> list[StoredEntry]:
    """The rows to store for ``entries``, which go on from ``before``; ``base`` plus the seq is the key.

    This runs for every entry there is. Times are kept as whole microseconds: they are what events show, and
    printing a float would cost as much as all the rest.
    """
    after, chain = before
    rows: list[StoredEntry] = []
    add = rows.append
    for seq, time, kind, name, old, state, attempt, data in entries:
        after += 1
        if seq != after:
            raise JournalError(f"entry {seq} of a run was to be recorded where entry {after} belongs")
        text = None if data is None else encode(data)
        at = int(time * 1e6 + 0.5)
        try:
            line = f"{seq} {at} {kind} {name} {old} {state} {attempt} {text}".encode()
        except UnicodeEncodeError:
            text = encode_any(data)
            line = f"{seq} {at} {kind} {name} {old} {state} {attempt} {text}".encode()
        chain = crc32(line, chain)
        add((base + seq, at, kind, name, old, state, attempt, text, chain))
    return rows


def broken(rows: Iterable[StoredEntry], before: Tail) -> int | None:
    """The number of the first entry that does not go on from the one before it, or None if all do."""
    after, chain = before
    for key, at, kind, name, old, state, attempt, text, stored in rows:
        after += 1
        seq = key & LAST_SEQ
        chain = crc32(f"{seq} {at} {kind} {name} {old} {state} {attempt} {text}".encode(), chain)
        if chain != stored or seq != after:
            return after
    return None


def first_damage(rows: Sequence[StoredEntry], before: Tail, head: Head, *, whole: bool) -> int | None:
    """The number of the first entry that is not as written: in the chain from ``before``, or against the head.

    ``whole`` says that ``rows`` are all there are, so that the ones the head knows of must be among them.
    """
    seq = broken(rows, before)
    last = before.seq + len(rows)
    if seq is None and before.seq < head.seq <= last and rows[head.seq - before.seq - 1][-1] != head.chain:
        return head.seq
    if seq is None and whole and last < head.seq:
        return last + 1
    return seq


def damage(run_id: str, seq: int | None) -> Damage | None:
    return None if seq is None else Damage(seq, f"entry {seq} of run {run_id} is not what was written")


def refuse_stale(run_id: str, head: Head, epoch: int) -> None:
    if head.epoch != epoch:
        raise HeldError(
            f"run {run_id} was taken over by process {head.pid} on {head.host}; nothing was written",
            holder={"pid": head.pid, "host": head.host, "epoch": head.epoch},
        )


def tail(rows: Sequence[StoredEntry], before: Tail) -> Tail:
    return Tail(rows[-1][0] & LAST_SEQ, rows[-1][-1]) if rows else before


def next_head(head: Head, last: Tail, standing: Standing = (None, None, None)) -> Head:
    """The head that knows of ``last``. A new state replaces exit code and end; without one they are set alone."""
    state, exit_code, ended = standing
    if state is None:
        state = head.state
        exit_code = head.exit_code if exit_code is None else exit_code
        ended = head.ended if ended is None else ended
    ended = None if ended is None else float(ended)
    return Head(
        head.epoch, last.seq, last.chain, state, exit_code, ended, head.pid, head.host, head.boot_id
    )  # fmt: skip


def to_entries(rows: Iterable[StoredEntry]) -> list[Entry]:
    return [
        Entry(
            key & LAST_SEQ, at / 1e6, kind, name, old, state, attempt, None if text is None else decode(text)
        )
        for key, at, kind, name, old, state, attempt, text, _ in rows
    ]


def run_values(row: RunRow, definition: str) -> tuple[Any, ...]:
    """What never changes about a run, as it is stored; ``definition`` is the hash it is kept under."""
    return (
        row.id,
        row.name,
        row.file,
        row.sha256,
        float(row.created),
        encode_any(row.inputs),
        row.format,
        row.version,
        row.parent,
        encode_any(row.options),
        definition,
    )


def first_head(row: RunRow, run_seal: int) -> Head:
    ended = None if row.ended is None else float(row.ended)
    return Head(row.epoch, 0, run_seal, row.state, row.exit_code, ended, row.pid, row.host, row.boot_id)


class Revised(NamedTuple):
    """A row of ``revisions`` but for its run; ``definition`` is the hash it is kept under."""

    seq: int
    sha256: str
    inputs: str
    definition: str


def to_run(values: Sequence[Any], run_seal: int, head: Head, revised: Revised | None = None) -> RunRow:
    """The run that was stored as ``values`` (see ``run_values``) with where it stands, and what it goes on with."""
    run_id = values[0]
    if seal(values) != run_seal:
        raise JournalCorruptError(f"what the journal holds about run {run_id} is not what was written")
    _, name, file, sha256, created, inputs, format_, version, parent, options, _ = values
    if revised is not None:
        sha256, inputs = revised.sha256, revised.inputs
    return RunRow(
        run_id, name, file, sha256, created, head.ended, head.state, head.exit_code, decode(inputs), head.epoch,
        head.pid, head.host, head.boot_id, format_, version, parent, decode(options),
    )  # fmt: skip


def revision_entry(entry: Entry, definition: str) -> Entry:
    """The entry that tells of a revision names its definition: a row that is lost later is missed."""
    return entry._replace(data={**(entry.data or {}), "revision": definition})


def told_of(rows: Iterable[StoredEntry]) -> list[tuple[int, str]]:
    """The revisions that entries tell of: (seq, hash of the definition)."""
    found = []
    for key, _, kind, _, _, _, _, text, _ in rows:
        if kind == "log" and text is not None and '"revision":' in text:
            data = decode(text)
            if isinstance(data.get("revision"), str):
                found.append((key & LAST_SEQ, data["revision"]))
    return found


def request_values(run: int | str, time: float, verb: str, args: str) -> tuple[Any, ...]:
    values = (run, float(time), verb, args)
    return (*values, seal(values))


def to_request(number: int, values: Sequence[Any]) -> Request:
    *sealed, stored = values
    if seal(sealed) != stored:
        raise JournalCorruptError(f"request {number} in the journal is not what was written")
    _, time, verb, args = sealed
    return Request(number, time, verb, decode(args))
