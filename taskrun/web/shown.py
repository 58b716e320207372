"""A run as the page has it: the view of its entries, and of each change the rows it has touched."""

from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.engine.view import NO_UNDO, Row, View
from taskrun.journal.base import Entry, RunRow
from taskrun.listeners.advice import advice
from taskrun.listeners.attempts import Attempts
from taskrun.listeners.verdict import APPROVAL, in_doubt, still_applied, unapproved, verdict
from taskrun.listeners.words import attempt_of, counted, why
from taskrun.web import possible
from taskrun.web.doors import Plain
from taskrun.web.spans import Spans

NAMES = 200  # of the names in one list; the table has them all


class Shown:
    """The fold of a run's entries up to ``seq``."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.view = View(definition)
        self.seq = 0
        self._attempts = Attempts()
        self._spans: dict[str, Spans] = {}

    def fold(self, entries: Sequence[Entry]) -> list[Plain]:
        """Take entries in; the rows they have changed, each once."""
        touched: dict[int, Row] = {}
        known = len(self.view.index)
        before = self.view.changed
        for entry in entries:
            self.view.apply(entry)
            row = self.view.row(entry.kind, entry.name) or self.view.row("task", entry.name)
            if row is not None:
                touched[id(row)] = row
            self._time(entry)
            self.seq = entry.seq
        if len(self.view.index) != known:  # items have joined: the rows they came from have changed too
            touched |= {id(row): row for row in self.view.index.values() if row.changed > before}
        return [self._row(row) for row in touched.values()]

    def rows(self, first: int, most: int) -> list[Plain]:
        """So many of them in file order."""
        return [self._row(row) for row in self.view.rows[first : first + most]]

    def first_rows(self, most: int) -> list[Plain]:
        """Those a page begins with, and those of which it speaks at once."""
        view, begun = self.view, {row.name for row in self.view.rows[:most]}
        names = [
            name
            for names in (view.failed, view.tolerated, view.revert_failed, view.unknown)
            for name in names[:NAMES]
            if name not in begun
        ]
        return [*self.rows(0, most), *(self._row(view.index[name]) for name in dict.fromkeys(names))]

    def _time(self, entry: Entry) -> None:
        ended, begun = self._attempts.take(entry)
        if ended is not None:
            self._spans[ended.task].end(ended)
        if begun is not None:
            self._spans.setdefault(begun.task, Spans()).begin(begun)

    def _row(self, row: Row) -> Plain:
        spans = self._spans.get(row.name, _NONE) if row.kind == "task" else _NONE
        found: Plain = {
            "name": row.name,
            "kind": row.kind,
            "flow": row.flow,
            "depth": row.depth,
            "order": [row.order, row.item],
            "action": row.action,
            "state": row.state,
            "nth": attempt_of(row),
            "revert": row.revert,
            "do": spans.do,
            "undo": spans.undo,
        }
        found |= {key: value for key, value in _about(row).items() if value not in (None, "", 0, False)}
        return found

    def run(self, row: RunRow, standing: str, *, driven: bool) -> Plain:
        view = self.view
        return {
            "id": row.id,
            "name": view.name,
            "file": row.file,
            "version": row.version,
            "state": standing,
            "driven": driven,
            "rolling": view.rolling,
            "created": row.created,
            "started": view.started,
            "ended": row.ended if row.ended is not None else view.ended,
            "exit_code": row.exit_code,
            "seq": self.seq,
            "headline": headline(view, standing),
            "tally": tally(view),
            "counts": view.counts,
            "total": sum(view.counts.values()),
            "reason": why(view.failure),
            "failed": (view.failed + view.tolerated)[:NAMES],
            "not_undone": view.revert_failed[:NAMES],
            "unknown": view.unknown[:NAMES],
            "residue": [each.message for each in view.residue],
            "warnings": [f"{each.name}: {each.message}" for each in view.warnings[-NAMES:]],
            "advice": [[f"taskrun {each.command}", each.purpose] for each in advice(view, row.id)]
            if not driven
            else [],
            "acts": possible.acts(view, standing, driven=driven),
        }


_NONE = Spans()


def _about(row: Row) -> Plain:
    """What most rows have nothing of."""
    return {
        "failure": why(row.failure),
        "undo_failure": why(row.revert_failure),
        "given_up": row.given_up,
        "reason": row.reason if row.revert == "impossible" else None,
        "question": question(row),
        "message": row.message,
        "progress": row.progress,
        "custom": row.custom,
        "due": row.due,
        "allowed": row.allowed,
        "outputs": len(row.outputs or ()),
        "items": len(row.items or ()),
    }


def headline(view: View, standing: str) -> str:
    """The outcome in a sentence, or how far it is."""
    if standing == "SUCCESS":
        allowed = f", {len(view.tolerated):,} allowed to fail" if view.tolerated else ""
        return f"Everything is done{allowed}."
    if standing == "INTERRUPTED" or standing in ("FAILURE", "REVERTED", "SUSPENDED"):
        if standing == "FAILURE" and not view.rolling:
            return "A task has failed; what runs still ends, then the rollback begins."
        if standing != "INTERRUPTED":
            return _ended(view)
        return "The process that drove it is gone. Nothing is lost: the journal knows what was done."
    if view.rolling:
        return f"Rolling back: {view.reverted:,} of {view.to_revert:,} undone."
    counts = view.counts
    over = sum(counts.get(state, 0) for state in ("SUCCESS", "IGNORE"))
    running = counts.get("RUNNING", 0)
    words = f", {running:,} running" if running else ""
    return f"{over:,} of {counted(sum(counts.values()), 'task')} done{words}."


def _ended(view: View) -> str:
    """The verdict; its numbers are in the tally."""
    if view.state == "SUSPENDED":
        return "Nothing runs now: an approval is waited for." if unapproved(view) else "Nothing runs now."
    text = verdict(view)
    if view.applied or view.unknown or view.revert_failed:
        text = text.partition(":")[0]
    return f"{text[:1].upper()}{text[1:]}."


def question(row: Row) -> str | None:
    failure = row.failure or {}
    is_asked = row.state == "UNKNOWN" and failure.get("type") == APPROVAL
    return str(failure.get("message") or "") if is_asked else None


def tally(view: View) -> str:
    """What is left in the world, in numbers."""
    undone = sum(view.index[name].revert not in NO_UNDO for name in view.undone)
    waiting = f", {len(unapproved(view)):,} waiting for an approval" if unapproved(view) else ""
    stuck = f", {len(view.revert_failed):,} could not be undone" if view.revert_failed else ""
    return f"{undone:,} undone, {len(still_applied(view)):,} still applied, {len(in_doubt(view)):,} unknown{waiting}{stuck}"
