"""The file ``$TASKRUN_OUTPUT``: what a task says its outputs are.

Three kinds of line, in any mixture; of two with the same name the last one counts:

    version=1.4.2            a string
    notes<<END               a string of several lines, up to a line that is only END
    first
    END
    {"id": 42, "ok": true}   JSON: every key is an output, with its type
"""

import os
import stat
from collections.abc import Iterator
from typing import Any

from taskrun.actions.json_values import parse_json
from taskrun.errors import ActionError

FILE_LIMIT = 1024 * 1024
NAME_LIMIT = 128

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_REST = _FIRST | frozenset("0123456789-")


def parse(path: str) -> dict[str, Any]:
    """The outputs in the file; none if there is no file. Garbage is an ActionError with its line."""
    return parse_text(_read(path))


def parse_text(data: bytes) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _problem(data.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from error
    outputs: dict[str, Any] = {}
    lines = iter(enumerate(text.split("\n"), 1))
    for number, raw in lines:
        line = raw.removesuffix("\r")
        if not line.strip():
            continue
        if line.lstrip().startswith("{"):
            outputs.update(_json_line(number, line))
            continue
        name, separator, rest = _split(line)
        if not separator:
            raise _problem(number, f"expected name=value, name<<END or a JSON object, found {_shown(line)}")
        _check_name(number, name)
        outputs[name] = _block(number, name, rest, lines) if separator == "<<" else rest
    return outputs


def _read(path: str) -> bytes:
    try:
        # The task could have put anything here: never follow a link, never wait for a FIFO's writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ActionError("InvalidOutput", f"$TASKRUN_OUTPUT cannot be read: {error.strerror}") from error
    try:
        return _read_open(descriptor)
    finally:
        os.close(descriptor)


def _read_open(descriptor: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ActionError("InvalidOutput", "$TASKRUN_OUTPUT is not a regular file any more")
    data = b""
    while len(data) <= FILE_LIMIT and (chunk := os.read(descriptor, FILE_LIMIT)):
        data += chunk
    if len(data) > FILE_LIMIT:
        raise ActionError(
            "InvalidOutput",
            f"$TASKRUN_OUTPUT holds more than {FILE_LIMIT:,} bytes: outputs are small values; "
            "write large ones to a file of your own and put its path here",
        )
    return data


def _split(line: str) -> tuple[str, str, str]:
    """At ``=`` or ``<<``, whichever comes first: a value may contain the other."""
    equals, block = line.find("="), line.find("<<")
    if block >= 0 and (equals < 0 or block < equals):
        return line[:block], "<<", line[block + 2 :]
    return line.partition("=")


def _block(number: int, name: str, end: str, lines: Iterator[tuple[int, str]]) -> str:
    if not end:
        raise _problem(number, f"{name}<< needs a word that will end the value")
    value: list[str] = []
    for _, raw in lines:
        line = raw.removesuffix("\r")
        if line == end:
            return "\n".join(value)
        value.append(line)
    raise _problem(number, f"the value of {name} has no end: no line is {_shown(end)}")


def _json_line(number: int, line: str) -> dict[str, Any]:
    value = parse_json(line)
    if not isinstance(value, dict):
        raise _problem(number, f"this is not a JSON object: {_shown(line)}")
    for name in value:
        _check_name(number, name)
    return value


def _check_name(number: int, name: str) -> None:
    if not name or len(name) > NAME_LIMIT or name[0] not in _FIRST or not _REST.issuperset(name):
        hint = "; no spaces around it" if name.strip() != name else ""
        raise _problem(number, f"{_shown(name)} cannot be the name of an output{hint}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _problem(number: int, message: str) -> ActionError:
    return ActionError("InvalidOutput", f"$TASKRUN_OUTPUT, line {number}: {message}")
