"""The live table on a real pseudo-terminal, seen through a terminal emulator."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrun.engine.view import View
from taskrun.listeners.base import Listeners
from taskrun.listeners.frame import Frame
from taskrun.listeners.screen import Style
from taskrun.listeners.table import Table

PLAIN, RICH = Style(colour=False, unicode=False), Style(colour=True, unicode=True)
SEQUENCE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


class Terminal:
    """A pseudo-terminal with an emulator behind it."""

    def __init__(self, columns: int = 80, height: int = 24) -> None:
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.screen = pyte.HistoryScreen(columns, height, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, height)

    def resize(self, columns: int, height: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, columns, 0, 0))
        self.screen.resize(height, columns)

    def read(self) -> bytes:
        """What arrived since the last time; the emulator has seen it."""
        got = b""
        while True:
            try:
                got += os.read(self.master, 65536)
            except BlockingIOError:
                break
        self.raw += got
        self.stream.feed(got)
        return got

    def lines(self) -> list[str]:
        self.read()
        return [line.rstrip() for line in self.screen.display]

    def text(self) -> str:
        return "\n".join(self.lines()).rstrip()

    def close(self) -> None:
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)


@pytest.fixture
def terminal():
    opened: list[Terminal] = []

    def make(columns: int = 80, height: int = 24) -> Terminal:
        opened.append(Terminal(columns, height))
        return opened[-1]

    yield make
    signal.signal(signal.SIGCONT, signal.SIG_DFL)
    for one in opened:
        one.close()


@pytest.fixture
def watch(terminal):
    """A run whose table is on a terminal."""

    def make(
        run, columns: int = 80, height: int = 24, style: Style = RICH, output_of=lambda row, undoing: None
    ):
        seen = terminal(columns, height)
        table = Table(seen.slave, run.view, "0abc", style, output_of)
        listeners = run.listen(table)
        listeners.tick(run.now - 1)
        return seen, listeners

    return make


def names(count: int) -> list[str]:
    return [f"task_{i:04d}" for i in range(count)]


def test_a_small_run_is_shown_whole_in_file_order(run, watch) -> None:
    r = run("create", "copy", "switch", "announce")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.task("create", "RUNNING", "SUCCESS")
    r.task("copy", "RUNNING")
    listeners.tick(r.now + 2)
    assert seen.text().split("\n") == [
        "● RUNNING    release      6 s  run 0abc",
        "             ━━━━━━━━──────────────────────  1 of 4",
        "",
        "✓ SUCCESS    create    1.00 s",
        "● RUNNING    copy         3 s",
        "○ PENDING    switch",
        "○ PENDING    announce",
        "",
        "1 success · 1 running · 2 pending",
    ]


def test_without_unicode_and_colour_it_says_the_same_in_ascii(run, watch) -> None:
    r = run("create", "copy", "switch")
    seen, listeners = watch(r, style=PLAIN)
    r.flow("RUNNING")
    r.task("create", "RUNNING", "SUCCESS")
    r.task("copy", "RUNNING")
    r.task("copy", "FAILURE", failure={"type": "ExitCode", "message": "no späce left"})
    listeners.tick(r.now)
    text = seen.text()
    assert "+ SUCCESS    create" in text
    assert "x FAILURE    copy      1.00 s  ExitCode: no sp<U+00E4>ce left" in text
    assert seen.raw.isascii()
    assert b"m" not in b"".join(re.findall(rb"\x1b\[[^A-Za-z]*([A-Za-z])", seen.raw))


def test_a_running_row_shows_the_last_line_of_its_output_made_safe(run, watch, tmp_path) -> None:
    path = tmp_path / "copy.out"
    path.write_bytes(b"first\n\x1b]52;c;eA==\x07 [red]50%\x1b[0m \x1b[31mdone\r\n")
    r = run("copy")
    seen, listeners = watch(r, output_of=lambda row, undoing: str(path))
    r.flow("RUNNING")
    r.task("copy", "RUNNING")
    listeners.tick(r.now)
    assert "␛]52;c;eA==␇ [red]50% done" in seen.text()
    assert b"\x1b]" not in seen.raw
    assert b"\x07" not in seen.raw
    path.write_bytes(b"something else\n")
    listeners.tick(r.now + 1)
    assert "something else" in seen.text()


def test_progress_and_custom_states_are_shown_beside_the_state(run, watch) -> None:
    r = run("drain")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.task("drain", "RUNNING")
    r.note("progress", "drain", progress=0.4)
    r.commit(r.entry("custom", "drain", "draining"))
    listeners.tick(r.now)
    assert "● RUNNING    drain        1 s  ━━━━──────  40%  draining" in seen.text()


def test_attempts_and_the_wait_between_them_are_shown(run, watch) -> None:
    r = run("fetch", retry={"attempts": 3})
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.task("fetch", "RUNNING")
    r.task("fetch", "FAILURE", failure={"type": "ExitCode", "message": "exit code 6"})
    r.task("fetch", "RETRYING", due=r.now + 5)
    listeners.tick(r.now)
    assert "↻ RETRYING   fetch    1/3  2.00 s  again in 4 s  ExitCode: exit code 6" in seen.text()
    r.task("fetch", "RUNNING", attempt=2)
    listeners.tick(r.now)
    assert "● RUNNING    fetch    2/3     1 s" in seen.text()


def test_a_rollback_empties_the_bar_and_counts_back(run, watch) -> None:
    r = run(*names(5))
    seen, listeners = watch(r)
    r.flow("RUNNING")
    for name in names(4):
        r.task(name, "RUNNING", "SUCCESS")
    r.task("task_0004", "RUNNING")
    r.task("task_0004", "FAILURE", failure={"type": "ExitCode", "message": "exit code 1"})
    r.flow("FAILURE", "REVERTING")
    r.task("task_0004", "REVERTING", "REVERTED")
    r.task("task_0003", "REVERTING", "REVERTED")
    r.task("task_0002", "REVERTING")
    listeners.tick(r.now)
    text = seen.text()
    assert "◂ REVERTING  release" in text
    assert "━━━━━━━━━━━━━━━━━━────────────  undoing 3 of 5" in text
    assert "↶ REVERTED   task_0004  1.00 s  ExitCode: exit code 1" in text
    assert "2 success · 1 reverting · 2 reverted" in text


def test_nested_flows_are_indented_below_their_heading_with_its_controller(watch, run) -> None:
    def task(name, flow):
        return {"name": name, "flow": flow, "kind": "run", "fields": {}, "revert": {"form": "action"}}

    definition = {
        "name": "outer",
        "flows": [
            {"name": "outer", "parent": -1, "children": [["task", 0], ["flow", 1]], "retry": {"attempts": 2}},
            {"name": "middle", "parent": 0, "children": [["flow", 2]]},
            {"name": "inner", "parent": 1, "children": [["task", 1]], "retry": {"attempts": 4}},
        ],
        "tasks": [task("first", 0), task("deep", 2)],
    }
    r = run(definition=definition)
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.add("retry", "outer", "RUNNING", "SUCCESS", attempt=1)
    r.add("retry", "inner", "RUNNING", "SUCCESS", attempt=3)
    r.task("deep", "RUNNING", attempt=3)
    listeners.tick(r.now)
    rows = [line for line in seen.lines() if line][2:-1]
    assert rows == [
        "○ PENDING    first",
        "             middle",
        "               inner  3/4",
        "● RUNNING        deep   3     1 s",
    ]
    assert "● RUNNING    outer    1/2     6 s  run 0abc" in seen.text()


def test_more_rows_than_fit_are_counted_and_what_matters_is_seen(run, watch) -> None:
    r = run(*names(200))
    seen, listeners = watch(r, 80, 24)
    r.flow("RUNNING")
    for name in names(100):
        r.add("task", name, "RUNNING", "SUCCESS", after=0.01)
    r.task("task_0003", "RUNNING", "FAILURE", failure={"type": "E", "message": "m"})
    r.task("task_0150", "RUNNING")
    listeners.tick(r.now)
    lines = [line for line in seen.lines() if line]
    assert len(seen.text().split("\n")) == 23
    assert "✗ FAILURE    task_0003  1.00 s  E: m" in lines
    assert "● RUNNING    task_0150     1 s" in lines
    assert "… 95 finished" in lines
    assert "… 89 pending" in lines
    assert lines[-1] == "99 success · 1 running · 1 failure · 99 pending"


def test_failures_are_seen_even_when_a_great_many_run(run, watch) -> None:
    r = run(*names(200))
    seen, listeners = watch(r, 80, 24)
    r.flow("RUNNING")
    r.task("task_0000", "RUNNING", "FAILURE")
    for name in names(200)[1:150]:
        r.add("task", name, "RUNNING", after=0)
    listeners.tick(r.now)
    text = seen.text()
    assert "✗ FAILURE    task_0000" in text
    assert re.search(r"… 1\d\d more running, 50 pending", text)


@pytest.mark.parametrize("columns", [20, 40, 60, 79, 80, 120, 200])
@pytest.mark.parametrize("height", [4, 8, 15, 24, 50])
def test_it_fits_every_size(run, watch, columns: int, height: int) -> None:
    r = run(*names(30), retry={"attempts": 12})
    seen, listeners = watch(r, columns, height)
    r.flow("RUNNING")
    for name in names(9):
        r.task(name, "RUNNING", "SUCCESS")
    r.task("task_0009", "RUNNING", "FAILURE", failure={"type": "日本語", "message": "長い" * 200})
    r.task("task_0010", "RUNNING")
    for second in range(3):
        listeners.tick(r.now + second)
    text = seen.text()
    assert text.count("RUNNING    release"[:10]) <= 2
    assert not seen.screen.history.top, "nothing was scrolled away"
    assert all(len(line) < columns for line in seen.lines())


def test_it_draws_at_most_eight_times_a_second(run, watch) -> None:
    r = run(*names(400))
    seen, listeners = watch(r)
    r.flow("RUNNING")
    frames = 0
    for i in range(300):  # three seconds, a hundred commits each
        r.add("task", f"task_{i:04d}", "RUNNING", after=0.01)
        wish = listeners.tick(r.now)
        assert wish is not None
        assert 0 < wish <= 1
        frames += seen.read().count(b"\x1b[?25l")
    assert 20 <= frames <= 25


def test_nothing_is_written_while_nothing_changes(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.task("a", "RUNNING")
    listeners.tick(r.now)
    seen.read()
    for hundredth in range(1, 100):
        listeners.tick(r.now + hundredth / 100)
    assert seen.read() == b""
    listeners.tick(r.now + 1)
    drawn = seen.read()
    assert b"RUNNING" in drawn
    assert b"of 1" not in drawn  # the bar did not change, so it is not sent
    r.task("a", "SUCCESS")
    r.flow("SUCCESS")
    listeners.tick(r.now + 5)
    seen.read()
    assert listeners.tick(r.now + 50) is None
    assert seen.read() == b""


def test_a_clock_that_is_set_back_does_not_freeze_it(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    listeners.tick(r.now)
    r.now -= 86_400
    r.task("a", "RUNNING")
    listeners.tick(r.now)
    assert "● RUNNING    a" in seen.text()


def test_a_run_shorter_than_a_frame_shows_only_its_last_one(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.now -= 0.98
    r.add("flow", "release", "RUNNING", after=0.01)
    r.add("task", "a", "RUNNING", "SUCCESS", after=0.01)
    listeners.tick(r.now)
    assert seen.read() == b""
    r.flow("SUCCESS")
    listeners.close()
    assert "✓ SUCCESS    release" in seen.text()


@pytest.mark.parametrize(
    ("before", "after"),
    [((80, 24), (40, 24)), ((80, 24), (200, 50)), ((80, 24), (80, 10)), ((40, 10), (80, 24))],
)
def test_a_resize_leaves_one_whole_frame(run, watch, before, after) -> None:
    r = run(*names(10))
    seen, listeners = watch(r, *before)
    r.flow("RUNNING")
    r.task("task_0000", "RUNNING")
    listeners.tick(r.now)
    seen.read()
    seen.resize(*after)
    listeners.tick(r.now + 1)
    lines = seen.lines()
    footers = [i for i, line in enumerate(lines) if line.startswith("1 running")]
    assert len(footers) == 1
    assert all(not line for line in lines[footers[0] + 1 :])


def test_what_is_said_stays_above_the_table(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.task("a", "RUNNING")
    listeners.tick(r.now)
    listeners.say("Ctrl-C: rolling back.\x1b[2J Once more to leave at once.")
    listeners.tick(r.now + 0.5)
    listeners.tick(r.now + 1.5)
    lines = seen.lines()
    assert lines[0] == "Ctrl-C: rolling back.␛[2J Once more to leave at once."
    assert lines[1].startswith("● RUNNING    release")
    assert "\n".join(lines).count("release") == 1
    listeners.say("word " * 30)
    listeners.tick(r.now + 2.5)
    assert seen.text().count("word") == 30  # wrapped, not cut


def test_a_stopped_terminal_never_holds_the_run_up(run, watch) -> None:
    r = run(*names(50))
    seen, listeners = watch(r, 200, 50)
    r.flow("RUNNING")
    termios.tcflow(seen.slave, termios.TCOOFF)  # what Ctrl-S does
    begun = time.monotonic()
    for name in names(50):
        r.task(name, "RUNNING", "SUCCESS")
        listeners.tick(r.now)
    assert time.monotonic() - begun < 2
    assert seen.read() == b""
    termios.tcflow(seen.slave, termios.TCOON)
    for later in range(3):
        listeners.tick(r.now + later)
        seen.read()
    assert "50 success" in seen.text()
    assert "\n".join(seen.lines()).count("release") == 1


def test_a_terminal_that_went_away_silences_it_and_nothing_else(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    listeners.tick(r.now)
    os.close(seen.master)
    seen.master = -1
    r.task("a", "RUNNING", "SUCCESS")
    assert listeners.tick(r.now) is None
    listeners.close()
    assert listeners.broken == []


def test_no_mode_is_left_behind_after_any_frame(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    for second in range(5):
        listeners.tick(r.now + second)
        written = seen.read()
        assert written.endswith(b"\x1b[?7h\x1b[?25h")
        assert set(re.findall(rb"\x1b\[\?(\d+)l", written)) == set(re.findall(rb"\x1b\[\?(\d+)h", written))
    listeners.close()
    seen.read()
    assert not seen.screen.cursor.hidden
    assert seen.screen.cursor.x == 0


def test_a_frame_after_others_wrote_is_drawn_below(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    listeners.tick(r.now)
    os.write(seen.slave, b"[1]+ Stopped\r\n$ fg\r\n")
    os.kill(os.getpid(), signal.SIGCONT)  # what the shell sends
    listeners.tick(r.now + 1)
    text = seen.text()
    assert "$ fg\n● RUNNING    release" in text
    listeners.close()
    assert signal.getsignal(signal.SIGCONT) == signal.SIG_DFL


def test_warnings_are_seen_and_counted(run, watch) -> None:
    r = run("a")
    seen, listeners = watch(r)
    r.flow("RUNNING")
    r.note("warning", "release", message="page.sh failed")
    r.note("warning", "release", message="page.sh failed\nagain")
    listeners.tick(r.now)
    assert "2 warnings: release: page.sh failed again" in seen.text()


def test_a_listener_with_a_bug_is_dropped_and_remembered(run) -> None:
    class Broken:
        def entries(self, entries):
            raise ValueError("a bug")

        tick = say = entries

        def close(self):
            raise AssertionError("not called again")

    r = run("a")
    listeners = r.listen(Broken())
    r.flow("RUNNING")
    assert listeners.tick(r.now) is None
    listeners.close()
    assert [str(problem) for problem in listeners.broken] == ["a bug"]
    assert r.view.state == "RUNNING"


_moves = st.lists(
    st.tuples(
        st.integers(0, 59),
        st.sampled_from(
            [
                "RUNNING",
                "SUCCESS",
                "FAILURE",
                "RETRYING",
                "REVERTING",
                "REVERTED",
                "REVERT_FAILURE",
                "UNKNOWN",
                "IGNORE",
                "PENDING",
            ]
        ),
    ),
    max_size=80,
)


@settings(max_examples=60, deadline=None)
@given(_moves, st.integers(20, 200), st.integers(3, 60), st.booleans())
def test_every_frame_fits_and_accounts_for_every_task(moves, columns, height, rolling) -> None:
    tasks = [{"name": name, "flow": 0, "kind": "run", "revert": {"form": "action"}} for name in names(60)]
    children = [["task", i] for i in range(60)]
    view = View(
        {
            "name": "release",
            "flows": [{"name": "release", "parent": -1, "children": children}],
            "tasks": tasks,
        }
    )
    Fact = type("Fact", (), {})

    def apply(kind, name, state):
        fact = Fact()
        fact.__dict__ |= dict(
            time=1.0, kind=kind, name=name, old_state=None, state=state, attempt=1, data=None
        )
        view.apply(fact)

    apply("flow", "release", "REVERTING" if rolling else "RUNNING")
    for position, state in moves:
        apply("task", f"task_{position:04d}", state)
    lines = Frame(view, "0abc", RICH, lambda row, undoing: None).lines(2.0, columns, height)
    texts = [SEQUENCE.sub("", line) for line in lines]
    assert len(lines) <= max(height, 5)
    assert all(len(text.rstrip()) < columns for text in texts)
    shown = sum(
        text.lstrip("○●✓✗↻◂↶!⊘? ").split(" ", 1)[0].isupper() for text in texts[1:] if " task_" in text
    )
    hidden = sum(int(n) for text in texts if text.startswith("…") for n in re.findall(r"(\d+) [a-z]", text))
    if columns >= 60 and height >= 8:
        assert shown + hidden == 60


def test_the_table_can_be_watched_by_many_listeners_and_folds_once(run, watch) -> None:
    r = run("a")
    _, listeners = watch(r)
    assert isinstance(listeners, Listeners)
    r.task("a", "RUNNING")
    assert r.view.changed == 1
