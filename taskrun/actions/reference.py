"""What there is to say about each action and its fields, out of the models that the compiler believes."""

from typing import Any

from pydantic import TypeAdapter

from taskrun.actions.kinds import HTTP_FORMS, TRAITS, Traits
from taskrun.actions.models import FIELDS, Kinds

Plain = dict[str, Any]


def names() -> list[str]:
    return list(FIELDS)


def reference() -> list[Plain]:
    """One entry for each action: its description, how it is undone, its main field, its fields."""
    about = TypeAdapter(Kinds).json_schema()["properties"]
    return [_action(name, about[name], TRAITS[name]) for name in FIELDS]


def _action(name: str, about: Plain, traits: Traits) -> Plain:
    schema = TypeAdapter(FIELDS[name]).json_schema()
    required = set(schema.get("required", ()))
    if traits.one_of:
        required -= set(traits.one_of)
    fields = [_field(key, found, schema, key in required) for key, found in schema["properties"].items()]
    return {
        "name": name,
        "description": about.get("description", ""),
        "undo": _undo(name, traits),
        "main": traits.main,
        "one_of": [*HTTP_FORMS, "url"] if name == "http" else list(traits.one_of),
        "fields": fields,
    }


def _undo(name: str, traits: Traits) -> str:
    if name == "workflow":
        return "tasks"  # each of its tasks says it for itself
    return "itself" if traits.auto else "revert" if traits.writes else "nothing"


def _field(name: str, about: Plain, schema: Plain, required: bool) -> Plain:
    description, default = about.get("description", ""), None
    if "Default: " in description:
        default = description.rpartition("Default: ")[2].removesuffix(".")
    return {
        "name": name,
        "type": _kind(about, schema),
        "required": required,
        "default": default,
        "description": description,
        "examples": about.get("examples", []),
    }


def _kind(about: Plain, schema: Plain) -> str:
    if "enum" in about:
        return " | ".join(map(str, about["enum"]))
    if "const" in about:
        return str(about["const"])
    if "$ref" in about:
        return _kind(schema["$defs"][about["$ref"].rpartition("/")[2]], schema)
    for key in ("anyOf", "oneOf"):
        if key in about:
            return " or ".join(dict.fromkeys(_kind(each, schema) for each in about[key]))
    found = about.get("type", "any value")
    kinds = [str(kind) for kind in (found if isinstance(found, list) else [found])]
    return " or ".join(dict.fromkeys(_WORDS.get(kind, kind) for kind in kinds))


_WORDS = {"string": "text", "object": "map", "array": "list"}
