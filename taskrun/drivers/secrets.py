"""The secrets of a workflow: read from the environment, files and programs, given to expressions, never kept.

Those in the environment and in files are read before the first task starts, programs when an expression wants what they
print. Each value goes to the masker before anybody can use it.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from taskrun import debugging
from taskrun.drivers.masking import Masker
from taskrun.errors import ExpressionError, UsageError

LONGEST = 64 * 1024  # bytes
PATIENCE = 60.0  # seconds that a program which prints a secret may take


class Secrets(dict[str, Any]):
    """``secrets`` of expressions: the values by name, each read once."""

    def __init__(
        self, definition: Mapping[str, Any], environ: Mapping[str, str], masker: Masker | None = None
    ) -> None:
        super().__init__()
        self.masker = masker or Masker()
        self._specs: Mapping[str, Mapping[str, Any]] = definition.get("secrets", {})
        self._folder = definition.get("dir") or "/"
        self._environ = environ

    def prepare(self) -> None:
        """Read what can be read without running anything. UsageError names all that is missing."""
        problems = [f"secret `{name}`: {problem}" for name, problem in self._read_all()]
        if problems:
            raise UsageError("\n".join(problems))

    def read_what_is_there(self) -> list[str]:
        """The same for somebody who only wants to mask; the names of those that remain unknown."""
        missing = {name for name, _ in self._read_all()}
        return [name for name, spec in self._specs.items() if name in missing or "command" in spec]

    def _read_all(self) -> Iterator[tuple[str, str]]:
        for name, spec in self._specs.items():
            try:
                if "command" in spec:
                    _check_program(spec["command"], self._environ)
                elif not super().__contains__(name):
                    self._keep(name, self._read(spec))
            except _UnreadableError as error:
                yield name, str(error)

    def _read(self, spec: Mapping[str, Any]) -> str:
        if "env" in spec:
            return _variable(spec["env"], self._environ)
        folder = spec.get("dir", self._folder)
        if "file" in spec:
            return _decoded(_content(os.path.join(folder, os.path.expanduser(spec["file"]))))
        return _decoded(_printed(spec["command"], self._environ, folder, self.masker.text))

    def _keep(self, name: str, value: str) -> str:
        self.masker.add(value)
        self[name] = value
        if debugging.listeners:
            debugging.say("secret", f"{name} read from {next(iter(self._specs[name]))}")
        return value

    def __missing__(self, name: str) -> str:
        try:
            return self._keep(name, self._read(self._specs[name]))
        except _UnreadableError as error:
            raise ExpressionError(f"secret `{name}`: {error}") from error

    # All of them at once, by name.

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - this is get

    def keys(self) -> Any:
        return list(self)

    def values(self) -> Any:
        return [self[name] for name in self]

    def items(self) -> Any:
        return [(name, self[name]) for name in self]

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"


class _UnreadableError(Exception):
    """Why a secret cannot be had, without a word of what is in it."""


def _variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if not value:
        what = "is not set" if value is None else "is empty"
        raise _UnreadableError(f"the environment variable {name} {what}")
    return value


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise _UnreadableError(f"{path} cannot be read: {error.strerror}") from error
    if not data.strip():
        raise _UnreadableError(f"{path} is empty")
    return data


def _check_program(argv: list[str], environ: Mapping[str, str]) -> None:
    """Is there such a program at all? Whether it works is known when it is needed."""
    import shutil  # noqa: PLC0415 - few workflows have such a secret

    if not argv or ("/" not in argv[0] and shutil.which(argv[0], path=environ.get("PATH")) is None):
        raise _UnreadableError(f"there is no program {argv[0] if argv else ''!r}")


def _printed(argv: list[str], environ: Mapping[str, str], folder: str, hide: Callable[[str], str]) -> bytes:
    import subprocess  # noqa: PLC0415 - as above

    try:
        done = subprocess.run(
            argv,
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _UnreadableError(f"`{argv[0]}` took more than {PATIENCE:g} s") from error
    except OSError as error:
        raise _UnreadableError(f"`{argv[0]}` cannot be started: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        about = f": {hide(said[-1])}" if said else ""
        raise _UnreadableError(f"`{argv[0]}` ended with exit code {done.returncode}{about}")
    if not done.stdout.strip():
        raise _UnreadableError(f"`{argv[0]}` printed nothing")
    return done.stdout


def _decoded(data: bytes) -> str:
    """As text, without the newline at the end that editors and programs put there."""
    if len(data) > LONGEST:
        raise _UnreadableError(f"it is larger than {LONGEST:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _UnreadableError("it is not UTF-8 text") from error
    if "\0" in text:
        raise _UnreadableError("there is a NUL character in it")
    return text.rstrip("\r\n")
