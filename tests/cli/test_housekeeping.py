"""`actions`, `prune`, `doctor` and `completion`."""

import json
import os
import stat
import time

import pytest

from tests.cli.terminal import until
from tests.command import Taskrun

OK = "name: ok\ntasks: [{name: a, run: 'true', revert: 'true'}]\n"
BACK = "name: back\ntasks: [{name: a, fail: x}]\n"
STUCK = "name: stuck\ntasks:\n  - {name: a, run: 'true', revert: {run: exit 1, retry: {attempts: 1}}}\n  - {name: b, fail: x}\n"


def runs(taskrun: Taskrun) -> list[dict]:
    return json.loads(taskrun("runs", "-o", "json").out)


def names(taskrun: Taskrun) -> list[str]:
    return [run["name"] for run in runs(taskrun)]


# ---------------------------------------------------------------------- actions


def test_every_action_of_the_language_is_listed(taskrun: Taskrun) -> None:
    done = taskrun("actions")
    assert (done.code, done.err) == (0, "")
    for name in ("run", "http", "file", "sql", "approve", "workflow"):
        assert f"\n  {name} " in f"\n{done.out}"
    assert all(len(line) < 80 for line in done.out.split("\n"))


def test_an_action_is_described_with_its_fields(taskrun: Taskrun) -> None:
    out = taskrun("actions", "exec").out
    assert out.startswith("exec: Run a program without a shell.\n")
    assert "  argv  list, required\n      Program and arguments; no shell is involved.\n" in out
    assert "`exec: TEXT` is short for `exec: {argv: TEXT}`." in out
    assert "It undoes itself" in taskrun("actions", "file").out


def test_actions_for_programs_have_types_defaults_and_examples(taskrun: Taskrun) -> None:
    found = json.loads(taskrun("actions", "-o", "json").out)
    http = next(each for each in found if each["name"] == "http")
    fields = {field["name"]: field for field in http["fields"]}
    assert (fields["method"]["type"], fields["method"]["default"]) == ("text", "GET")
    assert fields["headers"]["examples"] == [{"Accept": "application/json"}]
    assert http["undo"] == "revert"


def test_an_unknown_action_is_not_found(taskrun: Taskrun) -> None:
    done = taskrun("actions", "htp")
    assert (done.code, "did you mean 'http'?" in done.err) == (4, True)


# ---------------------------------------------------------------------- prune


def test_the_newest_are_kept_and_the_rest_is_gone_with_its_files(taskrun: Taskrun) -> None:
    taskrun.file(OK)
    for _ in range(4):
        assert taskrun("run", "w.yaml").code == 0
    before = [run["run"] for run in runs(taskrun)]
    done = taskrun("prune", "--keep", "1")
    assert done.code == 0
    assert "3 runs deleted, 1 kept" in done.err
    assert [run["run"] for run in runs(taskrun)] == before[:1]
    assert os.listdir(taskrun.home / "runs") == before[:1]
    assert taskrun("doctor").code == 0


def test_a_dry_run_deletes_nothing(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(OK))
    done = taskrun("prune", "--keep", "0", "--dry-run")
    assert "1 run would be deleted, 0 kept" in done.err
    assert len(runs(taskrun)) == 1


def test_what_is_not_fully_undone_stays_unless_forced(taskrun: Taskrun) -> None:
    for name, text in (("stuck.yaml", STUCK), ("back.yaml", BACK), ("ok.yaml", OK)):
        taskrun("run", taskrun.file(text, name))
    done = taskrun("prune", "--keep", "0")
    assert "it is FAILURE, and not fully undone" in done.err
    assert names(taskrun) == ["stuck"]
    assert taskrun("prune", "--keep", "0", "--force").code == 0
    assert runs(taskrun) == []


def test_a_rollback_that_left_residue_stays(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(BACK + "verify_revert: ['exit 1']\n"))
    taskrun("prune", "--keep", "0")
    assert names(taskrun) == ["back"]


def test_a_run_under_way_stays_even_if_forced_and_an_interrupted_one_unless_forced(taskrun: Taskrun) -> None:
    text = "name: w\ntasks: [{name: a, run: 'touch began; while [ ! -e go ]; do sleep 0.02; done', revert: none}]\n"
    process = taskrun.start("run", taskrun.file(text))
    until(lambda: (taskrun.folder / "began").exists())
    assert "it is under way" in taskrun("prune", "--keep", "0", "--force").err
    process.kill()
    process.communicate()
    assert "it is under way" in taskrun("prune", "--keep", "0", "--force").err  # its task still is
    (taskrun.folder / "go").touch()
    until(lambda: "it was interrupted" in taskrun("prune", "--keep", "0").err)
    assert len(runs(taskrun)) == 1
    assert "1 run deleted" in taskrun("prune", "--keep", "0", "--force").err


def test_only_runs_older_than_that_are_deleted(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(OK))
    assert "0 runs deleted" in taskrun("prune", "--older-than", "1h").err
    time.sleep(0.05)
    assert "1 run deleted" in taskrun("prune", "--older-than", "10ms").err


def test_what_was_left_by_those_killed_while_they_made_a_run_goes_too(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(OK))
    for name, age in (("1m86old000000", 7200), ("1m86new000000", 0)):
        directory = taskrun.home / "runs" / name
        (directory / "out").mkdir(parents=True)
        os.utime(directory, (time.time() - age,) * 2)
    assert (
        "1 directory of a run that never began would be deleted"
        in taskrun("prune", "--keep", 9, "--dry-run").err
    )
    assert "1 directory of a run that never began deleted" in taskrun("prune", "--keep", 9).err
    assert not (taskrun.home / "runs" / "1m86old000000").exists()
    assert (taskrun.home / "runs" / "1m86new000000").exists()
    assert len(os.listdir(taskrun.home / "runs")) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "say which"), (["--older-than", "3"], "has no unit"), (["--keep", "-1"], "-1")],
)
def test_what_to_prune_has_to_be_said(taskrun: Taskrun, arguments: list[str], words: str) -> None:
    done = taskrun("prune", *arguments)
    assert (done.code, words in done.err) == (2, True)


# ---------------------------------------------------------------------- doctor


def test_a_good_machine_is_found_good_before_and_after_the_first_run(taskrun: Taskrun) -> None:
    done = taskrun("doctor")
    assert (done.code, done.err) == (0, "")
    assert not taskrun.home.exists()
    taskrun("run", taskrun.file(OK))
    found = {each["what"]: each for each in json.loads(taskrun("doctor", "-o", "json").out)}
    assert {each["verdict"] for each in found.values()} == {"good"}
    assert found["journal"]["message"].startswith("1 runs")


def test_a_damaged_journal_is_bad(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(OK))
    taskrun("runs")
    import sqlite3

    with sqlite3.connect(taskrun.home / "journal.db") as db:
        db.execute("UPDATE entries SET state = 'FAILURE' WHERE state = 'SUCCESS'")
    done = taskrun("doctor")
    assert done.code == 1
    assert "BAD   journal" in done.out
    assert "is damaged" in done.out


def test_a_state_directory_that_others_can_write_is_bad(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(OK))
    taskrun.home.chmod(0o777)
    done = taskrun("doctor")
    assert done.code == 1
    assert "BAD   state" in done.out
    assert "chmod go-w" in done.out


def test_runs_that_wait_for_somebody_are_worth_knowing(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(STUCK))
    done = taskrun("doctor")
    assert done.code == 0
    assert "note  runs" in done.out


def test_what_is_kept_of_a_compiled_file_makes_no_readable_home(taskrun: Taskrun) -> None:
    taskrun("plan", taskrun.file(OK))
    assert stat.S_IMODE(taskrun.home.stat().st_mode) == 0o700


# ---------------------------------------------------------------------- completion


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete"), ("zsh", "compdef"), ("fish", "complete")])
def test_each_shell_gets_its_script(taskrun: Taskrun, shell: str, word: str) -> None:
    out = taskrun("completion", shell).out
    assert word in out
    assert f"_TASKRUN_COMPLETE={shell}_complete" in out


def complete(taskrun: Taskrun, line: str) -> list[str]:
    words = line.split(" ")
    env = {"_TASKRUN_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return [row.partition(",")[2] for row in taskrun(env=env).out.splitlines() if row]


def test_runs_tasks_actions_and_diagnostics_are_completed(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(STUCK))
    run = runs(taskrun)[0]["run"]
    assert complete(taskrun, "taskrun states ") == [run, "latest"]
    assert complete(taskrun, f"taskrun logs {run[:4]}") == [run]
    assert complete(taskrun, f"taskrun resolve {run} ") == ["a", "b"]
    assert complete(taskrun, "taskrun revert --skip ") == ["a", "b"]
    assert complete(taskrun, "taskrun plan w.yaml --fail-at ") == ["a", "b"]
    assert complete(taskrun, "taskrun actions ht") == ["http"]
    assert "TR201" in complete(taskrun, "taskrun explain TR2")
    assert "plan" in complete(taskrun, "taskrun pl")


def test_completing_without_any_run_or_with_a_broken_file_is_quiet(taskrun: Taskrun) -> None:
    taskrun.file("name: [\n")
    assert complete(taskrun, "taskrun states ") == []
    assert complete(taskrun, "taskrun plan w.yaml --fail-at ") == []
