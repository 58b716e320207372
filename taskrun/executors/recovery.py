"""What a newcomer finds of the attempts another taskrun had asked for.

its end is in the log                   -> Ended
the supervisor holds its lock           -> Alive: ``attach`` and wait
no supervisor, began or about to begin  -> Lost, once nothing of it runs any more
no supervisor, not a line about it      -> NotStarted
"""

import fcntl
import os
import select
import signal
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple, Self

from taskrun.executors import leftovers, linux
from taskrun.executors.attempts_log import LOG_NAME, AttemptsLog, Keeper, read_log
from taskrun.executors.protocol import Ended

DEFAULT_GRACE = 2.0
_LOOK_AGAIN = 0.03


class Alive(NamedTuple):
    """A supervisor is there: the attempt may be running, or even be about to start."""

    key: str


class Lost(NamedTuple):
    """It may have run, in part or in full, and nobody will ever know; ``message`` says what was found."""

    key: str
    message: str


class NotStarted(NamedTuple):
    """Nothing of it ever ran."""

    key: str


def recover(
    run_dir: str, keys: Sequence[str], *, boot_id: str | None = None, grace: float = DEFAULT_GRACE
) -> dict[str, Ended | Alive | Lost | NotStarted]:
    """Find out what became of the attempts ``keys``, and end what a dead supervisor left of them.

    To be called with the run's lock held, and before a new supervisor is started.

    Args:
        run_dir: the directory of the run.
        keys: the attempts that were asked for and whose end is not known.
        boot_id: the boot in which they were asked for, as the journal has it. After a power failure the
            log may lack its last lines, so that then not even their absence proves anything. Without
            it, the boots named in the log itself are compared.
        grace: seconds between TERM and KILL for what is left.

    """
    is_alive = is_held(run_dir)  # asked before reading: what a dead supervisor wrote is all there
    log = read_log(run_dir)
    found: dict[str, Ended | Alive | Lost | NotStarted] = {}
    suspects = []
    for key in dict.fromkeys(keys):
        trace = log.traces.get(key)
        if trace is not None and trace.ended is not None:
            found[key] = trace.ended
        elif is_alive:
            found[key] = Alive(key)
        elif trace is not None:
            suspects.append(trace)
            found[key] = Lost(key, "")  # its place in the order; what there is to say comes below
        elif _is_complete(log, boot_id):
            found[key] = NotStarted(key)
        else:
            found[key] = Lost(
                key, "the machine has restarted since, and the log of attempts may lack its end"
            )
    ended = {one.trace.key: one for one in leftovers.end(suspects, grace)}
    for trace in suspects:
        found[trace.key] = Lost(trace.key, _describe(trace.pid, ended.get(trace.key)))
    return found


def _is_complete(log: AttemptsLog, boot_id: str | None) -> bool:
    """Nothing that was written is missing, short of a restart of the machine."""
    boots = {keeper.machine.partition("/")[0] for keeper in log.keepers} if boot_id is None else {boot_id}
    return boots <= {linux.boot_id()}


def _describe(leader: int, left: leftovers.Leftovers | None) -> str:
    if left is None:
        return "the machine restarted while it ran"
    message = f"its supervisor died {'while it ran' if leader else 'while starting it'}"
    staying = {process.pid for process in left.staying}
    gone = [name for pid, name in left.found.items() if pid not in staying]
    stays = [name for pid, name in left.found.items() if pid in staying]
    if gone:
        message += f"; what was left of it was ended: {', '.join(gone)}"
    if stays:
        message += f"; could not be ended: {', '.join(stays)}"
    return message


def is_held(run_dir: str) -> bool:
    """Is there a supervisor of this run? A child on its way to its program counts: it may yet start."""
    try:
        log = os.open(os.path.join(run_dir, LOG_NAME), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(log)


class Attached:
    """Follows a supervisor that a dead taskrun left, until it has nothing more to do and leaves.

    ``alive`` is what the last ``poll`` found. Once it is False, ``recover`` tells the rest.
    """

    def __init__(self, run_dir: str, keys: Collection[str] | None = None) -> None:
        self.alive = True
        self._run_dir = run_dir
        self._keys = keys
        self._log = AttemptsLog()
        self._file = os.open(os.path.join(run_dir, LOG_NAME), os.O_RDONLY)
        self._unseen: list[Ended] = []
        self._keeper_fd = self._open_keeper()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, timeout: float) -> list[Ended]:
        """What has ended since the last call; waits up to ``timeout`` seconds for something to end."""
        give_up = time.monotonic() + timeout
        while True:
            self.alive = is_held(self._run_dir)
            self._read()
            left = give_up - time.monotonic()
            if self._unseen or not self.alive or left <= 0:
                ended, self._unseen = self._unseen, []
                return ended
            self._wait(min(left, _LOOK_AGAIN))

    def stop(self, *, kill: bool = False) -> bool:
        """Ask the supervisor to end all its attempts, without grace if ``kill``. False: there is none to ask."""
        keeper = self._keeper()
        number = signal.SIGQUIT if kill else signal.SIGTERM
        return keeper is not None and linux.send(keeper.pid, keeper.starttime, number)

    def close(self) -> None:
        """Stop following; the supervisor does not care."""
        os.close(self._file)
        if self._keeper_fd is not None:
            os.close(self._keeper_fd)

    def _read(self) -> None:
        while data := os.read(self._file, 1 << 20):
            ended = self._log.feed(data)
            self._unseen += [one for one in ended if self._keys is None or one.key in self._keys]

    def _keeper(self) -> Keeper | None:
        self._read()
        keeper = self._log.keepers[-1] if self._log.keepers else None
        return keeper if keeper is not None and keeper.machine == linux.machine() else None

    def _open_keeper(self) -> int | None:
        keeper = self._keeper()
        try:
            return None if keeper is None else linux.open_pidfd(keeper.pid)
        except ProcessLookupError:
            return None

    def _wait(self, timeout: float) -> None:
        """Wait a little, or less if the supervisor leaves meanwhile."""
        if self._keeper_fd is None:
            time.sleep(timeout)
        else:
            select.select([self._keeper_fd], [], [], timeout)


def attach(run_dir: str, keys: Collection[str] | None = None) -> Attached:
    """Follow the living supervisor of a run, for the attempts ``keys`` or for all it ever had."""
    return Attached(run_dir, keys)
