"""Writes down what is decided, as the journal's entries, and tells those who want to hear of it once it is durable."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskrun import debugging
from taskrun.drivers.clock import Clock
from taskrun.drivers.hiding import MASK, Hide, hide_nothing
from taskrun.drivers.limits import Limits
from taskrun.drivers.recall import to_entry
from taskrun.drivers.values import Values
from taskrun.engine.record import Transition
from taskrun.engine.states import RUNNING
from taskrun.errors import ExpressionError
from taskrun.journal.base import Entry, Journal
from taskrun.listeners.base import Listeners
from taskrun.spec.expressions import render


class Recorder:
    """Gathers entries until ``commit`` makes them durable, all in one transaction."""

    def __init__(
        self,
        journal: Journal,
        listeners: Listeners,
        values: Values,
        limits: Limits,
        clock: Clock,
        *,
        run_id: str,
        epoch: int,
        seq: int,
        hide: Hide,
    ) -> None:
        self.waiting: list[Entry] = []
        self._untold: list[Entry] = []
        self._journal = journal
        self._listeners = listeners
        self._values = values
        self._limits = limits
        self._clock = clock
        self._run_id = run_id
        self._epoch = epoch
        self._seq = seq
        self._hide = hide
        self._watchers: list[Callable[[Sequence[Entry]], None]] = []

    def after_commit(self, call: Callable[[Sequence[Entry]], None]) -> None:
        self._watchers.append(call)

    def take(self, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            self._seq += 1
            entry = self._entry(transition)
            self.waiting.append(entry)
            if entry.data is not None and self._hide is not hide_nothing:
                self._warn_of_masks(transition, entry.data)

    def record(self, kind: str, name: str, data: dict[str, Any]) -> Entry:
        """Something that is no transition: a log line, a warning, progress."""
        self._seq += 1
        entry = Entry(self._seq, self._clock.now(), kind, name, None, None, 0, self._hide(data))
        self.waiting.append(entry)
        return entry

    @property
    def run_state(self) -> str | None:
        """The state of the run that is to be made durable, if it has got another one."""
        return next((entry.state for entry in reversed(self.waiting) if entry.kind == "flow"), None)

    def commit(self, exit_code: int | None, *, is_end: bool) -> None:
        state, entries, self.waiting = self.run_state, self.waiting, []
        ended = entries[-1].time if is_end else None
        self._journal.append(
            self._run_id, entries, epoch=self._epoch, state=state, exit_code=exit_code, ended=ended
        )
        if debugging.listeners:
            for entry in entries:
                moved = f"{entry.old_state} -> {entry.state}" if entry.state else ""
                debugging.say(
                    "commit", f"{entry.seq} {entry.kind} {entry.name} {moved} {entry.data or ''}".rstrip()
                )
        self._untold += entries
        for call in self._watchers:
            call(entries)

    def tell(self) -> None:
        """Show what is durable. It may wait until the next processes are on their way: they need not wait for it."""
        if self._untold:
            entries, self._untold = self._untold, []
            self._listeners.entries(entries)

    def _entry(self, transition: Transition) -> Entry:
        entry = to_entry(transition, self._seq)
        if transition.kind == "task":
            if transition.state == RUNNING:
                self._limits.began(transition.node, transition.at)
                if "inputs" in self._values.spec(transition.node):
                    entry = self._with_inputs(entry, transition.node)
            elif transition.state == "PENDING":
                self._limits.forgotten(transition.node)
        if entry.data is not None:
            entry = entry._replace(data=self._hide(entry.data))
        self._values.take(entry)
        return entry

    def _with_inputs(self, entry: Entry, node: int) -> Entry:
        """Evaluated once, when the task starts, and durable before anything is done with them."""
        if entry.name in self._values.inputs_of:
            return entry
        try:
            inputs = render(self._values.spec(node)["inputs"], self._values.scope(node))
        except ExpressionError:
            return entry  # preparing the attempt meets the same error, and there it becomes its failure
        return entry._replace(data={**(entry.data or {}), "inputs": inputs})

    def _warn_of_masks(self, transition: Transition, kept: Mapping[str, Any]) -> None:
        """What uses a masked output gets the mask: better said than found out."""
        masked = [key for key, value in kept.get("outputs", {}).items() if MASK in str(value)]
        if masked:
            self._seq += 1
            about = f"a secret is in its output {', '.join(masked)}: only the mask is kept and used"
            self.waiting.append(
                Entry(self._seq, transition.at, "warning", transition.name, None, None, 0, {"message": about})
            )
