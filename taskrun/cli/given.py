"""Inputs as they are given on the command line."""

from typing import Any

from taskrun.errors import UsageError


def parse_inputs(pairs: tuple[str, ...]) -> dict[str, str]:
    """``-i name=value`` given any number of times; of the same name the last one counts."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"-i {pair}: expected NAME=VALUE")
        found[name] = value
    return found


def read_inputs_file(path: str | None) -> dict[str, Any]:
    """The inputs in a YAML or JSON file: a map from name to value."""
    if path is None:
        return {}
    from taskrun.spec.loader import load, to_json  # noqa: PLC0415 - yaml, and only for this option

    loaded = to_json(load(path).root)
    if not isinstance(loaded, dict):
        raise UsageError(f"{path}: expected a map from input names to values")
    return loaded
