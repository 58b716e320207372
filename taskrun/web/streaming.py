"""Server-sent events. Of a run the id of each is the journal's sequence: whoever comes back with the last one misses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from json import dumps

from taskrun.errors import NotFoundError
from taskrun.journal.base import Entry, RunRow
from taskrun.journal.codec import event_dict
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.runs import standing as standing_of
from taskrun.web.doors import Doors, Plain
from taskrun.web.listing import is_held, runs
from taskrun.web.reading import Reading
from taskrun.web.safe import Safe
from taskrun.web.shown import Shown

LOOK_EVERY = 0.1  # seconds between two looks at the journal's counter
HELD_EVERY = 1.0
ALIVE_EVERY = 15.0
LIST_PAUSE = 0.4  # between two looks at the whole list
AT_ONCE = 1000  # entries in one event
RETRY = "retry: 1000\n\n"  # milliseconds until a browser that was cut off comes back
Stopping = Callable[[], bool]
Standing = tuple[str, bool, object]  # its state as it is said, whether it is driven, how it ended


def event(data: Plain, *, number: int | None = None, kind: str = "") -> str:
    head = f"id: {number}\n" if number is not None else ""
    head += f"event: {kind}\n" if kind else ""
    return f"{head}data: {dumps(data, separators=(',', ':'))}\n\n"


class Change:
    """Tells when it is worth looking again: something was committed, or it is time to see who still drives."""

    def __init__(self, reading: Reading, stopping: Stopping) -> None:
        self._reading = reading
        self._stopping = stopping
        self._counter: int | None = None
        self._looked = self._said = time.monotonic()

    async def wait(self) -> str:
        """``committed``, ``held`` (see whether it is), ``alive`` (say that we are) or ``stop``."""
        while not self._stopping():
            now, counter = time.monotonic(), self._reading.counter()
            if counter != self._counter:
                self._counter = counter
                self._looked = self._said = now
                return "committed"
            if now - self._looked >= HELD_EVERY:
                self._looked = now
                return "held"
            if now - self._said >= ALIVE_EVERY:
                self._said = now
                return "alive"
            await asyncio.sleep(LOOK_EVERY)
        return "stop"


async def list_events(reading: Reading, doors: Doors, stopping: Stopping) -> AsyncIterator[str]:
    """All runs at first, then those that have changed, and the ids of those that are gone."""
    sent: dict[str, Plain] = {}
    change = Change(reading, stopping)
    yield RETRY
    while (what := await change.wait()) != "stop":
        if what == "alive":
            yield ": alive\n\n"
            continue
        now = {row["id"]: row for row in await reading(lambda journal: runs(journal, doors.home))}
        changed = [row for name, row in now.items() if sent.get(name) != row]
        gone = [name for name in sent if name not in now]
        if changed or gone or not sent:
            yield event({"runs": changed, "gone": gone, "whole": not sent})
        sent = now
        await asyncio.sleep(LIST_PAUSE)


class Told:
    """What one page knows of a run, and what it has to be told."""

    def __init__(self, doors: Doors, run_id: str, seq: int) -> None:
        self._doors = doors
        self._run_id = run_id
        self._seq = seq  # what it knows already is folded and not told
        self._shown: Shown | None = None
        self._safe: Safe | None = None
        self._standing: Standing | None = None

    def look(self, journal: SqliteJournal) -> str | None:
        """The next event, None if there is nothing new.

        One at a time: a run that records faster than it is folded would otherwise be told of when it is over.
        """
        row = journal.run(self._run_id)
        standing = self._stands(row)  # once: what is told and what is remembered of it are the same
        if self._shown is None:
            definition = journal.definition(self._run_id)
            self._shown, self._safe = Shown(definition), Safe(self._doors, definition)
            self._shown.fold(journal.entries(self._run_id, limit=self._seq) if self._seq else [])
        entries = journal.entries(self._run_id, after=self._shown.seq, limit=AT_ONCE)
        if any("revision" in (entry.data or {}) for entry in entries):
            self._shown, self._seq = None, entries[-1].seq
            return event({"reload": True})  # another file from here on: nothing known of its tasks holds
        if not entries and standing == self._standing:
            return None
        self._standing = standing
        return self._event(journal, row, standing, self._shown.fold(entries), entries)

    def _stands(self, row: RunRow) -> Standing:
        held = is_held(self._doors.home, row.id)
        return standing_of(row, lambda _run_id: held), held, (row.exit_code, row.ended)

    def _event(
        self, journal: SqliteJournal, row: RunRow, standing: Standing, rows: list[Plain], entries: list[Entry]
    ) -> str:
        assert self._shown is not None
        assert self._safe is not None
        state, driven, _ = standing
        data = {
            "run": self._shown.run(row, state, driven=driven),
            "rows": rows,
            "continued": [[each.verb, each.time] for each in journal.continuations([row.id])],
            "events": [event_dict(row.id, entry) for entry in entries],
        }
        return event(self._safe(data), number=self._shown.seq)


async def run_events(
    reading: Reading, doors: Doors, run_id: str, seq: int, stopping: Stopping
) -> AsyncIterator[str]:
    told = Told(doors, run_id, seq)
    change = Change(reading, stopping)
    yield RETRY
    while (what := await change.wait()) != "stop":
        if what == "alive":
            yield ": alive\n\n"
            continue
        try:
            while not stopping() and (text := await reading(told.look)) is not None:
                yield text
        except NotFoundError:
            yield event({"gone": True})
            return
