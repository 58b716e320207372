"""An event costs the same in a run of a thousand tasks as in one of a hundred thousand: counted, not timed."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import Flow, compile_flow
from taskrun.engine.machine import Machine
from tests.engine.building import definition, flow, task

SMALL, MIDDLE, LARGE = 1_000, 20_000, 100_000
WINDOW = 60  # events that are looked at, in the middle of each run
MOST_BYTES = 200  # of one event in a line, at one time

Fails = Callable[[int, int], bool]


def linear(size: int) -> dict[str, Any]:
    return flow("f", *(task(f"t{i}") for i in range(size)))


def unordered(size: int) -> dict[str, Any]:
    return flow("f", *(task(f"t{i}") for i in range(size)), pattern="unordered")


def controllers(size: int) -> dict[str, Any]:
    """Flows of five tasks that fail once each, and wait a long time before they run again."""
    retry = {"attempts": 2, "delay": 1e6}
    flows = (flow(f"f{n}", *(task(f"t{n}_{i}") for i in range(5)), retry=retry) for n in range(size // 5))
    return flow("f", *flows, pattern="unordered")


def skips(size: int) -> dict[str, Any]:
    """Half of the tasks are skipped one by one, each with all that follows: the other half, which is in a line."""
    keys = {"if": "x", "skip": "dependents"}
    heads = flow("g", *(task(f"h{i}", **keys) for i in range(size // 2)), pattern="unordered")
    return flow("f", heads, flow("h", *(task(f"t{i}") for i in range(size // 2))))


def never(_node: int, _attempt: int) -> bool:
    return False


def last_of(compiled: Flow) -> Fails:
    return lambda node, _attempt: node == compiled.tasks[-1]


def once_in_each_flow(compiled: Flow) -> Fails:
    return lambda node, attempt: attempt == 1 and compiled.names[node].endswith("_2")


class Driven:
    """A run in which everything works at once, but for what ``fails``; timers come last."""

    def __init__(self, compiled: Flow, fails: Fails, jobs: int = 4) -> None:
        self.machine = Machine(compiled, jobs=jobs)
        self.fails = fails
        self.queue: list[e.Event] = [e.RunRequested(0.0)]
        self.timers: list[e.Event] = []
        self.done = 0

    def advance(self, events: int) -> None:
        self.done += events
        for _ in range(events):
            if not self.queue:
                self.queue, self.timers = self.timers, []
            self.perform(self.machine.receive(self.queue.pop()).commands)

    def perform(self, commands: list[c.Command]) -> None:
        for command in commands:
            match command:
                case c.StartAttempt(node, attempt) if self.fails(node, attempt):
                    self.queue.append(e.AttemptFailed(0.0, node, attempt, {"type": "x"}))
                case c.StartAttempt(node, attempt):
                    self.queue.append(e.AttemptSucceeded(0.0, node, attempt))
                case c.StartRevert(node, attempt):
                    self.queue.append(e.RevertSucceeded(0.0, node, attempt))
                case c.StartTimer(node, due):
                    self.timers.append(e.TimerFired(due, node, due))
                case c.EvaluateCondition(node, asked):
                    self.queue.append(e.ConditionDecided(0.0, node, False, None, asked))


def operations(action: Callable[[], None]) -> int:
    """Bytecode instructions executed, so that a comprehension over all tasks is seen as well as a loop."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def allocated(action: Callable[[], None]) -> int:
    """The most bytes that were taken at one time: a copy of something large is seen even when it is made in C."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


SHAPES = {  # how large, what the flow is like, what fails, and where in the run to look, in events for each task
    "side by side, forward and backward": (LARGE, unordered, last_of, (0.5, 1.5)),
    "in a line, forward and backward": (MIDDLE, linear, last_of, (0.5, 1.5)),
    "flows that run again, and wait by the thousand": (MIDDLE, controllers, once_in_each_flow, (0.4, 0.9)),
    "skips": (MIDDLE, skips, lambda _compiled: never, (0.3,)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_event_costs_the_same_whatever_the_number_of_tasks(shape: str) -> None:
    large, make, failing, places = SHAPES[shape]
    costs: dict[int, list[tuple[int, int]]] = {}
    for size in (SMALL, large):
        compiled = compile_flow(definition(make(size)))
        driven = Driven(compiled, failing(compiled))
        costs[size] = []
        for place in places:
            driven.advance(int(size * place) - driven.done)
            counted = operations(lambda: driven.advance(WINDOW)), allocated(lambda: driven.advance(WINDOW))
            costs[size].append(counted)
    for (few, little), (many, much) in zip(costs[SMALL], costs[large], strict=True):
        assert many <= few * 1.2, f"{few} and {many} operations"
        assert much <= little * 1.5 + 20_000, f"{little} and {much} bytes"


@pytest.mark.parametrize(("place", "most"), [(0.5, 1_400), (1.5, 1_700)], ids=["forward", "backward"])
def test_an_event_costs_no_more_than_it_did(place: float, most: int) -> None:
    """Absolute, so that the way of an event through the machine cannot grow little by little. Python versions differ
    by a tenth; who makes it longer for a good reason raises the limit.
    """
    compiled = compile_flow(definition(linear(SMALL)))
    driven = Driven(compiled, last_of(compiled))
    driven.advance(int(SMALL * place))
    assert operations(lambda: driven.advance(WINDOW)) / WINDOW <= most
    assert allocated(lambda: driven.advance(WINDOW)) / WINDOW <= MOST_BYTES


def test_memory_grows_with_the_number_of_tasks_and_no_faster() -> None:
    def needed(size: int) -> float:
        compiled = compile_flow(definition(linear(size)))
        return allocated(lambda: Driven(compiled, never).advance(size)) / size

    assert needed(MIDDLE) <= needed(SMALL) * 1.1


def test_a_restore_costs_a_little_for_each_transition_and_each_node() -> None:
    def needed(size: int) -> float:
        compiled = compile_flow(definition(unordered(size)))
        driven = Driven(compiled, never)
        journal = list(driven.machine.receive(e.RunRequested(0.0)).transitions)
        for node in compiled.tasks:
            journal += driven.machine.receive(e.AttemptSucceeded(0.0, node, 1)).transitions
        return operations(lambda: Machine.restore(compiled, journal, jobs=4) and None) / size

    assert needed(2_000) <= needed(200) * 1.1


def test_a_line_of_a_hundred_thousand_is_no_recursion() -> None:
    compiled = compile_flow(definition(linear(LARGE)))
    machine = Machine(compiled)
    machine.receive(e.RunRequested(0.0))
    step = machine.receive(e.CancelRequested(0.0, {"type": "Cancelled"}))
    assert len(step.transitions) == 1
    step = machine.receive(e.AttemptFailed(0.0, compiled.tasks[0], 1, {"type": "x"}))
    assert [t.state for t in step.transitions] == ["FAILURE", "REVERTING", "REVERTING"]
