"""What an attempt has printed nothing into is handed on, and nobody takes one attempt's output for another's."""

import os
from pathlib import Path

from taskrun.executors.attempts_log import read_log
from taskrun.executors.spares import Spares
from tests.command import Taskrun
from tests.executors.house import House, is_running


def test_a_file_nothing_was_printed_into_becomes_the_next_attempt_s(house: House) -> None:
    assert house.run("true", "a/1").silent
    inode = os.stat(house.out_path("a/1")).st_ino
    assert not house.run("echo b", "b/1").silent
    assert not os.path.exists(house.out_path("a/1"))
    assert os.stat(house.out_path("b/1")).st_ino == inode
    assert house.out("b/1") == "b\n"
    house.run("echo c", "c/1")
    assert (house.out("b/1"), house.out("c/1")) == ("b\n", "c\n")
    house.supervisor.close(wait=True)
    traces = read_log(str(house.dir)).traces
    assert {key: each.ended.silent for key, each in traces.items() if each.ended} == {
        "a/1": True,
        "b/1": False,
        "c/1": False,
    }


def test_a_file_that_is_there_already_is_added_to(house: House) -> None:
    house.run("true", "a/1")
    Path(house.out_path("b/1")).write_text("before\n")
    house.run("echo b", "b/1")
    assert house.out("b/1") == "before\nb\n"
    assert house.out("a/1") == ""


def test_where_a_process_stays_its_file_stays_its_own(house: House) -> None:
    script = (
        "mkfifo gate; setsid sh -c 'echo $$ > pid; read x < gate; echo late' & until [ -s pid ]; do :; done"
    )
    ended = house.run(script, "a/1")
    assert "left running" in ended.message
    assert not ended.silent
    house.run("echo b", "b/1")
    (house.dir / "gate").write_text("go\n")
    while is_running(int((house.dir / "pid").read_text())):
        pass
    assert (house.out("a/1"), house.out("b/1")) == ("late\n", "b\n")


def test_both_files_of_an_attempt_must_be_empty(house: House) -> None:
    assert not house.run("echo e >&2", "a/1", err=f"{house.dir}/a.err").silent
    assert house.run("true", "b/1", err=f"{house.dir}/b.err").silent
    house.run("echo o; echo e >&2", "c/1", err=f"{house.dir}/c.err")
    assert house.out("c/1") == "o\n"
    assert (house.dir / "c.err").read_text() == "e\n"
    assert not (house.dir / "b.err").exists()
    assert (house.dir / "a.err").read_text() == "e\n"


def test_only_empty_files_are_taken_and_of_none_there_is_nothing_to_say(tmp_path: Path) -> None:
    spares, empty, full = Spares(), tmp_path / "empty", tmp_path / "full"
    empty.touch()
    full.write_text("x")
    (tmp_path / "link").symlink_to(empty)
    assert not spares.offer([])
    assert not spares.offer([str(tmp_path / "none")])
    assert not spares.offer([str(empty), str(full)])
    assert not spares.offer([str(tmp_path / "link")])
    assert not spares.offer([str(tmp_path)])
    assert spares.offer([str(empty)])
    empty.unlink()
    spares.become(str(tmp_path / "next"))
    assert not (tmp_path / "next").exists()


def test_outputs_logs_and_undo_are_each_task_s_own(taskrun: Taskrun) -> None:
    said = {n: "" if n % 3 else f"said {n}" for n in range(12)}
    tasks = "".join(
        f"  - name: t{n}\n    run: '{f'echo {text}' if text else ':'}'\n    outputs: {{said: result.stdout}}\n"
        f"    revert: '{':' if n % 2 else f'echo undone {n}'}'\n"
        for n, text in said.items()
    )
    checks = [
        f'[ "${{{{ tasks.t{n}.outputs.said }}}}" = "{text}" ] || echo wrong {n}' for n, text in said.items()
    ]
    tasks += (
        "  - name: last\n    run: |\n      " + "\n      ".join([*checks, "exit 1"]) + "\n    revert: none\n"
    )
    done = taskrun("run", taskrun.file(f"name: f\ntasks:\n{tasks}"), "--jobs", "1")
    assert done.code == 1
    shown = taskrun("logs", "latest").out.split("\n--- ")
    found = dict(each.removeprefix("--- ").strip().split("\n", 1) for each in shown)
    assert found == {
        **{f"t{n}, attempt 1": f"said {n}" for n in range(0, 12, 3)},
        **{f"t{n}, undo 1": f"undone {n}" for n in range(0, 12, 2)},
    }
