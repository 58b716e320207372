"""The action ``exec``: one program with its arguments, without a shell, so that no value is ever code."""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, ProcessSpec, Result
from taskrun.actions.process_result import expected
from taskrun.actions.process_result import finish as judge
from taskrun.actions.run import directory, stdin_bytes
from taskrun.actions.values import checked_argument, environment, text_of
from taskrun.errors import ActionError

KIND = "exec"
MODE: Literal["process"] = "process"
MAIN = "argv"
WRITES = True
AUTO = False
EFFECT_FREE = False
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()


def command(fields: Mapping[str, Any], context: Context) -> ProcessSpec:
    return ProcessSpec(
        arguments(fields.get("argv")),
        environment(context.env, fields.get("env")),
        directory(fields, context),
        stdin_bytes(fields),
        expected(fields),
    )


def arguments(argv: Any) -> list[str]:
    """The words as the program gets them. A lone string is one word: the name of a program."""
    words = argv if isinstance(argv, list | tuple) else [argv]
    texts = [checked_argument(text_of(word), f"argument {place}") for place, word in enumerate(words)]
    if not texts or not texts[0]:
        raise ActionError("InvalidField", "argv names no program")
    return texts


def finish(
    fields: Mapping[str, Any],
    context: Context,  # noqa: ARG001 - the same for every process action
    exit_code: int,
    out_path: str,
    err_path: str | None,
) -> Result:
    return judge(fields, exit_code, out_path, err_path)
