"""The same three tasks on other tools: their process is killed at its system calls and started again until it ends.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install taskflow sqlalchemy alembic dbos
    python -m tests.campaign.peers.kill --python /tmp/peers/bin/python --points 100

Only the tool's own process is killed, never a task: what happens is what happens to taskrun when taskrun is killed. The
tasks are the program of `effect.c`, the kills those of `faults.c`, the judge is the one of `tests/crash`; `taskrun` is
tried by the same rules for comparison. Figures, not a test: the exit code is 0 whatever they are.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from tests.crash import native
from tests.crash.fork_server import ROOT, memory
from tests.crash.page import Fault, Page
from tests.crash.scenes import SCENES
from tests.crash.world import Oracle, read

PEERS = {"TaskFlow": "on_taskflow.py", "DBOS": "on_dbos.py", "taskrun": ""}
DEEP = 3
PATIENCE = 60.0
QUIET = 0.05


class Seen(NamedTuple):
    """What a point came to; each is a list of what the judge says."""

    faults: list[str]
    kills: int


class Peer:
    def __init__(self, name: str, python: str, scene: str, base: str) -> None:
        self.name = name
        self.python = python
        self.scene = scene
        self.base = base
        self.library, self.effect = native.built()

    def argv(self, place: str, *, again: bool) -> list[str]:
        if self.name != "taskrun":
            return [self.python, os.path.join(os.path.dirname(__file__), PEERS[self.name]), place]
        command = ["resume", "latest"] if again else ["run", f"{place}/scene.yaml", "--jobs", "1"]
        return [sys.executable, "-m", "taskrun", *command]

    def command(self, place: str, fault: Fault, *, again: bool) -> tuple[int, Page]:
        page = Page(f"{place}/page{time.monotonic_ns()}", fault)
        page.arm()
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TASKRUN_HOME": f"{place}/home",
            "CRASH_WORLD": f"{place}/world",
            "CRASH_EFFECT": self.effect,
            "CRASH_FAIL": "yes" if self.scene == "failing" else "no",
            "LD_PRELOAD": self.library,
            "TASKRUN_FAULTS_PAGE": page.path,
            "TASKRUN_FAULTS_FIRST": "yes",
        }
        with open(f"{place}/said", "ab") as said:
            done = subprocess.run(
                self.argv(place, again=again), cwd=place, env=env, stdout=said, stderr=said,
                stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False,
            )  # fmt: skip
        return done.returncode, page

    def begin(self, place: str) -> None:
        os.makedirs(f"{place}/world")
        with open(f"{place}/scene.yaml", "w") as file:
            file.write(SCENES[self.scene].text.replace("EFFECT", self.effect))

    def calls(self) -> int:
        place = f"{self.base}/count"
        self.begin(place)
        code, page = self.command(place, Fault("taskrun", 0), again=False)
        faults = Oracle(SCENES[self.scene], f"{place}/world", fragile=False).check(code, "run")
        assert not faults, (faults, open(f"{place}/said").read()[-3000:])
        found = len(page.kinds("taskrun"))
        shutil.rmtree(place)
        return found

    def try_point(self, first: int, chance: random.Random) -> Seen:
        place = f"{self.base}/p{time.monotonic_ns():x}"
        self.begin(place)
        code, page = self.command(
            place, Fault("taskrun", first, chance.choice(("before", "after"))), again=False
        )
        kills = bool(page.fired)
        deep = chance.randint(0, DEEP - 1)
        while code < 0:
            nth = int(first * chance.random()) + 1 if deep else 0
            deep -= 1
            code, page = self.command(place, Fault("taskrun", nth), again=True)
            kills += bool(page.fired)
        _wait_for_quiet(f"{place}/world")
        if code == 4 and self.name == "taskrun":  # killed before the run was in the journal
            code = 0 if not read(f"{place}/world") else 4
            faults = [] if code == 0 else ["something was begun and is not known"]
        else:
            faults = Oracle(SCENES[self.scene], f"{place}/world", fragile=False).check(code, "run")
        shutil.rmtree(place)
        return Seen(faults, kills)


def _wait_for_quiet(world: str) -> None:
    """Tasks that outlive the tool's process may still write."""
    size = -1
    while (now := os.path.getsize(f"{world}/log") if os.path.exists(f"{world}/log") else 0) != size:
        size = now
        time.sleep(QUIET)


KINDS = {
    "a task ran again": (
        "begun again",
        "was begun 2",
        "was begun 3",
        "was begun 4",
        "done while it was done",
    ),
    "two at once": ("at the same time",),
    "an undo ran again": ("undone twice",),
    "undone, not started": ("had not been started",),
    "left behind": ("is there", "is ended", "is begun", "is failed"),
}


def show(name: str, scene: str, seen: list[Seen]) -> None:
    points = len(seen)
    wrong = sum(bool(each.faults) for each in seen)
    print(
        f"{name}, {scene}: {points} points, {sum(each.kills for each in seen)} kills, {wrong} with a violation"
    )
    for kind, words in KINDS.items():
        hit = sum(any(word in fault for fault in each.faults for word in words) for each in seen)
        if hit:
            print(f"    {kind}: {hit} of {points} ({100 * hit / points:.0f} %)")
    others = {f for each in seen for f in each.faults if not any(w in f for ws in KINDS.values() for w in ws)}
    for other in sorted(others)[:5]:
        print(f"    {other}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True, help="an interpreter that has taskflow and dbos")
    parser.add_argument("--points", type=int, default=50, help="for each tool and scene")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(PEERS), action="append")
    given = parser.parse_args()
    for name in given.only or PEERS:
        for scene in ("success", "failing"):
            base = tempfile.mkdtemp(prefix="taskrun-peer-", dir=memory())
            peer = Peer(name, given.python, scene, base)
            chance = random.Random(f"{given.seed} {name} {scene}")
            calls = peer.calls()
            show(name, scene, [peer.try_point(chance.randint(1, calls), chance) for _ in range(given.points)])
            shutil.rmtree(base)
    return 0


if __name__ == "__main__":
    sys.exit(main())
