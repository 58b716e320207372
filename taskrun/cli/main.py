"""The command ``taskrun``: the one place that ends it, with one message for every error and an exit code."""

import os
import sys

from taskrun.cli.commands import COMMANDS
from taskrun.cli.quick import read

__all__ = ["COMMANDS", "main"]


def main(args: list[str] | None = None) -> int:
    """Run the command and return its exit code; nothing else in taskrun ends the process."""
    _open_closed_streams()
    try:
        return _command(sys.argv[1:] if args is None else args)
    except (Exception, KeyboardInterrupt) as error:
        from taskrun.cli.failing import explain  # noqa: PLC0415 - only for errors

        return explain(error)


def _command(args: list[str]) -> int:
    _configure_home()
    given = read(args)
    if given is not None:
        from taskrun.cli.running import run  # noqa: PLC0415 - after it is known what is asked for

        return run(**given)
    from taskrun.cli.group import invoke  # noqa: PLC0415 - click

    return invoke(args)


def _configure_home() -> None:
    """The user's settings may name it; they are looked for when somebody asks."""
    from taskrun.journal.home import configured  # noqa: PLC0415 - not for those who only import `COMMANDS`

    configured[:] = [_user_home]


def _user_home() -> str | None:
    from taskrun.cli.settings import user_home  # noqa: PLC0415 - only where the environment names none

    return user_home()


def _open_closed_streams() -> None:
    """Started without one of its streams, no file that we open may take its place."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != fd:
                os.dup2(opened, fd)
                os.close(opened)
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8", errors="backslashreplace"))
