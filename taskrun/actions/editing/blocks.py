"""Lines between two marker lines, replaced as a whole."""

from taskrun.actions.editing.lines import append, ending_of, split
from taskrun.errors import ActionError

MARKER = "taskrun"


def put_block(text: str, block: str, marker: str | None) -> str:
    """An empty block takes the marker lines away too; a text without them gets them at its end."""
    begin, end = _marks(marker or MARKER)
    lines, ending = split(text), ending_of(text)
    bare = [each.strip() for each in lines]
    first, last = _find(bare, begin), _find(bare, end)
    new = [f"{each}{ending}" for each in [begin, *_inner(block), end]] if block else []
    if first is None and last is None:
        if not new:
            return text
        return append(text, "".join(new).removesuffix(ending), ending)
    if first is None or last is None or last < first:
        here, missing = (end, begin) if first is None else (begin, end)
        raise ActionError("InvalidFile", f"there is a line {here!r} without its {missing!r}")
    if new and last == len(lines) - 1 and not lines[last].endswith("\n"):
        new[-1] = new[-1].removesuffix(ending)
    return "".join([*lines[:first], *new, *lines[last + 1 :]])


def _inner(block: str) -> list[str]:
    return [line.removesuffix("\r") for line in block.removesuffix("\n").split("\n")]


def _marks(marker: str) -> tuple[str, str]:
    """``# BEGIN name`` and ``# END name``; a marker with ``{mark}`` in it says itself how such a line looks."""
    if "\n" in marker or "\r" in marker or not marker.strip():
        raise ActionError("InvalidField", f"marker: {marker!r} is not one line of text")
    pattern = marker.strip() if "{mark}" in marker else f"# {{mark}} {marker.strip()}"
    return pattern.replace("{mark}", "BEGIN"), pattern.replace("{mark}", "END")


def _find(lines: list[str], wanted: str) -> int | None:
    found = [number for number, line in enumerate(lines) if line == wanted]
    if len(found) > 1:
        raise ActionError(
            "InvalidFile", f"there are {len(found)} lines {wanted!r}, and only one can be meant"
        )
    return found[0] if found else None
