"""What a disk may hold after the power went, at any moment of a recording; and whether the journal makes the best of it.

What was synced is there. Of what was written since, every sector may be there or not, in any version it had, or in half
of one: writes are dropped, torn, and reach the disk in any order. A file that was made since may be missing, one that was
removed may be there still.
"""

import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from taskrun.errors import JournalCorruptError, TaskrunError
from taskrun.journal.base import Entry
from taskrun.journal.sqlite import SqliteJournal
from tests.power.recording import Acknowledged, Op, Recording, Removed, Synced, Truncated, Wrote

SECTOR = 512
SHARES = (0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0)


class Disk:
    """The files as they were when each was last synced, and what has been done to them since."""

    def __init__(self) -> None:
        self._safe: dict[str, bytearray] = {}
        self._since: dict[str, list[Wrote | Truncated]] = {}
        self._doomed: dict[str, bytearray] = {}  # removed, and perhaps not for good

    def take(self, op: Op) -> None:
        match op:
            case Wrote() | Truncated():
                self._since.setdefault(op.file, []).append(op)
            case Synced(file):
                if file not in self._safe and not file.endswith(".db"):
                    self._doomed.clear()  # SQLite syncs the directory with a file that is new in it
                content = self._safe.setdefault(file, bytearray())
                for each in self._since.pop(file, ()):
                    carry_out(each, content)
            case Removed(file, synced):
                content = self._safe.pop(file, None)
                self._since.pop(file, None)
                if content is not None and not synced:
                    self._doomed[file] = content

    def image(self, chance: random.Random) -> dict[str, bytes]:
        share = chance.choice(SHARES)
        found = {}
        for file in {**self._safe, **self._since}:
            if file not in self._safe and not file.endswith(".db") and chance.random() < 0.3:
                continue  # nobody has synced that there is such a file
            content = bytearray(self._safe.get(file, b""))
            since = list(self._since.get(file, ()))
            if chance.random() < 0.5:
                chance.shuffle(since)
            for each in since:
                carry_out_in_part(each, content, share, chance)
            found[file] = bytes(content)
        for file, content in self._doomed.items():
            if file not in found and chance.random() < 0.5:
                found[file] = bytes(content)
        return found


def carry_out(op: Wrote | Truncated, content: bytearray) -> None:
    if isinstance(op, Truncated):
        del content[op.size :]
    else:
        put(op.at, op.data, content)


def put(at: int, data: bytes, content: bytearray) -> None:
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


def carry_out_in_part(op: Wrote | Truncated, content: bytearray, share: float, chance: random.Random) -> None:
    if isinstance(op, Truncated):
        if chance.random() < share:
            carry_out(op, content)
        return
    for at, data in sectors(op):
        draw = chance.random()
        if draw < share:
            put(at, data, content)
        elif draw < share + 0.02:
            put(at, data[: chance.randrange(len(data))], content)


def sectors(op: Wrote) -> Iterator[tuple[int, bytes]]:
    at, end = op.at, op.at + len(op.data)
    while at < end:
        upto = min(end, (at // SECTOR + 1) * SECTOR)
        yield at, op.data[at - op.at : upto - op.at]
        at = upto


class Verdict(NamedTuple):
    """``lost``: something acknowledged is not there, ``wrong``: what is there was never so; nobody says it. ``told``:
    what the journal says is damaged.
    """

    lost: str = ""
    wrong: str = ""
    told: str = ""


class Judge:
    """Puts images where a journal is looked for, one after the other, and opens them as taskrun does."""

    def __init__(self, entries: Mapping[str, Sequence[Entry]], home: str) -> None:
        self._entries = entries
        self._home = home
        os.makedirs(home, mode=0o700, exist_ok=True)
        with open(f"{home}/reserve", "wb") as file:  # else each of them would make its own
            file.write(b"-")

    def verdict(self, image: Mapping[str, bytes], acknowledged: Mapping[str, Acknowledged]) -> Verdict:
        self._put(image)
        journal = None
        try:
            journal = SqliteJournal.open(self._home)
            return self._look(journal, acknowledged)
        except JournalCorruptError as error:
            return Verdict(told=error.message)
        except TaskrunError as error:
            return Verdict(wrong=f"it cannot be used: {error.message}")
        finally:
            if journal is not None:
                journal.close()

    def _put(self, image: Mapping[str, bytes]) -> None:
        for name in ("journal.db", "journal.db-wal", "journal.db-shm", "journal.db-journal"):
            path = f"{self._home}/{name}"
            if name in image:
                with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                    file.write(image[name])
            elif os.path.exists(path):
                os.unlink(path)

    def _look(self, journal: SqliteJournal, acknowledged: Mapping[str, Acknowledged]) -> Verdict:
        if damage := journal.check():
            return Verdict(told=damage[0])
        there = {row.id: row.state for row in journal.runs()}
        for run, entries in self._entries.items():
            known = acknowledged.get(run)
            if run not in there:
                if known is not None:
                    return Verdict(lost=f"run {run} is forgotten")
                continue
            journal.definition(run)
            found = journal.entries(run)
            if found != list(entries[: len(found)]):
                return Verdict(wrong=f"run {run} has entries that were never written")
            if known is not None and len(found) < known.seq:
                return Verdict(lost=f"run {run} had {known.seq} entries and has {len(found)}")
            if known is not None and len(found) == known.seq and there[run] != known.state:
                return Verdict(wrong=f"run {run} was {known.state} and is {there[run]}")
        return self._go_on(journal, list(there)[:1])

    def _go_on(self, journal: SqliteJournal, runs: Iterable[str]) -> Verdict:
        """Whoever takes a run over must be able to add to it."""
        for run in runs:
            epoch = journal.take_over(run, pid=1, host="h", boot_id="b")
            last = len(journal.entries(run))
            journal.append(run, [self._entries[run][0]._replace(seq=last + 1)], epoch=epoch)
            if len(journal.entries(run)) != last + 1:
                return Verdict(wrong=f"run {run} does not take another entry")
        return Verdict()


class Loss(NamedTuple):
    """Image ``number`` of those made after operation ``op``."""

    op: int
    number: int
    verdict: Verdict


def tried(recording: Recording, home: str, images: int, seed: object) -> Iterator[Loss]:
    """That many power losses, at moments spread over the whole recording."""
    chance = random.Random(str(seed))
    judge = Judge(recording.entries, home)
    moments = [0] * len(recording.ops)
    for _ in range(images):
        moments[chance.randrange(len(moments))] += 1
    disk, acknowledged = Disk(), {}
    for index, op in enumerate(recording.ops):
        if isinstance(op, Acknowledged):
            acknowledged[op.run] = op
        else:
            disk.take(op)
        for number in range(moments[index]):
            own = random.Random(f"{seed} {index} {number}")
            yield Loss(index, number, judge.verdict(disk.image(own), acknowledged))
