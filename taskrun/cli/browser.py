"""Opening the browser on the page, where there is a screen for one."""

import os
import sys

from taskrun.journal.home import home
from taskrun.listeners.screen import is_terminal

STDERR = 2


def has_desktop() -> bool:
    """Whether there is a screen to open a browser on; one that takes the terminal is worse than none."""
    graphical = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return is_terminal(STDERR) and (graphical or sys.platform == "darwin")


def open_browser(link: str) -> None:
    """By a private file that leads on: what is on a command line every user of the machine can read."""
    import webbrowser  # noqa: PLC0415 - only with a desktop

    path = f"{home()}/web.html"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(
            f'<!doctype html><meta http-equiv="refresh" content="0;url={link}"><title>taskrun</title>\n'
        )
    webbrowser.open(f"file://{path}")
