"""Makes a journal with runs in every standing, to be kept as test data: ``python -m tests.journal.make_saved``.

To be run once for each version of the tables, right before that version is left: what an older taskrun has written is
test data for ever. The runs name no file or folder but ``/tmp`` and ``$WORLD``, so that they can be gone on with anywhere.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable

from taskrun.journal import migrations
from taskrun.version import __version__

DATA = pathlib.Path(__file__).parent / "data"
PLACE = "/tmp"  # noqa: S108 - the one folder that is everywhere; nothing is written there but the workflow files

# What waits does so in `do` or `undo` until the world has a file `go`.
FILES = {
    "suspended": """name: suspended
on_failure: stop
inputs: {who: acme, sizes: {type: list, default: [1, 2]}}
tasks:
  - {name: first, run: 'echo "first ${{ inputs.who }}" >> "$WORLD/log"; echo id=42 >> "$TASKRUN_OUTPUT"', revert: 'echo undo first >> "$WORLD/log"'}
  - name: grow
    for_each: ${{ inputs.sizes }}
    run: echo grow ${{ item }} >> "$WORLD/log"
    revert: echo undo grow ${{ item }} >> "$WORLD/log"
  - savepoint: grown
  - name: mirrors
    retry: {for_each: [a, b]}
    tasks:
      - {name: fetch, run: 'echo fetch ${{ retry.value }} >> "$WORLD/log"; test ${{ retry.value }} = b', revert: 'echo undo fetch >> "$WORLD/log"'}
  - {name: maybe, if: inputs.who == 'nobody', run: 'false', revert: none}
  - {name: last, run: 'echo "last ${{ tasks.first.outputs.id }}" >> "$WORLD/log"; test -e "$WORLD/go"', revert: 'echo undo last >> "$WORLD/log"'}
""",
    "interrupted": """name: interrupted
tasks:
  - {name: first, run: 'echo first >> "$WORLD/log"', revert: 'echo undo first >> "$WORLD/log"'}
  - name: hangs
    run: |
      echo hangs >> "$WORLD/log"
      while [ ! -e "$WORLD/go" ]; do sleep 0.05; done
    revert: echo undo hangs >> "$WORLD/log"
  - {name: last, run: 'echo last >> "$WORLD/log"', revert: none}
""",
    "asked": """name: asked
tasks:
  - {name: first, run: 'echo first >> "$WORLD/log"', revert: 'echo undo first >> "$WORLD/log"'}
  - {name: sure, approve: 'Are you sure?'}
  - {name: last, run: 'echo last >> "$WORLD/log"', revert: 'echo undo last >> "$WORLD/log"'}
""",
    "done": """name: done
tasks:
  - {name: first, run: 'echo first >> "$WORLD/log"', revert: 'echo undo first >> "$WORLD/log"'}
  - {name: last, run: 'echo last >> "$WORLD/log"', revert: 'echo undo last >> "$WORLD/log"'}
""",
    "stuck": """name: stuck
tasks:
  - {name: first, run: 'echo first >> "$WORLD/log"', revert: 'echo undo first >> "$WORLD/log"'}
  - {name: second, run: 'echo second >> "$WORLD/log"', revert: {run: 'echo undo second >> "$WORLD/log"; test -e "$WORLD/go"', retry: {attempts: 1}}}
  - {name: bad, fail: on purpose}
""",
    "undoing": """name: undoing
tasks:
  - {name: first, run: 'echo first >> "$WORLD/log"', revert: 'echo undo first >> "$WORLD/log"'}
  - name: second
    run: echo second >> "$WORLD/log"
    revert: |
      echo undo second >> "$WORLD/log"
      while [ ! -e "$WORLD/go" ]; do sleep 0.05; done
  - {name: bad, fail: on purpose}
""",
}
KILLED_WHEN = {"interrupted": "hangs", "undoing": "undo second"}


def make(archive: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home, world = pathlib.Path(scratch, "home"), pathlib.Path(scratch, "world")
        world.mkdir()
        for name, text in FILES.items():
            _run(name, text, home, world)
        with tarfile.open(archive, "w:xz") as tar:
            tar.add(home, arcname="home", filter=_nobody)


def _run(name: str, text: str, home: pathlib.Path, world: pathlib.Path) -> None:
    path = pathlib.Path(PLACE, f"taskrun-saved-{name}.yaml")
    path.write_text(text)
    log = world / "log"
    log.unlink(missing_ok=True)
    env = {**os.environ, "TASKRUN_HOME": str(home), "WORLD": str(world)}
    process = subprocess.Popen(
        [sys.executable, "-m", "taskrun", "run", "-j", "1", str(path)], env=env, start_new_session=True
    )
    if name in KILLED_WHEN:
        _await(lambda: log.exists() and KILLED_WHEN[name] in log.read_text().splitlines())
        for pid in [process.pid, *_of_run(home, world)]:
            os.kill(pid, signal.SIGKILL)
    process.wait()
    path.unlink()


def _of_run(home: pathlib.Path, world: pathlib.Path) -> list[int]:
    """The supervisor first, then the tasks: all that have this world in their environment."""
    found = []
    for each in pathlib.Path("/proc").iterdir():
        try:
            if each.name.isdigit() and f"WORLD={world}\0".encode() in (each / "environ").read_bytes():
                found.append(int(each.name))
        except OSError:
            continue
    return sorted(found)


def _await(come: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not come():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


def _nobody(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Whose they were does not matter, nor what SQLite and taskrun make anew."""
    if info.name.split("/")[1:2] in (["cache"], ["reserve"], ["journal.db-shm"]):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    make(DATA / f"{__version__}-tables-{migrations.VERSION}.tar.xz")
