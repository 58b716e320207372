"""One workflow file while it is compiled: its document, its names, and what is wrong with it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.spec.compiling.problems import Problems
from taskrun.spec.compiling.scopes import Element, Scope
from taskrun.spec.compiling.validation import Valid
from taskrun.spec.marks import Map, Mark

if TYPE_CHECKING:
    from taskrun.spec.compiling.includes import Includes
    from taskrun.spec.compiling.reusable import Reusable


class Source(NamedTuple):
    """Where an expression's source stands: ``offset`` characters into a scalar that starts at ``mark``."""

    text: str
    mark: Mark
    offset: int


class Reference(NamedTuple):
    """A dotted name in an expression; its place is worked out only when something is wrong with it."""

    scope: Scope
    names: tuple[str, ...]
    at: Source
    offset: int
    length: int


class Needs(NamedTuple):
    """One name of a ``needs``: the entry at ``position`` of ``flow`` waits for it."""

    flow: int
    position: int
    name: str
    mark: Mark


class Unit:
    """What the parts of the compiler share about one file. ``tree`` has the marks, ``document`` the values."""

    def __init__(self, valid: Valid, problems: Problems, includes: "Includes") -> None:
        assert valid.document is not None
        self.document: dict[str, Any] = valid.document
        self.tree: Map = valid.tree
        self.removed = valid.removed
        self.has_lost_names = valid.lost_tasks  # a task that could not be read may have had any name
        self.problems = problems
        self.includes = includes
        self.inputs: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.actions: dict[str, Reusable] = {}
        self.elements: dict[str, Element] = {}
        self.marks: dict[str, Mark] = {}  # where each name stands
        self.references: list[Reference] = []
        self.needs: list[Needs] = []
        self.muddled: set[int] = (
            set()
        )  # ids of maps with a key nobody knows, which may be a misspelt `revert`
        self.unstated: list[Map] = []  # tasks that write and do not say how they are undone

    def lost(self, tree: Map, key: str) -> bool:
        """Whether a value was there and has been reported as wrong already."""
        return key in self.removed.get(id(tree), ())

    def with_inputs(self, inputs: dict[str, dict[str, Any]]) -> "Unit":
        """The same file as the body of a reusable action sees it: its own inputs, the same lists otherwise."""
        copy = object.__new__(Unit)
        copy.__dict__.update(self.__dict__, inputs=inputs)
        return copy


class Entry(NamedTuple):
    """A map of the file: its values, and the same with marks."""

    unit: Unit
    spec: dict[str, Any]
    tree: Map

    def inner(self, key: str) -> "Entry":
        return Entry(self.unit, self.spec[key], self.tree[key])

    def lost(self, key: str) -> bool:
        return self.unit.lost(self.tree, key)

    def at_key(self, id_: str, message: str, key: str, help_: str | None = None) -> None:
        self.unit.problems.at_key(id_, message, self.tree, key, help_)

    def at_value(self, id_: str, message: str, key: str, help_: str | None = None) -> None:
        self.unit.problems.at_value(id_, message, self.tree, key, help_)

    def at_start(self, id_: str, message: str, help_: str | None = None) -> None:
        mark = self.tree.mark
        self.unit.problems.error(id_, message, mark, self.unit.problems.length_at(mark), help_)
