"""What can be told before a run of a database, of statements and of the values they get."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from taskrun.actions.kinds import ROW_FORMS
from taskrun.errors import ActionError
from taskrun.regex import lazy
from taskrun.spec.compiling.literals import Fields, Found, empty, is_open, plain, some_time
from taskrun.spec.compiling.place_values import paths
from taskrun.spec.diagnostics import nearest

_PLACEHOLDER = lazy(r"(?<![:\w]):([A-Za-z_]\w*)", re.ASCII)
_ANY_PLACEHOLDER = lazy(r"(?<![:\w])[:@$]([A-Za-z_]\w*)", re.ASCII)
_SERVER = lazy(r"(?P<name>[^:/]*)://(?:.*@)?[^@/,\[\]]*?(?::(?P<port>[^:/?#,@\]]*))?(?:[/?].*)?", re.DOTALL)
_DIALECTS = ("postgresql", "mysql", "mariadb", "oracle", "mssql", "sqlite")
_NO_DATABASE = ("http", "https", "file", "ftp", "ssh", "redis", "mongodb")
# What a database refuses inside of a transaction, and here every statement is inside of one.
_ALONE_SQLITE = lazy(r"\s*(vacuum)\b", re.IGNORECASE)
_ALONE_POSTGRESQL = lazy(
    r"\s*(vacuum|(?:create|drop)\s+(?:database|tablespace)|alter\s+system|create\s+(?:unique\s+)?index\s+concurrently"
    r"|drop\s+index\s+concurrently|reindex\s+\w+\s+concurrently)\b",
    re.IGNORECASE,
)
_NEVER = lazy(r"(?!)")
_SYNTAX = ("syntax error", "unrecognized token", "incomplete input")
_NOT_TRIED = lazy(r"\s*(?:pragma|explain|attach)\b", re.IGNORECASE)
_LARGEST = 2**63  # of SQLite's integers


def sql(fields: Fields) -> Found:
    yield from empty(fields, "database", "script", "query")
    yield from paths(fields, "script")
    yield from _database(plain(fields.get("database")) or "")
    yield from some_time(fields, "timeout")
    script = plain(fields.get("script")) or ""
    if script.endswith("/"):
        yield "script", f"`{script}` names a directory, and a file is needed", None
    query, database = plain(fields.get("query")), plain(fields.get("database"))
    if query and database and query.strip():
        yield from _query(query, fields.get("params"), database)
    if any(form in fields for form in ROW_FORMS):
        yield from _columns(fields, is_sqlite=(database or "").startswith("sqlite:"))


def _columns(fields: Fields, *, is_sqlite: bool) -> Found:
    for field in ("rows", "set", "where"):
        value = fields.get(field)
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, dict) and "" in row:
                yield field, "a column needs a name", None
        if is_sqlite:
            yield from _numbers(field, value)
    where = fields.get("where")
    for name, value in where.items() if isinstance(where, dict) else ():
        if value == []:
            yield "where", f"no row has any of the values of `{name}`: the list is empty", None


def _database(database: str) -> Found:
    kind, colon, place = database.partition(":")
    if kind != "sqlite":
        yield from _server(database) if "://" in database else ()
    elif colon and not place:
        yield "database", "`sqlite:` names no file", "write `sqlite:PATH`"
    elif place == ":memory:":
        message = "a database in memory would be gone with the task, and a file of this name is not meant"
        yield "database", message, "write `sqlite:PATH`"
    elif place.startswith("//"):
        path = place.lstrip("/")
        help_ = f"did you mean `sqlite:{path}`? From the root it is `sqlite:/{path}`"
        yield "database", f"`{database}`: a path stands behind `sqlite:`, without slashes in front", help_
    elif place.endswith("/"):
        yield "database", f"`{place}` names a directory, and a file is needed", None
    else:
        yield from (("database", *rest) for _, *rest in paths({"database": place}, "database"))  # type: ignore[misc]


def _server(database: str) -> Found:
    found = _SERVER.fullmatch(database)
    dialect = (found["name"] if found else "").partition("+")[0].lower()
    guess = nearest(dialect, _DIALECTS) if dialect and dialect not in (*_DIALECTS, "postgres") else None
    if (found and not dialect) or dialect in _NO_DATABASE or guess:
        help_ = (
            f"did you mean `{guess}://`?"
            if guess
            else "it begins with `sqlite:` or, for one, `postgresql://`"
        )
        yield "database", f"`{dialect}://` is no database", help_
    port = found["port"] if found else None
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        yield "database", f"`{port}` is no port", None


def _query(query: str, params: Any, database: str) -> Found:
    from taskrun.actions import sql_statements as reading  # noqa: PLC0415 - loads SQLite

    is_sqlite = database.startswith("sqlite:")
    try:
        statements = list((reading.sqlite_statements if is_sqlite else reading.server_statements)(query))
    except ActionError as error:
        yield "query", error.message, None
        return
    if not statements:
        yield "query", "there is no statement in it", None
    for statement in statements:
        yield from _alone(reading.without_quotes(statement), database)
    if params is not None and not isinstance(params, dict | list):
        if not is_open(params):
            yield "params", "`params` is a map by name, or a list by position", None
        return
    if is_sqlite:
        yield from (("query", said, None) for statement in statements for said in _misread(statement))
        yield from _numbers("params", params)
    elif isinstance(params, list):
        yield "params", "`params` is a map here, and the query names them as `:name`", None
    yield from _values(params)
    bare = [reading.without_quotes(statement) for statement in statements]
    yield from _placeholders(bare, params, is_sqlite=is_sqlite)


def _alone(statement: str, database: str) -> Found:
    known = _ALONE_POSTGRESQL if database.startswith("postgres") else None
    refused = (_ALONE_SQLITE if database.startswith("sqlite:") else known or _NEVER).match(statement)
    if refused:
        words = " ".join(refused[1].upper().split())
        yield (
            "query",
            f"{words}: it cannot be done in a transaction, and all of it is one",
            "do it in a `run`",
        )


def _misread(statement: str) -> Iterator[str]:
    """What SQLite's own reader has against a statement. Which tables there are only the run will tell."""
    import sqlite3  # noqa: PLC0415 - only for queries
    from contextlib import closing  # noqa: PLC0415 - only for queries

    if _NOT_TRIED.match(statement):
        return
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(f"EXPLAIN {statement}")
        except (sqlite3.Error, sqlite3.Warning) as error:
            if any(word in str(error) for word in _SYNTAX):
                yield f"this is no SQL: {error}"


def _values(params: Any) -> Found:
    for name, value in params.items() if isinstance(params, dict) else enumerate(params or (), 1):
        if isinstance(value, dict | list):
            yield "params", f"`{name}` is no SQL value", "`json(...)` makes text of a list or a map"


def _numbers(field: str, value: Any) -> Found:
    """SQLite's integers have 64 bits."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        if isinstance(item, int) and not -_LARGEST <= item < _LARGEST:
            yield field, f"`{item}` is larger than SQLite's numbers", "put it in quotes"
        elif isinstance(item, dict | list):
            yield from _numbers(field, item)


def _placeholders(statements: Sequence[str], params: Any, *, is_sqlite: bool) -> Found:
    whole = " ".join(statements)
    named = set((_ANY_PLACEHOLDER if is_sqlite else _PLACEHOLDER).findall(whole))
    if isinstance(params, dict):
        if is_sqlite and "?" in whole:
            yield "query", "`?` takes its value from a list, and `params` is a map", "name it: `:name`"
        elif is_sqlite or not re.search(r"[?@$]", whole):
            yield from (
                ("query", f"`:{name}` is not in `params`", None) for name in sorted(named - params.keys())
            )
            yield from (
                ("params", f"the query has no `:{name}`", None) for name in sorted(params.keys() - named)
            )
    elif is_sqlite and named and params is None:
        yield "query", f"`:{min(named)}` needs `params`", None
    elif is_sqlite and not named and not re.search(r"\?\d", whole):
        given = len(params or ())
        for statement in statements:
            wanted = statement.count("?")
            if wanted != given:
                marks = f"{wanted} `?`" if wanted else "no `?`"
                where = "params" if params is not None else "query"
                yield (
                    where,
                    f"a statement has {marks}, and `params` {given or 'no'} values: each gets all of them",
                    None,
                )
                return
