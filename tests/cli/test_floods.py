"""Output without measure and without manners: memory stays flat, every byte is kept, and the terminal obeys none of it."""

import os
import pathlib
import subprocess
import sys

import pytest

from tests.command import Taskrun

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory from /proc")

MILLION = 1_000_000
SIZE = 200 * MILLION
FLAT = 100 * 1024  # kB: a run without output takes about a third

FLOODS = {
    "without a newline": "head -c {size} /dev/zero | tr '\\0' x",
    "of zeros": "head -c {size} /dev/zero",
    "of bytes that are no text": "head -c {size} /dev/urandom",
    "of empty lines": "head -c {size} /dev/zero | tr '\\0' '\\n'",
}


def peaks(process: subprocess.Popen[str]) -> int:
    """The most memory that taskrun, or its supervisor, has had so far, in kB."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        family = [process.pid, *map(int, file.read().split())]
    assert len(family) > 1  # the supervisor
    most = 0
    for pid in family:
        with open(f"/proc/{pid}/status") as file:
            most = max(most, *(int(line.split()[1]) for line in file if line.startswith("VmHWM")))
    return most


def output_of(taskrun: Taskrun, task: str) -> pathlib.Path:
    files = [path for path in taskrun.home.rglob("*") if path.is_file() and path.name.startswith(f"{task}.")]
    return max(files, key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_kept_whole_and_takes_no_memory(taskrun: Taskrun, flood: str) -> None:
    command = FLOODS[flood].format(size=SIZE)
    text = f"""
name: flooded
tasks:
  - name: flood
    run: |
      {command}
      touch done; until [ -e go ]; do sleep 0.02; done
    revert: none
  - {{name: after, run: echo after, revert: none}}
"""
    process = taskrun.start("run", taskrun.file(text), "-o", "plain")
    while not (taskrun.folder / "done").exists():
        assert process.poll() is None, process.communicate()
    most = peaks(process)
    (taskrun.folder / "go").touch()
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    assert most < FLAT
    assert len(out) < 10_000
    assert output_of(taskrun, "flood").stat().st_size == SIZE


def test_looking_at_a_flood_takes_no_memory_either(taskrun: Taskrun) -> None:
    text = f"name: flooded\ntasks:\n  - {{name: flood, run: 'head -c {SIZE} /dev/urandom', revert: none}}\n"
    assert taskrun("run", taskrun.file(text)).code == 0
    limited = [sys.executable, "-c", LIMITED, "logs", "latest", "flood"]
    with open(os.devnull, "wb") as nowhere:
        done = subprocess.run(
            limited, env=taskrun.env, cwd=taskrun.folder, stdout=nowhere, stderr=subprocess.PIPE
        )
    assert done.returncode == 0, done.stderr


LIMITED = f"""
import sys
from taskrun.cli.main import main
code = main(sys.argv[1:])
with open("/proc/self/status") as file:  # what getrusage says holds for the process before its exec as well
    peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
sys.exit(code if peak < {FLAT} else f"it took {{peak}} kB")
"""
