"""How attempts are ended: in time, on request, with everything that came of them."""

import os
import signal
import sys
import time

import pytest

from taskrun.executors import linux
from tests.executors.house import CLIENT, ROOT, commands, is_running, marked, until

SETSID = "setsid"


def pid_in(house, name):
    return int(house.wait_for_file(name))


# The leader ends by itself.


def test_a_background_child_holding_the_output_does_not_hold_up_the_end(house):
    started = time.monotonic()
    ended = house.run("sleep 60 & echo hi")
    assert time.monotonic() - started < 1
    assert (ended.code, ended.message) == (0, "")
    assert house.out() == "hi\n"
    assert commands(house.run_id) == []


def test_a_background_child_deaf_to_term_is_killed_within_a_second(house):
    started = time.monotonic()
    ended = house.run("(trap '' TERM; echo up > up; sleep 60) & until test -s up; do :; done")
    assert time.monotonic() - started < 1
    assert (ended.code, ended.message) == (0, "")
    assert marked(house.run_id) == []


def test_background_children_may_clean_up_when_the_leader_ends(house):
    script = "(trap 'echo yes > tidied; exit' TERM; echo up > up; while :; do sleep 0.01; done) & until test -s up; do :; done"
    assert house.run(script).code == 0
    assert (house.dir / "tidied").exists()


def test_a_background_child_in_a_process_group_of_its_own_is_ended_too(house):
    ended = house.run("set -m; sleep 60 & echo $! > other; exit 0")
    assert ended.message == ""
    assert not is_running(pid_in(house, "other"))


def test_grandchildren_below_a_deaf_child_are_ended_too(house):
    script = "(trap '' TERM; (sleep 61; :) & (sleep 62; :) & echo up > up; sleep 63; :) & until test -s up; do :; done"
    assert house.run(script).message == ""
    assert marked(house.run_id) == []


def make_waiter(house):
    """A script that says who it is and waits: a program's command line is not there from its first moment on."""
    os.mkfifo(house.dir / "never")
    (house.dir / "waiter").write_text("echo $$ > daemon\nread x < never\n")


def test_what_left_the_session_is_named_and_let_be(house):
    make_waiter(house)
    ended = house.run(f"{SETSID} sh waiter & until test -s daemon; do :; done")
    daemon = pid_in(house, "daemon")
    assert ended.message == f"left running: {daemon} (sh waiter)"
    assert is_running(daemon)
    os.kill(daemon, signal.SIGKILL)
    until(lambda: house.children() == [])  # reaped


def test_a_daemon_is_named_once_and_not_again_by_later_attempts(house):
    script = f"{SETSID} sh -c 'echo $$ > daemon; exec sleep 60' & until test -s daemon; do :; done"
    assert "left running" in house.run(script, "a/1").message
    assert house.run("true", "b/1").message == ""
    assert house.run("sleep 60", "c/1", timeout=0.05, grace=5).message == ""
    assert is_running(pid_in(house, "daemon"))


def test_a_daemon_without_its_environment_is_still_named(house):
    make_waiter(house)
    ended = house.run(f"env -i {SETSID} /bin/sh waiter & until test -s daemon; do :; done")
    daemon = pid_in(house, "daemon")
    assert ended.message == f"left running: {daemon} (/bin/sh waiter)"
    os.kill(daemon, signal.SIGKILL)


def test_a_daemon_is_named_by_the_attempt_it_came_from(house):
    os.mkfifo(house.dir / "gate")
    house.spawn("read x < gate", "other/1")
    ended = house.run(
        f"{SETSID} sh -c 'echo $$ > daemon; exec sleep 60' & until test -s daemon; do :; done", "its/1"
    )
    assert ended.key == "its/1"
    assert str(pid_in(house, "daemon")) in ended.message
    (house.dir / "gate").write_text("go\n")
    assert house.receive()[0].message == ""


def test_the_children_of_other_attempts_are_left_alone(house):
    os.mkfifo(house.dir / "gate")
    house.spawn("(sleep 60 & echo $! > orphan); read x < gate", "other/1")
    orphan = pid_in(house, "orphan")
    assert house.run("sleep 61 & exit 0", "its/1").code == 0
    assert is_running(orphan)
    (house.dir / "gate").write_text("go\n")
    house.receive()
    assert not is_running(orphan)


def test_a_killed_leader_takes_its_children_along(house):
    ended = house.run("sleep 60 & echo $! > child; kill -9 $$")
    assert (ended.status, ended.code) == ("signaled", 9)
    assert not is_running(pid_in(house, "child"))


def test_a_halted_background_child_is_ended_too(house):
    ended = house.run("sleep 60 & kill -STOP $!; echo $! > child")
    assert ended.message == ""
    assert not is_running(pid_in(house, "child"))


# Its time is up.


def test_a_timeout_ends_it_with_term(house):
    ended = house.run("sleep 60", timeout=0.1)
    assert (ended.status, ended.code, ended.timed_out, ended.stopped) == ("signaled", 15, True, False)


def test_the_whole_group_gets_time_to_clean_up(house):
    script = "trap 'echo > leader; wait; exit 9' TERM; (trap 'echo > child; exit' TERM; echo up > up; while :; do sleep 0.01; done) & wait"
    ended = house.run(script, timeout=0.3)
    assert (ended.status, ended.code, ended.timed_out) == ("exited", 9, True)
    assert (house.dir / "leader").exists()
    assert (house.dir / "child").exists()


def test_a_child_still_cleaning_up_has_the_grace_of_its_leader(house):
    script = "(trap 'sleep 0.5; echo > tidied; exit' TERM; echo up > up; while :; do sleep 0.01; done) & until test -s up; do :; done; exec sleep 60"
    ended = house.run(script, timeout=0.3, grace=10)
    assert ended.timed_out
    assert (house.dir / "tidied").exists()


def test_who_ignores_term_is_killed_after_the_grace(house):
    started = time.monotonic()
    ended = house.run("trap '' TERM; while :; do sleep 0.02; done", timeout=0.1, grace=0.2)
    assert (ended.status, ended.code, ended.timed_out) == ("signaled", 9, True)
    assert 0.3 <= time.monotonic() - started < 2
    assert marked(house.run_id) == []


ESCAPES = {
    "setsid": "setsid sh -c 'trap \"\" TERM; echo up > up; sleep 60; :' & ",
    "double fork": "(setsid sh -c 'trap \"\" TERM; (sleep 61; :) & echo up > up; sleep 60; :' &) ; ",
    "empty environment": "env -i setsid /bin/sh -c 'trap \"\" TERM; echo up > up; /bin/sleep 60; :' & ",
    "nested": 'setsid sh -c \'setsid sh -c "trap \\"\\" TERM; echo up > up; sleep 60; :" & wait\' & ',
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("leader", ["exec sleep 70", "trap '' TERM; sleep 70; :", "exit 0 & wait; sleep 70"])
def test_after_a_timeout_nothing_stays_however_it_left(house, escape, leader):
    script = f"{escape} until test -s up; do :; done; echo all > all; {leader}"
    house.spawn(script, timeout=1.0, grace=0.1)
    house.wait_for_file("all")
    before = {found.pid: found.starttime for found in linux.descendants([house.supervisor.pid]).values()}
    assert len(before) >= 2
    ended = house.receive()[0]
    assert ended.timed_out
    alive = [(linux.process(pid), linux.describe(pid)) for pid in before if is_running(pid)]
    assert alive == [], (ended, house.log())
    assert ended.message == ""
    until(lambda: house.children() == [])  # what was dead is reaped a moment later


def test_a_timeout_of_one_is_nothing_to_another(house):
    os.mkfifo(house.dir / "gate")
    house.spawn("read x < gate; exit 7", "long/1")
    assert house.run("sleep 60", "short/1", timeout=0.05).timed_out
    (house.dir / "gate").write_text("go\n")
    ended = house.receive()[0]
    assert (ended.code, ended.timed_out) == (7, False)


def test_a_timeout_that_was_kept_is_forgotten(house):
    assert not house.run("true", "a/1", timeout=0.2).timed_out
    house.spawn("sleep 0.3; exit 3", "a/1")
    assert house.receive()[0].code == 3


# It is asked to.


def test_a_stop_ends_it_with_term(house):
    house.spawn("echo up > up; exec sleep 60")
    house.wait_for_file("up")
    house.supervisor.stop("task/1")
    ended = house.receive()[0]
    assert (ended.status, ended.code, ended.timed_out, ended.stopped) == ("signaled", 15, False, True)


def test_a_second_stop_with_kill_cuts_the_grace_short(house):
    house.spawn("trap 'echo asked > asked' TERM; echo up > up; while :; do sleep 0.02; done", grace=1000)
    house.wait_for_file("up")
    house.supervisor.stop("task/1")
    house.wait_for_file("asked")
    house.supervisor.stop("task/1", kill=True)
    ended = house.receive()[0]
    assert (ended.status, ended.code, ended.stopped) == ("signaled", 9, True)


def test_a_stop_with_kill_asks_nobody(house):
    house.spawn("trap 'echo asked > asked' TERM; echo up > up; while :; do sleep 0.02; done")
    house.wait_for_file("up")
    house.supervisor.stop("task/1", kill=True)
    assert house.receive()[0].code == 9
    assert not (house.dir / "asked").exists()


def test_a_stop_of_what_is_over_or_unknown_is_nothing(house):
    house.run("true")
    house.supervisor.stop("task/1")
    house.supervisor.stop("never/1", kill=True)
    assert house.run("true", "next/1").code == 0


def test_a_stop_right_behind_the_start_ends_it(house):
    house.supervisor.spawn(house.spawn_of("exec sleep 60"))
    house.supervisor.stop("task/1", kill=True)
    assert house.receive()[0].stopped


def test_term_to_the_supervisor_stops_all_of_them(house):
    for number in range(3):
        house.spawn(f"echo up > up{number}; exec sleep 60", f"t{number}/1")
    for number in range(3):
        house.wait_for_file(f"up{number}")
    os.kill(house.supervisor.pid, signal.SIGTERM)
    assert {(ended.code, ended.stopped) for ended in house.receive(3)} == {(15, True)}
    assert house.run("true", "next/1").code == 0


# A pause.


def awake(house):
    """What is not halted. A shell waiting in the kernel for a halted child of its own (D) counts as halted."""
    return [found for found in marked(house.run_id) if found.state not in "TD"]


def test_a_pause_halts_everything_and_the_clock_of_timeouts(house):
    script = f"({SETSID} sh -c 'echo up > up; while :; do sleep 0.01; done' &); until test -s up; do :; done; echo all > all; while :; do sleep 0.01; done"
    house.spawn(script, timeout=0.6, grace=0.1)
    house.wait_for_file("all")
    house.supervisor.pause()
    until(lambda: not awake(house), "for all to be halted")
    time.sleep(0.8)
    assert house.supervisor.receive() == []
    assert awake(house) == []
    assert len(marked(house.run_id)) >= 2
    house.supervisor.resume()
    assert house.receive()[0].timed_out
    assert marked(house.run_id) == []


def test_nothing_starts_during_a_pause(house):
    house.run("true", "warm/1")
    house.supervisor.pause()
    house.spawn("echo ran > ran")
    until(lambda: "starting task/1" in house.log())
    house.supervisor.pause()
    assert "began task/1" not in house.log()
    house.supervisor.resume()
    assert house.receive()[0].code == 0
    assert (house.dir / "ran").exists()


def test_what_is_halted_can_be_stopped(house):
    house.spawn("trap 'echo > tidied; exit 4' TERM; echo up > up; while :; do sleep 0.01; done")
    house.wait_for_file("up")
    house.supervisor.pause()
    until(lambda: not awake(house))
    house.supervisor.stop("task/1")
    ended = house.receive()[0]
    assert (ended.code, ended.stopped) == (4, True)
    assert (house.dir / "tidied").exists()


def test_a_halted_run_goes_on_when_taskrun_is_gone(house):
    house.spawn("echo up > up; while test ! -e go; do sleep 0.01; done; exit 6")
    house.wait_for_file("up")
    house.supervisor.pause()
    until(lambda: not awake(house))
    (house.dir / "go").write_text("")
    house.supervisor.close(wait=True)
    assert "ended task/1 exited 6" in house.log()


# It fights back.


def test_one_that_never_stops_forking_is_ended_with_all_it_forked(house):
    script = f"trap '' TERM; echo up > up; while :; do ({SETSID} sleep 60 &); (sleep 61 &); done"
    house.spawn(script, timeout=0.4, grace=0.1)
    house.wait_for_file("up")
    ended = house.receive()[0]
    assert (ended.timed_out, ended.message) == (True, "")
    assert marked(house.run_id) == []
    assert house.children() == []


def test_a_run_within_an_attempt_is_ended_with_it(house, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    body = "spawn('echo up > up; trap \"\" TERM; while :; do sleep 0.02; done'); receive()"
    script = CLIENT.format(root=str(ROOT)) + body
    house.spawn("", argv=[sys.executable, "-c", script, str(inner)], timeout=60, grace=0.2)
    until(lambda: (inner / "up").exists())
    assert marked("inner")
    house.supervisor.stop("task/1")
    assert house.receive()[0].message == ""
    assert marked("inner") == []
    assert marked(house.run_id) == []


def test_many_at_once_are_ended_each_in_its_own_time(house):
    for number in range(60):
        timeout = 0.1 + number / 100 if number % 2 else None
        house.supervisor.spawn(house.spawn_of("exec sleep 60", f"t{number}/1", timeout=timeout))
    assert all(ended.timed_out and ended.code == 15 for ended in house.receive(30))
    for number in range(0, 60, 2):
        house.supervisor.stop(f"t{number}/1", kill=True)
    assert all(ended.stopped and ended.code == 9 for ended in house.receive(30))
    assert house.children() == []
