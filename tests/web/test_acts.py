"""Wishes: what is shown before is what happens after; who drives the run is asked, who does not is started."""

import json
import os
import pathlib
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.command import Taskrun
from tests.web.flows import SAVED
from tests.web.page import Page

# Tasks wait at gates: a fifo that the test opens when it wants them to go on.
GATED = """
name: gated
pattern: linear
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {name: second, run: "read line < second.gate", revert: echo back}
  - {name: third, run: echo three, revert: echo back}
"""
FAILING = """
name: failing
on_failure: stop
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {name: second, run: "test -e mended", revert: echo back}
  - {name: third, run: echo three, revert: echo back}
"""
STUCK = """
name: stuck
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {name: second, run: echo two, revert: {run: "test -e mended", retry: {attempts: 1}}}
  - {name: third, run: exit 1, revert: none}
"""
APPROVAL = """
name: asking
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {name: sure, approve: "Is it <b>time</b>?"}
  - {name: third, run: echo three, revert: echo back}
"""


class Stage:
    """A run of a workflow, its page, and what was done to it."""

    def __init__(self, taskrun: Taskrun, page: Page) -> None:
        self.taskrun = taskrun
        self.page = page
        self.run = ""

    def start(self, text: str, **env: str) -> "Stage":
        done = self.taskrun("run", self.taskrun.file(text), "-j", "1", "-o", "ndjson", env=env)
        self.run = done.events[0]["run"]
        return self

    def start_in_background(self, text: str, state: str) -> "Stage":
        """Until its task ``second`` is in that state."""
        os.mkfifo(self.taskrun.folder / "second.gate")
        self.run = self.taskrun("run", self.taskrun.file(text), "--detach", "-o", "ndjson").events[0]["run"]
        stream = self.page.listen(f"/api/runs/{self.run}/live")
        rows: dict[str, str] = {}
        while rows.get("second") != state:
            rows |= {row["name"]: row["state"] for row in stream.next()[1]["rows"]}
        stream.close()
        return self

    def await_state(self, state: str) -> None:
        stream = self.page.listen(f"{self.path}/live")
        while stream.next()[1]["run"]["state"] != state:
            pass
        stream.close()

    def open_gate(self) -> None:
        (self.taskrun.folder / "second.gate").write_text("go\n")

    @property
    def path(self) -> str:
        return f"/api/runs/{self.run}"

    @property
    def acts(self) -> list[Any]:
        found = self.page.get(self.path)["run"]["acts"]
        return [(each["verb"], each["task"]) if "task" in each else each["verb"] for each in found]

    @property
    def seq(self) -> int:
        return self.page.get(self.path)["run"]["seq"]

    def preview(self, verb: str, **more: object) -> Any:
        return self.page.get(f"{self.path}/preview", verb=verb, **more)

    def act(self, verb: str, **more: object) -> Any:
        answer = self.page.ask("POST", f"{self.path}/act", {"verb": verb, "seq": self.seq, **more})
        assert answer.status == 200, answer.body
        return answer.json

    def after(self, seq: int, state: str) -> list[str]:
        """What the tasks did after that number, until the run stands in that state and nobody drives it."""
        stream = self.page.listen(f"{self.path}/live", last=seq)
        events = [event for _, data in stream.until(state) for event in data["events"]]
        stream.close()
        return self.begun(events)

    def after_another_file(self, seq: int) -> list[str]:
        """The same of a run that goes on with another file, of which an open page has to be made anew."""
        stream = self.page.listen(f"{self.path}/live", last=seq)
        while "reload" not in stream.next()[1]:
            pass
        stream.close()
        stream = self.page.listen(f"{self.path}/live", last=self.seq)
        stream.until("SUCCESS")
        stream.close()
        return self.begun(self.page.get(f"{self.path}/events", after=seq)["events"])

    @staticmethod
    def begun(events: Any) -> list[str]:
        begins = {"RUNNING": "do", "REVERTING": "undo"}
        return [
            f"{begins[e['state']]} {e['name']}"
            for e in events
            if e["kind"] == "task" and e.get("state") in begins
        ]


@pytest.fixture
def stage(taskrun: Taskrun) -> Iterator[Stage]:
    page = Page(taskrun).sign_in()
    yield Stage(taskrun, page)
    page.kill()


def steps(preview: Any) -> list[str]:
    return [f"{step['what']} {step['name']}" for step in preview["steps"]]


def test_a_run_under_way_is_suspended_and_resumed(stage: Stage) -> None:
    stage.start_in_background(GATED, "RUNNING")
    assert stage.acts == ["suspend", "cancel"]
    shown = stage.preview("suspend")
    assert steps(shown) == ["wait second"]
    assert shown["commands"] == [f"taskrun suspend {stage.run}"]
    stage.act("suspend", reason="lunch")
    stage.await_state("SUSPENDING")
    stage.open_gate()
    assert stage.after(0, "SUSPENDED") == ["do first", "do second"]
    assert stage.acts == ["resume", "revert"]
    shown = stage.preview("resume")
    assert (steps(shown), shown["commands"]) == (["do third"], [f"taskrun resume {stage.run}"])
    seq = stage.seq
    stage.act("resume")
    assert stage.after(seq, "SUCCESS") == steps(shown)


def test_a_run_under_way_is_cancelled_and_undone_in_the_order_that_was_shown(stage: Stage) -> None:
    stage.start_in_background(GATED, "RUNNING")
    shown = stage.preview("cancel", reason="wrong one")
    assert shown["commands"] == [f"taskrun cancel {stage.run} --reason 'wrong one'"]
    assert shown["then"].startswith("Then the run is REVERTED")
    seq = stage.seq
    stage.act("cancel", reason="wrong one")
    assert stage.after(seq, "REVERTED") == steps(shown) == ["undo second", "undo first"]
    assert stage.page.get(stage.path)["run"]["reason"] == "Cancelled: wrong one"
    assert stage.acts == []


def test_a_run_that_succeeded_is_reverted(stage: Stage) -> None:
    stage.start(FAILING.replace("test -e mended", "echo two"))
    assert stage.acts == ["revert"]
    shown = stage.preview("revert")
    assert [step["command"] for step in shown["steps"]] == ["echo back"] * 3
    seq = stage.seq
    stage.act("revert")
    assert stage.after(seq, "REVERTED") == steps(shown) == ["undo third", "undo second", "undo first"]


def test_a_run_is_reverted_to_a_savepoint(stage: Stage) -> None:
    stage.start(SAVED)
    shown = stage.preview("revert")
    assert shown["savepoints"] == ["middle"]
    assert len(steps(shown)) == 2
    shown = stage.preview("revert", savepoint="middle")
    assert steps(shown) == ["undo second"]
    assert shown["commands"] == [f"taskrun revert {stage.run} --to middle"]
    seq = stage.seq
    stage.act("revert", savepoint="middle")
    assert stage.after(seq, "SUSPENDED") == ["undo second"]


def test_a_stopped_run_goes_on_with_what_failed(stage: Stage) -> None:
    stage.start(FAILING)
    assert stage.acts == ["resume", "revert"]
    (stage.taskrun.folder / "mended").touch()
    shown = stage.preview("resume")
    seq = stage.seq
    stage.act("resume")
    assert stage.after(seq, "SUCCESS") == steps(shown) == ["do second", "do third"]


def test_a_changed_file_is_told_and_the_command_says_which_is_meant(stage: Stage) -> None:
    stage.start(FAILING)
    stage.taskrun.file(FAILING + "# more\n")
    shown = stage.preview("resume")
    assert "has changed since" in shown["warnings"][0]
    assert shown["commands"] == [f"taskrun resume {stage.run} --use-original"]
    (stage.taskrun.folder / "mended").touch()
    seq = stage.seq
    stage.act("resume")
    assert stage.after(seq, "SUCCESS") == ["do second", "do third"]


MENDED = FAILING.replace("test -e mended", "echo mended").replace("echo three", "echo four")


def test_what_is_other_in_a_changed_file_is_shown_and_the_run_goes_on_with_it(stage: Stage) -> None:
    stage.start(FAILING)
    stage.taskrun.file(MENDED)
    shown = stage.preview("resume")
    assert [word for word, _ in shown["files"]] == ["original", "current"]
    assert {
        "-  - {name: third, run: echo three, revert: echo back}",
        "+  - {name: third, run: echo four, revert: echo back}",
    } <= set(shown["difference"])
    assert [step["command"] for step in shown["steps"]] == ["test -e mended", "echo three"]
    shown = stage.preview("resume", file="current")
    assert shown["commands"] == [f"taskrun resume {stage.run} --use-current"]
    assert [step["command"] for step in shown["steps"]] == ["echo mended", "echo four"]
    assert shown["warnings"][1] == "changed: second, third"
    seq = stage.seq
    stage.act("resume", file="current", seen=shown["seen"])
    assert stage.after_another_file(seq) == steps(shown)


def test_a_file_that_changes_between_the_look_and_the_click_is_looked_at_again(stage: Stage) -> None:
    stage.start(FAILING)
    stage.taskrun.file(MENDED)
    seen = stage.preview("resume", file="current")["seen"]
    stage.taskrun.file(MENDED + "# once more\n")
    seq, given = stage.seq, {"verb": "resume", "file": "current"}
    for said in (seen, "", None):
        refused = stage.page.ask("POST", f"{stage.path}/act", {**given, "seq": seq, "seen": said})
        assert (refused.status, b"look again" in refused.body) == (409, True)
    assert stage.seq == seq


def test_a_file_the_run_cannot_go_on_with_is_refused_before_anything_is_done(stage: Stage) -> None:
    stage.start(FAILING)
    for text, said in (
        (FAILING.replace("echo one", "echo other"), "first"),
        (FAILING + "  - {name: more, rnu: x}\n", "line 8: there is no action or key"),
        (FAILING + "inputs: {version: {type: string}}\n", "version"),
    ):
        stage.taskrun.file(text)
        refused = stage.page.ask("GET", f"{stage.path}/preview?verb=resume&file=current")
        assert (refused.status in (400, 409), said in refused.json["error"]) == (True, True), refused.body
        assert stage.preview("resume", file="original")["commands"] == [
            f"taskrun resume {stage.run} --use-original"
        ]
    refused = stage.page.ask("GET", f"{stage.path}/preview?verb=revert&file=current")
    assert refused.status == 400


def test_an_approval_goes_on_with_the_file_that_was_chosen(stage: Stage) -> None:
    stage.start(APPROVAL)
    stage.taskrun.file(APPROVAL.replace("echo three", "echo four"))
    shown = stage.preview("approve", task="sure", file="current")
    assert shown["commands"][1] == f"taskrun resume {stage.run} --use-current"
    assert [step["command"] for step in shown["steps"]] == ["echo four"]
    seq = stage.seq
    stage.act("approve", task="sure", file="current", seen=shown["seen"])
    assert stage.after_another_file(seq) == ["do third"]
    assert "four" in stage.taskrun("logs", stage.run, "third").out


def test_only_the_undos_that_failed_are_tried_again(stage: Stage) -> None:
    stage.start(STUCK)
    shown = stage.preview("revert")
    assert (shown["can_retry"], steps(shown)) == (True, ["undo second", "undo first"])
    shown = stage.preview("revert", retry="true")
    assert shown["commands"] == [f"taskrun revert {stage.run} --retry"]
    assert steps(shown) == ["undo second"]
    assert [name for name, _ in shown["left"]] == ["first"]
    (stage.taskrun.folder / "mended").touch()
    seq = stage.seq
    stage.act("revert", retry=True)
    assert stage.after(seq, "FAILURE") == ["undo second"]
    assert stage.preview("revert")["can_retry"] is False
    refused = stage.page.ask("GET", f"{stage.path}/preview?verb=revert&retry=true")
    assert refused.status == 409
    refused = stage.page.ask("GET", f"{stage.path}/preview?verb=revert&retry=true&force=true")
    assert refused.status == 400


def test_an_approval_is_given(stage: Stage) -> None:
    stage.start(APPROVAL)
    assert stage.acts == ["revert", ("approve", "sure"), ("decline", "sure")]
    shown = stage.preview("approve", task="sure")
    assert shown["question"] == "Is it <b>time</b>?"
    assert shown["commands"] == [f"taskrun resolve {stage.run} sure --done", f"taskrun resume {stage.run}"]
    seq = stage.seq
    stage.act("approve", task="sure")
    assert stage.after(seq, "SUCCESS") == steps(shown) == ["do third"]


def test_an_approval_is_declined(stage: Stage) -> None:
    stage.start(APPROVAL)
    shown = stage.preview("decline", task="sure")
    seq = stage.seq
    stage.act("decline", task="sure")
    assert [each for each in stage.after(seq, "REVERTED") if "sure" not in each] == ["undo first"]
    assert "undo first" in steps(shown)


def test_an_undo_that_failed_is_tried_again_given_up_or_settled(stage: Stage) -> None:
    stage.start(STUCK)
    assert stage.acts == ["revert", ("resolve", "second"), ("skip", "second")]
    shown = stage.preview("skip", task="second")
    assert shown["reason"] == "needed"
    assert "undo first" in steps(shown)
    refused = stage.page.ask(
        "POST", f"{stage.path}/act", {"verb": "skip", "task": "second", "seq": stage.seq}
    )
    assert (refused.status, b"reason" in refused.body) == (409, True)
    shown = stage.preview("resolve", task="second", word="undone", reason="by hand")
    assert [word for word, _ in shown["choices"]] == ["undone"]
    assert shown["commands"] == [f"taskrun resolve {stage.run} second --undone --reason 'by hand'"]
    assert (
        stage.act("resolve", task="second", word="undone", reason="by hand")["done"] == "second is REVERTED"
    )
    seq = stage.seq
    shown = stage.preview("revert")
    stage.act("revert")
    assert stage.after(seq, "REVERTED") == steps(shown) == ["undo first"]


def test_an_undo_is_given_up_with_a_reason(stage: Stage) -> None:
    stage.start(STUCK)
    seq = stage.seq
    stage.act("skip", task="second", reason="the server is gone")
    assert stage.after(seq, "FAILURE") == ["undo first"]
    rows = {row["name"]: row for row in stage.page.get(stage.path)["rows"]}
    assert rows["second"]["given_up"] == "the server is gone"


def test_what_is_no_longer_so_is_refused(stage: Stage) -> None:
    stage.start(FAILING)
    for body, status in (
        ({"verb": "revert", "seq": stage.seq - 1}, 409),  # the run has moved on since
        ({"verb": "revert"}, 409),
        ({"verb": "suspend", "seq": stage.seq}, 409),  # nobody drives it
        ({"verb": "resolve", "task": "second", "word": "done", "seq": stage.seq}, 409),  # not in doubt
        ({"verb": "revert", "savepoint": "nosuch", "seq": stage.seq}, 400),
        ({"verb": "resume", "outputs": {"a": 1}, "seq": stage.seq}, 400),
        ({"verb": "rm -rf", "seq": stage.seq}, 409),
        ({"verb": "revert", "reason": "a\nb", "seq": stage.seq}, 400),
        ({"verb": "revert", "reason": "x" * 3000, "seq": stage.seq}, 400),
        ({}, 409),
    ):
        answer = stage.page.ask("POST", f"{stage.path}/act", body)
        assert (body, answer.status) == (body, status)
    assert stage.page.get(stage.path)["run"]["state"] == "SUSPENDED"
    assert stage.page.ask("POST", "/api/runs/nosuch/act", {"verb": "revert", "seq": 0}).status == 404


def test_a_command_that_is_refused_says_so_in_its_own_words(stage: Stage) -> None:
    secret = FAILING.replace("name: failing", "name: failing\nsecrets: {key: {env: GONE_KEY}}")
    stage.start(secret.replace("echo one", '"echo ${{ secrets.key }}"'), GONE_KEY="abcdefgh")
    answer = stage.page.ask("POST", f"{stage.path}/act", {"verb": "resume", "seq": stage.seq})
    assert answer.status == 409
    assert "GONE_KEY" in answer.json["error"]


def test_the_process_that_was_started_outlives_the_page(stage: Stage, tmp_path: pathlib.Path) -> None:
    os.mkfifo(stage.taskrun.folder / "late.gate")
    stage.start(FAILING.replace("echo three", "read line < late.gate"))
    (stage.taskrun.folder / "mended").touch()
    said = stage.act("resume")["done"]
    stage.page.kill()
    (stage.taskrun.folder / "late.gate").write_text("go\n")
    done = stage.taskrun("states", stage.run, "--watch", "-o", "plain")
    assert done.code == 0
    assert "started taskrun resume" in said
    log = stage.taskrun.home / "runs" / stage.run / "detached.log"
    assert "SUCCESS" in log.read_text()


def test_what_is_written_into_a_reason_is_no_option_and_no_shell(stage: Stage) -> None:
    stage.start(STUCK)
    reason = "--force; touch pwned $(touch pwned)"
    shown = stage.preview("skip", task="second", reason=reason)
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {shown['commands'][0]}"], capture_output=True, text=True, check=True
    )
    assert words.stdout.splitlines()[-1] == reason
    seq = stage.seq
    stage.act("skip", task="second", reason=reason)
    stage.after(seq, "FAILURE")
    events = json.dumps(stage.page.get(f"{stage.path}/events"))
    assert reason in events
    assert not (stage.taskrun.folder / "pwned").exists()


def test_a_run_whose_process_was_killed_is_told_so_and_goes_on(stage: Stage) -> None:
    stage.start_in_background(GATED, "RUNNING")
    stream = stage.page.listen(f"{stage.path}/live")
    stream.next()
    pid = json.loads((stage.taskrun.home / "runs" / stage.run / "lock").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    while stream.next()[1]["run"]["state"] != "INTERRUPTED":
        pass
    stream.close()
    assert stage.acts == ["resume", "revert"]
    shown = stage.preview("resume")
    assert steps(shown) == ["do second", "do third"]
    assert "was under way" in shown["steps"][0]["note"]
    stage.open_gate()
    seq = stage.seq
    stage.act("resume")
    assert stage.after(seq, "SUCCESS") == ["do third"]
    assert [verb for verb, _ in stage.page.get(stage.path)["continued"]] == ["resume"]


def test_behind_the_point_of_no_return_only_who_insists_reverts(stage: Stage) -> None:
    text = FAILING.replace("test -e mended", "echo two").replace("echo three,", "echo three, pivot: true,")
    stage.start(text)
    shown = stage.preview("revert")
    assert (shown["behind_pivot"], shown["steps"]) == (True, [])
    refused = stage.page.ask("POST", f"{stage.path}/act", {"verb": "revert", "seq": stage.seq})
    assert (refused.status, b"point of no return" in refused.body) == (409, True)
    shown = stage.preview("revert", force="true")
    assert shown["commands"] == [f"taskrun revert {stage.run} --force"]
    seq = stage.seq
    stage.act("revert", force=True)
    assert stage.after(seq, "REVERTED") == steps(shown) == ["undo third", "undo second", "undo first"]


def test_an_outcome_that_a_crash_took_is_decided_with_its_outputs(stage: Stage) -> None:
    asks = 'second, run: "read line < second.gate", outputs: {id: "${{ 7 }}"}, on_lost: ask, '
    uses = 'third, run: "echo ${{ tasks.second.outputs.id }}", '
    text = GATED.replace('second, run: "read line < second.gate", ', asks).replace(
        "third, run: echo three, ", uses
    )
    stage.start_in_background(text, "RUNNING")
    directory = stage.taskrun.home / "runs" / stage.run
    pids = [json.loads((directory / "lock").read_text())["pid"]]
    pids += [
        int(line.split()[1])
        for line in (directory / "attempts.log").read_text().splitlines()
        if line.startswith("supervisor")
    ]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert stage.taskrun("resume", stage.run, "-o", "plain").code == 3
    assert stage.acts == ["resume", "revert", ("resolve", "second")]
    shown = stage.preview("resolve", task="second")
    assert [word for word, _ in shown["choices"]] == ["done", "not-done", "undone"]
    refused = stage.page.ask(
        "POST", f"{stage.path}/act", {"verb": "resolve", "task": "second", "seq": stage.seq}
    )
    assert (refused.status, b"done, not done or undone" in refused.body) == (409, True)
    outputs = {"id": 42, "name": "a b", "code": "7"}
    shown = stage.preview("resolve", task="second", word="done", outputs=json.dumps(outputs))
    words = """--done --output id=42 --output 'name=a b' --output 'code="7"'"""
    assert shown["commands"] == [f"taskrun resolve {stage.run} second {words}"]
    said = stage.act("resolve", task="second", word="done", outputs=outputs, reason="I looked")
    assert said["done"] == "second is SUCCESS"
    seq = stage.seq
    stage.act("resume")
    assert stage.after(seq, "SUCCESS") == ["do third"]
    assert stage.page.get(f"{stage.path}/output", name="third", file="do-1-out")["text"] == "42\n"
