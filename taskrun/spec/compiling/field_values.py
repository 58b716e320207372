"""What can be told of the values of an action's fields before a run: those that hold no expression, and could never work."""

import re
from collections.abc import Callable, Iterator, Mapping
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from taskrun.actions.durations import parse_duration
from taskrun.actions.kinds import HTTP_FORMS
from taskrun.errors import ActionError, ExpressionError
from taskrun.regex import lazy
from taskrun.spec.compiling.complaints import complain_value, is_lost
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.marks import Map

Fields = Mapping[str, Any]
Found = Iterator[tuple[str, str, str | None]]  # a field, what is wrong with it, help

_TOKEN = lazy(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_PLACEHOLDER = lazy(r"(?<![:\w]):([A-Za-z_]\w*)", re.ASCII)


def check_values(entry: Entry, kind: str, fields: Fields) -> None:
    found = _CHECKS.get(kind)
    if found is None:
        return
    tree = entry.tree[kind]
    for field, message, help_ in found(fields):
        if kind == "http" and field == "url" and isinstance(tree, Map):
            field = next((form for form in HTTP_FORMS if form in tree), field)  # noqa: PLW2901 - as it was written
        if not isinstance(tree, Map) or (field in tree and not is_lost(entry, kind, [field])):
            complain_value(entry, kind, field, message, help_)


def _plain(value: Any) -> str | None:
    """The text, where it is one and known now."""
    return value if isinstance(value, str) and "${{" not in value else None


def _is_open(value: Any) -> bool:
    """Whether only the run will tell what it is."""
    return isinstance(value, str) and "${{" in value


def _empty(fields: Fields, *names: str) -> Found:
    for name in names:
        text = _plain(fields.get(name))
        if text is not None and not text.strip():
            yield name, f"`{name}` is empty", None


def _process(fields: Fields) -> Found:
    yield from _empty(fields, "cwd")


def _run(fields: Fields) -> Found:
    yield from _empty(fields, "script", "shell")
    yield from _process(fields)
    shell = _plain(fields.get("shell"))
    if shell and any(quote in shell for quote in "'\"\\"):
        from shlex import split  # noqa: PLC0415 - the usual shell is one word

        try:
            split(shell)
        except ValueError as error:
            yield "shell", f"`{shell}` cannot be split into words: {error}", None


def _exec(fields: Fields) -> Found:
    argv = fields.get("argv")
    if isinstance(argv, list) and (not argv or argv[0] == ""):
        yield "argv", "there is no program to start: `argv` begins with its name", None
    yield from _process(fields)


def _python(fields: Fields) -> Found:
    code = _plain(fields.get("code"))
    yield from _empty(fields, "code", "python")
    yield from _process(fields)
    if code and "python" not in fields:
        try:
            compile(code, "<code>", "exec", dont_inherit=True)
        except SyntaxError as error:
            yield "code", f"this is no Python: {error.msg}, in its line {error.lineno}", None
        except (ValueError, RecursionError, MemoryError) as error:
            yield "code", f"this cannot be compiled: {error or type(error).__name__}", None
    args = fields.get("args")
    if args is not None and not isinstance(args, dict | list) and not _is_open(args):
        yield "args", "`args` is a map by name, or a list by position", None
    for name in args if isinstance(args, dict) else ():
        if not name.isidentifier():
            yield "args", f"`{name}` cannot be the name of an argument", None


def _http(fields: Fields) -> Found:
    yield from _url("url", fields.get("url"))
    for name, value in fields.get("headers", {}).items():
        if "${{" not in name and not _TOKEN.fullmatch(name):
            yield "headers", f"`{name}` cannot be the name of a header", None
        elif any(character in value for character in "\r\n\0"):
            yield "headers", f"the value of `{name}` has a line break in it", None
    yield from _empty(fields, "bearer", "ca", "cert")
    yield from _some_time(fields, "timeout")
    for name in ("params", "data"):
        value = fields.get(name)
        wrong = not isinstance(value, dict | None) if name == "params" else isinstance(value, list)
        if wrong and not _is_open(value):
            yield name, f"`{name}` is a map{' or text' if name == 'data' else ''}", None
    for name, path in fields.get("files", {}).items():
        if path == "":
            yield "files", f"`{name}` names no file", None


def _url(field: str, value: Any) -> Found:
    """What stands before its first expression has to be the beginning of an address, and all of it one if it has none."""
    text, expression, _ = value.partition("${{") if isinstance(value, str) else ("", "${{", "")
    if not expression and not text:
        yield field, "the address is empty", None
        return
    scheme, colon, rest = text.partition("://")
    if (not expression or colon) and scheme.lower() not in ("http", "https"):
        help_ = f"did you mean `http://{text}`?" if not colon and text and " " not in text else None
        yield field, f"`{text}` is no address: it begins with http:// or https://", help_
    elif not expression and re.search(r"[\s\0]", text):
        yield field, f"`{text}` has a blank in it", "write %20 for a blank"
    elif not expression:
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            yield field, f"`{text}` is no address: {error}", None
        else:
            if not parts.hostname or not rest or port == 0:
                yield field, f"`{text}` names no {'port' if port == 0 else 'host'}", None


def _some_time(fields: Fields, *names: str) -> Found:
    for name in names:
        if _seconds(fields.get(name)) == 0:
            yield name, f"`{name}` leaves no time at all", None


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    return parse_duration(value) if _plain(value) else None


def _wait_for(fields: Fields) -> Found:
    if "url" in fields:
        yield from _url("url", fields["url"])
    elif "expect" in fields:
        yield "expect", "`expect` goes with `url`", None
    yield from _empty(fields, "path", "run")
    yield from _some_time(fields, "timeout", "every")
    every, timeout = _seconds(fields.get("every")), _seconds(fields.get("timeout", 60))
    if every and timeout and every > timeout:
        yield "every", "the first look would be the last: `every` is longer than `timeout`", None


def _message(fields: Fields) -> Found:
    yield from _empty(fields, "message")


def _assert(fields: Fields) -> Found:
    from taskrun.spec.expressions import parse  # noqa: PLC0415 - few tasks are one

    source = fields.get("that")
    if not isinstance(source, str):
        return
    try:
        expression = parse(source)
        value = True if expression.references else expression.evaluate({})
    except ExpressionError:
        return  # reported where expressions are read, or in the run
    if not isinstance(value, bool):
        yield "that", f"`{source}` is neither true nor false", None


def _places(fields: Fields) -> Found:
    yield from _empty(fields, "path", "from", "to", "source")
    path = _plain(fields.get("path"))
    if path and normpath(path) in ("/", "//", ".", ".."):
        yield "path", f"`{path}` is nothing that could be worked on", None


def _one_file(fields: Fields) -> Found:
    yield from _places(fields)
    path = _plain(fields.get("path"))
    if path and path.strip("/") and path.endswith("/"):
        yield "path", f"`{path}` names a directory, and a file is needed", None
    if path and _plain(fields.get("source")) and normpath(path) == normpath(fields["source"]):
        yield "source", "`path` and `source` are the same file", None


def _from_to(fields: Fields) -> Found:
    yield from _places(fields)
    old, new = _plain(fields.get("from")), _plain(fields.get("to"))
    if not old or not new:
        return
    source, target = normpath(old), normpath(new)
    if source == target:
        yield "to", "`from` and `to` are the same place", None
    elif target.startswith(f"{source}/"):
        yield "to", f"`{new}` is inside `{old}`", None
    elif source.startswith(f"{target}/"):
        yield "to", f"`{old}` is inside `{new}`, which would be replaced", None


def _symlink(fields: Fields) -> Found:
    yield from _places(fields)
    path, target = _plain(fields.get("path")), _plain(fields.get("to"))
    if (
        path
        and target
        and normpath(path) == normpath(path.rpartition("/")[0] + "/" + target if "/" in path else target)
    ):
        yield "to", "the link would point to itself", None


def _edit(fields: Fields) -> Found:
    yield from _one_file(fields)
    yield from _empty(fields, "match")
    marker = _plain(fields.get("marker"))
    if marker is not None and (not marker.strip() or "\n" in marker):
        yield "marker", "`marker` is one line of text", None
    if "set" in fields:
        yield from _edit_set(fields)


def _edit_set(fields: Fields) -> Found:
    if not fields["set"]:
        yield "set", "`set` names no key", None
    path, known = _plain(fields.get("path")), _plain(fields.get("format"))
    if not path:
        return
    from taskrun.actions.editing.documents import format_of, put_values  # noqa: PLC0415 - loads parsers

    try:
        form = format_of(path, known)
    except ActionError:
        return  # reported with the path
    for key, value in fields["set"].items() if form in ("ini", "env") else ():
        if "${{" in f"{key}{value}":
            continue
        try:
            put_values("", form, {key: value})
        except ActionError as error:
            yield "set", error.message.removeprefix("set: "), None


def _sql(fields: Fields) -> Found:
    yield from _empty(fields, "database", "script", "query")
    database = _plain(fields.get("database"))
    if database == "sqlite:":
        yield "database", "`sqlite:` names no file", "write `sqlite:PATH`"
    yield from _some_time(fields, "timeout")
    query = _plain(fields.get("query"))
    if query and database and query.strip():
        yield from _query(query, fields.get("params"), is_sqlite=database.startswith("sqlite:"))


def _query(query: str, params: Any, *, is_sqlite: bool) -> Found:
    from taskrun.actions import sql_statements as reading  # noqa: PLC0415 - loads SQLite

    try:
        list((reading.sqlite_statements if is_sqlite else reading.server_statements)(query))
    except ActionError as error:
        yield "query", error.message, None
    if params is not None and not isinstance(params, dict | list):
        if not _is_open(params):
            yield "params", "`params` is a map by name, or a list by position", None
        return
    items = params.items() if isinstance(params, dict) else enumerate(params or (), 1)
    for name, value in items:
        if isinstance(value, dict | list):
            yield "params", f"`{name}` is no SQL value", "`json(...)` makes text of a list or a map"
    bare = reading.without_quotes(query)
    named = set(_PLACEHOLDER.findall(bare))
    if isinstance(params, dict) and not re.search(r"[?@$]", bare):
        yield from (
            ("query", f"`:{name}` is not in `params`", None) for name in sorted(named - params.keys())
        )
        yield from (("params", f"the query has no `:{name}`", None) for name in sorted(params.keys() - named))
    elif named and params is None and is_sqlite:
        yield "query", f"`:{min(named)}` needs `params`", None


_CHECKS: dict[str, Callable[[Fields], Found]] = {
    "run": _run,
    "exec": _exec,
    "python": _python,
    "http": _http,
    "wait_for": _wait_for,
    "approve": _message,
    "fail": _message,
    "assert": _assert,
    "file": _one_file,
    "template": _one_file,
    "edit": _edit,
    "copy": _from_to,
    "move": _from_to,
    "mkdir": _places,
    "delete": _places,
    "symlink": _symlink,
    "sql": _sql,
}
