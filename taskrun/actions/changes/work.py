"""What the changes of one attempt share."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from taskrun.actions.base import Context
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, sibling
from taskrun.actions.images.restoring import Restorer
from taskrun.errors import ActionError

Change = dict[str, Any]
Stage = Callable[
    [int, str], None
]  # makes something, complete and durable, at a free name of an open directory


class Look(NamedTuple):
    """Where a change stands; ``drift`` says in words what is different."""

    is_ours: bool
    drift: str = ""


BEFORE: Final = Look(is_ours=False)
AFTER: Final = Look(is_ours=True)


class Work:
    def __init__(self, ledger: Ledger, context: Context, random: str) -> None:
        self.ledger = ledger
        self.context = context
        self.pace = Pace(context)
        self.durable = context.durable
        self._random = random

    def staging(self, place: Place, key: str) -> str:
        """The name beside a place under which its new content is made."""
        return sibling(place.name, f"{self._random}-{key}")

    def unstaging(self, place: Place, key: str) -> str:
        """The name beside a place under which its old content is made again."""
        return sibling(place.name, f"{self._random}-{key}-undo")

    def restorer(self, place: Place, key: str) -> Restorer:
        return Restorer(self.ledger, self.pace, self.unstaging(place, key))


def drifted(path: str, how: str) -> ActionError:
    """Before anything is changed: what is there is not what was looked at."""
    return ActionError("Drift", f"{path} {how} since its before-image was taken: nothing was changed")


def place_in(change: Change, prefix: str = "") -> Place:
    return Place(change[f"{prefix}folder"], change[f"{prefix}name"])
