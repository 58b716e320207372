"""What a stream can show: is it a terminal, how large, with colours, with more than ASCII; and which display `--output` means."""

import os
from collections.abc import Mapping
from typing import NamedTuple

_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")  # what Python itself puts into LC_CTYPE in the C locale


class Style(NamedTuple):
    """How to draw. Meaning is always in the words; colour and symbols only make them quicker to find."""

    colour: bool
    unicode: bool

    def paint(self, sgr: str, text: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self.colour and sgr and text.strip() else text

    def symbol(self, state: str) -> str:
        return SYMBOLS.get(state, "?? ")[0 if self.unicode else 1]

    def state(self, state: str, width: int = 0) -> str:
        """Symbol and word, `width` cells wide together."""
        return self.paint(COLOURS.get(state, ""), f"{self.symbol(state)} {state}".ljust(width))

    @property
    def ellipsis(self) -> str:
        return "…" if self.unicode else "..."

    @property
    def dot(self) -> str:
        return " · " if self.unicode else ", "


FAINT, BOLD = "2", "1"
SYMBOLS = {
    "PENDING": "○.",
    "RUNNING": "●>",
    "SUCCESS": "✓+",
    "FAILURE": "✗x",
    "RETRYING": "↻~",
    "REVERTING": "◂<",
    "REVERTED": "↶-",
    "REVERT_FAILURE": "!!",
    "IGNORE": "⊘/",
    "UNKNOWN": "??",
    "SUSPENDING": "‖=",
    "SUSPENDED": "‖=",
    "RESUMING": "●>",
    "INTERRUPTED": "!!",
}
COLOURS = {
    "PENDING": FAINT,
    "RUNNING": "36",
    "SUCCESS": "32",
    "FAILURE": "31",
    "RETRYING": "33",
    "REVERTING": "35",
    "REVERTED": "35",
    "REVERT_FAILURE": "1;31",
    "IGNORE": FAINT,
    "UNKNOWN": "1;33",
    "SUSPENDING": "33",
    "SUSPENDED": "33",
    "RESUMING": "36",
    "INTERRUPTED": "1;33",
}


def size(fd: int) -> tuple[int, int]:
    """Columns and lines of the terminal at `fd`; 80 x 24 where nobody knows."""
    try:
        columns, lines = os.get_terminal_size(fd)
    except OSError:
        return 80, 24
    return columns or 80, lines or 24


def is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def style_for(fd: int, color: str = "auto", environ: Mapping[str, str] = os.environ) -> Style:
    """`color` is `always`, `never` or `auto`: then `NO_COLOR` beats `FORCE_COLOR` and `CLICOLOR_FORCE`, which beat what the stream is."""
    colour = _has_colour(fd, environ) if color == "auto" else color == "always"
    return Style(colour, speaks_utf8(environ) and environ.get("TERM") not in ("dumb", "linux"))


def _has_colour(fd: int, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_terminal(fd) and environ.get("TERM") != "dumb" and environ.get("CLICOLOR") != "0"


def speaks_utf8(environ: Mapping[str, str]) -> bool:
    """The locale's character set. Where Python replaced a bare C locale itself, `LANG` tells what was asked for."""
    chosen = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C.UTF-8"
    if not environ.get("LC_ALL") and environ.get("LC_CTYPE") in _COERCED and environ.get("LANG"):
        chosen = environ["LANG"]
    return chosen.lower().replace("-", "").partition(".")[2].startswith("utf8") or chosen == "UTF-8"


class Display(NamedTuple):
    """`kind` is `table`, `plain` or `ndjson`; `fd` is where it goes."""

    kind: str
    fd: int


def display_for(output: str, environ: Mapping[str, str], *, stdout: int = 1, stderr: int = 2) -> Display:
    """What `--output` comes to. The table is progress and goes to stderr where that is a terminal; the lines and events of a run
    whose output is read by something else go to stdout. A terminal that cannot move its cursor gets lines.
    """
    if output == "ndjson":
        return Display("ndjson", stdout)
    can_draw = environ.get("TERM", "dumb") != "dumb"
    wanted = output == "table" or (output == "auto" and is_terminal(stdout))
    for fd in (stderr, stdout):
        if wanted and can_draw and is_terminal(fd):
            return Display("table", fd)
    return Display("plain", stdout)
