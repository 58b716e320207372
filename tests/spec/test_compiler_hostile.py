"""Documents bent out of shape at random: every one is either compiled or refused with findings, nothing else happens."""

import json
import marshal
import random

import pytest

from taskrun.engine.flow import compile_flow
from taskrun.errors import WorkflowError
from taskrun.spec.catalog import CATALOG
from taskrun.spec.compiler import compile_text

WHOLE = {
    "name": "whole",
    "pattern": "graph",
    "inputs": {"target": {"type": "string", "enum": ["a", "b"], "default": "a"}, "nodes": [1, 2], "n": 3},
    "secrets": {"token": {"env": "TOKEN"}},
    "env": {"A": "${{ inputs.target }}"},
    "defaults": {"timeout": "5m", "env": {"B": "b"}},
    "lock": "l-${{ inputs.target }}",
    "actions": {
        "account": {
            "inputs": {"login": "string", "uid": 1},
            "run": "useradd ${{ inputs.login }}",
            "revert": "userdel ${{ inputs.login }}",
            "outputs": {"id": "result.stdout"},
        }
    },
    "tasks": [
        {"name": "a", "account": {"login": "x"}, "retry": {"attempts": 2, "on": ["timeout"]}},
        {
            "name": "b",
            "http": {
                "post": "http://x",
                "json": {"a": ["${{ tasks.a.outputs.id }}"]},
                "expect": [201, "4xx"],
            },
            "probe": {
                "http": "http://x",
                "done_if": "result.status == 200",
                "outputs": {"id": "result.json"},
            },
            "revert": {"http": {"delete": "http://x/${{ self.outputs.id }}"}, "retry": {"attempts": 3}},
            "outputs": {"id": "result.json.id"},
            "verify": {"assert": "result.status == 201"},
        },
        {"savepoint": "half"},
        {
            "name": "g",
            "needs": ["b"],
            "retry": {"for_each": ["m1", "m2"]},
            "tasks": [
                {"name": "c", "run": "x ${{ retry.value }}", "revert": {"restore": ["x"]}},
                {"name": "d", "file": {"path": "p", "content": "c", "mode": "0644"}, "if": "inputs.n > 1"},
            ],
        },
        {
            "name": "e",
            "for_each": "${{ inputs.nodes }}",
            "as": "node",
            "exec": ["x", "${{ node }}"],
            "revert": "none",
        },
        {"name": "f", "sleep": "1s", "needs": "g", "pivot": True, "check": "true"},
    ],
    "notify": [{"flow": ["SUCCESS"], "echo": "${{ event.name }}"}],
    "verify_revert": ["true", {"wait_for": {"port": "80", "timeout": "5s"}}],
}
VALUES = [
    None, True, 5, 1.5, "x", "", [], {}, "${{ x }}", "${{ inputs.n }}", "${{ 1 + }}", "{{ inputs.n }}", "none", "auto",
    ["a"], {"run": "x"}, {"a": "b"}, [None], [[]], {"": 1}, -1, "a b", "5s", "tasks.a.outputs.x", [{"name": "z"}],
    {"name": {"a": 1}}, {"tasks": []}, "é", "other.yaml", 10**30,
]  # fmt: skip
KEYS = (
    "run name tasks revert retry if needs for_each as workflow http inputs outputs probe savepoint pivot pattern "
    "account env xyz check verify timeout actions defaults notify secrets assert sleep exec file sql wait_for "
    "restore impossible on skip for from type default flow"
).split()


def places(node, path=()):
    if path:
        yield path
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from places(node[key], (*path, key))


def at(node, path):
    for key in path:
        node = node[key]
    return node


def copied(value):
    return json.loads(json.dumps(value))


def bend(document, chance):
    every = list(places(document))
    if not every:
        return
    path = chance.choice(every)
    holder, key = at(document, path[:-1]), path[-1]
    what = chance.randrange(5)
    if what == 0:
        del holder[key]
    elif what == 1:
        holder[key] = copied(chance.choice(VALUES))
    elif what == 2:
        holder[key] = copied(at(document, chance.choice(every)))
    elif isinstance(holder, dict):
        new = chance.choice(KEYS)
        holder[new] = holder.pop(key) if what == 3 else copied(chance.choice(VALUES))


def compiled_or_refused(text):
    lines = text.count("\n") + 1
    try:
        compiled = compile_text(text.encode(), "/w.yaml")
    except WorkflowError as error:
        assert any(found.severity == "error" for found in error.diagnostics)
        found = error.diagnostics
    else:
        definition = compiled.definition
        assert json.loads(json.dumps(definition, allow_nan=False)) == definition
        assert marshal.loads(marshal.dumps(definition)) == definition
        compile_flow(definition)
        found = compiled.diagnostics
    for one in found:
        assert one.id in CATALOG
        assert 1 <= one.line <= lines
        assert one.column >= 1 and one.length >= 1


def test_the_document_itself_is_sound():
    assert compile_text(json.dumps(WHOLE).encode(), "/w.yaml").diagnostics == []


@pytest.mark.parametrize("seed", range(300))
def test_a_bent_document_is_compiled_or_refused(seed):
    chance = random.Random(seed)
    document = copied(WHOLE)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        bend(document, chance)
    compiled_or_refused(json.dumps(document, ensure_ascii=False, indent=chance.choice((None, 2))))
