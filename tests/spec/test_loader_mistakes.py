"""What is said about broken YAML: the id, the place and the words, with either parser."""

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.catalog.loading import ENTRIES
from taskrun.spec.loader import load_text
from taskrun.spec.loading import parser


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def backend(request, monkeypatch):
    if request.param == "pure":
        monkeypatch.setattr(parser, "c_events", lambda text: None)
    return request.param


def diagnose(text):
    """All diagnostics of a text, errors or not."""
    data = text if isinstance(text, bytes) else text.encode()
    try:
        return list(load_text(data, "f.yaml").diagnostics)
    except WorkflowError as error:
        return list(error.diagnostics)


SYNTAX = {
    # tabs
    "a: 1\n\tb: 2\n": "TR121 2:1 a tab where YAML wants spaces",
    "a:\n\tb: 2\n": "TR121 2:1 a tab where",
    "\ta: 1": "TR121 1:1 a tab where",
    "a:\n  - x\n\t- y\n": "TR121 3:1 a tab where",
    "a: |\n  x\n\ty\n": "TR121 3:1 a tab where",
    "- a\n-\tb\n": "TR121 2:2 a tab where",
    "a:\n  b: 1\n \tc: 2\n": "TR121 3:2 a tab where",
    # brackets and expressions inside brackets
    "a: {x: ${{ y }}}\n": "TR122 1:8 `${{ y }}` inside brackets needs quotes",
    "a: [x, ${{ y.z }}-b]\n": "TR122 1:8 `${{ y.z }}-b` inside",
    "a: [t[0]]\n": "TR122 1:5 `t[0]` inside",
    "a: [x, b.c[0].d, z]": "TR122 1:8 `b.c[0].d` inside",
    "a: [x[0][1]]": "TR122 1:5 `x[0][1]` inside",
    "a: {x: b{1,2}}": "TR122 1:8 `b{1,2}` inside",
    "a: {x: ${{ y\n": "TR122 1:8 `${` inside",
    # text that needs quotes
    "a: echo b: c\n": "TR123 1:4 a colon and a space inside unquoted text",
    "- run: echo 'a: b'\n": "TR123 1:8 a colon",
    "if: ${{ a }}: c\n": "TR123 1:5 a colon",
    "a: @x\n": "TR123 1:4 text that begins with `@` needs quotes",
    "a: `x`\n": "TR123 1:4 text that begins with",
    "a: %x\n": "TR123 1:4 text that begins with `%`",
    "a: [|]\n": "TR123 1:5 text that begins with `|`",
    "a: *.txt\n": "TR123 1:4 text that begins with `*`",
    "a: & b\n": "TR123 1:4 text that begins with `&`",
    "run: [ -f x ] && y": "TR123 1:15 text after the closing `]`",
    "a: {b} c\n": "TR123 1:8 text after the closing `}`",
    # quotes
    'a: "x" y\n': "TR124 1:8 text after the closing quote",
    "a: 'it's'\n": "TR124 1:8 text after the closing quote",
    'a: "x" && y\n': "TR124 1:8 text after the closing quote",
    'a: "x\nb: c\n': 'TR124 1:4 the quote `"` is never closed',
    "'abc": "TR124 1:1 the quote `'` is never closed",
    'a: "x\n---\n': 'TR124 1:4 the quote `"` is never closed',
    # brackets
    "a: {b: c": "TR125 1:4 the bracket `{` is never closed",
    "a: [1, 2\n": "TR125 1:4 the bracket `[` is never closed",
    "a: {b: c\nd: e\n": "TR125 1:4 the bracket `{` is never closed",
    "k: [a, b\n\n\nz: 1": "TR125 1:4 the bracket `[` is never closed",
    "a: [b]]\n": "TR125 1:7 `]` does not belong here",
    "a: }\n": "TR125 1:4 `}` does not belong here",
    "a: [,]\n": "TR125 1:5 `,` does not belong here",
    'a: ["x" "y"]': "TR125 1:9 expected a comma or `]` here, for the `[` of line 1",
    "a: {b: c: d}": "TR125 1:9 expected a comma or `}`",
    # escapes
    'a: "\\d"\n': "TR126 1:5 `\\d` is no escape",
    'a: "x \\x1"\n': "TR126 1:7 `\\x` is no escape",
    # indentation
    "name: a\n  run: b": "TR127 2:3 indented deeper than `name` in line 1, which has its value already",
    "tasks:\n  - name: a\n     run: b\n": "TR127 3:6 indented deeper than `name` in line 2",
    "a: b # c\n\n  # d\n  e: f\n": "TR127 4:3 indented deeper than `a` in line 1",
    "a:\n   b: 1\n  c: 2\n": "TR127 3:3 begins in a column that fits nothing above",
    "a:\n    - b\n  - c\n": "TR127 3:3 begins in a column that fits nothing above",
    "- a\nb: c\n": "TR127 2:1 a key between the items of a list",
    "a: 1\n- b\n": "TR127 2:1 an item of a list between keys",
    # lines without a key
    "a\nb: c\n": "TR128 1:1 this line is neither a key with a value nor an item",
    "a: 1\nb\nc: 2\n": "TR128 2:1 this line is neither",
    "a:b\nc: d": "TR128 1:1 this line is neither",
    # tags
    "a: !<x\n": "TR132 1:4 tags are not used",
    "a: !e!x y\n": "TR132 1:4 tags are not used",
    "a: !!%80 c\n": "TR132 1:4 tags are not used",
    "a: !!python/object:os.system x\n": "TR132 1:4 tags are not used in workflows: `!!python/object:os.system`",
    "a: !include x\n": "TR132 1:4 tags are not used in workflows: `!include`",
    "a: !!binary x\n": "TR132 1:4 tags are not used in workflows: `!!binary`",
    "a: !!set {x}\n": "TR132 1:4 tags are not used in workflows: `!!set`",
    "!x [a]": "TR132 1:1 tags are not used in workflows: `!x`",
    "!x a: b": "TR132 1:1 tags are not used in workflows: `!x`",
    # the rest
    "a: | x\n": "TR120 1:6 the text of a block begins in the line after `|`",
    "a: >-2x": "TR120 1:7 the text of a block begins in the line after `>`",
    "a: - b\n": "TR120 1:4 a list cannot begin in the line of its key",
    "a: ? b\n": "TR120 1:4 the text is not YAML: mapping keys are not allowed",
    "%YAML 3.0\n---\na": "TR120 1:1 the text is not YAML: found incompatible YAML document",
    "a: &x *x\n": "TR120 1:7 the text is not YAML, while parsing a block mapping",
    "? [": "TR125 1:4 the file ends before a bracket is closed",
    # keys
    "true: x": "TR131 1:1 the key `true` is a boolean, not a string",
    "~: x": "TR131 1:1 the key `~` is null, not a string",
    "1.5: x": "TR131 1:1 the key `1.5` is a number, not a string",
    ": x": "TR131 1:1 a key is missing before the colon",
    "a:\n  : x": "TR131 2:3 a key is missing before the colon",
    "{?}": "TR131 1:3 a key is missing here",
    "[a]: x": "TR131 1:1 a list cannot be a key",
    "? {a: b}\n: x": "TR131 1:3 a mapping cannot be a key",
    "a: {{ x }}\n": "TR131 1:5 a mapping cannot be a key",
    "a: &x [1]\n*x : b\n": "TR131 2:1 the key `*x` repeats what is no string",
    # characters
    "a: \0b": "TR107 1:4 NUL character (U+0000)",
    "a: 'x\u2028y'": "TR107 1:6 line separator (U+2028)",
    "a: x\x85": "TR107 1:5 line separator (U+0085)",
    "a: \x1b[31m": "TR107 1:4 escape character (U+001B)",
    "# \x7f": "TR107 1:3 control character (U+007F)",
    "a: 1\n\ufeffb: 2": "TR107 2:1 byte order mark in the middle",
    "a: 1\rb: 2": "TR107 1:5 carriage return that ends no line",
    "# \u202e": "TR108 1:3 bidirectional control character (U+202E)",
    "\u00e9: 1\n\u00e9\u2066: 2": "TR108 2:2 bidirectional control character (U+2066)",
    'a: "\\0"': "TR109 1:4 a string with the NUL character",
    '"\\0": a': "TR109 1:1 a string with the NUL character",
    # documents
    "a: 1\n---\nb: 2\n": "TR111 2:1 a second document begins here",
    "---\n---\n": "TR111 2:1 a second document begins here",
}


@pytest.mark.parametrize("text", SYNTAX)
def test_a_mistake_is_named_at_its_place(text):
    errors = [found for found in diagnose(text) if found.severity == "error"]
    said = [f"{found.id} {found.line}:{found.column} {found.message}" for found in errors]
    assert any(line.startswith(SYNTAX[text]) for line in said), said


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("a: {x: ${{ y }}}\n", 'put it in quotes: "${{ y }}"'),
        ("tasks:\n  - name: a\n     run: b\n", "begin it in column 5"),
        ("a:\n   b: 1\n  c: 2\n", "line 2 begins in column 4; the mapping has its keys in column 1"),
        ("a:b\nc: d", "a key needs a colon and a space behind it"),
        ("a: {{ x }}\n", 'an expression is written in quotes and with a dollar sign: "${{ ... }}"'),
        ("1: x", 'put it in quotes: "1"'),
        ("a: \x07", 'remove it, or write "\\x07" in double quotes'),
        ("a: \u200f", 'remove it, or write "\\u200f" in double quotes'),
        ("a: 1\rb: 2\r", "save the file with LF or CRLF line ends"),
    ],
)
def test_the_help_says_what_to_write(text, help_):
    assert help_ in [found.help for found in diagnose(text)]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "# comment\n", "---\n", "---\n...\n", "\ufeff", "%YAML 1.2\n---\n"]
)
def test_an_empty_file_is_called_empty(text):
    (found,) = diagnose(text)
    assert (found.id, found.line) == ("TR110", 0)


@pytest.mark.parametrize(
    ("data", "id_", "line", "column"),
    [
        (b"name: caf\xe9\n", "TR105", 1, 10),
        (b"a: 1\nb: \xc3\xa9\xff", "TR105", 2, 5),
        (b"a: \xc3", "TR105", 1, 4),
        (b"a: \xed\xa0\x80", "TR105", 1, 4),
        (b"\xef\xbb\xbfa: \xff", "TR105", 1, 4),
        (b"\x7fELF\x02\x01\x01\0\0", "TR107", 1, 1),
        ("name: x".encode("utf-16"), "TR106", 0, 0),
        ("name: x".encode("utf-16-le"), "TR106", 0, 0),
        ("name: x".encode("utf-16-be"), "TR106", 0, 0),
        ("name: x".encode("utf-32"), "TR106", 0, 0),
        ("name: x".encode("utf-32-le"), "TR106", 0, 0),
        ("name: x".encode("utf-32-be"), "TR106", 0, 0),
    ],
)
def test_bytes_that_are_no_utf_8_are_named(data, id_, line, column):
    found = diagnose(data)[0]
    assert (found.id, found.line, found.column) == (id_, line, column)


def test_every_refused_character_is_reported_and_the_rest_still_read():
    found = diagnose("a: \x01\nb: \u202e\u202e\na: 2\n")
    assert [(one.id, one.line, one.column) for one in found] == [
        ("TR107", 1, 4),
        ("TR108", 2, 4),
        ("TR108", 2, 5),
        ("TR130", 3, 1),
    ]


def test_letters_of_every_script_and_emoji_are_welcome():
    assert diagnose("a: \u05e9\u05dc\u05d5\u05dd \u65e5\u672c \U0001f469\u200d\U0001f680\nb: \u00a0\n") == []


def test_tabs_inside_text_are_text(backend):
    assert diagnose("a: |\n  x\ty\nb: 'x\ty'\n") == []
    if backend == "libyaml":  # the parser in Python wants quotes here
        assert diagnose("a: x\ty\nb:\tx\n") == []


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("needs:\n  - a\n   - b\n", 3, 4, "no list item but a part of the text that begins in line 2"),
        ("a: one\n   two\n", 1, 4, "goes on to line 2"),
        ("a: one\n\n   two\n", 1, 4, "goes on to line 3"),
        ("a: [one\n   two]\n", 1, 5, "goes on to line 2"),
    ],
)
def test_unquoted_text_over_several_lines_is_a_warning(text, line, column, words):
    (found,) = diagnose(text)
    assert (found.id, found.severity, found.line, found.column) == ("TR150", "warning", line, column)
    assert words in found.message


@pytest.mark.parametrize(
    "text", ["a: |\n  x\n  y\n", "a: >\n  x\n  y\n", 'a: "x\n  y"\n', "a: 'x\n  y'\n", "a:\n  x\n"]
)
def test_text_that_is_meant_to_have_several_lines_is_none(text):
    assert diagnose(text) == []


def test_a_syntax_error_silences_the_warning_about_the_line_it_swallowed():
    assert [found.id for found in diagnose("name: a\n  run: b")] == ["TR127"]


def test_mistakes_before_a_syntax_error_are_told_with_it():
    assert [found.id for found in diagnose("a: 1\na: 2\nb: no\nc: [\n")] == ["TR130", "TR151", "TR125"]


def test_an_old_yaml_version_is_a_warning():
    (found,) = diagnose("%YAML 1.1\n---\na: b\n")
    assert (found.id, found.severity) == ("TR152", "warning")


@pytest.mark.parametrize("id_", [id_ for id_, entry in ENTRIES.items() if entry.bad.endswith("\n")])
def test_the_examples_of_the_catalog_are_true(id_):
    assert id_ in [found.id for found in diagnose(ENTRIES[id_].bad)]
    assert diagnose(ENTRIES[id_].good) == []
