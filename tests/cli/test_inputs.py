"""Inputs from the command line, a file, the environment and the defaults: typed, checked, all mistakes at once."""

import json

import pytest

from tests.command import Taskrun

FILE = """name: inputs
inputs:
  text: {type: string, default: none given}
  count: {type: integer, default: 3, minimum: 1, maximum: 9}
  ratio: {type: number, default: 0.5}
  on: {type: boolean, default: false}
  items: {type: list, default: [a]}
  table: {type: object, default: {}}
  where: {type: path, default: here}
  stage: {enum: [test, prod], default: test}
  version: {type: string, pattern: '^\\d+\\.\\d+$', default: '1.0'}
  from_env: {default: nothing, env: FROM_ENV}
  short: just this
tasks:
  - name: tell
    echo: told
    outputs: {all: inputs}
"""


def told(taskrun: Taskrun, *arguments: object, **env: str) -> dict:
    done = taskrun("run", "w.yaml", "-o", "ndjson", *arguments, env=env)
    assert done.code == 0, done.err
    return next(
        e["outputs"]["all"] for e in done.events if e.get("name") == "tell" and e["state"] == "SUCCESS"
    )


def test_defaults_are_used_with_their_types(taskrun: Taskrun) -> None:
    taskrun.file(FILE)
    found = told(taskrun)
    assert found["where"].removeprefix(str(taskrun.folder)).lstrip("/") == "here"
    del found["where"]
    assert found == {
        "text": "none given", "count": 3, "ratio": 0.5, "on": False, "items": ["a"], "table": {},
        "stage": "test", "version": "1.0", "from_env": "nothing", "short": "just this",
    }  # fmt: skip


def test_what_is_typed_gets_its_type(taskrun: Taskrun) -> None:
    taskrun.file(FILE)
    found = told(
        taskrun, "-i", "text=NO", "-i", "count=7", "-i", "ratio=2", "-i", "on=true", "-i", 'items=["x", 1]',
        "-i", 'table={"a": {"b": null}}', "-i", "stage=prod", "-i", "version=1.10", "-i", "short=a=b=c",
        FROM_ENV="from outside",
    )  # fmt: skip
    assert (found["text"], found["count"], found["ratio"], found["on"]) == ("NO", 7, 2, True)
    assert (found["items"], found["table"]) == (["x", 1], {"a": {"b": None}})
    assert (found["stage"], found["version"], found["short"]) == ("prod", "1.10", "a=b=c")
    assert found["from_env"] == "from outside"


def test_a_path_is_seen_from_where_it_was_typed(taskrun: Taskrun) -> None:
    (taskrun.folder / "below").mkdir()
    taskrun.file(FILE, "below/w.yaml")
    done = taskrun("run", "below/w.yaml", "-i", "where=x/y", "-o", "ndjson")
    outputs = next(e["outputs"] for e in done.events if e.get("name") == "tell" and e["state"] == "SUCCESS")
    assert outputs["all"]["where"] == str(taskrun.folder / "x" / "y")


@pytest.mark.parametrize("name", ["given.yaml", "given.json"])
def test_inputs_come_from_a_file_and_the_command_line_wins(name: str, taskrun: Taskrun) -> None:
    taskrun.file(FILE)
    text = json.dumps({"text": "from the file", "count": 5, "items": [1, 2]})
    taskrun.file(text if name.endswith("json") else "text: from the file\ncount: 5\nitems: [1, 2]\n", name)
    found = told(taskrun, "--inputs-file", name, "-i", "count=6")
    assert (found["text"], found["count"], found["items"]) == ("from the file", 6, [1, 2])


def test_all_that_is_wrong_is_said_at_once(taskrun: Taskrun) -> None:
    taskrun.file(FILE.replace("default: none given", "description: needed"))
    done = taskrun(
        "run", "w.yaml", "-i", "count=many", "-i", "ratio=x", "-i", "on=perhaps", "-i", "items={", "-i", "stage=live",
        "-i", "version=one", "-i", "cuont=3",
    )  # fmt: skip
    assert done.code == 2
    for name in ("text", "count", "ratio", "on", "items", "stage", "version"):
        assert f"`{name}`" in done.err or f"{name}" in done.err
    assert "did you mean" in done.err
    assert "count" in done.err
    assert len(done.err.splitlines()) >= 8
    assert not list((taskrun.home / "runs").glob("*"))


@pytest.mark.parametrize("value", ["count=0", "count=10", "count=1.5", "count=", "count=1e3"])
def test_a_number_out_of_range_is_refused(value: str, taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(FILE), "-i", value)
    assert done.code == 2
    assert "count" in done.err


@pytest.mark.parametrize(
    "text", ["- a list\n", "just text\n", "text: [\n", "\x00", "no_such_input: 1\n"], ids=range(5)
)
def test_a_file_of_inputs_that_is_wrong_is_refused(text: str, taskrun: Taskrun) -> None:
    taskrun.file(FILE)
    taskrun.file(text, "given.yaml")
    for path in ("given.yaml", "missing.yaml", "."):
        done = taskrun("run", "w.yaml", "--inputs-file", path)
        assert done.code == 2, done.err
        assert "Traceback" not in done.err
        assert "bug in" not in done.err


def test_the_inputs_of_a_run_are_kept_for_its_resume(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: kept\ninputs: {word: {type: string}}\non_failure: stop\ntasks:\n"
        "  - {name: one, run: test -e ok, revert: none}\n"
        "  - {name: two, run: 'echo ${{ inputs.word }} > out', revert: none}\n"
    )
    assert taskrun("run", "w.yaml", "-i", "word=given once").code == 3
    (taskrun.folder / "ok").touch()
    assert taskrun("resume").code == 0
    assert (taskrun.folder / "out").read_text() == "given once\n"
