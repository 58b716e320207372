"""`validate` tells every mistake at once and never breaks, whatever the file holds."""

import json
import os
import pathlib
import random
import re

import pytest

from tests.command import Taskrun

MISTAKES = """name: many mistakes
pattern: grpah
inputs:
  size: {type: integr}
secrets:
  token: {env: T, file: x}
tasks:
  - name: one
    run: echo ${{ inputs.sise }}
    revrt: echo undo
  - name: one
    run: echo '${{ inputs.size }}'
    revert: none
  - name: two
    timeout: 30
    run: echo ${{ tasks.too.outputs.x }}
    http: http://x
    revert: none
  - name: three
    if: inputs.size >
    retry: {attempts: 0}
    run: {script: x, bogus: 1}
    outputs: {x: secrets.token}
  - name: four
notify:
  - {flow: [SUCESS], echo: hi}
extra: 1
"""


def test_many_mistakes_are_all_told_at_once_each_with_its_place(taskrun: Taskrun) -> None:
    done = taskrun("validate", taskrun.file(MISTAKES))
    assert done.code == 2
    assert done.err == ""
    told = re.findall(r"^w\.yaml:(\d+):(\d+): error\[(TR\d+)\] (.*)$", done.out, re.MULTILINE)
    assert len(told) >= 12
    assert len({line for line, *_ in told}) >= 12
    assert f"w.yaml: {len(told)} errors, 1 warning" in done.out
    lines = MISTAKES.splitlines()
    for line, column, _, _ in told:
        assert lines[int(line) - 1] in done.out  # the excerpt
        assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1
    for line, column, word, better in (
        (2, 12, "grpah", "`graph`"),
        (10, 5, "revrt", "`revert`"),
        (26, 13, "SUCESS", "`SUCCESS`"),
        (9, 26, "sise", "`size`"),
        (4, 16, "integr", "`integer`"),
    ):
        block = next(b for b in done.out.split("\n\n") if f"`{word}`" in b)
        assert re.match(rf"w\.yaml:{line}:\d+: error\[TR\d+\]", block), block
        assert f"did you mean {better}" in block or better in block
        caret = next(text for text in block.splitlines() if "^" in text)
        excerpt = next(text for text in block.splitlines() if word in text and "|" in text)
        assert excerpt.index(word) <= caret.index("^") + len(word), block
        assert column


def test_json_has_the_same_for_programs(taskrun: Taskrun) -> None:
    done = taskrun("validate", taskrun.file(MISTAKES), "-o", "json")
    assert done.code == 2
    found = json.loads(done.out)
    assert len(found) >= 12
    one = next(each for each in found if "revrt" in each["message"])
    assert {"id", "severity", "message", "path", "line", "column"} <= set(one)
    assert (one["id"], one["line"], one["column"]) == ("TR201", 10, 5)
    assert (
        json.loads(
            taskrun("validate", "-o", "json", taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n")).out
        )
        == []
    )


def test_each_file_gets_its_verdict_and_one_bad_one_decides(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n", "good.yaml")
    taskrun.file("name: a\ntasks: [{name: b, run: c}]\n", "warned.yaml")
    done = taskrun("validate", "good.yaml", "warned.yaml", "missing.yaml")
    assert done.code == 2
    verdicts = [line for line in done.out.splitlines() if re.match(r"\w+\.yaml: (ok|\d)", line)]
    assert verdicts == [
        "good.yaml: ok, 1 task",
        "warned.yaml: ok, 1 task, 1 warning",
        "missing.yaml: 1 error",
    ]
    assert taskrun("validate", "good.yaml", "warned.yaml").code == 0
    assert taskrun("validate", "--strict", "good.yaml", "warned.yaml").code == 2
    assert taskrun("run", "--strict", "warned.yaml").code == 2


def test_what_validate_tells_run_tells_too_and_runs_nothing(taskrun: Taskrun) -> None:
    taskrun.file(MISTAKES)
    done = taskrun("run", "w.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.strip() in taskrun("validate", "w.yaml").out


def test_an_id_is_explained(taskrun: Taskrun) -> None:
    done = taskrun("explain", "tr201")
    assert done.code == 0
    assert done.out.startswith("TR201: ")
    assert "Wrong:" in done.out
    assert "Right:" in done.out
    assert len(taskrun("explain").out.splitlines()) > 40


def test_the_schema_is_json(taskrun: Taskrun) -> None:
    schema = json.loads(taskrun("schema").out)
    assert "tasks" in schema["properties"]


ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x0: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], x{i}: 1}}\n" for i in range(1, 12)
)
GARBAGE: dict[str, bytes] = {
    "random bytes": random.Random(7).randbytes(10_000),
    "all bytes": bytes(range(256)) * 10,
    "nothing": b"",
    "only a NUL": b"\0",
    "1 MB of [": b"[" * 1_000_000,
    "1 MB of {": b"{a: " * 250_000,
    "deep indentation": b"".join(b" " * i + b"a:\n" for i in range(2000)),
    "an alias bomb": ALIASES.encode(),
    "a merge bomb": MERGES.encode(),
    "UTF-16": "name: x\ntasks: []\n".encode("utf-16"),
    "UTF-16 without a mark": "name: x\ntasks: []\n".encode("utf-16-le"),
    "Latin-1": "name: é\n".encode("latin-1"),
    "an unknown tag": b"name: !!python/object/apply:os.system [touch pwned]\n",
    "two documents": b"name: a\n---\nname: b\n",
    "tabs": b"name: a\n\ttasks: []\n",
    "a list": b"- a\n- b\n",
    "a number": b"42\n",
    "a key that is a map": b"? {a: b}\n: c\n",
    "an endless alias": b"a: &a [*a]\n",
    "control characters": b"name: \x1b]0;x\x07\x9b31m\n",
    "a long line": b"name: " + b"x" * 1_000_000 + b"\n",
    "unclosed quotes": b'name: "abc\n',
    "a wrong escape": b'name: "\\q"\n',
    "percent": b"%YAML 9.9\n---\nname: a\n",
    "a BOM": b"\xef\xbb\xbfname: a\ntasks: [{name: b, echo: c}, {name: c, xyz: 1}]\n",
    "deep expressions": b"name: a\ntasks: [{name: b, echo: '${{ " + b"(" * 10_000 + b" }}'}]\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_in_words(garbage: bytes, taskrun: Taskrun) -> None:
    (taskrun.folder / "w.yaml").write_bytes(garbage)
    done = taskrun("validate", "w.yaml")
    assert done.code == 2, done.out[:2000]
    assert "Traceback" not in done.out + done.err
    assert "bug in taskrun" not in done.err
    assert re.search(r"w\.yaml(:\d+:\d+)?: error\[TR\d+\] ", done.out), done.out[:2000]
    assert "\x1b" not in done.out
    assert "\x9b" not in done.out
    assert len(done.out) < 100_000
    assert not (taskrun.folder / "pwned").exists()


@pytest.mark.parametrize("command", ["validate", "run"])
def test_what_is_no_file_is_refused_in_words(command: str, taskrun: Taskrun, tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "work" / "fifo")
    (tmp_path / "work" / "loop").symlink_to("loop")
    (tmp_path / "work" / "secret").write_text("name: a\n")
    (tmp_path / "work" / "secret").chmod(0)
    places = [".", "missing.yaml", "missing/w.yaml", "fifo", "loop", "/dev/zero", "/dev/tty", "a" * 5000, ""]
    for path in places + ([] if os.getuid() == 0 else ["secret"]):
        done = taskrun(command, path)
        assert done.code == 2, (path, done.out, done.err)
        assert "Traceback" not in done.out + done.err
        assert "bug" not in done.out + done.err


def test_50_000_tasks_are_checked_and_their_mistakes_told(taskrun: Taskrun) -> None:
    tasks = [f"  - {{name: t{i}, run: 'true', revert: none}}" for i in range(50_000)]
    taskrun.file("name: many\ntasks:\n" + "\n".join(tasks) + "\n")
    done = taskrun("validate", "w.yaml")
    assert (done.code, done.out) == (0, "w.yaml: ok, 50,000 tasks\n"), done.err
    tasks[49_998] = tasks[49_998].replace("revert", "revrt")
    taskrun.file("name: many\ntasks:\n" + "\n".join(tasks) + "\n")
    done = taskrun("validate", "w.yaml")
    assert done.code == 2
    assert "w.yaml:50001:" in done.out
    assert "did you mean `revert`?" in done.out


def test_colours_are_there_when_asked_for_and_the_words_are_the_same_without(taskrun: Taskrun) -> None:
    (taskrun.folder / "bad.yaml").write_text("name: f\ntasks:\n  - name: a\n    run: x\n    revrt: y\n")
    plain = taskrun("validate", "bad.yaml")
    painted = taskrun("validate", "--color", "always", "bad.yaml")
    assert "\x1b[1;31merror[TR201]\x1b[0m" in painted.out
    assert "\x1b[" not in plain.out
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted.out) == plain.out
