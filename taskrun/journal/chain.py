"""Checksums that tie a run's rows together, so that damage is found and named instead of believed.

Every entry carries the CRC-32 of its own text continued from the entry before it; the first continues from
the run's seal (the checksum of what never changes about the run), and the run's head holds the last one under
a seal of its own. A changed, missing, doubled or moved row breaks the chain at that row. This finds what a
disk or a stray program does; it is no signature: somebody who can write the file can write the sums.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from taskrun.errors import HeldError, JournalCorruptError, JournalError
from taskrun.journal.base import Damage, Entry, Request, RunRow
from taskrun.journal.codec import decode, encode

StoredEntry = tuple[int, float, str, str, str | None, str | None, int, str | None, int]
"""(base + seq, time, kind, name, old_state, state, attempt, data as JSON, chain)"""


Standing = tuple[str | None, int | None, float | None]
"""(state, exit_code, ended)"""


class Head(NamedTuple):
    """Where a run stands: the part of it that changes. ``chain`` is the last entry's, ``seq`` its number."""

    epoch: int
    seq: int
    chain: int
    state: str
    exit_code: int | None
    ended: float | None
    pid: int | None
    host: str
    boot_id: str


def seal(values: Iterable[Any], start: int = 0) -> int:
    """The checksum of a row. Unit separators keep neighbouring columns from flowing into each other."""
    return crc32("\x1f".join(map(str, values)).encode(errors="surrogatepass"), start)


def link(entries: Iterable[Entry], after: int, chain: int, base: int = 0) -> list[StoredEntry]:
    """The rows to store for ``entries``, which follow entry number ``after`` and continue its ``chain``.

    ``base`` is added to each seq. This runs for every entry there is; the time is summed as whole
    microseconds because printing a float costs as much as all the rest.
    """
    rows: list[StoredEntry] = []
    add = rows.append
    for seq, time, kind, name, old, state, attempt, data in entries:
        after += 1
        if seq != after:
            raise JournalError(f"entry {seq} of a run was to be recorded where entry {after} belongs")
        text = None if data is None else encode(data)
        chain = crc32(f"{seq} {int(time * 1e6)} {kind} {name} {old} {state} {attempt} {text}".encode(), chain)
        add((base + seq, time, kind, name, old, state, attempt, text, chain))
    return rows


def broken(rows: Iterable[StoredEntry], after: int, chain: int, base: int = 0) -> int | None:
    """The number of the first entry that does not follow ``after`` and ``chain``, or None if all do."""
    for key, time, kind, name, old, state, attempt, text, stored in rows:
        after += 1
        try:
            line = f"{key - base} {int(time * 1e6)} {kind} {name} {old} {state} {attempt} {text}"
        except (TypeError, ValueError, OverflowError):  # a damaged time need not even be a number
            return after
        chain = crc32(line.encode(), chain)
        if chain != stored or key != base + after:
            return after
    return None


def damage(run_id: str, seq: int | None) -> Damage | None:
    return None if seq is None else Damage(seq, f"entry {seq} of run {run_id} is not what was written")


def refuse_stale(run_id: str, head: Head, epoch: int) -> None:
    if head.epoch != epoch:
        raise HeldError(
            f"run {run_id} was taken over by process {head.pid} on {head.host}; nothing was written",
            holder={"pid": head.pid, "host": head.host, "epoch": head.epoch},
        )


def next_head(
    head: Head, rows: Sequence[StoredEntry], base: int = 0, standing: Standing = (None, None, None)
) -> Head:
    """The head after ``rows``. A new state replaces exit code and end; without one they are set alone."""
    epoch, seq, chain, old_state, old_code, old_ended, pid, host, boot_id = head
    state, exit_code, ended = standing
    if rows:
        seq, chain = rows[-1][0] - base, rows[-1][-1]
    if state is None:
        state = old_state
        exit_code = old_code if exit_code is None else exit_code
        ended = old_ended if ended is None else ended
    ended = None if ended is None else float(ended)
    return Head(epoch, seq, chain, state, exit_code, ended, pid, host, boot_id)


def to_entries(rows: Iterable[StoredEntry], base: int = 0) -> list[Entry]:
    return [
        Entry(key - base, time, kind, name, old, state, attempt, None if text is None else decode(text))
        for key, time, kind, name, old, state, attempt, text, _ in rows
    ]


def run_values(row: RunRow, definition: str) -> tuple[Any, ...]:
    """What never changes about a run, as it is stored; ``definition`` is the hash it is kept under."""
    return (
        row.id,
        row.name,
        row.file,
        row.sha256,
        float(row.created),
        encode(row.inputs),
        row.format,
        row.version,
        row.parent,
        encode(row.options),
        definition,
    )


def first_head(row: RunRow, run_seal: int) -> Head:
    ended = None if row.ended is None else float(row.ended)
    return Head(row.epoch, 0, run_seal, row.state, row.exit_code, ended, row.pid, row.host, row.boot_id)


def to_run(values: Sequence[Any], run_seal: int, head: Head) -> RunRow:
    """The run that was stored as ``values`` (see ``run_values``) with where it stands."""
    run_id = values[0]
    if seal(values) != run_seal:
        raise JournalCorruptError(f"what the journal holds about run {run_id} is not what was written")
    _, name, file, sha256, created, inputs, format_, version, parent, options, _ = values
    return RunRow(
        run_id, name, file, sha256, created, head.ended, head.state, head.exit_code, decode(inputs), head.epoch,
        head.pid, head.host, head.boot_id, format_, version, parent, decode(options),
    )  # fmt: skip


def request_values(run: int | str, time: float, verb: str, args: str) -> tuple[Any, ...]:
    values = (run, float(time), verb, args)
    return (*values, seal(values))


def to_request(number: int, values: Sequence[Any]) -> Request:
    *sealed, stored = values
    if seal(sealed) != stored:
        raise JournalCorruptError(f"request {number} in the journal is not what was written")
    _, time, verb, args = sealed
    return Request(number, time, verb, decode(args))
