"""``taskrun web``."""

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import click

from taskrun.cli.beside import require_web
from taskrun.cli.browser import has_desktop, open_browser
from taskrun.cli.options import whole_number
from taskrun.journal.home import home, make_home

if TYPE_CHECKING:
    from taskrun.web.serving import Server

STDIN = 0
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
@click.option("--until-stdin-ends", "child", is_flag=True, hidden=True)
def command(port: int | None, host: str, read_only: bool, no_open: bool, child: bool) -> int:
    """Show the runs in a browser, live: their graph, their tasks, what they print; stop, resume and revert them.

    \b
      taskrun web                      opens the browser
      taskrun web --read-only          for looking only
      taskrun run deploy.yaml --web    a run, with its page

    The page is for this machine only. The link that is printed works once; Ctrl-C ends the page, never a run.
    """
    make_home(home())
    server = _server(host, port, read_only)
    if child:
        return _serve_for_parent(server)
    link = server.link()
    click.echo(
        f"The runs of {home()} are at\n\n  {link}\n\nThe link works once. Ctrl-C ends the page.", err=True
    )
    server.used = lambda: click.echo(f"For another browser: {server.link()}", err=True)
    if not no_open and has_desktop():
        open_browser(link)
    server.serve()
    return 0


def _server(host: str, port: int | None, read_only: bool) -> "Server":
    require_web()
    from taskrun.cli.webdoors import doors  # noqa: PLC0415 - heavy, and an extra
    from taskrun.web.serving import Server  # noqa: PLC0415

    return Server(doors(), host, port, read_only=read_only)


def _serve_for_parent(server: "Server") -> int:
    """For `taskrun run --web`: tells the link on stdout, and ends when the run's process does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.stdout.write(server.link() + "\n")
    sys.stdout.flush()

    def wait() -> None:
        while os.read(STDIN, 1):
            pass
        server.stop()

    threading.Thread(target=wait, daemon=True).start()
    server.serve()
    return 0
