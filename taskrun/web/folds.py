"""Runs as they were last looked at: a page asks again and again, and each time only what is new is read and folded."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from taskrun.journal.base import RunRow
from taskrun.journal.sqlite import SqliteJournal
from taskrun.web.doors import Doors, Plain
from taskrun.web.safe import Safe
from taskrun.web.shown import Shown

KEPT = 8  # runs, those asked for last


class Fold(NamedTuple):
    """A run up to its last entry."""

    row: RunRow
    definition: Plain
    shown: Shown
    safe: Safe


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.definition: Plain | None = None
        self.shown: Shown | None = None


class Folds:
    """``with folds.of(journal, run_id) as fold:``; nobody else folds that run meanwhile."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    @contextmanager
    def of(self, journal: SqliteJournal, run_id: str) -> Iterator[Fold]:
        row = journal.run(run_id)  # before its entries: of a run that has ended, these are all
        kept = self._find(run_id)
        with kept.lock:
            entries = journal.entries(run_id, after=kept.shown.seq if kept.shown else 0)
            if any("revision" in (entry.data or {}) for entry in entries):
                kept.shown = None  # it goes on with another file
                entries = journal.entries(run_id)
            if kept.shown is None or kept.definition is None:
                kept.definition = journal.definition(run_id)
                kept.shown = Shown(kept.definition)
            kept.shown.fold(entries)
            yield Fold(row, kept.definition, kept.shown, Safe(self._doors, kept.definition))

    def _find(self, run_id: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(run_id, _Kept())
            self._kept.move_to_end(run_id)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return kept
