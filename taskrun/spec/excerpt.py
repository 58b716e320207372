"""Shows one line of a file with carets under the place that is meant, whatever characters the line holds."""

WIDEST = 100  # terminal cells of an excerpt
BEFORE = 40  # of these, kept before the carets when the line is clipped
ELLIPSIS = "..."
TWO_CELLS = frozenset("WF")  # East Asian wide and full-width
NO_CELL = frozenset(("Mn", "Me"))


def harmless(text: str) -> str:
    """``text`` with everything a terminal would obey or hide written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_cell(char)[0] for char in text)


def render_excerpt(line: str, column: int, length: int) -> tuple[str, str]:
    """The line and the carets below it, both clipped to the same window around ``column`` (from 1)."""
    start = min(max(column - 1, 0), len(line))
    left, right = _window(line, start)
    head = ELLIPSIS if left else ""
    tail = ELLIPSIS if right < len(line) else ""
    end = min(max(start + length, start + 1), right)
    indent = len(head) + _width(line[left:start])
    carets = " " * indent + "^" * max(_width(line[start:end]), 1)
    return f"{head}{harmless(line[left:right])}{tail}", carets


def _window(line: str, start: int) -> tuple[int, int]:
    """The part of the line to show: all of it if it fits."""
    if len(line) <= WIDEST and _width(line) <= WIDEST:
        return 0, len(line)
    left, used = start, 0
    while left and used < BEFORE:
        left -= 1
        used += _cell(line[left])[1]
    right = start
    while right < len(line) and used < WIDEST:
        used += _cell(line[right])[1]
        right += 1
    return left, right


def _width(text: str) -> int:
    return sum(_cell(char)[1] for char in text)


def _cell(char: str) -> tuple[str, int]:
    """What to print for a character and the terminal cells that takes."""
    if " " <= char <= "~":
        return char, 1
    if char == "\t":
        return r"\t", 2
    if not char.isprintable():
        escaped = _escaped(ord(char))
        return escaped, len(escaped)
    import unicodedata  # noqa: PLC0415 - a table of a megabyte that plain English files never need

    if unicodedata.category(char) in NO_CELL:
        return char, 0
    return char, 2 if unicodedata.east_asian_width(char) in TWO_CELLS else 1


def _escaped(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
