"""The other side of the action ``python``: run as a script by the task's interpreter, never imported.

It reads what to do from standard input, leaves the value (or the exception) as JSON in a file, and ends
with 0, with 1 after an exception, or as ``sys.exit`` says. Works on any Python from 3.9 on, and imports
only what it needs: a task in a line of a thousand starts it anew.
"""

import sys

if __name__ == "__main__" and sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]  # the folder of this file: its http.py must not stand before the library's

import json
import os

_MESSAGE_LIMIT = 10_000
_CODE = "<code of the task>"


class NotJSON(Exception):  # noqa: N818 - its name is the failure's type
    """A value that cannot be handed on to other tasks."""


class TooLarge(Exception):  # noqa: N818 - its name is the failure's type
    """A value that is no value but data."""


def main() -> int:
    wanted = json.loads(_read(int(_read(11))))
    _forget(wanted["value"])
    sys.path.insert(0, wanted["folder"])
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        value = _run(wanted["code"], wanted["args"]) if wanted["call"] is None else _call(wanted)
        _leave(wanted["value"], _encoded(value, wanted["limit"]))
    except SystemExit:
        raise
    except BaseException as error:  # the task's failure, whatever it is
        _leave(wanted["value"], json.dumps({"error": type(error).__name__, "message": _message(error)}))
        _print_traceback(error, wanted["code"])
        return 1
    return 0


def _read(count: int) -> bytes:
    """Exactly so many bytes: what follows is the standard input of the code that is called."""
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            raise SystemExit("taskrun: the description of the task on standard input is cut short")
        data += chunk
    return data


def _run(code: str, args: "dict[str, object] | None") -> object:
    namespace = {"__name__": "__taskrun__", **(args or {})}
    exec(compile(code, _CODE, "exec"), namespace)  # noqa: S102 - running the author's code is the action
    return namespace.get("result")


def _call(wanted: "dict[str, object]") -> object:
    from importlib import import_module  # noqa: PLC0415 - code does without

    module, _, path = str(wanted["call"]).partition(":")
    function: object = import_module(module)
    for name in path.split("."):
        function = getattr(function, name)
    if not callable(function):
        raise TypeError(f"{wanted['call']} is a {type(function).__name__}, not a function")
    args = wanted["args"]
    if isinstance(args, dict):
        return function(**args)
    return function(*args) if isinstance(args, list) else function()


def _encoded(value: object, limit: int) -> str:
    try:
        text = json.dumps({"value": value}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJSON(f"the value is a {type(value).__name__} that is not JSON: {error}") from None
    if len(text) > limit:
        raise TooLarge(f"the value is {len(text):,} bytes of JSON; a task can hand on {limit:,}")
    return text


def _leave(path: str, text: str) -> None:
    """All of it or nothing: the process may be killed at any moment."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _forget(path: str) -> None:
    """What an earlier process of the same attempt left is not this one's value."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _message(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception as broken:
        message = f"its message cannot be shown: {type(broken).__name__}"
    return message if len(message) <= _MESSAGE_LIMIT else message[:_MESSAGE_LIMIT] + "…"


def _print_traceback(error: BaseException, code: "str | None") -> None:
    """To the task's log, from the author's first line on."""
    import linecache  # noqa: PLC0415 - only failures print one
    import traceback  # noqa: PLC0415

    if code is not None:
        linecache.cache[_CODE] = (len(code), None, code.splitlines(keepends=True), _CODE)
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace)


if __name__ == "__main__":
    sys.exit(main())
