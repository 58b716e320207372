"""The real command in a process of its own, with a state directory of its own."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 60  # seconds until a command that hangs fails its test


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def transitions(self) -> list[str]:
        return [
            f"{e['kind']} {e['name']} {e['state']}"
            for e in self.events
            if e["kind"] in ("flow", "task", "retry")
        ]

    @property
    def summary(self) -> dict[str, Any]:
        return self.events[-1]


class Taskrun:
    """``taskrun("run", "w.yaml")`` in folder ``folder``; ``start`` does not wait."""

    def __init__(self, folder: pathlib.Path, home: pathlib.Path) -> None:
        self.folder = folder
        self.home = home
        self._started: list[subprocess.Popen[str]] = []
        self.env = {**os.environ, "TASKRUN_HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "dumb"}
        for name in ("GITHUB_ACTIONS", "GITLAB_CI"):  # where the tests themselves may run
            self.env.pop(name, None)
        self.env["XDG_CONFIG_HOME"] = str(home.parent / "config")  # no settings of whoever runs the tests

    def __call__(self, *args: object, env: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            self._argv(args),
            cwd=self.folder,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            errors="backslashreplace",
            stdin=subprocess.DEVNULL,
            timeout=LIMIT,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(
        self, *args: object, env: dict[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        options = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "stdin": subprocess.DEVNULL,
            **options,
        }
        process = subprocess.Popen(
            self._argv(args), cwd=self.folder, env={**self.env, **(env or {})}, **{"text": True, **options}
        )
        self._started.append(process)
        return process

    def end_all(self) -> None:
        """Nothing that a failed test has started goes on after it."""
        for process in self._started:
            if process.poll() is None:
                process.terminate()  # a run then ends its tasks too
                try:
                    process.communicate(timeout=15)
                except (subprocess.TimeoutExpired, ValueError):
                    process.kill()
                    process.wait()

    def file(self, text: str, name: str = "w.yaml") -> str:
        (self.folder / name).write_text(text)
        return name

    @staticmethod
    def _argv(args: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "taskrun", *map(str, args)]
