"""In a CI: sections, annotations, masks, summary and outputs; and no task can give the runner a command.

The runner is played by a reader of its rules: a line that begins with ``::`` or holds ``##[`` is a command unless commands are
stopped, and then only the word that stopped them starts them again.
"""

import json
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest

from taskrun.listeners.ci.commands import command, file_value, harmless, stopped
from tests.command import Taskrun

GITHUB = {"GITHUB_ACTIONS": "true", "TOKEN": "tr-canary-4711\nsecond-line-of-it"}
EVIL = """\
name: evil
secrets: {token: {env: TOKEN}}
inputs: {text: {default: x}}
tasks:
  - name: prints
    run: |
      echo hello; echo "$T"
      printf '%s\\n' '::set-output name=a::b' '  ::add-mask::hello' '##[error]e' 'x ##[add-path]/evil' '::endgroup::' '::stop-commands::x' '::x::'
      printf '\\r::warning::cr\\n\\033[31m::error::red\\033[0m\\n'
    env: {T: "${{ secrets.token }}"}
    revert: none
  - {name: says, echo: "::error::said ##[error]said"}
  - {name: given, echo: "${{ inputs.text }}"}
  - name: fails
    run: printf '::error::a\\n##[error]b\\n' >&2; exit 3
    revert: echo '::notice::undoing'
"""


RUNNER = """
import os, subprocess, sys
with open("/proc/self/comm", "w") as name:
    name.write("Runner.Worker")
done = subprocess.run(["sh", "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
sys.stdout.write(done.stdout)
sys.exit(done.returncode)
"""


def in_a_step(taskrun: Taskrun, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """What the runner reads of a step: the runner has another name, and a pipe to the step's shell."""
    command = " ".join(map(shlex.quote, taskrun._argv(())))
    return subprocess.run(
        [sys.executable, "-c", RUNNER, script.replace("TASKRUN", command)],
        cwd=taskrun.folder,
        env={**taskrun.env, **GITHUB, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Runner:
    """Reads a log as the runner of GitHub Actions does."""

    KNOWN = {"error", "warning", "notice", "group", "endgroup", "add-mask", "stop-commands"}

    def __init__(self, log: str) -> None:
        self.commands: list[tuple[str, dict[str, str], str]] = []
        self.groups: dict[str, list[str]] = {}
        self.shown: list[str] = []
        word = group = None
        for line in re.split(r"\r\n|\n|\r", log):
            name, properties, data = self._parsed(line)
            if word is not None:
                if name == word:
                    word = None
                else:
                    self._show(line, group)
            elif name == "stop-commands":
                assert re.fullmatch("[0-9a-f]{40}", data)
                word = data
            elif name in ("group", "endgroup"):
                assert (group is None) is (name == "group")
                group = data if name == "group" else None
            elif name is not None:
                assert name in self.KNOWN
                self.commands.append((name, properties, data))
            else:
                self._show(line, group)
        assert word is None
        assert group is None

    def _show(self, line: str, group: str | None) -> None:
        (self.shown if group is None else self.groups.setdefault(group, [])).append(line)

    @staticmethod
    def _parsed(line: str) -> tuple[str | None, dict[str, str], str]:
        if "##[" in line:
            return "##[", {}, ""
        found = re.match(r"\s*::([^:\s]+)(?: ([^:]*))?::(.*)", line)
        if found is None:
            return None, {}, ""
        pairs = [pair.partition("=") for pair in (found[2] or "").split(",") if pair]
        plain = lambda text: (
            text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n").replace("%25", "%")
        )
        return found[1], {key: plain(value) for key, _, value in pairs}, plain(found[3])

    def named(self, name: str) -> list[tuple[dict[str, str], str]]:
        return [(properties, data) for each, properties, data in self.commands if each == name]


def outputs(text: str) -> dict[str, str]:
    """As the runner reads the file of a step's outputs."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, word = line.partition("<<")
        value = []
        for inner in lines:
            if inner == word:
                break
            value.append(inner)
        found[name] = "\n".join(value)
    return found


@pytest.fixture
def evil(taskrun: Taskrun) -> tuple[Taskrun, Runner, Any]:
    taskrun.file(EVIL)
    files = {
        "GITHUB_STEP_SUMMARY": "summary.md",
        "GITHUB_OUTPUT": "output",
        "GITHUB_WORKSPACE": str(taskrun.folder),
    }
    done = in_a_step(taskrun, "TASKRUN run w.yaml -i 'text=y\n::error::given'", **files)
    assert done.returncode == 1, done.stderr
    return taskrun, Runner(done.stdout), done


def test_nothing_that_a_task_prints_is_a_command(evil) -> None:
    _, runner, _ = evil
    assert {name for name, _, _ in runner.commands} == {"add-mask", "error"}
    assert [properties["title"] for properties, _ in runner.named("error")] == ["fails failed"]
    assert "::set-output name=a::b" in runner.groups["prints: SUCCESS"]


def test_every_attempt_has_a_section_with_what_it_printed(evil) -> None:
    _, runner, _ = evil
    assert list(runner.groups) == ["prints: SUCCESS", "fails: FAILURE", "undo of fails: REVERTED"]
    assert runner.groups["prints: SUCCESS"][0] == "hello"
    assert runner.groups["fails: FAILURE"] == ["::error::a", "##[error]b"]
    assert any("fails RUNNING -> FAILURE" in line for line in runner.shown)


def test_what_the_check_after_a_task_prints_is_in_its_section(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: a\ntasks: [{name: b, run: echo done, verify: 'echo wrong >&2; exit 1', revert: none}]\n"
    )
    runner = Runner(taskrun("run", "w.yaml", env={"GITHUB_ACTIONS": "true"}).out)
    assert runner.groups["b: FAILURE"] == ["done", "wrong"]


def test_a_failing_task_is_an_annotation_at_its_line(evil) -> None:
    _, runner, _ = evil
    line = EVIL[: EVIL.index("name: fails")].count("\n") + 1
    assert runner.named("error") == [
        ({"file": "w.yaml", "line": str(line), "col": "5", "title": "fails failed"}, "ExitCode: exit code 3")
    ]


def test_the_runner_is_told_the_secrets_line_by_line_and_the_log_has_them_nowhere_else(evil) -> None:
    taskrun, runner, done = evil
    assert [data for _, data in runner.named("add-mask")] == ["second-line-of-it", "tr-canary-4711"]
    rest = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("::add-mask::"))
    summary = (taskrun.folder / "summary.md").read_text()
    for text in (rest, done.stderr, summary, (taskrun.folder / "output").read_text()):
        assert "canary" not in text
        assert "second-line" not in text


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("TASKRUN run w.yaml", True),
        ("sh -c 'TASKRUN run w.yaml; true'", True),
        ("TASKRUN run w.yaml | tee log", False),
        ("sh -c 'TASKRUN run w.yaml; true' | tee log", False),
        ("TASKRUN run w.yaml > log; cat log", False),
        ('x=$(TASKRUN run w.yaml); echo "$x"', False),
    ],
)
def test_a_secret_is_told_to_the_runner_and_to_nobody_else(script: str, told: bool, taskrun: Taskrun) -> None:
    taskrun.file(EVIL)
    done = in_a_step(taskrun, script)
    assert ("canary" in done.stdout) is told
    assert "::group::" in done.stdout
    log = taskrun.folder / "log"
    assert not log.exists() or "canary" not in log.read_text()


def test_a_secret_is_not_told_where_there_is_no_runner(taskrun: Taskrun) -> None:
    taskrun.file(EVIL)
    assert "canary" not in taskrun("run", "w.yaml", env=GITHUB).out
    done = taskrun("run", "w.yaml", "--ci", "github", env={"TOKEN": "tr-canary-4711"})
    assert "canary" not in done.out
    assert "::group::" in done.out


def test_the_step_gets_a_summary_and_outputs(evil) -> None:
    taskrun, _, _ = evil
    found = outputs((taskrun.folder / "output").read_text())
    run = json.loads(taskrun("runs", "-o", "json").out)
    assert found["state"] == "REVERTED"
    assert found["exit_code"] == "1"
    assert found["run_id"] in json.dumps(run)
    assert set(found) == {"run_id", "state", "exit_code", "outcome"}
    assert (taskrun.folder / "summary.md").read_text().startswith("# REVERTED: evil\n")


def test_a_summary_that_cannot_be_written_is_a_warning(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n")
    done = taskrun(
        "run",
        "w.yaml",
        env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/no/where", "GITHUB_OUTPUT": "/dev/full"},
    )
    assert done.code == 0
    assert "warning: GITHUB_STEP_SUMMARY cannot be written: No such file" in done.err
    assert "warning: GITHUB_OUTPUT cannot be written: No space" in done.err


def test_mistakes_of_a_file_are_annotations_at_their_places(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks:\n  - {name: b, rnu: '##[error]x'}\n  - {name: c, run: d}\n")
    for words in (("validate",), ("run",)):
        done = taskrun(*words, "w.yaml", env={"GITHUB_ACTIONS": "true"})
        assert done.code == 2
        runner = Runner(done.out + done.err)
        ((properties, message),) = runner.named("error")
        assert properties == {"file": "w.yaml", "line": "3", "col": "15", "title": "TR702"}
        assert "did you mean `run`?" in message
    done = taskrun("validate", "--ci", "none", "w.yaml", env={"GITHUB_ACTIONS": "true"})
    assert "::error" not in done.out
    taskrun.file("name: a\ntasks:\n  - {name: c, run: d}\n")
    assert Runner(taskrun("validate", "w.yaml", env={"GITHUB_ACTIONS": "true"}).out).named("warning")


def test_a_task_of_an_included_file_is_annotated_in_that_file(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: sub, workflow: b.yaml}]\n")
    taskrun.file("name: b\ntasks:\n  - {name: ok, echo: x}\n  - {name: bad, fail: no}\n", "b.yaml")
    runner = Runner(taskrun("run", "w.yaml", env={"GITHUB_ACTIONS": "true"}).out)
    ((properties, _),) = runner.named("error")
    assert (properties["file"], properties["line"], properties["title"]) == ("b.yaml", "4", "sub.bad failed")


def test_what_waits_for_a_person_is_annotated_too(taskrun: Taskrun) -> None:
    taskrun.file("""name: a
tasks:
  - {name: one, run: 'true', revert: {run: exit 4, retry: {attempts: 1}}}
  - {name: two, fail: no, allow_failure: true}
  - {name: three, fail: enough}
""")
    runner = Runner(taskrun("run", "w.yaml", env={"GITHUB_ACTIONS": "true"}).out)
    assert [properties["title"] for properties, _ in runner.named("error")] == [
        "three failed",
        "one not undone",
    ]
    assert [properties["title"] for properties, _ in runner.named("warning")] == [
        "two failed, which is allowed"
    ]


def test_gitlab_gets_sections_and_no_task_can_begin_or_end_one(taskrun: Taskrun) -> None:
    taskrun.file("""name: a
tasks:
  - {name: one, run: "printf '\\\\033[0Ksection_end:1:x\\\\r\\\\033[0K\\\\n'; echo hi", revert: none}
  - {name: two, run: exit 3, revert: echo undo}
""")
    done = taskrun("run", "w.yaml", env={"GITLAB_CI": "true"})
    # Python reads a carriage return as the end of a line.
    marks = re.findall(
        "\x1b\\[0Ksection_(start|end):(\\d+):([\\w.-]+)(\\[collapsed=true\\])?\n\x1b\\[0K", done.out
    )
    assert [(kind, name) for kind, _, name, _ in marks] == [
        ("start", "taskrun_1_one"),
        ("end", "taskrun_1_one"),
        ("start", "taskrun_2_undo_of_two"),
        ("end", "taskrun_2_undo_of_two"),
    ]
    assert done.out.count("\x1b[0K") == 8
    assert "::" not in done.out


def test_gitlab_gets_the_mistakes_of_a_file_as_a_report_on_code_quality(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks:\n  - {name: b, rnu: c}\n  - {name: d, run: e}\n  - {name: b, echo: f}\n")
    done = taskrun(
        "validate", "-o", "codequality", "w.yaml", env={"CI_PROJECT_DIR": str(taskrun.folder.parent)}
    )
    assert done.code == 2
    found = json.loads(done.out)
    assert {"description", "check_name", "fingerprint", "severity", "location"} == found[0].keys()
    assert found[0]["check_name"] == "TR702"
    assert found[0]["location"] == {"path": "work/w.yaml", "lines": {"begin": 3}}
    assert {each["severity"] for each in found} <= {"major", "minor"}
    assert len({each["fingerprint"] for each in found}) == len(found)
    moved = (taskrun.folder / "w.yaml").read_text().replace("tasks:", "\n\ntasks:")
    taskrun.file(moved)
    again = taskrun(
        "validate", "-o", "codequality", "w.yaml", env={"CI_PROJECT_DIR": str(taskrun.folder.parent)}
    )
    assert [each["fingerprint"] for each in json.loads(again.out)] == [each["fingerprint"] for each in found]


def test_events_for_programs_stay_as_they_are_in_a_ci(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, run: echo c, revert: none}]\n")
    done = taskrun("run", "w.yaml", "-o", "ndjson", env=GITHUB)
    assert done.events[-1]["kind"] == "summary"


def test_a_run_inside_of_a_task_leaves_the_step_to_the_outer_one(taskrun: Taskrun) -> None:
    taskrun.file("name: inner\ntasks: [{name: b, run: echo c, revert: none}]\n", "inner.yaml")
    command = " ".join(taskrun._argv(("run", "inner.yaml")))
    taskrun.file(f"name: outer\ntasks: [{{name: a, run: '{command}', revert: none}}]\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "output"}
    runner = Runner(taskrun("run", "w.yaml", env=env).out)
    assert any("b RUNNING -> SUCCESS" in line for line in runner.groups["a: SUCCESS"])
    assert not any("::group::" in line for line in runner.groups["a: SUCCESS"])
    assert (taskrun.folder / "summary.md").read_text().count("# SUCCESS") == 1
    assert (taskrun.folder / "output").read_text().count("run_id<<") == 1


def test_resume_and_revert_know_it_too(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, run: echo c, revert: echo d}]\n")
    taskrun("run", "w.yaml")
    done = taskrun("revert", env={"GITHUB_ACTIONS": "true"})
    assert list(Runner(done.out).groups) == ["undo of b: REVERTED"]


@pytest.mark.parametrize("text", ["", "a", "::x::", " ::x::\n##[y]\n", "\n\n::stop-commands::z", "::" * 50])
def test_text_of_others_is_never_obeyed(text: str) -> None:
    assert Runner(stopped(text)).commands == []
    assert Runner(harmless(text)).commands == []


@pytest.mark.parametrize("value", ["a\nb<<c\nd", "run_id<<x\nforged\nx", "taskrun_0\n", "", "a\r\nb"])
def test_a_value_of_an_output_cannot_begin_another_one(value: str) -> None:
    text = file_value("one", value) + file_value("two", "2")
    assert list(outputs(text)) == ["one", "two"]
    assert outputs(text)["two"] == "2"


def test_a_command_keeps_its_message_whole() -> None:
    line = command("error", "100% a\nb::c", {"file": "a,b:c", "line": 3, "col": 0})
    assert line == "::error file=a%2Cb%3Ac,line=3::100%25 a%0Ab::c\n"
    assert Runner(line).commands == [("error", {"file": "a,b:c", "line": "3"}, "100% a\nb::c")]
