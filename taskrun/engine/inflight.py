"""What is in flight: attempts, undos, probes and questions, each in one of the `jobs` places, and waits."""

from collections.abc import Collection, Iterator

from taskrun.engine import commands as c
from taskrun.engine.flow import TASK
from taskrun.engine.record import Record
from taskrun.engine.states import REVERTING

# What holds a place.
DOING, UNDOING, PROBING, DECIDING, LISTING, WAITING = "do", "undo", "probe", "if", "items", "wait"

# While any of these is under way in a flow, its rollback cannot begin.
_FORWARD_WORK = frozenset({DOING, PROBING, DECIDING, LISTING})


class InFlight:
    """``busy`` says what each node in a place does; ``waiting`` when the wait of a node ends."""

    __slots__ = ("_asked", "_record", "busy", "jobs", "waiting")

    def __init__(self, record: Record, jobs: int) -> None:
        self._record = record
        self.jobs = jobs
        self.busy: dict[int, str] = {}
        self.waiting: dict[int, float] = {}
        self._asked: dict[int, int] = {}

    def clear(self) -> None:
        self.busy.clear()
        self.waiting.clear()
        self._asked.clear()

    def is_current(self, node: int, what: str, attempt: int) -> bool:
        """Results may be late or doubled: only the attempt under way is heard."""
        if self.busy.get(node) != what:
            return False
        numbers = self._record.undos if what == UNDOING else self._record.attempt
        return numbers[node] == attempt

    # ------------------------------------------------------------------ questions to the driver

    def ask(self, node: int, what: str) -> int:
        """Take a place for a question; its number tells late answers to earlier ones apart."""
        self.busy[node] = what
        self._asked[node] = self._record.moves
        return self._record.moves

    def is_answer(self, node: int, what: str, asked: int | None) -> bool:
        if self.busy.get(node) != what:
            return False
        numbers = self._record.asked if what == PROBING else self._asked
        return asked is None or asked == numbers[node]

    # ------------------------------------------------------------------ waits

    def wait(self, node: int, due: float) -> None:
        """With one place a task between two attempts keeps it: a serial run's order never depends on time."""
        self.waiting[node] = due
        if self.jobs == 1 and self._record.flow.kinds[node] == TASK:
            self.busy[node] = WAITING

    def end_wait(self, node: int) -> None:
        del self.waiting[node]
        if self.busy.get(node) == WAITING:
            del self.busy[node]

    def drop_waits(self) -> None:
        """The run pauses or fails: what was waiting is looked at again when it goes on."""
        for node in list(self.waiting):
            self.end_wait(node)

    def drop_waits_within(self, lo: int, hi: int) -> None:
        """These nodes are to be undone: no further attempt for them. Undos go on waiting for their next try."""
        states = self._record.state
        for node in self._waiting_within(lo, hi):
            if states[node] != REVERTING:
                self.end_wait(node)

    def _waiting_within(self, lo: int, hi: int) -> list[int]:
        """By the shorter of two ways: thousands of small flows may wait at the same time."""
        if hi - lo < len(self.waiting):
            return [node for node in range(lo, hi + 1) if node in self.waiting]
        return [node for node in self.waiting if lo <= node <= hi]

    def is_drained(self, lo: int, hi: int, but: Collection[int] = ()) -> bool:
        """Does nothing go forward among these nodes any more?"""
        return not any(
            lo <= node <= hi and what in _FORWARD_WORK and node not in but for node, what in self.busy.items()
        )

    # ------------------------------------------------------------------ for a restart

    def commands(self) -> Iterator[c.Command]:
        """What was started and has not ended, in node order; then the waits."""
        record = self._record
        for node in sorted(self.busy):
            what = self.busy[node]
            if what == DOING:
                yield c.StartAttempt(node, record.attempt[node])
            elif what == UNDOING:
                yield c.StartRevert(node, record.undos[node])
            elif what == PROBING:
                yield c.StartProbe(node, record.attempt[node], record.asked[node])
            elif what == DECIDING:
                yield c.EvaluateCondition(node, self._asked[node])
            elif what == LISTING:
                yield c.EvaluateItems(node, self._asked[node])
        for node in sorted(self.waiting):
            yield c.StartTimer(node, self.waiting[node])
