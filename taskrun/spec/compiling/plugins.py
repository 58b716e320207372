"""Actions of plug-ins, as far as the compiler has to know them. They are looked for only when a file names one."""

from functools import cache

from taskrun.actions import registry
from taskrun.actions.kinds import TRAITS, Traits


@cache
def _known() -> frozenset[str]:
    return frozenset(registry.kinds()) - TRAITS.keys()


def is_known(kind: str) -> bool:
    return kind in _known()


@cache
def traits(kind: str) -> Traits:
    """The traits its module declares."""
    action = registry.get(kind)
    return Traits(
        action.MAIN,
        writes=action.WRITES,
        auto=action.AUTO,
        dynamic=action.MODE == "process",
        expressions=action.EXPRESSIONS,
        scripts=action.SCRIPTS,
    )


def fields(kind: str) -> frozenset[str] | None:
    """The names its module declares as ``FIELDS``; None where it does not, and any will do."""
    declared = getattr(registry.get(kind), "FIELDS", None)
    return None if declared is None else frozenset(declared)
