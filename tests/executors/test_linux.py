"""Reading ``/proc`` and signalling by identity, also where Python was built without the newer calls."""

import os
import signal
import subprocess

import pytest

from taskrun.executors import linux
from tests.executors.house import until


@pytest.fixture
def sleeper():
    with subprocess.Popen(["/bin/sleep", "600"], env={"NAME": "a value=b", "OTHER": ""}) as process:
        yield process
        process.kill()


def test_a_name_with_blanks_and_parentheses_does_not_confuse_the_rest(tmp_path):
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "600"]) as process:
        found = linux.process(process.pid)
        process.kill()
    assert (found.pid, found.parent, found.session) == (process.pid, os.getpid(), os.getsid(0))


def test_a_start_time_lies_between_the_clock_before_and_after():
    for _ in range(30):
        before = linux.ticks()
        with subprocess.Popen(["/bin/true"]) as process:
            after = linux.ticks()
            assert before <= linux.process(process.pid).starttime <= after


def test_no_such_process_is_none():
    assert linux.process(2**22 + 1) is None
    assert linux.environment(2**22 + 1) == {}
    assert linux.command(2**22 + 1) == ""
    assert linux.describe(2**22 + 1) == str(2**22 + 1)


def test_the_dead_are_gone_even_before_they_are_reaped():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    found = linux.process(pid)
    assert found.is_gone
    assert linux.send(pid, found.starttime, signal.SIGKILL) is False
    os.waitpid(pid, 0)


def test_an_environment_is_read_as_it_was_given(sleeper):
    until(lambda: linux.environment(sleeper.pid) == {"NAME": "a value=b", "OTHER": ""})


def test_a_long_command_is_cut(sleeper):
    until(lambda: linux.command(sleeper.pid) == "/bin/sleep 600")  # set a moment after the program is loaded
    assert linux.command(sleeper.pid, 10) == "/bin/sl..."


@pytest.mark.parametrize("has_list", [True, False])
def test_children_are_found_with_and_without_the_kernels_list(sleeper, has_list):
    fd = linux.open_children(os.getpid()) if has_list else None
    assert sleeper.pid in linux.read_children(fd, os.getpid())
    if fd is not None:
        os.close(fd)


def test_more_children_than_fit_in_a_page_are_all_found():
    pids = {os.posix_spawn("/bin/true", ["true"], {}) for _ in range(1500)}
    fd = linux.open_children(os.getpid())
    assert pids <= set(linux.read_children(fd, os.getpid()))
    os.close(fd)
    for pid in pids:
        os.waitpid(pid, 0)


def test_signals_reach_the_process_meant_on_a_python_without_pidfd_calls(sleeper, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    monkeypatch.delattr(signal, "pidfd_send_signal")
    born = linux.process(sleeper.pid).starttime
    assert linux.send(sleeper.pid, born + 1, signal.SIGKILL) is False
    assert linux.send(sleeper.pid, born, signal.SIGTERM) is True
    assert sleeper.wait(10) == -signal.SIGTERM
    assert linux.send(sleeper.pid, born, signal.SIGTERM) is False
