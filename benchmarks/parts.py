"""Parts of taskrun by themselves: the machine, the journal, and what looking at a run costs."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time

from bench import TASKRUN

SECONDS = 8
_TICKS = os.sysconf("SC_CLK_TCK")


def machine(bench):
    found = {}
    for count in (1_000, 10_000, 100_000):
        found[count] = bench.inside("machine.py", count)["microseconds"]
        bench.note(f"machine alone, {count:,} tasks in a line", found[count], "us an event", 15)
    bench.note("machine alone: 100,000 beside 1,000", found[100_000] / found[1_000], "x", 1.3)
    bench.curves["machine, us an event"] = found


def journal(bench):
    """In rounds of its own: both of one round see the same disk."""
    for per_commit in (2, 16):
        found = bench.inside("journal.py", per_commit, bench.folder, bench.rounds)
        ratio = found["journal"] / found["bare"]  # 1.25: four fifths of its speed
        bench.note(f"journal, {per_commit} transitions a commit, beside bare sqlite3", ratio, "x", 1.25)
    bench.note(
        "journal, commits a task in a line", bench.inside("commits.py", bench.folder)["commits"], "", 2
    )


def table(bench):
    """A thousand tasks, twenty changes a second: what a table costs more than lines."""
    tasks = [{"name": f"t{i}", "sleep": "50ms"} for i in range(1000)]
    path = bench.file("ticking.yaml", {"name": "ticking", "tasks": tasks})
    shares = {}
    for how in ("plain", "table"):
        with Terminal([TASKRUN, "run", path, "--jobs", "1", "-o", how], bench.env) as terminal:
            shares[how] = terminal.share()
    bench.note("live table of 1,000 tasks, of a core", 100 * (shares["table"] - shares["plain"]), "%", 5)


def watch(bench):
    tasks = [{"name": f"t{i}", "sleep": "50ms"} for i in range(10_000)]
    path = bench.file("many-ticking.yaml", {"name": "ticking", "tasks": tasks})
    subprocess.run([TASKRUN, "validate", path], env=bench.env, check=True, capture_output=True)
    with (
        Terminal([TASKRUN, "run", path, "--jobs", "1", "-o", "plain"], bench.env) as run,
        Terminal([TASKRUN, "states", "latest", "--watch"], bench.env, after=run) as terminal,
    ):
        bench.note("states --watch of 10,000 tasks, of a core", 100 * terminal.share(), "%", 3)


class Terminal:
    """A command in a terminal of 120 x 40 that nobody looks at."""

    def __init__(self, argv, env, after=None):
        if after is not None:
            time.sleep(5)  # until that one has begun
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            argv, env={**env, "TERM": "xterm-256color"}, stdin=side, stdout=side, stderr=side
        )
        os.close(side)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while os.read(self.main, 65536):
                pass
        except OSError:
            return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def share(self):
        """Of a core, once it is up."""
        time.sleep(3)
        before = self._cpu()
        time.sleep(SECONDS)
        return (self._cpu() - before) / SECONDS

    def _cpu(self):
        if self.process.poll() is not None:
            raise SystemExit(f"it ended too early: {self.process.args}")
        with open(f"/proc/{self.process.pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / _TICKS
