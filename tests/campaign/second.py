"""Asks a thousand times for a run that another process drives: each must be refused with exit code 5, and at once.

    python -m tests.campaign.second --times 1000 --real 50

`--times` counts calls of the command inside this process, `--real` those of the real command, whose time is its start-up
above all. The limit is 100 ms for the answer itself. Exit code 1 when one was not refused, or too late.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time

from taskrun.cli.main import main as command
from tests.crash.fork_server import ROOT

HELD, LIMIT = 5, 0.1
WORKFLOW = """
name: held
tasks:
  - {name: a, run: 'until [ -e go ]; do sleep 0.05; done', revert: none}
"""


def asked(arguments: list[str]) -> tuple[int, float]:
    began = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        code = command(arguments)
    return code, time.perf_counter() - began


def asked_for_real(arguments: list[str]) -> tuple[int, float]:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "taskrun", *arguments], capture_output=True, check=False)
    return done.returncode, time.perf_counter() - began


def tell(name: str, answers: list[tuple[int, float]], limit: float | None) -> bool:
    refused = sum(code == HELD for code, _ in answers)
    times = sorted(took * 1000 for _, took in answers)
    late = sum(took > limit for _, took in answers) if limit else 0
    print(
        f"{name}: {refused:,} of {len(answers):,} refused with {HELD};"
        f" median {times[len(times) // 2]:.1f} ms, slowest {times[-1]:.1f} ms"
        + (f"; {late:,} later than {limit * 1000:.0f} ms" if limit else "")
    )
    return refused == len(answers) and not late


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--real", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="taskrun-second-") as place:
        os.chdir(place)
        os.environ.update(TASKRUN_HOME=f"{place}/home", PYTHONPATH=str(ROOT))
        with open("held.yaml", "w") as file:
            file.write(WORKFLOW)
        holder = subprocess.Popen(
            [sys.executable, "-m", "taskrun", "run", "held.yaml", "-o", "ndjson"], stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        holder.stdout.readline()
        verbs = (["resume"], ["revert"])
        asked(verbs[0])  # the first one imports what the real command imports below
        held = tell("in this process", [asked(verbs[n % 2]) for n in range(given.times)], LIMIT)
        if given.real:
            answers = [asked_for_real(verbs[n % 2]) for n in range(given.real)]
            held &= tell("the real command, its start-up included", answers, None)
        with open("go", "w"):
            pass
        holder.communicate()
        held &= holder.returncode == 0
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
