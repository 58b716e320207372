"""Dotted keys of ``set``: ``server.port``, ``servers.0.name``; a dot that belongs to a key is written ``\\.``."""

import re
from collections.abc import Sequence
from typing import Any

from taskrun.errors import ActionError

Keys = Sequence[str]


def parse_key(dotted: str) -> list[str]:
    keys = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\.", dotted)]
    if not all(keys):
        raise ActionError("InvalidField", f"set: {dotted!r} is not a dotted key: a part of it is empty")
    return keys


def shown(keys: Keys) -> str:
    return ".".join(key.replace(".", "\\.") for key in keys)


def assigned(document: Any, keys: Keys, value: Any) -> Any:
    """The document with the value at the keys, made of new containers where it changes; missing maps are made."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(document, list):
        index = index_of(document, keys)
        return [*document[:index], assigned(document[index], rest, value), *document[index + 1 :]]
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ActionError("InvalidField", f"set: {key!r} cannot be set in a value that is no map")
    name = key_in(document, key)
    return {**document, name: assigned(document.get(name), rest, value)}


def index_of(items: Sequence[Any], keys: Keys) -> int:
    """The position in a list that the first key names."""
    if keys[0].isascii() and keys[0].isdigit() and int(keys[0]) < len(items):
        return int(keys[0])
    raise ActionError("InvalidField", f"set: {keys[0]!r} is no position in a list of {len(items)}")


def key_in(document: dict[Any, Any], key: str) -> Any:
    """The key of a map that the text means: YAML has keys that are numbers or true."""
    if key in document:
        return key
    return next((k for k in document if not isinstance(k, str) and _text(k) == key), key)


def _text(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) or key is None else str(key)
