"""The page in a real browser: a run watched from its start to its rollback, its buttons, a server that comes back, hostile runs."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from taskrun.journal.base import FORMAT, Entry, RunRow
from taskrun.journal.sqlite import SqliteJournal
from tests.command import Taskrun
from tests.web.flows import SAVED
from tests.web.page import Page

Look = Callable[..., Tab]
GATED = """
name: watched
tasks:
  - {name: first, run: "echo one; read line < first.gate; echo opened", revert: "read line < undo.gate"}
  - {name: second, run: "echo two; read line < second.gate; exit 4", revert: none}
  - {name: third, run: echo three, revert: none}
"""
STOPPED = """
name: stopped
on_failure: stop
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {name: second, run: "echo no >&2; test -e mended", revert: echo back}
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
  - {name: sure, approve: Is it time?}
"""


def gate(taskrun: Taskrun, name: str) -> None:
    os.mkfifo(taskrun.folder / f"{name}.gate")


def open_gate(taskrun: Taskrun, name: str) -> None:
    (taskrun.folder / f"{name}.gate").write_text("go\n")


def begin(taskrun: Taskrun, text: str, *args: str) -> str:
    done = taskrun("run", taskrun.file(text), "-o", "ndjson", "-j", "1", *args)
    return done.events[0]["run"]


def state(tab: Tab) -> Any:
    return expect(tab.locator("#hero .chip"))


def do(tab: Tab, verb: str, *, fill: Callable[[Tab], None] = lambda _tab: None) -> tuple[list[str], str]:
    """Presses a button, looks at what is shown, and says yes; the steps and the command that were shown."""
    tab.locator(f"button[data-verb={verb}]").first.click()
    expect(tab.locator("#dialog .command")).to_contain_text("taskrun")
    fill(tab)
    expect(tab.locator("#confirm")).to_be_enabled()
    shown = (
        tab.locator("#dialog .steps strong").all_text_contents(),
        tab.locator("#dialog .command").text_content(),
    )
    tab.locator("#confirm").click()
    expect(tab.locator("#dialog")).to_be_hidden()
    return shown


def test_a_run_is_watched_live_from_its_start_to_its_rollback(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    for name in ("first", "second", "undo"):
        gate(taskrun, name)
    page = serve()
    runs = look(page, "/")
    expect(runs.locator("#list")).to_contain_text("There is no run yet")
    run = begin(taskrun, GATED, "--detach")
    expect(runs.locator(f"tr[data-run='{run}'] .chip")).to_have_text("●RUNNING")
    runs.locator(f"tr[data-run='{run}'] a").click()
    state(runs).to_have_text("●RUNNING")
    rows = runs.locator(".tasks tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0).locator(".lane:not(.undo) .live")).to_have_count(1)
    open_gate(taskrun, "first")
    expect(rows.nth(0).locator(".chip")).to_have_text("✓SUCCESS")
    expect(rows.nth(1).locator(".chip")).to_have_text("●RUNNING")
    open_gate(taskrun, "second")
    state(runs).to_have_text("◂REVERTING")
    expect(runs.locator(".headline")).to_have_text("Rolling back: 1 of 2 undone.")
    expect(rows.nth(0).locator(".lane.undo .live")).to_have_count(1)
    open_gate(taskrun, "undo")
    state(runs).to_have_text("↶REVERTED")
    expect(runs.locator(".tally")).to_have_text("1 undone, 0 still applied, 0 unknown.")
    expect(runs.locator("#announce")).to_have_text(
        re.compile("REVERTED. Rolled back: the world is as before. 1 undone")
    )
    expect(rows.nth(0).locator(".lane.undo i")).to_have_class("undo")
    expect(runs.locator("#troubles pre")).to_have_text("two")
    assert runs.locator(".node").all_text_contents() == ["↶first", "↶second", "○third"]
    assert runs.title() == "↶ REVERTED watched · taskrun"


def test_a_run_under_way_is_suspended_resumed_and_cancelled_with_buttons(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    for name in ("first", "second", "undo"):
        gate(taskrun, name)
    run = begin(taskrun, GATED, "--detach")
    tab = look(serve(), f"/runs/{run}")
    steps, command = do(tab, "suspend")
    assert (steps, command) == (["first"], f"taskrun suspend {run}")
    state(tab).to_have_text("‖SUSPENDING")
    open_gate(taskrun, "first")
    state(tab).to_have_text("‖SUSPENDED")
    steps, command = do(tab, "resume")
    assert (steps, command) == (["second", "third"], f"taskrun resume {run}")
    state(tab).to_have_text("●RUNNING")
    steps, command = do(tab, "cancel", fill=lambda tab: tab.locator("#reason").fill("enough"))
    assert steps == ["second", "first"]
    state(tab).to_have_text("◂REVERTING")
    open_gate(taskrun, "undo")
    state(tab).to_have_text("↶REVERTED")
    expect(tab.locator(".reason")).to_have_text("Reason: Cancelled: enough")


def test_a_stopped_run_is_reverted_and_an_approval_given_and_declined(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    page = serve()
    tab = look(page, f"/runs/{begin(taskrun, STOPPED)}")
    assert do(tab, "revert")[0] == ["second", "first"]
    state(tab).to_have_text("↶REVERTED")
    tab = look(page, f"/runs/{begin(taskrun, APPROVAL)}")
    expect(tab.locator("#needs")).to_contain_text("Is it time?")
    do(tab, "approve")
    state(tab).to_have_text("✓SUCCESS")
    tab = look(page, f"/runs/{begin(taskrun, APPROVAL)}")
    do(tab, "decline")
    state(tab).to_have_text("↶REVERTED")


def test_an_undo_that_failed_is_resolved_or_given_up(serve: Any, taskrun: Taskrun, look: Look) -> None:
    page = serve()
    tab = look(page, f"/runs/{begin(taskrun, STUCK)}")
    state(tab).to_have_text("✗FAILURE")
    expect(tab.locator(".tally")).to_have_text("0 undone, 1 still applied, 0 unknown, 1 could not be undone.")
    _, command = do(tab, "resolve", fill=lambda tab: tab.get_by_label("It is undone, by hand").check())
    assert "--undone" in command
    expect(tab.locator(".tasks tr", has_text="second").locator(".chip")).to_have_text("↶REVERTED")
    assert do(tab, "revert")[0] == ["first"]
    state(tab).to_have_text("↶REVERTED")
    tab = look(page, f"/runs/{begin(taskrun, STUCK)}")
    tab.locator("button[data-verb=skip]").click()
    expect(tab.locator("#dialog .command")).to_contain_text("--skip")
    expect(tab.locator("#confirm")).to_be_disabled()
    tab.keyboard.press("Escape")
    do(tab, "skip", fill=lambda tab: tab.locator("#reason").fill("it is gone"))
    expect(tab.locator("#needs")).to_contain_text("Given up: it is gone")


def test_a_run_goes_on_with_its_file_as_it_was_or_as_it_is(serve: Any, taskrun: Taskrun, look: Look) -> None:
    page = serve()
    tab = look(page, f"/runs/{begin(taskrun, STOPPED)}")
    taskrun.file(STOPPED.replace("echo one", "echo other"))
    tab.locator("button[data-verb=resume]").first.click()
    difference, confirm = tab.locator("#dialog .diff"), tab.locator("#confirm")
    expect(difference.locator(".old", has_text="echo one")).to_be_visible()
    expect(difference.locator(".new", has_text="echo other")).to_be_visible()
    expect(tab.locator("#dialog .command")).to_contain_text("--use-original")
    tab.get_by_label("as it is now").check()
    expect(tab.locator("#dialog [role=alert]")).to_contain_text("first")
    expect(confirm).to_be_disabled()
    expect(tab.locator("#dialog .command")).to_be_empty()
    tab.get_by_label("as it was").check()
    expect(confirm).to_be_enabled()
    tab.keyboard.press("Escape")
    taskrun.file(STOPPED.replace("echo no >&2; test -e mended", "echo mended"))
    steps, command = do(tab, "resume", fill=_take_the_current_file)
    assert ("--use-current" in command, steps[0]) == (True, "second")
    state(tab).to_have_text("✓SUCCESS")


def _take_the_current_file(tab: Tab) -> None:
    tab.get_by_label("as it is now").check()
    expect(tab.locator("#dialog .command")).to_contain_text("--use-current")


def test_only_what_failed_to_be_undone_is_tried_again_or_what_came_after_a_savepoint(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    page = serve()
    tab = look(page, f"/runs/{begin(taskrun, STUCK)}")
    (taskrun.folder / "mended").touch()
    steps, command = do(tab, "revert", fill=lambda tab: _undo(tab, "only what failed", "--retry"))
    assert steps == ["second"]
    expect(tab.locator(".tasks tr", has_text="second").locator(".chip")).to_have_text("↶REVERTED")
    expect(tab.locator(".tasks tr", has_text="first").locator(".chip")).to_have_text("✓SUCCESS")
    tab = look(page, f"/runs/{begin(taskrun, SAVED)}")
    steps, command = do(tab, "revert", fill=lambda tab: _undo(tab, "after middle", "--to middle"))
    assert (steps, command.endswith("--to middle")) == (["second"], True)
    state(tab).to_have_text("‖SUSPENDED")


def _undo(tab: Tab, option: str, command: str) -> None:
    label = tab.locator("#undo option", has_text=option).text_content()
    tab.locator("#undo").select_option(label=label)
    expect(tab.locator("#dialog .command")).to_contain_text(command)


def test_a_page_goes_on_after_its_server_was_killed_and_started_again(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    for name in ("first", "second", "undo"):
        gate(taskrun, name)
    run = begin(taskrun, GATED, "--detach")
    page = serve()
    tab = look(page, f"/runs/{run}#part=events")
    state(tab).to_have_text("●RUNNING")
    expect(tab.locator(".events tbody tr")).to_have_count(2)
    tab.evaluate("window.stayed = true")
    page.kill()
    expect(tab.locator("#connection")).to_have_text("Connection lost, trying again")
    for name in ("first", "second", "undo"):
        open_gate(taskrun, name)
    assert taskrun("states", run, "--watch", "-o", "ndjson").code == 1
    again = Page(taskrun, port=page.port)
    try:
        expect(tab.locator("#connection")).to_have_text("Live")
        state(tab).to_have_text("↶REVERTED")
        every = taskrun("states", run, "--history", "-o", "ndjson").events
        expect(tab.locator(".events tbody tr")).to_have_count(len(every))
        numbers = tab.locator(".events tbody tr td:first-child").all_text_contents()
        assert numbers == [str(event["seq"]) for event in every]
        assert tab.evaluate("window.stayed") is True
    finally:
        again.kill()


EVIL = '<img src=x onerror="window.pwned=1">"\'><script>window.pwned=1</script>${7*7}{{7*7}}'
HOSTILE = """
name: hostile
description: DESCRIPTION
on_failure: stop
inputs: {given: VALUE}
tasks:
  - name: shout
    run: |
      cat evil.txt
      cat evil.txt >> $TASKRUN_OUTPUT.not
    outputs: {said: "${{ inputs.given }}"}
    revert: none
  - name: say
    echo: "${{ inputs.given }}"
  - name: ask
    approve: "${{ inputs.given }}"
"""


def test_what_a_run_prints_takes_and_gives_is_text_and_nothing_else(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    (taskrun.folder / "evil.txt").write_text(EVIL + "\n")
    quoted = EVIL.replace("'", "''")
    text = HOSTILE.replace("DESCRIPTION", f"'{quoted.replace('$', '')}'").replace("VALUE", "x")
    done = taskrun("run", taskrun.file(text, "<b onclick=x>.yaml"), "-o", "ndjson", "-i", f"given={EVIL}")
    assert done.code == 3, done
    run = done.events[0]["run"]
    page = serve()
    tab = look(page, f"/runs/{run}#task=shout&file=do-1-out")
    expect(tab.locator(".log .t").first).to_have_text(EVIL)
    tab.locator(".detail input[type=search]").fill("onerror")
    expect(tab.locator(".found li")).to_have_count(1)
    expect(tab.locator("#needs")).to_contain_text(EVIL)
    for part, place in (("data", ".values"), ("events", ".events"), ("yaml", ".code .t")):
        tab.evaluate(f"location.hash = 'part={part}'")
        expect(tab.locator(place).first).to_be_visible()
        if part != "yaml":
            expect(tab.locator("#panel")).to_contain_text(EVIL)
    tab.locator("button[data-verb=approve]").first.click()
    expect(tab.locator("#dialog .question")).to_have_text(EVIL)
    tab.locator("#reason").fill(EVIL)
    expect(tab.locator("#dialog .command")).to_contain_text("onerror")
    assert tab.evaluate("window.pwned") is None
    assert tab.locator("img, b, main script, iframe, object").count() == 0
    runs = look(page, "/")
    expect(runs.locator(".file")).to_contain_text("<b onclick=x>.yaml")
    assert runs.locator("b").count() == 0


def test_names_in_a_journal_that_no_file_could_have_are_text_too(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    """Whoever can write the journal needs no page; but nothing here relies on names being harmless."""
    evil = EVIL[:60]
    task = {
        "name": evil,
        "flow": 0,
        "kind": evil,
        "fields": {},
        "revert": {"form": "none"},
        "line": 1,
        "column": 1,
    }
    flow = {
        "name": evil,
        "parent": -1,
        "pattern": "linear",
        "children": [["task", 0]],
        "line": 1,
        "column": 1,
    }
    definition = {
        "format": 1,
        "name": evil,
        "file": evil,
        "dir": "/",
        "sha256": "0",
        "inputs": {},
        "flows": [flow],
        "tasks": [task],
    }
    run = "0000000000abc"
    failure = {"type": evil, "message": evil}
    entries = [
        Entry(1, 1.0, "flow", evil, "PENDING", "RUNNING", 0, None),
        Entry(2, 1.0, "task", evil, "PENDING", "RUNNING", 1, None),
        Entry(3, 1.0, "custom", evil, None, None, 1, {"state": evil}),
        Entry(4, 1.0, "warning", evil, None, None, 1, {"message": evil}),
        Entry(5, 2.0, "task", evil, "RUNNING", "FAILURE", 1, {"failure": failure, "outputs": {evil: evil}}),
        Entry(6, 2.0, "flow", evil, "RUNNING", "FAILURE", 0, {"failure": failure}),
        Entry(7, 2.0, "flow", evil, "FAILURE", "SUSPENDED", 0, None),
    ]
    row = RunRow(
        run, evil, evil, "0", 1.0, 2.0, "SUSPENDED", 3, {evil: evil}, 1, None, "", "", FORMAT, evil, None, {}
    )
    journal = SqliteJournal.open(str(taskrun.home))
    journal.create_run(row, definition, entries)
    journal.close()
    page = serve()
    runs = look(page, "/")
    expect(runs.locator("th a")).to_have_text(evil)
    runs.locator("th a").click()
    expect(runs.locator("h1")).to_have_text(evil)
    expect(runs.locator(".tasks .name")).to_have_text(evil)
    runs.locator(".tasks .name").click()
    expect(runs.locator("#detail-name")).to_have_text(evil)
    expect(runs.locator(".detail .trouble-text")).to_contain_text(evil)
    for part in ("data", "events", "yaml"):
        runs.locator(f"#tab-{part}").click()
        expect(runs.locator("#panel")).not_to_be_empty()
    assert runs.evaluate("window.pwned") is None
    assert runs.locator("img, main script").count() == 0


def test_a_thousand_tasks_are_made_as_one_comes_to_them(serve: Any, taskrun: Taskrun, look: Look) -> None:
    tasks = "\n".join(f"  - {{name: task_{number:04}, echo: hello}}" for number in range(1000))
    run = begin(taskrun, f"name: many\npattern: unordered\ntasks:\n{tasks}\n")
    tab = look(serve(), f"/runs/{run}")
    expect(tab.locator(".legend")).to_have_text("✓ 1,000 SUCCESS")
    rows = tab.locator(".tasks tbody tr")
    expect(rows).to_have_count(200)
    tab.locator("section > .more").scroll_into_view_if_needed()
    expect(rows).not_to_have_count(200)
    tab.get_by_label("Search tasks").fill("task_0999")
    expect(rows).to_have_count(1)
    expect(tab.locator(".graph.small .node")).to_have_count(1000)


def test_of_many_tasks_the_first_are_there_at_once_and_the_rest_soon(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    tasks = "\n".join(f"  - {{name: task_{number:05}, echo: hello}}" for number in range(12_500))
    last = "  - {name: last, fail: at the end}\n"
    run = begin(taskrun, f"name: many\npattern: linear\non_failure: stop\ntasks:\n{tasks}\n{last}")
    page = serve()
    found = page.get(f"/api/runs/{run}")
    assert (len(found["rows"]), found["rows"][-1]["name"], found["many"]) == (1001, "last", 12_501)
    rest = [page.get(f"/api/runs/{run}/rows", **{"from": start})["rows"] for start in (1000, 11_000, 12_501)]
    assert [len(rows) for rows in rest] == [10_000, 1501, 0]
    tab = look(page, f"/runs/{run}")
    expect(tab.locator(".troubles")).to_contain_text("at the end")
    expect(tab.locator(".filter", has_text="All")).to_have_text("All 12,501")
    tab.get_by_label("Search tasks").fill("task_12499")
    expect(tab.locator(".tasks tbody tr")).to_have_count(1)
    expect(tab.locator(".graph-block[open]")).to_have_count(0)
    tab.locator("button[data-verb=revert]").first.click()
    expect(tab.locator("#dialog .steps li").last).to_have_text("and 12,201 more tasks")
    expect(tab.locator("#dialog .steps strong").first).to_have_text("last")
    tab.keyboard.press("Escape")
    tab.get_by_role("tab", name="YAML").click()
    code = tab.get_by_label("The workflow file")
    expect(code.locator(".marked")).to_contain_text("at the end")
    expect(code.get_by_text("Show later lines")).to_be_hidden()
    count = code.locator(".line").count()
    assert count < 3000
    code.get_by_text("Show earlier lines").click()
    expect(code.locator(".line")).to_have_count(count + 2000)


def test_the_keys_are_enough(serve: Any, taskrun: Taskrun, look: Look) -> None:
    tab = look(serve(), f"/runs/{begin(taskrun, STOPPED)}")
    expect(tab.locator(".tasks .name")).to_have_count(2)
    tab.keyboard.press("/")
    expect(tab.get_by_label("Search tasks")).to_be_focused()
    tab.locator(".tasks .name").first.focus()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".tasks .name").nth(1)).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("#detail-name")).to_be_focused()
    expect(tab.locator("#detail-name")).to_have_text("second")
    tab.keyboard.press("Escape")
    expect(tab.locator("#detail")).to_be_hidden()
    expect(tab.locator(".tasks .name").nth(1)).to_be_focused()
    tab.locator("#tab-tasks").focus()
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#tab-data")).to_be_focused()
    expect(tab.locator("#panel")).to_contain_text("Inputs")
    tab.locator("button[data-verb=revert]").focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("#dialog")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("button[data-verb=revert]")).to_be_focused()


def test_output_is_followed_searched_and_every_line_has_an_address(
    serve: Any, taskrun: Taskrun, look: Look
) -> None:
    gate(taskrun, "more")
    text = "name: talk\ntasks:\n  - {name: talk, run: 'seq 6000; read line < more.gate; echo the end', revert: none}\n"
    run = begin(taskrun, text, "--detach")
    page = serve()
    tab = look(page, f"/runs/{run}#task=talk")
    last = tab.locator(".lines .line").last
    expect(last).to_have_attribute("data-n", "6000")
    open_gate(taskrun, "more")
    expect(last).to_contain_text("the end")
    tab = look(page, f"/runs/{run}#task=talk&file=do-1-out&line=777")
    expect(tab.locator(".target")).to_have_text("777777")
    tab.get_by_label("Search output").fill("THE END")
    expect(tab.locator(".found li")).to_have_text("6001 the end")
    tab.locator(".found a").click()
    expect(tab.locator(".target")).to_contain_text("the end")


CONTRAST = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (rgb) => { const [r, g, b] = rgb.map((c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = (element) => { for (let at = element; at; at = at.parentElement) { const found = rgba(getComputedStyle(at).backgroundColor); if (found[3] > 250) return found; } return rgba('white'); };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element.checkVisibility() || element.closest('.unseen, :disabled, noscript')) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color).slice(0, 3)), light(back(element).slice(0, 3))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) bad.push(`${element.className || element.tagName}: ${walk.currentNode.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_it_can_be_read_in_light_and_dark_wide_and_narrow(
    serve: Any, taskrun: Taskrun, look: Look, scheme: str, width: int
) -> None:
    page = serve()
    run = begin(taskrun, STUCK.replace("name: stuck", "name: stuck\ndescription: It stays half way"))
    begin(taskrun, APPROVAL)
    begin(taskrun, STOPPED.replace("test -e mended", "echo fine"))
    size = {"width": width, "height": 800}
    tab = look(page, "/", color_scheme=scheme, viewport=size, reduced_motion="reduce")
    expect(tab.locator("tbody tr")).to_have_count(3)
    for path in (
        "/",
        f"/runs/{run}",
        f"/runs/{run}#part=events",
        f"/runs/{run}#part=yaml",
        f"/runs/{run}#task=third",
    ):
        tab.goto(page.url + path)
        expect(tab.locator("tbody tr, .line, #detail-name").first).to_be_visible()
        assert tab.evaluate(CONTRAST) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("document.getAnimations().length") == 0
    tab.keyboard.press("Escape")
    tab.locator("button[data-verb=revert]").first.click()
    expect(tab.locator("#dialog .steps li").first).to_be_visible()
    assert tab.evaluate(CONTRAST) == []


def test_a_link_signs_in_and_leaves_no_token_in_the_address(browser: Any, taskrun: Taskrun) -> None:
    page = Page(taskrun)
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#notice")).to_contain_text("You are not signed in")
    tab.goto(page.link)
    expect(tab.locator("#list")).to_contain_text("There is no run yet")
    assert tab.url == f"{page.url}/"
    assert tab.evaluate("document.cookie") == ""
    context.close()
    page.kill()


def test_a_page_that_is_read_only_has_no_buttons(serve: Any, taskrun: Taskrun, look: Look) -> None:
    tab = look(serve("--read-only"), f"/runs/{begin(taskrun, APPROVAL)}")
    expect(tab.locator("#needs")).to_contain_text("Is it time?")
    expect(tab.locator("#hero")).to_contain_text("Read only")
    assert tab.locator("button[data-verb]").count() == 0
