"""``set``: values by dotted key in a structured text; nothing but them changes, and that is checked."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from taskrun.actions.editing.keys import Keys, assigned, parse_key, shown
from taskrun.errors import ActionError

SUFFIXES = {
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".env": "env",
}


def format_of(path: str, given: str | None) -> str:
    """The format that is named, or that the suffix of the path means."""
    if given:
        return given
    name = path.rpartition("/")[2]
    if name == ".env" or name.startswith(".env."):
        return "env"
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    raise ActionError(
        "InvalidField", f"the format of {name} is not known: say `format: ini`, json, yaml, toml or env"
    )


def put_values(text: str, format_: str, values: Mapping[str, Any]) -> str:
    editor = _editor(format_)
    for dotted, value in values.items():
        keys = parse_key(dotted)
        document = editor.load(text)
        wanted = _expected(editor, document, keys, value)
        if is_same(document, wanted):
            continue
        text = editor.put(text, keys, value)
        if not is_same(_reload(editor, text), wanted):
            message = f"set: {shown(keys)} cannot be set in this file and keep the rest of it as it is"
            raise ActionError("CannotEdit", message)
    return text


def _editor(format_: str) -> ModuleType:
    from importlib import import_module  # noqa: PLC0415 - one of five is needed

    if format_ not in SUFFIXES.values():
        raise ActionError("InvalidField", f"format: {format_!r} is none of ini, json, yaml, toml, env")
    return import_module(f"taskrun.actions.editing.{format_}_text")


def _expected(editor: ModuleType, document: Any, keys: Keys, value: Any) -> Any:
    if hasattr(editor, "expected"):
        return editor.expected(document, keys, value)
    if editor.__name__.endswith("env_text"):
        text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        return {**document, ".".join(keys): text}
    return assigned(document, keys, value)


def _reload(editor: ModuleType, text: str) -> Any:
    try:
        return editor.load(text)
    except ActionError:
        return None


def is_same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not true, and 1.0 is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)
