"""Locks between real processes."""

import fcntl
import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from taskrun.errors import HeldError, JournalError
from taskrun.journal.lock import NamedLock, RunLock, holder, this_process
from tests.journal.samples import start_python

HOLD = """
import sys
from taskrun.journal.lock import RunLock, this_process
lock = RunLock(sys.argv[1]).acquire(this_process("taskrun run deploy.yaml"))
print("held", flush=True)
sys.stdin.readline()
"""


def note_in(run_dir):
    return Path(run_dir, "lock").read_text()


@pytest.fixture
def run_dir(tmp_path):
    path = tmp_path / "runs" / "abc"
    path.mkdir(parents=True)
    return str(path)


@pytest.fixture
def other(run_dir):
    """A process that holds the run's lock until its input ends."""
    process = start_python(HOLD, run_dir)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_run_nobody_drives_has_no_holder(run_dir):
    assert holder(run_dir) is None
    assert holder(f"{run_dir}/missing") is None
    assert os.listdir(run_dir) == []


def test_a_held_lock_is_refused_at_once_with_who_when_and_what(run_dir, other):
    started = time.monotonic()
    with pytest.raises(HeldError) as caught:
        RunLock(run_dir).acquire({})
    assert time.monotonic() - started < 0.1
    error = caught.value
    assert error.exit_code == 5
    assert error.holder["pid"] == other.pid
    assert error.message.startswith(
        f"run abc is held by process {other.pid} on {os.uname().nodename} since 20"
    )
    assert error.message.endswith("Z (taskrun run deploy.yaml)")


def test_the_holder_is_told_without_disturbing_it(run_dir, other):
    found = holder(run_dir)
    assert found["pid"] == other.pid
    assert found["host"] == os.uname().nodename
    assert found["command"] == "taskrun run deploy.yaml"
    assert abs(found["since"] - time.time()) < 60


def test_a_killed_holder_frees_the_lock_and_its_note_is_not_believed(run_dir, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert json.loads(note_in(run_dir))["pid"] == other.pid
    assert holder(run_dir) is None
    with RunLock(run_dir).acquire(this_process("taskrun resume")) as lock:
        assert lock.held
        assert holder(run_dir)["pid"] == os.getpid()
    assert not lock.held
    assert holder(run_dir) is None


def test_a_released_lock_can_be_taken_again(run_dir):
    for turn in range(3):
        lock = RunLock(run_dir).acquire({"pid": turn})
        assert holder(run_dir) == {"pid": turn}
        lock.release()
        lock.release()


def test_the_same_process_cannot_take_it_twice(run_dir):
    with RunLock(run_dir).acquire({"pid": 1}), pytest.raises(HeldError):
        RunLock(run_dir).acquire({"pid": 1})


def test_a_child_process_does_not_inherit_the_lock(run_dir):
    lock = RunLock(run_dir).acquire({})
    child = start_python("print('up', flush=True); input()", close_fds=False)
    assert child.stdout.readline() == "up\n"
    lock.release()
    RunLock(run_dir).acquire({}).release()
    child.communicate("\n")


def test_somebody_asking_who_holds_it_does_not_make_an_acquire_fail(run_dir):
    RunLock(run_dir).acquire({}).release()
    code = """
import fcntl, os, sys, time
fd = os.open(sys.argv[1] + "/lock", os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_SH)
print("asking", flush=True)
time.sleep(0.05)
"""
    process = start_python(code, run_dir)
    assert process.stdout.readline() == "asking\n"
    RunLock(run_dir).acquire({}).release()
    process.communicate()


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[1]", b"\xff\xfe", b'{"pid": "x", "since": "y"}', b"{" * 100_000]
)
def test_an_unreadable_note_still_means_held(run_dir, note):
    with open(f"{run_dir}/lock", "wb") as file:
        file.write(note)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        assert isinstance(holder(run_dir), dict)
        with pytest.raises(HeldError, match="run abc is held by"):
            RunLock(run_dir).acquire({})


def test_the_note_is_replaced_and_private(run_dir):
    RunLock(run_dir).acquire({"command": "x" * 5000}).release()
    with RunLock(run_dir).acquire({"pid": 1}):
        assert note_in(run_dir) == '{"pid": 1}'
    assert stat.S_IMODE(os.stat(f"{run_dir}/lock").st_mode) == 0o600


def test_a_lock_file_that_was_removed_does_not_let_two_in(run_dir):
    first = RunLock(run_dir).acquire({"pid": 1})
    os.unlink(f"{run_dir}/lock")
    second = RunLock(run_dir).acquire({"pid": 2})
    assert holder(run_dir) == {"pid": 2}
    first.release()
    with pytest.raises(HeldError):
        RunLock(run_dir).acquire({"pid": 3})
    second.release()


def test_a_symbolic_link_is_not_followed(run_dir, tmp_path):
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", f"{run_dir}/lock")
    with pytest.raises(JournalError, match="cannot lock"):
        RunLock(run_dir).acquire({"pid": 1})
    with pytest.raises(JournalError, match="cannot read"):
        holder(run_dir)
    assert (tmp_path / "victim").read_text() == "precious"


def test_a_missing_run_directory_is_an_error_with_its_path(tmp_path):
    with pytest.raises(JournalError, match=f"{tmp_path}/nowhere/lock"):
        RunLock(f"{tmp_path}/nowhere").acquire({})


def test_a_full_disk_does_not_keep_anybody_from_locking(small_disk):
    disk = small_disk(16)
    with open(f"{disk}/lock", "w"), open(f"{disk}/filler", "wb", buffering=0) as filler:
        with pytest.raises(OSError):
            while True:
                filler.write(b"x" * 512)
        with RunLock(disk).acquire(this_process("taskrun resume")):
            assert holder(disk) is not None
            with pytest.raises(HeldError):
                RunLock(disk).acquire({})


def test_named_locks_exclude_by_name_whatever_the_name(home):
    os.mkdir(home)
    names = ["deploy", "Deploy", "../../etc/passwd", "a" * 1000, "é\n", "\udce9"]
    locks = [NamedLock(home, name).acquire({"pid": number}) for number, name in enumerate(names)]
    assert len(os.listdir(f"{home}/locks")) == len(names)
    for number, name in enumerate(names):
        with pytest.raises(HeldError) as caught:
            NamedLock(home, name).acquire({})
        assert caught.value.message.startswith(f"lock {name!r} is held by")
        assert caught.value.holder == {"pid": number}
    for lock in locks:
        lock.release()


def test_of_many_that_race_for_a_lock_one_gets_it(run_dir):
    code = HOLD.replace("lock =", "sys.stdin.readline(); lock =").replace(
        "import sys", "import sys; print('up', flush=True)"
    )
    racers = [start_python(code, run_dir) for _ in range(6)]
    for racer in racers:
        assert racer.stdout.readline() == "up\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    winners = 0
    for racer in racers:
        if racer.stdout.readline() == "held\n":
            winners += 1
    for racer in racers:
        _, err = racer.communicate("\n")
        assert racer.returncode == 0 or "HeldError" in err
    assert winners == 1
