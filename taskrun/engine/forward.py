"""What may start next: each node counts its predecessors that are not done; those with none left are ready."""

import heapq

from taskrun.engine.flow import END, ROOT, TASK, Flow
from taskrun.engine.inflight import InFlight
from taskrun.engine.record import Record
from taskrun.engine.states import FAILURE, IGNORE, PENDING, RETRYING, SUCCESS, UNKNOWN


class Forward:
    """The smallest ready node is the first in file order. ``complete``: the end of the root flow was reached."""

    __slots__ = ("_flow", "_held", "_inflight", "_missing", "_ready", "_record", "_walked", "complete")

    def __init__(self, flow: Flow, record: Record, inflight: InFlight) -> None:
        self._flow = flow
        self._record = record
        self._inflight = inflight
        self.reset()

    def reset(self) -> None:
        self._missing = [len(before) for before in self._flow.predecessors]
        self._ready: list[int] = []
        self._held: dict[int, list[int]] = {}
        self._walked: dict[int, int] = {}
        self.complete = False

    @property
    def is_empty(self) -> bool:
        return not self._ready and not self._held

    def begin(self) -> None:
        """Go through the flow from its beginning, past all that is done."""
        if self._passes(self._flow.sections[ROOT].begin):
            self.done(self._flow.sections[ROOT].begin)

    def done(self, node: int) -> None:
        """``node`` is done for what comes after it: count down, and collect what becomes ready."""
        successors, missing = self._flow.successors, self._missing
        stack = [node]
        while stack:
            for after in successors[stack.pop()]:
                missing[after] -= 1
                if not missing[after] and self._passes(after):
                    stack.append(after)

    def push(self, node: int) -> None:
        heapq.heappush(self._ready, node)

    def pop(self) -> int | None:
        """The first that may start. What was stopped or has moved since it became ready is dropped."""
        if self._held:
            self._let_go()
        while self._ready:
            node = heapq.heappop(self._ready)
            section = self._flow.section[node]
            if not self._may_start(node):
                if section in self._held:
                    self._let_go()  # it took no room after all: the next one may try
            elif section not in self._flow.limits or self._has_room(section):
                return node
            else:
                heapq.heappush(self._held.setdefault(section, []), node)
        return None

    def _has_room(self, section: int) -> bool:
        sections, busy = self._flow.section, self._inflight.busy
        return sum(sections[node] == section for node in busy) < self._flow.limits[section]

    def _let_go(self) -> None:
        """Of what a limit of its flow held back, the first may try again wherever a place has become free."""
        for section in sorted(self._held):
            if self._has_room(section):
                heapq.heappush(self._ready, heapq.heappop(self._held[section]))
                if not self._held[section]:
                    del self._held[section]

    def recount(self, begin: int, end: int) -> None:
        """These nodes, after a controller, are to run again."""
        predecessors, missing = self._flow.predecessors, self._missing
        for node in range(begin + 1, end + 1):
            missing[node] = len(predecessors[node])
            self._walked.pop(node, None)

    def _passes(self, node: int) -> bool:
        """Is this node, just reached, done at once? If it is to be started it becomes ready."""
        state, kind = self._record.state[node], self._flow.kinds[node]
        if kind == TASK:
            if state == PENDING:
                heapq.heappush(self._ready, node)
                return False
            return state in (IGNORE, SUCCESS) or (state == FAILURE and bool(self._flow.tolerated[node]))
        if kind == END:
            self.complete = self.complete or self._flow.section[node] == ROOT
            return True
        if self._is_undecided(node):
            heapq.heappush(self._ready, node)
            return False
        # A controller between two rounds, or one with nothing to try, lets nobody pass.
        return self._flow.controller(node) is None or state in (SUCCESS, IGNORE)

    def _is_undecided(self, begin: int) -> bool:
        """Is a controller to begin, or a condition to be asked, before this flow's tasks may start?"""
        if self._flow.controller(begin) is not None:
            return self._record.state[begin] == PENDING
        if begin in self._record.stale:
            return True
        asks = self._flow.expands[begin] or self._flow.conditional[begin]
        return bool(asks) and begin not in self._record.decided

    def _may_start(self, node: int) -> bool:
        inflight, record = self._inflight, self._record
        if self._missing[node] or node in inflight.busy or node in inflight.waiting:
            return False
        if record.scopes and record.is_stopped(self._flow.section[node]):
            return False
        if self._flow.kinds[node] == TASK:
            return record.state[node] in (PENDING, RETRYING, UNKNOWN)
        return self._is_undecided(node)

    # ------------------------------------------------------------------ skips

    def dependents(self, start: int, limit: int) -> list[int]:
        """All that depends on ``start``, near and far, but not past the node ``limit``; in file order.

        What an earlier walk at least as wide has seen is passed over: its dependents have been skipped already.
        """
        successors, walked = self._flow.successors, self._walked
        found: list[int] = []
        stack = [start]
        while stack:
            for after in successors[stack.pop()]:
                if after != limit and walked.get(after, -1) < limit:
                    walked[after] = limit
                    found.append(after)
                    stack.append(after)
        return sorted(found)
