"""What a stranger meets first: help that fits the screen, messages that say what to do, and no waiting for either."""

import json
import subprocess
import sys

import pytest

from taskrun import __version__
from taskrun.cli.main import COMMANDS
from tests.command import ROOT, Taskrun

HEAVY = ("pydantic", "rich", "yaml", "requests", "sqlite3", "taskrun.app", "taskrun.spec.compiler")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns_and_begins_with_examples(command: str, taskrun: Taskrun) -> None:
    done = taskrun(*filter(None, [command]), "--help", env={"COLUMNS": "80"})
    assert done.code == 0
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "[default" not in done.out
    assert "<=x" not in done.out
    example = next(i for i, line in enumerate(lines) if line.startswith(f"    taskrun {command}".rstrip()))
    assert example < lines.index("Options:")


def test_the_overview_names_every_command_and_exit_code(taskrun: Taskrun) -> None:
    out = taskrun("--help").out
    for name, line in COMMANDS.items():
        assert f"  {name}" in out
        assert line in out  # on one line
    for code in (0, 1, 2, 3, 4, 5, 6, 8, 70, 130):
        assert f" {code}  " in out
    assert len(out.splitlines()) <= 50


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["run", "--help"], ["rnu"], ["run", "--job"]], ids=" ".join
)
def test_help_and_version_and_slips_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, json; from taskrun.cli.main import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    allowed = {"taskrun.app", "sqlite3"} if arguments[0] == "run" else set()
    assert not loaded & (set(HEAVY) - allowed)


def test_the_version_is_said(taskrun: Taskrun) -> None:
    assert taskrun("--version").out == f"taskrun {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], "did you mean 'run'?"),
        (["state"], "did you mean 'states'?"),
        (["helo"], "taskrun --help"),
        (["help"], "did you mean '--help'?"),
        (["w.yaml"], "did you mean `taskrun run w.yaml`?"),
        (["run", "w.yaml", "--job", "2"], "did you mean '--jobs'?"),
        (["run", "w.yaml", "--ouput", "plain"], "did you mean '--output'?"),
        (["states", "--wach"], "did you mean '--watch'?"),
        (["run"], "missing argument 'file'"),
        (["run", "a.yaml", "b.yaml"], "unexpected extra argument"),
        (["run", "w.yaml", "-j", "many"], "a whole number from 1 to 10,000 is wanted, not 'many'"),
        (["run", "w.yaml", "-j", "1e3"], "a whole number from 1 to 10,000"),
        (["run", "w.yaml", "-o", "tabel"], "is not one of 'auto', 'table', 'plain', 'ndjson'"),
        (["run", "w.yaml", "-i", "novalue"], "expected name=value"),
        (["runs", "-n", "0"], "a whole number from 1"),
        (["resolve", "latest", "x"], "--done, --not-done or --undone"),
        (["resolve", "latest", "x", "--undone", "--output", "a=1"], "--output goes with --done only"),
        (["explain", "TR1"], "there is no diagnostic"),
    ],
)
def test_a_slip_is_answered_in_a_line_or_two_with_what_was_meant(
    arguments: list[str], words: str, taskrun: Taskrun
) -> None:
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n")
    done = taskrun(*arguments)
    assert done.code in (2, 4)
    assert done.out == ""
    assert words in done.err.lower()
    assert done.err.startswith("error: ")
    assert len(done.err.splitlines()) <= 2


def test_without_anything_the_help_is_shown(taskrun: Taskrun) -> None:
    done = taskrun()
    assert done.code == 2
    assert "Usage: taskrun" in done.err


def test_a_bug_is_one_line_and_its_details_are_in_a_file(taskrun: Taskrun, tmp_path) -> None:
    code = (
        "import sys; from taskrun.cli import main, found\n"
        "def broken(*_): raise ZeroDivisionError('oh \\x1b]0;x\\x07')\n"
        "found.open_journal = broken\n"
        "from taskrun.cli import runs; runs.open_journal = broken\n"
        "sys.exit(main.main(['runs']))"
    )
    env = {**taskrun.env, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 70
    assert "this is a bug in taskrun: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    (report,) = tmp_path.glob("taskrun-crash-*.txt")
    assert "ZeroDivisionError" in report.read_text()
    assert str(report) in done.stderr


def test_a_directory_that_was_removed_is_no_bug(taskrun: Taskrun, tmp_path) -> None:
    (tmp_path / "gone").mkdir()
    argv = ["sh", "-c", 'cd gone && rmdir ../gone && exec "$@"', "sh", *taskrun._argv(("run", "w.yaml"))]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=taskrun.env, timeout=60)
    assert done.returncode == 2
    assert "error: the current directory is not there any more" in done.stderr


def test_a_c_locale_shows_everything_in_ascii(taskrun: Taskrun) -> None:
    taskrun.file('name: u\ntasks: [{name: a, echo: "grüße €"}, {name: b, fail: "ähm"}]\n')
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = taskrun("run", "w.yaml", env=plain)
    assert done.code == 1
    assert "gr<U+00FC>" in done.out
    for arguments in (["states"], ["runs"], ["states", "--history"], ["explain", "TR101"], ["--help"]):
        done = taskrun(*arguments, env=plain)
        assert done.code in (0, 1)
        assert done.out.isascii()
        assert "Traceback" not in done.err


@pytest.mark.parametrize(("command", "code"), [("run", 2), ("resume", 2), ("explain", 0)])
def test_elsewhere_than_on_linux_what_cannot_work_says_so(command: str, code: int) -> None:
    program = f"""
import sys
sys.platform = "darwin"
from taskrun.cli.main import main
sys.exit(main([{command!r}, "TR201"]))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == code
    assert ("needs Linux" in done.stderr) == (code == 2)
    assert "Traceback" not in done.stderr
