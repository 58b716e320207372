"""Inputs of a run: read by their type, within their limits, all problems at once."""

import pytest

from taskrun.errors import UsageError
from taskrun.spec.inputs import resolve_inputs
from tests.spec.workflows import definition, ids, one

TASKS = "\ntasks: [{name: t, echo: x}]"


def declared(inputs):
    return definition(f"name: f\ninputs: {inputs}{TASKS}")


def resolve(spec, text):
    return resolve_inputs({"inputs": {"a": spec}}, {"a": text}, {})["a"]


def refusal(spec, text):
    with pytest.raises(UsageError) as caught:
        resolve(spec, text)
    return caught.value.message


@pytest.mark.parametrize(
    ("default", "type_", "value"),
    [
        ("text", "string", "text"),
        ('"5"', "string", "5"),
        ("NO", "string", "NO"),
        ("2026-01-02", "string", "2026-01-02"),
        ("5", "integer", 5),
        ("1.5", "number", 1.5),
        ("true", "boolean", True),
        ("[a, 1]", "list", ["a", 1]),
        ("{type: object, default: {a: [1]}}", "object", {"a": [1]}),
        ("{default: 1.10}", "number", 1.1),
        ("{type: string, default: 1.10}", "string", "1.10"),
        ("{type: path, default: 007}", "path", "007"),
        ("{type: number, default: 3}", "number", 3),
    ],
)
def test_a_default_says_the_type_unless_the_type_is_said(default, type_, value):
    spec = declared(f"{{a: {default}}}")["inputs"]["a"]
    assert (spec["type"], spec["default"]) == (type_, value)
    assert type(spec["default"]) is type(value)


def test_an_input_without_default_is_a_required_string():
    assert declared("{a: {description: x}}")["inputs"]["a"] == {"type": "string", "description": "x"}


@pytest.mark.parametrize(
    ("spec", "id_", "shown"),
    [
        ('{type: integer, default: "3"}', "TR801", '"3"'),
        ("{type: string, default: true}", "TR801", "true"),
        ("{type: boolean, default: yes}", "TR801", "yes"),
        ("{type: list, default: a}", "TR801", "a"),
        ("{enum: [a, b], default: c}", "TR801", "c"),
        ("{pattern: '^v', default: x}", "TR801", "x"),
        ("{type: integer, minimum: 3, default: 2}", "TR801", "2"),
        ("{type: integer, maximum: 3, default: 4}", "TR801", "4"),
        ('{type: path, default: ""}', "TR801", '""'),
        ("{default: '${{ run.user }}'}", "TR403", "'${{ run.user }}'"),
        ("~", "TR801", "~"),
        ("{pattern: '('}", "TR802", "'('"),
        ("{type: integer, pattern: x}", "TR802", "pattern"),
        ("{minimum: 3}", "TR802", "minimum"),
        ("{type: integer, enum: [1, a]}", "TR802", "a"),
        ("{enum: []}", "TR210", "["),
        ("integer", "TR803", "integer"),
        ("{type: int}", "TR208", "int"),
        ("{minimum: '3'}", "TR206", "'3'"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(spec, id_, shown):
    found = [one for one in ids(f"name: f\ninputs: {{a: {spec}}}{TASKS}") if one != "TR151"]
    assert found == [id_]
    if "yes" not in spec:
        assert one(f"name: f\ninputs: {{a: {spec}}}{TASKS}")[1] == shown


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ({"type": "string"}, "5", "5"),
        ({"type": "string"}, "", ""),
        ({"type": "path"}, "a/b", "a/b"),
        ({"type": "integer"}, " 42 ", 42),
        ({"type": "integer"}, "-7", -7),
        ({"type": "integer"}, 42, 42),
        ({"type": "number"}, "1.5e3", 1500.0),
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, 3, 3),
        ({"type": "boolean"}, "TRUE", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "boolean"}, False, False),
        ({"type": "list"}, '["a", 1]', ["a", 1]),
        ({"type": "list"}, ["a"], ["a"]),
        ({"type": "object"}, '{"a": {"b": null}}', {"a": {"b": None}}),
        ({"type": "string", "enum": ["a", "b"]}, "b", "b"),
        ({"type": "integer", "enum": [1, 2]}, "2", 2),
        ({"type": "string", "pattern": "v[0-9]+$"}, "my-v12", "my-v12"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, "3", 3),
    ],
)
def test_text_is_read_by_the_declared_type(spec, text, value):
    result = resolve(spec, text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("spec", "text", "message"),
    [
        ({"type": "integer"}, "1.5", "input `a` is '1.5', not an integer"),
        ({"type": "integer"}, "٣", "input `a` is '٣', not an integer"),
        ({"type": "integer"}, True, "input `a` is true, not an integer"),
        ({"type": "integer"}, "9" * 5000, "not an integer"),
        ({"type": "number"}, "nan", "input `a` is 'nan', not a number"),
        ({"type": "number"}, "1e999", "too large"),
        ({"type": "boolean"}, "maybe", "input `a` is 'maybe', not a boolean (write true or false)"),
        ({"type": "list"}, "a,b", """input `a` is 'a,b', not a list (write it as JSON: '["a", "b"]')"""),
        ({"type": "list"}, '{"a": 1}', "not a list"),
        ({"type": "object"}, "[1]", "not an object"),
        ({"type": "object"}, '{"a": NaN}', "not an object"),
        ({"type": "list"}, "[" * 100_000, "not a list"),
        ({"type": "string"}, 5, "input `a` is 5, not a string (put it in quotes)"),
        ({"type": "path"}, "", "input `a` is no path: it is empty"),
        ({"type": "path"}, "a\0b", "it holds a NUL character"),
        (
            {"type": "string", "enum": ["staging", "prod"]},
            "dev",
            """cannot be "dev" (allowed: "staging", "prod")""",
        ),
        ({"type": "integer", "enum": [1]}, "2", "cannot be 2"),
        ({"type": "boolean", "enum": [True]}, "false", "cannot be false"),
        ({"type": "string", "pattern": "^v"}, "x", "does not match `^v`"),
        ({"type": "integer", "minimum": 1}, "0", "must be at least 1"),
        ({"type": "number", "maximum": 1.5}, "2", "must be at most 1.5"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(spec, text, message):
    assert message in refusal(spec, text)


def test_a_value_comes_from_the_command_line_then_the_environment_then_the_default():
    workflow = declared("{a: {default: d, env: A}}")
    assert resolve_inputs(workflow, {"a": "g"}, {"A": "e"}) == {"a": "g"}
    assert resolve_inputs(workflow, {}, {"A": "e"}) == {"a": "e"}
    assert resolve_inputs(workflow, {}, {}) == {"a": "d"}


def test_a_value_from_the_environment_is_named_when_it_does_not_fit():
    with pytest.raises(UsageError) as caught:
        resolve_inputs(declared("{a: {type: integer, env: A}}"), {}, {"A": "x"})
    assert caught.value.message == "input `a` is 'x', not an integer (from $A)"


def test_all_problems_come_at_once():
    workflow = declared("{version: {type: string}, count: 3, nodes: {type: list, env: NODES}}")
    with pytest.raises(UsageError) as caught:
        resolve_inputs(workflow, {"verson": "1", "count": "x"}, {})
    assert caught.value.exit_code == 2
    assert caught.value.message.split("\n") == [
        "there is no input `verson` (did you mean `version`?)",
        "input `version` is required (give it with -i version=VALUE)",
        "input `count` is 'x', not an integer",
        """input `nodes` is required (give it with -i nodes='["a", "b"]' or $NODES)""",
    ]
    assert caught.value.hint == (
        "its inputs: version (string, required), count (integer), nodes (list, required)"
    )


def test_a_workflow_without_inputs_takes_none():
    with pytest.raises(UsageError) as caught:
        resolve_inputs(definition(f"name: f{TASKS}"), {"a": "1"}, {})
    assert caught.value.hint == "this workflow has no inputs"


def test_an_input_settled_by_who_includes_the_file_cannot_be_given():
    workflow = {
        "inputs": {
            "a": {"type": "string", "default": "x"},
            "db.n": {"type": "list", "default": [1], "fixed": True},
        }
    }
    assert resolve_inputs(workflow, {}, {}) == {"a": "x", "db.n": [1]}
    with pytest.raises(UsageError) as caught:
        resolve_inputs(workflow, {"db.n": "[2]"}, {})
    assert "db.n (" not in caught.value.hint
