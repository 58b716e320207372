"""Annotations of GitHub Actions: a message at the line of a file that it is about."""

import os
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from taskrun.listeners.ci.commands import command, harmless


class Place(NamedTuple):
    """``line`` and ``column`` count from 1; 0 where nobody knows."""

    file: str
    line: int
    column: int = 0


def annotation(level: str, title: str, message: str, place: Place | None) -> str:
    where: dict[str, object] = {}
    if place is not None and place.file:
        where = {"file": seen_from_workspace(place.file), "line": place.line, "col": place.column}
    return command(level, message, {**where, "title": title})


def with_annotations(text: str, found: Iterable[Any]) -> str:
    """What a compiler would print, and behind it the same for the runner."""
    lines = [
        annotation(
            "error" if each.severity == "error" else "warning",
            each.id,
            each.message + (f"\nhelp: {each.help}" if each.help else ""),
            Place(each.path, each.line, each.column),
        )
        for each in found
    ]
    return harmless(text) + "".join(lines)


def seen_from_workspace(path: str) -> str:
    """Both find a file by its path in the repository."""
    root = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR") or os.getcwd()
    workspace = os.path.realpath(root)
    path = os.path.realpath(path)
    inside = os.path.relpath(path, workspace)
    return path if inside.startswith("..") else inside


def fingerprints(found: Iterable[Any]) -> list[str]:
    """The same for the same mistakes in another revision, though they have moved to other lines; no two alike."""
    from hashlib import sha256  # noqa: PLC0415 - only for this report

    seen: dict[tuple[str, ...], int] = {}
    prints = []
    for each in found:
        key = (each.id, seen_from_workspace(each.path), re.sub(r"\d+", "#", each.message))
        seen[key] = seen.get(key, 0) + 1
        prints.append(sha256("\0".join([*key, str(seen[key])]).encode()).hexdigest())
    return prints
