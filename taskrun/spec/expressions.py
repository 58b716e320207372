"""Expressions and ``${{ }}`` templates of the workflow language: parsed once, evaluated over JSON values only.

The evaluator is our own, over our own grammar: simpleeval walks Python's syntax tree anew at every evaluation, has no
fuel, resolves ``a.b`` by ``getattr``, names no positions, and cannot read ``tasks.a-b`` or ``result.json.from``. Here no Python
object, attribute or method can be reached from a source, by construction: ``json.items`` is a key, never a method.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.paths import Reference, explain, follow, plain_path
from taskrun.spec.templates import OPEN, split
from taskrun.spec.values import MAX_RESULT, Budget, MissingError, a_kind, measure, text, too_large

__all__ = [
    "Expression",
    "Reference",
    "Template",
    "check_condition",
    "has_expression",
    "parse",
    "render",
    "template",
]

Scope = Mapping[str, Any]
_CACHED = 4096
_SCALARS = frozenset({bool, int, float, type(None)})


class Expression:
    """A checked expression. ``references`` are the paths it uses, each with its offset and length in ``source``."""

    __slots__ = ("_evaluator", "_node", "_path", "names", "references", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._path = plain_path(source)
        self._evaluator: Callable[[Scope, Budget], Any] | None = None
        self._node: Any = None
        if self._path is None:
            self._node, self.references = _read(source)
        else:
            self.references = (Reference(self._path, 0, len(source)),)
        self.names: frozenset[tuple[str, ...]] = frozenset(reference.path for reference in self.references)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    @property
    def node(self) -> Any:
        """Its tree; None for a plain path."""
        return self._node

    def evaluate(self, scope: Scope) -> Any:
        """The value, to be treated as read-only: it may be part of the scope itself."""
        try:
            value = follow(self._path, scope) if self._path is not None else self._compute(scope)
        except MissingError as error:
            explain(error)
            raise
        kind = type(value)
        if kind in _SCALARS or (kind is str and len(value) <= MAX_RESULT):
            return value
        try:
            measure(value)
        except ExpressionError as error:
            error.offset = 0
            raise
        return value

    def _compute(self, scope: Scope) -> Any:
        evaluator = self._evaluator
        if evaluator is None:
            evaluator = self._evaluator = _compiled(self._node)
        return evaluator(scope, Budget())


def _read(source: str) -> tuple[Any, tuple[Reference, ...]]:
    # Most expressions are plain paths: their runs need not load the rest of the language.
    from taskrun.spec.language.reader import read_expression  # noqa: PLC0415

    return read_expression(source)


def _compiled(node: Any) -> Callable[[Scope, Budget], Any]:
    from taskrun.spec.language.evaluation import compile_node  # noqa: PLC0415

    return compile_node(node)


@lru_cache(maxsize=_CACHED)
def parse(source: str) -> Expression:
    """Check an expression; raises ExpressionError with the offset of the mistake."""
    return Expression(source)


class Template:
    """A text with expressions in it. ``offsets`` says where in the text each expression's source starts."""

    __slots__ = ("expressions", "is_single", "offsets", "parts")

    def __init__(self, parts: tuple[str | Expression, ...], offsets: tuple[int, ...]) -> None:
        self.parts = parts
        self.offsets = offsets
        self.expressions = tuple(part for part in parts if isinstance(part, Expression))
        self.is_single = len(parts) == 1 and isinstance(parts[0], Expression)

    def references(self) -> list[Reference]:
        """The paths all its expressions use, with offsets into the text."""
        return [
            Reference(path, start + offset, length)
            for expression, start in zip(self.expressions, self.offsets, strict=True)
            for path, offset, length in expression.references
        ]

    def render(self, scope: Scope) -> Any:
        """One expression alone keeps its value's type; in the middle of text a value becomes text."""
        parts = self.parts
        if self.is_single:
            return self._value(0, scope)
        if len(parts) == 1:
            return parts[0]
        shown: list[str] = []
        size = position = 0
        for part in parts:
            if isinstance(part, str):
                shown.append(part)
                continue
            shown.append(text(self._value(position, scope)))
            position += 1
            size += len(shown[-1])
            if size > MAX_RESULT:
                raise too_large(size)
        return "".join(shown)

    def _value(self, position: int, scope: Scope) -> Any:
        expression = self.expressions[position]
        try:
            return expression.evaluate(scope)
        except ExpressionError as error:
            if error.offset is not None:
                error.offset += self.offsets[position]
            raise


@lru_cache(maxsize=_CACHED)
def template(text: str) -> Template:
    """Split a text at its ``${{ }}``; raises ExpressionError with an offset into the text."""
    parts: list[str | Expression] = []
    offsets: list[int] = []
    literal = ""
    for piece in split(text):
        if piece.kind != "expression":
            literal += piece.text
            continue
        if literal:
            parts.append(literal)
            literal = ""
        try:
            parts.append(parse(piece.text))
        except ExpressionError as error:
            offset = piece.offset + (error.offset or 0)
            raise ExpressionError(error.message, offset=offset, hint=error.hint) from None
        offsets.append(piece.offset)
    if literal or not parts:
        parts.append(literal)
    return Template(tuple(parts), tuple(offsets))


def has_expression(text: str) -> bool:
    return OPEN in text


def render(value: Any, scope: Scope) -> Any:
    """A value with every expression in its strings evaluated; keys stay as they are."""
    if isinstance(value, str):
        return template(value).render(scope) if OPEN in value else value
    if isinstance(value, dict):
        return {key: render(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, scope) for item in value]
    return value


def check_condition(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    hint = "compare it: x == 'yes', len(x) > 0, x != null"
    raise ExpressionError(f"a condition gives true or false, not {a_kind(value)}", hint=hint)
