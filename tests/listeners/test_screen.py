"""What a stream can show, and where the display goes."""

import os
import pty

import pytest

from taskrun.listeners.screen import (
    COLOURS,
    SYMBOLS,
    Display,
    Style,
    display_for,
    size,
    speaks_utf8,
    style_for,
)


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    yield slave
    os.close(master)
    os.close(slave)


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "en_US.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "de_DE"}, False),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),  # Python put it there
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
    ],
)
def test_the_locale_decides_about_symbols(environ, unicode) -> None:
    assert speaks_utf8(environ) is unicode


@pytest.mark.parametrize(
    ("environ", "on_terminal", "on_pipe"),
    [
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "linux"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False),
        ({"TERM": "xterm", "CLICOLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, True, True),
        ({"CLICOLOR_FORCE": "0", "TERM": "xterm"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_the_usual_variables_decide_about_colour(terminal, pipe, environ, on_terminal, on_pipe) -> None:
    assert style_for(terminal, environ=environ).colour is on_terminal
    assert style_for(pipe, environ=environ).colour is on_pipe


def test_plain_terminals_get_plain_symbols(terminal) -> None:
    assert not style_for(terminal, environ={"TERM": "linux", "LANG": "C.UTF-8"}).unicode
    assert not style_for(terminal, environ={"TERM": "dumb", "LANG": "C.UTF-8"}).unicode
    assert style_for(terminal, environ={"TERM": "xterm", "LANG": "C.UTF-8"}).unicode


def test_every_state_has_a_symbol_of_each_kind_a_colour_and_always_its_word() -> None:
    assert set(SYMBOLS) == set(COLOURS)
    for state, (symbol, plain) in SYMBOLS.items():
        assert plain.isascii()
        assert not symbol.isascii() or symbol in "!?"
        for style in (Style(False, False), Style(True, True)):
            assert state in style.state(state)


def test_auto_draws_a_table_only_for_a_person(terminal, pipe) -> None:
    term = {"TERM": "xterm"}
    assert display_for("auto", term, stdout=terminal, stderr=terminal) == Display("table", terminal)
    assert display_for("auto", term, stdout=pipe, stderr=terminal) == Display("plain", pipe)
    assert display_for("auto", term, stdout=terminal, stderr=pipe) == Display("table", terminal)
    assert display_for("auto", {"TERM": "dumb"}, stdout=terminal, stderr=terminal) == Display(
        "plain", terminal
    )
    assert display_for("auto", {}, stdout=terminal, stderr=terminal) == Display("plain", terminal)


def test_an_asked_for_output_is_given_where_it_can_be(terminal, pipe) -> None:
    term = {"TERM": "xterm"}
    assert display_for("table", term, stdout=pipe, stderr=terminal) == Display("table", terminal)
    assert display_for("table", term, stdout=pipe, stderr=pipe) == Display("plain", pipe)
    assert display_for("plain", term, stdout=terminal, stderr=terminal) == Display("plain", terminal)
    assert display_for("ndjson", term, stdout=pipe, stderr=terminal) == Display("ndjson", pipe)


def test_an_unknown_size_is_80_by_24(pipe, terminal) -> None:
    assert size(pipe) == (80, 24)
    assert size(terminal) == (80, 24)  # a new pseudo-terminal says 0 x 0


def test_an_option_beats_the_variables(terminal, pipe) -> None:
    assert style_for(pipe, "always", {"NO_COLOR": "1"}).colour
    assert not style_for(terminal, "never", {"TERM": "xterm", "FORCE_COLOR": "1"}).colour
