"""Edges, and what cannot be ordered."""

import pytest

from taskrun.spec.compiling.cycles import cycles
from tests.spec.workflows import definition, found, ids, one


def graph(tasks, pattern="graph"):
    return f"name: f\npattern: {pattern}\ntasks:\n{tasks}"


def edges(tasks, flow=0):
    return definition(graph(tasks))["flows"][flow]["edges"]


def giving(name, rest=""):
    return f"  - {{name: {name}, echo: x, outputs: {{v: '1'}}{rest}}}\n"


def using(name, *others):
    text = " ".join(f"${{{{ tasks.{other}.outputs.v }}}}" for other in others)
    return f"  - {{name: {name}, echo: '{text}', outputs: {{v: '1'}}}}\n"


def test_needs_make_edges():
    assert edges(giving("a") + giving("b", ", needs: [a]") + giving("c", ", needs: [a, b]")) == [
        [0, 1],
        [0, 2],
        [1, 2],
    ]


def test_a_single_need_may_be_written_as_text():
    assert edges(giving("a") + giving("b", ", needs: a")) == [[0, 1]]


def test_a_need_may_name_what_stands_below():
    assert edges(giving("a", ", needs: [b]") + giving("b")) == [[1, 0]]


def test_references_make_edges_and_each_is_there_once():
    assert edges(giving("a") + using("b", "a", "a") + giving("c", ", needs: [a, a]")) == [[0, 1], [0, 2]]


@pytest.mark.parametrize(
    "line",
    [
        "echo: '${{ tasks.a.state }}'",
        "echo: '${{ tasks[\"a\"].outputs.v }}'",
        "echo: x\n    if: tasks.a.outputs.v == 1",
        "echo: x\n    revert: 'echo ${{ tasks.a.outputs.v }}'",
        "echo: x\n    for_each: tasks.a.outputs.v",
        "echo: x\n    inputs: {n: '${{ tasks.a.outputs.v }}'}",
        "echo: x\n    env: {N: '${{ tasks.a.outputs.v }}'}",
        "echo: x\n    verify: {assert: tasks.a.outputs.v == 1}",
        "echo: x\n    outputs: {n: tasks.a.outputs.v}",
        "echo: x\n    lock: l-${{ tasks.a.outputs.v }}",
    ],
)
def test_a_reference_anywhere_in_a_task_is_an_edge(line):
    assert edges(giving("a") + f"  - name: b\n    {line}\n") == [[0, 1]]


def test_a_graph_without_edges_has_an_empty_list_of_them():
    assert edges(giving("a") + giving("b")) == []
    assert "edges" not in definition(graph(giving("a"), "linear"))["flows"][0]


def test_a_reference_out_of_a_nested_flow_orders_the_flow():
    nested = "  - name: g\n    tasks:\n      - name: h\n        tasks: [{name: c, echo: '${{ tasks.a.outputs.v }}'}]\n"
    assert edges(giving("a") + giving("b") + nested) == [[0, 2]]


def test_a_reference_into_a_nested_flow_orders_the_flow():
    nested = "  - name: g\n    tasks: [{name: a, echo: x, outputs: {v: '1'}}]\n"
    assert edges(nested + using("b", "a")) == [[0, 1]]


def test_a_reference_between_two_nested_flows_orders_them():
    first = "  - name: g\n    tasks: [{name: a, echo: x, outputs: {v: '1'}}]\n"
    second = "  - name: h\n    tasks: [{name: b, echo: '${{ tasks.a.outputs.v }}'}]\n"
    assert edges(second + first) == [[1, 0]]


def test_the_condition_of_a_nested_flow_is_a_reference_of_the_flow():
    nested = "  - name: g\n    if: tasks.a.state == 'SUCCESS'\n    tasks: [{name: b, echo: x}]\n"
    assert edges(nested + giving("a")) == [[1, 0]]


def test_the_values_of_a_controller_are_a_reference_of_the_flow():
    nested = "  - name: g\n    retry: {for_each: tasks.a.outputs.v}\n    tasks: [{name: b, echo: x}]\n"
    assert edges(giving("a") + nested) == [[0, 1]]


def test_nested_graphs_have_their_own_edges():
    nested = (
        "  - name: g\n    pattern: graph\n    needs: [a]\n    tasks:\n"
        "      - {name: b, echo: x, outputs: {v: '1'}}\n      - {name: c, echo: '${{ tasks.b.outputs.v }}'}\n"
    )
    compiled = definition(graph(giving("a") + nested))
    assert [flow["edges"] for flow in compiled["flows"]] == [[[0, 1]], [[0, 1]]]


def test_a_cycle_is_shown_with_its_path():
    finding, shown = one(graph(giving("a", ", needs: [c]") + using("b", "a") + giving("c", ", needs: [b]")))
    assert (finding.id, finding.line, shown) == ("TR601", 4, "a")
    assert finding.message == "these wait for each other: a -> b -> c -> a"


def test_every_knot_of_cycles_is_reported_once():
    tasks = (
        giving("a", ", needs: [b]")
        + giving("b", ", needs: [a]")
        + giving("c", ", needs: [b, d]")
        + giving("d", ", needs: [c]")
        + giving("e", ", needs: [d]")
    )
    assert [one.message for one in found(graph(tasks))] == [
        "these wait for each other: a -> b -> a",
        "these wait for each other: c -> d -> c",
    ]


def test_a_cycle_through_a_nested_flow_names_the_flow():
    nested = "  - name: g\n    needs: [b]\n    tasks: [{name: a, echo: x, outputs: {v: '1'}}]\n"
    finding, _ = one(graph(nested + using("b", "a")))
    assert finding.message == "these wait for each other: g -> b -> g"


def test_a_shortest_cycle_is_shown():
    assert list(cycles(5, [[0, 1], [1, 2], [2, 3], [3, 0], [2, 0], [4, 0]])) == [[0, 1, 2]]


def test_cycles_of_a_hundred_thousand_nodes_are_found():
    size = 100_000
    assert len(next(cycles(size, [[i, (i + 1) % size] for i in range(size)]))) == size
    assert list(cycles(size, [[i, i + 1] for i in range(size - 1)])) == []


@pytest.mark.parametrize(
    ("tasks", "id_", "shown", "help_"),
    [
        (giving("build") + giving("b", ", needs: [biuld]"), "TR310", "biuld", "did you mean `build`?"),
        (giving("a", ", needs: [a]"), "TR603", "a", None),
        (
            "  - name: g\n    tasks: [{name: a, echo: x}]\n" + giving("b", ", needs: [a]"),
            "TR311",
            "a",
            "need the flow it is in: `g`",
        ),
        (
            giving("a") + "  - name: g\n    pattern: graph\n    tasks: [{name: b, echo: x, needs: [a]}]\n",
            "TR311",
            "a",
            "give the `needs` to the flow `g`",
        ),
        (
            "  - name: g\n    pattern: graph\n    tasks: [{name: b, echo: x, needs: [g]}]\n",
            "TR311",
            "g",
            "it is the flow around this one, which cannot wait for itself",
        ),
        (
            "  - name: g\n    needs: [b]\n    tasks: [{name: b, echo: x}]\n",
            "TR311",
            "b",
            "it is inside this very flow",
        ),
    ],
)
def test_a_need_that_cannot_be_is_explained(tasks, id_, shown, help_):
    finding, pointed = one(graph(tasks))
    assert (finding.id, pointed, finding.help) == (id_, shown, help_)


@pytest.mark.parametrize("pattern", ["linear", "unordered"])
def test_needs_are_for_graphs(pattern):
    finding, shown = one(graph(giving("a") + giving("b", ", needs: [a]"), pattern))
    assert (finding.id, shown) == ("TR602", "needs")
    assert finding.help.startswith(f"this flow is `{pattern}`: say `pattern: graph`")


def test_in_a_line_only_what_stands_above_is_known():
    assert ids(graph(giving("a") + using("b", "a"), "linear")) == []
    finding, shown = one(graph(using("b", "a") + giving("a"), "linear"))
    assert (finding.id, shown) == ("TR604", "a")


def test_in_a_line_the_inside_of_a_later_flow_is_not_known():
    nested = "  - name: g\n    tasks: [{name: a, echo: x, outputs: {v: '1'}}]\n"
    assert ids(graph(using("b", "a") + nested, "linear")) == ["TR604"]
    assert ids(graph(nested + using("b", "a"), "linear")) == []


def test_siblings_without_order_do_not_know_each_other():
    finding, shown = one(graph(giving("a") + using("b", "a"), "unordered"))
    assert (finding.id, shown) == ("TR605", "a")


def test_a_task_does_not_refer_to_itself():
    finding, _ = one(graph(using("a", "a")))
    assert finding.id == "TR603"
    text = graph("  - {name: a, echo: x, outputs: {v: '1'}, revert: 'echo ${{ tasks.a.outputs.v }}'}\n")
    assert one(text)[0].help == "use `self.outputs`"


def test_a_flow_does_not_refer_to_what_is_inside_it():
    nested = "  - name: g\n    if: tasks.a.state == 'x'\n    tasks: [{name: a, echo: x}]\n"
    assert ids(graph(nested)) == ["TR603"]


@pytest.mark.parametrize(
    ("name", "id_", "help_"),
    [
        ("tasks.a.outputs.vv", "TR307", "did you mean `v`?"),
        ("tasks.a.outputs.other", "TR307", "there is `v`"),
        ("tasks.a.v", "TR308", "did you mean `tasks.a.outputs.v`?"),
        ("tasks.a.output", "TR308", "did you mean `outputs`?"),
        ("tasks.a.result.stdout", "TR308", "declare an output of `a`, as `outputs: {text: result.stdout}`"),
        ("tasks.g.outputs.v", "TR315", "name a task inside it"),
        ("tasks.aa.outputs.v", "TR306", "did you mean `a`?"),
    ],
)
def test_what_a_task_does_not_have_is_found(name, id_, help_):
    nested = "  - name: g\n    tasks: [{name: c, echo: x}]\n"
    finding, _ = one(graph(giving("a") + nested + f"  - {{name: b, echo: '${{{{ {name} }}}}'}}\n", "linear"))
    assert (finding.id, finding.help) == (id_, help_)


@pytest.mark.parametrize(
    ("script", "name", "expected"),
    [
        ("x", "other", []),
        ("x", "idd", ["TR307"]),
        ("echo idd=1 >> $TASKRUN_OUTPUT", "idd", []),
    ],
)
def test_a_script_may_give_outputs_it_does_not_declare_but_not_nearly_one(script, name, expected):
    tasks = (
        f"  - {{name: a, run: '{script}', revert: none, outputs: {{id: result.stdout}}}}\n"
        f"  - {{name: b, echo: '${{{{ tasks.a.outputs.{name} }}}}'}}\n"
    )
    assert ids(graph(tasks)) == expected


def test_names_with_dashes_can_be_referred_to():
    assert edges(giving("a-b") + using("c", "a-b")) == [[0, 1]]


def test_notifications_and_checks_after_a_rollback_make_no_order():
    text = graph(giving("a"), "unordered") + "verify_revert: ['echo ${{ tasks.a.outputs.v }}']\n"
    assert ids(text) == []
