"""``taskrun init [TEMPLATE] [FILE]``."""

import os

import click

from taskrun.errors import NotFoundError, RefusedError, UsageError

TEMPLATES = {
    "minimal": "two tasks, each with its undo",
    "files": "a configuration: files, an edit, a link, which undo themselves",
    "deploy": "a release: build, switch, check; an approval for prod, a lock",
    "database": "a migration of a database with its way back",
    "http": "calls to a service, with undos, probes and a secret",
    "rollout": "the same for each of a list, two at a time",
}
FOLDER = f"{os.path.dirname(os.path.dirname(__file__))}/templates"
SCHEMA = "taskrun.schema.json"
_YAML = (".yaml", ".yml")


@click.command("init")
@click.argument("template", required=False, metavar="[TEMPLATE]")
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(dir_okay=False))
@click.option("--list", "listed", is_flag=True, help="List the templates.")
def command(template: str | None, file: str | None, listed: bool) -> int:
    """Write a first workflow, and the JSON Schema that lets editors complete it.

    \b
      taskrun init                       workflow.yaml, two tasks
      taskrun init deploy release.yaml   from another template
      taskrun init --list

    Nothing is overwritten. The schema lies beside the workflow, so that
    completion works without a network; commit both.
    """
    if listed:
        width = max(map(len, TEMPLATES))
        click.echo("\n".join(f"{name.ljust(width)}  {about}" for name, about in TEMPLATES.items()))
        return 0
    if template is not None and file is None and template.endswith(_YAML):
        template, file = None, template
    chosen, path = template or "minimal", file or "workflow.yaml"
    _check(chosen)
    _write(path, _text(chosen, path))
    click.echo(f"{path}: {TEMPLATES[chosen]}")
    _write_schema(os.path.join(os.path.dirname(path), SCHEMA))
    click.echo(
        f"\n  taskrun validate {path}   every mistake at once\n  taskrun plan {path}       what it would do"
        f"\n  taskrun run {path}        do it",
    )
    return 0


def _check(name: str) -> None:
    if name in TEMPLATES:
        return
    from taskrun.spec.spelling import nearest  # noqa: PLC0415 - only for the wrong word

    near = nearest(name, TEMPLATES)
    raise NotFoundError(
        f"there is no template {name!r}" + (f"; did you mean {near!r}?" if near else ""),
        hint=f"there are {', '.join(TEMPLATES)}",
    )


def _text(template: str, path: str) -> str:
    with open(f"{FOLDER}/{template}.yaml", encoding="utf-8") as found:
        lines = found.read().split("\n")
    # Only the words at the top speak of the file.
    top = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    lines[:top] = [line.replace(" FILE", f" {path}") for line in lines[:top]]
    return "\n".join([f"# yaml-language-server: $schema={SCHEMA}", *lines])


def _write(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RefusedError(
            f"{path} is there already", hint="taskrun init TEMPLATE FILE takes another name"
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _write_schema(path: str) -> None:
    from taskrun.cli.schema import schema_text  # noqa: PLC0415

    text = schema_text()
    try:
        _write(path, text)
    except RefusedError:
        with open(path, encoding="utf-8", errors="replace") as file:
            if file.read() != text:
                click.echo(f"{path}: there already, and left as it is; taskrun schema > {path} renews it")
        return
    click.echo(f"{path}: what editors complete and check it with")
