"""What never ran is reported as not started, with the reason in words; want of room is waited out."""

import errno
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.executors.house import ROOT, is_running, until


def not_started(ended, code, *words):
    assert (ended.status, ended.code) == ("not-started", code)
    for word in words:
        assert word in ended.message
    return True


def test_a_missing_program(house):
    assert not_started(house.run("", argv=["/nowhere/tool"]), errno.ENOENT, "'/nowhere/tool'", "No such file")


def test_a_program_that_is_in_no_directory_of_the_path(house):
    ended = house.run("", argv=["no-such-tool"], env={"PATH": "/bin:/usr/bin"})
    assert not_started(ended, errno.ENOENT, "'no-such-tool'", "not found in PATH (/bin:/usr/bin)")


def test_a_missing_interpreter_is_told_from_a_missing_program(house):
    tool = house.dir / "tool"
    tool.write_text("#!/nowhere/python\n")
    tool.chmod(0o755)
    assert not_started(house.run("", argv=["./tool"]), errno.ENOENT, "interpreter its first line names")


def test_a_file_that_may_not_be_executed(house):
    tool = house.dir / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o644)
    assert not_started(house.run("", argv=[str(tool)]), errno.EACCES, "Permission denied")
    ended = house.run("", "path/1", argv=["tool"], env={"PATH": str(house.dir)})
    assert not_started(ended, errno.EACCES, "Permission denied")


def test_a_file_that_is_no_program(house):
    tool = house.dir / "tool"
    tool.write_bytes(b"\x00\x01\x02nonsense")
    tool.chmod(0o755)
    assert not_started(house.run("", argv=[str(tool)]), errno.ENOEXEC, "not a program")


def test_arguments_too_long_for_the_system(house):
    assert not_started(house.run("", argv=["/bin/true", "x" * 200_000]), errno.E2BIG, "too long")


def test_an_empty_command(house):
    assert not_started(house.run("", argv=[]), errno.EINVAL, "empty command")


@pytest.mark.parametrize("argv", [["/bin/echo", "a\0b"], ["/bin/e\0cho"]])
def test_a_zero_byte_in_an_argument(house, argv):
    assert not_started(house.run("", argv=argv), errno.EINVAL, "null")


def test_a_name_that_the_environment_cannot_hold(house):
    assert not_started(house.run("true", env={"A=B": "c"}), errno.EINVAL, "environment variable name")


def test_a_missing_directory(house):
    ended = house.run("true", cwd="/nowhere/at/all")
    assert not_started(ended, errno.ENOENT, "the working directory '/nowhere/at/all' does not exist")


def test_a_directory_that_is_a_file(house):
    (house.dir / "file").write_text("")
    ended = house.run("true", cwd=str(house.dir / "file"))
    assert not_started(ended, errno.ENOTDIR, "cannot enter the working directory", "Not a directory")


def test_a_missing_input_file(house):
    ended = house.run("true", stdin=str(house.dir / "nothing"))
    assert not_started(ended, errno.ENOENT, "cannot read", "nothing", "No such file")


def test_an_output_file_in_a_missing_directory(house):
    ended = house.run("true", out=str(house.dir / "no" / "out"))
    assert not_started(ended, errno.ENOENT, "cannot write", "no/out")


def test_output_never_follows_a_link(house):
    (house.dir / "victim").write_text("untouched")
    (house.dir / "link").symlink_to(house.dir / "victim")
    ended = house.run("echo overwritten", out=str(house.dir / "link"))
    assert not_started(ended, errno.ELOOP, "cannot write")
    assert (house.dir / "victim").read_text() == "untouched"


def test_what_was_not_started_is_in_the_log_and_leaves_nothing_behind(house):
    house.run("", argv=["/nowhere/tool"])
    until(lambda: "ended task/1 not-started 2 -" in house.log())
    assert house.children() == []
    assert house.run("true", "next/1").code == 0


def test_a_program_still_being_written_is_waited_for(house):
    tool = house.dir / "tool"
    tool.write_text("#!/bin/sh\necho ran\n")
    tool.chmod(0o755)
    with tool.open("a"):
        house.spawn("", argv=[str(tool)])
        until(lambda: "starting" in house.log())
        assert house.supervisor.receive() == []
    assert house.receive()[0].code == 0
    assert house.out() == "ran\n"


def test_what_waits_for_room_can_be_stopped(house):
    tool = house.dir / "tool"
    tool.write_text("#!/bin/sh\necho ran\n")
    tool.chmod(0o755)
    with tool.open("a"):
        house.spawn("", argv=[str(tool)])
        until(lambda: "starting" in house.log())
        house.supervisor.stop("task/1")
        ended = house.receive()[0]
    assert not_started(ended, 0, "stopped before there was room")
    assert ended.stopped
    assert not os.path.exists(house.out_path()) or house.out() == ""


NO_ROOM = """
import ctypes, os, resource, select, sys
sys.path.insert(0, {root!r})
from taskrun.executors import supervisor  # while it may still be read
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Spawn
os.setgid({uid}); os.setuid({uid})
run_dir = sys.argv[1]
supervisor = Supervisor.start(run_dir)
hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
resource.prlimit(supervisor.pid, resource.RLIMIT_NPROC, (int(sys.argv[2]), hard))
for number in range(12):
    out = f"{{run_dir}}/{{number}}.out"
    supervisor.spawn(Spawn(f"t{{number}}/1", ["/bin/sleep", "0.05"], {{}}, "/", None, out, None))
ended = []
supervisor.flush()
while len(ended) < 12:
    select.select([supervisor], [], [])
    ended += supervisor.receive()
print(sorted(set((one.status, one.code) for one in ended)))
supervisor.close(wait=True)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="counts the processes of a user nobody else uses")
def test_want_of_processes_is_waited_out_and_is_nobodys_failure():
    uid = 54321
    with tempfile.TemporaryDirectory() as run_dir:  # where another user can get at it
        os.chown(run_dir, uid, uid)
        script = NO_ROOM.format(root=str(ROOT), uid=uid)
        # Two for the client and the supervisor, two for attempts.
        done = subprocess.run([sys.executable, "-c", script, run_dir, "4"], capture_output=True, timeout=60)
        log = Path(run_dir, "attempts.log").read_text()
    assert done.stdout.decode() == "[('exited', 0)]\n", done.stderr.decode()
    assert log.count("\nstarting") == 12


def test_nothing_is_started_that_cannot_be_written_down(house):
    house.run("true", "warm/1")
    until(lambda: "ended" in house.log())
    size = os.stat(house.dir / "attempts.log").st_size
    hard = resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE, (size + 5, hard))
    ended = house.run("echo ran", "late/1")
    assert not_started(ended, 0, "cannot be written", "disk full")
    resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE, (hard, hard))
    until(lambda: "ended late/1 not-started" in house.log())
    assert "starting late/1" in house.log()
    assert not os.path.exists(house.out_path("late/1"))


def test_a_full_disk_holds_back_lines_not_reports(house):
    os.mkfifo(house.dir / "gate")
    house.spawn("read x < gate; exit 4")
    until(lambda: "began" in house.log())
    size = os.stat(house.dir / "attempts.log").st_size
    hard = resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE, (size + 5, hard))
    (house.dir / "gate").write_text("go\n")
    assert house.receive()[0].code == 4
    until(lambda: house.log().endswith("\nended"))  # torn in the middle
    house.supervisor.close(wait=False)
    time.sleep(0.1)
    assert is_running(house.supervisor.pid), "it may not leave before its last line is written"
    resource.prlimit(house.supervisor.pid, resource.RLIMIT_FSIZE, (hard, hard))
    until(lambda: not is_running(house.supervisor.pid))
    assert "ended task/1 exited 4" in house.log()
