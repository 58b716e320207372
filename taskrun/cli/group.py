"""The command line as click reads it: the group of all commands, each imported only when it is used."""

import gc
import os
import sys
from importlib import import_module

import click

from taskrun.cli.commands import ANYWHERE, COMMANDS, COMPLETE
from taskrun.cli.failing import report, write
from taskrun.errors import UsageError
from taskrun.version import __version__


def invoke(args: list[str]) -> int:
    """Run the command that ``args`` ask for; its exit code. What click itself has to say is said here."""
    try:
        return _invoke(args)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _report_usage(error)
    except click.Abort:
        return 130


def _invoke(args: list[str]) -> int:
    """Not by click's own ``main``: it would end the process when a reader of our output goes away."""
    if COMPLETE in os.environ:
        cli.main(args=args, prog_name="taskrun", complete_var=COMPLETE)
    if not args:  # versions of click differ in where they say it, and in the exit code
        with cli.make_context("taskrun", args, resilient_parsing=True) as ctx:
            write(cli.get_help(ctx) + "\n")
        return 2
    from taskrun.cli.defaults import Defaults  # noqa: PLC0415 - not while a shell completes

    with cli.make_context("taskrun", args, default_map=Defaults()) as ctx:
        code = cli.invoke(ctx)
    return int(code) if isinstance(code, int) else 0


def _report_usage(error: click.ClickException) -> int:
    """Click's own words, in the form of all our messages."""
    ctx = getattr(error, "ctx", None)
    if (
        type(error).__name__ == "NoArgsIsHelpError"
    ):  # unknown to older versions, which print the help themselves
        write(error.format_message() + "\n")
        return 2
    message = error.format_message().removesuffix(".")
    if isinstance(error, click.NoSuchOption) and ctx is not None:
        message = _unknown_option(error.option_name, ctx.command)
    report(f"error: {message[:1].lower()}{message[1:]}", f"{ctx.command_path if ctx else 'taskrun'} --help")
    return 2


def _unknown_option(name: str, command: click.Command) -> str:
    from taskrun.spec.spelling import nearest  # noqa: PLC0415 - only for the wrong word

    known = [each for param in command.params for each in param.opts if each.startswith("--")]
    near = nearest(name, [*known, "--help"]) if name.startswith("--") else None
    return f"there is no option {name!r}." + (f" Did you mean {near!r}?" if near else "")


class Commands(click.Group):
    """Knows the names of all commands and the modules of none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        if sys.platform != "linux" and cmd_name not in ANYWHERE:
            raise UsageError(
                f"`{cmd_name}` needs Linux: processes are watched through pidfd and /proc",
                hint="run it in a container, a virtual machine or WSL 2",
            )
        command: click.Command = import_module(f"taskrun.cli.{cmd_name}").command
        _complete(command)
        gc.enable()
        if COMPLETE in os.environ:
            from taskrun.cli.completing import attach  # noqa: PLC0415 - only when a shell asks

            attach(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(_unknown(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _complete(command: click.Command) -> None:
    """With the options that every command has."""
    if isinstance(command, click.Group) or any(param.name == "log_file" for param in command.params):
        return
    from taskrun.cli.options import debug_options  # noqa: PLC0415 - with the command

    command.params.extend(debug_options())


def _unknown(name: str) -> str:
    from taskrun.spec.spelling import nearest  # noqa: PLC0415 - only for the wrong word

    if name.endswith((".yaml", ".yml")) or os.path.exists(name):
        return f"there is no command {name!r}. Did you mean `taskrun run {name}`?"
    if name == "help":
        return "there is no command 'help'. Did you mean '--help'?"
    near = nearest(name, COMMANDS)
    return f"there is no command {name!r}." + (f" Did you mean {near!r}?" if near else "")


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes:
  0  done                              5  another process holds it
  1  failed, fully rolled back         6  refused
  2  wrong usage or file, nothing ran  8  still running (states)
  3  not fully rolled back, or        70  a bug in taskrun
     waiting for a person            130  interrupted (143: by SIGTERM)
  4  no such run or task""",
)
@click.version_option(__version__, "-V", "--version", prog_name="taskrun", message="%(prog)s %(version)s")
def cli() -> None:
    """Run YAML workflows as transactions: when a task fails, all that was done is undone.

    \b
      taskrun run workflow.yaml        do it, with a live table of states
      taskrun validate workflow.yaml   every mistake at once
      taskrun states --watch           the states of a run, live
      taskrun run --help               more about a command
    """
