"""What each function of expressions gives."""

import pytest

from taskrun.spec.expressions import parse
from taskrun.spec.language.functions import PUBLIC

TABLE = [
    ("len('äb') + len([1]) + len({'a': 1})", 4),
    ("int(' 12\\n')", 12),
    ("int('-3')", -3),
    ("int(3.9)", 3),
    ("int(true)", 1),
    ("float('1e3')", 1000.0),
    ("float(2)", 2.0),
    ("[bool('False'), bool('yes'), bool(''), bool(0), bool([0]), bool(null)]", [False, True, False, False, True, False]),
    ("[str(1), str(1.5), str(true), str(null), str([1, 'a'])]", ["1", "1.5", "true", "", '[1, "a"]']),
    ("type(1) + ' ' + type(1.5) + ' ' + type([])", "integer number list"),
    ("json('{\"a\": [1, null]}')", {"a": [1, None]}),
    ("to_json({'é': true})", '{"é": true}'),
    ("lines('a\\r\\nb\\n\\nc\\n')", ["a", "b", "", "c"]),
    ("lines('')", []),
    ("trim('  a ') + trim('xxaxx', 'x')", "aa"),
    ("split(' a  b ')", ["a", "b"]),
    ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
    ("split('a,b,c', ',', 1)", ["a", "b,c"]),
    ("join(['a', 1, null, true], '-')", "a-1--true"),
    ("join([])", ""),
    ("replace('aXbX', 'X', '--')", "a--b--"),
    ("lower('ÀB') + upper('àb')", "àbÀB"),
    ("[matches('v1.20', '^v\\d+\\.\\d+$'), matches('v1.20\\n', '0$')]", [True, False]),
    ("[basename('/a/b.c'), basename('/a/b/'), basename('/'), basename('')]", ["b.c", "b", "/", ""]),
    ("[dirname('/a/b.c'), dirname('a'), dirname('/a'), dirname('/'), dirname('a//b/')]", ["/a", ".", "/", "/", "a"]),
    ("startswith('abc', 'ab') and endswith('abc', 'bc')", True),
    ("removeprefix('v1', 'v') + removesuffix('a.gz', '.gz')", "1a"),
    ("indent('a\\n\\nb', 2)", "  a\n\n  b"),
    ("sha256('abc')[:8]", "ba7816bf"),
    ("[quote(\"it's\"), quote(''), quote('a/b'), quote(5)]", ["'it'\"'\"'s'", "''", "a/b", "5"]),
    ("base64_decode(base64_encode('é\\n'))", "é\n"),
    ("url_encode('a b/é?&')", "a%20b%2F%C3%A9%3F%26"),
    ("min(3, 1, 2) + max([1, 5])", 6),
    ("min('b', 'a')", "a"),
    ("sum([1, 2, 0.5])", 3.5),
    ("sum([])", 0),
    ("sorted([3, 1, 2])", [1, 2, 3]),
    ("sorted(['b', 'a'])", ["a", "b"]),
    ("sorted([{'n': 2}, {'n': 1}], 'n')", [{"n": 1}, {"n": 2}]),
    ("reversed([1, 2])", [2, 1]),
    ("reversed('ab')", "ba"),
    ("[range(3), range(1, 3), range(5, 0, -2), range(0)]", [[0, 1, 2], [1, 2], [5, 3, 1], []]),
    ("[abs(-3), round(2.6), round(1.234, 2), floor(-1.5), ceil(1.2)]", [3, 3, 1.23, -2, 2]),
    ("contains('hello', 'ell') and contains([1, [2]], [2]) and contains({'a': 1}, 'a')", True),
    ("[contains([1], true), contains(['1'], 1), 1 in [1.0], null in [0, null]]", [False, False, True, True]),
    ("keys({'a': 1}) + values({'a': 1})", ["a", 1]),
    ("items({'a': 1})", [{"key": "a", "value": 1}]),
    ("[first([1, 2]), last([1, 2]), first('ab')]", [1, 2, "a"]),
    ("unique([1, 1.0, true, '1', '1', [1], [1], {'a': 1, 'b': 2}, {'b': 2, 'a': 1}])", [1, True, "1", [1], {"a": 1, "b": 2}]),
    ("flatten([1, [2, [3]], []])", [1, 2, [3]]),
    ("merge({'a': 1, 'b': 1}, {'b': 2})", {"a": 1, "b": 2}),
    ("pluck([{'id': 1}, {'id': 2}], 'id')", [1, 2]),
    ("where([{'s': 'up', 'n': 1}, {'s': 'down'}, {}], 's', 'up')", [{"s": "up", "n": 1}]),
    ("[all([1, true]), all([1, 0]), any([0, '']), any([0, 1])]", [True, False, False, True]),
    ("default(null, 'x') + default('y', 'x')", "xy"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TABLE)
def test_a_function_gives_its_value(source, expected):
    assert parse(source).evaluate({}) == expected


def test_every_function_is_shown_here():
    shown = " ".join(source for source, _ in TABLE)
    assert [name for name in PUBLIC if f"{name}(" not in shown] == []


def test_no_function_changes_its_arguments():
    scope = {"list": [3, 1, [2]], "map": {"b": {"c": 1}}, "numbers": [2, 1]}
    for source in (
        "merge(map, {'b': 2})", "flatten(list)", "sorted(numbers)", "unique(list)", "reversed(list)", "list + [1]",
        "items(map)", "keys(map)", "list[:1]", "numbers * 2",
    ):  # fmt: skip
        parse(source).evaluate(scope)
        assert scope == {"list": [3, 1, [2]], "map": {"b": {"c": 1}}, "numbers": [2, 1]}
