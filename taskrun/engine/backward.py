"""Which undo may go next: the reverse of the order in which things started, as far as dependencies reach.

A node may be undone when everything that came to depend on it is clear. What never ran, was ignored or had no effect is
passed through, so an ignored task between two others does not hide that one depends on the other.
"""

import heapq

from taskrun.engine.flow import BEGIN, TASK, Flow
from taskrun.engine.inflight import InFlight
from taskrun.engine.record import AGAIN, Record
from taskrun.engine.states import RETRYING, REVERTING, RUNNING, SUCCESS, UNKNOWN

PASS, UNDO, HOLD = 0, 1, 2


class Backward:
    """``_remaining`` counts the successors of a node that are not clear; the latest start is undone first."""

    __slots__ = ("_flow", "_inflight", "_ready", "_record", "_remaining", "reached")

    def __init__(self, flow: Flow, record: Record, inflight: InFlight) -> None:
        self._flow = flow
        self._record = record
        self._inflight = inflight
        self.reset()

    def reset(self) -> None:
        self._remaining: list[int] = []
        self._ready: list[tuple[int, int]] = []  # a heap of (-start number, node)
        self.reached: list[int] = []  # sections that are clear down to their beginning

    @property
    def is_empty(self) -> bool:
        return not self._ready

    def begin(self, section: int) -> None:
        """Start undoing a section: O(its size), once for each rollback."""
        if not self._remaining:
            self._remaining = [0] * len(self._flow)
        _, _, lo, hi, _ = self._flow.sections[section]
        successors, remaining = self._flow.successors, self._remaining
        for node in range(lo, hi):
            remaining[node] = len(successors[node])
        self.forget(lo, hi)
        self.clear(hi)

    def forget(self, lo: int, hi: int) -> None:
        """Drop what was ready or reached inside this range: a larger rollback takes it over."""
        if self.reached:
            sections = self._flow.sections
            self.reached = [each for each in self.reached if not lo <= sections[each].begin <= hi]
        if self._ready:
            self._ready = [item for item in self._ready if not lo <= item[1] <= hi]
            heapq.heapify(self._ready)

    def push(self, node: int) -> None:
        heapq.heappush(self._ready, (-self._record.order[node], node))

    def pop(self) -> int:
        return heapq.heappop(self._ready)[1]

    def clear(self, node: int) -> None:
        """``node`` holds nothing back any more; see what that frees."""
        predecessors, remaining, scopes = self._flow.predecessors, self._remaining, self._record.scopes
        stack = [node]
        while stack:
            for before in predecessors[stack.pop()]:
                remaining[before] -= 1
                if remaining[before]:
                    continue
                if self._flow.kinds[before] == BEGIN and self._flow.section[before] in scopes:
                    self.reached.append(self._flow.section[before])
                    continue
                verdict = self.classify(before)
                if verdict == PASS:
                    stack.append(before)
                elif verdict == UNDO:
                    self.push(before)

    def classify(self, node: int) -> int:
        """Pass a node, undo it, or hold what is behind it."""
        record = self._record
        state = record.state[node]
        if state == REVERTING:  # under way, or between two tries
            return HOLD if node in self._inflight.busy or node in self._inflight.waiting else UNDO
        if record.order[node] <= record.floor:
            return PASS
        if self._flow.kinds[node] != TASK:
            return UNDO if state in (SUCCESS, RETRYING) else PASS
        return self._classify_task(node)

    def _classify_task(self, node: int) -> int:
        record = self._record
        state = record.state[node]
        if state == RUNNING or self._is_open(node):
            return HOLD
        if state == RETRYING:
            return UNDO  # if only in name: nobody is to see it between two attempts any more
        if not record.is_applied(node) or record.is_given_up(node):
            return PASS
        return UNDO if record.only is None or node in record.only else HOLD

    def first_unknown(self, lo: int, hi: int) -> int | None:
        """The first of these nodes whose outcome only a person knows: its flow could never be undone."""
        states, busy = self._record.state, self._inflight.busy
        unknown = (n for n in range(lo, hi) if states[n] == UNKNOWN and n not in busy)
        return next((n for n in unknown if self._is_open(n)), None)

    def _is_open(self, node: int) -> bool:
        """Does a person have to look at it first?"""
        record, state = self._record, self._record.state[node]
        if state == UNKNOWN:
            return self._flow.on_lost[node] == "ask" and record.probes.get(node) != AGAIN
        return node in record.stuck and not record.is_given_up(node)
