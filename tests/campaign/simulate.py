"""Plays random schedules, as many as one likes, and tells which invariants did not hold, and with what seed.

    python -m tests.campaign.simulate --schedules 1000000 --processes 2
    python -m tests.campaign.simulate --seed 4711            # one schedule, step by step

A schedule is a random flow under random luck, crashes and wishes (see `tests/sim/schedules.py`); its seed is all it needs.
Exit code 1 when anything did not hold.
"""

import argparse
import collections
import multiprocessing
import sys
import time
from typing import NamedTuple

from taskrun.engine import events as e
from taskrun.engine.machine import Step
from taskrun.engine.states import FLOW_MOVES, RETRY_MOVES, TASK_MOVES
from tests.sim.checker import Checker
from tests.sim.schedules import play

SCHEDULES = 500  # in a block
Move = tuple[str, str, str]


class Block(NamedTuple):
    """One block of seeds. ``broken`` holds (seed, what did not hold)."""

    schedules: int
    ends: collections.Counter
    used: set[Move]
    broken: list[tuple[int, str]]


def play_block(first: int) -> Block:
    ends, used, broken = collections.Counter(), set(), []
    for seed in range(first, first + SCHEDULES):
        try:
            played = play(seed)
        except Exception as error:
            broken.append((seed, f"{type(error).__name__}: {error}"))
        else:
            ends[played.ended] += 1
            used |= played.checker.used
    return Block(SCHEDULES, ends, used, broken)


def campaign(schedules: int, processes: int, first: int) -> list[tuple[int, str]]:
    starts = range(first, first + schedules, SCHEDULES)
    began, done = time.monotonic(), 0
    ends, used, broken = collections.Counter(), set(), []
    with multiprocessing.Pool(processes) as pool:
        for block in pool.imap_unordered(play_block, starts):
            done += block.schedules
            ends += block.ends
            used |= block.used
            broken += block.broken
            for seed, what in block.broken:
                print(f"\nseed {seed}: {what}", flush=True)
            rate = done / (time.monotonic() - began)
            if sys.stderr.isatty():
                print(f"\r{done} schedules, {rate:.0f} a second", end="", file=sys.stderr, flush=True)
    print(
        f"schedules {done} (seeds {first} to {first + done - 1}), violations {len(broken)}, {done / (time.monotonic() - began):.0f} a second"
    )
    print("ended: " + ", ".join(f"{run} {count}" for run, count in ends.most_common()))
    print("moves never made: " + (", ".join(map(str, unused(used))) or "none"))
    if broken:
        print("seeds: " + " ".join(str(seed) for seed, _ in sorted(broken)))
    return broken


def unused(used: set[Move]) -> list[Move]:
    tables = {"task": TASK_MOVES, "retry": RETRY_MOVES, "flow": FLOW_MOVES}
    return sorted(
        (kind, *move) for kind, table in tables.items() for move in table if (kind, *move) not in used
    )


# ---------------------------------------------------------------------- one schedule, step by step


class Narrator(Checker):
    def stepped(self, event: e.Event, step: Step, *, stale: bool) -> None:
        values = ", ".join(map(str, event[1:]))
        print(f"{event.at:8.2f} {type(event).__name__}({values}){' (again)' if stale else ''}")
        for t in step.transitions:
            told = dict(t.data) if t.data else ""
            print(f"           {t.kind} {t.name} [{t.node}] {t.old} -> {t.state} #{t.attempt} {told}")
        for command in step.commands:
            print(f"           > {command}")
        super().stepped(event, step, stale=stale)

    def crashed(self) -> None:
        print("         crash")
        super().crashed()


def narrate(seed: int) -> bool:
    try:
        played = play(seed, watch=Narrator)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        return False
    print(f"ended {played.ended}, then brought to {played.simulation.machine.record.run}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one alone and tell all of it")
    given = parser.parse_args()
    if given.seed is not None:
        return 0 if narrate(given.seed) else 1
    return 1 if campaign(given.schedules, given.processes, given.first) else 0


if __name__ == "__main__":
    sys.exit(main())
