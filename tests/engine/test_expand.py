"""A task over a list, before and after the list is known."""

from typing import Any

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.expand import expand, has_fan_out
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine


def definition(**more: Any) -> dict[str, Any]:
    def task(name: str, **keys: Any) -> dict[str, Any]:
        return {"name": name, "flow": 0, "kind": "run", "fields": {}, "revert": {"form": "action"}, **keys}

    tasks = [task("a"), task("push", for_each="inputs.nodes", **{"as": "node"}, **more), task("z")]
    children = [["task", 0], ["task", 1], ["task", 2]]
    root = {"name": "w", "parent": -1, "pattern": "linear", "children": children}
    return {"name": "w", "flows": [root], "tasks": tasks}


def names(flow: Any) -> list[str]:
    return [flow.names[node] for node in flow.tasks]


def test_every_item_is_a_task_of_its_own_in_the_place_of_the_task() -> None:
    expanded = expand(definition(), {"push": ["n1", "n2"]})
    assert [task["name"] for task in expanded["tasks"]] == ["a", "push[0]", "push[1]", "z"]
    assert [task.get("bound", {}).get("node") for task in expanded["tasks"]] == [None, "n1", "n2", None]
    flow = compile_flow(expanded)
    assert [flow.names[node] for node in sorted(flow.tasks)] == ["a", "push[0]", "push[1]", "z"]


def test_a_definition_without_fan_out_is_told_apart() -> None:
    assert has_fan_out(definition())
    assert not has_fan_out(expand(definition(), {"push": []}))


def test_a_list_is_asked_for_when_its_turn_has_come_and_not_before() -> None:
    machine = Machine(compile_flow(expand(definition(), {})))
    first = machine.receive(e.RunRequested(0.0))
    (start,) = first.commands
    second = machine.receive(e.AttemptSucceeded(1.0, start.node, 1))
    assert isinstance(second.commands[-1], c.EvaluateItems)
    assert machine.flow.names[second.commands[-1].node] == "push"


def test_a_list_that_cannot_be_had_fails_the_run() -> None:
    machine = Machine(compile_flow(expand(definition(), {})))
    (start,) = machine.receive(e.RunRequested(0.0)).commands
    ask = machine.receive(e.AttemptSucceeded(1.0, start.node, 1)).commands[-1]
    failure = {"type": "ExpressionError", "message": "no"}
    step = machine.receive(e.ItemsEvaluated(2.0, ask.node, 0, None, failure))
    assert [f"{t.name} {t.state}" for t in step.transitions if t.kind == "flow"] == [
        "w FAILURE",
        "w REVERTING",
    ]


def test_the_run_goes_on_in_the_flow_that_has_the_items() -> None:
    history = []
    machine = Machine(compile_flow(expand(definition(), {})))
    step = machine.receive(e.RunRequested(0.0))
    history += step.transitions
    step = machine.receive(e.AttemptSucceeded(1.0, step.commands[0].node, 1))
    history += step.transitions

    flow = compile_flow(expand(definition(), {"push": ["n1", "n2"]}))
    nodes = {flow.names[n]: n for n in flow.tasks} | {"w": -1}
    machine = Machine.restore(flow, [t._replace(node=nodes[t.name]) for t in history], jobs=2)
    step = machine.receive(e.TimerFired(2.0, 0, -1.0))
    assert [t.name for t in step.transitions] == ["push[0]", "push[1]"]


def play(limit: int, jobs: int, count: int) -> int:
    """The most items that were under way at the same time."""
    flow = compile_flow(expand(definition(max_parallel=limit), {"push": list(range(count))}))
    machine = Machine(flow, jobs=jobs)
    running, most = [], 0
    queue: list[Any] = [e.RunRequested(0.0)]
    while queue:
        step = machine.receive(queue.pop(0))
        running += [command for command in step.commands if isinstance(command, c.StartAttempt)]
        most = max(most, sum(flow.names[each.node].startswith("push") for each in running))
        if not queue and running:
            done = running.pop(0)
            queue.append(e.AttemptSucceeded(1.0, done.node, done.attempt))
    assert machine.over
    return most


def test_no_more_items_run_at_a_time_than_max_parallel_says() -> None:
    assert play(limit=2, jobs=8, count=9) == 2
    assert play(limit=5, jobs=3, count=9) == 3
    assert play(limit=1, jobs=4, count=4) == 1
    assert play(limit=9, jobs=9, count=0) == 0


def test_a_flow_over_a_list_is_one_flow_for_each_item_with_names_of_its_own() -> None:
    inner = {"name": "site", "parent": 0, "pattern": "linear", "children": [["task", 0], ["task", 1]]}
    root = {"name": "w", "parent": -1, "pattern": "linear", "children": [["flow", 1]]}
    task = {"flow": 1, "kind": "run", "fields": {}, "revert": {"form": "none"}}
    given = {
        "name": "w",
        "flows": [root, {**inner, "for_each": "inputs.sites", "as": "site_name"}],
        "tasks": [{**task, "name": "fetch"}, {**task, "name": "each", "for_each": "inputs.parts"}],
    }
    expanded = expand(given, {"site": ["x", "y"], "site[0].each": [1, 2]})
    assert [t["name"] for t in expanded["tasks"]] == [
        "site[0].fetch",
        "site[0].each[0]",
        "site[0].each[1]",
        "site[1].fetch",
    ]
    assert expanded["tasks"][2]["bound"] == {"item": 2, "site_name": "x"}
    assert [t["prefix"] for t in expanded["tasks"]] == ["site[0].", "site[0].", "site[0].", "site[1]."]
    assert [f["name"] for f in expanded["flows"] if f.get("expands")] == ["site[1].each"]
    flow = compile_flow(expanded)
    assert all(flow.sections[i].parent < i for i in range(1, len(flow.sections)))
