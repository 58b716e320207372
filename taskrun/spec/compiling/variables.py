"""The variables of an `env`, wherever one stands: what no process can be given is an error, what no shell finds a warning."""

import re

from taskrun.actions.values import ARGUMENT_LIMIT, OWN_VARIABLES
from taskrun.regex import lazy
from taskrun.spec.compiling.problems import Problems
from taskrun.spec.marks import Map
from taskrun.spec.render import PREFIX

_READABLE = lazy(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OF_SCRIPTS = lazy(PREFIX + r"\d+(_FILE)?", re.ASCII)
_NO_LETTER = lazy(r"[^A-Za-z0-9_]+", re.ASCII)


def check_variables(problems: Problems, env: Map, *, for_shells: bool = True) -> None:
    """Names and values as they stand in the file; a NUL in them was reported when it was read."""
    for name, value in env.items():
        wrong = _cannot_be_set(name)
        if wrong is not None:
            message, help_ = wrong
            problems.at_key("TR216", message, env, name, help_)
        elif name in OWN_VARIABLES or _OF_SCRIPTS.fullmatch(name):
            message = f"taskrun itself sets `{name}`, for every attempt anew"
            problems.at_key("TR218", message, env, name, "give the variable another name")
        elif for_shells and "\0" not in name and not _READABLE.fullmatch(name):
            message = f"no shell can read a variable called `{name}`, and some do not hand it on"
            mark = env.key_marks.get(name, env.mark)
            problems.warning("TR217", message, mark, len(name), _instead(name))
        if isinstance(value, str) and "${{" not in value and _size(name, value) > ARGUMENT_LIMIT:
            message = f"`{name}` is {_size(name, value):,} bytes; the system takes at most {ARGUMENT_LIMIT:,}"
            problems.at_value("TR216", message, env, name, "pass it through a file or stdin")


def _cannot_be_set(name: str) -> tuple[str, str] | None:
    if not name:
        return "a variable needs a name", "write `NAME: value`"
    if "${{" in name:
        return f"`{name}` is no name: it has to be known before a run", "only the value can be an expression"
    if "=" in name:
        before = name.partition("=")[0]
        return (
            f"`{name}` cannot be the name of a variable: it ends at a `=`",
            f"write `{before or 'NAME'}: value`",
        )
    return None


def _instead(name: str) -> str:
    word = _NO_LETTER.sub("_", name.strip())
    if not word.strip("_"):
        return "letters, digits and `_`, with a letter or `_` in front"
    return f"did you mean `{'_' if word[0].isdigit() else ''}{word}`?"


def _size(name: str, value: str) -> int:
    if len(value) * 4 + len(name) * 4 < ARGUMENT_LIMIT:
        return 0
    return len(f"{name}={value}".encode("utf-8", "surrogateescape"))
