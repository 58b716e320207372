"""The action ``python``: a function or a piece of code, in a process of its own.

``call: module:function`` with ``args`` (a map by name, a list by position), or ``code`` with ``args`` as its
variables and ``result`` as what it gives. The workflow's folder is importable. What it prints is the task's
log; what it returns must be JSON and is ``result.value`` (and ``result.json``). An exception is the task's
failure, with its class as the type. See ``python_child`` for the other side.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, ProcessSpec, Result, UnexpectedResultError
from taskrun.actions.json_values import parse_json
from taskrun.actions.process_result import VALUE_LIMIT, expected
from taskrun.actions.process_result import finish as judge
from taskrun.actions.run import directory
from taskrun.actions.values import environment, path_in, text_of
from taskrun.errors import ActionError

KIND = "python"
MODE: Literal["process"] = "process"
MAIN = "call"
WRITES = True
AUTO = False
EFFECT_FREE = False
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

_CHILD = f"{__file__.rpartition('/')[0]}/python_child.py"


def command(fields: Mapping[str, Any], context: Context) -> ProcessSpec:
    interpreter = _interpreter(fields, context)
    return ProcessSpec(
        [interpreter, _CHILD],
        environment(context.env, fields.get("env")),
        directory(fields, context),
        _payload(fields, context) + text_of(fields.get("stdin")).encode("utf-8", "surrogateescape"),
        expected(fields),
        warm=interpreter == sys.executable,
    )


def _interpreter(fields: Mapping[str, Any], context: Context) -> str:
    named = text_of(fields.get("python"))
    return path_in(context.workdir, named) if "/" in named else named or sys.executable


def _payload(fields: Mapping[str, Any], context: Context) -> bytes:
    """What the child is to do, with its length before it: what follows is the code's own standard input."""
    import json  # noqa: PLC0415 - imported when a task needs it

    call, code, args = fields.get("call"), fields.get("code"), fields.get("args")
    if (call is None) == (code is None):
        raise ActionError("InvalidField", "python needs either call or code")
    if call is not None and not all(text_of(call).partition(":")):
        raise ActionError("InvalidField", f"python: {text_of(call)!r} is not module:function")
    if code is not None and not isinstance(args, dict | None):
        raise ActionError("InvalidField", "python: args of code are its variables, so they must be a map")
    if not isinstance(args, dict | list | None):
        raise ActionError("InvalidField", f"python: args must be a map or a list, not {text_of(args)}")
    wanted = {"call": call, "code": code, "args": args}
    where = {"folder": context.workdir, "value": value_path(context), "limit": VALUE_LIMIT}
    data = json.dumps(wanted | where).encode()
    return b"%010d\n%b" % (len(data), data)


def value_path(context: Context) -> str:
    """The file through which the value comes back, beside the attempt's outputs."""
    output = context.env.get("TASKRUN_OUTPUT")
    if output:
        return f"{output}.value"
    verb = "revert." if context.reverting else ""
    return f"{context.run_dir}/{context.task}.{verb}{context.attempt}.value"


def finish(
    fields: Mapping[str, Any], context: Context, exit_code: int, out_path: str, err_path: str | None
) -> Result:
    answer = _answer(value_path(context))
    if "error" in answer:
        result = Result({"exit_code": exit_code, "value": None})
        raise UnexpectedResultError(answer["error"], answer["message"], result, exit_code=exit_code)
    result = judge(fields, exit_code, out_path, err_path)
    result.values["value"] = result.values["json"] = answer.get("value")
    return result


def _answer(path: str) -> dict[str, Any]:
    """What the child left; nothing if it ended by ``sys.exit`` or was ended."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            data = file.read(VALUE_LIMIT + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ActionError("InvalidResult", f"the value cannot be read: {error.strerror}: {path}") from error
    if len(data) > VALUE_LIMIT:
        raise ActionError("TooLarge", f"the value is larger than {VALUE_LIMIT:,} bytes of JSON")
    answer = parse_json(data)
    if not isinstance(answer, dict):
        raise ActionError("InvalidResult", "the value that came back is not JSON any more")
    return answer
