"""Settings as click asks for them: values for options that nobody gave."""

import os
from collections.abc import Mapping
from typing import Any

import click

from taskrun.cli.commands import COMMANDS
from taskrun.cli.settings import KEYS, Found, Settings

# The option of a command is called otherwise than its setting.
_RUNS = ("run", "resume", "revert")
_OPTIONS = {(command, "output"): "display" for command in _RUNS}
_ELSEWHERE = ("display", "home")


class Defaults(dict[str, Any]):
    """What click asks for the options of a command that were not given."""

    def get(self, name: str, default: Any = None) -> Any:
        return CommandDefaults(name) if name in COMMANDS else default


class CommandDefaults(dict[str, Any]):
    """Asked for one option after the other, behind those that were given: the file is known by then."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self._command = command
        self._settings: Settings | None = None

    def __contains__(self, option: object) -> bool:
        return self._find(str(option)) is not None

    def __getitem__(self, option: str) -> Any:
        found = self._find(option)
        if found is None:
            raise KeyError(option)
        return str(found.value) if isinstance(found.value, int) else found.value

    def get(self, option: str, default: Any = None) -> Any:
        found = self._find(option)
        return default if found is None else self[option]

    def _find(self, option: str) -> Found | None:
        key = _OPTIONS.get((self._command, option), option)
        if key not in KEYS or (key == option and option in _ELSEWHERE):
            return None
        ctx = click.get_current_context()
        if ctx.resilient_parsing:  # a shell that completes a line wants no messages
            return None
        if self._settings is None:
            self._settings = Settings(_folder(ctx.params))
        return self._settings.find(key)


def _folder(params: Mapping[str, Any]) -> str:
    """Of the workflow, if the command has one."""
    file = next(iter(params.get("files") or ()), params.get("file"))
    # click has a sentinel of its own for what was not given.
    return os.path.dirname(os.path.abspath(file)) if isinstance(file, str) and file else os.getcwd()
