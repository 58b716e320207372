"""What a driver is to do, in the imperative. All of them may be given again after a crash."""

from typing import NamedTuple


class EvaluateCondition(NamedTuple):
    """``asked`` goes back with the answer, so that an answer to an earlier question is not taken for this one's."""

    node: int
    asked: int = 0


class EvaluateItems(NamedTuple):
    node: int
    asked: int = 0


class StartAttempt(NamedTuple):
    node: int
    attempt: int


class StartRevert(NamedTuple):
    node: int
    attempt: int


class StartProbe(NamedTuple):
    node: int
    attempt: int
    asked: int = 0


class StopAttempt(NamedTuple):
    """End what runs of this attempt; its result is still awaited."""

    node: int
    attempt: int


class StartTimer(NamedTuple):
    """Report ``TimerFired(node, due)`` once the clock has reached ``due``."""

    node: int
    due: float


Command = (
    EvaluateCondition | EvaluateItems | StartAttempt | StartRevert | StartProbe | StopAttempt | StartTimer
)
