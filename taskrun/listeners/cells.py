"""Text cut to a width in terminal cells. rich knows how wide a character is; it is only asked about text that is not ASCII."""

from taskrun.listeners.screen import Style


def width_of(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - 16 ms that plain text does not need

    return cell_len(text)


def fit(text: str, width: int, style: Style) -> tuple[str, int]:
    """`text` cut to at most `width` cells, and how many it takes; a cut is marked."""
    if width <= 0:
        return "", 0
    text = text[: 4 * width]  # characters without a width of their own may pile up on one cell
    taken = width_of(text)
    if taken <= width:
        return text, taken
    mark = style.ellipsis if width > 3 else ""
    room = width - (1 if style.unicode else 3) * bool(mark)
    if text.isascii():
        return text[:room] + mark, width
    from rich.cells import set_cell_size  # noqa: PLC0415 - as above

    return set_cell_size(text, room) + mark, width


def pad(text: str, width: int, style: Style) -> str:
    """Exactly `width` cells."""
    cut, taken = fit(text, width, style)
    return cut + " " * (width - taken)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, as far as the words allow; never none."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer) > width:
            lines.append(line.rstrip())
            line = word
        else:
            line = longer
    return [*lines, line]
