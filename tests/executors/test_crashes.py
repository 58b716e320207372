"""taskrun, its supervisor or both are killed at any moment: no attempt runs twice, and what is said of it is true."""

import os
import random
import signal
import time

import pytest

from taskrun.executors.protocol import Ended
from taskrun.executors.recovery import Alive, Lost, NotStarted, attach, recover
from tests.executors.house import Client, marked

KEYS = [f"t{number}/1" for number in range(12)]

BODY = """
keys = {keys!r}
print(supervisor.pid, flush=True)
running = 0
while keys or running:
    while keys and running < 3:
        spawn("echo $TASKRUN_IDEMPOTENCY_KEY >> begun; sleep 0.0$((RANDOM_ % 3)); echo $TASKRUN_IDEMPOTENCY_KEY >> done"
              .replace("RANDOM_", str(len(keys))), keys.pop(0))
        running += 1
    running -= len(receive())
    if supervisor.lost:
        break
"""

KILLED = {
    "taskrun": ("client",),
    "the supervisor": ("supervisor",),
    "taskrun, then the supervisor": ("client", "supervisor"),
    "the supervisor, then taskrun": ("supervisor", "client"),
}


def effects(client, name):
    path = client.dir / name
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.removeprefix(f"{client.run_id}/") for line in lines]


def settle(client):
    """Ask as a newcomer would, until nothing is under way any more."""
    found = recover(str(client.dir), KEYS, grace=0.05)
    while any(isinstance(one, Alive) for one in found.values()):
        with attach(str(client.dir), KEYS) as attached:
            while attached.alive:
                attached.poll(1)
        found = recover(str(client.dir), KEYS, grace=0.05)
    return found


def check(client, found):
    begun, done = effects(client, "begun"), effects(client, "done")
    assert marked(client.run_id) == []
    for key, one in found.items():
        assert begun.count(key) <= 1, f"{key} ran {begun.count(key)} times"
        if isinstance(one, NotStarted):
            assert begun.count(key) == 0, f"{key} is said not to have started, and did"
        elif isinstance(one, Ended):
            assert (one.status, one.code) == ("exited", 0)
            assert done.count(key) == 1, f"{key} is said to have ended, and did not"
        else:
            assert isinstance(one, Lost)
    return found


@pytest.mark.parametrize("killed", KILLED.values(), ids=KILLED)
@pytest.mark.parametrize("seed", range(int(os.environ.get("TASKRUN_TEST_SEEDS", "3"))))
def test_killed_at_any_moment(client, killed, seed):
    chance = random.Random(f"{seed}{killed}")
    one: Client = client(BODY.format(keys=KEYS))
    supervisor = int(one.line())
    for who in killed:
        time.sleep(chance.uniform(0, 0.08))  # the moment is the test
        if who == "client":
            one.kill()
        elif os.path.exists(f"/proc/{supervisor}"):
            os.kill(supervisor, signal.SIGKILL)
    if "supervisor" not in killed:
        one.kill()
    found = settle(one)
    check(one, found)
    if killed == ("client",):
        assert not [lost for lost in found.values() if isinstance(lost, Lost)], (
            "the supervisor was there all the time"
        )
    assert kinds(settle(one)) == kinds(found), "asked again, it says the same"


def kinds(found):
    return {key: type(one) for key, one in found.items()}
