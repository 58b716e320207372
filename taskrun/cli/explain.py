"""``taskrun explain ID``."""

import click

from taskrun.errors import NotFoundError


@click.command("explain")
@click.argument("id", required=False)
def command(id: str | None) -> int:  # noqa: A002 - the name in the usage line
    """Explain the id of a diagnostic, with a bad and a good example; without one, list all.

    \b
      taskrun explain TR201
    """
    from taskrun.spec.catalog import CATALOG  # noqa: PLC0415
    from taskrun.spec.spelling import nearest  # noqa: PLC0415

    if id is None:
        for name, entry in sorted(CATALOG.items()):
            click.echo(f"{name}  {entry.title}")
        return 0
    found = CATALOG.get(id.upper())
    if found is None:
        near = nearest(id.upper(), CATALOG)
        raise NotFoundError(
            f"there is no diagnostic {id}" + (f"; did you mean {near}?" if near else ""),
            hint="taskrun explain lists them all",
        )
    click.echo(f"{id.upper()}: {found.title}\n\n{found.explanation.strip()}")
    for title, example in (("Wrong", found.bad), ("Right", found.good)):
        indented = "\n".join(f"    {line}" if line else "" for line in example.strip("\n").split("\n"))
        click.echo(f"\n{title}:\n\n{indented}")
    return 0
