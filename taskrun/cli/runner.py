"""Whether what is printed here goes to the runner of GitHub Actions and to nobody else.

Secrets are told to the runner, so that it masks them (``::add-mask::``). In ``taskrun run ... | tee log`` the same line would be
kept in a file: so our standard output has to be that of every process between the runner and us.
"""

import os
import stat
from collections.abc import Iterator

_RUNNER = "Runner."  # Runner.Worker starts the steps
_DEEPEST = 100


def is_listening() -> bool:
    """Anything that cannot be seen for certain is a no."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return False
    try:
        own = os.fstat(1)
        return stat.S_ISFIFO(own.st_mode) and all(
            os.path.samestat(own, os.stat(f"/proc/{pid}/fd/1")) for pid in _between()
        )
    except (OSError, ValueError):
        return False


def _between() -> Iterator[int]:
    """The processes above us, up to the runner; in a container up to the first there is."""
    pid = os.getppid()
    for _ in range(_DEEPEST):
        if pid <= 0:
            return
        name, parent = _name_and_parent(pid)
        if name.startswith(_RUNNER):
            return
        yield pid
        pid = parent
    raise ValueError("no end of processes")


def _name_and_parent(pid: int) -> tuple[str, int]:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        text = file.read()
    name, _, rest = text.partition("(")[2].rpartition(")")
    return name, int(rest.split()[1])
