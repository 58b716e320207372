"""The fields of an action in their full form: short forms written out, fields that exclude each other reported."""

import re
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from taskrun.actions.editing.documents import format_of
from taskrun.actions.editing.keys import parse_key
from taskrun.actions.kinds import HTTP_FORMS, ROW_FORMS, Traits
from taskrun.errors import ActionError
from taskrun.regex import lazy
from taskrun.spec.compiling.complaints import complain, complain_value, is_lost
from taskrun.spec.compiling.field_values import check_values
from taskrun.spec.compiling.unit import Entry

_SELECT = lazy(r"\s*select\b[^;]*;?\s*", re.IGNORECASE)
_CALL = lazy(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_PORT = lazy(r"(?:\[[0-9a-fA-F:.]+\]:|[\w.-]+:)?(\d{1,5})", re.ASCII)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_METHOD = lazy(r"[A-Za-z]+", re.ASCII)
Fields = dict[str, Any]


def full_fields(entry: Entry, kind: str, model: Traits, value: Any) -> Fields:
    fields: Fields = value if isinstance(value, dict) else {model.main: value} if model.main else {}
    if kind == "http":
        fields = _http(entry, fields)
    if model.one_of:
        _one_of(entry, kind, fields, model.one_of)
    check = _CHECKS.get(kind)
    if check is not None:
        check(entry, fields)
    check_values(entry, kind, fields)
    return fields


def writes(kind: str, fields: Fields, model: Traits) -> bool:
    """Whether leaving out the revert deserves a warning."""
    if kind == "http":
        return fields.get("method") not in _SAFE_METHODS
    if kind == "sql" and "query" in fields:
        return _SELECT.fullmatch(fields["query"]) is None
    return model.writes


def _one_of(entry: Entry, kind: str, fields: Fields, names: tuple[str, ...]) -> None:
    given = [name for name in names if name in fields]
    if len(given) == 1 or (not given and is_lost(entry, kind, names)):
        return
    listed = " or ".join(f"`{name}`" for name in names)
    if given:
        complain(entry, kind, given[1], f"`{kind}` takes only one of {listed}")
    else:
        complain(entry, kind, None, f"`{kind}` needs {listed}")


def _http(entry: Entry, fields: Fields) -> Fields:
    """``{post: URL}`` is ``{method: POST, url: URL}``."""
    for other in ("data", "files"):
        if "json" in fields and other in fields:
            complain(entry, "http", other, "a request has one body: `json`, or `data` and `files`")
    forms = [form for form in HTTP_FORMS if form in fields]
    rest = {name: value for name, value in fields.items() if name not in HTTP_FORMS}
    if forms:
        for extra in [*forms[1:], *(name for name in ("url", "method") if name in rest)]:
            complain(entry, "http", extra, f"`http` has both `{forms[0]}` and `{extra}`")
        return {**rest, "url": fields[forms[0]], "method": forms[0].upper()}
    if is_lost(entry, "http", HTTP_FORMS):
        rest.setdefault("url", "")
    method = rest.get("method", "GET")
    if "${{" not in method:
        if not _METHOD.fullmatch(method):
            complain_value(entry, "http", "method", f"`{method}` is no HTTP method")
        method = method.upper()
    return {**rest, "method": method}


def _python(entry: Entry, fields: Fields) -> None:
    call = fields.get("call", "${{")
    if "${{" not in call and not (_CALL.fullmatch(call) and all(map(_is_name, re.split("[.:]", call)))):
        help_ = "write `module:function`, or use `code` for Python code"
        complain_value(entry, "python", "call", f"`{call}` is no function to call", help_)

    if "code" in fields and not isinstance(fields.get("args", {}), dict | str):
        message = "`args` of `code` are its variables, so they are a map by name"
        complain_value(entry, "python", "args", message)


def _is_name(part: str) -> bool:
    return part.isidentifier() and not iskeyword(part)


def _wait_for(entry: Entry, fields: Fields) -> None:
    port = fields.get("port", "${{")
    found = _PORT.fullmatch(port)
    if "${{" not in port and not (found and 0 < int(found[1]) < 65536):
        other = "url" if "://" in port else "path"
        complain_value(entry, "wait_for", "port", f"`{port}` is no port", f"did you mean `{other}: {port}`?")


def _sql(entry: Entry, fields: Fields) -> None:
    database = fields["database"]
    if database and "${{" not in database and not database.startswith("sqlite:") and "://" not in database:
        help_ = f"did you mean `sqlite:{database}`?"
        complain_value(entry, "sql", "database", f"`{database}` is no database", help_)
    _sql_rows(entry, fields)
    if "params" in fields and "query" not in fields and not is_lost(entry, "sql", ["query"]):
        complain(entry, "sql", "params", "`params` goes with `query`")
    if "${{" in fields.get("query", ""):
        help_ = "write `:name` in its place, and `params: {name: ...}` beside it"
        complain_value(
            entry, "sql", "query", "`query` takes no expression: a value must never become SQL", help_
        )


def _sql_rows(entry: Entry, fields: Fields) -> None:
    goes_with = {
        "rows": ("insert",),
        "set": ("update",),
        "where": ("update", "delete"),
        "on_drift": ROW_FORMS,
    }
    for name, forms in goes_with.items():
        if name in fields and not any(form in fields for form in forms) and not is_lost(entry, "sql", forms):
            listed = " or ".join(f"`{form}`" for form in forms)
            complain(entry, "sql", name, f"`{name}` goes with {listed}")
    needs = {"insert": ("rows",), "update": ("set", "where"), "delete": ("where",)}
    for form in (form for form in ROW_FORMS if form in fields):
        if fields[form] == "":
            complain_value(entry, "sql", form, f"`{form}` names no table")
        for name in needs[form]:
            if name not in fields and not is_lost(entry, "sql", [name]):
                complain(entry, "sql", form, f"`{form}` needs `{name}`")
            elif not _is_of_columns(fields.get(name), several=name == "rows"):
                many = ", or a list of such maps" if name == "rows" else ""
                complain_value(entry, "sql", name, f"`{name}` is a map by column, with something in it{many}")


def _is_of_columns(value: Any, *, several: bool) -> bool:
    if isinstance(value, str):
        return "${{" in value
    if several and isinstance(value, list):
        return bool(value) and all(_is_of_columns(each, several=False) for each in value)
    return isinstance(value, dict) and bool(value)


def _edit(entry: Entry, fields: Fields) -> None:
    for name, needed in (("match", "line"), ("marker", "block"), ("format", "set")):
        if name in fields and needed not in fields and not is_lost(entry, "edit", [needed]):
            complain(entry, "edit", name, f"`{name}` goes with `{needed}`")

    if "match" in fields:
        _edit_match(entry, fields["match"])
    if "\n" in fields.get("line", "").rstrip("\n") and "${{" not in fields["line"]:
        complain_value(entry, "edit", "line", "`line` holds a line break", "use `block` for several lines")
    if "set" in fields:
        _edit_set(entry, fields)


def _edit_match(entry: Entry, match: str) -> None:
    try:
        if "${{" not in match:
            re.compile(match)
    except re.error as error:
        complain_value(entry, "edit", "match", f"`{match}` is not a regular expression: {error}")


def _edit_set(entry: Entry, fields: Fields) -> None:
    path = fields["path"]
    if "format" not in fields and path and not path.rstrip().endswith("}}"):
        try:
            format_of(path, None)
        except ActionError as error:
            complain_value(entry, "edit", "path", error.message)
    for key in fields["set"]:
        try:
            parse_key(key)
        except ActionError as error:
            complain_value(entry, "edit", "set", error.message.removeprefix("set: "))


_CHECKS: dict[str, Callable[[Entry, Fields], None]] = {
    "python": _python,
    "wait_for": _wait_for,
    "sql": _sql,
    "edit": _edit,
}
