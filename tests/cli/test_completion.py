"""Completion in the shells themselves: each loads its script, on a terminal, and the tabulator key does what it should."""

import os
import pty
import select
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator

import pyte
import pytest

from tests.cli.terminal import PATIENCE
from tests.command import ROOT, Taskrun

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(taskrun completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -d dump; eval "$(taskrun completion zsh)"',
    ),
    "fish": (["fish", "--no-config", "-i"], "taskrun completion fish | source"),
}


class Shell:
    """A shell on a terminal, seen through an emulator that answers what a terminal is asked."""

    def __init__(self, argv: list[str], taskrun: Taskrun) -> None:
        self.screen = pyte.Screen(100, 40)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(taskrun.folder)
            path = f"{taskrun.folder}/bin:{os.environ['PATH']}"
            env = {**taskrun.env, "PATH": path, "TERM": "xterm", "HOME": str(taskrun.folder), "PS1": "$ "}
            os.execvpe(argv[0], argv, env)

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def wait_for(self, *words: str) -> None:
        end = time.monotonic() + PATIENCE
        while not all(word in self.text for word in words):
            assert time.monotonic() < end, f"{words} not in:\n{self.text}"
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            data = os.read(self.fd, 65536)
            if b"\x1b[c" in data or b"\x1b[0c" in data:
                self.type("\x1b[?62;c")
            if b"\x1b[6n" in data:
                self.type("\x1b[1;1R")
            self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, taskrun: Taskrun) -> Iterator[Shell]:
    argv, setup = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"there is no {argv[0]} on this machine")
    (taskrun.folder / "bin").mkdir()
    command = taskrun.folder / "bin" / "taskrun"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m taskrun "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    taskrun("run", taskrun.file("name: a\ntasks: [{name: fetch_it, echo: x}, {name: build_it, echo: y}]\n"))
    found = Shell(argv, taskrun)
    found.type(f"{setup}; echo lo''aded\n")
    found.wait_for("\nloaded")
    yield found
    os.kill(found.pid, signal.SIGKILL)
    os.waitpid(found.pid, 0)
    os.close(found.fd)


def test_a_shell_completes_commands_options_runs_and_tasks(shell: Shell, taskrun: Taskrun) -> None:
    run = taskrun("run", "w.yaml", "-o", "ndjson").events[0]["run"]
    shell.type("taskrun reh\t")
    shell.wait_for("taskrun rehearse")
    shell.type("--sim\t")
    shell.wait_for("taskrun rehearse --simulate")
    shell.type(f"\x15taskrun logs {run[:-2]}\t")
    shell.wait_for(f"taskrun logs {run}")
    shell.type("fe\t")
    shell.wait_for(f"taskrun logs {run} fetch_it")
