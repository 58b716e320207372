"""Which undo may go next: the reverse of the order in which things started, as far as dependencies reach.

A node may be undone when everything that came to depend on it is clear. What never ran, was ignored or had no effect is
passed through, so an ignored task between two others does not hide that one depends on the other.
"""

import heapq
from collections.abc import Callable

from taskrun.engine.flow import BEGIN, Flow
from taskrun.engine.record import Record

PASS, UNDO, HOLD = 0, 1, 2


class Backward:
    """``ready`` is a heap of (-start order, node). ``remaining`` counts the successors of a node that are not clear."""

    __slots__ = ("_classify", "_flow", "_record", "_remaining", "reached", "ready")

    def __init__(self, flow: Flow, record: Record, classify: Callable[[int], int]) -> None:
        self._flow = flow
        self._record = record
        self._classify = classify
        self._remaining: list[int] = []
        self.ready: list[tuple[int, int]] = []
        self.reached: list[int] = []  # sections that are clear down to their beginning

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
        """Drop what was ready inside this range: a larger rollback takes it over."""
        if self.ready:
            self.ready = [item for item in self.ready if not lo <= item[1] <= hi]
            heapq.heapify(self.ready)

    def push(self, node: int) -> None:
        heapq.heappush(self.ready, (-self._record.order[node], node))

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
                verdict = self._classify(before)
                if verdict == PASS:
                    stack.append(before)
                elif verdict == UNDO:
                    self.push(before)
