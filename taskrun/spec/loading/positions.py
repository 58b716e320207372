"""Where a character of a loaded string stands in the file, whatever way the string was written."""

from collections.abc import Iterator
from functools import lru_cache

from taskrun.regex import lazy
from taskrun.spec.marks import Mark

PROPERTIES = lazy(r"(?:[&!][^\s,\[\]{}]*\s+)+")
BLOCK_HEADER = lazy(r"[|>][+-]?([1-9]?)")
HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}
Place = tuple[int, int]  # line and column, from 0


def source_mark(text: str, start: Mark, offset: int) -> Mark:
    """The position of character ``offset`` of the string that begins at ``start`` in ``text``.

    An offset behind the end gives the last position known.
    """
    lines = _lines(text)
    line, column = start.line - 1, start.column - 1
    if not 0 <= line < len(lines):
        return start
    anchored = PROPERTIES.match(lines[line], column)
    if anchored:
        column = anchored.end()
    place = (line, column)
    for count, found in enumerate(_places(lines, line, column)):
        place = found
        if count >= offset:
            break
    return Mark(place[0] + 1, place[1] + 1)


@lru_cache(maxsize=1)
def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n")]


def _places(lines: list[str], line: int, column: int) -> Iterator[Place]:
    """The places of all characters of the string, one by one."""
    first = lines[line][column : column + 1]
    if first in ("'", '"'):
        return _flowing(lines, line, column + 1, first)
    if first not in ("|", ">"):
        return _flowing(lines, line, column, "")
    indent = _block_indent(lines, line, column)
    return (_folded if first == ">" else _literal)(lines, line + 1, indent)


def _block_indent(lines: list[str], line: int, column: int) -> int:
    """The column in which the lines of a block begin."""
    header = BLOCK_HEADER.match(lines[line], column)
    if header and header[1]:
        lead = lines[line][:column]
        is_item = not lead.strip(" -")
        around = lead.rfind("-") if is_item else len(lead) - len(lead.lstrip(" -"))
        return around + int(header[1])
    for text in lines[line + 1 :]:
        if text.strip(" "):
            return len(text) - len(text.lstrip(" "))
    return 0


def _block_rows(lines: list[str], line: int, indent: int) -> Iterator[int]:
    """The numbers of the lines that belong to a block."""
    for number in range(line, len(lines)):
        text = lines[number]
        if text[:indent].strip(" "):
            return
        yield number


def _literal(lines: list[str], line: int, indent: int) -> Iterator[Place]:
    for number in _block_rows(lines, line, indent):
        end = max(len(lines[number]), indent)
        for column in range(indent, end):
            yield number, column
        yield number, end


def _folded(lines: list[str], line: int, indent: int) -> Iterator[Place]:
    blank: list[Place] = []
    before: int | None = None  # the last line that was not blank
    for number in _block_rows(lines, line, indent):
        text = lines[number][indent:]
        if not text:
            blank.append((number, len(lines[number])))
            continue
        if before is not None and not (blank and _is_flush(lines[before], indent) and text[0] not in " \t"):
            yield before, len(lines[before])
        yield from blank
        blank = []
        for column in range(indent, len(lines[number])):
            yield number, column
        before = number
    if before is not None:
        yield before, len(lines[before])
    yield from blank


def _is_flush(text: str, indent: int) -> bool:
    return text[indent] not in " \t"


def _flowing(lines: list[str], line: int, column: int, quote: str) -> Iterator[Place]:
    """Quoted and unquoted strings: a line break becomes a space, and blank lines line breaks."""
    while line < len(lines):
        text = lines[line]
        spaces: list[Place] = []  # not part of the string if the line ends behind them
        joined = False
        while column < len(text):
            width = _width(text, column, quote)
            if width == 0:
                yield line, column
                return
            if text[column] in " \t":
                spaces.append((line, column))
            elif column + width > len(text):
                joined = True  # a backslash that ends the line
                yield from spaces
                spaces = []
            else:
                yield from spaces
                spaces = []
                yield line, column
            column += width
        end = (line, spaces[0][1] if spaces else len(text))
        line += 1
        blank = []
        while line < len(lines) and not lines[line].strip():
            blank.append((line, 0))
            line += 1
        if joined:
            yield from blank
        else:  # one space, or as many line breaks as there are blank lines
            yield end
            yield from blank[:-1]
        column = len(lines[line]) - len(lines[line].lstrip()) if line < len(lines) else 0


def _width(text: str, column: int, quote: str) -> int:
    """How many characters of the file make the next one of the string; 0 where the quote closes it."""
    char = text[column]
    if quote == '"' and char == "\\":
        return 2 + HEX_ESCAPES.get(text[column + 1 : column + 2], 0)
    if quote and char == quote:
        return 2 if quote == "'" and text[column + 1 : column + 2] == "'" else 0
    return 1
