"""A line that a text shall have, in place of the one that ``match`` finds, or at the end."""

import re
from collections.abc import Sequence

from taskrun.errors import ActionError


def split(text: str) -> list[str]:
    """Lines with their ends, parted at line feeds only: other separators are content."""
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def ending_of(text: str) -> str:
    """How the lines of a text end: as its first one does."""
    first, found, _ = text.partition("\n")
    return "\r\n" if found and first.endswith("\r") else "\n"


def put_line(text: str, line: str, match: str | None) -> str:
    """With several matches the last one is replaced: in most configuration files the last one counts."""
    if "\n" in line or "\r" in line:
        raise ActionError("InvalidField", "line holds a line break; use block for several lines")
    lines, ending = split(text), ending_of(text)
    bare = [each.rstrip("\r\n") for each in lines]
    if line in bare:
        return text
    if match is not None:
        found = _last(bare, match)
        if found is not None:
            lines[found] = line + lines[found][len(bare[found]) :]
            return "".join(lines)
    return append(text, line, ending)


def _last(lines: Sequence[str], match: str) -> int | None:
    try:
        pattern = re.compile(match)
    except re.error as error:
        raise ActionError("InvalidField", f"match: {match!r} is not a regular expression: {error}") from error
    found = [number for number, line in enumerate(lines) if pattern.search(line)]
    return found[-1] if found else None


def append(text: str, line: str, ending: str) -> str:
    if text and not text.endswith("\n"):
        text += ending
    return text + line + ending
