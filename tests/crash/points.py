"""Crash points: which command is killed, where, and what is killed of those that are to take over."""

import errno
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.crash.page import NAME, START, SYNC, WRITE, Fault


class Point(NamedTuple):
    """The first fault hits the first command, the others the commands that take over. Then one ends in peace.

    `last` is how it is taken over: resume or revert. `cut` is the share of the attempts log that a power cut leaves
    (1: no power cut; with one, the kill is of everything, and the boot is another afterwards).
    """

    scene: str
    faults: tuple[Fault, ...]
    last: str = "resume"
    cut: float = 1.0

    def __str__(self) -> str:
        return "|".join([self.scene, self.last, f"{self.cut:g}", *map(str, self.faults)])

    @classmethod
    def parse(cls, text: str) -> "Point":
        scene, last, cut, *faults = text.strip().split("|")
        return cls(scene, tuple(map(Fault.parse, faults)), last, float(cut))

    @property
    def kind(self) -> str:
        """The row of the table it is counted in."""
        first = self.faults[0]
        if self.cut < 1:
            return "power cut"
        if first.mode != "kill":
            lasting = "from a call on" if first.mode == "full" else "once"
            return f"{errno.errorcode[first.error]} for {first.role}, {lasting}"
        return f"{first.role} calls, {first.victim} dies" + (", nested" if len(self.faults) > 1 else "")


# Which process makes the call, and which one dies at that moment. A task that dies alone has failed, like any other.
DEATHS = (
    ("taskrun", "itself"),
    ("supervisor", "taskrun"),
    ("task", "taskrun"),
    ("supervisor", "itself"),
    ("taskrun", "supervisor"),
    ("task", "supervisor"),
    ("taskrun", "everything"),
    ("supervisor", "everything"),
    ("task", "everything"),
    ("task", "itself"),
)
SPARING = 3  # the first so many kill only taskrun: nothing excuses a task that is done twice


def phases(kind: int, role: str, victim: str) -> Sequence[str]:
    """A write is torn when its writer dies; a message and a start are there as a whole or not at all."""
    dies = victim in ("itself", "everything", role)
    return ("before", "after", "torn") if kind == WRITE and dies else ("before", "after")


def enumerated(
    scene: str, kinds: dict[str, list[int]], deaths: Sequence[tuple[str, str]] = DEATHS
) -> Iterator[Point]:
    """Every call of every role, in every phase, with every victim. `kinds` are those of an undisturbed run."""
    for role, victim in deaths:
        for nth, kind in enumerate(kinds[role], 1):
            for phase in phases(kind, role, victim):
                yield Point(scene, (Fault(role, nth, phase, victim),))


def nested(scene: str, kinds: dict[str, list[int]], chance: random.Random) -> Point:
    """A first kill anywhere, and up to three more of those that take over."""
    faults = [_any_fault(kinds, chance, 1.0)]
    for _ in range(chance.randint(1, 3)):
        faults.append(_any_fault(kinds, chance, 0.4))
    last = "revert" if chance.random() < 0.2 else "resume"
    return Point(scene, tuple(faults), last)


def power_cut(scene: str, kinds: dict[str, list[int]], chance: random.Random) -> Point:
    """Everything dies at once, and of what nobody synced only a part is there afterwards."""
    role = chance.choice(["taskrun", "taskrun", "supervisor", "task"])
    fault = _fault(role, "everything", kinds, chance, 1.0)
    return Point(scene, (fault,), cut=round(chance.random() * 0.99, 3))


# What fails, of whom, and how: a disk that is full or read-only stays so until the command has ended.
TROUBLES = (
    ("taskrun", "full", errno.ENOSPC, WRITE | NAME),
    ("supervisor", "full", errno.ENOSPC, WRITE | NAME),
    ("any", "full", errno.ENOSPC, WRITE | NAME),
    ("taskrun", "fail", errno.ENOSPC, WRITE | NAME),
    ("taskrun", "full", errno.EROFS, WRITE | NAME),
    ("taskrun", "fail", errno.EIO, SYNC),
    ("taskrun", "full", errno.EIO, SYNC),
    ("taskrun", "fail", errno.EIO, WRITE),
    ("taskrun", "fail", errno.EAGAIN, START),
    ("supervisor", "fail", errno.ENOMEM, START),
)


def troubles(scene: str, kinds: dict[str, list[int]], trouble: tuple[str, str, int, int]) -> Iterator[Point]:
    """One of them, from every call on that can have it."""
    role, mode, error, which = trouble
    for nth in range(1, sum(1 for kind in kinds[role] if kind & which) + 1):
        yield Point(scene, (Fault(role, nth, "before", "itself", mode, error, which),))


def _any_fault(kinds: dict[str, list[int]], chance: random.Random, share: float) -> Fault:
    role, victim = chance.choice(DEATHS[:-1]) if chance.random() < 0.9 else DEATHS[-1]
    return _fault(role, victim, kinds, chance, share)


def _fault(role: str, victim: str, kinds: dict[str, list[int]], chance: random.Random, share: float) -> Fault:
    calls = kinds[role]
    nth = chance.randint(1, max(1, int(len(calls) * share)))
    return Fault(role, nth, chance.choice(phases(calls[nth - 1], role, victim)), victim)
