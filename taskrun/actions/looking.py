"""What ``wait_for`` looks at: a port, a URL, a path, the exit code of a script."""

import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from threading import Lock
from typing import IO, Any, Protocol

from taskrun.actions.base import Context, no_log
from taskrun.actions.process_result import signal_message
from taskrun.actions.run import shell_words
from taskrun.actions.values import checked_argument, path_in, text_of
from taskrun.errors import ActionError

CONNECT = 3.0  # seconds a connection may take before the next look
ANSWER = 10.0
TAIL = 2048  # bytes of a script's output that its last line is looked for in

# What no waiting would change.
_HOPELESS = frozenset(("InvalidURL", "InvalidField", "InvalidRequest", "AddressRefused"))


class Look(Protocol):
    name: str

    def look(self, left: float) -> str | None:
        """None if it is there, else what is to be seen instead; within ``left`` seconds."""

    def abort(self) -> None:
        """End a look that is under way, from another thread."""


def look_for(fields: Mapping[str, Any], context: Context) -> Look:
    given = [name for name in ("port", "url", "path", "run") if fields.get(name) is not None]
    if len(given) != 1:
        raise ActionError("InvalidField", "wait_for needs one of port, url, path and run")
    text = text_of(fields[given[0]])
    if given[0] == "port":
        return _Port(text)
    if given[0] == "url":
        return _Url(text, fields, context)
    return _Path(text, context) if given[0] == "path" else _Script(text, context)


class _Port:
    def __init__(self, text: str) -> None:
        host, _, port = text.strip().rpartition(":")
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise ActionError("InvalidField", f"port: {text!r} is neither PORT nor HOST:PORT")
        self._address = (host.strip("[]") or "127.0.0.1", int(port))
        self.name = f"port {text.strip()}"

    def look(self, left: float) -> str | None:
        try:
            with socket.create_connection(self._address, min(left, CONNECT)):
                return None
        except (OSError, UnicodeError) as error:
            return getattr(error, "strerror", None) or str(error)

    def abort(self) -> None:
        """It ends soon by itself."""


class _Url:
    def __init__(self, url: str, fields: Mapping[str, Any], context: Context) -> None:
        from taskrun.actions.http_options import shown_url  # noqa: PLC0415 - loads what only a URL needs

        self.name = shown_url(url)
        self._fields = {"url": url}
        if fields.get("expect") is not None:
            self._fields["expect"] = fields["expect"]
        self._aborts: list[Any] = []
        self._context = context._replace(log=no_log, aborts=self._aborts)

    def look(self, left: float) -> str | None:
        from taskrun.actions.http_attempt import attempt  # noqa: PLC0415 - loads requests

        try:
            attempt(self._fields, self._context._replace(timeout=min(left, ANSWER)))
        except ActionError as error:
            if error.type in _HOPELESS:
                raise
            return error.message
        return None

    def abort(self) -> None:
        for abort in list(self._aborts):
            abort()


class _Path:
    def __init__(self, text: str, context: Context) -> None:
        self._path = path_in(context.cwd, text)
        self.name = text

    def look(self, left: float) -> str | None:  # noqa: ARG002 - the same for every look
        try:
            os.stat(self._path)
        except OSError as error:
            return error.strerror
        return None

    def abort(self) -> None:
        """It takes no time."""


class _Script:
    """In a process group of its own, of which nothing is left when the look is over."""

    def __init__(self, script: str, context: Context) -> None:
        self._argv = [*shell_words(context.shell), checked_argument(script, "the script")]
        self._context = context
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._aborted = False
        self.name = "what the script tests"

    def look(self, left: float) -> str | None:
        with tempfile.TemporaryFile() as output:
            try:
                code = self._run(left, output)
            except OSError as error:
                raise ActionError(
                    "NotStarted", f"{self._argv[0]} cannot be started: {error.strerror}"
                ) from error
            if code == 0:
                return None
            ended = "it did not end in time" if code is None else _ending(code)
            said = _last_line(output)
        return f"{ended}: {said}" if said else ended

    def _run(self, left: float, output: IO[bytes]) -> int | None:
        """The exit code, or None if there was none in time."""
        with self._lock:
            if self._aborted:
                return None
            process = self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._context.cwd,
                env=dict(self._context.env),
                start_new_session=True,
            )
        ended = False
        try:
            ended = _ends(process.pid, left)
        finally:
            with self._lock:  # not reaped yet, so that the number of the group is still its own
                self._process = None
                _end_group(process.pid)
            code = process.wait()
        return code if ended and not self._aborted else None

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            if self._process is not None:
                _end_group(self._process.pid)


def _ends(pid: int, left: float) -> bool:
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        readable = poll.poll(left * 1000)
    finally:
        os.close(descriptor)
    return bool(readable)


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return  # nobody is left


def _ending(code: int) -> str:
    return f"exit code {code}" if code > 0 else signal_message(-code)


def _last_line(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(size - TAIL, 0))
    lines = output.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
