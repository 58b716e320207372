"""The client's side of `server.py`: starts one, gives it points, and takes it down."""

import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from tests.crash import native
from tests.crash.points import Point

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0  # seconds: a point has several commands, and the server gives up on each of them much sooner
LAST_PATIENCE = 10.0  # for the end of one that has closed its output


class ServerDied(Exception):
    """What it was asked, how it ended, and the last it said."""


def memory() -> str | None:
    """A file system in memory, if there is one: crash points are about order, not about the disk."""
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None


class ForkServer:
    """One that dies is one report; the next question is put to a new one."""

    def __init__(self) -> None:
        self._library, self._effect = native.built()
        self._kinds: dict[str, dict[str, list[int]]] = {}
        self._start()

    def _start(self) -> None:
        self.base = tempfile.mkdtemp(prefix="taskrun-crash-", dir=memory())
        env = {**os.environ, "LD_PRELOAD": self._library, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        for name in ("TASKRUN_HOME", "PYTEST_CURRENT_TEST"):
            env.pop(name, None)
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", self._library, self._effect, self.base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=env,
            cwd=ROOT,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def kinds(self, scene: str) -> dict[str, list[int]]:
        """The calls of an undisturbed run of a scene, for each role."""
        if scene not in self._kinds:
            self._kinds[scene] = self._ask(f"count {scene}")
        return self._kinds[scene]

    def tried(self, points: Iterable[Point]) -> Iterator[dict[str, Any]]:
        for point in points:
            try:
                yield self._ask(f"try {point}")
            except ServerDied as death:
                yield {"point": str(point), "fired": [], "codes": [], "faults": [str(death)]}

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            # Nothing is ever left of the answer before: there is one line to a question.
            is_there = select.select([self._process.stdout], [], [], PATIENCE)[0]
            answer = self._process.stdout.readline() if is_there else ""
        except BrokenPipeError:
            answer = ""
        if not answer.endswith("\n"):
            raise ServerDied(self._bury(line))
        return json.loads(answer)

    def _bury(self, line: str) -> str:
        """Take down what is left of a server that died, and start another; what there is to say of it."""
        try:
            code = self._process.wait(timeout=LAST_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")[-4000:]
        self._let_go(keep=False)
        self._start()
        return f"the fork server died at `{line}` with {code}: {said or 'it said nothing'}"

    def _let_go(self, *, keep: bool) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:  # what could not be written any more
                continue
        self._said.close()
        if not keep:
            shutil.rmtree(self.base, ignore_errors=True)

    def close(self, *, keep: bool = False) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._let_go(keep=keep)


def sample(points: Iterable[Point], number: int, seed: object = 0) -> list[Point]:
    """That many of the points, spread over all of them; all, if there are no more."""
    found = list(points)
    if len(found) <= number:
        return found
    chance = random.Random(str(seed))
    stride = len(found) / number
    return [found[int((index + chance.random()) * stride)] for index in range(number)]
