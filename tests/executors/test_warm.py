"""Python attempts that are forked from a Python that is up: they are what a Python started for them would be, whoever is killed."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskrun.actions import python as action
from taskrun.executors import linux
from taskrun.executors.recovery import Lost, recover
from tests.executors.house import Client, House, is_running, until

CHILD = action._CHILD
TELL = "import os, sys; print(os.getpid(), os.getppid(), os.getsid(0)); print(sys.argv, os.getcwd(), os.environ.get('X'))"


def payload(code: str, folder: Path, **changes: Any) -> bytes:
    wanted = {"call": None, "code": code, "args": None, "folder": str(folder), "limit": 1000}
    data = json.dumps({**wanted, "value": str(folder / "value"), **changes}).encode()
    return b"%010d\n%b" % (len(data), data)


class Warm:
    """A house whose nursery is up."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.count = 0
        for _ in range(2):
            self.run("pass")
        until(lambda: self.nursery and self.spare)

    def spawn(self, code: str, key: str, **changes: Any) -> None:
        env = {**os.environ, **changes.pop("environment", {}), "TASKRUN_RUN_ID": self.house.run_id}
        spawn = self.house.spawn_of("", key, argv=[sys.executable, CHILD], warm=True)
        stdin = changes.pop("stdin", payload(code, self.house.dir))
        env["TASKRUN_IDEMPOTENCY_KEY"] = spawn.env["TASKRUN_IDEMPOTENCY_KEY"] or ""
        self.house.supervisor.spawn(spawn._replace(env=env, stdin=stdin, **changes))
        self.house.supervisor.flush()

    def run(self, code: str, **changes: Any) -> tuple[str, Any]:
        """What it printed, and how it ended."""
        self.count += 1
        key = f"task/{self.count}"
        self.spawn(code, key, **changes)
        ended = self.house.receive()[0]
        return self.house.out(key), ended

    @property
    def nursery(self) -> int:
        commands = {pid: linux.read_bytes(f"/proc/{pid}/cmdline") for pid in self.house.children()}
        found = [pid for pid, command in commands.items() if command.endswith(b"\0warm\0")]
        return found[0] if found else 0

    @property
    def spare(self) -> int:
        below = linux.descendants([self.nursery])
        idle = [found.pid for found in below.values() if found.session == self.nursery]
        return idle[0] if idle else 0


@pytest.fixture
def warm(house: House) -> Warm:
    return Warm(house)


def is_forked(said: str, warm: Warm) -> bool:
    return int(said.split()[1]) == warm.nursery


def test_it_is_forked_and_otherwise_like_one_that_was_started(warm: Warm) -> None:
    said, ended = warm.run(TELL, environment={"X": "x"}, cwd="/usr")
    assert (ended.status, ended.code) == ("exited", 0)
    assert is_forked(said, warm)
    cold, _ = warm.run(TELL, environment={"X": "x"}, cwd="/usr", warm=False)
    assert said.splitlines()[1] == cold.splitlines()[1]
    pid, _, session = map(int, said.splitlines()[0].split())
    assert pid == session
    names = (
        "import sys, os; print(sorted(os.environ), sys.path, sys.flags, sorted(os.listdir('/proc/self/fd')))"
    )
    assert warm.run(names)[0] == warm.run(names, warm=False)[0]


def test_each_is_a_process_of_its_own(warm: Warm) -> None:
    code = "import builtins, os; builtins.n = getattr(builtins, 'n', 0) + 1; print(os.getpid(), builtins.n)"
    said = [warm.run(code)[0].split() for _ in range(20)]
    assert {n for _, n in said} == {"1"}
    assert len({pid for pid, _ in said}) == 20


@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('bye')", 1, "bye\n"),
        ("raise KeyError('x')", 1, "KeyError: 'x'\n"),
        ("import atexit; atexit.register(print, 'late')", 0, "late\n"),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()", 0, "late\n"),
        ("import sys; sys.stdout.write('no newline')", 0, "no newline"),
        ("import os; os._exit(7)", 7, ""),
        ("import sys; print(sys.stdin.read())", 0, "more\n"),
        ("import subprocess; subprocess.run(['sh', '-c', 'echo $0 $TASKRUN_RUN_ID | cut -c1-2'])", 0, "sh\n"),
        ("import multiprocessing as m; m.get_context('fork').Process(target=print, args=(1,)).start()", 0, "1\n"),
    ],
)  # fmt: skip
def test_it_ends_as_a_python_ends(code: str, expected: int, said: str, warm: Warm) -> None:
    for is_warm in (True, False):
        stdin = payload(code, warm.house.dir) + b"more"
        out, ended = warm.run(code, warm=is_warm, stdin=stdin)
        assert (ended.status, ended.code) == ("exited", expected)
        assert out.endswith(said)


def test_a_kill_and_a_timeout_are_reported_as_of_any_other(warm: Warm) -> None:
    _, ended = warm.run("import os; os.kill(os.getpid(), 9)")
    assert (ended.status, ended.code) == ("signaled", 9)
    _, ended = warm.run("import time; time.sleep(600)", timeout=0.2)
    assert ended.timed_out
    said, ended = warm.run(
        "import signal, time; signal.signal(15, lambda *_: print('asked', flush=True)); time.sleep(600)",
        timeout=0.3,
        grace=0.2,
    )
    assert said == "asked\n"
    assert (ended.status, ended.code) == ("signaled", 9)


def test_what_it_leaves_is_ended(warm: Warm) -> None:
    said, _ = warm.run("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)")
    assert not is_running(int(said))


def test_many_at_once_are_each_reported_once(warm: Warm) -> None:
    for number in range(100):
        warm.spawn(f"import sys; sys.exit({number})", f"m/{number}")
    ended = warm.house.receive(100)
    assert {one.key: one.code for one in ended} == {f"m/{number}": number for number in range(100)}
    fds = len(os.listdir(f"/proc/{warm.house.supervisor.pid}/fd"))
    warm.run("pass")
    assert len(os.listdir(f"/proc/{warm.house.supervisor.pid}/fd")) <= fds
    assert warm.house.children() == [warm.nursery]


def test_what_python_reads_at_its_start_is_respected(warm: Warm) -> None:
    code = "import os, sys; print(os.getppid(), os.getppid(), sys.flags.utf8_mode)"
    said, _ = warm.run(code, environment={"PYTHONUTF8": "1"})
    assert not is_forked(said, warm)
    assert said.split()[2] == "1"


def test_its_output_is_masked(warm: Warm) -> None:
    warm.house.supervisor.mask([b"correct-horse"])
    said, _ = warm.run(TELL + "; print('a correct-horse')", masked=[])
    assert is_forked(said, warm)
    assert said.endswith("a ***\n")


def test_a_killed_nursery_loses_no_outcome_and_another_takes_its_place(warm: Warm) -> None:
    code = "import os, sys, time\nprint('up', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)\nsys.exit(5)"
    warm.spawn(code, "long/1")
    out = Path(warm.house.out_path("long/1"))
    until(lambda: out.exists() and out.read_text() == "up\n")
    first = warm.nursery
    os.kill(first, signal.SIGKILL)
    said, ended = warm.run(TELL)
    assert ended.code == 0
    (warm.house.dir / "go").touch()
    assert warm.house.receive()[0].code == 5
    until(lambda: warm.run("pass") and warm.nursery not in (0, first))
    until(lambda: is_forked(warm.run(TELL)[0], warm))


def test_a_killed_spare_is_replaced(warm: Warm) -> None:
    for _ in range(5):
        os.kill(until(lambda: warm.spare), signal.SIGKILL)
        assert warm.run("print(1)")[0] == "1\n"


def test_a_nursery_that_hangs_is_given_up(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    spare, nursery = until(lambda: warm.spare), warm.nursery
    os.kill(spare, signal.SIGSTOP)
    said, ended = warm.run(TELL)
    assert ended.code == 0
    assert int(said.split()[1]) != nursery
    until(lambda: not is_running(nursery))
    os.kill(spare, signal.SIGCONT)  # it finds nobody who lets it go
    until(lambda: not is_running(spare))


def test_all_of_it_ends_with_a_supervisor_that_is_killed_and_is_known_again(warm: Warm) -> None:
    warm.spawn("import os, time; print(os.getpid(), flush=True); time.sleep(600)", "long/1")
    out = Path(warm.house.out_path("long/1"))
    until(lambda: out.exists() and out.read_text().endswith("\n"))
    nursery, spare, pid = warm.nursery, until(lambda: warm.spare), int(out.read_text())
    warm.house.kill_supervisor()
    until(lambda: not is_running(nursery) and not is_running(spare))
    lost = recover(str(warm.house.dir), ["long/1"], grace=0.1)["long/1"]
    assert isinstance(lost, Lost)
    assert f"was ended: {pid} " in lost.message
    assert not is_running(pid)


def test_taskruns_death_changes_nothing(client: Callable[[str], Client], tmp_path: Path) -> None:
    stdin = payload("import time, os\nwhile not os.path.exists('go'): time.sleep(0.01)", tmp_path)
    one = client(
        "import sys\n"
        f"def warm(key, stdin): supervisor.spawn(Spawn(key, [sys.executable, {CHILD!r}], dict(os.environ), run_dir, stdin,"
        " run_dir + '/out', None, warm=True)); supervisor.flush()\n"
        f"quick = {payload('pass', tmp_path)!r}\n"
        "for n in range(3):\n    warm(f'q/{n}', quick); receive(); time.sleep(0.3)\n"
        f"warm('long/1', {stdin!r})\ntime.sleep(0.3)\nprint('up', flush=True)\ntime.sleep(600)\n"
    )
    assert one.line() == "up"
    one.kill()
    (one.dir / "go").touch()
    until(lambda: "ended long/1 exited 0" in (one.dir / "attempts.log").read_text())
