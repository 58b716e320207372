"""Runs and entries as tests need them, and real processes that use the journal."""

import os
import subprocess
import sys
from pathlib import Path

from taskrun.journal.base import Entry, RunRow
from taskrun.journal.ids import new_run_id

ROOT = Path(__file__).parents[2]
DEFINITION = {"format": 1, "name": "deploy", "tasks": [{"name": "build"}, {"name": "publish"}]}


def a_run(run_id=None, **changes):
    row = RunRow(
        id=run_id or new_run_id(),
        name="deploy",
        file="/srv/deploy.yaml",
        sha256="ab" * 32,
        created=1769851800.25,
        ended=None,
        state="PENDING",
        exit_code=None,
        inputs={"target": "staging", "count": 3},
        epoch=1,
        pid=4711,
        host="alpha",
        boot_id="b00t",
        format=1,
        version="0.1.0",
        parent=None,
        options={"jobs": 2},
    )
    return row._replace(**changes)


def an_entry(seq, name="build", data=None, **changes):
    entry = Entry(seq, 1769851800.5 + seq / 1000, "task", name, "PENDING", "RUNNING", 1, data)
    return entry._replace(**changes)


def some_entries(count, first=1):
    return [
        an_entry(seq, f"task_{seq}", {"outputs": {"id": f"é{seq}"}} if seq % 3 == 0 else None)
        for seq in range(first, first + count)
    ]


def start_python(code, *arguments, **options):
    """A real process that runs ``code`` with the project importable; its output is a pipe."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run_python(code, *arguments, **options):
    """As ``start_python``, to its end: (exit code, what it printed, what it complained about)."""
    process = start_python(code, *arguments, **options)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err
