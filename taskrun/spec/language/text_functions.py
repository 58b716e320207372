"""The functions of expressions that work on text."""

import binascii
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.language import patterns
from taskrun.spec.language.signatures import Table, pure
from taskrun.spec.values import Budget, a_kind, text

TABLE: Table = {}


@pure(TABLE, "string")
def lines(budget: Budget, value: str) -> list[str]:
    """The lines without their ends; the empty line after the last newline is none."""
    budget.spend(len(value) >> 4)
    count = value.count("\n")
    budget.allow(len(value) + 8 * count)
    budget.spend(4 * count)
    found = value.replace("\r\n", "\n").split("\n")
    if found[-1] == "":
        found.pop()
    return found


@pure(TABLE, "string", "string?")
def trim(budget: Budget, value: str, characters: str | None = None) -> str:
    budget.spend(len(value) >> 4)
    return value.strip(characters) if characters is None or len(characters) <= 100 else _long("trim")


def _long(name: str) -> Any:
    raise ExpressionError(f"{name}() takes at most 100 characters to look for")


@pure(TABLE, "string", "string?", "integer?")
def split(budget: Budget, value: str, separator: str | None = None, limit: int = -1) -> list[str]:
    """Without a separator: at runs of white space."""
    if separator == "":
        raise ExpressionError("split() needs a separator that is not empty")
    budget.spend(len(value) >> 2)
    if separator is not None and limit < 0:
        budget.allow(len(value) + 8 * value.count(separator))
    found = value.split(separator, min(limit, len(value)) if limit >= 0 else -1)
    budget.allow(len(value) + 8 * len(found))
    budget.spend(4 * len(found))
    return found


@pure(TABLE, "list", "string?")
def join(budget: Budget, items: list[Any], separator: str = "") -> str:
    budget.allow(8 * len(items) + len(separator) * max(0, len(items) - 1))
    parts: list[str] = []
    total = len(separator) * len(items)
    for item in items:
        if isinstance(item, list | dict):
            raise ExpressionError(f"join() joins texts and numbers, not {a_kind(item)}")
        parts.append(text(item))
        total += len(parts[-1])
        budget.allow(total)
    return separator.join(parts)


@pure(TABLE, "string", "string", "string")
def replace(budget: Budget, value: str, old: str, new: str) -> str:
    if not old:
        raise ExpressionError("replace() needs a text to look for that is not empty")
    budget.spend(len(value) >> 1)
    budget.allow(len(value) + value.count(old) * (len(new) - len(old)))
    return value.replace(old, new)


@pure(TABLE, "string")
def lower(budget: Budget, value: str) -> str:
    budget.spend(len(value))
    return value.lower()


@pure(TABLE, "string")
def upper(budget: Budget, value: str) -> str:
    budget.spend(len(value))
    return value.upper()


@pure(TABLE, "string", "string")
def matches(budget: Budget, value: str, pattern: str) -> bool:
    """Is there a match anywhere in the text? ``^`` and ``$`` tie it to the whole text's ends."""
    return patterns.compiled(pattern).search(value, budget)


@pure(TABLE, "string")
def basename(_budget: Budget, value: str) -> str:
    return value.rstrip("/").rpartition("/")[2] or value[:1]


@pure(TABLE, "string")
def dirname(_budget: Budget, value: str) -> str:
    head, slash, _ = value.rstrip("/").rpartition("/")
    return head.rstrip("/") or ("/" if slash or value.startswith("/") else ".")


@pure(TABLE, "string", "string")
def startswith(_budget: Budget, value: str, prefix: str) -> bool:
    return value.startswith(prefix)


@pure(TABLE, "string", "string")
def endswith(_budget: Budget, value: str, suffix: str) -> bool:
    return value.endswith(suffix)


@pure(TABLE, "string", "string")
def removeprefix(budget: Budget, value: str, prefix: str) -> str:
    budget.spend(len(value) >> 4)
    return value.removeprefix(prefix)


@pure(TABLE, "string", "string")
def removesuffix(budget: Budget, value: str, suffix: str) -> str:
    budget.spend(len(value) >> 4)
    return value.removesuffix(suffix)


@pure(TABLE, "string", "integer")
def indent(budget: Budget, value: str, width: int) -> str:
    """Every line that is not empty moved right."""
    if not 0 <= width <= 100:
        raise ExpressionError("indent() moves by 0 to 100 columns")
    budget.spend(len(value))
    budget.allow(len(value) + (value.count("\n") + 1) * width)
    pad = " " * width
    return "\n".join(pad + line if line else line for line in value.split("\n"))


@pure(TABLE, "string")
def sha256(budget: Budget, value: str) -> str:
    import hashlib  # noqa: PLC0415 - 2 ms that only those who hash should pay

    budget.spend(len(value) >> 2)
    return hashlib.sha256(_bytes(value)).hexdigest()


_PLAIN_WORD = lazy(r"[A-Za-z0-9_@%+=:,./-]+")


@pure(TABLE, "any")
def quote(budget: Budget, value: Any) -> str:
    """One word of a POSIX shell, for a shell further away than the script's own: what ``ssh`` runs."""
    word = text(value)
    budget.spend(len(word) >> 2)
    if _PLAIN_WORD.fullmatch(word):
        return word
    budget.allow(len(word) + 4 * word.count("'"))
    return "'" + word.replace("'", "'\"'\"'") + "'"


@pure(TABLE, "string")
def base64_encode(budget: Budget, value: str) -> str:
    budget.allow(2 * len(value))
    return binascii.b2a_base64(_bytes(value), newline=False).decode("ascii")


@pure(TABLE, "string")
def base64_decode(budget: Budget, value: str) -> str:
    budget.allow(len(value))
    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True).decode("utf-8")
    except (ValueError, UnicodeError) as error:
        raise ExpressionError(f"base64_decode(): not the base64 of a text: {error}") from error


_URL_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


@pure(TABLE, "any")
def url_encode(budget: Budget, value: Any) -> str:
    """One part of a path or query: everything but letters, digits and ``-_.~`` escaped, slashes too."""
    raw = _bytes(text(value))
    budget.spend(4 * len(raw))
    budget.allow(sum(1 if byte in _URL_PLAIN else 3 for byte in raw))
    return "".join(chr(byte) if byte in _URL_PLAIN else f"%{byte:02X}" for byte in raw)


def _bytes(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ExpressionError("the text holds half a character (a lone surrogate)") from error
