"""What a simulated driver learns about an attempt that is over, as the event it gives to the machine."""

from taskrun.drivers.world import ALREADY, LOST, NEVER_BEGINS, SUCCEEDS, Fate, Key
from taskrun.engine import events as e

FAILURE = {"type": "Simulated", "message": "the simulation wants it so"}


def done(key: Key, fate: Fate, now: float) -> e.Event:
    if fate.ends == LOST:
        return e.AttemptLost(now, key.node, key.number)
    if fate.ends in (SUCCEEDS, ALREADY):
        return e.AttemptSucceeded(now, key.node, key.number, None, fate.ends == ALREADY)
    began = fate.ends != NEVER_BEGINS
    return e.AttemptFailed(now, key.node, key.number, FAILURE, None, began, fate.again)


def undone(key: Key, fate: Fate, now: float) -> e.Event:
    if fate.ends == LOST:
        return e.RevertLost(now, key.node, key.number)
    if fate.ends == SUCCEEDS:
        return e.RevertSucceeded(now, key.node, key.number)
    return e.RevertFailed(now, key.node, key.number, FAILURE, final=not fate.again)


def probed(key: Key, fate: Fate, now: float, *, done: bool) -> e.Event:
    """A probe sees the world as it is, or nothing."""
    answer = done if fate.ends == SUCCEEDS else None
    return e.ProbeAnswered(now, key.node, key.number, answer, asked=key.asked)
