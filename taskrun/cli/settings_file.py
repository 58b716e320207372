"""Reads a file of settings, and says all that is wrong with it, each with its place. Loaded where there is a file."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from taskrun.cli.settings import KEYS, PYPROJECT, Found, Key
from taskrun.errors import UsageError
from taskrun.spec.diagnostics import Diagnostic, InvalidWorkflowError, nearest

_LARGEST = 1024 * 1024
_QUOTES = 'a setting is written `name = value`, and text in quotes: `color = "never"`'
_MENTION = re.compile(
    r"^\s*\[+\s*tool\s*\.\s*[\"']?taskrun|^\s*(?:tool\s*\.\s*)?[\"']?taskrun[\"']?\s*[.=]", re.MULTILINE
)
_AT = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$")


@cache
def has_table(path: str) -> bool:
    """Whether a ``pyproject.toml`` says anything about taskrun."""
    text = _text(path)
    return _MENTION.search(text) is not None and "taskrun" in _tool(_parsed(path, text))


@cache  # it is asked for more than once while a command starts
def read(path: str, origin: str) -> dict[str, Found]:
    """The settings of a file.

    Raises:
        InvalidWorkflowError: it has mistakes; carries all of them.
    """
    text = _text(path)
    tree = _parsed(path, text)
    table = _tool(tree)["taskrun"] if path.endswith(PYPROJECT) else tree
    if not isinstance(table, dict):
        raise InvalidWorkflowError(
            [_problem(path, text, "taskrun", "TR903", "a table is needed")], {path: text}
        )
    problems = list(_problems(path, text, table, origin))
    if problems:
        raise InvalidWorkflowError(problems, {path: text})
    folder = os.path.dirname(os.path.abspath(path))
    return {
        key: Found(_value(value, KEYS[key], folder), origin, f"{path}:{_place(text, key)[0]}")
        for key, value in table.items()
    }


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"the settings in {path} cannot be read: {error.strerror}") from error


def _parsed(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.match(str(error))
        message, line, column = (found[1], int(found[2]), int(found[3])) if found else (str(error), 0, 0)
        message = message[:1].lower() + message[1:]
        raise InvalidWorkflowError(
            [Diagnostic("TR901", "error", f"this is no TOML: {message}", path, line, column, _QUOTES)],
            {path: text},
        ) from error


def _tool(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    found = tree.get("tool")
    return found if isinstance(found, dict) else {}


def _problems(path: str, text: str, table: Mapping[str, Any], origin: str) -> Iterator[Diagnostic]:
    for name, value in table.items():
        key = KEYS.get(name)
        if key is None:
            near = nearest(name, KEYS)
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(KEYS)}"
            yield _problem(path, text, name, "TR902", f"there is no setting `{name}`", hint)
        elif origin == "project" and not key.in_project:
            message = f"`{name}` holds for all projects, or `taskrun states` would look elsewhere than `run`"
            yield _problem(
                path, text, name, "TR904", message, "write it into the file of `taskrun config path`"
            )
        else:
            wanted, advice = _wanted(value, key)
            if wanted:
                message = f"`{name}` must be {wanted}"
                yield _problem(path, text, name, "TR903", message, advice, of_value=True)


def _wanted(value: Any, key: Key) -> tuple[str, str | None]:
    """What the value should be; nothing if it is."""
    if key.kind == "flag":
        return "" if isinstance(value, bool) else "true or false", None
    if key.kind == "number":
        fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= key.most
        return "" if fits else f"a whole number from 1 to {key.most:,}", None
    if key.kind == "path":
        return "" if isinstance(value, str) and value else "a path in quotes", None
    if value in key.choices:
        return "", None
    near = nearest(value, key.choices) if isinstance(value, str) else None
    return f"one of {', '.join(key.choices)}", f"did you mean `{near}`?" if near else None


def _value(value: Any, key: Key, folder: str) -> Any:
    return os.path.join(folder, os.path.expanduser(value)) if key.kind == "path" else value


def _problem(
    path: str,
    text: str,
    name: str,
    id_: str,
    message: str,
    hint: str | None = None,
    *,
    of_value: bool = False,
) -> Diagnostic:
    line, column, at_value = _place(text, name)
    length = len(name)
    if of_value and at_value:
        column = at_value
        length = len(text.split("\n")[line - 1].partition(" #")[0].rstrip()) - column + 1
    return Diagnostic(id_, "error", message, path, line, column, hint, max(length, 1))


def _place(text: str, name: str) -> tuple[int, int, int]:
    """Line and column of a key, and the column of its value; zeros where it is written in some unusual way."""
    quoted = re.escape(name)
    own = re.compile(rf"^\s*(?:tool\s*\.\s*taskrun\s*\.\s*)?([\"']?{quoted}[\"']?)\s*=\s*")
    table = re.compile(r"^\s*\[\s*tool\s*\.\s*taskrun\b")
    lines = text.split("\n")
    begin = next((i for i, line in enumerate(lines) if table.match(line)), 0)
    for number in (*range(begin, len(lines)), *range(begin)):
        found = own.match(lines[number])
        if found:
            return number + 1, found.start(1) + 1, found.end() + 1
    header = re.compile(rf"^\s*\[\s*(?:tool\s*\.\s*taskrun\s*\.\s*)?({quoted})\s*\]")
    for number, line in enumerate(lines):
        found = header.match(line)
        if found:
            return number + 1, found.start(1) + 1, 0
    return 0, 0, 0
