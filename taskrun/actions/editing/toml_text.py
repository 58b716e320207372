"""A value in a TOML file, found by reading its lines, and replaced where it stands."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from taskrun.actions.editing.keys import Keys, shown
from taskrun.actions.editing.lines import ending_of
from taskrun.errors import ActionError

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""", re.ASCII)
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)
_ATOM = re.compile(r"[^\n,\]}#]*[^\s,\]}#]")


class _Entry(NamedTuple):
    table: int
    keys: list[str]
    start: int  # of the value
    end: int


class _Table(NamedTuple):
    keys: list[str]
    body: int  # where its first line begins


def load(text: str) -> Any:
    import tomllib  # noqa: PLC0415 - only for tasks that edit TOML

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise ActionError("InvalidFile", f"it is not TOML: {error}") from error


def put(text: str, keys: Keys, value: Any) -> str:
    """The text, in which everything but this value stays; it must be TOML that :func:`load` takes."""
    tables, entries = _read(text)
    wanted = list(keys)
    for entry in entries:
        full = [*tables[entry.table].keys, *entry.keys]
        if full == wanted:
            return text[: entry.start] + _dump(wanted, value, text[entry.start]) + text[entry.end :]
        if wanted[: len(full)] == full:
            what = "an array or inline table" if text[entry.start] in "[{" else "a value"
            raise _cannot(keys, f"{shown(full)} is {what} on one line; set the whole of it")
    return _insert(text, tables, entries, wanted, _dump(wanted, value))


def _cannot(keys: Keys, why: str) -> ActionError:
    return ActionError("CannotEdit", f"set: {shown(keys)} cannot be set and keep the rest of the file: {why}")


# ---------------------------------------------------------------------- reading


def _read(text: str) -> tuple[list[_Table], list[_Entry]]:
    tables, entries = [_Table([], 0)], []
    counts: dict[tuple[str, ...], int] = {}
    at = 1 if text.startswith("\ufeff") else 0
    while (at := _skip(text, at)) < len(text):
        if text[at] == "[":
            depth = 2 if text.startswith("[[", at) else 1
            keys, at = _keys(text, at + depth)
            at = _line_end(text, at + depth)
            tables.append(_Table(_numbered(keys, counts, is_array=depth == 2), at))
        else:
            keys, at = _keys(text, at)
            start = _KEY_GAP.match(text, at + 1).end()  # type: ignore[union-attr]
            at = _value_end(text, start)
            entries.append(_Entry(len(tables) - 1, keys, start, at))
    return tables, entries


_KEY_GAP = re.compile(r"[ \t]*")


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None
    return found.end()


def _keys(text: str, at: int) -> tuple[list[str], int]:
    """A dotted key, and where what follows it stands."""
    keys = []
    while True:
        found = _KEY.match(text, at)
        if found is None:
            raise ActionError("CannotEdit", f"the file cannot be read at {text[at : at + 20]!r}")
        keys.append(_unquoted(found[1]))
        at = found.end()
        if text[at : at + 1] != ".":
            return keys, at
        at += 1


def _unquoted(key: str) -> str:
    if key[0] == '"':
        import tomllib  # noqa: PLC0415 - seldom needed

        return str(tomllib.loads(f"k = {key}")["k"])
    return key[1:-1] if key[0] == "'" else key


def _numbered(keys: Sequence[str], counts: dict[tuple[str, ...], int], *, is_array: bool) -> list[str]:
    """Keys of a table, with the position in the array for each that names an array of tables."""
    path: list[str] = []
    for number, key in enumerate(keys):
        path.append(key)
        name = tuple(path)
        if is_array and number == len(keys) - 1:
            counts[name] = counts.get(name, -1) + 1
        if name in counts:
            path.append(str(counts[name]))
    return path


def _value_end(text: str, at: int) -> int:
    if text[at] in "\"'":
        found = _STRINGS.match(text, at)
    elif text[at] in "[{":
        return _closing(text, at)
    else:
        found = _ATOM.match(text, at)
    if found is None:
        raise ActionError("CannotEdit", f"the file cannot be read at {text[at : at + 20]!r}")
    return found.end()


def _closing(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        found = _STRINGS.match(text, at) if text[at] in "\"'#" else None
        if found is not None:
            at = found.end()
            continue
        depth += (text[at] in "[{") - (text[at] in "]}")
        at += 1
        if not depth:
            return at
    raise ActionError("CannotEdit", "a bracket is not closed")


def _line_end(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


# ---------------------------------------------------------------------- inserting


def _insert(text: str, tables: list[_Table], entries: list[_Entry], keys: list[str], value: str) -> str:
    number, names = _home(tables, entries, keys)
    ending = ending_of(text)
    if number is None:
        if any(key.isdigit() for key in keys[:-1]) and any(t.keys[: len(t.keys)] != t.keys for t in tables):
            raise _cannot(keys, "there is no such table")
        gap = "" if not text.strip() else ending if text.endswith("\n") else ending * 2
        header = ".".join(_bare(key) for key in keys[:-1])
        return f"{text}{gap}[{header}]{ending}{_bare(keys[-1])} = {value}{ending}"
    own = [e for e in entries if e.table == number]
    at = _line_end(text, own[-1].end) if own else tables[number].body
    before = text[:at]
    if before and not before.endswith("\n"):
        before += ending
    blank = ending if not own and number == 0 and text[at:].strip() else ""
    return f"{before}{'.'.join(_bare(key) for key in names)} = {value}{ending}{blank}{text[at:]}"


def _home(tables: list[_Table], entries: list[_Entry], keys: list[str]) -> tuple[int | None, list[str]]:
    """The table a new key goes into, and its name there; None for a new table."""
    for number, table in enumerate(tables):
        if table.keys == keys[:-1]:
            return number, keys[-1:]
    for entry in reversed(entries):
        inside = tables[entry.table].keys
        full = [*inside, *entry.keys[:-1]]
        if full == keys[:-1]:
            return entry.table, keys[len(inside) :]
    return None, keys


def _bare(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    from json import dumps  # noqa: PLC0415 - TOML's strings are JSON's, but for DEL

    return dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _dump(keys: Keys, value: Any, old: str = "") -> str:
    if value is None:
        raise ActionError("InvalidField", f"set: {shown(keys)}: TOML has no null")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        literal = old == "'" and "'" not in value and value.isprintable()
        return f"'{value}'" if literal else _string(value)
    if isinstance(value, list):
        return f"[{', '.join(_dump(keys, item) for item in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_bare(str(k))} = {_dump(keys, v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return repr(value)
