"""Expressions against Python, patterns against re, and everything against random input."""

import json
import re
import string
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from taskrun.errors import ExpressionError
from taskrun.spec.expressions import Expression, Template, has_expression, render, template
from taskrun.spec.language.patterns import Pattern
from taskrun.spec.language.tokens import tokenize
from taskrun.spec.templates import split
from taskrun.spec.values import Budget, equal, measure

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
PIECES = [
    *"+-*/%<>()[]{},.:='\"\\ \n!&|^~@#$?;`", "**", "//", "==", "!=", "<=", ">=", " and ", " or ", " not ", " in ", " if ", " else ", " is ",
    " for ", "lambda ", "true", "null", "1", "0", "2.5", "1e9", "a", "b", "inputs", "tasks.x-y", "len", "default", "matches", "'x'", '"y"', "json",
    "__class__", "\u00e9", "\0", "${{", "}}", "f'", "r'", "join", "range", "sorted", "999999999", "[0]", ".x",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
SCOPE = {
    "a": 3,
    "b": "text",
    "inputs": {"x": [1, 2], "y": None},
    "tasks": {"x-y": {"state": "SUCCESS"}},
    "item": [{}],
}


@given(source=SOUP | st.text(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_source_is_a_value_or_an_expression_error(source):
    started = time.process_time()
    try:
        measure(Expression(source).evaluate(SCOPE))
    except ExpressionError as error:
        assert error.message
        assert error.offset is not None
        assert 0 <= error.offset <= len(source)
    assert time.process_time() - started < 1


@given(source=SOUP)
@settings(max_examples=500, deadline=None)
def test_references_are_where_they_say(source):
    try:
        found = Expression(source).references
    except ExpressionError:
        return
    for path, offset, length in found:
        shown = source[offset : offset + length]
        assert shown.startswith(path[0])
        assert Expression(shown).references[0].path == path


LEAF = st.sampled_from(
    ["1", "2", "3.5", "0", "'a'", "'b'", "''", "[1, 2]", "['a']", "a", "b", "True", "None", "{'k': 1}"]
)


def _joined(inner):
    operator = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", " in ", " not in ", " and ", " or "]
    )
    binary = st.builds("({} {} {})".format, inner, operator, inner)
    flat = st.builds("{} {} {} {} {}".format, inner, operator, inner, operator, inner)
    unary = st.builds("({}({}))".format, st.sampled_from(["-", "+", "not "]), inner)
    choice = st.builds("({} if {} else {})".format, inner, inner, inner)
    part = st.builds("({})[{}]".format, inner, st.sampled_from(["0", "-1", "1:", ":1", "::-1", "9"]))
    call = st.builds("{}({})".format, st.sampled_from(["len", "abs", "sum", "sorted", "max"]), inner)
    return binary | flat | unary | choice | part | call


TREES = st.recursive(LEAF, _joined, max_leaves=8)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(source=TREES)
@settings(max_examples=500, deadline=None)
@example("2 ** -1")
@example("-2 ** 2")
@example("not 1 == 2")
@example("1 < 2 == True")
@example("1 - 2 - 3 * 4 / 2")
@example("1 if 0 else 2 if 0 else 3")
def test_what_both_can_compute_is_what_python_computes(source):
    try:
        mine = Expression(source).evaluate({"a": 3, "b": "text"})
    except ExpressionError:
        return  # stricter than Python in its types
    try:
        theirs = eval(source, {"a": 3, "b": "text"})
    except TypeError:
        theirs = None
    assume(
        (mine == theirs and type(mine) is type(theirs)) or not re.search("==|!=| in ", source)
    )  # true is not 1 here
    assert mine == theirs
    assert type(mine) is type(theirs)


@given(left=JSON, right=JSON)
def test_equality_is_that_of_values_and_types(left, right):
    def typed(value):
        if isinstance(value, list):
            return [typed(item) for item in value]
        if isinstance(value, dict):
            return {key: typed(item) for key, item in value.items()}
        return (isinstance(value, bool), value)

    assert equal(left, right, Budget()) == (typed(left) == typed(right))
    assert equal(left, json.loads(json.dumps(left)), Budget())


@given(value=JSON)
def test_a_value_comes_out_as_it_went_in(value):
    scope = {"x": value}
    assert template("${{ x }}").render(scope) == value
    assert render({"k": ["${{ x }}"]}, scope) == {"k": [value]}
    assert Expression("json(to_json(x))").evaluate(scope) == value


@given(
    text=st.text(max_size=20)
    | st.lists(
        st.sampled_from(["${{", "}}", "$", "{", "}", "'", '"', "\\", " a ", "{'k': 1}", "'}}'"]), max_size=12
    ).map("".join)
)
@settings(max_examples=400)
def test_a_text_is_split_without_loss(text):
    try:
        pieces = split(text)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(text)
        return
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text
    for piece in pieces:
        if piece.kind == "expression":
            assert text[piece.start :].startswith("${{")
            assert text[: piece.end].endswith("}}")
            assert text[piece.offset :].startswith(piece.text)
        else:
            assert "${{" not in piece.text or piece.kind == "escape"


@given(value=st.text(max_size=12).filter(lambda value: "${{" not in value and not value.endswith("$")))
def test_a_text_without_expressions_stays_as_it_is(value):
    assert template(value).render({}) == value
    assert not has_expression(value)


@given(value=st.text(st.characters(codec="utf-8"), max_size=12))
def test_any_text_can_be_written_as_a_string(value):
    assert (
        Expression(json.dumps(value, ensure_ascii=False)).evaluate({}) == value
        if "\x7f" not in value
        else True
    )
    escaped = "".join(f"\\U{ord(char):08x}" for char in value)
    assert Expression(f"'{escaped}'").evaluate({}) == value
    assert isinstance(template("${{ '" + escaped + "' }}"), Template)


def test_tokens_cover_the_source():
    source = "tasks . a-b .c + tasks.x - result.tasks.y-z * 'a\\'b' >= 1.5e3"
    rebuilt = list(" " * len(source))
    for token in tokenize(source):
        rebuilt[token.offset : token.offset + len(token.text)] = token.text
    assert "".join(rebuilt) == source


ATOM = st.sampled_from(
    [
        *"abc01 .-",
        "\\d",
        "\\w",
        "\\s",
        "\\D",
        "\\W",
        "\\.",
        "[ab]",
        "[^a]",
        "[a-c0-]",
        "[\\d.]",
        "[]a]",
        "[^]a]",
        "\\b",
        "\\B",
        "^",
        "$",
    ]
)


def _grown(inner):
    count = st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,}", "{0,2}", "{,1}"])
    repeated = st.builds("(?:{}){}".format, inner, count)
    return repeated | st.builds("{}{}".format, inner, inner) | st.builds("({}|{})".format, inner, inner)


PATTERNS = st.recursive(ATOM, _grown, max_leaves=8)


@given(source=PATTERNS, text=st.text("abc01 .-\n]_", max_size=10), fold=st.booleans())
@settings(max_examples=500, deadline=None)
def test_a_pattern_matches_where_re_finds_it(source, text, fold):
    assume(text or "\\B" not in source)  # re finds no \\B in an empty text, before 3.14
    full = "(?i)" + source if fold else source
    theirs = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", full), re.ASCII)
    assert Pattern(full).search(text, Budget()) == (theirs.search(text) is not None)


@given(source=st.text(string.printable, max_size=20))
@settings(max_examples=400)
def test_any_pattern_is_read_or_refused(source):
    try:
        Pattern(source).search("abc", Budget())
    except ExpressionError as error:
        assert error.message


@pytest.mark.parametrize("source", [r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", "(?>a)", "a++", "a**", "*a", "(a", "a)", "[a", "a\\", "[b-a]", "a{2,1}", "(?i:a)", "\\q", "a{1001}", "[[:alpha:]]", "^*"])  # fmt: skip
def test_what_a_pattern_cannot_hold_is_refused(source):
    with pytest.raises(ExpressionError):
        Pattern(source)


def test_a_pattern_ends_at_the_end_of_the_text_only():
    assert not Pattern("^a$").search("a\n", Budget())
    assert Pattern("(?i)STRASSE").search("die strasse", Budget())
    assert Pattern("^x{2}y{1,2}$").search("xxyy", Budget())
    assert Pattern("a{").search("a{", Budget())
