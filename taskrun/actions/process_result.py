"""What a finished program leaves: ``exit_code stdout stderr json lines``, read only when asked for."""

from collections.abc import Iterator, Mapping, Sequence
from os import O_CLOEXEC, O_RDONLY, close, fstat
from os import open as open_file
from os import read as read_file
from typing import Any, NoReturn

from taskrun.actions.base import Result, UnexpectedResultError
from taskrun.actions.json_values import parse_json
from taskrun.actions.lazy_values import LazyValues
from taskrun.errors import ActionError, ExpressionError

VALUE_LIMIT = 1024 * 1024  # bytes of one value in an expression

_MEANINGS = {126: "the command was found but cannot be executed", 127: "command not found"}


class ProcessValues(LazyValues):
    """The name ``result``: its text is read from the attempt's files on first use.

    A run of many tasks whose output nobody asks for never opens their logs. What is larger than 1 MiB
    is refused, not cut short: half a value in an ``outputs`` would be believed.
    """

    LAZY = ("stdout", "stderr", "json", "lines")

    def __init__(self, exit_code: int, out_path: str, err_path: str | None) -> None:
        super().__init__(exit_code=exit_code)
        self.paths = {"stdout": out_path, "stderr": err_path}

    def make(self, key: str) -> Any:
        if key == "lines":
            stdout = self["stdout"]
            return [line.removesuffix("\r") for line in stdout.split("\n")] if stdout else []
        if key == "json":
            return parse_json(self["stdout"])
        path = self.paths[key]
        return "" if path is None else _text(path, key)


def _text(path: str, key: str) -> str:
    try:
        data = _read_all(path, key)
    except OSError as error:
        raise ExpressionError(f"result.{key} cannot be read: {error.strerror}: {path}") from error
    return data.decode("utf-8", "replace").rstrip("\n")


def _read_all(path: str, key: str) -> bytes:
    descriptor = open_file(path, O_RDONLY | O_CLOEXEC)
    try:
        size = fstat(descriptor).st_size
        if size > VALUE_LIMIT:
            _too_large(key, size)
        data = b""
        while len(data) <= VALUE_LIMIT and (chunk := read_file(descriptor, VALUE_LIMIT)):
            data += chunk
    finally:
        close(descriptor)
    if len(data) > VALUE_LIMIT:  # something the task left behind is still writing
        _too_large(key, len(data))
    return data


def _too_large(key: str, size: int) -> NoReturn:
    raise ExpressionError(
        f"result.{key}: the output is {size:,} bytes; an expression can use at most {VALUE_LIMIT:,}",
        hint='print less, or write what is needed to "$TASKRUN_OUTPUT"',
    )


def expected(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """The exit codes that mean success: the field ``expect``, a number, or a list that may hold lists."""
    given = fields.get("expect", 0)
    if type(given) is int:  # a number is what it mostly is
        return (given,)
    codes = tuple(_codes(given))
    if not codes:
        raise ActionError("InvalidField", "expect is an empty list: no exit code could ever be right")
    return codes


def _codes(expect: Any) -> Iterator[int]:
    if isinstance(expect, list | tuple):
        for item in expect:
            yield from _codes(item)
    elif isinstance(expect, int) and not isinstance(expect, bool):
        yield expect
    elif isinstance(expect, str) and expect.strip().isdecimal():
        yield int(expect)
    else:
        raise ActionError("InvalidField", f"expect: {expect!r} is not an exit code")


def finish(fields: Mapping[str, Any], exit_code: int, out_path: str, err_path: str | None) -> Result:
    """The result of a program that exited; UnexpectedResultError("ExitCode") unless it was expected."""
    result = Result(ProcessValues(exit_code, out_path, err_path))
    expect = expected(fields)
    if exit_code not in expect:
        raise UnexpectedResultError("ExitCode", exit_message(exit_code, expect), result, exit_code=exit_code)
    return result


def exit_message(exit_code: int, expect: Sequence[int] = (0,)) -> str:
    message = f"exit code {exit_code}"
    if tuple(expect) != (0,):
        message += f", expected {' or '.join(map(str, expect))}"
    meaning = _MEANINGS.get(exit_code)
    if meaning is None and exit_code > 128 and (name := _signal_name(exit_code - 128)):
        meaning = f"a program in it was killed by {name}"
    return f"{message} ({meaning})" if meaning else message


def signal_message(number: int) -> str:
    """How the driver words an attempt that a signal ended: ``killed by signal 9 (SIGKILL)``."""
    name = _signal_name(number)
    return f"killed by signal {number} ({name})" if name else f"killed by signal {number}"


def _signal_name(number: int) -> str | None:
    from signal import Signals  # noqa: PLC0415 - only a failure needs it

    try:
        return Signals(number).name
    except ValueError:
        return None
