"""Every mistake in an expression is told with its place and what to write instead."""

import pytest

from taskrun.errors import ExpressionError
from taskrun.spec.expressions import parse, template

SCOPE = {
    "inputs": {"name": "x", "count": 3, "list": [1, 2], "nothing": None, "my-key": 1},
    "result": {"stdout": ""},
    "env": {},
}


def mistake(source):
    with pytest.raises(ExpressionError) as raised:
        parse(source).evaluate(SCOPE)
    return raised.value


@pytest.mark.parametrize(
    ("source", "offset", "message", "hint"),
    [
        ("inputs.count = 3", 13, "= is not an operator", "=="),
        ("a === b", 2, "===", "=="),
        ("a !== b", 2, "!==", "!="),
        ("a <> b", 2, "<>", "!="),
        ("a && b", 2, "&& is not an operator", "write and"),
        ("a || b", 2, "|| is not an operator", "write or"),
        ("!a", 0, "! is not an operator", "write not"),
        ("a & b", 2, "& is not", "and"),
        ("x | default(1)", 2, "| is not", "default(x, 1)"),
        ("a ? b : c", 2, "? is not", "a if condition else b"),
        ("a ^ b", 2, "^ is not", "**"),
        ("a << 1", 2, "bits", None),
        ("~a", 0, "bits", None),
        ("(a := 1)", 3, "cannot be set", None),
        ("a; b", 1, "one expression only", None),
        ("a @ b", 2, "@", None),
        ("${HOME}", 0, "shell variables", "env.NAME"),
        ("`date`", 0, "backticks", "task"),
        ("a # why", 2, "comments", None),
        ("a \\ b", 2, "backslash", None),
        ("", 0, "empty", None),
        ("  ", 2, "empty", None),
        ("1 +", 3, "too early", None),
        ("(1", 0, "( is never closed", "write )"),
        ("[1, 2", 0, "[ is never closed", "write ]"),
        ("len(inputs.name", 3, "( is never closed", "write )"),
        ("{'a': 1", 0, "{ is never closed", "write }"),
        ("(1]", 2, "] does not close (", "write )"),
        ("1)", 1, ") was never opened", None),
        ("1, 2", 1, "comma", "[a, b]"),
        ("a b", 2, "an operator is missing before b", None),
        ("'a' 'b'", 4, "missing before this string", "+"),
        ("'abc", 0, "never closed with '", None),
        ('a + "abc', 4, 'never closed with "', None),
        ("“x”", 0, "not a quote", "write \""),
        ("1 is 1", 2, "is compares nothing", "=="),
        ("a not b", 2, "operator is missing before not", "not in"),
        ("1 if true", 9, "if needs an else", "a if condition else b"),
        ("1 else 2", 2, "else without if", "if condition"),
        ("and 1", 0, "value is missing before and", None),
        ("* 2", 0, "spread", None),
        ("max(*inputs.list)", 4, "spread", "list"),
        ("{**a}", 1, "spread", "merge"),
        ("{1, 2}", 0, "no sets", "[a, b]"),
        ("{'a' 1}", 5, "a map needs :", None),
        ("[x for x in inputs.list]", 3, "no loops", "pluck"),
        ("{x: 1 for x in y}", 6, "no loops", "for_each"),
        ("sum(x for x in y)", 6, "no loops", "pluck"),
        ("lambda x: x", 0, "no lambdas", "where"),
        ("f'{a}'", 0, "no f-strings", "${{ x }}"),
        ("b'a'", 0, "cannot start with b", "leave it out"),
        ("inputs.name.upper()", 12, "no methods", "upper(x)"),
        ("inputs.name.strip()", 12, "no methods", "trim(x)"),
        ("result.stdout.splitlines()", 14, "no methods", "lines(x)"),
        ("'{}'.format(1)", 5, "no methods", "functions stand in front"),
        ("(1)(2)", 3, "only functions", "upper(x)"),
        ("inputs['name']()", 7, "no methods", "functions stand in front"),
        ("inputs.list[0]()", 14, "only functions", None),
        ("lenn(x)", 0, "no function lenn()", "did you mean len()?"),
        ("toJSON(x)", 0, "no function toJSON()", "to_json()"),
        ("open('x')", 0, "no function open()", None),
        ("len()", 0, "takes 1 value, not 0", "len("),
        ("replace('a')", 0, "takes 3 values, not 1", "replace("),
        ("trim(1, 2, 3)", 0, "takes 1 to 2 values, not 3", "trim("),
        ("max()", 0, "takes at least 1 value, not 0", "max("),
        ("default(x, fallback=1)", 19, "= is not an operator", None),
        ("inputs.list.0", 12, "position is written in brackets", "[0]"),
        ("inputs.", 7, "name is missing after the dot", None),
        ("inputs.list[]", 11, "position or key is missing", None),
        (".5", 0, "a number starts with a digit", "0.5"),
        ("1.", 2, "name is missing", None),
        ("0640", 0, "does not start with 0", '"0640"'),
        ("0x1f", 0, "not a number", "decimal"),
        ("1_000", 0, "not a number", "decimal"),
        ("12abc", 0, "not a number", "decimal"),
        ("18446744073709551616", 0, "too large", None),
        ("1e999", 0, "too large", None),
        ("'\\ud800'", 1, "not a character", None),
        ("größe", 2, "cannot stand in a name", '["'),
        ("\x00", 0, "unexpected character", None),
        ("inptus.name", 0, "there is no inptus here", "did you mean inputs?"),
        ("len", 0, "there is no len here", "len is a function"),
        ("inputs.nam", 7, "no key 'nam'", "did you mean name?"),
        ("inputs.my_key", 7, "no key 'my_key'", "my-key"),
        ("inputs['zzz']", 7, "no key 'zzz'", "there are: count"),
        ("env.HOME", 4, "no key 'HOME'", "empty"),
        ("inputs.name.length", 12, "a string has no key 'length'", "len(x)"),
        ("inputs.list.first", 12, "a list has no key 'first'", "x[0]"),
        ("inputs.nothing.deep", 15, "null has no key", "default"),
        ("inputs.nothing[0]", 14, "null has no positions", "default"),
        ("inputs.list[2]", 11, "no position 2: the length is 2", None),
        ("inputs.list[-3]", 11, "no position -3", None),
        ("inputs.list['a']", 12, "a list has no key 'a'", "x[0]"),
        ("inputs.list[true]", 11, "a position is an integer, not a boolean", None),
        ("inputs.list[1.0]", 11, "a position is an integer, not a number", None),
        ("inputs[0]", 6, "a map is not indexed by an integer", None),
        ("inputs.list[::0]", 11, "steps of 0", None),
        ("inputs[1:]", 6, "only lists and strings", None),
        ("1 / 0", 2, "division by zero", None),
        ("1 % 0", 2, "division by zero", None),
        ("1 // 0.0", 2, "division by zero", None),
        ("0 ** -1", 2, "division by zero", None),
        ("'a' + 1", 4, "+ cannot join a string and an integer", "str(x)"),
        ("inputs.list + 1", 12, "+ cannot add a list and an integer", None),
        ("{} + {}", 3, "maps", "merge"),
        ("'%s' % 1", 5, "% does not format", "${{ x }}"),
        ("'3' * '4'", 4, "times a string", None),
        ("'3' - 1", 4, "- needs numbers; here is a string", "int(x)"),
        ("true + 1", 5, "+ cannot add a boolean", None),
        ("-'3'", 0, "- needs a number, not a string", None),
        ("1 < '2'", 2, "< compares two numbers or two strings", "int(x)"),
        ("null < 1", 5, "not null and an integer", None),
        ("1 in 'abc'", 2, "only a string can be in a string", None),
        ("1 in 5", 2, "nothing can be in an integer", None),
        ("{inputs.count: 1}", 0, "a map's keys are strings, not an integer", None),
        ("upper(1)", 0, "upper() needs a string, not an integer", "str(x)"),
        ("replace('a', 'b', null)", 0, "replace() needs a string as value 3, not null", None),
        ("join('abc')", 0, "join() needs a list, not a string", "lines(x)"),
        ("sum(['a'])", 0, "sum() adds numbers", "join"),
        ("min([])", 0, "empty list", "default"),
        ("max(1, 'a')", 0, "numbers only or strings only", None),
        ("int('x')", 0, 'int(): "x" is not a whole number', None),
        ("bool('maybe')", 0, "neither true nor false", None),
        ("json('{')", 0, "not JSON", None),
        ("json('NaN')", 0, "NaN is not a JSON value", None),
        ("matches('a', '(')", 0, "a ( is never closed", None),
        ("base64_decode('%')", 0, "not the base64", None),
        ("(1).real", 4, "an integer has no key 'real'", None),
        ("'a'.join", 4, "a string has no key 'join'", "x[0]"),
    ],
)  # fmt: skip
def test_a_mistake_has_a_place_a_message_and_a_way_out(source, offset, message, hint):
    error = mistake(source)
    assert message in error.message
    assert error.offset == offset
    if hint is None:
        return
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("ab ${{ 1 + }}", 10),
        ("ab ${{ x", 3),
        ("ab ${{ 'x }}", 7),
        ("${{ 1 }} ${{ a = b }}", 15),
        ("${{ 1 }} ${{}}", 12),
    ],
)
def test_a_mistake_in_a_template_has_its_place_in_the_text(text, offset):
    with pytest.raises(ExpressionError) as raised:
        template(text)
    assert raised.value.offset == offset


def test_a_mistake_at_run_time_has_its_place_in_the_text_each_time():
    text = "ab ${{ inputs.count }} ${{ inputs.zz }}"
    for _ in range(2):
        with pytest.raises(ExpressionError) as raised:
            template(text).render(SCOPE)
        assert raised.value.offset == 34


def test_a_value_is_shown_whole_or_not_at_all_so_that_a_secret_can_be_masked():
    with pytest.raises(ExpressionError) as raised:
        parse("int(item)").evaluate({"item": "secret" * 10})
    assert "secret" not in raised.value.message
