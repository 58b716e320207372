"""Rendered fields as an action needs them: as text, as an environment, as a path, as a number of seconds."""

from collections.abc import Mapping
from typing import Any

from taskrun.errors import ActionError

ARGUMENT_LIMIT = 131_071  # bytes of one argument or one NAME=value, as Linux's MAX_ARG_STRLEN has it
OWN_VARIABLES = frozenset(
    {
        "TASKRUN_RUN_ID", "TASKRUN_TASK", "TASKRUN_ATTEMPT", "TASKRUN_OUTPUT", "TASKRUN_STATUS",
        "TASKRUN_IDEMPOTENCY_KEY",
    }
)  # fmt: skip
"""What every attempt is told. Its processes and its outputs are found by them, so that no file sets them."""


def text_of(value: Any) -> str:
    """A JSON value inside text: a string as it is, ``true``, nothing for null, JSON for the rest."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    import json  # noqa: PLC0415 - most fields are strings

    return json.dumps(value, ensure_ascii=False)


def checked_argument(text: str, what: str) -> str:
    """The text, if the kernel takes it as an argument or a variable."""
    if "\0" in text:
        raise ActionError("InvalidField", f"{what} contains a NUL character, which no program can be given")
    if len(text) * 4 > ARGUMENT_LIMIT:
        size = len(text.encode("utf-8", "surrogateescape"))
        if size > ARGUMENT_LIMIT:
            raise ActionError(
                "TooLarge",
                f"{what} is {size:,} bytes; the system takes at most {ARGUMENT_LIMIT:,}: "
                "pass it through a file or stdin",
            )
    return text


def environment(context_env: Mapping[str, str], own: Mapping[str, Any] | None) -> dict[str, str]:
    """The task's environment with an action's own ``env`` on top; null takes a variable away."""
    env = dict(context_env)
    for name, value in (own or {}).items():
        if name in OWN_VARIABLES:
            continue
        if not name or "=" in name or "\0" in name:
            raise ActionError("InvalidField", f"{name!r} cannot be the name of an environment variable")
        if value is None:
            env.pop(name, None)
        else:
            env[name] = checked_argument(f"{name}={text_of(value)}", f"the variable {name}")[len(name) + 1 :]
    return env


def path_in(folder: str, path: Any) -> str:
    """A path of a field; a relative one starts at ``folder``. Not tidied: ``a/../b`` may cross a link."""
    text = checked_argument(text_of(path), "the path")
    if not text:
        raise ActionError("InvalidField", "the path is empty")
    return text if text.startswith("/") else f"{folder}/{text}"


def seconds(value: Any, what: str) -> float:
    """A duration: ``1h30m`` from an expression, or the number of seconds the compiler has made of it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value < float("inf"):
            return float(value)
        raise ActionError("InvalidField", f"{what}: {value} is not a number of seconds to wait")
    from taskrun.actions.durations import DurationError, parse_duration  # noqa: PLC0415 - seldom needed

    try:
        return parse_duration(text_of(value))
    except DurationError as error:
        raise ActionError("InvalidField", f"{what}: {error.message}") from error
