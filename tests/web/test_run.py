"""What the page is told of a run: its state, its events from any number on, its output; hostile requests get none of it."""

import json
import pathlib
import re

import pytest

from taskrun.cli.webdoors import doors
from taskrun.journal.sqlite import SqliteJournal
from taskrun.web.streaming import Told
from tests.command import Taskrun
from tests.web.page import Page

ROLLED_BACK = """
name: release
description: Put it there
pattern: graph
inputs: {version: 1.4.2}
tasks:
  - {name: fetch, run: "echo part one; echo part two", revert: echo away, outputs: {size: "${{ 42 }}"}}
  - {name: unpack, needs: [fetch], run: echo unpacked, revert: echo gone}
  - {name: backup, needs: [fetch], run: echo saved, revert: none}
  - name: check
    needs: [unpack, backup]
    run: |
      echo checking
      echo "it is broken" >&2
      exit 3
    revert: none
"""


@pytest.fixture(scope="module")
def run(shared: Taskrun) -> str:
    done = shared("run", shared.file(ROLLED_BACK, "release.yaml"), "-o", "ndjson", "-j", "1")
    assert done.code == 1
    return done.events[0]["run"]


def test_the_outcome_is_a_sentence_with_numbers(page: Page, run: str) -> None:
    found = page.get(f"/api/runs/{run}")
    assert found["run"]["state"] == "REVERTED"
    assert found["run"]["headline"] == "Rolled back: the world is as before."
    assert found["run"]["tally"] == "2 undone, 0 still applied, 0 unknown"
    assert found["run"]["exit_code"] == 1
    assert found["run"]["driven"] is False
    assert found["inputs"] == {"version": "1.4.2"}
    assert found["description"] == "Put it there"


def test_every_task_has_a_bar_for_the_doing_and_one_for_the_undoing(page: Page, run: str) -> None:
    rows = {row["name"]: row for row in page.get(f"/api/runs/{run}")["rows"]}
    assert [row["state"] for row in rows.values()] == ["REVERTED"] * 4
    for row in rows.values():
        [[begun, ended, _]] = row["do"]
        [[undo_begun, undo_ended, state]] = row["undo"]
        assert begun <= ended <= undo_begun <= undo_ended
        assert state == "REVERTED"
    assert rows["check"]["do"][0][2] == "FAILURE"
    assert rows["check"]["failure"] == "ExitCode: exit code 3"


def test_the_list_has_the_run(page: Page, run: str) -> None:
    found = next(each for each in page.get("/api/runs")["runs"] if each["id"] == run)
    assert (found["name"], found["state"], found["exit_code"]) == ("release", "REVERTED", 1)
    stream = page.listen("/api/runs/live")
    _, first = stream.next()
    assert first["whole"] is True
    assert found in first["runs"]
    stream.close()


def test_events_are_the_journals_own(page: Page, shared: Taskrun, run: str) -> None:
    told = page.get(f"/api/runs/{run}/events")
    assert told["more"] is False
    assert told["events"] == shared("states", run, "--history", "-o", "ndjson").events
    assert page.get(f"/api/runs/{run}/events", after=5)["events"] == told["events"][5:]


@pytest.mark.parametrize("known", [0, 1, 7, 16])
def test_whoever_comes_back_with_the_last_number_misses_nothing_and_hears_nothing_twice(
    page: Page, run: str, known: int
) -> None:
    every = page.get(f"/api/runs/{run}/events")["events"]
    stream = page.listen(f"/api/runs/{run}/live", last=known)
    number, data = stream.next()
    stream.close()
    assert stream.response.headers["content-type"].startswith("text/event-stream")
    assert number == len(every)
    assert data["events"] == every[known:]
    assert {row["name"] for row in data["rows"]} == {e["name"] for e in every[known:] if e["kind"] == "task"}
    assert data["run"]["state"] == "REVERTED"


def test_the_header_of_a_browser_that_reconnects_counts_more_than_the_address(page: Page, run: str) -> None:
    stream = page.listen(f"/api/runs/{run}/live?after=0", last=15)
    assert stream.next()[1]["events"][0]["seq"] == 16
    stream.close()


def test_a_number_beyond_the_end_waits_for_what_is_to_come(page: Page, run: str) -> None:
    stream = page.listen(f"/api/runs/{run}/live", last=10**9)
    _, data = stream.next()
    assert data["events"] == []
    stream.close()


@pytest.mark.parametrize("number", ["x", "-1", "1e3", "٣", "9" * 30, "1.5"])
def test_a_number_that_is_none_is_refused(page: Page, run: str, number: str) -> None:
    for path in ("live", "events"):
        answer = page.ask(
            "GET", f"/api/runs/{run}/{path}?after={number.encode().hex() if not number.isascii() else number}"
        )
        assert answer.status == 400


def test_the_graph_stands_in_levels(page: Page, run: str) -> None:
    graph = page.get(f"/api/runs/{run}/graph")
    assert graph["levels"] == [["fetch"], ["unpack", "backup"], ["check"]]
    assert sorted(graph["edges"]) == [
        ["backup", "check"],
        ["fetch", "backup"],
        ["fetch", "unpack"],
        ["unpack", "check"],
    ]


def test_nested_flows_and_items_have_levels_of_their_own(page: Page, shared: Taskrun) -> None:
    text = """
name: nested
tasks:
  - {name: before, echo: x}
  - name: inner
    pattern: unordered
    tasks: [{name: a, echo: x}, {name: b, echo: x}]
  - {name: push, for_each: [1, 2, 3], echo: x}
  - {name: after, echo: x}
"""
    done = shared("run", shared.file(text, "nested.yaml"), "-o", "ndjson")
    graph = page.get(f"/api/runs/{done.events[0]['run']}/graph")
    assert graph["levels"] == [["before"], ["a", "b"], ["push[0]", "push[1]", "push[2]"], ["after"]]
    assert ["a", "push[1]"] in graph["edges"]
    assert ["push[2]", "after"] in graph["edges"]


def test_the_file_is_told_with_the_lines_of_what_failed(page: Page, run: str) -> None:
    found = page.get(f"/api/runs/{run}/source")
    assert found["lines"] == ROLLED_BACK.rstrip("\n").split("\n")
    [mark] = found["marks"]
    assert (mark["task"], mark["state"]) == ("check", "FAILURE")
    assert found["lines"][mark["from"] - 1] == "  - name: check"
    assert found["lines"][mark["to"] - 1] == "    revert: none"


def test_outputs_are_told(page: Page, run: str) -> None:
    assert page.get(f"/api/runs/{run}/outputs") == {"tasks": [["fetch", {"size": 42}]], "more": False}


def test_what_a_task_has_printed_is_told_file_by_file(page: Page, run: str) -> None:
    files = page.get(f"/api/runs/{run}/task", name="check")["files"]
    assert [file["title"] for file in files] in (["attempt 1"], ["attempt 1", "attempt 1, stderr"])
    text = "".join(page.get(f"/api/runs/{run}/output", name="check", file=f["id"])["text"] for f in files)
    assert text == "checking\nit is broken\n"
    undo = page.get(f"/api/runs/{run}/output", name="fetch", file="undo-1-out")
    assert (undo["text"], undo["line"], undo["live"]) == ("away\n", 1, False)


def test_a_search_finds_lines_by_number(page: Page, run: str) -> None:
    found = page.get(f"/api/runs/{run}/search", name="fetch", file="do-1-out", text="PART t")
    assert [(each["line"], each["text"]) for each in found["found"]] == [(2, "part two")]


@pytest.mark.parametrize(
    "name", ["nosuch", "../../../etc/passwd", "%2e%2e%2f", "check/../fetch", "", "fetch\0"]
)
def test_a_task_that_is_none_gets_404_and_nothing_is_opened(page: Page, run: str, name: str) -> None:
    for path in ("task", "output", "search", "last"):
        answer = page.ask(
            "GET", f"/api/runs/{run}/{path}?name={name.replace(chr(0), '%00')}&file=do-1-out&text=x"
        )
        assert answer.status == 404


@pytest.mark.parametrize(
    "file",
    [
        "",
        "do-2-out",
        "do-1-",
        "do-1-log",
        "../lock",
        "do-1-out/../../lock",
        "undo-1-out%00",
        "DO-1-out",
        "do-01-out",
    ],
)
def test_a_file_that_is_none_of_the_tasks_gets_404(page: Page, run: str, file: str) -> None:
    answer = page.ask("GET", f"/api/runs/{run}/output?name=check&file={file}")
    assert answer.status == (404 if file != "do-01-out" else 200)  # the same number, however it is written


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/{up}",
        "/api/runs/{up}/source",
        "/runs/{up}",
        "/static/{up}",
        "/api/runs/..",
        "/api/runs/nosuch",
        "/api/runs/latest",
        "/api/runs/NOSUCH/source",
        "/api/runs/nosuch/live",
    ],
)
@pytest.mark.parametrize(
    "up",
    [
        "../../journal.db",
        "..%2f..%2fjournal.db",
        "%2e%2e/%2e%2e/journal.db",
        "....//journal.db",
        "..%5cweb.key",
    ],
)
def test_no_path_leads_out(page: Page, path: str, up: str) -> None:
    answer = page.ask("GET", path.replace("{up}", up))
    assert answer.status == 404
    assert b"SQLite" not in answer.body


def test_secrets_are_masked_in_all_that_is_told(page: Page, shared: Taskrun) -> None:
    secret = "tr-canary-4711-open-sesame"
    text = """
name: hush
secrets: {token: {env: CANARY}}
inputs: {where: "here"}
tasks:
  - name: shout
    run: |
      echo ${{ secrets.token }}
      printf %s ${{ secrets.token }} | base64
      echo "{\\"message\\": \\"the token is $CANARY\\"}" >> $TASKRUN_STATUS
      exit 4
    env: {TOKEN: "${{ secrets.token }}"}
    outputs: {it: "${{ result.stdout }}"}
    revert: echo ${{ secrets.token }}
"""
    done = shared(
        "run", shared.file(text, "hush.yaml"), "-o", "ndjson", "-i", f"where={secret}", env={"CANARY": secret}
    )
    run = done.events[0]["run"]
    blind = page.ask("GET", f"/api/runs/{run}/output?name=shout&file=do-1-out")
    assert blind.status == 409  # the page's process does not know the secret: rather nothing
    assert b"cannot be read here" in blind.body
    assert page.get(f"/api/runs/{run}")["unreadable"] == ["token"]
    shared.env["CANARY"] = secret
    try:
        seeing = Page(shared).sign_in()
    finally:
        del shared.env["CANARY"]
    stream = seeing.listen(f"/api/runs/{run}/live", last=0)
    told = json.dumps(stream.next())
    stream.close()
    paths = ("", "/events", "/graph", "/source", "/outputs", "/task?name=shout", "/last?name=shout")
    files = [f"/output?name=shout&file={name}" for name in ("do-1-out", "undo-1-out")]
    for path in (*paths, *files):
        answer = seeing.ask("GET", f"/api/runs/{run}{path}")
        assert answer.status == 200, path
        told += answer.body.decode()
    assert "***" in told
    assert secret not in told
    assert "dHItY2FuYXJ5" not in told  # as base64 begins
    found = seeing.get(f"/api/runs/{run}/search", name="shout", file="do-1-out", text="canary")
    assert found["found"] == []
    seeing.kill()


def test_control_characters_of_tasks_are_shown_and_not_sent(page: Page, shared: Taskrun) -> None:
    text = """
name: rude
tasks:
  - name: rude
    run: printf 'a\\033]0;title\\007b\\033[31mred\\033[0m \\342\\200\\256evil\\n\\377'
    revert: none
"""
    done = shared("run", shared.file(text, "rude.yaml"), "-o", "ndjson")
    found = page.get(f"/api/runs/{done.events[0]['run']}/output", name="rude", file="do-1-out")
    assert found["text"] == "a␛]0;title␇bred <U+202E>evil\n\\xff"


def test_long_output_comes_in_windows_of_whole_lines(page: Page, shared: Taskrun) -> None:
    text = """
name: long
tasks:
  - name: long
    run: seq 100000
    revert: none
"""
    done = shared("run", shared.file(text, "long.yaml"), "-o", "ndjson")
    run = done.events[0]["run"]
    found = page.get(f"/api/runs/{run}/output", name="long", file="do-1-out")
    pieces = [found["text"]]
    assert pieces[0].split("\n")[0] == str(found["line"])
    while found["start"]:
        found = page.get(f"/api/runs/{run}/output", name="long", file="do-1-out", end=found["start"])
        assert found["text"].split("\n")[0] == str(found["line"])
        pieces.insert(0, found["text"])
    whole = "".join(f"{number}\n" for number in range(1, 100001))
    assert "".join(pieces) == whole
    forward, start = "", 0
    while piece := page.get(f"/api/runs/{run}/output", name="long", file="do-1-out", start=start)["text"]:
        forward += piece
        start = len(forward)
    assert forward == whole
    for line in (1, 5000, 99999, 100000, 10**9):
        found = page.get(f"/api/runs/{run}/output", name="long", file="do-1-out", line=line)
        lines = found["text"].split("\n")
        assert lines[0] == str(found["line"])
        assert str(min(line, 100000)) in lines
    found = page.get(f"/api/runs/{run}/search", name="long", file="do-1-out", text="99999")
    assert [each["line"] for each in found["found"]] == [99999]


def test_a_run_whose_directory_is_gone_is_still_shown(
    page: Page, shared: Taskrun, tmp_path: pathlib.Path
) -> None:
    done = shared("run", shared.file(ROLLED_BACK, "gone.yaml"), "-o", "ndjson")
    run = done.events[0]["run"]
    (shared.home / "runs" / run).rename(tmp_path / run)
    assert page.get(f"/api/runs/{run}")["run"]["state"] == "REVERTED"
    assert page.get(f"/api/runs/{run}/source")["missing"] is True
    assert page.get(f"/api/runs/{run}/task", name="fetch")["files"] == []
    assert page.ask("GET", f"/api/runs/{run}/output?name=fetch&file=do-1-out").status == 404


def test_the_output_of_a_task_is_not_read_through_a_link(page: Page, shared: Taskrun) -> None:
    done = shared("run", shared.file(ROLLED_BACK, "link.yaml"), "-o", "ndjson")
    run = done.events[0]["run"]
    out = shared.home / "runs" / run / "out" / "fetch.1.out"
    out.unlink()
    out.symlink_to(shared.home / "web.key")
    assert page.ask("GET", f"/api/runs/{run}/output?name=fetch&file=do-1-out").status == 404


def test_a_run_with_a_page_tells_where_it_is_and_ends_with_its_own_code(shared: Taskrun) -> None:
    done = shared("run", shared.file(ROLLED_BACK, "with.yaml"), "--web")
    assert done.code == 1
    link = re.search(r"http://127\.0\.0\.1:\d+/runs/[0-9a-z]+\?token=\S+", done.err)
    assert link
    refused = shared("run", "with.yaml", "--web", "--detach")
    assert (refused.code, "--detach" in refused.err) == (2, True)


def test_a_run_that_is_deleted_while_it_is_looked_at_is_told_to_be_gone(page: Page, shared: Taskrun) -> None:
    done = shared("run", shared.file(ROLLED_BACK, "pruned.yaml"), "-o", "ndjson")
    run = done.events[0]["run"]
    stream = page.listen(f"/api/runs/{run}/live")
    assert stream.next()[1]["run"]["id"] == run
    journal = SqliteJournal.open(str(shared.home))
    journal.delete_run(run)
    journal.close()
    assert stream.next()[1] == {"gone": True}
    stream.close()
    assert page.ask("GET", f"/api/runs/{run}").status == 404


def test_what_is_new_is_told_in_pieces_and_not_when_all_of_it_is_known(
    taskrun: Taskrun, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = "\n".join(f"  - {{name: t{number}, echo: hello}}" for number in range(1200))
    done = taskrun("run", taskrun.file(f"name: many\ntasks:\n{tasks}\n"), "-o", "ndjson")
    monkeypatch.setenv("TASKRUN_HOME", str(taskrun.home))
    told = Told(doors(), done.events[0]["run"], 0)
    journal = SqliteJournal.open(str(taskrun.home), readonly=True)
    try:
        pieces = [json.loads(told.look(journal).partition("data: ")[2]) for _ in range(3)]
        assert told.look(journal) is None
    finally:
        journal.close()
    assert [len(piece["events"]) for piece in pieces] == [1000, 1000, 402]
    assert [piece["run"]["counts"].get("SUCCESS") for piece in pieces] == [499, 999, 1200]
