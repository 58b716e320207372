"""What the builder needs of the parser's events: the same in libyaml's and in those of the parser in Python."""

from typing import Protocol


class Position(Protocol):
    """A place in the text, all numbers from 0."""

    index: int
    line: int
    column: int


class Placed(Protocol):
    """Any event."""

    start_mark: Position
    end_mark: Position


class Node(Placed, Protocol):
    """A scalar, or the start of a list or mapping."""

    anchor: str | None
    tag: str | None


class Scalar(Node, Protocol):
    """``style`` is the quote or block character, and empty or None for an unquoted scalar."""

    value: str
    style: str | None


class Alias(Placed, Protocol):
    anchor: str


class DocumentStart(Placed, Protocol):
    version: tuple[int, int] | None
