"""Options that several commands share."""

from collections.abc import Callable

import click


def whole_number(
    most: int, least: int = 1
) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """Reads an option that is a number from ``least`` to ``most``."""

    def convert(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
        if value is None:
            return None
        number = int(value) if value.isascii() and value.isdecimal() else -1
        if not least <= number <= most:
            message = f"a whole number from {least} to {most:,} is wanted, not {value!r}"
            raise click.BadParameter(message, ctx, param)
        return number

    return convert


input_option = click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="Give an input; as often as needed."
)
inputs_file_option = click.option(
    "--inputs-file", metavar="FILE", type=click.Path(dir_okay=False), help="Inputs from a YAML or JSON file."
)
color_option = click.option(
    "--color",
    metavar="WHEN",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours: auto (on a terminal), always or never.",
)
jobs_option = click.option(
    "-j",
    "--jobs",
    metavar="N",
    callback=whole_number(10_000),
    help="At most N tasks at a time; 1 is serial. Default: the number of cores.",
)
output_option = click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["auto", "table", "plain", "ndjson"]),
    default="auto",
    help="table (live), plain (lines) or ndjson (events). auto: a table on a terminal, else lines.",
)
ci_option = click.option(
    "--ci",
    metavar="WHICH",
    type=click.Choice(["auto", "github", "gitlab", "none"]),
    default="auto",
    help="Sections, annotations and summaries of github or gitlab; none; auto: where it runs.",
)
outside_option = click.option(
    "--allow-outside", is_flag=True, help="`workflow:` may name files outside of the file's folder."
)


def debug_options() -> tuple[click.Option, ...]:
    """What every command has besides its own."""
    return (
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_verbose,
            help="Say on stderr what taskrun itself does.",
        ),
        click.Option(
            ["--log-file"],
            metavar="FILE",
            expose_value=False,
            callback=_log_file,
            help="Write that to the end of a file.",
        ),
    )


def _verbose(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from taskrun.cli.debug_log import to_stderr  # noqa: PLC0415 - logging, only when asked for

        to_stderr()


def _log_file(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value and not ctx.resilient_parsing:
        from taskrun.cli.debug_log import to_file  # noqa: PLC0415 - logging, only when asked for

        to_file(value)
