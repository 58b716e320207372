"""`taskrun report`: what became of a run, for those who were not there."""

import html.parser
import json
import re
import xml.etree.ElementTree as ET

import pytest

from tests.command import Taskrun

STUCK = """\
name: release
secrets: {token: {env: TOKEN}}
tasks:
  - {name: one, run: touch one, revert: rm one}
  - {name: two, run: touch two, revert: {run: 'echo cannot; exit 1', retry: {attempts: 1}}}
  - {name: mail, run: 'true', revert: {impossible: the mail is out}}
  - {name: skipped, if: 1 == 2, echo: x}
  - {name: last, run: 'echo "token is $T"; exit 3', env: {T: "${{ secrets.token }}"}, revert: none}
  - {name: never, echo: x}
"""
SECRET = {"TOKEN": "tr-canary-4711"}
FORMATS = ["html", "markdown", "json", "junit", "trace"]
HOSTILE = """\
name: hostile
inputs: {a: {default: "<script>alert(1)</script> & ]]> `x` | \\\\ \\e[2J"}}
tasks:
  - name: t
    run: "printf '%s\\\\n' ${{ inputs.a }} '```' '</pre><img src=x onerror=alert(1)>'; printf '\\\\033]0;x\\\\007\\\\302\\\\233'; exit 1"
    revert: none
"""


class Tags(html.parser.HTMLParser):
    """Checks that every element is closed, and keeps what could load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def stuck(taskrun: Taskrun) -> Taskrun:
    assert taskrun("run", taskrun.file(STUCK), env=SECRET).code == 3
    return taskrun


def test_the_facts_name_everything_that_is_left_and_what_to_type(stuck: Taskrun) -> None:
    done = stuck("report", "-f", "json", env=SECRET)
    found = json.loads(done.out)
    assert (done.code, found["exit_code"], found["state"]) == (3, 3, "FAILURE")
    assert found["outcome"] == "not fully rolled back: 1 task still applied, 2 tasks could not be undone"
    assert (found["undone"], found["applied"], found["unknown"]) == ([], ["one"], [])
    assert [(each["task"], each["reason"]) for each in found["not_undone"]] == [
        ("mail", "the mail is out"),
        ("two", None),
    ]
    assert found["not_undone"][1]["output"] == ["cannot"]
    assert found["failures"][0]["task"] == "last"
    run = found["run"]
    needed = [each["command"] for each in found["commands"] if each["needed"]]
    assert needed[:2] == [f"taskrun revert {run}", f"taskrun revert {run} --skip two --reason WHY"]
    states = {each["name"]: (each["state"], each["attempts"]) for each in found["tasks"]}
    assert states["one"] == ("SUCCESS", 1)
    assert states["skipped"] == ("IGNORE", 0)
    assert states["never"] == ("PENDING", 0)


@pytest.mark.parametrize("form", FORMATS)
def test_secrets_are_in_no_report(stuck: Taskrun, form: str) -> None:
    out = stuck("report", "-f", form, env=SECRET).out
    assert "tr-canary" not in out
    assert "***" in out or form == "trace"  # which has no output of tasks in it


def test_a_secret_that_cannot_be_read_here_is_warned_of(stuck: Taskrun) -> None:
    assert "token cannot be read here" in stuck("report", "-f", "json").err


def test_the_page_is_one_file_that_loads_and_runs_nothing(stuck: Taskrun) -> None:
    done = stuck("report", env=SECRET)
    tags = Tags(done.out)
    assert not tags.names & {"script", "link", "img", "iframe", "form", "object", "svg"}
    assert not {name for name in tags.attributes if name.startswith("on")} | (
        tags.attributes & {"src", "href"}
    )
    assert "url(" not in done.out
    assert "default-src 'none'" in done.out.replace("&#x27;", "'")
    assert "prefers-color-scheme: dark" in done.out
    assert '<span class="bar undo ' in done.out
    assert "Not fully rolled back: 1 task still applied, 2 tasks could not be undone." in done.out


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_values_have_no_meaning_in_any_format(taskrun: Taskrun, form: str) -> None:
    taskrun("run", taskrun.file(HOSTILE))
    out = taskrun("report", "-f", form).out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out)
    if form == "html":
        assert not Tags(out).names & {"script", "img"}
    elif form == "junit":
        assert "<script>" in (ET.fromstring(out).find("testcase/system-out").text or "")
    elif form == "trace":
        assert json.loads(out)["otherData"]["name"] == "hostile"
    elif form == "json":
        assert "<script>" in json.loads(out)["failures"][0]["output"][0]
    else:
        fence = next(line for line in out.split("\n") if line.startswith("````"))
        assert out.count(f"\n{fence}\n") == 2


def test_junit_has_a_case_for_each_task_and_one_for_the_world(stuck: Taskrun) -> None:
    suite = ET.fromstring(stuck("report", "-f", "junit", env=SECRET).out)
    kinds = {case.get("name"): [child.tag for child in case] for case in suite.findall("testcase")}
    assert kinds["one"] == []
    assert kinds["two"] == ["error", "system-out"]
    assert kinds["mail"][0] == "error"
    assert kinds["last"] == ["failure", "system-out"]
    assert kinds["skipped"] == kinds["never"] == ["skipped"]
    assert kinds["the world is as before"] == ["failure"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "2", "2")


def test_a_success_and_a_rollback_say_so(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: 'true', revert: 'true'}\n  - {name: b, run: 'exit ${{ inputs.code }}', revert: none}\ninputs: {code: 0}\n"
    taskrun("run", taskrun.file(text))
    done = taskrun("report", "-f", "markdown")
    assert done.code == 0
    assert done.out.startswith("# SUCCESS: w\n\neverything is done. Run `")
    taskrun("run", "w.yaml", "-i", "code=1")
    done = taskrun("report", "-f", "markdown")
    assert done.code == 1
    assert "rolled back: the world is as before" in done.out
    assert "Needs you" not in done.out
    suite = ET.fromstring(taskrun("report", "-f", "junit").out)
    assert [case.get("name") for case in suite.findall("testcase[failure]")] == ["b"]


def test_residue_and_what_was_given_up_are_in_the_report(stuck: Taskrun) -> None:
    stuck("revert", "--skip", "two", "--reason", "the disk is gone", env=SECRET)
    for form in FORMATS[:3]:
        assert "the disk is gone" in stuck("report", "-f", form, env=SECRET).out
    text = "name: w\ntasks: [{name: a, fail: x}]\nverify_revert: ['test -e nothing']\n"
    stuck("run", stuck.file(text, "other.yaml"))
    for form in FORMATS[:4]:
        assert "test -e nothing: exit code 1" in stuck("report", "-f", form).out


@pytest.mark.parametrize(
    ("name", "start"),
    [("r.html", "<!doctype"), ("r.md", "# "), ("r.json", "{"), ("r.xml", "<?xml"), ("r", "<!doc")],
)
def test_the_suffix_of_the_file_says_the_format(stuck: Taskrun, name: str, start: str) -> None:
    done = stuck("report", "-o", name, env=SECRET)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"{name}: release, run ")
    assert (stuck.folder / name).read_text().startswith(start)


def test_a_file_that_cannot_be_written_is_said(stuck: Taskrun) -> None:
    done = stuck("report", "-o", "no/such/folder.html", env=SECRET)
    assert done.code == 2
    assert "cannot be written" in done.err
