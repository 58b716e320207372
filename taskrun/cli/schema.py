"""``taskrun schema``."""

import click


@click.command("schema")
@click.option("--path", "as_path", is_flag=True, help="Print where the schema lies in this installation.")
def command(as_path: bool) -> int:
    """Print the JSON Schema of workflow files, for editors.

    \b
      taskrun schema > taskrun.schema.json
      # and in the first line of a workflow, for the YAML language server:
      # yaml-language-server: $schema=taskrun.schema.json

    Actions of installed plug-ins are in it. `taskrun init` writes both.
    """
    from taskrun.spec.json_schema import STORED  # noqa: PLC0415

    click.echo(STORED if as_path else schema_text(), nl=as_path)
    return 0


def schema_text() -> str:
    """What the package holds, or one made anew where plug-ins add to the language."""
    from taskrun.actions.registry import MODULES, kinds  # noqa: PLC0415
    from taskrun.spec.json_schema import STORED, text  # noqa: PLC0415

    plugins = tuple(kind for kind in kinds() if kind not in MODULES)
    if plugins:
        return text(plugins)
    with open(STORED, encoding="utf-8") as file:
        return file.read()
