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
    """The traits its module declares; its fields are any."""
    action = registry.get(kind)
    return Traits(
        action.MAIN,
        writes=action.WRITES,
        auto=action.AUTO,
        dynamic=action.MODE == "process",
        expressions=action.EXPRESSIONS,
        scripts=action.SCRIPTS,
    )
