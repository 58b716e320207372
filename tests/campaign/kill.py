"""Kills taskrun, its supervisor and its tasks at any number of system calls, and tells what was forgotten.

    python -m tests.campaign.kill --points 10000 --processes 2
    python -m tests.campaign.kill --random 200             # the real command, killed at random moments
    python -m tests.campaign.kill --repeat 'graph|resume|1|taskrun:62:after:itself'

A point is `SCENE|resume or revert|1 or a power cut|FAULT|FAULT...`, a fault is `ROLE:NTH CALL:WHEN:VICTIM` (see
`tests/crash/points.py`); the first hits the command that runs the scene, the others those that take over. With
`--repeat` its files are kept, and their place is printed. Exit code 1 when anything did not hold.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator

from tests.campaign import servers
from tests.campaign.tally import Tally, kind_of
from tests.crash.fork_server import ForkServer, sample
from tests.crash.points import Point, enumerated, nested, power_cut
from tests.crash.real import kill_at_random
from tests.crash.scenes import SCENES


def all_points(scenes: list[str]) -> dict[str, dict[str, list[int]]]:
    """The calls that there are to be killed at."""
    with ForkServer() as server:
        return {scene: server.kinds(scene) for scene in scenes}


def chosen(scenes: list[str], number: int, seed: int) -> list[Point]:
    """Six in ten from the list of all calls, three nested, one a power cut; in random order."""
    kinds = all_points(scenes)
    chance = random.Random(seed)
    single = [point for scene in scenes for point in enumerated(scene, kinds[scene])]
    print(f"{len(single):,} calls to die at in {len(scenes)} scenes, seed {seed}", file=sys.stderr)
    points = sample(single, number * 6 // 10, seed=seed)

    def more(make, wanted: int) -> Iterator[Point]:
        for _ in range(wanted):
            scene = chance.choice(scenes)
            yield make(scene, kinds[scene], chance)

    cuts = number // 10
    points += more(power_cut, cuts)
    points += more(nested, number - len(points))
    chance.shuffle(points)
    return points


def repeat(text: str) -> int:
    server = ForkServer()
    report = next(server.tried([Point.parse(text)]))
    print(json.dumps(report, indent=2))
    server.close(keep=bool(report["faults"]))
    return 1 if report["faults"] else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=0, help="how many points to try")
    parser.add_argument(
        "--random", type=int, default=0, help="how many runs of the real command to kill at random"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="only these scenes")
    parser.add_argument("--repeat", metavar="POINT", help="try one point again")
    given = parser.parse_args()
    if given.repeat:
        return repeat(given.repeat)
    scenes = given.scene or list(SCENES)
    tally = Tally((given.points or (0 if given.random else 1000)) + given.random)
    if given.points or not given.random:
        for report in servers.tried(chosen(scenes, given.points or 1000, given.seed), given.processes):
            tally.add(kind_of(report["point"]), report)
    for report in kill_at_random(scenes, given.random, given.processes, given.seed):
        tally.add(f"the real command, at random moments, {len(report['fired'])} times", report)
    tally.show()
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
