"""What expressions give."""

import pytest

from taskrun.errors import ExpressionError
from taskrun.spec.expressions import check_condition, has_expression, parse, render, template

SCOPE = {
    "inputs": {"a": 1, "s": "x", "list": [1, 2, 3], "nothing": None, "yes": True, "half": 0.5},
    "tasks": {"make-dir": {"outputs": {"id": 7}, "state": "SUCCESS"}},
    "result": {"json": {"from": 3, "items": [{"id": 1}, {"id": 2}], "keys": "k"}, "stdout": "a\nb\n"},
    "item": "n1",
}


def value(source):
    return parse(source).evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("inputs.a", 1),
        ("1 + 2 * 3 - 4", 3),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("7 // 2 + 7 % 4", 6),
        ("1 / 2", 0.5),
        ("(1 + 2) * 3", 9),
        ("'a' + \"b\"", "ab"),
        ("'-' * 3", "---"),
        ("[1] + [2]", [1, 2]),
        ("1 < 2 < 3", True),
        ("1 < 2 > 3", False),
        ("'a' in ('a', 'b')", True),
        ("'z' not in ['a']", True),
        ("'ell' in 'hello'", True),
        ("'s' in inputs", True),
        ("not inputs.a == 2", True),
        ("inputs.nothing or 'z'", "z"),
        ("inputs.s and 5", 5),
        ("'x' if inputs.a == 1 else 'y'", "x"),
        ("'x' if false else 'y' if false else 'z'", "z"),
        ("[true, false, null, True, False, None]", [True, False, None, True, False, None]),
        ("{'a': {'b': 1}}['a'].b", 1),
        ("inputs.list[0] + inputs.list[-1]", 4),
        ("inputs.list[1:]", [2, 3]),
        ("inputs.list[::-1]", [3, 2, 1]),
        ("'hello'[1:3]", "el"),
        ("inputs['s']", "x"),
        ("tasks.make-dir.outputs.id - 1", 6),
        ("tasks.make-dir.state == 'SUCCESS'", True),
        ("1 if true else missing.name", 1),
        ("true or missing", True),
        ("false and missing", False),
        (r"'a\tb\x41\u00e9\d'", "a\tbA\u00e9\\d"),
        (r"r'\n'", r"\n"),
        ("[1,\n 2,\n]", [1, 2]),
        ("()", []),
        ("(1,)", [1]),
    ],
)
def test_an_expression_gives_its_value(source, expected):
    assert value(source) == expected
    assert type(value(source)) is type(expected)


@pytest.mark.parametrize("key", ["from", "items", "keys"])
def test_words_of_python_are_plain_keys(key):
    assert value(f"result.json.{key}") == SCOPE["result"]["json"][key]


@pytest.mark.parametrize(
    ("source", "expected"),
    [("1 == 1.0", True), ("1 == true", False), ("'1' == 1", False), ("[1] == [true]", False), ("{'a': [1]} == {'a': [1.0]}", True), ("null == false", False), ("0 != false", True)],
)  # fmt: skip
def test_equality_is_that_of_json(source, expected):
    assert value(source) is expected


def test_names_are_the_dotted_paths_up_to_the_first_dynamic_part():
    used = parse("inputs.a + tasks['make-dir'].outputs.id + result.json.items[item].x + retry.value[0]").names
    assert used == {
        ("inputs", "a"),
        ("tasks", "make-dir", "outputs", "id"),
        ("result", "json", "items"),
        ("item",),
        ("retry", "value"),
    }


def test_references_point_at_their_path_in_the_source():
    source = "1 + inputs.a * len( tasks.x . outputs )"
    shown = [source[offset : offset + length] for _, offset, length in parse(source).references]
    assert shown == ["inputs.a", "tasks.x . outputs"]


def test_default_forgives_what_is_missing_or_null():
    assert value("default(inputs.zz, 5)") == 5
    assert value("default(nobody.knows.it, 5)") == 5
    assert value("default(inputs.nothing, 5)") == 5
    assert value("default(inputs.nothing.deeper, 5)") == 5
    assert value("default(inputs.list[9], 5)") == 5
    assert value("default(inputs.yes, missing)") is True
    assert value("default(inputs.zz)") is None


def test_default_does_not_forgive_other_mistakes():
    with pytest.raises(ExpressionError, match="division by zero"):
        value("default(1 / 0, 5)")


def test_a_template_of_one_expression_keeps_the_type():
    assert template("${{ inputs.list }}").render(SCOPE) == [1, 2, 3]
    assert template("${{inputs.nothing}}").render(SCOPE) is None
    assert template("${{ inputs.a }}").is_single


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v${{ inputs.a }}", "v1"),
        (" ${{ inputs.a }}", " 1"),
        ("<${{ inputs.nothing }}>", "<>"),
        ("<${{ inputs.yes }}>", "<true>"),
        ("<${{ inputs.list }}>", "<[1, 2, 3]>"),
        ("<${{ {'k': 'é\"'} }}>", '<{"k": "é\\""}>'),
        ("${{ inputs.a }}${{ inputs.s }}", "1x"),
        ('${{ {"a": "}}"}["a"] }}', "}}"),
        ("${{ {'a': {'b': 1}}.a }}", {"b": 1}),
        ("${{ '${{' }}", "${{"),
        ("$${{ inputs.a }}", "${{ inputs.a }}"),
        ("$${{ ${{ inputs.a }} }}", "${{ 1 }}"),
        ("${HOME} $HOME {{ x }}", "${HOME} $HOME {{ x }}"),
        ("", ""),
    ],
)
def test_a_text_with_expressions_becomes_text(text, expected):
    assert template(text).render(SCOPE) == expected


def test_render_goes_through_lists_and_maps():
    given = {"${{ inputs.a }}": ["${{ inputs.a }}", {"x": "a${{ inputs.s }}"}, 5, None], "plain": "text"}
    assert render(given, SCOPE) == {"${{ inputs.a }}": [1, {"x": "ax"}, 5, None], "plain": "text"}


def test_a_template_knows_where_its_paths_stand():
    text = "a ${{ inputs.a }} ${{ 1 + item }}"
    shown = [(path, text[at : at + length]) for path, at, length in template(text).references()]
    assert shown == [(("inputs", "a"), "inputs.a"), (("item",), "item")]


def test_has_expression_sees_only_the_double_braces():
    assert has_expression("a ${{ x }}")
    assert not has_expression("a ${x} {{ x }}")


def test_a_condition_must_be_a_boolean():
    assert check_condition(value("inputs.a == 1")) is True
    with pytest.raises(ExpressionError, match="true or false, not a string"):
        check_condition("yes")


def test_parsing_the_same_source_twice_gives_the_same_object():
    assert parse("inputs.a") is parse("inputs.a")
    assert template("a ${{ inputs.a }}") is template("a ${{ inputs.a }}")
