"""What is to be run: the statements of a script or query, one by one, and what surrounds them."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from taskrun.actions.base import Context
from taskrun.actions.sql_images import UNDO, Form, form_of
from taskrun.actions.values import path_in, seconds, text_of
from taskrun.errors import ActionError

SCRIPT_LIMIT = 16 * 1024 * 1024
LOCK_WAIT = 5.0

Params = Mapping[str, Any] | Sequence[Any] | None

# What may hide a semicolon: comments, strings, quoted names, PostgreSQL's dollar quotes.
_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)"""
    r"""|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=tag)|\Z)|;""",
    re.DOTALL,
)
_BODY = re.compile(r"\bbegin\s+atomic\b", re.IGNORECASE)
_BODY_END = re.compile(r"\bend\s*;\Z", re.IGNORECASE)
_BLANK = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_TRANSACTION = re.compile(
    r"(begin|start\s+transaction|commit|end|abort|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|prepare\s+transaction)\b",
    re.IGNORECASE,
)


class Work(NamedTuple):
    """``keep``: it may change something, so that it was done is kept in the database itself."""

    text: str
    params: Params
    keep: bool
    lock_wait: float | None  # seconds; None: not stated
    form: Form | None = None
    undo: str = ""  # how drift is met, where the rows of a form are to be put back


def wanted(fields: Mapping[str, Any], context: Context, *, keep: bool) -> Work:
    script, query, params = fields.get("script"), fields.get("query"), fields.get("params")
    wait = fields.get("timeout")
    lock_wait = None if wait is None else seconds(wait, "timeout")
    form = form_of(fields)
    if form is not None or UNDO in fields:
        return Work("", None, keep, lock_wait, form, text_of(fields.get(UNDO, "")))
    if (script is None) == (query is None):
        raise ActionError("InvalidField", "sql needs either script or query, or insert, update or delete")
    if params is not None and query is None:
        raise ActionError("InvalidField", "params are for a query; a script is run as it is")
    text = text_of(query) if script is None else _read(path_in(context.workdir, script))
    return Work(text, _checked(params), keep, lock_wait)


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(SCRIPT_LIMIT + 1)
        if len(data) > SCRIPT_LIMIT:
            raise ActionError("TooLarge", f"the script {path} is larger than {SCRIPT_LIMIT:,} bytes")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ActionError("InvalidField", f"the script cannot be read: {error.strerror}: {path}") from error
    except UnicodeDecodeError as error:
        raise ActionError("InvalidField", f"the script {path} is not UTF-8 (byte {error.start})") from error


def _checked(params: Any) -> Params:
    if params is None:
        return None
    if not isinstance(params, dict | list):
        raise ActionError("InvalidField", f"params must be a map or a list, not {text_of(params)}")
    items = params.items() if isinstance(params, dict) else enumerate(params)
    for name, value in items:
        if isinstance(value, dict | list):
            raise ActionError(
                "InvalidField",
                f"params: {name} is a {'map' if isinstance(value, dict) else 'list'}, which is no SQL value; "
                "json(...) makes text of it",
            )
    return params


def sqlite_statements(text: str) -> Iterator[str]:
    """As SQLite's own shell takes them apart."""
    begin = end = 0
    while (end := text.find(";", end) + 1) > 0:
        if sqlite3.complete_statement(text[begin:end]):
            yield from _told(text[begin:end])
            begin = end
    yield from _told(text[begin:])


def server_statements(text: str) -> Iterator[str]:
    """Cut at each semicolon that is neither quoted, commented nor in the body of a function."""
    begin = 0
    for found in _TOKEN.finditer(text):
        if found.group() != ";":
            continue
        piece = text[begin : found.end()]
        if _BODY.search(piece) and not _BODY_END.search(piece):
            continue
        yield from _told(piece)
        begin = found.end()
    yield from _told(text[begin:])


def without_quotes(text: str) -> str:
    """The text without what placeholders cannot stand in: strings, quoted names, comments."""
    return _TOKEN.sub(" ", text)


def _told(statement: str) -> Iterator[str]:
    """Nothing for blanks and comments. A script that ends the transaction would end what makes it safe to repeat."""
    blank = _BLANK.match(statement)
    start = blank.end() if blank else 0
    if start == len(statement):
        return
    found = _TRANSACTION.match(statement, start)
    if found:
        raise ActionError(
            "SQLError",
            f"{' '.join(found[1].upper().split())}: all of it is one transaction of taskrun's; take the statement out",
        )
    yield statement


def shown(statement: str) -> str:
    """The beginning of a statement, on one line, for messages."""
    blank = _BLANK.match(statement)
    line = " ".join(statement[blank.end() if blank else 0 :].split())
    return line if len(line) <= 80 else line[:79] + "…"
