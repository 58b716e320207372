"""The shape of one page of the catalog."""

from typing import NamedTuple


class Entry(NamedTuple):
    """``bad`` is the shortest input that gets this diagnostic, ``good`` the same one set right."""

    title: str
    explanation: str
    bad: str
    good: str
