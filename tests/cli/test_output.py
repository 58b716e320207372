"""What a run prints, and that nobody who reads it, or stops reading it, changes the run."""

import json
import os
import subprocess

import pytest

from tests.cli.terminal import Terminal
from tests.command import Taskrun

THREE = """name: three
tasks:
  - {name: one, run: echo 1, revert: echo undo >> undone}
  - {name: warned_of, run: echo 1}
  - {name: two, echo: hello}
  - {name: three, run: 'echo done >> done; exit ${{ inputs.code }}', revert: none}
inputs: {code: 0}
"""


@pytest.mark.parametrize("output", ["ndjson", "plain"])
@pytest.mark.parametrize("code", [0, 3])
def test_a_reader_that_stops_reading_changes_nothing(output: str, code: int, taskrun: Taskrun) -> None:
    taskrun.file(THREE)
    line = f'"$@" run w.yaml -i code={code} -o {output} | head -1; echo "${{PIPESTATUS[0]}}"'
    shell = ["bash", "-c", line, "bash", *taskrun._argv(())]
    done = subprocess.run(
        shell, cwd=taskrun.folder, env=taskrun.env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == ("1" if code else "0"), done.stderr
    assert (taskrun.folder / "done").read_text() == "done\n"
    assert (taskrun.folder / "undone").exists() == bool(code)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("output", ["ndjson", "plain", "auto", "table"])
@pytest.mark.parametrize("target", ["closed pipe", "/dev/full", "closed"])
def test_an_output_that_cannot_be_written_changes_nothing(output: str, target: str, taskrun: Taskrun) -> None:
    taskrun.file(THREE)
    argv = [*taskrun._argv(()), "run", "w.yaml", "-o", output]
    if target == "closed":
        argv = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *argv]
        out = os.open(os.devnull, os.O_WRONLY)
    elif target == "closed pipe":
        read, out = os.pipe()
        os.close(read)
    else:
        out = os.open(target, os.O_WRONLY)
    try:
        done = subprocess.run(
            argv,
            cwd=taskrun.folder,
            env=taskrun.env,
            stdout=out,
            stderr=out,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    finally:
        os.close(out)
    assert done.returncode == 0
    assert (taskrun.folder / "done").read_text() == "done\n"
    assert taskrun("states", "-o", "json").code == 0


@pytest.mark.parametrize(
    "command", [["states"], ["states", "--history"], ["runs"], ["logs"], ["--help"], ["schema"]]
)
def test_commands_that_only_show_end_quietly_when_nobody_reads(command: list[str], taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(THREE))
    read, out = os.pipe()
    os.close(read)
    process = taskrun.start(*command, stdout=out)
    os.close(out)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == ""


def test_history_is_exactly_what_run_printed(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(THREE), "-i", "code=4", "-o", "ndjson")
    history = taskrun("states", "--history", "-o", "ndjson")
    assert done.out.splitlines()[1:-1] == history.out.splitlines()
    assert history.code == 1
    events = history.events
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert list(events[0]) == [
        "v", "seq", "time", "run", "kind", "name", "old_state", "state", "attempt", "outputs", "failure",
    ]  # fmt: skip
    head, summary = done.events[0], done.summary
    assert head == {
        "kind": "run", "v": 1, "run": events[0]["run"], "name": "three", "file": str(taskrun.folder / "w.yaml"),
    }  # fmt: skip
    assert (summary["exit_code"], summary["reverted"], summary["applied"]) == (
        1,
        ["three", "two", "warned_of", "one"],
        [],
    )


def test_ndjson_is_pure_ascii_with_one_object_a_line(taskrun: Taskrun) -> None:
    taskrun.file('name: odd\ntasks: [{name: one, echo: "é\\u2028\\e]0;x\\a\\x7f \\U0001F600"}]\n')
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert done.out.isascii()
    assert "\x1b" not in done.out
    assert "\x7f" not in done.out
    assert "é\u2028\x1b]0;x\x07\x7f \U0001f600" in [event.get("message") for event in done.events]


NASTY = {
    "osc 52, which sets the clipboard": r"\033]52;c;ZXZpbA==\007",
    "the title": r"\033]0;owned\033\\",
    "8-bit CSI": r"\302\233[31m\233[2J",
    "clear and home": r"\033[2J\033[H\033[999B",
    "the alternate screen": r"\033[?1049h",
    "a question the terminal answers": r"\033[c\033[6n\005",
    "DCS and APC": r"\033Pq\033\\\033_x\033\\",
}


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY)
def test_what_a_task_prints_never_steers_the_terminal(nasty: str, taskrun: Taskrun) -> None:
    taskrun.file(
        json.dumps(
            {
                "name": "nasty",
                "tasks": [
                    {"name": "one", "run": f"printf '{nasty}here\\n'; sleep 0.3; exit 1", "revert": "none"},
                ],
            }
        )
    )
    raw = b""
    with Terminal(taskrun, "run", "w.yaml") as terminal:
        terminal.wait_for("REVERTED nasty")
        assert terminal.end() == 1
        assert "here" in terminal.text
        raw += terminal.raw
    for command in (["logs"], ["states"], ["states", "--watch"], ["states", "--history"]):
        with Terminal(taskrun, *command) as terminal:
            terminal.end()
            raw += terminal.raw
    for sequence in (
        b"\x1b]",
        b"\x1bP",
        b"\x1b_",
        b"\x1b[2J",
        b"\x1b[c",
        b"\x1b[6n",
        b"\x1b[?1049",
        b"\x05",
        b"\x07",
    ):
        assert sequence not in raw
    assert "\x9b" not in raw.decode()  # and it is UTF-8 all the way


def test_a_message_and_a_name_never_steer_the_terminal_either(taskrun: Taskrun) -> None:
    taskrun.file(
        json.dumps(
            {
                "name": "nasty",
                "inputs": {"x": ""},
                "tasks": [
                    {"name": "one", "echo": "say ${{ inputs.x }}"},
                    {"name": "two", "fail": "it broke ${{ inputs.x }}"},
                ],
            }
        )
    )
    with Terminal(taskrun, "run", "w.yaml", "-i", "x=\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b1m\u202e") as terminal:
        assert terminal.end() == 1
        assert b"\x1b]52" not in terminal.raw
        assert b"\x1b[2J" not in terminal.raw
        assert "\x9b" not in terminal.raw.decode()
        assert "\u202e" not in terminal.raw.decode()
        assert "it broke" in terminal.text


def test_a_live_table_shows_the_run_and_leaves_its_last_frame(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: live\ntasks:\n  - {name: one, run: 'true', revert: none}\n"
        "  - {name: two, run: 'echo working; touch began; while [ ! -e go ]; do sleep 0.02; done', revert: none}\n"
    )
    with Terminal(taskrun, "run", "w.yaml") as terminal:
        terminal.wait_for("RUNNING    two", "working", "SUCCESS    one")
        (taskrun.folder / "go").touch()
        assert terminal.end() == 0
        assert "✓ SUCCESS    two" in terminal.text
        assert terminal.text.splitlines()[-1].startswith("SUCCESS live in ")
    modes = terminal.raw.decode()
    assert modes.rfind("\x1b[?25h") > modes.rfind("\x1b[?25l")
    assert modes.rfind("\x1b[?7h") > modes.rfind("\x1b[?7l")


@pytest.mark.parametrize("variable", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_that_wants_it_plain_gets_no_colours(variable: dict, taskrun: Taskrun) -> None:
    taskrun.file(THREE)
    with Terminal(taskrun, "run", "w.yaml", "-i", "code=1", **variable) as terminal:
        assert terminal.end() == 1
        assert b"\x1b[3" not in terminal.raw
        assert b"\x1b[1;3" not in terminal.raw
        if "TERM" in variable:
            assert b"\x1b" not in terminal.raw
