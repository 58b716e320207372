"""`taskrun graph`: the shape of a workflow, and of a run with its states and its rollback."""

import itertools
import json
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from taskrun.listeners.drawing.layout import Layout
from tests.command import Taskrun

SHAPES = """\
name: shapes
pattern: graph
tasks:
  - {name: a, run: 'true', revert: 'true'}
  - name: nest
    needs: a
    pattern: unordered
    retry: {attempts: 2}
    tasks:
      - {name: b, run: 'true', revert: {impossible: out}}
      - {name: c, echo: x}
  - {name: d, needs: [nest, a], run: 'exit ${{ inputs.code }}', revert: none, pivot: true}
inputs: {code: 0}
"""
EMPTY = "name: w\ninputs: {l: {type: list, default: []}}\ntasks:\n  - {name: a, echo: x}\n  - {name: b, for_each: '${{ inputs.l }}', echo: x}\n  - {name: c, echo: x}\n"


def test_the_tree_shows_nesting_order_and_undos(taskrun: Taskrun) -> None:
    done = taskrun("graph", taskrun.file(SHAPES), env={"LANG": "C.UTF-8", "TERM": "xterm"})
    assert done.out.split("\n") == [
        "shapes  (graph)",
        "├─ a  run  undo: by its revert",
        "├─ nest  (unordered, 2 rounds)  after a",
        "│  ├─ b  run  undo: impossible",
        "│  └─ c  echo  undo: nothing to undo",
        "└─ d  run  undo: nothing to undo  point of no return  after a, nest",
        "",
    ]


def test_the_tree_of_a_run_shows_states_and_turns_of_the_rollback(taskrun: Taskrun) -> None:
    text = SHAPES.replace("retry: {attempts: 2}", "if: 'true'").replace(", pivot: true", "")
    assert taskrun("run", taskrun.file(text), "-i", "code=1", "-j", "1").code == 3
    out = taskrun("graph", "latest").out
    assert "shapes  x FAILURE  run " in out
    assert "|- - REVERTED  a  run  undone 3 of 3" in out
    assert "!! REVERT_FAILURE" in out or "! REVERT_FAILURE  b" in out
    assert "`- - REVERTED  d  run  undone 1 of 3  after a, nest" in out


def test_the_json_has_the_shape_for_programs(taskrun: Taskrun) -> None:
    found = json.loads(taskrun("graph", taskrun.file(SHAPES), "-f", "json").out)
    assert [flow["name"] for flow in found["flows"]] == ["shapes", "nest"]
    assert sorted(found["flows"][0]["edges"]) == [[0, 1], [0, 2], [1, 2]]
    assert found["flows"][1]["rounds"] == 2
    assert [task["undo"] for task in found["tasks"]] == [
        "by its revert",
        "impossible",
        "nothing to undo",
        "nothing to undo",
    ]


def test_mermaid_has_subgraphs_arrows_the_way_back_and_colours(taskrun: Taskrun) -> None:
    lines = [line.strip() for line in taskrun("graph", taskrun.file(SHAPES), "-f", "mermaid").out.split("\n")]
    assert lines[0] == "flowchart TD"
    assert 'subgraph f1["nest #40;unordered#41;"]' in lines
    assert {"t0 --> f1", "f1 --> t3", "f1 -.-> t0"} <= set(lines)
    taskrun("run", "w.yaml", "-j", "1")
    run = taskrun("graph", "latest", "-f", "mermaid").out
    assert "classDef SUCCESS fill:" in run
    assert "-.->" not in run


def test_mermaid_draws_the_rollback_of_a_run_in_its_order(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: 'true', revert: 'true'}\n  - {name: b, run: 'true', revert: 'true'}\n  - {name: c, fail: x}\n"
    assert taskrun("run", taskrun.file(text)).code == 1
    out = taskrun("graph", "latest", "-f", "mermaid").out
    assert out.index("t2 -. undo .-> t1") < out.index("t1 -. undo .-> t0")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
@pytest.mark.parametrize("text", [SHAPES, EMPTY])
def test_graphviz_understands_the_drawing(taskrun: Taskrun, text: str) -> None:
    for what in (taskrun.file(text), "latest"):
        drawn = taskrun("graph", what, "-f", "dot").out
        done = subprocess.run(["dot", "-Tsvg"], input=drawn, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        taskrun("run", "w.yaml")


def test_items_of_a_fan_out_are_drawn_for_a_run(taskrun: Taskrun) -> None:
    text = EMPTY.replace("default: []", "default: [x, y]")
    taskrun("run", taskrun.file(text))
    found = json.loads(taskrun("graph", "latest", "-f", "json").out)
    assert [task["name"] for task in found["tasks"]] == ["a", "b[0]", "b[1]", "c"]
    assert {task["state"] for task in found["tasks"]} == {"SUCCESS"}


def test_a_run_that_does_not_exist_is_not_found(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(EMPTY))
    assert taskrun("graph", "nosuchrun").code == 4
    assert taskrun("graph", "nosuch.yaml").code == 2


def test_the_picture_is_svg_with_all_that_there_is(taskrun: Taskrun) -> None:
    text = SHAPES.replace("  - name: nest", "  - {savepoint: here, needs: a}\n  - name: nest")
    found = ET.fromstring(taskrun("graph", taskrun.file(text), "-f", "svg").out)
    words = ["".join(each.itertext()) for each in found.iter("{http://www.w3.org/2000/svg}text")]
    for word in (
        "shapes (graph)",
        "nest (unordered)",
        "a",
        "b",
        "c",
        "d",
        "here",
        "savepoint",
        "point of no return",
    ):
        assert word in words
    paths = [each.get("class") for each in found.iter("{http://www.w3.org/2000/svg}path")]
    assert paths.count("e") == paths.count("w") == 4  # the order, and the way back


def test_no_box_of_the_picture_lies_on_another_and_each_in_its_flow(taskrun: Taskrun) -> None:
    inner = "".join(f"      - {{name: t{n}, echo: x}}\n" for n in range(11))
    text = f"name: big\ntasks:\n  - name: many\n    pattern: unordered\n    tasks:\n{inner}"
    text += "  - name: nets\n    pattern: graph\n    tasks:\n      - {name: x, echo: x}\n"
    text += "".join(f"      - {{name: n{n}, needs: [x], echo: '{'long ' * n}'}}\n" for n in range(5))
    text += "      - {name: y, needs: [n1, n4], echo: x}\n      - {name: z, needs: [y, x], echo: x}\n"
    found = json.loads(taskrun("graph", taskrun.file(text), "-f", "json").out)
    layout = Layout(found, [[task["name"]] for task in found["tasks"]])
    boxes = list(layout.tasks.values())
    for one, other in itertools.combinations(boxes, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.bottom <= other.y or other.bottom <= one.y
    for index, flow in enumerate(found["flows"]):
        around = layout.flows[index]
        for kind, which in flow["children"]:
            box = layout.tasks[which] if kind == "task" else layout.flows[which]
            assert around.x < box.x
            assert box.x + box.width < around.x + around.width
            assert around.y < box.y
            assert box.bottom < around.bottom
        for before, after in flow["edges"]:
            ends = [layout.tasks[w] if k == "task" else layout.flows[w] for k, w in flow["children"]]
            assert ends[before].bottom < ends[after].y


def test_the_picture_of_a_run_has_its_states_and_its_rollback(taskrun: Taskrun) -> None:
    text = SHAPES.replace("retry: {attempts: 2}", "if: 'true'").replace(", pivot: true", "")
    taskrun("run", taskrun.file(text), "-i", "code=1", "-j", "1")
    found = ET.fromstring(taskrun("graph", "latest", "-f", "svg").out)
    words = ["".join(each.itertext()) for each in found.iter("{http://www.w3.org/2000/svg}text")]
    assert {"REVERTED", "undone: 1", "undone: 2", "undone: 3"} <= set(words)
    paths = [each.get("class") for each in found.iter("{http://www.w3.org/2000/svg}path")]
    assert paths.count("w") == 2


def test_names_from_outside_are_only_text_in_the_picture(taskrun: Taskrun) -> None:
    text = "name: a\ndescription: x\ntasks:\n  - {name: b, echo: x, if: \"'</text><script>' == '&\\e[0m'\"}\n"
    found = ET.fromstring(taskrun("graph", taskrun.file(text), "-f", "svg").out)
    assert "script" not in {each.tag.rpartition("}")[2] for each in found.iter()}


@pytest.mark.parametrize("form", ["tree", "mermaid", "dot", "svg", "json"])
def test_every_format_draws_pivot_savepoint_and_rollback(form: str, taskrun: Taskrun) -> None:
    text = "name: p\ntasks:\n  - {name: a, run: 'true', revert: 'true'}\n  - {savepoint: safe}\n"
    taskrun.file(text + "  - {name: b, run: 'true', revert: none, pivot: true}\n", "p.yaml")
    planned = taskrun("graph", "p.yaml", "-f", form).out
    assert "safe" in planned
    assert "pivot" in planned or "point of no return" in planned
    failing = text + "  - {name: b, run: 'true', revert: 'true'}\n  - {name: c, run: exit 1, revert: none}\n"
    assert taskrun("run", taskrun.file(failing)).code == 1
    drawn = taskrun("graph", "latest", "-f", form).out
    assert "undone" in drawn or "undo" in drawn


@pytest.mark.parametrize(
    ("form", "arrow"), [("mermaid", "-.->"), ("dot", "style=dashed"), ("svg", 'class="w"')]
)
def test_the_way_back_ends_at_the_point_of_no_return(form: str, arrow: str, taskrun: Taskrun) -> None:
    tasks = (
        "{name: a, echo: x}",
        "{name: b, echo: x, pivot: true}",
        "{name: c, echo: x}",
        "{name: d, echo: x}",
    )
    taskrun.file("name: p\ntasks:\n" + "".join(f"  - {task}\n" for task in tasks))
    assert taskrun("graph", "w.yaml", "-f", form).out.count(arrow) == 2  # d to c, and b to a
