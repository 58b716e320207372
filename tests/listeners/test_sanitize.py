"""Nothing that a task prints can steer the terminal, hide what it says, or be lost."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskrun.listeners.sanitize import clean, one_line

HOSTILE = [
    b"\x1b]52;c;cm0gLXJmIH4=\x07",  # clipboard
    b"\x1b]52;c;cm0gLXJmIH4=\x1b\\",
    b"\x1b]0;title\x07",
    b"\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",  # hyperlink
    b"\x1bP+q544e\x1b\\",  # DCS
    b'\x1bP$q"p\x1b\\',
    b"\x1b_Gf=100;AAAA\x1b\\",  # APC: kitty graphics
    b"\x1b^private\x1b\\",
    b"\x1bX sos \x1b\\",
    b"\x1b[2J\x1b[3J\x1b[H",
    b"\x1b[6n\x1b[c\x1b[>c\x1b[5n",  # answers are typed into the shell
    b"\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?2004h",
    b"\x1b[20t\x1b[21t",  # report the title
    b"\x1b[8mhidden\x1b[28m",  # conceal
    b"\x1b[5mblink\x1b[6m",
    b"\x1bc\x1b7\x1b8\x1bD\x1bM\x1bE",
    b"\x1b(0lqqk\x1b(B\x0e\x0f",  # line drawing
    b"\x1b#8\x1b%G\x1b%@",
    b"\x1b[31",
    b"\x1b[31;",
    b"\x1b[" + b"1;" * 5000 + b"m",
    b"\x1b[38;5m\x1b[38m\x1b[38;2;1;2m\x1b[38;5;999m\x1b[48;9;1m",
    b"\x1b[?31m\x1b[>4;2m\x1b[=1m\x1b[31 m\x1b[3\x001m",
    b"\x1b\x1b[31m\x1b",
    b"\x9b2J\x9b31m",  # C1 as single bytes
    b"\xc2\x9b2J\xc2\x9d0;x\xc2\x9c\xc2\x90\xc2\x85",  # C1 in UTF-8
    b"\x90q\x9c\x9d52;c;x\x9c",
    b"\r overwritten\r\n\x08\x08\x08back\x7f\x00\x0b\x0c",
    b"safe\r\x1b[2Kevil",
    "user\u202etxt.exe\u202c \u2066x\u2069 \u200f\u061c".encode(),
    "zero\u200bwidth\u200d\u2060\ufeff\u00ad\u180e".encode(),
    "\u034f\u115f\u1160\u3164\uffa0\U000e0001\U000e0061\U000e0100\ufe00".encode(),
    "line\u2028para\u2029next\u0085".encode(),
    b"\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82",
    b"\xc0\x9b\xe0\x80\x9b31m",  # overlong ESC-like forms
    b"[red]not markup[/red] \\[bold]",
    b"\x05\x1b[0c\x1bZ",
]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def assert_harmless(text: str, *, colours: bool = False) -> None:
    rest = COLOUR.sub("", text) if colours else text
    for character in rest:
        assert character in "\n\t" or unicodedata.category(character) not in (
            "Cc",
            "Cf",
            "Cs",
            "Cn",
            "Co",
            "Zl",
            "Zp",
        ), ascii(rest)
    text.encode("utf-8")


@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_sequences_are_shown_and_never_sent(data: bytes) -> None:
    assert_harmless(clean(data))
    assert_harmless(clean(data, colours="drop"))
    assert_harmless(clean(data, colours="keep"), colours=True)
    assert clean(data, ascii_only=True).isascii()
    assert_harmless(clean(data, ascii_only=True))
    assert "\n" not in one_line(data)
    assert "\t" not in one_line(data)


@given(st.binary(max_size=200))
@example(b"\x1b[31m\n\x1b[0m")
@example(b"\x1b[31m\x1b\n")
def test_no_bytes_whatever_reach_the_terminal_as_control(data: bytes) -> None:
    assert_harmless(clean(data))
    assert_harmless(clean(data, colours="keep"), colours=True)
    assert_harmless(one_line(data))
    for colours in ("show", "drop", "keep"):
        shown = clean(data, ascii_only=True, colours=colours)
        assert shown.isascii()
        assert_harmless(shown, colours=colours == "keep")


_pieces = st.sampled_from(
    [
        "\x1b",
        "[",
        "31m",
        "0m",
        ";",
        "38;5;7",
        "m",
        "\n",
        "a",
        "é",
        "\u202e",
        "\x9b",
        "\x1b[1;32m",
        "8m",
        "\r\n",
    ]
)


@given(st.lists(_pieces, max_size=30).map("".join))
def test_no_mixture_of_pieces_becomes_a_sequence(text: str) -> None:
    for colours in ("show", "drop", "keep"):
        assert_harmless(clean(text, colours=colours), colours=colours == "keep")


@given(st.lists(_pieces, max_size=30).map("".join))
def test_every_line_ends_without_colour(text: str) -> None:
    for line in clean(text, colours="keep").split("\n"):
        sequences = COLOUR.findall(line)
        assert not sequences or sequences[-1] == "\x1b[0m"


@given(st.text(max_size=100))
def test_visible_text_stays_as_it_is(text: str) -> None:
    visible = "".join(c for c in text if c.isprintable() and c == clean(c))
    assert clean(visible) == visible


def test_what_is_shown_can_be_read() -> None:
    assert clean(b"a\x1b[2Jb\x00\x7f") == "a␛[2Jb␀␡"
    assert clean(b"a\x1b[2J\x7f", ascii_only=True) == "a^[[2J^?"
    assert clean("\u202e\x9b\u200b") == "<U+202E><U+009B><U+200B>"
    assert clean(b"\x9bok\xff") == "\\x9bok\\xff"
    assert clean("ok \ud800") == "ok <U+D800>"
    assert clean("⚠\ufe0f ✔\ufe0f 日本 é") == "⚠ ✔ 日本 é"
    assert clean("日", ascii_only=True) == "<U+65E5>"


def test_colours_are_shown_kept_or_dropped() -> None:
    text = "\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink\x1b[8mhidden"
    assert clean(text) == "␛[1;31mred␛[0m ␛[38;5;200mpink␛[8mhidden"
    assert clean(text, colours="drop") == "red pink␛[8mhidden"
    assert clean(text, colours="keep") == "\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink␛[8mhidden\x1b[0m"
    assert clean("\x1b[38;2;1;2;3mx", colours="keep") == "\x1b[38;2;1;2;3mx\x1b[0m"


def test_line_ends_and_tabs_pass_and_carriage_returns_are_seen() -> None:
    assert clean("a\tb\r\nc\rd\n") == "a\tb\nc␍d\n"
    assert one_line("a\tb\r\n\n c\n") == "a b  c"


def test_a_megabyte_of_escapes_is_cleaned_quickly() -> None:
    shown = clean(b"\x1b[" * 500_000, colours="keep")
    assert shown == "␛[" * 500_000
