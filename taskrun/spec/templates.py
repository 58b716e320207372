"""Finds the ``${{ expressions }}`` in a text. ``$${{`` stands for the characters ``${{`` themselves."""

from typing import NamedTuple

from taskrun.errors import ExpressionError
from taskrun.regex import lazy

OPEN = "${{"
_OPEN = lazy(r"\$?\$\{\{")
# What may hold braces or quotes that do not end the expression.
_INSIDE = lazy(r"""[^"'{}]+|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|\{|\}\}|\}|["']""")


class Piece(NamedTuple):
    """``kind`` is "text", "escape" or "expression"; an expression's ``text`` is its source, which begins at ``offset``.

    ``start`` and ``end`` enclose the whole piece, braces included.
    """

    kind: str
    text: str
    offset: int
    start: int
    end: int

    @property
    def is_expression(self) -> bool:
        return self.kind == "expression"


def split(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    while True:
        found = _OPEN.search(text, position)
        start = found.start() if found else len(text)
        if start > position:
            pieces.append(Piece("text", text[position:start], position, position, start))
        if found is None:
            return pieces
        if found[0].startswith("$$"):
            pieces.append(Piece("escape", OPEN, start, start, found.end()))
        else:
            pieces.append(_expression(text, start, found.end()))
        position = pieces[-1].end


def _expression(text: str, start: int, position: int) -> Piece:
    end = _closing(text, position, start)
    source = text[position:end]
    offset = position + len(source) - len(source.lstrip())
    return Piece("expression", source.strip(), offset, start, end + 2)


def _closing(text: str, position: int, opened: int) -> int:
    """Where the ``}}`` is that ends the expression: not one in quotes, nor the ends of maps."""
    depth = 0
    quote: int | None = None
    while position < len(text):
        found = _INSIDE.match(text, position)
        assert found is not None
        match found[0]:
            case "{":
                depth += 1
            case "}}" if depth == 0:
                return position
            case "}}" | "}":
                depth -= 1 if depth else 0
                position += 1
                continue
            case '"' | "'" if quote is None:
                quote = position
        position = found.end()
    if quote is not None:
        raise ExpressionError(f"the string that starts here is never closed with {text[quote]}", offset=quote)
    raise ExpressionError(
        "this ${{ is never closed", offset=opened, hint="write }}, or $${{ for the characters ${{ themselves"
    )
