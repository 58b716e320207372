"""Small flows of every shape: each compiles without a word, and what comes out is plain data."""

import json
import marshal
from pathlib import Path

import pytest

from taskrun.spec.compiler import compile_text

KEYS = ("name", "pattern", "retry", "needs", "if", "skip")


def _with_actions(workflow):
    """The cases say what their tasks will do at each attempt, not how."""
    kept = {key: workflow[key] for key in KEYS if key in workflow}
    if "tasks" not in workflow:
        return {**kept, "run": "true", "revert": "none"}
    return {**kept, "tasks": [_with_actions(task) for task in workflow["tasks"]]}


CASES = json.loads((Path(__file__).parents[1] / "cases" / "transitions.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_flow_of_the_engines_cases_compiles_without_a_word(case):
    compiled = compile_text(json.dumps(_with_actions(case["workflow"])).encode(), "/w.yaml")
    assert compiled.diagnostics == []
    definition = compiled.definition
    assert marshal.loads(marshal.dumps(definition)) == definition
    assert json.loads(json.dumps(definition)) == definition


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_every_entry_is_the_child_of_exactly_one_flow(case):
    definition = compile_text(json.dumps(_with_actions(case["workflow"])).encode(), "/w.yaml").definition
    children = [(kind, which) for flow in definition["flows"] for kind, which in flow["children"]]
    assert sorted(children) == sorted(
        [("task", i) for i in range(len(definition["tasks"]))]
        + [("flow", i) for i in range(1, len(definition["flows"]))]
    )
    for index, flow in enumerate(definition["flows"]):
        for kind, which in flow["children"]:
            child = definition["tasks" if kind == "task" else "flows"][which]
            assert child["flow" if kind == "task" else "parent"] == index
