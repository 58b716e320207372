"""A run in the background: a process of its own session that outlives the terminal it was started from."""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click

from taskrun.app.base import Displayed, ListenersFor, Outcome
from taskrun.cli.output import Output
from taskrun.errors import TaskrunError
from taskrun.listeners.base import Listener
from taskrun.listeners.ndjson import json_line, run_head

LOG = "detached.log"  # in the run's directory: what a terminal would have shown
Start = Callable[[ListenersFor], Outcome]


class StartFailedError(TaskrunError):
    """What went wrong in the background before the run had begun; its exit code comes with it."""

    def __init__(self, message: str, hint: str | None, exit_code: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def run_detached(start: Start, file: str, *, for_programs: bool) -> int:
    """Fork, wait until the run is in the journal or was refused, and say how to follow it."""
    sys.stdout.flush()
    sys.stderr.flush()
    read, write = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(read)
        _leave_terminal()
        return _drive(start, file, write)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    said: dict[str, Any] = json.loads(told) if told else {"message": "the background process ended at once"}
    if "run" not in said:
        raise StartFailedError(said["message"], said.get("hint"), said.get("exit_code", 70))
    _say(said["run"], said["name"], file, for_programs=for_programs)
    return 0


def _say(run_id: str, name: str, file: str, *, for_programs: bool) -> None:
    """The id alone on stdout, so that a script can catch it."""
    if for_programs:
        click.echo(json_line(run_head(run_id, name, file)), nl=False)
        return
    click.echo(run_id)
    click.echo(
        f"{name} goes on in the background.\n"
        f"  taskrun states {run_id} --watch   follows it\n"
        f"  taskrun cancel {run_id}           stops it and rolls it back",
        err=True,
    )


def _leave_terminal() -> None:
    """No terminal can reach us any more, and we none: forked twice, so that not even opening one makes it ours."""
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    os.close(nowhere)


def _drive(start: Start, file: str, pipe: int) -> int:
    """In the background. What goes wrong before the run has begun is told to the one in front."""
    output: list[Output] = []

    def begin(shown: Displayed) -> list[Listener]:
        _write_to_log(shown.run_dir)
        output.append(Output("plain", "never", file))
        _tell(pipe, {"run": shown.run_id, "name": shown.view.name})
        return output[0].listeners(shown)

    try:
        outcome = start(begin)
    except TaskrunError as error:
        if not output:
            _tell(pipe, {"message": error.message, "hint": error.hint, "exit_code": error.exit_code})
        raise
    except Exception as bug:
        if not output:
            _tell(pipe, {"message": f"this is a bug in taskrun: {type(bug).__name__}: {bug}"})
        raise
    output[0].finish(outcome)
    return outcome.exit_code


def _write_to_log(run_dir: str) -> None:
    log = os.open(f"{run_dir}/{LOG}", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _tell(pipe: int, what: dict[str, Any]) -> None:
    with os.fdopen(pipe, "wb") as file:
        file.write(json.dumps(what).encode())
