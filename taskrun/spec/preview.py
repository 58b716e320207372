"""An action before it is done: its fields with the values that are known already, and what it does in words.

What only the run will know stays as it stands in the file: ``${{ tasks.a.outputs.id }}``. In a script a value that is known
is shown quoted for the shell, as it arrives there; it is still a variable when the script runs.
"""

from collections.abc import Callable, Mapping
from json import dumps
from shlex import join, quote
from typing import Any

from taskrun.actions.kinds import ROW_FORMS
from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.expressions import Expression, has_expression, parse, template
from taskrun.spec.render import script
from taskrun.spec.values import text

# Gives the value of an expression, or raises UnknownError (not known yet) or ExpressionError (it never will be).
Known = Callable[[Expression], Any]
Fields = Mapping[str, Any]

_CHECKED = lazy(r"_input\(\((.*?)\), \"[^\"]*\", \(\{.*?\}\)\)")


class UnknownError(Exception):
    """Only the run will tell."""


def fill(value: Any, known: Known) -> Any:
    """A value with what is known of its expressions filled in."""

    def shown(expression: Expression) -> Any:
        try:
            return known(expression)
        except UnknownError:
            return f"${{{{ {_as_written(expression.source)} }}}}"

    return exact(value, shown)


def _as_written(source: str) -> str:
    """Without what the compiler has put around the inputs of included files."""
    return _CHECKED.sub(r"\1", source) if "_input(" in source else source


def exact(value: Any, known: Known) -> Any:
    """The value itself, as the run will have it; UnknownError if only the run will tell."""
    if isinstance(value, str):
        return _exact_text(value, known) if has_expression(value) else value
    if isinstance(value, dict):
        return {key: exact(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item, known) for item in value]
    return value


def _exact_text(source: str, known: Known) -> Any:
    found = template(source)
    if found.is_single:
        return known(found.expressions[0])
    return "".join([part if isinstance(part, str) else text(known(part)) for part in found.parts])


def fill_script(source: str, known: Known) -> str:
    rewritten = script(source)
    shown = rewritten.text
    for name, expression in rewritten.variables:
        try:
            value = text(known(expression))
        except UnknownError:
            word = plain = f"${{{{ {_as_written(expression.source)} }}}}"
        else:
            word, plain = quote(value), value
        shown = shown.replace(f'"${{{name}}}"', word).replace(f"${{{name}}}", plain)
    return shown


def fill_fields(
    fields: Fields, known: Known, *, scripts: frozenset[str], bare: frozenset[str]
) -> dict[str, Any]:
    """``scripts`` are shell scripts, ``bare`` are expressions without braces: these are shown as they are."""
    filled: dict[str, Any] = {}
    for name, value in fields.items():
        if name in scripts and isinstance(value, str):
            filled[name] = fill_script(value, known)
        else:
            filled[name] = value if name in bare else fill(value, known)
    return filled


def condition(source: str, known: Known) -> bool | None:
    """What an ``if`` comes to; None when only the run will tell."""
    try:
        found = known(parse(source))
    except (UnknownError, ExpressionError):
        return None
    return found if isinstance(found, bool) else None


def words(kind: str, fields: Fields) -> str:
    """What an action does, for people; may have several lines."""
    tell = _WORDS.get(kind, _other)
    return tell(fields).rstrip("\n")


def _http(fields: Fields) -> str:
    first = f"{fields.get('method', 'GET')} {fields.get('url', '')}"
    rest = [
        f"{name}: {_json(fields[name])}" for name in ("params", "json", "data", "files") if name in fields
    ]
    return "\n".join([first, *rest])


def _python(fields: Fields) -> str:
    if "call" in fields:
        return f"{fields['call']}({_arguments(fields.get('args'))})"
    return str(fields.get("code", ""))


def _arguments(args: Any) -> str:
    if isinstance(args, dict):
        return ", ".join(f"{name}={_json(value)}" for name, value in args.items())
    return ", ".join(map(_json, args)) if isinstance(args, list) else ""


def _file(fields: Fields) -> str:
    mode = f", mode {fields['mode']}" if "mode" in fields else ""
    if "source" in fields:
        return f"{fields['path']} from {fields['source']}{mode}"
    lines = str(fields.get("content", "")).splitlines()
    return "\n".join([f"{fields['path']}{mode}", *(f"  {line}" for line in lines)])


def _edit(fields: Fields) -> str:
    change = {name: fields[name] for name in ("line", "match", "block", "marker", "set") if name in fields}
    return "\n".join([str(fields["path"]), *(f"  {name}: {_json(value)}" for name, value in change.items())])


def _sql(fields: Fields) -> str:
    form = next((form for form in ROW_FORMS if form in fields), None)
    if form is not None:
        given = {name: fields[name] for name in ("rows", "set", "where") if name in fields}
        first = f"{fields.get('database', '')}: {form} {fields[form]}"
        return "\n".join([first, *(f"  {name}: {_json(value)}" for name, value in given.items())])
    what = fields.get("query") or f"script {fields.get('script', '')}"
    return f"{fields.get('database', '')}: {what}"


def _wait_for(fields: Fields) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def _moved(fields: Fields) -> str:
    return f"{fields['from']} to {fields['to']}"


def _other(fields: Fields) -> str:
    return "\n".join(f"{name}: {_json(value)}" for name, value in fields.items())


def _json(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


def _main(name: str) -> Callable[[Fields], str]:
    return lambda fields: _json(fields.get(name, ""))


def _argv(fields: Fields) -> str:
    argv = fields.get("argv")
    return join(map(str, argv)) if isinstance(argv, list) else str(argv)


_WORDS: dict[str, Callable[[Fields], str]] = {
    "run": _main("script"),
    "exec": _argv,
    "http": _http,
    "python": _python,
    "file": _file,
    "template": _file,
    "copy": _moved,
    "move": _moved,
    "mkdir": _main("path"),
    "delete": _main("path"),
    "symlink": lambda fields: f"{fields['path']} -> {fields['to']}",
    "edit": _edit,
    "sql": _sql,
    "wait_for": _wait_for,
    "approve": _main("message"),
    "echo": _main("message"),
    "fail": _main("message"),
    "sleep": _main("for"),
    "assert": _main("that"),
    "savepoint": lambda _fields: "",
}
