"""Makes docs/pictures/web-*.png: the page of runs and the report, from the real program, in a real browser.

    python docs/page_pictures.py

It needs the extras `web` and `test`, and chromium.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection

from pictures import HELLO, PLACE, RELEASE, ROOT
from playwright.sync_api import BrowserContext, sync_playwright

SIZE = {"width": 1120, "height": 760}
PATIENCE = 20.0  # seconds
SETTLED = 1.5  # seconds for fonts, the graph and the first events


def main() -> None:
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("chromium is not installed")
    folder = f"{tempfile.gettempdir()}/project"  # it is seen in the pictures
    os.mkdir(folder)
    try:
        take_all(folder, path)
    finally:
        shutil.rmtree(folder)


def take_all(folder: str, path: str) -> None:
    with sync_playwright() as playwright:
        runs = prepare(folder)
        taskrun(folder, "report", runs["rolled back"], "-o", f"{folder}/report.html")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        light, dark = (
            browser.new_context(viewport=SIZE, color_scheme=scheme) for scheme in ("light", "dark")
        )
        live = start(folder, "run", "release.yaml", "--jobs", "4", "-o", "plain")
        for context, name, at in (
            (light, "web-running", f"/runs/{newest(folder, runs.values())}"),
            (light, "web-run", f"/runs/{runs['rolled back']}"),
            (dark, "web-runs", "/"),
        ):
            page = start(folder, "web", "--no-open", "--port", "0")
            take(context, name, link(page, at))
            page.terminate()
            page.communicate()
        live.communicate()
        take(light, "report", f"file://{folder}/report.html")
        browser.close()


def environ(folder: str) -> dict[str, str]:
    return {**os.environ, "TASKRUN_HOME": f"{folder}/.home", "PYTHONPATH": str(ROOT)}


def taskrun(folder: str, *arguments: str) -> str:
    argv = [sys.executable, "-m", "taskrun", *arguments]
    return subprocess.run(
        argv, check=False, cwd=folder, env=environ(folder), capture_output=True, text=True
    ).stdout


def start(folder: str, *arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "taskrun", *arguments]
    return subprocess.Popen(
        argv, cwd=folder, env=environ(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def prepare(folder: str) -> dict[str, str]:
    """Some runs of different ends; their ids by what became of them."""
    for name, text in (("hello.yaml", HELLO), ("release.yaml", RELEASE)):
        pathlib.Path(folder, name).write_text(text)
    found = {}
    for what, command in (
        ("done", ("run", "hello.yaml")),
        ("undone", ("revert", "latest")),
        ("failed", ("run", "hello.yaml", "-i", "port=80")),
        ("rolled back", ("run", "release.yaml", "--jobs", "4", "-i", "smoke=false")),
    ):
        taskrun(folder, *command, "-o", "plain")
        found[what] = newest(folder)
    for name in ("out", "current", "north", "south", "west"):
        path = pathlib.Path(folder, name)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    return found


def newest(folder: str, known: Collection[str] = ()) -> str:
    """The id of the run that began last, once there is one that is not ``known``."""
    runs = pathlib.Path(folder, ".home", "runs")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        fresh = [path.name for path in runs.iterdir() if path.name not in known] if runs.exists() else []
        if fresh:
            return max(fresh)
        time.sleep(0.02)
    raise SystemExit("no run has begun")


def link(page: subprocess.Popen[str], at: str) -> str:
    assert page.stdout
    for line in page.stdout:
        if found := re.search(r"http://\S+", line):
            root, token = found[0].split("/?")
            return f"{root}{at}?{token}"
    raise SystemExit("the page did not start")


def take(context: BrowserContext, name: str, url: str) -> None:
    tab = context.new_page()
    tab.goto(url)
    tab.wait_for_timeout(SETTLED * 1000)
    path = PLACE / f"{name}.png"
    tab.screenshot(path=str(path))
    tab.close()
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
