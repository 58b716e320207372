"""Makes the disk full, read-only or broken from any system call on, or for one alone, and tells what was forgotten.

    python -m tests.campaign.storage --points 2000 --processes 2

A point is repeated with `python -m tests.campaign.kill --repeat POINT`. Exit code 1 when anything did not hold.
"""

import argparse
import sys

from tests.campaign import servers
from tests.campaign.kill import all_points
from tests.campaign.tally import Tally, kind_of
from tests.crash.fork_server import sample
from tests.crash.points import TROUBLES, troubles
from tests.crash.scenes import SCENES


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scene", action="append", choices=list(SCENES), help="only these scenes")
    given = parser.parse_args()
    scenes = given.scene or [
        name for name, scene in SCENES.items() if scene.begun == "run" and not scene.stuck
    ]
    kinds = all_points(scenes)
    every = [
        point for scene in scenes for trouble in TROUBLES for point in troubles(scene, kinds[scene], trouble)
    ]
    print(f"{len(every):,} calls that can fail in {len(scenes)} scenes", file=sys.stderr)
    points = sample(every, given.points, seed=given.seed)
    tally = Tally(len(points))
    for report in servers.tried(points, given.processes):
        tally.add(kind_of(report["point"]), report)
    tally.show()
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
