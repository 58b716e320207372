"""The commonest command line, ``taskrun run FILE`` with plain options, read without click: it takes 15 ms to load.

What is not plainly right is left to click, which explains it. That both read the same is tested, so a new option of
`run` has to be known here as well, or at least be left to click.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from taskrun.cli.commands import COMPLETE

# An option's name -> that of the parameter.
FLAGS = {"--detach": "detach", "--web": "web", "--strict": "strict", "--allow-outside": "allow_outside"}
VALUES = {
    "-i": "inputs",
    "--input": "inputs",
    "-j": "jobs",
    "--jobs": "jobs",
    "-o": "output",
    "--output": "output",
    "--on-failure": "on_failure",
    "--on-interrupt": "on_interrupt",
    "--durability": "durability",
    "--ci": "ci",
    "--color": "color",
}
CHOICES = {
    "output": ("auto", "table", "plain", "ndjson"),
    "on_failure": ("revert", "stop", "ask"),
    "on_interrupt": ("revert", "suspend"),
    "durability": ("full", "process"),
    "ci": ("auto", "github", "gitlab", "none"),
    "color": ("auto", "always", "never"),
}
DEFAULTS: dict[str, Any] = {
    "inputs": (),
    "inputs_file": None,
    "jobs": None,
    "output": "auto",
    "detach": False,
    "web": False,
    "on_failure": None,
    "on_interrupt": "revert",
    "durability": "full",
    "strict": False,
    "allow_outside": False,
    "ci": "auto",
    "color": "auto",
}
MOST_JOBS = 10_000
# A parameter's name -> that of the setting that stands for it when it is not given.
SETTINGS = {
    "jobs": "jobs",
    "output": "display",
    "on_interrupt": "on_interrupt",
    "durability": "durability",
    "strict": "strict",
    "ci": "ci",
    "color": "color",
}


def read(args: list[str]) -> dict[str, Any] | None:
    """The parameters of `run`; None if click has to look at the line.

    Raises:
        UsageError, WorkflowError: a setting is wrong.

    """
    if len(args) < 2 or args[0] != "run" or COMPLETE in os.environ or sys.platform != "linux":
        return None
    given = _given(args[1:])
    if given is None or not given.get("file"):
        return None
    from taskrun.cli.settings import Settings  # noqa: PLC0415 - not where it is click's turn

    settings = Settings(os.path.dirname(os.path.abspath(given["file"])))
    if settings.find("log_file") is not None:
        return None
    for name, key in SETTINGS.items():
        if name not in given and (found := settings.find(key)) is not None:
            given[name] = found.value
    return {**DEFAULTS, **given}


def _given(words: list[str]) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word in FLAGS:
            found[FLAGS[word]] = True
        elif word in VALUES:
            name, text = VALUES[word], next(rest, "-")
            value = _READ[name](name, text) if text[:1] != "-" else None
            if value is None:
                return None
            found[name] = (*found.get(name, ()), value) if name == "inputs" else value
        elif word[:1] == "-" or not word or "file" in found:
            return None
        else:
            found["file"] = word
    return found


def _choice(name: str, text: str) -> str | None:
    return text if text in CHOICES[name] else None


def _number(_name: str, text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    return number if 1 <= number <= MOST_JOBS else None


def _text(_name: str, text: str) -> str:
    return text


_READ: dict[str, Callable[[str, str], Any]] = {
    **dict.fromkeys(CHOICES, _choice),
    "jobs": _number,
    "inputs": _text,
}
