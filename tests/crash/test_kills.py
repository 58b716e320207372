"""taskrun, its supervisor, a task, or all of them at once are killed at their system calls: nothing is forgotten.

A point is one call of one role, before, after or in the middle of which somebody dies. Then the run is taken over until
it ends, and the files its tasks left are looked at. `python -m tests.campaign.kill` tries all points, and any number
of them; a violation names the point, to be tried again with its `--repeat`.
"""

import random

import pytest

from tests.crash.fork_server import ForkServer, sample
from tests.crash.points import DEATHS, Point, enumerated, nested, power_cut
from tests.crash.scenes import SCENES

EACH = 6  # points of a scene and a death: with the others about a thousand in all
NESTED = 12


def check(server: ForkServer, points: list[Point]) -> None:
    wrong = [report for report in server.tried(points) if report["faults"]]
    assert not wrong, "\n".join(f"{each['point']}: {'; '.join(each['faults'])}" for each in wrong[:5])


@pytest.mark.parametrize(
    ("role", "victim"), DEATHS, ids=[f"{role}-call-{victim}-dies" for role, victim in DEATHS]
)
@pytest.mark.parametrize("scene", SCENES)
def test_no_kill_makes_it_forget(server: ForkServer, scene: str, role: str, victim: str) -> None:
    points = enumerated(scene, server.kinds(scene), [(role, victim)])
    check(server, sample(points, EACH, seed=f"{scene} {role} {victim}"))


@pytest.mark.parametrize("scene", SCENES)
def test_who_takes_over_is_killed_as_well_up_to_three_times(server: ForkServer, scene: str) -> None:
    chance = random.Random(scene)
    check(server, [nested(scene, server.kinds(scene), chance) for _ in range(NESTED)])


@pytest.mark.parametrize("scene", SCENES)
def test_after_a_power_cut_what_may_have_been_lost_counts_as_unknown(server: ForkServer, scene: str) -> None:
    chance = random.Random(scene)
    check(server, [power_cut(scene, server.kinds(scene), chance) for _ in range(5)])
