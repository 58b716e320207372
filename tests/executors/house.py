"""A supervisor in a directory of its own, with short ways to start scripts and to look at what became of them."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from taskrun.executors import linux
from taskrun.executors.client import CRASH_NAME, Supervisor
from taskrun.executors.protocol import Ended, Spawn

PATIENCE = 20.0
ROOT = Path(__file__).parents[2]
Value = TypeVar("Value")


def until(look: Callable[[], Value], what: str = "") -> Value:
    """Wait for something to become true; its value."""
    give_up = time.monotonic() + PATIENCE
    while not (value := look()):
        assert time.monotonic() < give_up, f"waited in vain {what}"
        time.sleep(0.005)
    return value


def is_running(pid: int) -> bool:
    found = linux.process(pid)
    return found is not None and not found.is_gone


def marked(run_id: str) -> list[linux.Process]:
    """What is alive of a run, by its environment."""
    return [
        found
        for found in linux.processes()
        if not found.is_gone and linux.environment(found.pid).get("TASKRUN_RUN_ID") == run_id
    ]


def commands(run_id: str) -> list[str]:
    return sorted(linux.command(found.pid) for found in marked(run_id))


class House:
    """One run: its directory, its supervisor, and what its attempts wrote."""

    def __init__(self, run_dir: Path) -> None:
        self.dir = run_dir
        self.run_id = run_dir.name
        self.supervisor = Supervisor.start(str(run_dir))

    def spawn_of(self, script: str, key: str = "task/1", **changes: Any) -> Spawn:
        env = {
            "PATH": os.environ["PATH"],
            "TASKRUN_RUN_ID": self.run_id,
            "TASKRUN_IDEMPOTENCY_KEY": f"{self.run_id}/{key}",
        }
        spawn = Spawn(key, ["/bin/sh", "-c", script], env, str(self.dir), None, self.out_path(key), None)
        return spawn._replace(**changes)

    def spawn(self, script: str, key: str = "task/1", **changes: Any) -> None:
        self.supervisor.spawn(self.spawn_of(script, key, **changes))
        self.supervisor.flush()

    def receive(self, count: int = 1, patience: float = PATIENCE) -> list[Ended]:
        ended: list[Ended] = []
        give_up = time.monotonic() + patience
        self.supervisor.flush()
        while len(ended) < count and (left := give_up - time.monotonic()) > 0:
            select.select([self.supervisor], [], [], left)
            ended += self.supervisor.receive()
            assert not self.supervisor.lost, self.crash()
        assert len(ended) == count, ended
        return ended

    def run(self, script: str, key: str = "task/1", **changes: Any) -> Ended:
        self.spawn(script, key, **changes)
        return self.receive()[0]

    def out_path(self, key: str = "task/1") -> str:
        return str(self.dir / f"{key.replace('/', '-')}.out")

    def out(self, key: str = "task/1") -> str:
        return Path(self.out_path(key)).read_text()

    def log(self) -> str:
        return (self.dir / "attempts.log").read_text()

    def crash(self) -> str:
        path = self.dir / CRASH_NAME
        return path.read_text() if path.exists() else ""

    def wait_for_file(self, name: str) -> str:
        """Wait for a file to have a whole line; that line."""
        path = self.dir / name
        until(lambda: path.exists() and path.read_text().endswith("\n"), f"for {name}")
        return path.read_text().strip()

    def children(self) -> list[int]:
        fd = linux.open_children(self.supervisor.pid)
        assert fd is not None
        try:
            return linux.read_children(fd, self.supervisor.pid)
        finally:
            os.close(fd)

    def kill_supervisor(self) -> None:
        os.kill(self.supervisor.pid, signal.SIGKILL)
        select.select([self.supervisor], [], [], PATIENCE)
        self.supervisor.receive()
        assert self.supervisor.lost


def kill_all(run_id: str) -> None:
    for found in marked(run_id):
        linux.send(found.pid, found.starttime, signal.SIGKILL)


def houses(tmp_path: Path) -> Iterator[Callable[[], House]]:
    """Builds houses, and sees that neither a crash nor a process is left when the test is over."""
    built: list[House] = []

    def build() -> House:
        run_dir = tmp_path / f"run{os.getpid()}x{len(built)}{time.monotonic_ns():x}"
        run_dir.mkdir()
        built.append(House(run_dir))
        return built[-1]

    yield build
    for house in built:
        house.supervisor.close(wait=False)
        kill_all(house.run_id)
        house.supervisor.close(wait=True)
        assert not house.crash()


CLIENT = """
import os, select, sys, time
sys.path.insert(0, {root!r})
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Spawn

run_dir = sys.argv[1]
run_id = os.path.basename(run_dir)
supervisor = Supervisor.start(run_dir)

def spawn(script, key="task/1", timeout=None, grace=10.0):
    env = {{"PATH": os.environ["PATH"], "TASKRUN_RUN_ID": run_id, "TASKRUN_IDEMPOTENCY_KEY": run_id + "/" + key}}
    out = os.path.join(run_dir, key.replace("/", "-") + ".out")
    supervisor.spawn(Spawn(key, ["/bin/sh", "-c", script], env, run_dir, None, out, None, timeout, grace))
    supervisor.flush()

def receive():
    select.select([supervisor], [], [])
    return supervisor.receive()

"""


class Client:
    """A process that plays taskrun, so that it can be killed."""

    def __init__(self, run_dir: Path, body: str) -> None:
        run_dir.mkdir(exist_ok=True)
        self.dir = run_dir
        self.run_id = run_dir.name
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLIENT.format(root=str(ROOT)) + body, str(run_dir)],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        kill_all(self.run_id)
