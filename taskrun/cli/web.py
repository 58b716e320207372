"""``taskrun web``."""

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import click

from taskrun.cli.options import whole_number
from taskrun.errors import UsageError
from taskrun.journal.home import home, make_home
from taskrun.listeners.screen import is_terminal

if TYPE_CHECKING:
    from taskrun.web.serving import Server

STDIN, STDERR = 0, 2
LAST_PORT = 65535


@click.command("web")
@click.option(
    "-p",
    "--port",
    metavar="N",
    callback=whole_number(LAST_PORT, 0),
    help="Default: 8765, or another if that is taken. 0: any.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    help="An address of loopback; nothing else is listened on. Default: 127.0.0.1.",
)
@click.option("--read-only", is_flag=True, help="Only to look: no buttons, and nothing is accepted.")
@click.option("--no-open", is_flag=True, help="Don't open the browser.")
@click.option("--of", "run", metavar="RUN", hidden=True)
@click.option("--until-stdin-ends", "child", is_flag=True, hidden=True)
def command(port: int | None, host: str, read_only: bool, no_open: bool, run: str | None, child: bool) -> int:
    """Show the runs in a browser, live: their graph, their tasks, what they print; stop, resume and revert them.

    \b
      taskrun web                      opens the browser
      taskrun web --read-only          for looking only

    The page is for this machine only. The link that is printed works once; Ctrl-C ends the page, never a run.
    """
    make_home(home())
    server = _server(host, port, read_only)
    path = "/" if run is None else f"/runs/{run}"
    if child:
        return _serve_for_parent(server, path)
    link = server.link(path)
    click.echo(
        f"The runs of {home()} are at\n\n  {link}\n\nThe link works once. Ctrl-C ends the page.", err=True
    )
    server.used = lambda: click.echo(f"For another browser: {server.link(path)}", err=True)
    if not no_open and _has_desktop():
        _open(link)
    server.serve()
    return 0


def _server(host: str, port: int | None, read_only: bool) -> "Server":
    try:
        from taskrun.web.serving import Server  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the page needs the package {error.name}", hint="pip install 'taskrun[web]'"
        ) from error
    from taskrun.cli.webdoors import doors  # noqa: PLC0415 - after that

    return Server(doors(), host, port, read_only=read_only)


def _serve_for_parent(server: "Server", path: str) -> int:
    """For `taskrun run --web`: tells the link on stdout, and ends when the run's process does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdout.write(server.link(path) + "\n")
    sys.stdout.flush()

    def wait() -> None:
        while os.read(STDIN, 1):
            pass
        server.stop()

    threading.Thread(target=wait, daemon=True).start()
    server.serve()
    return 0


def _has_desktop() -> bool:
    """Whether there is a screen to open a browser on; one that takes the terminal is worse than none."""
    graphical = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return is_terminal(STDERR) and (graphical or sys.platform == "darwin")


def _open(link: str) -> None:
    """By a private file that leads on: what is on a command line every user of the machine can read."""
    import webbrowser  # noqa: PLC0415 - only with a desktop

    path = f"{home()}/web.html"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(
            f'<!doctype html><meta http-equiv="refresh" content="0;url={link}"><title>taskrun</title>\n'
        )
    webbrowser.open(f"file://{path}")
