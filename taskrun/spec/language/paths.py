"""Follows dotted paths like ``inputs.a`` through the scope, and says what is there where one leads nowhere.

Most expressions are nothing but such a path, so they are read here, without the rest of the language.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.spelling import nearest
from taskrun.spec.values import MissingError, a_kind

MAX_PARTS = 100
MOST_CANDIDATES = 500
MOST_SHOWN = 12
_PATH = lazy(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
_NO_NAMES = frozenset({"true", "false", "null", "True", "False", "None"})
RESERVED = frozenset({"and", "or", "not", "in", "is", "if", "else", "for", "lambda"})


class Reference(NamedTuple):
    """A dotted path an expression uses, up to the first part that is only known at run time."""

    path: tuple[str, ...]
    offset: int
    length: int


def plain_path(source: str) -> tuple[str, ...] | None:
    """The parts of a source that is a path and nothing else."""
    if not _PATH.fullmatch(source):
        return None
    path = tuple(source.split("."))
    return None if len(path) > MAX_PARTS or path[0] in _NO_NAMES or path[0] in RESERVED else path


def follow(path: tuple[str, ...], scope: Mapping[str, Any]) -> Any:
    """The value at a path; the offset of a mistake is that of its part in the dotted source."""
    value: Any = scope
    try:
        for part in path:
            value = value[part] if type(value) is dict else key_of(value, part, 0)
    except (KeyError, ExpressionError):
        return _follow_slowly(path, scope)
    return value


def _follow_slowly(path: tuple[str, ...], scope: Mapping[str, Any]) -> Any:
    value = lookup(scope, path[0], 0)
    offset = len(path[0]) + 1
    for part in path[1:]:
        value = key_of(value, part, offset)
        offset += len(part) + 1
    return value


def lookup(scope: Mapping[str, Any], name: str, offset: int) -> Any:
    try:
        return scope[name]
    except KeyError:
        raise MissingError(f"there is no {name} here", offset=offset, wanted=name, known=scope) from None


def explain(error: MissingError) -> None:
    """Give the error its hint: what may have been meant, what there is."""
    if error.hint is not None or not error.wanted:
        return
    from taskrun.spec.language.functions import FUNCTIONS  # noqa: PLC0415 - only a mistake pays for it

    known = list(islice(error.known, MOST_CANDIDATES))
    near = nearest(error.wanted, known)
    if near is not None:
        error.hint = f"did you mean {near}?"
    elif error.wanted in FUNCTIONS:
        error.hint = f"{error.wanted} is a function: {error.wanted}(x)"
    elif known:
        shown = ", ".join(name[:40] for name in sorted(known)[:MOST_SHOWN])
        error.hint = (
            f"there {'is' if len(known) == 1 else 'are'}: {shown}{', ...' * (len(known) > MOST_SHOWN)}"
        )
    else:
        error.hint = "it is empty"


def key_of(value: Any, key: str, offset: int) -> Any:
    if isinstance(value, Mapping):
        try:
            return value[key]
        except KeyError:
            raise MissingError(f"there is no key {key!r}", offset=offset, wanted=key, known=value) from None
    if value is None:
        raise MissingError(
            f"null has no key {key!r}", offset=offset, hint="default(x, ...) where it may be null"
        )
    hint = "positions are numbers: x[0]" if isinstance(value, list | str) else None
    if key == "length":
        hint = "len(x)"
    raise ExpressionError(f"{a_kind(value)} has no key {key!r}", offset=offset, hint=hint)
