"""Where the characters of a string stand in its file."""

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taskrun.spec.loader import Mark, load_text, source_mark


def place(text, offset, key="a"):
    root = load_text(text.encode(), "f.yaml").root
    return tuple(source_mark(text, root.value_marks[key], offset))


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("a: hello\n", 0, (1, 4)),
        ("a: hello\n", 4, (1, 8)),
        ("a: hello\n", 5, (1, 9)),
        ("a: hello\n", 99, (1, 9)),
        ("a: 'it''s x'\n", 5, (1, 11)),
        ("a: 'it''s'\n", 5, (1, 10)),
        ('a: "\\x41\\u00e9\\U0001f680\\nz"\n', 4, (1, 27)),
        ('a: "x\\ty"\n', 2, (1, 8)),
        ('a: "x\\\n   y"\n', 1, (2, 4)),
        ('a: "x  \n   y"\n', 1, (1, 6)),
        ('a: "x\n\n\n   y"\n', 3, (4, 4)),
        ("a: |\n  one\n  two\n", 0, (2, 3)),
        ("a: |\n  one\n  two\n", 3, (2, 6)),
        ("a: |\n  one\n  two\n", 4, (3, 3)),
        ("a: |\n\n    one\n", 1, (3, 5)),
        ("a: |2\n    one\n", 0, (2, 3)),
        ("a: |-2\n    one\n", 2, (2, 5)),
        ("a: >\n  one\n  two\n\n  three\n", 4, (3, 3)),
        ("a: >\n  one\n  two\n\n  three\n", 8, (5, 3)),
        ("a: >\n  one\n    two\n  three\n", 4, (3, 3)),
        ("a: &x hello\n", 1, (1, 8)),
        ("a: &x 'hello'\n", 1, (1, 9)),
        ("a: &x |\n  hello\n", 1, (2, 4)),
        ("a: one\r\nb: 2\r\n", 2, (1, 6)),
    ],
)
def test_a_character_of_a_string_has_a_position(text, offset, expected):
    assert place(text, offset) == expected


def test_an_item_with_an_indentation_indicator_counts_from_its_dash():
    text = "- |2\n    x\n"
    assert source_mark(text, Mark(1, 3), 0) == (2, 3)


def test_a_mark_outside_of_the_text_is_given_back():
    assert source_mark("a: b\n", Mark(9, 1), 3) == Mark(9, 1)


LINES = st.lists(
    st.text(st.sampled_from("abc \u00e9\u65e5'\"\\:#${}"), max_size=12).map(str.strip), min_size=1, max_size=5
)


@settings(max_examples=400, deadline=None)
@given(
    lines=LINES,
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    separator=st.sampled_from(["\n", " ", "\n  "]),
)
def test_every_character_is_found_where_it_was_written(lines, style, separator):
    value = separator.join(lines)
    text = yaml.safe_dump({"a": value}, default_style=style, allow_unicode=True, width=20)
    assume(yaml.safe_load(text)["a"] == value)  # the writer folds some leading blanks wrongly
    root = load_text(text.encode(), "f.yaml").root
    assert root["a"] == value
    rows = text.split("\n")
    for offset, char in enumerate(value):
        line, column = source_mark(text, root.value_marks["a"], offset)
        written = rows[line - 1][column - 1 : column]
        if char not in " \n" and written != "\\":
            assert written == char
