"""What an action needs on this machine and does not find: a program, a file. Looked at before anything runs.

Only what is certain is said. A script is judged by its first word, and only where that names a program.
"""

import os
import re
from collections.abc import Mapping, Sequence
from shutil import which
from typing import Any

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./+-]+")
# Of POSIX shells and bash: these are no programs, or need none.
_BUILTINS = frozenset(
    """. : [ [[ alias bg break builtin case cd command continue declare do echo enable eval exec exit export false fc fg
    for function getopts hash if jobs kill let local printf pwd read readonly return select set shift shopt source test
    then time times trap true type typeset ulimit umask unalias unset until wait while { ( !""".split()  # noqa: SIM905 - a list of sixty strings is harder to read
)
_FILES = {
    "sql": ("script",),
    "file": ("source",),
    "template": ("source",),
    "copy": ("from",),
    "move": ("from",),
}


def missing(kind: str, fields: Mapping[str, Any], folder: str, path: str) -> str | None:
    """``fields`` with what is known filled in; ``folder`` is where it runs, ``path`` its ``$PATH``."""
    if kind == "exec" and isinstance(fields.get("argv"), list) and fields["argv"]:
        return _program(str(fields["argv"][0]), folder, path)
    if kind == "run":
        return _first_program(str(fields.get("script", "")), folder, path)
    for name in _FILES.get(kind, ()):
        value = fields.get(name)
        if isinstance(value, str) and "${{" not in value and not os.path.lexists(os.path.join(folder, value)):
            return f"the file {value} is not there"
    return None


def _first_program(script: str, folder: str, path: str) -> str | None:
    for line in script.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        word = words[0].rstrip(";")
        is_function = len(words) > 1 and words[1].startswith("(")
        if is_function or word in _BUILTINS or not _PLAIN_WORD.fullmatch(word):
            return None
        return _program(word, folder, path)
    return None


def _program(name: str, folder: str, path: str) -> str | None:
    if "${{" in name:
        return None
    if "/" in name:
        place = os.path.join(folder, name)
        if not os.path.exists(place):
            return f"the program {name} is not there"
        return None if os.access(place, os.X_OK) else f"the file {name} is not executable"
    return None if which(name, path=path) else f"the program {name} is not in $PATH"


_NOT_ATOMIC = ("mysql", "mariadb", "oracle")


def not_atomic(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tasks on databases that commit by themselves when a table is made or changed."""
    return [
        _of_backend(task["name"], task["command"], "not atomic")
        for task in tasks
        if _is_not_atomic(task["action"], task["command"])
    ]


def not_atomic_undos(tasks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same of what undoes a task."""
    return [
        _of_backend(task["name"], task["undo"]["command"], "its undo is not atomic")
        for task in tasks
        if _is_not_atomic(task["undo"]["action"], task["undo"]["command"])
    ]


def _is_not_atomic(action: str | None, command: str | None) -> bool:
    return action == "sql" and (command or "").lower().startswith(_NOT_ATOMIC)


def _of_backend(task: str, command: str, what: str) -> dict[str, Any]:
    backend = command.partition(":")[0].partition("+")[0]
    about = f"{what}: {backend} commits at each statement that makes or changes a table"
    help_ = (
        "a script that fails in the middle leaves what came before: give such a statement a task of its own"
    )
    return {"task": task, "message": about, "help": help_}
