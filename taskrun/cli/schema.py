"""``taskrun schema``."""

import json

import click


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of workflow files, for editors.

    \b
      taskrun schema > taskrun.schema.json
      # and in the first line of a workflow, for the YAML language server:
      # yaml-language-server: $schema=taskrun.schema.json
    """
    from taskrun.spec.json_schema import json_schema  # noqa: PLC0415 - pydantic

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
