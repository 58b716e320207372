"""Reads the source of an expression into its tree, and collects the paths it uses on the way."""

from collections.abc import Callable
from types import MappingProxyType
from typing import ClassVar

from taskrun.errors import ExpressionError
from taskrun.spec.language.cursor import CLOSERS, Cursor
from taskrun.spec.language.functions import FUNCTIONS
from taskrun.spec.language.nodes import (
    Access,
    Call,
    Chain,
    Conditional,
    Index,
    Key,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Slice,
    Unary,
)
from taskrun.spec.language.paths import RESERVED, Reference
from taskrun.spec.language.tokens import Token, string_value
from taskrun.spec.values import MAX_INTEGER

MAX_SOURCE = 4096

_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
# From the loosest operators to the tightest; signs and powers bind tighter still.
_LEVELS: tuple[tuple[str, frozenset[str]], ...] = (
    ("or", frozenset({"or"})),
    ("and", frozenset({"and"})),
    ("compare", frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not", "is"})),
    ("sum", frozenset({"+", "-"})),
    ("product", frozenset({"*", "/", "//", "%"})),
)
_COMPARE = 2


def read_expression(source: str) -> tuple[Node, tuple[Reference, ...]]:
    if len(source) > MAX_SOURCE:
        raise ExpressionError(f"an expression has at most {MAX_SOURCE} characters", offset=0)
    return _Reader(Cursor(source)).whole()


class _Reader:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._references: list[Reference] = []

    def whole(self) -> tuple[Node, tuple[Reference, ...]]:
        cursor = self._cursor
        if cursor.token.kind == "end":
            raise cursor.wrong("the expression is empty")
        node = self._expression()
        if cursor.token.kind != "end":
            raise cursor.left_over()
        return node, tuple(self._references)

    def _expression(self) -> Node:
        cursor = self._cursor
        cursor.enter()
        node = self._chain(0)
        if cursor.take("if"):
            cursor.count_node()
            test = self._chain(0)
            if not cursor.take("else"):
                raise cursor.wrong("if needs an else", "write: a if condition else b")
            node = Conditional(test, node, self._expression())
        cursor.leave()
        return node

    def _chain(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        cursor = self._cursor
        kind, operators = _LEVELS[level]
        first = self._chain(level + 1)
        rest: list[tuple[str, int, Node]] = []
        while cursor.token.text in operators and cursor.token.kind != "string":
            token = cursor.next()
            operator = self._two_words(token)
            cursor.count_node()
            rest.append((operator, token.offset, self._chain(level + 1)))
        return Chain(kind, first, tuple(rest)) if rest else first

    def _two_words(self, token: Token) -> str:
        if token.text == "is":
            raise self._cursor.wrong("is compares nothing here", "write == or !=", token)
        if token.text != "not":
            return token.text
        if not self._cursor.take("in"):
            raise self._cursor.wrong("an operator is missing before not", "write: a not in b", token)
        return "not in"

    def _unary(self) -> Node:
        cursor = self._cursor
        token = cursor.token
        if token.kind == "string" or token.text not in ("not", "-", "+"):
            return self._power()
        cursor.next()
        cursor.count_node()
        cursor.enter()
        # `not a == b` negates the comparison; a sign binds tighter than anything but a power.
        operand = self._chain(_COMPARE) if token.text == "not" else self._unary()
        cursor.leave()
        return Unary(token.text, operand, token.offset)

    def _power(self) -> Node:
        base = self._postfix()
        cursor = self._cursor
        if not cursor.sees("**"):
            return base
        token = cursor.next()
        cursor.count_node()
        cursor.enter()
        exponent = self._unary()
        cursor.leave()
        return Chain("power", base, (("**", token.offset, exponent),))

    def _postfix(self) -> Node:
        cursor = self._cursor
        base = self._atom()
        path = [base.name] if isinstance(base, Name) else []
        end = cursor.previous()
        steps: list[Key | Index | Slice] = []
        while cursor.token.kind == "op" and cursor.token.text in (".", "[", "("):
            if cursor.token.text == "(":
                raise self._method_call(base, steps)
            cursor.count_node()
            step = self._key() if cursor.token.text == "." else self._subscript()
            if isinstance(step, Key) and len(path) == len(steps) + 1:
                path.append(step.name)
                end = cursor.previous()
            steps.append(step)
        if isinstance(base, Name):
            length = end.offset + len(end.text) - base.offset
            self._references.append(Reference(tuple(path), base.offset, length))
        return Access(base, tuple(steps)) if steps else base

    def _method_call(self, base: Node, steps: list[Key | Index | Slice]) -> ExpressionError:
        last = steps[-1] if steps else base
        name = last.name if isinstance(last, Key | Name) else None
        return self._cursor.method_call(name, last.offset if isinstance(last, Key | Name) else 0)

    def _key(self) -> Key:
        cursor = self._cursor
        cursor.next()
        token = cursor.token
        if token.kind == "name":
            cursor.next()
            return Key(token.text, token.offset)
        if token.kind == "number":
            raise cursor.wrong("a position is written in brackets", f"[{token.text}]")
        raise cursor.wrong("a name is missing after the dot", 'other keys are written ["..."]')

    def _subscript(self) -> Key | Index | Slice:
        cursor = self._cursor
        opened = cursor.next()
        bounds: list[Node | None] = []
        while True:
            bounds.append(None if cursor.sees(":") or cursor.sees("]") else self._expression())
            if len(bounds) == 3 or not cursor.take(":"):
                break
        cursor.close(opened)
        if len(bounds) > 1:
            padded = (*bounds, None)
            return Slice((padded[0], padded[1], padded[2]), opened.offset)
        node = bounds[0]
        if node is None:
            raise cursor.wrong("a position or key is missing between the brackets", token=opened)
        if isinstance(node, Literal) and isinstance(node.value, str):
            return Key(node.value, cursor.previous(2).offset)
        return Index(node, opened.offset)

    def _atom(self) -> Node:
        cursor = self._cursor
        cursor.count_node()
        token = cursor.token
        atom = self._ATOMS.get(token.text if token.kind == "op" else token.kind)
        if atom is None or token.text in RESERVED:
            raise cursor.no_value()
        return atom(self)

    def _number(self) -> Node:
        token = self._cursor.next()
        digits = token.text
        if not digits.isdigit():
            value = float(digits)
            if value == float("inf"):
                raise self._cursor.wrong("the number is too large", token=token)
            return Literal(value)
        if len(digits) > 1 and digits[0] == "0":
            hint = f'a file mode is a text: "{digits}"'
            raise self._cursor.wrong("a number does not start with 0", hint, token)
        if len(digits) > 20 or int(digits) >= MAX_INTEGER:
            raise self._cursor.wrong("the number is too large: whole numbers end at 2**64", token=token)
        return Literal(int(digits))

    def _string(self) -> Node:
        return Literal(string_value(self._cursor.next()))

    def _word(self) -> Node:
        token = self._cursor.next()
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        return self._call(token) if self._cursor.sees("(") else Name(token.text, token.offset)

    def _call(self, name: Token) -> Node:
        if name.text not in FUNCTIONS:
            raise self._cursor.unknown_function(name)
        opened = self._cursor.next()
        arguments, _ = self._items(opened)
        problem = FUNCTIONS[name.text].count_problem(len(arguments))
        if problem:
            raise self._cursor.wrong(problem, FUNCTIONS[name.text].signature(), name)
        return Call(name.text, tuple(arguments), name.offset)

    def _parenthesised(self) -> Node:
        items, comma = self._items(self._cursor.next())
        return ListOf(tuple(items)) if comma or not items else items[0]

    def _list(self) -> Node:
        return ListOf(tuple(self._items(self._cursor.next())[0]))

    def _items(self, opened: Token) -> tuple[list[Node], bool]:
        cursor = self._cursor
        items: list[Node] = []
        comma = False
        while not cursor.sees(CLOSERS[opened.text]) and cursor.token.kind != "end":
            items.append(self._expression())
            if not cursor.take(","):
                break
            comma = True
        cursor.close(opened)
        return items, comma

    def _map(self) -> Node:
        cursor = self._cursor
        opened = cursor.next()
        pairs: list[tuple[Node, Node]] = []
        while not cursor.sees("}") and cursor.token.kind != "end":
            key = self._expression()
            if not pairs and (cursor.sees(",") or cursor.sees("}")):
                raise cursor.wrong("there are no sets", "a list is [a, b], a map {key: value}", opened)
            if cursor.token.text == "for":
                raise cursor.left_over()
            if not cursor.take(":"):
                raise cursor.wrong("a map needs : and a value after each key")
            pairs.append((key, self._expression()))
            if not cursor.take(","):
                break
        cursor.close(opened)
        return MapOf(tuple(pairs), opened.offset)

    _ATOMS: ClassVar[MappingProxyType[str, Callable[["_Reader"], Node]]] = MappingProxyType(
        {"number": _number, "string": _string, "name": _word, "(": _parenthesised, "[": _list, "{": _map}
    )
