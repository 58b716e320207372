"""The machine alone, one job at a time, against flows whose transitions are known event by event."""

from collections import Counter

import pytest

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from tests.cases import CASES, definition


def outcomes(workflow: dict) -> dict[str, dict]:
    found = {}
    for task in workflow["tasks"]:
        found |= outcomes(task) if "tasks" in task else {task["name"]: task}
    return found


def play(workflow: dict, jobs: int = 1) -> tuple[list[str], Machine]:
    """Answer every command at once and in order, as a perfect world would."""
    machine = Machine(compile_flow(definition(workflow)), jobs=jobs)
    specs, done = outcomes(workflow), Counter()
    seen: list[str] = []
    queue: list = [e.RunRequested(0.0)]
    while queue:
        step = machine.receive(queue.pop(0))
        seen += [
            f"{t.kind} {t.name} {t.state}" for t in step.transitions if t.kind in ("flow", "task", "retry")
        ]
        for command in step.commands:
            name = machine.flow.names[command.node]
            match command:
                case c.EvaluateCondition(node, _):
                    queue.append(e.ConditionDecided(0.0, node, False))
                case c.StartAttempt(node, attempt):
                    done[name] += 1
                    good = done[name] > specs[name].get("fails", 0)
                    failure = {"type": "ExitCode", "message": "1"}
                    queue.append(
                        e.AttemptSucceeded(0.0, node, attempt)
                        if good
                        else e.AttemptFailed(0.0, node, attempt, failure)
                    )
                case c.StartRevert(node, attempt):
                    bad = specs[name].get("undo_fails")
                    failure = {"type": "ExitCode", "message": "1"}
                    queue.append(
                        e.RevertFailed(0.0, node, attempt, failure)
                        if bad
                        else e.RevertSucceeded(0.0, node, attempt)
                    )
                case c.StartTimer(node, due):
                    queue.append(e.TimerFired(due, node, due))
    return seen, machine


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_flow_makes_exactly_the_transitions_it_must_make(case: dict) -> None:
    seen, machine = play(case["workflow"])
    assert seen == case["events"]
    assert machine.over
