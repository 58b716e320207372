"""Options that several commands share."""

from typing import Any

import click

from taskrun.errors import UsageError


def parse_inputs(pairs: tuple[str, ...]) -> dict[str, str]:
    """``-i name=value`` given any number of times; of the same name the last one counts."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"-i {pair}: expected name=value")
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


input_option = click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="Give an input; repeatable."
)
inputs_file_option = click.option(
    "--inputs-file", type=click.Path(dir_okay=False), help="Inputs from a YAML or JSON file."
)
color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colours on the terminal."
)
jobs_option = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 10_000),
    help="Tasks at the same time (default: number of cores); 1 is serial.",
)
output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["auto", "table", "plain", "ndjson"]),
    default="auto",
    help="How progress is shown.",
)
