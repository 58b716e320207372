"""The client's side of `server.py`: starts one, gives it points, and takes it down."""

import json
import os
import random
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


def memory() -> str | None:
    """A file system in memory, if there is one: crash points are about order, not about the disk."""
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None


class ForkServer:
    def __init__(self) -> None:
        library, effect = native.built()
        self.base = tempfile.mkdtemp(prefix="taskrun-crash-", dir=memory())
        env = {**os.environ, "LD_PRELOAD": library, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        for name in ("TASKRUN_HOME", "PYTEST_CURRENT_TEST"):
            env.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", library, effect, self.base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            cwd=ROOT,
            text=True,
        )
        self._kinds: dict[str, dict[str, list[int]]] = {}

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
            yield self._ask(f"try {point}")

    def _ask(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the fork server died at: {line}")
        return json.loads(answer)

    def close(self, *, keep: bool = False) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        if not keep:
            shutil.rmtree(self.base, ignore_errors=True)


def sample(points: Iterable[Point], number: int, seed: object = 0) -> list[Point]:
    """That many of the points, spread over all of them; all, if there are no more."""
    found = list(points)
    if len(found) <= number:
        return found
    chance = random.Random(str(seed))
    stride = len(found) / number
    return [found[int((index + chance.random()) * stride)] for index in range(number)]
