"""What a simulated run does to the world: which attempts are under way, what they leave behind, what must never happen.

It knows nothing of the machine. It is told what begins and how that ends, as a disk or a remote service would be.
"""

from typing import Final, NamedTuple

DO: Final = "do"
UNDO: Final = "undo"
PROBE: Final = "probe"

# How an attempt goes. LOST: it is over, but the answer never arrives. ALREADY: a check found it done before.
SUCCEEDS: Final = "succeeds"
FAILS: Final = "fails"
NEVER_BEGINS: Final = "never-begins"
ALREADY: Final = "already"
LOST: Final = "lost"


class Fate(NamedTuple):
    """How one attempt goes. ``leaves``: is the task's effect, or a part of it, in the world when it is over?

    ``again`` is False when another attempt (at doing or undoing) would not help.
    """

    ends: str = SUCCEEDS
    leaves: bool = True
    again: bool = True


class Key(NamedTuple):
    """One attempt: ``number`` counts a task's attempts, and apart from them its undos. ``asked`` tells probes apart."""

    verb: str
    node: int
    number: int
    asked: int = 0


class World:
    """``effects``: tasks of which something is there. ``ended`` is kept for whoever asks later."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.effects: dict[int, int] = {}  # task -> the attempt that left it
        self.running: dict[Key, Fate] = {}
        self.ended: dict[Key, Fate] = {}
        self.faults: list[str] = []

    def begin(self, key: Key, fate: Fate) -> None:
        """An attempt is under way from now on."""
        if key in self.running or (key in self.ended and key.verb != PROBE):
            self.faults.append(f"{key} was begun twice")
        if any(other.node == key.node for other in self.running):
            self.faults.append(f"{key} overlaps with another attempt of its task")
        self.running[key] = fate
        if len(self.running) > self.jobs:
            self.faults.append(f"{key} is one more than {self.jobs} at the same time")

    def end(self, key: Key) -> Fate:
        """The attempt is over; what it leaves is there, or gone."""
        fate = self.running.pop(key)
        self.ended[key] = fate
        if key.verb == DO and fate.leaves and fate.ends not in (NEVER_BEGINS, ALREADY):
            self.effects[key.node] = key.number
        elif key.verb == UNDO and not fate.leaves:
            self.effects.pop(key.node, None)
        return fate

    def renumber(self, new: list[int]) -> None:
        """The tasks are the same, their numbers are not."""
        self.effects = {new[node]: attempt for node, attempt in self.effects.items()}
        self.running = {key._replace(node=new[key.node]): fate for key, fate in self.running.items()}
        self.ended = {key._replace(node=new[key.node]): fate for key, fate in self.ended.items()}

    def change(self, key: Key, fate: Fate) -> None:
        """Something from outside (a kill, a stop) changes how an attempt under way will go."""
        self.running[key] = fate
