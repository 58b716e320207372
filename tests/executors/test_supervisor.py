"""What taskrun sees of its supervisor while all goes well."""

import os
import time

import pytest

from taskrun.errors import HeldError
from taskrun.executors.client import Supervisor
from tests.executors.house import is_running, until


def test_an_exit_code_is_reported_with_the_key(house):
    ended = house.run("exit 3", "fetch/2")
    assert (ended.key, ended.status, ended.code) == ("fetch/2", "exited", 3)
    assert not ended.timed_out
    assert not ended.stopped
    assert ended.message == ""
    assert abs(ended.at - time.time()) < 60


def test_a_deadly_signal_is_reported_by_its_number(house):
    ended = house.run("kill -9 $$")
    assert (ended.status, ended.code) == ("signaled", 9)


def test_both_streams_go_to_one_file_in_the_order_written(house):
    house.run("echo one; echo two >&2; echo three")
    assert house.out() == "one\ntwo\nthree\n"


def test_streams_can_be_kept_apart(house):
    house.run("echo one; echo two >&2", err=str(house.dir / "err"))
    assert house.out() == "one\n"
    assert (house.dir / "err").read_text() == "two\n"


def test_a_second_attempt_appends_to_the_same_file(house):
    house.run("echo one", "task/1")
    house.run("echo two", "task/2", out=house.out_path("task/1"))
    assert house.out("task/1") == "one\ntwo\n"


def test_output_files_are_for_the_owner_only(house):
    house.run("echo secret")
    assert os.stat(house.out_path()).st_mode & 0o777 == 0o600
    assert os.stat(house.dir / "attempts.log").st_mode & 0o777 == 0o600


def test_input_comes_from_a_file(house):
    (house.dir / "in").write_bytes(b"from the file\0")
    house.run("cat", stdin=str(house.dir / "in"))
    assert house.out() == "from the file\0"


def test_without_an_input_file_there_is_nothing_to_read(house):
    assert house.run("read x && exit 1; exit 0").code == 0


def test_an_attempt_runs_in_its_directory(house):
    (house.dir / "sub").mkdir()
    house.run("pwd -P", cwd=str(house.dir / "sub"))
    assert house.out() == f"{os.path.realpath(house.dir / 'sub')}\n"


def test_a_directory_that_was_made_anew_is_the_new_one(house):
    where = house.dir / "sub"
    where.mkdir()
    house.run("true", "a/1", cwd=str(where))
    where.rmdir()
    where.mkdir()
    house.run("touch here", "a/2", cwd=str(where))
    assert (where / "here").exists()


def test_the_supervisor_stays_in_no_directory_of_the_user(house):
    house.run("true")
    assert os.readlink(f"/proc/{house.supervisor.pid}/cwd") == "/"


def test_a_program_is_looked_up_in_the_path_of_the_attempt(house):
    tool = house.dir / "bin" / "own-tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found $1\n")
    tool.chmod(0o755)
    spawn = house.spawn_of("", argv=["own-tool", "it"], env={"PATH": f"/nowhere:{tool.parent}"})
    house.supervisor.spawn(spawn)
    assert house.receive()[0].code == 0
    assert house.out() == "found it\n"


def test_a_relative_program_is_found_from_the_directory_of_the_attempt(house):
    tool = house.dir / "tool"
    tool.write_text("#!/bin/sh\necho here\n")
    tool.chmod(0o755)
    assert house.run("", argv=["./tool"]).code == 0
    assert house.out() == "here\n"


def test_an_environment_is_complete_unless_it_inherits(house):
    house.run("env", "a/1", env={"ONLY": "this"})
    names = {line.partition("=")[0] for line in house.out("a/1").splitlines()}
    assert "ONLY" in names
    assert names <= {"ONLY", "PWD", "OLDPWD", "SHLVL", "_"}


def test_an_inherited_environment_can_be_added_to_and_taken_from(house):
    house.supervisor.set_environment({"PATH": os.environ["PATH"], "KEPT": "k", "CHANGED": "old", "GONE": "g"})
    env = {"CHANGED": "new", "GONE": None, "MORE": "m"}
    house.run('echo "$KEPT $CHANGED ${GONE-none} $MORE"', env=env, inherit=True)
    assert house.out() == "k new none m\n"


def test_the_first_environment_to_inherit_is_the_one_at_the_start(build, monkeypatch):
    monkeypatch.setenv("TASKRUN_TEST_START", "here")
    house = build()
    house.run('echo "$TASKRUN_TEST_START"', env={}, inherit=True)
    assert house.out() == "here\n"


def test_bytes_that_are_no_text_survive_in_arguments_and_environment(house):
    odd = os.fsdecode(b"\xff\xfe caf\xc3\xa9")
    env = {"ODD": odd, "PATH": os.environ["PATH"]}
    house.run("", argv=["/bin/sh", "-c", 'printf %s "$1$ODD"', "sh", odd], env=env)
    with open(house.out_path(), "rb") as file:
        assert file.read() == os.fsencode(odd) * 2


def test_an_environment_far_larger_than_a_datagram_arrives(house):
    env = {f"BIG{number}": "x" * 100_000 for number in range(8)} | {"PATH": os.environ["PATH"]}
    assert house.run("test ${#BIG7} = 100000 && test ${#BIG0} = 100000", env=env).code == 0


def test_several_attempts_run_at_once(house):
    os.mkfifo(house.dir / "gate")
    for number in range(5):
        house.spawn("echo up > up$N; read line < gate", f"t{number}/1", env={"N": str(number)}, inherit=True)
    for number in range(5):
        house.wait_for_file(f"up{number}")
    (house.dir / "gate").write_text("go\n" * 5)
    assert {ended.key for ended in house.receive(5)} == {f"t{number}/1" for number in range(5)}


def test_an_attempt_asked_for_twice_runs_once(house):
    house.spawn("echo ran; read x < gate; exit 0")
    os.mkfifo(house.dir / "gate")
    house.spawn("echo ran; exit 5")
    (house.dir / "gate").write_text("go\n")
    house.receive()
    house.run("true", "other/1")
    assert house.out() == "ran\n"
    assert house.log().count("starting task/1") == 1


def test_the_log_tells_the_story_of_an_attempt(house):
    house.run("exit 3")
    until(lambda: "ended" in house.log())
    lines = house.log().split()
    assert [word for word in lines if word in {"supervisor", "starting", "began", "ended"}] == [
        "supervisor",
        "starting",
        "began",
        "ended",
    ]
    assert "ended task/1 exited 3 n " in house.log()


def test_a_second_supervisor_of_the_same_run_is_refused(house):
    house.run("true")
    with pytest.raises(HeldError, match="still at work"):
        Supervisor.start(str(house.dir))


def test_an_idle_supervisor_leaves_when_it_is_let_go(house):
    pid = house.supervisor.pid
    house.supervisor.close(wait=True)
    assert not is_running(pid)


def test_letting_go_does_not_wait_unless_asked_to(house):
    house.spawn("read x < gate")
    os.mkfifo(house.dir / "gate")
    until(lambda: "began" in house.log())
    house.supervisor.close(wait=False)
    assert is_running(house.supervisor.pid)
    (house.dir / "gate").write_text("go\n")
    until(lambda: not is_running(house.supervisor.pid))
    assert "ended task/1 exited 0" in house.log()


def test_letting_go_with_wait_waits_for_the_attempts(house):
    house.spawn("echo up > up; sleep 0.2")
    house.wait_for_file("up")
    house.supervisor.close(wait=True)
    assert "ended task/1 exited 0" in house.log()


def test_a_thousand_attempts_leave_neither_descriptors_nor_zombies(house):
    house.run("true", "warm/1")
    pid = house.supervisor.pid
    before = sorted(os.listdir(f"/proc/{pid}/fd"))
    mine = len(os.listdir("/proc/self/fd"))
    for start in range(0, 1000, 50):
        for number in range(start, start + 50):
            house.supervisor.spawn(house.spawn_of("", f"t{number}/1", argv=["/bin/true"]))
        assert all(ended.code == 0 for ended in house.receive(50))
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == before
    assert len(os.listdir("/proc/self/fd")) == mine
    assert house.children() == []


def test_a_taskrun_that_does_not_read_holds_nothing_up(house):
    for number in range(600):
        house.supervisor.spawn(house.spawn_of("", f"t{number}/1", argv=["/nowhere/to/be/found" * 20]))
    house.supervisor.flush()
    until(lambda: house.log().count("\nended") == 600)
    assert len(house.receive(600)) == 600


def test_a_broken_supervisor_says_why_and_is_noticed(house):
    house.supervisor._tell("spawn", "nonsense")
    until(lambda: house.supervisor.receive() or house.supervisor.lost)
    assert "TypeError" in house.crash()
    (house.dir / "supervisor-crash.txt").unlink()
    house.supervisor.spawn(house.spawn_of("true"))
    house.supervisor.flush()
    assert house.supervisor.receive() == []
