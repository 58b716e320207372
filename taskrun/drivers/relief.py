"""Another supervisor in place of one that was killed while its taskrun lives.

What the dead one was running is ended first: nobody would ever hear how it ended, and it must not run beside what follows.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from taskrun.drivers.signals import WATCHED
from taskrun.errors import SupervisorError
from taskrun.executors.client import CRASH_NAME, Supervisor
from taskrun.executors.protocol import Ended
from taskrun.journal.ids import boot_id

if TYPE_CHECKING:
    from taskrun.executors.recovery import Alive, Lost, NotStarted

Found = Mapping[str, "Ended | Alive | Lost | NotStarted"]

TRIES: Final = 5
"""So many supervisors may be lost one after another; each attempt that ends is proof that they can work."""


class Relief:
    """Finds out what became of attempts, and starts the next supervisor of the run in ``run_dir``."""

    def __init__(self, run_dir: str) -> None:
        self._run_dir = run_dir
        self._lost = 0

    def worked(self) -> None:
        """The present supervisor has done its work at least once."""
        self._lost = 0

    def take_over(self, keys: Sequence[str]) -> tuple[Found, Supervisor]:
        """What became of the attempts ``keys``, none of which is alive any more, and who runs the next ones.

        Raises:
            SupervisorError: one after another was lost.

        """
        from taskrun.executors.recovery import attach, recover  # noqa: PLC0415 - seldom needed

        self._lost += 1
        with attach(self._run_dir) as survivors:  # a child on its way to its program still holds the lock
            while survivors.alive:
                survivors.poll(0.5)
        found = recover(self._run_dir, keys, boot_id=boot_id())
        if self._lost > TRIES:
            raise SupervisorError(
                f"the supervisor of the run was lost {self._lost} times in a row{self._last_words()}",
                hint="is something ending processes (the kernel, for want of memory)? `taskrun resume` goes on",
            )
        return found, self._start()

    def _start(self) -> Supervisor:
        # A signal that came to the child before it has handlers of its own would be told to this process as well.
        if "threading" in sys.modules:
            _load_what_is_needed_after_a_fork()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            return Supervisor.start(self._run_dir)
        except OSError as error:
            raise SupervisorError(
                f"the supervisor of the run was lost, and no other can be started: {error.strerror}",
                hint="`taskrun resume` goes on",
            ) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _last_words(self) -> str:
        path = f"{self._run_dir}/{CRASH_NAME}"
        return f"; what the last one says is in {path}" if os.path.exists(path) else ""


def _load_what_is_needed_after_a_fork() -> None:
    """A thread may be loading the same modules at this moment. Here they are waited for; a child would wait for a thread that
    it does not have, and for ever.
    """
    import ctypes  # noqa: F401, PLC0415 - a run without threads never needs any of these
    import logging  # noqa: F401, PLC0415 - its lock must not come into being between the two halves of a fork
    import traceback  # noqa: F401, PLC0415

    from taskrun.executors import supervisor  # noqa: F401, PLC0415
