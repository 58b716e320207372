"""``run --web``: the page in a process of its own beside the run, so that neither holds the other up or takes it down."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from taskrun.app.base import Displayed
from taskrun.cli.browser import has_desktop, open_browser
from taskrun.errors import UsageError
from taskrun.listeners.base import Listener
from taskrun.listeners.outlet import show
from taskrun.listeners.screen import is_terminal

STDIN, STDERR = 0, 2
_END = 5.0  # seconds that it gets to end


class Beside:
    """Begins to load while the run is being prepared; ``listeners`` of a run tell where its page is.

    The server ends when this process does, however that ends: it waits for the end of its stdin.
    """

    def __init__(self) -> None:
        require_web()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "taskrun", "web", "--until-stdin-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.kill()  # it only reads
        self._server.communicate()

    def listeners(
        self, those: Callable[[Displayed], list[Listener]]
    ) -> Callable[[Displayed], list[Listener]]:
        """Those of a run, once its page was told."""

        def begin(shown: Displayed) -> list[Listener]:
            assert self._server.stdout is not None
            link = self._server.stdout.readline().strip().replace("/?", f"/runs/{shown.run_id}?", 1)
            if link:
                show(f"The page of this run: {link}\n", STDERR)
                if has_desktop():
                    open_browser(link)
            else:
                show(f"warning: there is no page: {self._why_not()}\n", STDERR)
            return those(shown)

        return begin

    def stay(self) -> None:
        """The run is over; whoever looks at its page may go on looking."""
        if self._server.poll() is None and is_terminal(STDIN) and is_terminal(STDERR):
            show("The page of the run stays until Ctrl-C.\n", STDERR)
            with suppress(KeyboardInterrupt):
                self._server.wait()

    def _why_not(self) -> str:
        _, said = self._server.communicate(timeout=_END)
        return said.strip() or f"it ended with {self._server.returncode}"


def require_web() -> None:
    """UsageError if the packages of the page are not there; none of them is imported."""
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"the page needs the package {missing[0]}", hint="pip install 'taskrun[web]'")
