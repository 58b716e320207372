"""No source and no value makes an expression slow, large or dangerous."""

import time

import pytest

from taskrun.errors import ExpressionError
from taskrun.spec.expressions import Expression, template

MOST_SECONDS = 2.0  # without the bound these would take minutes; a busy machine must not matter
SCOPE = {
    "big": "a" * 1_048_000,
    "words": " a" * 500_000,
    "newlines": "\n" * 1_000_000,
    "quotes": "'" * 1_000_000,
    "numbers": list(range(100_000)),
    "strings": [f"x{number}" for number in range(60_000)],
    "maps": [{"k": number, "id": str(number)} for number in range(30_000)],
    "map": {f"k{number}": number for number in range(60_000)},
    "huge": 10**4000,
    "nested_json": "[" * 900 + "]" * 900,
    "long_json": "[" + "1," * 400_000 + "1]",
    "deep": [],
}
for _ in range(900):
    SCOPE["deep"] = [SCOPE["deep"]]


def many(source, times=100):
    return "[" + ",".join([source] * times) + "]"


ONCE = [
    "'a' * 10**9", "['a'] * 10**9", "range(10000)", "range(0, 10**18)", "9**9**9", "2**64", "2**63 * 2", "(-1)**0.5", "10.0**308 * 10",
    "huge + 1", "huge * huge", "str(huge)", "-huge", "2.5**huge", "huge == huge", "round(huge)", "'a' * huge",
    "upper(big)", "replace(big, 'a', 'bb')", "split(big, 'a')", "split(words)", "lines(newlines)", "big + big", "big + 'x' * 500",
    "join(split(words), 'xxxxxxxxxxxxxxxxxxxxxxxx')", "join(strings)", "sorted(numbers)", "sorted(strings)", "unique(strings)", "unique(numbers)",
    "unique(maps)", "unique([deep, deep])", "flatten([numbers, numbers])", "merge(map, map)", "items(map)", "sorted(maps, 'id')",
    "where(maps, 'k', 5)", "pluck(maps, 'id')", "-1 in numbers", "true in numbers", "maps[0] in maps", "strings == reversed(reversed(strings))",
    "map == merge(map, {})", "maps == maps[:]", "deep == deep[:]", "sum(numbers)", "max(numbers)", "sha256(big)", "quote(quotes)",
    "base64_decode(big)", "url_encode(big)", "json(nested_json)", "json(long_json)", "to_json(map)", "to_json(deep)", "str(numbers)", "deep",
    "[deep, deep]", "numbers", "map", "maps", "indent(newlines, 100)", "contains(big, 'a' * 1000 + 'b')", "int(big)", "float(big)", "int('9' * 999)",
    "matches(big, '(a+)+$')", "matches(big, '(a|aa)+$')", "matches(big, '(a*)*b')", "matches(big[:30000], '(x+x+)+y')",
    "matches('ab' * 15000, '(a|b)*a(a|b){12}c')", "matches('ab' * 1500, '(a|b)*a(a|b){200}c')", "matches('a', '((a{1000}){1000}){1000}')",
    "matches('a' * 3000, '(a{30}){60}b')", "matches('a', '" + "(" * 100 + "a" + ")" * 100 + "')", "matches(big, '.*.*.*.*.*.*b')",
    "matches('x' * 1000, '(.{0,100}){0,19}y')", "matches('a' * 10000, '(a?){900}b')", "matches('a', '(((((a?)*)*)*)*)*b')",
]  # fmt: skip
REPEATED = [
    "upper(big)", "len(upper(big))", "sorted(strings)[0]", "len(split(words))", "-1 in numbers", "strings == reversed(strings)",
    "len(reversed(big))", "len(big[1:])", "len(big[2:] + big[3:])", "big == big[:]", "big[1:] < big", "contains(big, 'aab')",
    "len(lines(newlines))", "sum(numbers)", "max(numbers)", "len(items(map))", "len(merge(map, map))", "len(replace(big, 'ab', 'c'))",
    "len(json(long_json))", "len(trim(words))", "len(to_json(numbers[:50000]))", "len(unique(numbers[:50000]))", "len(sorted(maps, 'id'))",
    "strings in [strings]", "len(numbers + [1])", "len([1] * 100000)", "len(range(10000))", "last(split(big, 'b')) == 1", "big", "numbers", "len(sha256(big))",
    "default(map.missing, 1)", "default(missing, 1)",
]  # fmt: skip
SOURCES = [
    "(" * 3000, "(" * 33 + "1" + ")" * 33, "[" * 4000, "{" * 2000, "not " * 900 + "1", "-" * 4000 + "1", "1 if 1 else " * 300 + "1",
    "1" + "**1" * 1000, "a." * 2000 + "b", "x" + "[0]" * 1300, "'" + "\\" * 4000, "'" * 4000, "a" * 5000, "1+" * 2000 + "1", "1 < " * 800 + "1",
    "[" + "1," * 2000, "len(" * 900, "a.b" * 1000, "'a'" * 1000, "$" * 4000, "[[[[" * 8 + "1" + "]]]]" * 8,
]  # fmt: skip


@pytest.mark.parametrize(
    "source", ONCE + [many(source) for source in REPEATED] + SOURCES, ids=lambda source: source[:40]
)
def test_the_work_of_an_expression_is_bounded(source):
    fastest = min(_seconds(source) for _ in range(3))
    assert fastest < MOST_SECONDS


def _seconds(source):
    started = time.process_time()
    try:
        Expression(source).evaluate(SCOPE)
    except ExpressionError:
        pass
    return time.process_time() - started


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1" * 4097, "at most 4096 characters"),
        ("+".join(["1"] * 501), "more than 500 parts"),
        ("(" * 33 + "1" + ")" * 33, "deeper than 32"),
        ("'a' * 1048577", "too large: at most 1 MiB"),
        ("big + big", "too large"),
        ("[big, big]", "too large"),
        ("numbers * 2", "too large"),
        ("'a' * 10**18", "too large"),
        ("deep", "nested deeper"),
        ("2 ** 64", "too large: whole numbers end at 2**64"),
        ("1e308 * 10", "too large"),
        ("ceil(1e300)", "too large"),
        ("round(1e300)", "too large"),
        ("range(10001)", "at most 10000"),
        (many("len(upper(big))"), "too much work"),
        ("matches('a', '" + "a" * 501 + "')", "at most 500"),
        ("matches('a', '(a{500}){500}')", "too large"),
    ],
)
def test_a_limit_says_what_it_is(source, message):
    with pytest.raises(ExpressionError) as raised:
        Expression(source).evaluate(SCOPE)
    assert message in raised.value.message
    assert raised.value.offset is not None


def test_the_values_in_one_text_are_limited_together():
    with pytest.raises(ExpressionError, match="too large"):
        template("${{ big }} ${{ big }}").render(SCOPE)


def test_whether_there_is_enough_fuel_does_not_depend_on_earlier_evaluations():
    expression = Expression("matches('ab' * 1500, '(a|b)*a(a|b){12}c')")
    first = _outcome(expression)
    assert all(_outcome(expression) == first for _ in range(3))


def _outcome(expression):
    try:
        return expression.evaluate(SCOPE)
    except ExpressionError as error:
        return error.message


class Tempting:
    """What no expression may reach, were it ever in the scope."""

    secret = "reached"

    def __getitem__(self, key):
        return "reached"

    def __str__(self):
        return "reached"


ESCAPES = [
    "''.__class__", "().__class__.__bases__[0].__subclasses__()", "[].__class__.__base__", "inputs.__class__", "inputs['__class__']",
    "{}.__init__.__globals__", "len.__globals__", "len.__self__", "''.__class__.__mro__[1]", "(1).__class__", "''['__class__']",
    "__import__('os').system('id')", "__builtins__", "globals()", "locals()", "vars()", "dir()", "eval('1')", "exec('1')", "compile('1', '', 'eval')",
    "open('/etc/passwd')", "getattr('', 'upper')", "setattr(inputs, 'a', 1)", "type('')('x')", "type(1).mro()", "breakpoint()", "help()", "input()",
    "'{0.__class__}'.format(1)", "'%s' % inputs", "f'{1}'", "'{x}'.format_map(inputs)", "str.format('{0.__class__}', 1)", "str('a').format", "''.join",
    "lambda: 1", "(lambda: 1)()", "[x for x in (1,)]", "{x for x in (1,)}", "{x: x for x in (1,)}", "(x for x in (1,))", "(yield 1)", "await x",
    "(x := 1)", "x = 1", "import os", "del inputs", "assert 1", "raise x", "inputs.update({})", "inputs.pop('a')", "inputs.items()", "[].append(1)",
    "(1).real", "1.5.hex()", "object.x", "object['secret']", "object()", "object", "str(object)", "to_json(object)", "[object]", "object == object.secret",
    "join([object])", "sorted([object, object])", "unique([object])", "max([object, object])", "quote(object)", "{'a': object}", "url_encode(object)",
    "function()", "function.__globals__", "[function]", "module.system('id')", "module.path", "raw", "raw[0]", "raw.decode", "pair[0]", "exotic.a",
    "default(function, 1)", "default(object.x, 1)", "len(object)", "keys(object)", "first(pair)", "object + 'a'", "'a' + object", "-object", "not_there(object)",
    "module.__dict__", "len.__call__(1)", "len[0]", "len.x", "true.__class__", "null.__class__", "0 .__class__", "1e5.__class__", "[1][0].__class__",
    "pluck([object], 'secret')", "where([object], 'secret', 1)", "merge(inputs, object)", "sum([object])", "range(object)", "matches(object, 'a')", "items(object)",
]  # fmt: skip


@pytest.mark.parametrize("source", ESCAPES)
def test_no_way_out_of_json_values_is_open(source):
    import os

    scope = {
        "inputs": {"a": 1},
        "object": Tempting(),
        "function": os.system,
        "module": os,
        "raw": b"bytes",
        "pair": (1, 2),
        "exotic": {"a": {1, 2}},
    }
    with pytest.raises(ExpressionError):
        Expression(source).evaluate(scope)
