"""Settings: who counts before whom, where each comes from, and what is said of a mistake in them."""

import json
import os
import subprocess
import sys

import platformdirs
import pytest

from taskrun.cli.settings import KEYS, Settings, user_file
from taskrun.cli.settings_file import read
from taskrun.errors import WorkflowError
from taskrun.spec.catalog import settings
from tests.command import Taskrun

FLOW = "name: a\ntasks: [{name: b, echo: c}]\n"


def shown(taskrun: Taskrun, *args: str, **env: str) -> dict[str, dict[str, object]]:
    return json.loads(taskrun("config", "show", *args, "-o", "json", env=env).out)


def user_settings(taskrun: Taskrun, text: str) -> str:
    path = taskrun.home.parent / "config" / "taskrun" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_each_source_counts_before_the_next_one(taskrun: Taskrun) -> None:
    user = user_settings(taskrun, "jobs = 2\ncolor = 'never'\nstrict = true\n")
    assert shown(taskrun)["jobs"] == {"value": 2, "origin": "user", "where": f"{user}:1"}
    taskrun.file("# ours\njobs = 3\ncolor = 'always'\n", "taskrun.toml")
    found = shown(taskrun)
    assert found["jobs"] == {"value": 3, "origin": "project", "where": f"{taskrun.folder}/taskrun.toml:2"}
    assert found["strict"]["origin"] == "user"
    assert found["durability"] == {"value": "full", "origin": "default", "where": ""}
    assert shown(taskrun, TASKRUN_JOBS="4")["jobs"] == {
        "value": 4,
        "origin": "environment",
        "where": "TASKRUN_JOBS",
    }
    assert shown(taskrun, TASKRUN_JOBS="")["jobs"]["value"] == 3


def test_a_run_does_what_the_settings_say_and_an_option_beats_them_all(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    taskrun.file('display = "ndjson"\njobs = 3\n', "taskrun.toml")
    assert taskrun("run", "w.yaml").events[0]["kind"] == "run"
    assert "flow a PENDING -> RUNNING" in taskrun("run", "w.yaml", "-o", "plain").out
    assert "flow a PENDING -> RUNNING" in taskrun("run", "w.yaml", env={"TASKRUN_DISPLAY": "plain"}).out
    journal = json.loads(taskrun("runs", "-o", "json").out)
    assert len(journal) == 3


def test_warnings_are_errors_where_the_project_says_so(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, run: 'true'}]\n")
    assert taskrun("run", "w.yaml").code == 0
    taskrun.file("strict = true\n", "taskrun.toml")
    assert taskrun("run", "w.yaml").code == 2
    assert taskrun("validate", "w.yaml").code == 2


def test_the_project_is_where_the_workflow_is_and_its_nearest_file_counts(taskrun: Taskrun) -> None:
    (taskrun.folder / "near" / "er").mkdir(parents=True)
    taskrun.file("jobs = 1\n", "taskrun.toml")
    taskrun.file("[project]\nname = 'x'\n[tool.taskrun]\njobs = 2\n", "near/pyproject.toml")
    taskrun.file("[project]\nname = 'taskrun-of-ours'\n", "near/er/pyproject.toml")
    assert shown(taskrun)["jobs"]["value"] == 1
    found = shown(taskrun, "near/er/w.yaml")["jobs"]
    assert found == {"value": 2, "origin": "project", "where": f"{taskrun.folder}/near/pyproject.toml:4"}


@pytest.mark.parametrize(
    "text",
    [
        "[tool.taskrun]\njobs = 2\n",
        "[ tool . 'taskrun' ]\njobs = 2\n",
        "tool.taskrun.jobs = 2\n",
        "[tool]\ntaskrun.jobs = 2\n",
        '[tool]\n"taskrun" = {jobs = 2}\n',
    ],
)
def test_the_table_of_a_pyproject_may_be_written_in_any_way(text: str, taskrun: Taskrun) -> None:
    taskrun.file(text, "pyproject.toml")
    assert shown(taskrun)["jobs"]["value"] == 2


def test_in_one_folder_taskrun_toml_comes_first(taskrun: Taskrun) -> None:
    taskrun.file("jobs = 1\n", "taskrun.toml")
    taskrun.file("[tool.taskrun]\njobs = 2\n", "pyproject.toml")
    assert shown(taskrun)["jobs"]["value"] == 1


def test_one_file_can_stand_for_both(taskrun: Taskrun) -> None:
    user_settings(taskrun, "jobs = 2\n")
    taskrun.file("jobs = 3\n", "taskrun.toml")
    taskrun.file("jobs = 5\n", "other.toml")
    assert shown(taskrun, TASKRUN_CONFIG="other.toml")["jobs"]["value"] == 5
    assert shown(taskrun, TASKRUN_CONFIG=os.devnull)["jobs"]["origin"] == "default"
    done = taskrun("config", "show", env={"TASKRUN_CONFIG": "nowhere.toml"})
    assert done.code == 2
    assert "nowhere.toml cannot be read: No such file" in done.err


def test_the_user_can_say_where_state_is_kept_and_a_project_cannot(taskrun: Taskrun) -> None:
    kept = taskrun.home.parent / "kept"
    user_settings(taskrun, f"home = '{kept}'\n")
    taskrun.file(FLOW)
    assert taskrun("run", "w.yaml", env={"TASKRUN_HOME": ""}).code == 0
    assert (kept / "journal.db").exists()
    assert not taskrun.home.exists()
    assert "SUCCESS" in taskrun("states", env={"TASKRUN_HOME": ""}).out
    taskrun.file("home = 'here'\n", "taskrun.toml")
    done = taskrun("run", "w.yaml")
    assert done.code == 2
    assert "taskrun.toml:1:1: error[TR904] `home`" in done.err


def test_all_mistakes_of_a_file_are_said_at_once_with_their_places(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    taskrun.file("job = 2\ncolor = 'nevr'  # no\njobs = true\nstrict = 'yes'\n", "taskrun.toml")
    done = taskrun("run", "w.yaml")
    assert done.code == 2
    assert done.out == ""
    for words in (
        "taskrun.toml:1:1: error[TR902] there is no setting `job`",
        "= help: did you mean `jobs`?",
        "taskrun.toml:2:9: error[TR903] `color` must be one of auto, always, never",
        "^^^^^^\n  = help: did you mean `never`?",
        "taskrun.toml:3:8: error[TR903] `jobs` must be a whole number from 1 to 10,000",
        "taskrun.toml:4:10: error[TR903] `strict` must be true or false",
    ):
        assert words in done.err, done.err
    assert not (taskrun.home / "journal.db").exists()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TASKRUN_JOBS", "many", "TASKRUN_JOBS is 'many': expected a whole number from 1 to 10,000"),
        ("TASKRUN_JOBS", "9" * 5000, "expected a whole number"),
        ("TASKRUN_COLOR", "red", "TASKRUN_COLOR is 'red': expected one of auto, always, never"),
        ("TASKRUN_STRICT", "perhaps", "TASKRUN_STRICT is 'perhaps': expected true or false"),
    ],
)
def test_a_variable_with_a_wrong_value_is_refused(
    variable: str, value: str, words: str, taskrun: Taskrun
) -> None:
    taskrun.file(FLOW)
    done = taskrun("run", "w.yaml", env={variable: value})
    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize("id_", settings.ENTRIES)
def test_the_examples_of_a_page_get_what_the_page_says(id_: str, tmp_path) -> None:
    page, path = settings.ENTRIES[id_], tmp_path / "taskrun.toml"
    path.write_text(page.bad)
    with pytest.raises(WorkflowError) as raised:
        read(str(path), "project")
    assert [each.id for each in raised.value.diagnostics] == [id_]
    path.write_text(page.good)
    assert read(str(path), "user")


@pytest.mark.parametrize(
    "text", ["a = [1\n", "= 3\n", "x\x00y = 1", "\udcff", "[tool\n", "tool = 3\n[tool.taskrun]\n"]
)
def test_text_that_is_no_toml_is_one_diagnostic(text: str, tmp_path) -> None:
    path = tmp_path / "taskrun.toml"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(WorkflowError) as raised:
        read(str(path), "project")
    assert [each.id for each in raised.value.diagnostics] == ["TR901"]


def test_a_table_that_is_none_is_said(taskrun: Taskrun) -> None:
    taskrun.file("tool.taskrun = 3\n", "pyproject.toml")
    done = taskrun("config", "show")
    assert done.code == 2
    assert "pyproject.toml: error[TR903] a table is needed" in done.err


def test_a_strangers_file_in_a_folder_for_everybody_is_not_used(tmp_path, monkeypatch, capsys) -> None:
    folder = tmp_path / "everybody"
    folder.mkdir()
    folder.chmod(0o1777)
    (folder / "taskrun.toml").write_text("jobs = 1\n")
    assert Settings(str(folder), {}).find("jobs")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4321)
    if os.getuid() != 0:
        assert Settings(str(folder), {}).project_file() is None
        assert "is not used" in capsys.readouterr().err
    else:
        os.chown(folder / "taskrun.toml", 4322, -1)
        assert Settings(str(folder), {}).project_file() is None
        assert "is not used" in capsys.readouterr().err


@pytest.mark.parametrize("base", [None, "", "/elsewhere", "relative"])
def test_the_users_file_is_where_platformdirs_says(base: str | None, monkeypatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if base is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", base)
    found = user_file(os.environ)
    assert (
        found is None
        if base == "relative"
        else found == f"{platformdirs.user_config_dir('taskrun')}/config.toml"
    )


def test_without_a_file_nothing_is_loaded_that_reads_one(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    code = (
        "import sys, json; from taskrun.cli.main import main; main(['run', 'w.yaml']);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=taskrun.folder, env=taskrun.env, capture_output=True, text=True
        )
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "taskrun.cli.settings" in loaded
    assert not loaded & {
        "tomllib",
        "taskrun.cli.settings_file",
        "platformdirs",
        "yaml",
        "pydantic",
        "logging",
    }


def test_a_misspelt_variable_is_pointed_out(taskrun: Taskrun) -> None:
    done = taskrun("config", "show", env={"TASKRUN_JOB": "3", "TASKRUN_TASK": "x", "TASKRUN_V1": "y"})
    assert done.err == "warning: TASKRUN_JOB is no setting: did you mean TASKRUN_JOBS?\n"


def test_every_setting_is_in_the_document(taskrun: Taskrun) -> None:
    from tests.command import ROOT

    text = (ROOT / "docs" / "settings.md").read_text()
    assert [key for key in KEYS if f"{key} = " not in text] == []


def test_where_the_files_are(taskrun: Taskrun) -> None:
    out = taskrun("config", "path").out
    assert "project  none" in out
    assert "taskrun/config.toml  (there is none yet)" in out
    taskrun.file("", "taskrun.toml")
    assert f"project  {taskrun.folder}/taskrun.toml\n" in taskrun("config", "path").out
