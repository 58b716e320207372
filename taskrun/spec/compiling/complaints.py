"""How mistakes in the fields of an action are reported: at the field, at its value, or at the action as a whole."""

from collections.abc import Iterable

from taskrun.spec.compiling.unit import Entry
from taskrun.spec.marks import Map


def complain(entry: Entry, kind: str, field: str | None, message: str, help_: str | None = None) -> None:
    """About a field of the action, about its plain value, or about the whole of it."""
    fields = entry.tree[kind]
    if isinstance(fields, Map) and field in fields:
        entry.unit.problems.at_key("TR706", message, fields, str(field), help_)
    elif field is not None:
        entry.at_value("TR706", message, kind, help_)
    else:
        entry.at_key("TR706", message, kind, help_)


def complain_value(entry: Entry, kind: str, field: str, message: str, help_: str | None = None) -> None:
    fields = entry.tree[kind]
    if isinstance(fields, Map):
        entry.unit.problems.at_value("TR706", message, fields, field, help_)
    else:
        entry.at_value("TR706", message, kind, help_)


def is_lost(entry: Entry, kind: str, names: Iterable[str]) -> bool:
    """Whether one of the fields was there, and is wrong in a way that has been reported."""
    fields = entry.tree[kind]
    return isinstance(fields, Map) and any(entry.unit.lost(fields, name) for name in names)
