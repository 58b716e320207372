"""Splits the source of an expression into tokens, and says what to write where other languages' habits slip in."""

import re
from typing import NamedTuple

from taskrun.errors import ExpressionError
from taskrun.regex import lazy


class Token(NamedTuple):
    kind: str  # "name", "number", "string", "op" or "end"
    text: str
    offset: int


_STRING = r"""[rR]?(?:"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')"""
_TOKEN = lazy(
    r"(?P<space>[ \t\r\n]+)"
    r"""|(?P<refused>(?:[fF][rR]?|[rR][fFbB]|[bB][rR]?|[uU])(?=["'])|===|!==|=(?!=)|<<|>>|<>|:=|&&?|\|\|?|!(?!=))"""
    rf"|(?P<string>{_STRING})"
    # A task's name may hold dashes, and nothing is ever subtracted from a task: they are part of the name.
    r"|(?P<dashed>(?:tasks|retries)[ ]*\.[ ]*[A-Za-z_][A-Za-z0-9_]*-[A-Za-z0-9_-]*)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_]))"
    r"|(?P<op>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\]{},.:])"
)

_FSTRING = ("there are no f-strings", 'join texts with +, or write the text around it: "a ${{ x }} b"')
_BITS = ("there are no operators on bits", None)
_REFUSED: dict[str, tuple[str, str | None]] = {
    "=": ("= is not an operator", "write == to compare"),
    "===": ("=== is not an operator", "write =="),
    "!==": ("!== is not an operator", "write !="),
    "<>": ("<> is not an operator", "write !="),
    "&&": ("&& is not an operator", "write and"),
    "||": ("|| is not an operator", "write or"),
    "!": ("! is not an operator", "write not"),
    "&": ("& is not an operator", "write and"),
    "|": ("| is not an operator", "write or; a filter is a function here: default(x, 1), not x | default(1)"),
    ":=": ("names cannot be set in an expression", None),
    "<<": _BITS,
    ">>": _BITS,
    "^": ("^ is not an operator", "write ** for powers"),
    "~": _BITS,
    "?": ("? is not an operator", "write: a if condition else b"),
    ";": ("one expression only, without ;", None),
    "@": ("@ is not an operator", None),
    "$": ("shell variables are not visible in expressions", "write env.NAME"),
    "`": ("backticks run nothing here", "run the command in a task and use its outputs"),
    "#": ("there are no comments in expressions", None),
    "\\": ("a backslash only has a meaning inside quotes", None),
}


def tokenize(source: str) -> list[Token]:
    tokens: list[Token] = []
    position, end = 0, len(source)
    match = _TOKEN.match
    while position < end:
        found = match(source, position)
        if found is None:
            raise _unreadable(source, position)
        group = found.lastgroup or ""
        word = found[0]
        if group == "dashed":
            position = _split_dashed(word, position, tokens)
            continue
        if group == "refused":
            raise _refused(word, position)
        if group != "space":
            tokens.append(Token(group, word, position))
        position = found.end()
    tokens.append(Token("end", "", end))
    return tokens


def _split_dashed(word: str, position: int, tokens: list[Token]) -> int:
    """Add the tokens of ``tasks.a-b``; gives where the next token starts."""
    root, _, name = word.partition(".")
    start = position + len(word) - len(name.lstrip())
    name = name.strip()
    if tokens and tokens[-1].text == ".":  # result.tasks.a-b: a key of that name, and a subtraction
        name = name.partition("-")[0]
    tokens.append(Token("name", root.rstrip(), position))
    tokens.append(Token("op", ".", position + len(root)))
    tokens.append(Token("name", name, start))
    return start + len(name)


def _refused(word: str, position: int) -> ExpressionError:
    if "f" in word.lower():
        return _error(*_FSTRING, position)
    if word.isalpha():
        return _error(f"a string cannot start with {word}", "leave it out", position)
    message, hint = _REFUSED[word]
    return _error(message, hint, position)


def _unreadable(source: str, position: int) -> ExpressionError:
    char = source[position]
    if char in "\"'":
        return _error(f"the string that starts here is never closed with {char}", None, position)
    if char.isdigit():
        return _error("this is not a number", "decimal digits, as in 12 or 0.5 or 1e3", position)
    if char in "“”‘’«»„":  # noqa: RUF001 - typographic quotes, as pasted from a document
        return _error(f"{char} is not a quote the language knows", "write \" or '", position)
    if char in _REFUSED:
        message, hint = _REFUSED[char]
        return _error(message, hint, position)
    if char.isalpha():
        return _error(
            f"the letter {char!r} cannot stand in a name", f'write it as a key: ["{char}..."]', position
        )
    return _error(f"unexpected character {char!r}", None, position)


def _error(message: str, hint: str | None, position: int) -> ExpressionError:
    return ExpressionError(message, hint=hint, offset=position)


_ESCAPE = lazy(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])")
_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "\n": "",
}  # fmt: skip


def string_value(token: Token) -> str:
    r"""The text a string token stands for. An unknown escape keeps its backslash, so that "\d+" is a pattern."""
    literal = token.text
    if literal[0] in "rR":
        return literal[2:-1]
    body = literal[1:-1]
    if "\\" not in body:
        return body

    def replace(found: re.Match[str]) -> str:
        escape = found[1]
        if len(escape) == 1:
            return _SIMPLE.get(escape, found[0])
        code = int(escape[1:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise _error(f"{found[0]} is not a character", None, token.offset + 1 + found.start())
        return chr(code)

    return _ESCAPE.sub(replace, body)
