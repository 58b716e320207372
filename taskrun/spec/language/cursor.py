"""Goes over the tokens of an expression for its reader, and words the mistakes that can stand anywhere."""

from taskrun.errors import ExpressionError
from taskrun.spec.language.functions import PUBLIC
from taskrun.spec.language.paths import RESERVED
from taskrun.spec.language.tokens import Token, tokenize
from taskrun.spec.spelling import nearest

MAX_NODES = 500
MAX_NESTING = 32
CLOSERS = {"(": ")", "[": "]", "{": "}"}

# What functions are called elsewhere.
ELSEWHERE = {
    "strip": "trim", "get": "default", "toJSON": "to_json", "fromJSON": "json", "tojson": "to_json",
    "length": "len", "size": "len", "count": "len", "toUpperCase": "upper", "toLowerCase": "lower",
    "splitlines": "lines", "includes": "contains", "startsWith": "startswith", "endsWith": "endswith",
    "format": "join", "sort": "sorted", "reverse": "reversed", "distinct": "unique", "search": "matches",
    "match": "matches", "test": "matches", "coalesce": "default", "shellquote": "quote",
    "map": "pluck", "filter": "where", "b64encode": "base64_encode", "b64decode": "base64_decode",
    "urlencode": "url_encode", "string": "str", "number": "float", "parseInt": "int", "typeof": "type",
}  # fmt: skip


class Cursor:
    """``token`` is the one to be read next."""

    def __init__(self, source: str) -> None:
        self._tokens = tokenize(source)
        self._at = 0
        self.token = self._tokens[0]
        self._nodes = 0
        self._depth = 0

    def next(self) -> Token:
        token = self.token
        self._at += 1
        self.token = self._tokens[self._at]
        return token

    def previous(self, back: int = 1) -> Token:
        return self._tokens[self._at - back]

    def sees(self, text: str) -> bool:
        return self.token.text == text and self.token.kind != "string"

    def take(self, text: str) -> bool:
        if self.sees(text):
            self.next()
            return True
        return False

    def close(self, opened: Token) -> None:
        """Read the bracket that closes ``opened``."""
        closer = CLOSERS[opened.text]
        if self.take(closer):
            return
        if self.token.kind == "end":
            raise self.wrong(f"this {opened.text} is never closed", f"write {closer}", opened)
        if self.token.text in (")", "]", "}"):
            raise self.wrong(f"{self.token.text} does not close {opened.text}", f"write {closer}")
        raise self.left_over()

    def count_node(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self.wrong(f"the expression has more than {MAX_NODES} parts", "compute it in a task")

    def enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self.wrong(f"the expression is nested deeper than {MAX_NESTING} levels")

    def leave(self) -> None:
        self._depth -= 1

    def wrong(self, message: str, hint: str | None = None, token: Token | None = None) -> ExpressionError:
        return ExpressionError(message, hint=hint, offset=(token or self.token).offset)

    def left_over(self) -> ExpressionError:
        """What is wrong when a whole value has been read and this token follows."""
        token = self.token
        if token.kind == "end":
            return self.wrong("the expression ends too early")
        if token.kind == "string":
            return self.wrong("an operator or a comma is missing before this string", "+ joins strings")
        if token.text in _LEFT_OVER:
            return self.wrong(*_LEFT_OVER[token.text])
        if token.text in (")", "]", "}"):
            return self.wrong(f"this {token.text} was never opened")
        if token.kind == "op" or token.text in RESERVED:
            return self.wrong(f"{token.text} cannot stand here")
        return self.wrong(f"an operator is missing before {token.text}")

    def no_value(self) -> ExpressionError:
        """What is wrong when a value should begin with this token."""
        token = self.token
        if token.kind == "end":
            return self.wrong("the expression ends too early")
        if token.text == "lambda":
            return self.wrong("there are no lambdas", "pluck(list, key), where(list, key, value)")
        if token.text == ".":
            return self.wrong("a number starts with a digit, a path with a name", "0.5, inputs.x")
        if token.text == "*":
            return self.wrong("values cannot be spread with *", "a function like max takes a list as it is")
        if token.text == "**":
            return self.wrong("maps cannot be spread with **", "merge(a, b)")
        return self.wrong(f"a value is missing before {token.text}")

    def unknown_function(self, name: Token) -> ExpressionError:
        near = ELSEWHERE.get(name.text) or nearest(name.text, PUBLIC)
        hint = f"did you mean {near}()?" if near else f"there are: {' '.join(sorted(PUBLIC))}"
        return self.wrong(f"there is no function {name.text}()", hint, name)

    def method_call(self, name: str | None, offset: int) -> ExpressionError:
        if name is None:
            return self.wrong("only functions can be called", "upper(x)")
        known = name if name in PUBLIC else ELSEWHERE.get(name) or nearest(name, PUBLIC) or "upper"
        return ExpressionError(
            "there are no methods to call", hint=f"functions stand in front: {known}(x)", offset=offset
        )


_LEFT_OVER = {
    ",": ("a comma stands only between values in brackets", "a list is [a, b]"),
    "for": (
        "there are no loops in expressions",
        "for_each on a task; or pluck(list, key), where(list, key, value)",
    ),
    "else": ("else without if", "write: a if condition else b"),
}
