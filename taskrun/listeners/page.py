"""A still table: drawn by rich on a terminal, as plain aligned columns anywhere else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from taskrun.listeners.screen import BOLD, FAINT, Style

if TYPE_CHECKING:
    from rich.console import Console

_DRAWN_BY_RICH = 500  # rows; it takes up to 1 ms for each
WIDE, MEDIUM = 72, 50  # columns of a terminal
_STYLES = {
    FAINT: "dim",
    BOLD: "bold",
    "31": "red",
    "32": "green",
    "33": "yellow",
    "35": "magenta",
    "36": "cyan",
}
_STYLES |= {"1;31": "bold red", "1;33": "bold yellow"}


class Cell(NamedTuple):
    """Text that is safe to print, and its colour."""

    text: str
    sgr: str = ""


class Column(NamedTuple):
    """On a narrow screen the text of columns that `may_fold` goes on in the next line, and one narrower
    than `least` goes without the column.
    """

    title: str
    may_fold: bool = False
    least: int = 0


class Page(NamedTuple):
    """`columns` is the terminal's width; None where there is no terminal."""

    style: Style
    columns: int | None

    def word(self, state: str) -> str:
        """With its symbol for people, alone for scripts."""
        return f"{self.style.symbol(state)} {state}" if self.columns else state

    def draw(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> str:
        if self.columns and len(rows) <= _DRAWN_BY_RICH:
            return self._by_rich(columns, rows, self.columns)
        return self._in_columns(columns, rows)

    def _in_columns(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> str:
        """As wide as the widest cell; nothing is cut, so that a script finds all of it."""
        every = [[Cell(column.title) for column in columns], *rows]
        widths = [max(len(cells[i].text) for cells in every) for i in range(len(columns))]
        lines = []
        for cells in every:
            padded = [
                self.style.paint(cell.sgr, cell.text.ljust(width))
                for cell, width in zip(cells, widths, strict=True)
            ]
            lines.append("  ".join(padded).rstrip())
        return "\n".join(lines) + "\n"

    def _by_rich(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> str:
        from rich.table import Table  # noqa: PLC0415 - rich and all it needs only where a table is drawn
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        shown = [i for i, column in enumerate(columns) if width >= column.least]
        filled = [i for i in shown if i == 0 or any(cells[i].text for cells in rows)]
        for i in filled:
            table.add_column(columns[i].title, no_wrap=not columns[i].may_fold, overflow="fold")
        for cells in rows:
            table.add_row(*[Text(cells[i].text, _STYLES.get(cells[i].sgr, "")) for i in filled])
        console = self._console(width)
        with console.capture() as captured:
            console.print(table)
        return "".join(line.rstrip() + "\n" for line in captured.get().splitlines())

    def _console(self, width: int) -> "Console":
        """Asked about nothing: what the terminal can do is known already."""
        from rich.console import Console  # noqa: PLC0415

        return Console(
            width=max(20, width - 1),
            force_terminal=self.style.colour,
            color_system="standard" if self.style.colour else None,
            legacy_windows=False,
            _environ={},
        )
