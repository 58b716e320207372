"""The merge key: ``<<`` copies the keys of another mapping, or of a list of them, into the mapping around it."""

from taskrun.spec.loading.findings import Findings
from taskrun.spec.marks import Map, Seq

MERGE = "<<"


def merge(into: Map, findings: Findings) -> None:
    """Resolve the ``<<`` of a finished mapping: its own keys win, then those of the first in the list.

    What is copied was counted when its alias was read, so that this needs no limit of its own.
    """
    value, mark = into.pop(MERGE), into.value_marks.pop(MERGE)
    del into.key_marks[MERGE]
    sources = zip(value, value.item_marks, strict=True) if isinstance(value, Seq) else [(value, mark)]
    for source, place in sources:
        if isinstance(source, Map):
            _inherit(into, source)
        else:
            findings.error("TR135", "`<<` needs a mapping, or a list of mappings", place)


def _inherit(into: Map, source: Map) -> None:
    for key, item in source.items():
        if key not in into:
            into[key] = item
            into.key_marks[key] = source.key_marks[key]
            into.value_marks[key] = source.value_marks[key]
