"""What a newcomer finds of another's attempts, and that it ends what is left and nothing else."""

import os
import select
import signal
import subprocess
import time

import pytest

from taskrun.executors import linux
from taskrun.executors.attempts_log import Keeper, began_line, keeper_line, starting_line
from taskrun.executors.client import Supervisor
from taskrun.executors.protocol import Ended
from taskrun.executors.recovery import Alive, Lost, NotStarted, attach, is_held, recover
from tests.executors.house import is_running, marked, until

HERE = linux.machine()


def only(found):
    assert list(found) == ["task/1"]
    return found["task/1"]


def recovered(house_or_client, **options):
    return only(recover(str(house_or_client.dir), ["task/1"], **options))


def test_without_a_log_nothing_was_started(tmp_path):
    assert recovered(type("Run", (), {"dir": tmp_path})) == NotStarted("task/1")


def test_without_a_line_it_was_not_started(house):
    house.run("true", "other/1")
    house.supervisor.close(wait=True)
    assert recovered(house) == NotStarted("task/1")


def test_an_end_in_the_log_is_the_end(house):
    ended = house.run("exit 3")
    until(lambda: "ended" in house.log())
    assert recovered(house) == ended, "even while the supervisor lives"
    house.kill_supervisor()
    assert recovered(house) == ended


def test_an_attempt_that_could_not_start_is_told_as_such(house):
    ended = house.run("", argv=["/nowhere"])
    until(lambda: "ended" in house.log())
    house.kill_supervisor()
    assert recovered(house) == ended
    assert ended.status == "not-started"


def test_with_a_living_supervisor_it_is_alive_begun_or_not(house):
    house.spawn("echo up > up; exec sleep 60")
    house.wait_for_file("up")
    found = recover(str(house.dir), ["task/1", "unheard/1"])
    assert found == {"task/1": Alive("task/1"), "unheard/1": Alive("unheard/1")}


def test_taskrun_dies_and_its_attempt_goes_on_to_a_known_end(client):
    one = client("spawn('echo up; while test ! -e go; do sleep 0.01; done; exit 5'); receive()")
    until(lambda: (one.dir / "task-1.out").exists() and (one.dir / "task-1.out").read_text())
    one.kill()
    assert recovered(one) == Alive("task/1")
    with attach(str(one.dir), ["task/1"]) as attached:
        assert attached.poll(0) == []
        assert attached.alive
        (one.dir / "go").write_text("")
        ended = attached.poll(20)
        assert [(one.key, one.status, one.code) for one in ended] == [("task/1", "exited", 5)]
        until(lambda: attached.poll(0.1) == [] and not attached.alive)
    assert recovered(one) == ended[0]


def test_a_timeout_is_kept_though_taskrun_is_dead(client):
    one = client(
        "spawn('echo up; trap \"\" TERM; while :; do sleep 0.02; done', timeout=0.5, grace=0.2); receive()"
    )
    until(lambda: (one.dir / "task-1.out").exists())
    one.kill()
    with attach(str(one.dir)) as attached:
        ended = attached.poll(20)
    assert (ended[0].code, ended[0].timed_out) == (9, True)
    assert marked(one.run_id) == []


def test_what_waits_in_the_pipe_when_taskrun_dies_is_never_started(client):
    one = client(
        """
spawn("true", "warm/1")
receive()
os.kill(supervisor.pid, 19)
for number in range(50):
    spawn("echo $TASKRUN_IDEMPOTENCY_KEY >> effects", f"t{number}/1")
spawn("echo $TASKRUN_IDEMPOTENCY_KEY >> effects")
print(supervisor.pid, flush=True)
time.sleep(60)
"""
    )
    pid = int(one.line())
    one.kill()
    assert recovered(one) == Alive("task/1"), "as long as nobody can know"
    os.kill(pid, signal.SIGCONT)
    with attach(str(one.dir)) as attached:
        until(lambda: attached.poll(0.1) == [] and not attached.alive)
    assert recovered(one) == NotStarted("task/1")
    # What the supervisor had woken up for is all it may do before it sees that nobody is there.
    effects = one.dir / "effects"
    assert not effects.exists() or effects.read_text() == f"{one.run_id}/t0/1\n"


def test_an_old_supervisor_can_be_asked_to_stop(client):
    one = client("spawn('echo up; trap \"\" TERM; while :; do sleep 0.02; done', grace=60); receive()")
    until(lambda: (one.dir / "task-1.out").exists() and (one.dir / "task-1.out").read_text())
    one.kill()
    with attach(str(one.dir)) as attached:
        assert attached.stop()
        assert attached.poll(0.3) == []
        assert attached.stop(kill=True)
        ended = attached.poll(20)
    assert (ended[0].code, ended[0].stopped) == (9, True)
    assert marked(one.run_id) == []


def test_nobody_is_asked_to_stop_when_the_supervisor_is_gone(house):
    house.run("true")
    house.supervisor.close(wait=True)
    with attach(str(house.dir)) as attached:
        assert attached.stop() is False
        assert [one.key for one in attached.poll(0)] == ["task/1"]
        assert attached.alive is False


def test_following_tells_of_the_attempts_asked_for(house):
    house.run("true", "other/1")
    house.run("true", "task/1")
    with attach(str(house.dir), {"task/1"}) as attached:
        assert [one.key for one in attached.poll(1)] == ["task/1"]


# The supervisor is dead.


def test_the_supervisor_dies_and_what_it_left_is_ended(house):
    house.spawn("sleep 60 & echo up > up; wait")
    house.wait_for_file("up")
    until(lambda: "began" in house.log())
    house.kill_supervisor()
    assert len(marked(house.run_id)) == 2
    lost = recovered(house)
    assert isinstance(lost, Lost)
    assert "its supervisor died while it ran; what was left of it was ended: " in lost.message
    assert "(sleep 60)" in lost.message
    assert marked(house.run_id) == []
    assert recovered(house) == Lost("task/1", "its supervisor died while it ran")


@pytest.mark.parametrize(
    "script",
    [
        "trap '' TERM; echo up > up; while :; do sleep 0.02; done",
        "setsid sh -c 'trap \"\" TERM; echo up > up; sleep 60; :' & wait",
        "(setsid sh -c '(sleep 61; :) & echo up > up; sleep 60; :' &); sleep 62",
        "env -i /bin/sh -c 'echo up > up; /bin/sleep 60; :' & wait",
        "env -i setsid /bin/sh -c 'echo up > up; /bin/sleep 60; :' & wait",
        "set -m; sleep 63 & sleep 64 & echo up > up; wait",
    ],
    ids=["deaf", "session", "double fork", "no environment", "no environment, session", "process groups"],
)
def test_whatever_way_it_left_it_is_ended(house, script):
    house.spawn(script, grace=60)
    house.wait_for_file("up")
    all_of_it = linux.descendants([house.supervisor.pid])
    house.kill_supervisor()
    assert isinstance(recovered(house, grace=0.1), Lost)
    assert [linux.command(pid) for pid in all_of_it if is_running(pid)] == []


def test_it_is_asked_to_end_before_it_is_made_to(house):
    house.spawn("trap 'echo yes > tidied; exit' TERM; echo up > up; while :; do sleep 0.01; done")
    house.wait_for_file("up")
    house.kill_supervisor()
    assert isinstance(recovered(house, grace=20), Lost)
    assert (house.dir / "tidied").exists()


def test_only_the_attempts_asked_about_are_ended(house):
    house.spawn("echo up > up1; exec sleep 60", "task/1")
    house.spawn("echo up > up2; exec sleep 61", "other/1")
    house.wait_for_file("up1")
    house.wait_for_file("up2")
    house.kill_supervisor()
    recovered(house)
    assert [linux.command(found.pid) for found in marked(house.run_id)] == ["sleep 61"]


def test_another_run_with_the_same_keys_is_left_alone(build):
    houses = build(), build()
    for house in houses:
        house.spawn("echo up > up; exec sleep 60")
        house.wait_for_file("up")
        house.kill_supervisor()
    recovered(houses[0])
    assert marked(houses[0].run_id) == []
    assert len(marked(houses[1].run_id)) == 1


def test_a_leak_of_an_earlier_attempt_is_not_ended_with_a_later_one(house):
    daemon = "setsid sh -c 'echo $$ > daemon; exec sleep 60' & until test -s daemon; do :; done"
    mark = {"env": house.spawn_of("").env}
    house.run(daemon, "task/1", **mark)
    time.sleep(0.03)  # start times count in hundredths of a second
    house.spawn("echo up > up; exec sleep 61", "task/2", **mark)
    house.wait_for_file("up")
    house.kill_supervisor()
    assert isinstance(recover(str(house.dir), ["task/2"])["task/2"], Lost)
    assert [linux.command(found.pid) for found in marked(house.run_id)] == ["sleep 60"]


def test_a_newcomer_called_from_within_the_attempt_does_not_end_itself(house):
    script = f"""
import os, sys, time
open("up", "w").write("up\\n")
while not os.path.exists("dead"):
    time.sleep(0.01)
from taskrun.executors.recovery import recover
open("found", "w").write(type(recover({str(house.dir)!r}, ["task/1"])["task/1"]).__name__ + "\\n")
"""
    env = house.spawn_of("").env | {"PYTHONPATH": os.getcwd()}
    house.spawn("", argv=[os.sys.executable, "-c", script], env=env)
    house.wait_for_file("up")
    house.kill_supervisor()
    (house.dir / "dead").write_text("")
    assert house.wait_for_file("found") == "Lost"


# It dies between two lines.


def test_a_report_is_followed_by_its_line(house):
    for number in range(20):
        house.run("true", f"t{number}/1")
    until(lambda: house.log().count("\nended") == 20)


def test_killed_while_the_child_is_on_its_way_to_the_program(house):
    os.mkfifo(house.dir / "pipe")
    house.spawn("echo up > up; exec sleep 60", out=str(house.dir / "pipe"))  # opening it blocks the child
    until(lambda: "starting task/1" in house.log())
    child = until(house.children)[0]
    os.kill(house.supervisor.pid, signal.SIGKILL)
    os.waitid(os.P_PID, house.supervisor.pid, os.WEXITED | os.WNOWAIT)
    assert "began" not in house.log()
    # The child still shares the lock, and only loses it as it becomes the program: nothing is decided before.
    assert is_held(str(house.dir))
    assert recovered(house) == Alive("task/1")
    reader = os.open(house.dir / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    house.wait_for_file("up")
    assert not is_held(str(house.dir))
    lost = recovered(house)
    os.close(reader)
    house.supervisor.receive()
    assert house.supervisor.lost
    assert isinstance(lost, Lost)
    assert "while starting it; what was left of it was ended" in lost.message
    assert not is_running(child)


def test_killed_before_the_child_existed_is_lost_all_the_same(house):
    mark = f"{house.run_id} {house.run_id}/task/1"
    house.supervisor.close(wait=True)
    with (house.dir / "attempts.log").open("ab") as log:
        log.write(starting_line("task/1", mark, linux.ticks()))
    assert recovered(house) == Lost("task/1", "its supervisor died while starting it")


def test_a_torn_line_of_the_end_leaves_it_lost(house):
    house.run("exit 3")
    house.supervisor.close(wait=True)
    data = (house.dir / "attempts.log").read_bytes()
    (house.dir / "attempts.log").write_bytes(data[:-3])
    assert isinstance(recovered(house), Lost)


# Numbers come back.


@pytest.fixture
def stranger():
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def forge(run_dir, pid, earliest, latest, machine=HERE, mark="gone gone/task/1"):
    keeper = Keeper(1, 0, machine)
    lines = (
        keeper_line(keeper),
        starting_line("task/1", mark, earliest),
        began_line("task/1", pid, earliest, latest),
    )
    (run_dir / "attempts.log").write_bytes(b"".join(lines))


def test_a_stranger_with_the_number_of_the_leader_is_never_ended(tmp_path, stranger):
    born = linux.process(stranger.pid).starttime
    forge(tmp_path, stranger.pid, born - 200, born - 1)
    assert recover(str(tmp_path), ["task/1"]) == {
        "task/1": Lost("task/1", "its supervisor died while it ran")
    }
    forge(tmp_path, stranger.pid, born + 1, born + 2)
    recover(str(tmp_path), ["task/1"])
    assert stranger.poll() is None
    assert is_running(stranger.pid)


def test_a_stranger_of_another_boot_or_container_is_never_ended(tmp_path, stranger):
    born = linux.process(stranger.pid).starttime
    boot, namespace = HERE.split("/")
    forge(tmp_path, stranger.pid, born, born, f"other-boot/{namespace}")
    found = recover(str(tmp_path), ["task/1"])
    assert found == {"task/1": Lost("task/1", "the machine restarted while it ran")}
    forge(tmp_path, stranger.pid, born, born, f"{boot}/1")
    assert isinstance(recover(str(tmp_path), ["task/1"])["task/1"], Lost)
    assert is_running(stranger.pid)


def test_the_very_process_is_ended(tmp_path, stranger):
    born = linux.process(stranger.pid).starttime
    forge(tmp_path, stranger.pid, born, born)
    lost = recover(str(tmp_path), ["task/1"])["task/1"]
    assert f"was ended: {stranger.pid} (/bin/sleep 600)" in lost.message
    assert stranger.wait(10) == -signal.SIGTERM


def test_a_number_cannot_be_signalled_with_another_start_time(stranger):
    born = linux.process(stranger.pid).starttime
    assert linux.send(stranger.pid, born + 1, signal.SIGKILL) is False
    assert is_running(stranger.pid)
    assert linux.send(stranger.pid, born, signal.SIGKILL) is True
    assert stranger.wait(10) == -signal.SIGKILL
    assert linux.send(stranger.pid, born, signal.SIGKILL) is False


# The machine restarted.


def test_after_a_restart_not_even_silence_proves_anything(tmp_path):
    (tmp_path / "attempts.log").write_bytes(keeper_line(Keeper(1, 0, "other-boot/4026531836")))
    lost = recover(str(tmp_path), ["task/1"])["task/1"]
    assert lost == Lost("task/1", "the machine has restarted since, and the log of attempts may lack its end")


def test_the_journal_may_know_the_boot_better_than_the_log(tmp_path):
    assert isinstance(recover(str(tmp_path), ["task/1"], boot_id="other-boot")["task/1"], Lost)
    (tmp_path / "attempts.log").write_bytes(keeper_line(Keeper(1, 0, "other-boot/4026531836")))
    assert recover(str(tmp_path), ["task/1"], boot_id=linux.boot_id()) == {"task/1": NotStarted("task/1")}


# And on it goes.


def test_a_new_supervisor_takes_over_the_log(house):
    house.run("exit 1", "a/1")
    house.spawn("echo up > up; exec sleep 60", "b/1")
    house.wait_for_file("up")
    house.kill_supervisor()
    assert isinstance(recover(str(house.dir), ["b/1"])["b/1"], Lost)
    house.supervisor.close(wait=True)
    house.supervisor = Supervisor.start(str(house.dir))
    assert house.run("exit 2", "b/2").code == 2
    house.supervisor.close(wait=True)
    found = recover(str(house.dir), ["a/1", "b/1", "b/2", "c/1"])
    assert [type(one) for one in found.values()] == [Ended, Lost, Ended, NotStarted]


def test_a_dead_supervisor_is_noticed_at_once(house):
    house.run("true")
    os.kill(house.supervisor.pid, signal.SIGKILL)
    assert select.select([house.supervisor], [], [], 10)[0]
    assert house.supervisor.receive() == []
    assert house.supervisor.lost
    house.supervisor.spawn(house.spawn_of("true"))
    house.supervisor.stop("task/1")
    assert house.supervisor.receive() == []
    assert not os.path.exists(f"/proc/{house.supervisor.pid}"), "it is reaped as well"


def test_looking_does_not_get_in_the_way_of_a_start(house):
    house.supervisor.close(wait=True)
    looker = subprocess.Popen(["/bin/flock", "-s", str(house.dir / "attempts.log"), "sleep", "0.2"])
    until(lambda: subprocess.run(["/bin/flock", "-n", str(house.dir / "attempts.log"), "true"]).returncode)
    house.supervisor = Supervisor.start(str(house.dir))
    looker.wait()
    assert house.run("true").code == 0
