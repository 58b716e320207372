"""The tree of an expression: the language's own nodes, nothing of Python's syntax."""

from typing import Any, NamedTuple


class Literal(NamedTuple):
    value: Any


class Name(NamedTuple):
    name: str
    offset: int


class Key(NamedTuple):
    """``.name`` or ``["name"]``."""

    name: str
    offset: int


class Index(NamedTuple):
    node: "Node"
    offset: int


class Slice(NamedTuple):
    bounds: tuple["Node | None", "Node | None", "Node | None"]
    offset: int


class Access(NamedTuple):
    base: "Node"
    steps: tuple[Key | Index | Slice, ...]


class ListOf(NamedTuple):
    items: tuple["Node", ...]


class MapOf(NamedTuple):
    pairs: tuple[tuple["Node", "Node"], ...]
    offset: int


class Unary(NamedTuple):
    operator: str
    operand: "Node"
    offset: int


class Chain(NamedTuple):
    """Operators of one precedence, from left to right; ``kind`` is or, and, compare, sum, product or power."""

    kind: str
    first: "Node"
    rest: tuple[tuple[str, int, "Node"], ...]


class Conditional(NamedTuple):
    test: "Node"
    then: "Node"
    otherwise: "Node"


class Call(NamedTuple):
    name: str
    arguments: tuple["Node", ...]
    offset: int


Node = Literal | Name | Access | ListOf | MapOf | Unary | Chain | Conditional | Call
