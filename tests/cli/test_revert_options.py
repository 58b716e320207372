"""What a person can do about undos that failed: give one up, try only them again, settle them by hand."""

import json

import pytest

from tests.command import Done, Taskrun

# The undo of `two` fails while the file `broken` is there; that of `one` waits behind it.
STUCK = """\
name: stuck
tasks:
  - {name: one, run: touch one, revert: rm one}
  - {name: two, run: touch two, revert: {run: 'test ! -e broken && rm two', retry: {attempts: 1}}}
  - {name: three, fail: on purpose}
"""


@pytest.fixture
def stuck(taskrun: Taskrun) -> Taskrun:
    (taskrun.folder / "broken").touch()
    assert taskrun("run", taskrun.file(STUCK)).code == 3
    return taskrun


def run_id(taskrun: Taskrun) -> str:
    return json.loads(taskrun("runs", "-o", "json").out)[0]["run"]


def there(taskrun: Taskrun) -> set[str]:
    return {path.name for path in taskrun.folder.iterdir()} & {"one", "two"}


def undos(done: Done) -> list[str]:
    return [e["name"] for e in done.events if e["kind"] == "task" and e["state"] == "REVERTING"]


def test_the_last_words_have_a_command_for_each_way_out(stuck: Taskrun) -> None:
    done = stuck("revert")
    run = run_id(stuck)
    assert "  not undone two  ExitCode: exit code 1\n" in done.err
    assert "  still applied\n             one\n" in done.err
    for command in (
        f"taskrun revert {run} ",
        f"taskrun revert {run} --skip two --reason WHY",
        f"taskrun resolve {run} two --undone",
        f"taskrun logs {run} two",
    ):
        assert command in done.err
        if "logs" not in command:
            assert done.err.index("needs you") < done.err.index(command) < done.err.index("  next  ")


def test_a_skipped_undo_leaves_its_task_applied_and_frees_what_is_behind_it(stuck: Taskrun) -> None:
    done = stuck("revert", "--skip", "two", "--reason", "the disk is gone", "-o", "ndjson")
    assert done.code == 3
    assert there(stuck) == {"two"}
    assert undos(done) == ["one"]
    assert (done.summary["state"], done.summary["applied"]) == ("FAILURE", ["two"])
    given_up = next(e for e in done.events if e.get("skip"))
    assert (given_up["kind"], given_up["name"], given_up["reason"]) == ("warning", "two", "the disk is gone")
    assert stuck("states").code == 3


def test_every_report_names_what_was_given_up_and_why(stuck: Taskrun) -> None:
    done = stuck("revert", "--skip", "two", "--reason", "the disk is gone")
    assert "  given up   two  the disk is gone\n" in done.err
    assert "not fully rolled back: 1 task could not be undone" in done.err
    assert "--skip two" not in done.err
    assert f"taskrun resolve {run_id(stuck)} two --undone" in done.err
    row = next(t for t in json.loads(stuck("states", "-o", "json").out)["tasks"] if t["name"] == "two")
    assert (row["state"], row["given_up"]) == ("REVERT_FAILURE", "the disk is gone")
    assert "given up: the disk is gone" in stuck("states").out
    assert "its undo is given up: the disk is gone" in stuck("states", "--history").out


def test_a_later_revert_does_not_try_it_again_and_a_person_can_still_settle_it(stuck: Taskrun) -> None:
    stuck("revert", "--skip", "two", "--reason", "x")
    (stuck.folder / "broken").unlink()
    done = stuck("revert", "-o", "ndjson")
    assert (done.code, undos(done)) == (3, [])
    assert stuck("resolve", run_id(stuck), "two", "--undone").code == 0
    assert stuck("revert").code == 0
    assert stuck("states").code == 1


def test_retry_tries_only_what_failed(stuck: Taskrun) -> None:
    again = stuck("revert", "--retry", "-o", "ndjson")
    assert (again.code, undos(again), there(stuck)) == (3, ["two"], {"one", "two"})
    (stuck.folder / "broken").unlink()
    done = stuck("revert", "--retry", "-o", "ndjson")
    assert (done.code, undos(done), there(stuck)) == (3, ["two"], {"one"})
    assert stuck("revert").code == 0
    assert there(stuck) == set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--skip", "two"], 2, "--reason"),
        (["--skip", "two", "--reason", " "], 2, "--reason"),
        (["--reason", "x"], 2, "--skip"),
        (["--retry", "--skip", "two", "--reason", "x"], 2, "--retry goes alone"),
        (["--skip", "tow", "--reason", "x"], 4, "did you mean 'two'?"),
        (["--skip", "one", "--reason", "x"], 6, "only an undo that failed"),
        (["--skip", "three", "--reason", "x"], 6, "three is REVERTED"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    stuck: Taskrun, arguments: list[str], code: int, words: str
) -> None:
    done = stuck("revert", *arguments)
    assert done.code == code
    assert words in done.err
    assert there(stuck) == {"one", "two"}


def test_retry_is_refused_where_no_undo_has_failed(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file("name: w\ntasks: [{name: a, run: 'true', revert: 'true'}]\n"))
    done = taskrun("revert", "--retry")
    assert (done.code, "no undo of this run has failed" in done.err) == (6, True)
    assert taskrun("states").code == 0


def test_behind_the_point_of_no_return_a_revert_needs_force(taskrun: Taskrun) -> None:
    text = "name: w\ntasks: [{name: a, run: touch one, revert: rm one, pivot: true}]\n"
    taskrun("run", taskrun.file(text))
    done = taskrun("revert")
    assert (done.code, "--force" in done.err) == (6, True)
    assert taskrun("revert", "--force").code == 0
    assert there(taskrun) == set()
