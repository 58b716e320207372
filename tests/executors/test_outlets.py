"""Output that is masked on its way into the files: all of it, in order, whoever dies, and for no more memory."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.executors.house import Client, House, is_running, until

SECRET = "correct-horse-battery"
PRINT_SLOWLY = (
    "printf 'x' >&2; printf 'a correct-'; sleep 0.1; printf 'horse-'; sleep 0.1; printf 'battery b\\n'"
)


@pytest.fixture
def masking(house: House) -> House:
    house.supervisor.mask([SECRET.encode()])
    return house


def test_a_secret_in_pieces_is_masked_and_the_order_kept(masking: House) -> None:
    assert masking.run(PRINT_SLOWLY, masked=[]).code == 0
    assert masking.out() == "xa *** b\n"


def test_streams_are_kept_apart(masking: House) -> None:
    error = masking.out_path("error")
    masking.run(PRINT_SLOWLY, err=error, masked=[])
    assert masking.out() == "a *** b\n"
    assert Path(error).read_text() == "x"
    assert os.stat(error).st_mode & 0o777 == 0o600


def test_attempts_that_ask_for_nothing_print_straight_into_their_files(masking: House) -> None:
    masking.run(f"test -f /dev/stdout && echo {SECRET}")
    assert masking.out() == f"{SECRET}\n"


def test_a_line_without_an_end_is_there_at_once(masking: House) -> None:
    masking.spawn("printf 'Password: '; exec sleep 600", masked=[])
    until(lambda: Path(masking.out_path()).exists() and masking.out() == "Password: ")
    masking.supervisor.stop("task/1", kill=True)
    masking.receive()


def test_what_was_printed_before_a_kill_is_there(masking: House) -> None:
    masking.run("printf 'last words: correct-horse-b'; kill -9 $$", masked=[])
    assert masking.out() == "last words: ***"


def test_much_output_needs_no_memory_and_loses_nothing(masking: House) -> None:
    def peak() -> int:
        status = Path(f"/proc/{masking.supervisor.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        assert found
        return int(found[1])

    masking.run("echo warm", masked=[])
    before = peak()
    script = f"yes 'some line of output, {SECRET}' | head -n 1000000; yes | head -c 30000000"
    assert masking.run(script, key="much/1", masked=[]).code == 0
    with open(masking.out_path("much/1"), "rb") as file:
        assert all(file.readline() == b"some line of output, ***\n" for _ in range(1_000_000))
        assert sum(map(len, iter(lambda: file.read(1 << 20), b""))) == 30_000_000
    os.unlink(masking.out_path("much/1"))
    assert peak() - before < 8 * 1024  # KiB


def test_a_process_that_stays_holds_nothing_up_and_goes_on_printing(masking: House) -> None:
    daemon = f"setsid sh -c 'while :; do echo still {SECRET}; sleep 0.05; done' & echo $! > daemon; sleep 0.1"
    ended = masking.run(daemon, masked=[])
    assert "left running" in ended.message
    assert SECRET not in ended.message + masking.log()  # though it is among the daemon's arguments
    pid = int(masking.wait_for_file("daemon"))
    masking.supervisor.close(wait=False)
    os.kill(masking.supervisor.pid, 0)
    size = len(masking.out())
    until(lambda: len(masking.out()) > size + 30)
    assert SECRET not in masking.out()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid))


def test_the_run_is_let_go_while_a_process_still_prints(masking: House) -> None:
    masking.run(
        "setsid sh -c 'echo $$ > daemon; exec sleep 600' & while ! test -s daemon; do :; done", masked=[]
    )
    masking.supervisor.close(wait=False)
    from taskrun.executors.recovery import is_held

    until(lambda: not is_held(str(masking.dir)))
    os.kill(int((masking.dir / "daemon").read_text()), signal.SIGKILL)


def test_output_goes_on_when_taskrun_is_killed(client: Callable[[str], Client]) -> None:
    one = client(
        f"supervisor.mask([b{SECRET!r}])\n"
        "spawn0 = Spawn('task/1', ['/bin/sh', '-c', 'echo first; while ! test -e go; do sleep 0.01; done;"
        f" printf correct-; sleep 0.05; echo horse-battery; echo $X > done'], {{'TASKRUN_RUN_ID': run_id,"
        " 'TASKRUN_IDEMPOTENCY_KEY': 'x', 'PATH': os.environ['PATH'], 'X': 'x'}, run_dir, None,"
        " run_dir + '/out', None, masked=[])\n"
        "supervisor.spawn(spawn0)\nsupervisor.flush()\nprint('up', flush=True)\ntime.sleep(600)\n"
    )
    assert one.line() == "up"
    out = one.dir / "out"
    until(lambda: out.exists() and out.read_text() == "first\n")
    one.kill()
    (one.dir / "go").touch()
    until(lambda: " ended" in f" {(one.dir / 'attempts.log').read_text()}".replace("\n", " "))
    assert out.read_text() == "first\n***\n"


def test_a_full_disk_is_the_programs_own_trouble_and_is_told(masking: House) -> None:
    ended = masking.run(
        "trap '' PIPE; echo x; sleep 0.2; echo y || echo no > heard", out="/dev/full", masked=[]
    )
    assert ended.message == "not all of its output was kept: No space left on device"
    assert (masking.dir / "heard").exists()


def test_an_output_file_that_cannot_be_made_is_named_and_leaves_no_pipe(masking: House) -> None:
    masking.run("true", key="a/1", masked=[])
    before = len(os.listdir(f"/proc/{masking.supervisor.pid}/fd"))
    ended = masking.run("true", out="/nowhere/x", masked=[])
    assert "cannot write '/nowhere/x': No such file or directory" in ended.message
    masking.run("true", key="b/1", err="/nowhere/x", masked=[])
    assert len(os.listdir(f"/proc/{masking.supervisor.pid}/fd")) == before


def test_a_hundred_attempts_leave_no_descriptor(masking: House) -> None:
    masking.run("true", masked=[])
    descriptors = f"/proc/{masking.supervisor.pid}/fd"
    before = len(os.listdir(descriptors))
    for number in range(100):
        masking.supervisor.spawn(masking.spawn_of("echo x", key=f"t/{number}", masked=[]))
    masking.receive(100)
    until(lambda: len(os.listdir(descriptors)) == before, "descriptors stay open")


def test_files_it_writes_itself_are_masked_when_it_is_over(masking: House) -> None:
    path, link = str(masking.dir / "outputs"), masking.dir / "link"
    masking.run(f"echo 'a={SECRET}' > outputs; ln -s outputs link", masked=[path, str(link), "/nowhere"])
    assert Path(path).read_text() == "a=***\n"
    assert link.is_symlink()


def test_what_it_reads_touches_no_disk(masking: House) -> None:
    before = set(os.listdir(masking.dir))
    masking.run("cat; cat <&-; test ! -p /dev/stdin && wc -c", stdin=b"x" * 300_000, masked=[])
    assert masking.out().startswith("xxx")
    assert set(os.listdir(masking.dir)) - before == {"task-1.out"}


def test_what_may_become_known_later_is_masked_from_then_on(masking: House) -> None:
    masking.spawn(
        "echo one-two-three; while ! test -e go; do sleep 0.01; done; echo one-two-three", masked=[]
    )
    until(lambda: Path(masking.out_path()).exists() and masking.out())
    masking.supervisor.mask([b"one-two-three"])
    masking.supervisor.flush()
    masking.run("true", key="b/1")
    (masking.dir / "go").touch()
    masking.receive()
    assert masking.out() == "one-two-three\n***\n"
