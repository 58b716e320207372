"""Values for options that nobody gave: from the environment, the project's file, the user's file.

At every start of a command only a few files are asked whether they exist; what reads them is loaded when one does.
"""

import os
from collections.abc import Mapping
from typing import Any

from taskrun import debugging
from taskrun.cli.failing import write
from taskrun.errors import UsageError


class Key:
    """``kind`` is choice, number, flag or path; ``most`` the largest number. No named tuple: those take 0.2 ms to make."""

    __slots__ = ("about", "choices", "default", "in_project", "kind", "most")

    def __init__(
        self,
        kind: str,
        about: str,
        default: Any = None,
        choices: tuple[str, ...] = (),
        most: int = 0,
        in_project: bool = True,
    ) -> None:
        self.kind = kind
        self.about = about
        self.default = default
        self.choices = choices
        self.most = most
        self.in_project = in_project


KEYS: dict[str, Key] = {
    "jobs": Key("number", "how many tasks at a time", most=10_000),
    "durability": Key("choice", "what the journal survives", "full", ("full", "process")),
    "on_interrupt": Key("choice", "what the first Ctrl-C does", "revert", ("revert", "suspend")),
    "display": Key("choice", "how a run is shown (`--output`)", "auto", ("auto", "table", "plain", "ndjson")),
    "color": Key("choice", "colours", "auto", ("auto", "always", "never")),
    "ci": Key("choice", "for which CI a run is shown", "auto", ("auto", "github", "gitlab", "none")),
    "strict": Key("flag", "warnings of a file are errors", default=False),
    "otel": Key("flag", "tell an OpenTelemetry collector (extra `otel`)", default=False),
    "log_file": Key("path", "where taskrun writes what it does (`--log-file`)"),
    "home": Key("path", "where the state of runs is kept", in_project=False),
}
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
PROJECT, PYPROJECT = "taskrun.toml", "pyproject.toml"


class Found:
    """``origin`` is environment, project, user or default; ``where`` a variable, or a file and line."""

    __slots__ = ("origin", "value", "where")

    def __init__(self, value: Any, origin: str, where: str = "") -> None:
        self.value = value
        self.origin = origin
        self.where = where


class Settings:
    """What holds for workflows in folder ``start``. Files are looked for when first needed, and read once."""

    def __init__(self, start: str, environ: Mapping[str, str] = os.environ) -> None:
        self.start = start
        self._environ = environ
        self._files: list[Mapping[str, Found]] | None = None

    def find(self, key: str) -> Found | None:
        """From the first that has it; None if nobody says anything.

        Raises:
            UsageError: a variable has no value that it can have.
            WorkflowError: a file has mistakes; it names all of them.
        """
        name = variable(key)
        if self._environ.get(name):
            return Found(_from_text(name, self._environ[name], KEYS[key]), "environment", name)
        if self._files is None:
            self._files = self._read_files()
        return next((found[key] for found in self._files if key in found), None)

    def project_file(self) -> str | None:
        """The file of the project: the nearest ``taskrun.toml``, or ``pyproject.toml`` with a table for taskrun."""
        folder = os.path.abspath(self.start)
        while True:
            for name in (PROJECT, PYPROJECT):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and self._counts(path, folder):
                    return path
            above = os.path.dirname(folder)
            if above == folder:
                return None
            folder = above

    def _counts(self, path: str, folder: str) -> bool:
        """A file that a stranger has put into a folder for everybody, such as /tmp, does not."""
        owner = os.stat(path).st_uid
        if os.stat(folder).st_mode & 0o002 and owner not in (os.geteuid(), 0):
            write(f"warning: {path} is not used: it belongs to another user, where everybody can write\n")
            return False
        if not path.endswith(PYPROJECT):
            return True
        from taskrun.cli.settings_file import has_table  # noqa: PLC0415 - only where there is such a file

        return has_table(path)

    def _read_files(self) -> list[Mapping[str, Found]]:
        given = self._environ.get("TASKRUN_CONFIG")
        project = given or self.project_file()
        user = None if given else user_file(self._environ)
        found: list[Mapping[str, Found]] = []
        for path, origin in ((project, "project"), (user, "user")):
            if path and (given or os.path.isfile(path)):
                from taskrun.cli.settings_file import read  # noqa: PLC0415 - only where there is a file

                found.append(read(path, origin))
                if debugging.listeners:
                    debugging.say("settings", f"{origin}: {path}: {', '.join(found[-1])}")
        return found


def variable(key: str) -> str:
    return f"TASKRUN_{key.upper()}"


def user_file(environ: Mapping[str, str] = os.environ) -> str | None:
    """Where platformdirs has it on Linux; that takes 15 ms to say so."""
    base = environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
    return f"{base}/taskrun/config.toml" if os.path.isabs(base) else None


def user_home() -> str | None:
    """The setting ``home`` of the user's file: it holds wherever a command is typed."""
    given = os.environ.get("TASKRUN_CONFIG")
    path = given or user_file()
    if not path or not (given or os.path.isfile(path)):
        return None
    from taskrun.cli.settings_file import read  # noqa: PLC0415 - only where there is a file

    found = read(path, "user").get("home")
    return None if found is None else str(found.value)


def _from_text(name: str, text: str, key: Key) -> Any:
    if key.kind == "path":
        return os.path.abspath(os.path.expanduser(text))
    if key.kind == "flag":
        if text.lower() in (*TRUE, *FALSE):
            return text.lower() in TRUE
        raise UsageError(f"{name} is {text!r}: expected true or false")
    if key.kind == "number":
        if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= key.most:
            return int(text)
        raise UsageError(f"{name} is {text!r}: expected a whole number from 1 to {key.most:,}")
    if text in key.choices:
        return text
    raise UsageError(f"{name} is {text!r}: expected one of {', '.join(key.choices)}")
