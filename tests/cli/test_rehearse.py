"""`taskrun rehearse`: every failure and every kill, in a scratch copy, and the world compared."""

import xml.etree.ElementTree as ET

import pytest

from tests.command import Done, Taskrun

GOOD = """\
name: good
inputs: {home: {type: path, default: data}}
tasks:
  - {name: make, run: 'mkdir -p "$HOME_DIR/new"', revert: 'rmdir "$HOME_DIR/new"'}
  - {name: write, run: 'echo x > "$HOME_DIR/new/file"', revert: 'rm "$HOME_DIR/new/file"', retry: {attempts: 3}}
  - {name: say, echo: done}
env: {HOME_DIR: "${{ inputs.home }}"}
notify: [{flow: "*", run: touch /tmp/this-must-never-be-made-by-a-rehearsal}]
"""
LEAVES = "  - {name: leaves, run: touch data/left, revert: 'true'}\n"


@pytest.fixture
def folder(taskrun: Taskrun) -> Taskrun:
    (taskrun.folder / "data").mkdir()
    (taskrun.folder / "data" / "kept").write_text("kept")
    return taskrun


def cases(done: Done) -> list[str]:
    return [line.strip() for line in done.out.split("\n") if line.startswith("  ") and line[2] != " "]


def test_a_workflow_that_undoes_itself_passes_every_rehearsal(folder: Taskrun) -> None:
    done = folder("rehearse", folder.file(GOOD), "--junit", "out.xml")
    assert (done.code, done.err) == (0, "")
    assert [line.split("  ")[0] for line in cases(done)] == [
        "works, then reverted",
        "fail at make",
        "fail at write",
        "fail at say",
    ]
    assert all("as before" in line for line in cases(done))
    assert done.out.endswith("\n4 rehearsals: the world is as before\n")
    suite = ET.parse(folder.folder / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("name")) == ("4", "0", "rehearse good")


def test_the_real_folder_and_the_real_state_are_left_alone(folder: Taskrun) -> None:
    folder("rehearse", folder.file(GOOD))
    assert sorted(path.name for path in folder.folder.rglob("*")) == ["data", "kept", "w.yaml"]
    assert not (folder.home / "runs").exists()
    assert not (folder.home / "journal.db").exists()


def test_what_is_left_is_named_and_fails_the_rehearsal(folder: Taskrun) -> None:
    text = GOOD.replace("  - {name: say, echo: done}\n", LEAVES)
    done = folder("rehearse", folder.file(text), "--junit", "out.xml")
    assert done.code == 1
    lines = done.out.split("\n")
    at = next(i for i, line in enumerate(lines) if "fail at leaves" in line)
    assert "NOT as before" in lines[at]
    assert lines[at + 1].strip() == "+ data/left"
    assert "2 of 4 rehearsals failed" in done.out
    failed = ET.parse(folder.folder / "out.xml").getroot().findall("testcase/failure")
    assert [each.text for each in failed] == ["+ data/left", "+ data/left"]


def test_a_kill_during_every_task_and_every_undo_leaves_the_world_as_before(folder: Taskrun) -> None:
    text = GOOD.replace("echo x >", "sleep 0.1; echo x >").replace("'rm ", "'sleep 0.1; rm ")
    text = text.replace("  - {name: say, echo: done}\n", "")
    done = folder("rehearse", folder.file(text), "--kill")
    assert done.code == 0, done.out
    assert [line.split("  ")[0] for line in cases(done)][3:] == [
        "kill during make, revert",
        "kill during make, resume",
        "kill during write, revert",
        "kill during write, resume",
        "kill during the undo of make, resume",
        "kill during the undo of write, resume",
    ]
    assert "not played: " not in next(line for line in cases(done) if "undo of write" in line)


def test_an_undo_that_cannot_take_a_kill_is_found(folder: Taskrun) -> None:
    text = """\
name: w
tasks:
  - {name: make, run: 'echo 1 > data/a', revert: 'rm data/a && sleep 0.2 && echo left > data/b'}
"""
    done = folder("rehearse", folder.file(text), "--kill")
    assert done.code == 1
    assert "+ data/b" in done.out


def test_an_input_that_is_a_path_elsewhere_is_copied_too(folder: Taskrun) -> None:
    elsewhere = folder.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    text = GOOD.replace("'rmdir", '\'touch "$HOME_DIR/left"; rmdir')
    done = folder("rehearse", folder.file(text), "-i", f"home={elsewhere}")
    assert done.code == 1
    assert f"+ {elsewhere}/left" in done.out
    assert [path.name for path in elsewhere.iterdir()] == ["file"]


def test_only_the_declared_paths_are_copied(folder: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: 'test ! -e other && test -e data/kept', revert: none}\n"
    (folder.folder / "other").touch()
    assert folder("rehearse", folder.file(text), "--path", "data").code == 0
    assert folder("rehearse", "w.yaml").code == 1


def test_what_is_not_reached_is_said_and_is_no_failure(folder: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, echo: x, if: 1 == 2}\n  - {name: b, run: 'true', check: 'true', revert: none}\n"
    done = folder("rehearse", folder.file(text), "--junit", "out.xml")
    assert done.code == 0
    assert "not played: its condition does not hold" in done.out
    assert "not played: it was done already" in done.out
    assert done.out.endswith("\n1 rehearsal: the world is as before, 2 not played\n")
    assert len(ET.parse(folder.folder / "out.xml").getroot().findall("testcase/skipped")) == 2


def test_a_workflow_that_does_not_work_in_the_copy_says_why(folder: Taskrun) -> None:
    done = folder("rehearse", folder.file("name: w\ntasks: [{name: a, run: exit 3, revert: none}]\n"))
    assert done.code == 1
    assert "it does not work here: a: exit code 3" in done.out
    assert "NOT as before" not in done.out
    assert "It does not work in the copy" in done.err


def test_an_irreversible_task_is_named_beside_the_verdict(folder: Taskrun) -> None:
    text = (
        "name: w\ntasks:\n  - {name: mail, run: 'true', revert: {impossible: out}}\n  - {name: b, echo: x}\n"
    )
    done = folder("rehearse", folder.file(text))
    assert done.code == 0
    assert "as before, but for mail: irreversible" in done.out


def test_what_really_reaches_outside_is_said_before(folder: Taskrun) -> None:
    text = "name: w\ntasks: [{name: call, http: 'http://127.0.0.1:9/', timeout: 1s}]\n"
    done = folder("rehearse", folder.file(text))
    assert "note: what these do is really done, each time: call" in done.err


def test_a_simulated_rehearsal_runs_nothing(folder: Taskrun) -> None:
    text = GOOD.replace("  - {name: say, echo: done}\n", LEAVES)
    done = folder("rehearse", folder.file(text), "--simulate", "--kill")
    assert done.code == 0
    assert len(cases(done)) == 4 + 6 + 3
    assert done.out.endswith("\n13 rehearsals: the world is as before\n")
