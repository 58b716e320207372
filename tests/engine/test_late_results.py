"""Results come late, twice, and out of order; whatever speaks of something that is over changes nothing."""

import pytest

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from tests.engine.building import Spec, definition, flow, task
from tests.engine.telling import FAILURE, Told

A = 1  # the node of task a, which is the first in each of these flows
PROBED: Spec = {"probe": {}, "on_lost": "rerun"}


def results(attempt: int) -> list[e.Event]:
    """All that can be said of one attempt of `a`, and of one undo of it."""
    return [
        e.AttemptSucceeded(0.0, A, attempt),
        e.AttemptSucceeded(0.0, A, attempt, already=True),
        e.AttemptFailed(0.0, A, attempt, FAILURE),
        e.AttemptFailed(0.0, A, attempt, FAILURE, started=False),
        e.AttemptLost(0.0, A, attempt),
        e.ProbeAnswered(0.0, A, attempt, done=True),
        e.ProbeAnswered(0.0, A, attempt, done=False),
        e.ProbeAnswered(0.0, A, attempt, done=None),
        e.RevertSucceeded(0.0, A, attempt),
        e.RevertFailed(0.0, A, attempt, FAILURE),
        e.RevertFailed(0.0, A, attempt, FAILURE, final=True),
        e.RevertLost(0.0, A, attempt),
        e.TimerFired(99.0, A, 99.0),
        e.ConditionDecided(0.0, A, holds=True),
        e.ItemsEvaluated(0.0, A, 2),
    ]


def over(said: set[type], attempt: int) -> list[e.Event]:
    """The results that speak of nothing under way when what `said` names is."""
    return [event for event in results(attempt) if type(event) not in said]


DOING = {e.AttemptSucceeded, e.AttemptFailed, e.AttemptLost}
UNDOING = {e.RevertSucceeded, e.RevertFailed, e.RevertLost}

MOMENTS = {  # what happened so far, and of what a result would now be wanted
    "before it starts": ([], set()),
    "while it runs": (["start"], DOING),
    "when it has succeeded": (["start", "a ok"], set()),
    "when it was there before": (["start", "a was there"], set()),
    "while its probe is asked": (["start", "a is lost"], {e.ProbeAnswered}),
    "while it is undone": (["start", "a ok", "b fails", "undo b ok"], UNDOING),
    "when it is undone": (["start", "a ok", "b fails", "undo b ok", "undo a ok"], set()),
    "when its undo has failed": (["start", "a ok", "b fails", "undo b ok", "undo a fails for good"], set()),
    "while the rollback has not come to it": (["start", "a ok", "b fails"], set()),
    "while the run is cancelled": (["start", "cancel"], DOING),
    "when it is suspended": (["start", "suspend", "a ok"], set()),
    "when the run is over": (["start", "a ok", "b ok"], set()),
}


def at(moment: list[str]) -> Machine:
    told = Told(Machine(compile_flow(definition(flow("f", task("a", **PROBED), task("b"))))))
    for what in moment:
        told.receive(what)
    return told.machine


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_result_of_what_is_not_under_way_changes_nothing(moment: str) -> None:
    so_far, said = MOMENTS[moment]
    machine = at(so_far)
    for event in over(said, 1):
        assert machine.receive(event) == ([], []), event


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_result_of_another_attempt_changes_nothing(moment: str) -> None:
    machine = at(MOMENTS[moment][0])
    for event in results(0) + results(2):
        assert machine.receive(event) == ([], []), event


def test_a_result_of_an_earlier_round_is_not_taken_for_one_of_this() -> None:
    told = Told(Machine(compile_flow(definition(flow("f", task("a"), retry={"attempts": 2})))))
    for what in ("start", "a fails", "undo a ok"):
        told.receive(what)
    for event in results(1):
        assert told.machine.receive(event) == ([], []), event
    assert told.pending() == "do a 2"


def test_a_timer_of_an_earlier_wait_does_not_end_this_one() -> None:
    retry = {"attempts": 3, "delay": 5.0}
    told = Told(Machine(compile_flow(definition(flow("f", task("a", retry=retry))))))
    for what in ("start", "a fails", "timer a", "a fails after 1s"):
        told.receive(what)
    assert told.machine.receive(e.TimerFired(11.0, A, 5.0)) == ([], [])
    assert told.machine.pending() == (c.StartTimer(A, 11.0),)


def test_a_timer_that_fires_twice_starts_one_attempt() -> None:
    retry = {"attempts": 3, "delay": 5.0}
    told = Told(Machine(compile_flow(definition(flow("f", task("a", retry=retry))))))
    for what in ("start", "a fails", "timer a"):
        told.receive(what)
    assert told.machine.receive(e.TimerFired(5.0, A, 5.0)) == ([], [])


def test_a_run_is_started_once() -> None:
    machine = at(["start"])
    assert machine.receive(e.RunRequested(0.0)) == ([], [])
