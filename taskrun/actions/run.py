"""The action ``run``: a shell script, started as ``sh -c SCRIPT``.

The shell is the task's ``shell``, ``/bin/sh`` unless told otherwise; no option is added to it, so that a
script does here what it does anywhere else. ``shell: bash -euo pipefail`` sets options: the script is
what follows ``-c``, which is added if it is not there. A program that is no shell, with options of its
own (``perl -e``), gets the script as its last argument.

Also a script of plain words goes through the shell. Started directly it would save a tenth of a millisecond
and differ: in its environment (a shell drops variables that no script could name), in what is said when
the program is not there, in programs without a ``#!`` line, in every word that is a builtin.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from taskrun.actions.base import Context, ProcessSpec, Result
from taskrun.actions.process_result import expected
from taskrun.actions.process_result import finish as judge
from taskrun.actions.values import checked_argument, environment, path_in, text_of
from taskrun.errors import ActionError

KIND = "run"
MODE: Literal["process"] = "process"
MAIN = "script"
WRITES = True
AUTO = False
EFFECT_FREE = False
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS = frozenset(("script",))

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "fish"))


def command(fields: Mapping[str, Any], context: Context) -> ProcessSpec:
    script = checked_argument(text_of(fields.get("script")), "the script")
    return ProcessSpec(
        [*shell_words(fields.get("shell") or context.shell), script],
        environment(context.env, fields.get("env")),
        directory(fields, context),
        stdin_bytes(fields),
        expected(fields),
    )


def finish(
    fields: Mapping[str, Any],
    context: Context,  # noqa: ARG001 - the same for every process action
    exit_code: int,
    out_path: str,
    err_path: str | None,
) -> Result:
    return judge(fields, exit_code, out_path, err_path)


def shell_words(shell: str | Sequence[str]) -> list[str]:
    """What comes before the script: ``/bin/sh`` gives ``[/bin/sh, -c]``."""
    words = _split(shell) if isinstance(shell, str) else [text_of(word) for word in shell]
    if not words or not words[0]:
        raise ActionError("InvalidField", "the shell is empty")
    is_shell = words[0].rpartition("/")[2] in _SHELLS
    if len(words) == 1 or (is_shell and not _takes_script(words[-1])):
        words.append("-c")
    return words


def _takes_script(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and word.endswith("c")


def _split(shell: str) -> list[str]:
    if not any(character in shell for character in " \t\n'\"\\"):
        return [shell]
    from shlex import split  # noqa: PLC0415 - the usual shell is one word

    try:
        return split(shell)
    except ValueError as error:
        raise ActionError(
            "InvalidField", f"the shell {shell!r} cannot be split into words: {error}"
        ) from error


def directory(fields: Mapping[str, Any], context: Context) -> str:
    """Where the program starts: the field ``cwd``, relative to the workflow file, or the task's own."""
    cwd = fields.get("cwd")
    return context.cwd if cwd is None else path_in(context.workdir, cwd)


def stdin_bytes(fields: Mapping[str, Any]) -> bytes | None:
    """The field ``stdin`` as it is sent; without it the program reads an empty input."""
    stdin = fields.get("stdin")
    return None if stdin is None else text_of(stdin).encode("utf-8", "surrogateescape")
