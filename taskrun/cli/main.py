"""The command ``taskrun``: finds the command's module, and turns every error into one message and an exit code."""

import errno
import os
import sys
from importlib import import_module

import click

from taskrun.errors import TaskrunError, UsageError, WorkflowError
from taskrun.version import __version__

BUG = 70
COMPLETE = "_TASKRUN_COMPLETE"
_NO_OUTPUT = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG)

# Name -> one line for the overview. A command is imported only when it is used.
COMMANDS = {
    "run": "Run a workflow; roll it back if a task fails.",
    "validate": "Check workflow files; tell all their mistakes at once.",
    "plan": "Show what a run would do, and how each of it is undone.",
    "states": "Show the states of a run's tasks; --watch follows it live.",
    "runs": "List the runs.",
    "resume": "Continue an interrupted, suspended or stopped run.",
    "revert": "Undo what a run has done.",
    "resolve": "Decide an unknown outcome, or settle an undo that failed.",
    "suspend": "Stop a run when what is running has ended.",
    "cancel": "Stop a run and roll it back.",
    "logs": "Show what the tasks of a run have printed.",
    "web": "Show the runs in a browser, live; stop, resume and revert them.",
    "report": "Write a report of a run: HTML, Markdown, JSON or JUnit.",
    "rehearse": "Fail at every task in a scratch copy; check that all is undone.",
    "graph": "Draw a workflow, or a run with its states and its rollback.",
    "init": "Write a first workflow from a template.",
    "schema": "Print the JSON Schema of workflow files.",
    "explain": "Explain an error id.",
    "actions": "List the actions, or describe one.",
    "prune": "Delete old runs.",
    "config": "Show the settings, and where they come from.",
    "doctor": "Check what taskrun needs on this machine.",
    "completion": "Print the completion script of a shell.",
}

# What needs neither a supervisor nor a journal.
ANYWHERE = frozenset(
    ("validate", "plan", "graph", "init", "schema", "explain", "actions", "config", "doctor", "completion")
)


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
        _configure_home()
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


def _configure_home() -> None:
    from taskrun.cli.settings import user_home  # noqa: PLC0415 - with the command
    from taskrun.journal.home import configured  # noqa: PLC0415

    configured[:] = [user_home]


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


def main(args: list[str] | None = None) -> int:  # noqa: PLR0911 - one line for each kind of end
    """Run the command and return its exit code; nothing else in taskrun ends the process."""
    _open_closed_streams()
    try:
        return _command(sys.argv[1:] if args is None else args)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _report_usage(error)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except WorkflowError as error:
        return _report_workflow(error)
    except TaskrunError as error:
        _report(f"error: {error.message}", error.hint)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our results has gone; the command itself did what it had to.
        _silence(sys.stdout)
        return 0
    except Exception as bug:
        if isinstance(bug, OSError) and bug.errno in _NO_OUTPUT and bug.filename is None:
            _silence(sys.stdout)
            _report(f"error: the output cannot be written: {bug.strerror}")
            return 2
        if isinstance(bug, FileNotFoundError) and _is_nowhere():
            _report("error: the current directory is not there any more")
            return 2
        return _report_bug(bug)


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _command(args: list[str]) -> int:
    """Not by click's own ``main``: it would end the process when a reader of our output goes away."""
    if COMPLETE in os.environ:
        cli.main(args=args, prog_name="taskrun", complete_var=COMPLETE)
    from taskrun.cli.settings import Defaults  # noqa: PLC0415 - not while a shell completes

    with cli.make_context("taskrun", args, default_map=Defaults()) as ctx:
        code = cli.invoke(ctx)
    return int(code) if isinstance(code, int) else 0


def _open_closed_streams() -> None:
    """Started without one of its streams, no file that we open may take its place."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8", errors="backslashreplace"))


def _report(message: str, hint: str | None = None) -> None:
    from taskrun.listeners.sanitize import one_line  # noqa: PLC0415 - only for errors

    lines = [one_line(line) for line in message.splitlines()]
    if hint:
        lines.append(f"hint: {one_line(hint)}")
    _write("\n".join(lines) + "\n")


def _report_usage(error: click.ClickException) -> int:
    """Click's own words, in the form of all our messages."""
    ctx = getattr(error, "ctx", None)
    if (
        type(error).__name__ == "NoArgsIsHelpError"
    ):  # unknown to older versions, which print the help themselves
        _write(error.format_message() + "\n")
        return 2
    message = error.format_message().removesuffix(".")
    if isinstance(error, click.NoSuchOption) and ctx is not None:
        message = _unknown_option(error.option_name, ctx.command)
    _report(f"error: {message[:1].lower()}{message[1:]}", f"{ctx.command_path if ctx else 'taskrun'} --help")
    return 2


def _unknown_option(name: str, command: click.Command) -> str:
    from taskrun.spec.spelling import nearest  # noqa: PLC0415 - only for the wrong word

    known = [each for param in command.params for each in param.opts if each.startswith("--")]
    near = nearest(name, [*known, "--help"]) if name.startswith("--") else None
    return f"there is no option {name!r}." + (f" Did you mean {near!r}?" if near else "")


def _report_workflow(error: WorkflowError) -> int:
    from taskrun.cli.validate import show_problems  # noqa: PLC0415 - only for errors

    if error.diagnostics:
        show_problems(error.diagnostics, getattr(error, "sources", {}))
    else:
        _report(f"error: {error.message}", error.hint)
    return error.exit_code


def _report_bug(bug: Exception) -> int:
    """Never a traceback on the terminal: it goes to a file that can be sent."""
    import tempfile  # noqa: PLC0415 - only for bugs
    import traceback  # noqa: PLC0415

    text = f"taskrun {__version__}, Python {sys.version}\n{''.join(traceback.format_exception(bug))}"
    try:
        fd, path = tempfile.mkstemp(prefix="taskrun-crash-", suffix=".txt")
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        where = f"the details are in {path}"
    except OSError:
        where = text
    _report(f"error: this is a bug in taskrun: {type(bug).__name__}: {bug}", where)
    return BUG


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _silence(stream: object) -> None:
    """Python flushes its streams once more at exit; into nothing, now that nobody listens."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
    os.close(nowhere)
