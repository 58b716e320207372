"""The time comes from outside, and the next process may have another: no wait grows by that."""

import pytest

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from tests.engine.building import definition, flow, task

FAILED = {"type": "ExitCode", "message": "exit code 1"}
DELAY = 10.0


def waiting(machine: Machine) -> list[float]:
    return [command.due for command in machine.pending() if isinstance(command, c.StartTimer)]


def after_a_failure(at: float) -> tuple:
    """A task waits for its second attempt when its process dies."""
    graph = compile_flow(definition(flow("f", task("a", retry={"attempts": 2, "delay": DELAY}))))
    machine = Machine(graph)
    journal = [*machine.receive(e.RunRequested(at)).transitions]
    journal += machine.receive(e.AttemptFailed(at, graph.tasks[0], 1, FAILED)).transitions
    assert waiting(machine) == [at + DELAY]
    return graph, journal


@pytest.mark.parametrize(
    ("later", "due"),
    [
        (1003.0, 1010.0),  # as it was
        (5.0, 15.0),  # set back: the whole wait once more, and no longer
    ],
)
def test_a_wait_ends_when_it_was_to_end_or_is_waited_once_more(later: float, due: float) -> None:
    graph, journal = after_a_failure(1000.0)
    machine = Machine.restore(graph, journal)
    step = machine.receive(e.ResumeRequested(later))
    assert waiting(machine) == [due]
    again = Machine.restore(graph, [*journal, *step.transitions])
    assert waiting(again) == [due]
    node = graph.tasks[0]
    assert [t.state for t in again.receive(e.TimerFired(due, node, due)).transitions] == ["RUNNING"]


def test_a_clock_set_forward_only_ends_the_wait() -> None:
    graph, journal = after_a_failure(1000.0)
    machine = Machine.restore(graph, journal)
    step = machine.receive(e.ResumeRequested(9999.0))
    assert [t.state for t in step.transitions] == ["RESUMING", "RUNNING", "RUNNING"]
