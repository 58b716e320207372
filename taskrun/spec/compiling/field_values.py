"""What can be told of the values of an action's fields before a run: those that hold no expression, and could never work."""

from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from taskrun.actions.kinds import HTTP_FORMS
from taskrun.errors import ExpressionError
from taskrun.spec.compiling.complaints import complain_value, is_lost
from taskrun.spec.compiling.literals import Fields, Found, empty, is_open, plain, seconds, some_time
from taskrun.spec.compiling.place_values import edit, from_to, move, one_file, paths, places, symlink
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.marks import Map


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


def _process(fields: Fields) -> Found:
    yield from empty(fields, "cwd")
    yield from paths(fields, "cwd")


def _run(fields: Fields) -> Found:
    yield from empty(fields, "script", "shell")
    yield from _process(fields)
    shell = plain(fields.get("shell")) or ""
    if shell.lstrip().startswith("-"):
        yield "shell", f"`{shell}` begins with an option, and a shell is needed first", None
    if any(quote in shell for quote in "'\"\\"):
        from shlex import split  # noqa: PLC0415 - the usual shell is one word

        try:
            split(shell)
        except ValueError as error:
            yield "shell", f"`{shell}` cannot be split into words: {error}", None


def _exec(fields: Fields) -> Found:
    argv = fields.get("argv")
    if isinstance(argv, list):
        program = plain(argv[0]) if argv else ""
        if program is not None and not program.strip():
            yield "argv", "there is no program to start: `argv` begins with its name", None
        elif program and (program.endswith("/") or program in (".", "..")):
            yield "argv", f"`{program}` is a directory, and a program is needed", None
    yield from _process(fields)


def _python(fields: Fields) -> Found:
    code, interpreter = plain(fields.get("code")), plain(fields.get("python")) or ""
    yield from empty(fields, "code", "python")
    yield from _process(fields)
    if " " in interpreter.strip() and "/" not in interpreter:
        yield "python", f"`{interpreter}` is no program: it takes no arguments", None
    if code and "python" not in fields:
        try:
            compile(code, "<code>", "exec", dont_inherit=True)
        except SyntaxError as error:
            yield "code", f"this is no Python: {error.msg}, in its line {error.lineno}", None
        except (ValueError, RecursionError, MemoryError) as error:
            yield "code", f"this cannot be compiled: {error or type(error).__name__}", None
    args = fields.get("args")
    if args is not None and not isinstance(args, dict | list) and not is_open(args):
        yield "args", "`args` is a map by name, or a list by position", None
    for name in args if isinstance(args, dict) else ():
        if not name.isidentifier() or iskeyword(name):
            yield "args", f"`{name}` cannot be the name of an argument", None


def _http(fields: Fields) -> Found:
    from taskrun.spec.compiling.http_values import http  # noqa: PLC0415 - addresses take long to load

    return http(fields)


def _sql(fields: Fields) -> Found:
    from taskrun.spec.compiling.sql_values import sql  # noqa: PLC0415 - few tasks are one

    return sql(fields)


def _wait_for(fields: Fields) -> Found:
    from taskrun.spec.compiling.http_values import host, url  # noqa: PLC0415 - as above

    if "url" in fields:
        yield from url("url", fields["url"])
    elif "expect" in fields:
        yield "expect", "`expect` goes with `url`", None
    name, colon, _ = (plain(fields.get("port")) or "").rpartition(":")
    if colon and "[" not in name:
        yield from host("port", name)
    yield from empty(fields, "path", "run")
    yield from paths(fields, "path")
    yield from some_time(fields, "timeout", "every")
    every, timeout = seconds(fields.get("every")), seconds(fields.get("timeout", 60))
    if every and timeout and every > timeout:
        yield "every", "the first look would be the last: `every` is longer than `timeout`", None


def _message(fields: Fields) -> Found:
    yield from empty(fields, "message")


def _assert(fields: Fields) -> Found:
    from taskrun.spec.expressions import parse  # noqa: PLC0415 - few tasks are one

    source = fields.get("that")
    if not isinstance(source, str):
        return
    try:
        expression = parse(source)
    except ExpressionError:
        return  # reported where expressions are read
    try:
        value: Any = True if expression.references else expression.evaluate({})
    except ExpressionError as error:
        yield "that", f"`{source}` fails whatever the run does: {error.message}", error.hint
        return
    if not isinstance(value, bool):
        yield "that", f"`{source}` is neither true nor false", None


_CHECKS: dict[str, Callable[[Fields], Found]] = {
    "run": _run,
    "exec": _exec,
    "python": _python,
    "http": _http,
    "wait_for": _wait_for,
    "approve": _message,
    "fail": _message,
    "assert": _assert,
    "file": one_file,
    "template": one_file,
    "edit": edit,
    "copy": from_to,
    "move": move,
    "mkdir": places,
    "delete": places,
    "symlink": symlink,
    "sql": _sql,
}
