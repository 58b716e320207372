"""What a simulation is told: how attempts go, what questions are answered, what interferes, and who watches."""

from typing import NamedTuple, Protocol

from taskrun.drivers.world import DO, Fate, Key
from taskrun.engine import events as e
from taskrun.engine.machine import Step


class Script(Protocol):
    """What attempts and questions come to. None as an answer: it cannot be told (the expression fails)."""

    def fate(self, key: Key) -> Fate: ...
    def condition(self, node: int) -> bool | None: ...
    def items(self, node: int) -> int | None: ...


class Smooth:
    """Everything works at the first try; to be overridden where it should not."""

    def fate(self, key: Key) -> Fate:
        return Fate(leaves=key.verb == DO)

    def condition(self, node: int) -> bool | None:  # noqa: ARG002 - part of the protocol
        return True

    def items(self, node: int) -> int | None:  # noqa: ARG002 - part of the protocol
        return 1


class Chaos(NamedTuple):
    """Probabilities, for each thing that happens; ``most`` bounds how often crashes and people interfere."""

    crash: float = 0.0
    kill: float = 0.0  # an attempt under way does not survive a crash
    repeat: float = 0.0  # a result arrives again, at any later time
    give_up: float = 0.0  # whoever takes over after a crash wants the run reverted
    ask: float = 0.0  # somebody asks for something
    most: int = 6


CALM = Chaos()


class Watcher(Protocol):
    """Told of everything, and free to raise."""

    def begun(self, key: Key) -> None: ...
    def stepped(self, event: e.Event, step: Step, *, stale: bool) -> None: ...
    def crashed(self) -> None: ...
    def expanded(self) -> None: ...
