"""The compiled graph: numbers in file order, edges, what a task's keys become."""

import pytest

from taskrun.engine.flow import (
    BEGIN,
    END,
    TASK,
    UNDO_IMPOSSIBLE,
    UNDO_NOTHING,
    UNDO_RUNS,
    Flow,
    compile_flow,
)
from tests.engine.building import Spec, definition, flow, savepoint, task


def compiled(root: Spec) -> Flow:
    return compile_flow(definition(root))


def edges(found: Flow) -> set[tuple[str, str]]:
    """By name; the beginning of a flow is `f(`, its end `f)`."""
    marks = {TASK: "", BEGIN: "(", END: ")"}
    words = [found.names[n] + marks[found.kinds[n]] for n in range(len(found))]
    return {(words[a], words[b]) for a in range(len(found)) for b in found.successors[a]}


def test_nodes_are_numbered_in_file_order_depth_first() -> None:
    found = compiled(flow("f", task("a"), flow("g", task("b"), flow("h")), task("c")))
    assert found.names == ["f", "a", "g", "b", "h", "h", "g", "c", "f"]
    assert list(found.kinds) == [BEGIN, TASK, BEGIN, TASK, BEGIN, END, END, TASK, END]
    assert found.tasks == [1, 3, 7]
    assert [found.task_of[n] for n in found.tasks] == [0, 1, 2]
    assert [(s.begin, s.end, s.parent) for s in found.sections] == [(0, 8, -1), (2, 6, 0), (4, 5, 1)]


def test_in_a_line_each_waits_for_the_one_above() -> None:
    found = compiled(flow("f", task("a"), flow("g", task("b")), task("c")))
    assert edges(found) == {("f(", "a"), ("a", "g("), ("g(", "b"), ("b", "g)"), ("g)", "c"), ("c", "f)")}


def test_without_an_order_none_waits() -> None:
    found = compiled(flow("f", task("a"), task("b"), pattern="unordered"))
    assert edges(found) == {("f(", "a"), ("f(", "b"), ("a", "f)"), ("b", "f)")}


def test_in_a_graph_each_waits_for_what_it_needs() -> None:
    found = compiled(
        flow("f", task("c", "a", "g"), task("a"), flow("g", task("b"), needs=("a",)), pattern="graph")
    )
    assert edges(found) == {
        ("f(", "a"),
        ("a", "c"),
        ("a", "g("),
        ("g(", "b"),
        ("b", "g)"),
        ("g)", "c"),
        ("c", "f)"),
    }


def test_an_empty_flow_leads_from_its_beginning_to_its_end() -> None:
    assert edges(compiled(flow("f"))) == {("f(", "f)")}


def test_predecessors_mirror_successors() -> None:
    found = compiled(flow("f", task("a"), task("b", "a"), task("c", "a"), pattern="graph"))
    pairs = {(a, b) for a in range(len(found)) for b in found.successors[a]}
    assert pairs == {(a, b) for b in range(len(found)) for a in found.predecessors[b]}


@pytest.mark.parametrize(
    ("form", "undo", "policy"),
    [
        ("action", UNDO_RUNS, "revert"),
        ("auto", UNDO_RUNS, "revert"),
        ("restore", UNDO_RUNS, "revert"),
        ("none", UNDO_NOTHING, "rerun"),
        ("unstated", UNDO_NOTHING, "ask"),
        ("impossible", UNDO_IMPOSSIBLE, "ask"),
    ],
)
def test_the_form_of_the_undo_says_what_to_do_about_a_lost_attempt(form: str, undo: int, policy: str) -> None:
    found = compiled(flow("f", task("a", undo=form), task("b", undo=form, on_lost="rerun")))
    assert [found.undo[n] for n in found.tasks] == [undo, undo]
    assert [found.on_lost[n] for n in found.tasks] == [policy, "rerun"]


def test_the_keys_of_a_task_are_kept_where_the_machine_looks_for_them() -> None:
    found = compiled(
        flow(
            "f",
            task("a", allow_failure=True, probe={}, retry={"attempts": 3}, undo={"retry": {"attempts": 5}}),
            task("b", pivot=True, **{"if": "x"}),
            savepoint("s"),
            on_failure="stop",
        )
    )
    a, b, s = found.tasks
    assert (found.tolerated[a], found.probed[a], found.retries[a].attempts) == (1, 1, 3)
    assert found.undo_retries[a].attempts == 5
    assert (found.pivots, found.conditional[b], found.skips[b]) == ([b], 1, "task")
    assert found.undo[s] == UNDO_NOTHING
    assert found.on_failure == "stop"


def test_a_controller_with_a_list_has_as_many_attempts_as_values() -> None:
    found = compiled(flow("f", retry={"for_each": ["x", "y"], "delay": 2.0}))
    controller = found.controller(0)
    assert controller is not None
    assert (controller.retry.attempts, controller.retry.delay, controller.dynamic) == (2, 2.0, False)


def test_a_controller_with_an_expression_learns_later() -> None:
    found = compiled(flow("f", flow("g", retry={"for_each": "x", "exhausted": "revert_all"})))
    controller = found.controller(1)
    assert controller is not None
    assert controller.dynamic
    assert controller.revert_all
    assert found.controller(0) is None
    assert found.controller(2) is None


def test_deeply_nested_flows_are_no_recursion() -> None:
    flows = [{"name": f"f{i}", "parent": i - 1, "pattern": "linear", "children": []} for i in range(5_000)]
    for index, spec in enumerate(flows[:-1]):
        spec["children"] = [["flow", index + 1]]
    assert len(compile_flow({"flows": flows, "tasks": []})) == 10_000
