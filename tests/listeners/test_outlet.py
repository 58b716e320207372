"""Streams that are slow, gone or full; and what showing a run costs to start."""

import os
import subprocess
import sys

import pytest

from taskrun.listeners.outlet import Outlet


def test_a_slow_reader_gets_all_of_it_when_taskrun_ends() -> None:
    script = (
        "import sys\n"
        "from taskrun.listeners.outlet import Outlet\n"
        "out = Outlet(1)\n"
        "for i in range(100000): out.write(f'line {i}\\n')\n"
        "assert out.behind\n"
        "out.leave()\n"
        "out.write('the last one\\n')\n"
        "out.leave()\n"
        "sys.stderr.write('left\\n'); sys.stderr.flush()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"left\n"  # the pipe is full, and yet it came so far
        out, err = process.communicate(timeout=60)
    assert err == b""
    assert out.endswith(b"line 99999\nthe last one\n")
    assert out.count(b"\n") == 100_001


def test_a_reader_that_takes_one_line_ends_nothing() -> None:
    script = (
        "from taskrun.listeners.outlet import Outlet\n"
        "out = Outlet(1)\n"
        "for i in range(100000): out.write(f'line {i}\\n')\n"
        "out.leave()\n"
        "raise SystemExit(7)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 7
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_what_nobody_reads_is_bounded() -> None:
    reading, writing = os.pipe()
    out = Outlet(writing, limit=200_000)
    for _ in range(100):
        out.write("x" * 10_000)
    assert not out.open
    assert not out.behind
    os.close(reading)
    os.close(writing)


def test_the_given_descriptor_stays_as_it_was() -> None:
    reading, writing = os.pipe()
    out = Outlet(writing)
    out.write("x" * 100_000)
    assert os.get_blocking(writing)
    out.close()
    os.fstat(writing)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    "module", ["lines", "ndjson", "ending", "sanitize", "table", "frame", "states", "runs", "tail"]
)
def test_no_module_loads_what_only_a_terminal_needs(module: str) -> None:
    heavy = "rich, yaml, pydantic, requests, click, asyncio, subprocess, dataclasses, logging"
    script = (
        f"import sys, taskrun.listeners.{module}\n"
        f"print([name for name in {heavy!r}.split(', ') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
