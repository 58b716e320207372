"""One line per transition, on streams of every kind."""

import os
import pathlib
import re
import select

from taskrun.listeners.lines import Lines


def _text(path: pathlib.Path) -> list[str]:
    return path.read_text().splitlines()


def test_each_transition_is_one_line_that_says_why(run, tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        r = run("google", "amazon", retry={"attempts": 2})
        listeners = r.listen(Lines(file.fileno(), r.view))
        r.flow("RUNNING")
        r.task("amazon", "RUNNING")
        r.task("amazon", "FAILURE", failure={"type": "ConnectionError", "message": "no route\nto host"})
        r.task("amazon", "RETRYING", due=1.0)
        r.task("amazon", "RUNNING", attempt=2)
        listeners.close()
    lines = _text(path)
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines] == [
        "flow release PENDING -> RUNNING",
        "amazon PENDING -> RUNNING",
        "amazon RUNNING -> FAILURE  ConnectionError: no route to host",
        "amazon FAILURE -> RETRYING",
        "amazon RETRYING -> RUNNING  (attempt 2/2)",
    ]
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)


def test_nothing_that_steers_a_terminal_is_printed(run, tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        r = run("a")
        listeners = r.listen(Lines(file.fileno(), r.view))
        r.task("a", "FAILURE", failure={"type": "E", "message": "\x1b]52;c;YQ==\x07\x1b[31m\x9b2J\r"})
        listeners.say("ends\x1b[2J")
        listeners.close()
    raw = path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", raw)


def test_warnings_and_messages_are_lines_and_progress_is_not(run, tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        r = run("a")
        listeners = r.listen(Lines(file.fileno(), r.view))
        r.note("progress", "a", progress=0.5)
        r.note("warning", "release", message="the notification failed")
        listeners.close()
    assert [line[9:] for line in _text(path)] == ["warning release  the notification failed"]


def test_every_ten_seconds_it_says_what_still_runs(run, tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        names = [f"t{i}" for i in range(7)]
        r = run(*names)
        lines = Lines(file.fileno(), r.view)
        listeners = r.listen(lines)
        assert listeners.tick(r.now) is None
        for name in names:
            r.add("task", name, "RUNNING", after=0)
        assert listeners.tick(r.now) == 10.0
        assert listeners.tick(r.now + 4) == 6.0
        listeners.tick(r.now + 10)
        listeners.tick(r.now + 15)
        listeners.tick(r.now + 20)
        listeners.close()
    still = [line[9:] for line in _text(path) if "still" in line]
    assert still == [
        "still running: t0 (10 s), t1 (10 s), t2 (10 s), t3 (10 s), t4 (10 s), 2 more",
        "still running: t0 (20 s), t1 (20 s), t2 (20 s), t3 (20 s), t4 (20 s), 2 more",
    ]


def test_a_clock_that_is_set_back_does_not_silence_it(run, tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        r = run("a")
        listeners = r.listen(Lines(file.fileno(), r.view))
        r.task("a", "RUNNING")
        listeners.tick(r.now)
        assert listeners.tick(r.now - 86_400) == 10.0


def test_a_reader_that_goes_away_silences_it_and_nothing_else(run) -> None:
    reading, writing = os.pipe()
    r = run("a")
    listeners = r.listen(Lines(writing, r.view))
    os.close(reading)
    r.task("a", "RUNNING", "SUCCESS")
    assert listeners.tick(r.now) is None
    listeners.close()
    assert listeners.broken == []
    os.close(writing)


def test_a_full_disk_silences_it_and_nothing_else(run) -> None:
    r = run("a")
    with open("/dev/full", "wb") as full:
        listeners = r.listen(Lines(full.fileno(), r.view))
        r.task("a", "RUNNING", "SUCCESS")
        listeners.close()
    assert listeners.broken == []


def test_a_reader_that_does_not_read_never_holds_the_run_up(run) -> None:
    reading, writing = os.pipe()
    r = run("a")
    lines = Lines(writing, r.view)
    listeners = r.listen(lines)
    for attempt in range(1, 4000):
        r.add("task", "a", "RUNNING", attempt=attempt, after=0)  # far more than a pipe holds
    assert listeners.tick(r.now) < 1
    assert not select.select([], [writing], [], 0)[1]
    got = b""
    while len(got.splitlines()) < 3999:
        got += os.read(reading, 65536)
        listeners.tick(r.now)
    assert got.count(b"\n") == 3999
    os.close(reading)
    os.close(writing)


def test_a_descriptor_that_is_closed_is_no_error(run) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    r = run("a")
    listeners = r.listen(Lines(writing, r.view))
    r.task("a", "RUNNING")
    listeners.close()
    assert listeners.broken == []
