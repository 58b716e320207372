"""Diagnostics as records, as an error, and as text that is safe to print."""

import re
from pathlib import Path

import pytest

from taskrun import spec
from taskrun.errors import WorkflowError
from taskrun.spec.catalog import CATALOG
from taskrun.spec.diagnostics import (
    Diagnostic,
    InvalidWorkflowError,
    has_errors,
    in_order,
    nearest,
    render_plain,
)
from taskrun.spec.excerpt import harmless, render_excerpt


def found(
    line=1, column=1, *, id_="TR130", severity="error", message="wrong", help_=None, length=1, path="f.yaml"
):
    return Diagnostic(id_, severity, message, path, line, column, help_, length)


def test_a_diagnostic_becomes_a_dict_with_all_its_fields():
    assert found(2, 3, help_="do this", length=4).to_dict() == {
        "id": "TR130",
        "severity": "error",
        "message": "wrong",
        "path": "f.yaml",
        "line": 2,
        "column": 3,
        "help": "do this",
        "length": 4,
    }


def test_diagnostics_are_ordered_by_position_and_each_kept_once():
    assert in_order([found(2), found(1, 5), found(1, 2), found(2)]) == [found(1, 2), found(1, 5), found(2)]


def test_warnings_alone_are_no_errors():
    assert not has_errors([found(severity="warning")])
    assert has_errors([found(severity="warning"), found()])


def test_the_error_names_the_first_mistake_and_counts_the_others():
    error = InvalidWorkflowError([found(9), found(2, 3), found(1, severity="warning")], {"f.yaml": "text"})
    assert isinstance(error, WorkflowError)
    assert str(error) == "f.yaml:2:3: wrong (and 1 more)"
    assert [diagnostic.line for diagnostic in error.diagnostics] == [1, 2, 9]
    assert error.sources == {"f.yaml": "text"}


def test_the_error_message_is_harmless():
    assert str(InvalidWorkflowError([found(message="\x1b[31m")], {})) == "f.yaml:1:1: \\x1b[31m"


def test_a_rendered_diagnostic_shows_the_line_and_carets_below_what_is_meant():
    text = "name: one\n  run: echo\n"
    shown = render_plain(
        [found(2, 3, message="no such key", help_="did you mean ran?", length=3)], {"f.yaml": text}
    )
    assert shown.split("\n") == [
        "f.yaml:2:3: error[TR130] no such key",
        "  |",
        "2 |   run: echo",
        "  |   ^^^",
        "  = help: did you mean ran?",
    ]


def test_the_gutter_is_as_wide_as_the_line_number():
    shown = render_plain([found(100, help_="a\nb")], {"f.yaml": "x\n" * 100})
    assert shown.split("\n")[1:] == ["    |", "100 | x", "    | ^", "    = help: a", "            b"]


def test_several_diagnostics_are_set_apart_by_an_empty_line():
    assert "\n\nf.yaml:2:1" in render_plain([found(1), found(2)], {"f.yaml": "a\nb\n"})


@pytest.mark.parametrize("sources", [{}, {"other.yaml": "x"}, {"f.yaml": "x"}])
def test_without_the_line_there_is_no_excerpt(sources):
    assert render_plain([found(7)], sources) == "f.yaml:7:1: error[TR130] wrong"


def test_a_diagnostic_of_the_whole_file_has_neither_line_nor_excerpt():
    assert render_plain([found(0, 0)], {"f.yaml": "text"}) == "f.yaml: error[TR130] wrong"


def test_carriage_returns_of_line_ends_are_not_shown():
    assert "\\x0d" not in render_plain([found()], {"f.yaml": "a: 1\r\nb: 2\r\n"})


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\tb", "a\\tb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\u00a0b", "a\\xa0b"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("line\nbreak", "line\\x0abreak"),
        ("caf\u00e9 \u65e5", "caf\u00e9 \u65e5"),
        ("\U0001f680", "\U0001f680"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_written_as_an_escape(raw, shown):
    assert harmless(raw) == shown


def test_paths_messages_and_help_are_made_harmless():
    shown = render_plain([found(path="\x1b.yaml", message="\x1b", help_="\x1b")], {"\x1b.yaml": "\x1b"})
    assert "\x1b" not in shown
    assert shown.count("\\x1b") == 4


@pytest.mark.parametrize(
    ("line", "column", "length", "carets"),
    [
        ("abc", 2, 1, " ^"),
        ("abc", 2, 99, " ^^"),
        ("abc", 4, 1, "   ^"),
        ("abc", 99, 1, "   ^"),
        ("", 1, 1, "^"),
        ("\tabc", 2, 3, "  ^^^"),
        ("\tabc", 1, 1, "^^"),
        ("\u65e5\u672c x", 4, 1, "     ^"),
        ("\u65e5\u672c", 1, 1, "^^"),
        ("e\u0301x", 3, 1, " ^"),
        ("\x1bx", 2, 1, "    ^"),
        ("abc", 1, 0, "^"),
    ],
)
def test_carets_stand_below_the_cells_of_the_characters(line, column, length, carets):
    assert render_excerpt(line, column, length)[1] == carets


@pytest.mark.parametrize("column", [1, 30, 150, 270, 300])
def test_a_long_line_is_clipped_around_the_caret(column):
    line = "".join(chr(ord("a") + number % 26) for number in range(300))
    shown, carets = render_excerpt(line, column, 1)
    assert len(shown) <= 106
    assert shown[carets.index("^")] == line[column - 1]
    assert shown.startswith("...") == (column > 41)
    assert shown.endswith("...") == (column < 240)


def test_a_line_of_megabytes_is_clipped_without_being_walked_through():
    shown, carets = render_excerpt("\u65e5" * 5_000_000, 2_500_000, 3)
    assert len(shown) < 110
    assert carets.strip() == "^^^^^^"


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("rn", ["name", "run"], "run"),
        ("taks", ["tasks", "takes"], "tasks"),
        ("tsaks", ["tasks"], "tasks"),
        ("NAME", ["name"], "name"),
        ("on-failure", ["on_failure"], "on_failure"),
        ("need", ["needs", "name"], "needs"),
        ("descripton", ["description"], "description"),
        ("revret", ["revert", "retry"], "revert"),
        ("bananas", ["name", "tasks"], None),
        ("x", ["y"], None),
        ("", ["a"], None),
        ("x" * 65, ["x" * 65], None),
        ("abc", [], None),
    ],
)
def test_the_nearest_name_is_found_and_nothing_far_fetched(word, candidates, expected):
    assert nearest(word, candidates) == expected


def test_of_equally_near_names_the_first_is_taken():
    assert nearest("taskx", ["task1", "task2"]) == "task1"


def test_every_id_in_the_source_has_a_page_in_the_catalog():
    source = Path(spec.__file__).parent
    used = {
        id_
        for file in source.rglob("*.py")
        if "catalog" not in file.parts
        for id_ in re.findall(r"\bTR\d{3}\b", file.read_text(encoding="utf-8"))
    }
    assert used - set(CATALOG) == set()


def test_every_page_of_the_loading_catalog_is_about_an_id_in_use():
    source = Path(spec.__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in (source / "loading").glob("*.py"))
    assert [id_ for id_ in CATALOG if id_.startswith("TR1") and id_ not in text] == []


@pytest.mark.parametrize("id_", CATALOG)
def test_every_page_of_the_catalog_says_something(id_):
    entry = CATALOG[id_]
    assert re.fullmatch(r"TR\d{3}", id_)
    assert all(entry)
    assert (
        entry.title[0].islower()
        or entry.title.split()[0].isupper()
        or entry.title.startswith(("YAML", "UTF", "NUL"))
    )
    assert entry.explanation.rstrip().endswith((".", "`.", ")"))
    assert entry.bad != entry.good
