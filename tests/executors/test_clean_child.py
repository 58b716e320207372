"""What a started program inherits: three descriptors, default signals, the user's umask, a session of its own."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.executors.house import ROOT, House, until


def test_a_program_sees_three_descriptors(build):
    with socket.socket() as inherited:
        os.set_inheritable(inherited.fileno(), True)
        house = build()
        house.run("", argv=[sys.executable, "-I", "-c", "import os; print(os.listdir('/proc/self/fd'))"])
    assert house.out() == "['0', '1', '2', '3']\n"  # 3 is the listing itself


def test_the_supervisor_holds_nothing_of_taskruns(build, tmp_path):
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        house = build()
        house.run("true")
        fds = f"/proc/{house.supervisor.pid}/fd"
        links = [os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds)]
    assert [os.readlink(f"{fds}/{fd}") for fd in "012"] == ["/dev/null"] * 3
    rest = sorted(link.partition(":")[0] for link in links if link != "/dev/null")
    log = str(house.dir / "attempts.log")
    children = f"/proc/{house.supervisor.pid}/task/{house.supervisor.pid}/children"
    assert rest == sorted([log, children, "anon_inode", "anon_inode", "socket"])


def test_signals_are_as_after_a_login(build):
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
    try:
        house = build()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGUSR1, before[0])
        signal.signal(signal.SIGHUP, before[1])
    house.run("", argv=["/bin/cat", "/proc/self/status"])
    masks = dict(line.split(":\t") for line in house.out().splitlines() if line.startswith("Sig"))
    internal = 0b11 << 31  # two that the C library keeps for threads, and ignores in what it spawns
    assert [int(masks[name], 16) & ~internal for name in ("SigBlk", "SigIgn", "SigCgt")] == [0, 0, 0]


def test_the_umask_is_the_users(build):
    before = os.umask(0o027)
    try:
        house = build()
    finally:
        os.umask(before)
    house.run("umask; touch made")
    assert int(house.out(), 8) == 0o027
    assert os.stat(house.dir / "made").st_mode & 0o777 == 0o640


def test_a_program_leads_a_session_without_a_terminal(house):
    house.run(
        "", argv=[sys.executable, "-I", "-c", "import os; print(os.getsid(0) == os.getpid() == os.getpgrp())"]
    )
    assert house.out() == "True\n"
    assert house.run(": < /dev/tty", "tty/1").code != 0


def test_no_program_keeps_the_lock_of_the_log(house):
    os.mkfifo(house.dir / "gate")
    house.spawn("echo up > up; read x < gate")
    house.wait_for_file("up")
    pids = [pid for pid in house.children() if pid != house.supervisor.pid]
    assert pids
    for pid in pids:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not [link for link in links if link.endswith("attempts.log")]
    (house.dir / "gate").write_text("go\n")
    house.receive()


def test_the_supervisor_is_out_of_reach_of_the_terminal(house):
    house.run("true")
    assert os.getsid(house.supervisor.pid) == house.supervisor.pid
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        os.kill(house.supervisor.pid, number)
    assert house.run("true", "after/1").code == 0


SHORT_LIVED = """
import sys
sys.path.insert(0, {root!r})
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Spawn
supervisor = Supervisor.start(sys.argv[1])
out = sys.argv[1] + "/out"
argv = ["/bin/sh", "-c", "echo up > up; read x < gate"]
supervisor.spawn(Spawn("t/1", argv, {{}}, sys.argv[1], None, out, None))
supervisor.flush()
open(sys.argv[1] + "/up").read()
print("bye")
supervisor.close(wait=False)
"""


@pytest.mark.parametrize("closed", ["", "<&-", ">&- 2>&-"])
def test_the_users_pipe_ends_with_taskrun_not_with_the_supervisor(tmp_path, closed):
    os.mkfifo(tmp_path / "gate")
    os.mkfifo(tmp_path / "up")
    script = tmp_path / "script.py"
    script.write_text(SHORT_LIVED.format(root=str(ROOT)))
    command = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    assert done.stdout == (b"" if ">&-" in closed else b"bye\n"), done.stderr
    assert "ended" not in (tmp_path / "attempts.log").read_text()
    (tmp_path / "gate").write_text("go\n")
    until(lambda: "ended t/1 exited 0" in (tmp_path / "attempts.log").read_text())


def test_it_starts_in_a_process_that_ignores_the_death_of_children(tmp_path):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        house = House(tmp_path)
        assert house.run("exit 3").code == 3
    finally:
        signal.signal(signal.SIGCHLD, before)
        house.supervisor.close(wait=True)
