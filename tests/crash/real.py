"""The real command, in processes of its own, killed at random moments; whoever takes over is killed as well."""

import multiprocessing
import multiprocessing.connection
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from taskrun.cli.main import main
from tests.crash import native
from tests.crash.fork_server import ROOT, memory
from tests.crash.page import NEVER, Fault
from tests.crash.points import Point
from tests.crash.scenes import SCENES
from tests.crash.server import Attempt, Server, children_of, name_of

MEASURED_EVERY = 10  # runs: how long one takes depends on what else the machine does
VICTIMS = ("taskrun", "taskrun", "supervisor", "everything", "task")
PATIENCE = 60.0


class RealAttempt(Attempt):
    """A fault is a victim and, in microseconds, the moment of its death."""

    def command(self, arguments: list[str], fault: Fault, *, call: Callable[[list[str]], int] = main) -> int:
        output = f"{self.place}/said.{len(self.codes)}"
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TASKRUN_HOME": f"{self.place}/home"}
        env["CRASH_WORLD"] = f"{self.place}/world"
        with open(output, "wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "taskrun", *arguments],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=env, cwd=self.place,
            )  # fmt: skip
        if fault is not NEVER:
            time.sleep(fault.nth / 1e6)  # the moment is the test
            while process.poll() is None:
                if _kill(process.pid, fault.victim):
                    self.fired.append(fault.victim)
                    break
                time.sleep(0.001)  # there is none of that kind yet, or at this moment
        code = process.wait(PATIENCE)
        self.codes.append(code)
        return code


def _kill(taskrun: int, victim: str) -> bool:
    supervisors = [pid for pid in children_of(taskrun) if name_of(pid) == "taskrun-keeper"]
    tasks = [task for pid in supervisors for task in children_of(pid)]
    chosen = {
        "taskrun": [taskrun],
        "supervisor": supervisors,
        "everything": [*supervisors, *tasks, taskrun],
        "itself": tasks[:1],
    }[victim]
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return bool(chosen)


class RealServer(Server):
    def begin(self, scene: str) -> RealAttempt:
        place = f"{self.base}/p{time.monotonic_ns():x}"
        shutil.copytree(self.template(SCENES[scene]), place)
        return RealAttempt(self, SCENES[scene], place)


def some_kills(scene: str, chance: random.Random, longest: float) -> Point:
    """One death, and up to five of those that take over; ``longest`` is about what a whole run takes, in seconds."""
    faults = []
    for _ in range(chance.randint(2, 6)):
        victim = chance.choice(VICTIMS)
        role = "task" if victim == "task" else "taskrun"
        moment = int(chance.uniform(0.1, 0.9) * longest * 1e6)
        faults.append(Fault(role, moment, "before", "itself" if victim == "task" else victim))
    return Point(scene, tuple(faults), "revert" if chance.random() < 0.15 else "resume")


def _duration(server: RealServer) -> float:
    """Seconds that an undisturbed run takes at present."""
    attempt = server.begin("failing")
    began = time.monotonic()
    attempt.command(attempt.first(), NEVER)
    took = time.monotonic() - began
    server._wait_for_orphans()
    attempt.clean()
    return took


def _try(server: RealServer, point: Point) -> dict[str, Any]:
    attempt = server.begin(point.scene)
    faults = attempt.run_point(point)
    report = {"point": f"real {point}", "fired": attempt.fired, "codes": attempt.codes, "faults": faults}
    if faults:
        report["place"] = attempt.place
    else:
        attempt.clean()
    return report


def _work(scenes: Sequence[str], number: int, seed: str, pipe: Any) -> None:
    library, effect = native.built()
    base = tempfile.mkdtemp(prefix="taskrun-real-", dir=memory())
    server = RealServer(library, effect, base)
    chance = random.Random(seed)
    kept, longest = False, 0.0
    for index in range(number):
        if index % MEASURED_EVERY == 0:
            longest = _duration(server)
        report = _try(server, some_kills(chance.choice(scenes), chance, longest))
        kept |= bool(report["faults"])
        pipe.send(report)
    server.close()
    pipe.close()
    if not kept:
        shutil.rmtree(base)


def kill_at_random(
    scenes: Sequence[str], number: int, processes: int, seed: object
) -> Iterator[dict[str, Any]]:
    """The report of each of so many runs."""
    context = multiprocessing.get_context("spawn")
    workers, pipes = [], []
    for index in range(min(processes, number)):
        read, write = context.Pipe(duplex=False)
        share = number // processes + (index < number % processes)
        worker = context.Process(target=_work, args=(list(scenes), share, f"{seed} {index}", write))
        worker.start()
        write.close()
        workers.append(worker)
        pipes.append(read)
    while pipes:
        for ready in multiprocessing.connection.wait(pipes):
            try:
                yield ready.recv()  # type: ignore[union-attr]
            except EOFError:
                pipes.remove(ready)
    for worker in workers:
        worker.join()
