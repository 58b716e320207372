"""Pages that are ended with their test."""

import contextlib
import os
import pathlib
import shutil
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Page as Tab

from taskrun.journal.lock import holder
from tests.command import Taskrun
from tests.web.page import SECONDS, Page


@pytest.fixture(autouse=True)
def no_run_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A run in the background that a failed test has left waiting would wait for ever."""
    home: pathlib.Path | None = None
    if "taskrun" in request.fixturenames:
        home = request.getfixturevalue("taskrun").home
    yield
    for directory in home.glob("runs/*") if home else ():
        end_run(directory)


def end_run(directory: pathlib.Path) -> None:
    who = holder(str(directory))
    if who is None:
        return
    os.kill(who["pid"], signal.SIGKILL)
    lines = [line.split() for line in (directory / "attempts.log").read_text().splitlines() if line]
    ended = {words[1] for words in lines if words[0] == "ended"}
    for words in lines:
        if words[0] == "began" and words[1] not in ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(words[2]), signal.SIGKILL)


@pytest.fixture
def serve(taskrun: Taskrun) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def start(*options: str) -> Page:
        pages.append(Page(taskrun, *options))
        return pages[-1].sign_in()

    yield start
    for page in pages:
        if page.process.poll() is None:
            page.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taskrun]:
    """For the tests of a file that only look: one state directory for all of them."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "work").mkdir()
    taskrun = Taskrun(folder / "work", folder / "home")
    yield taskrun
    taskrun.end_all()


@pytest.fixture(scope="module")
def page(shared: Taskrun) -> Page:
    return Page(shared).sign_in()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=SECONDS * 1000)
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """``look(page, path)`` opens a path of a page in the browser, signed in; every error of the page fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_tab(page: Page, path: str, **options: Any) -> Tab:
        context = browser.new_context(**options)
        contexts.append(context)
        name, _, value = page.cookie.partition("=")
        context.add_cookies(
            [{"name": name, "value": value, "url": page.url, "sameSite": "Strict", "httpOnly": True}]
        )
        context.set_default_timeout(SECONDS * 1000)
        tab = context.new_page()
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on("console", lambda said: problems.append(said.text) if _is_problem(said.text) else None)
        tab.goto(page.url + path)
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert problems == []


def _is_problem(text: str) -> bool:
    """What the policy has refused; that a server is away is the subject of some tests."""
    return "Content Security Policy" in text or "TrustedHTML" in text or "Uncaught" in text
