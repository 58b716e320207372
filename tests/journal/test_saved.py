"""Journals that older versions have written, as they left them: read, brought up to date, and gone on with."""

import pathlib
import shutil
import sqlite3
import tarfile

import pytest

from taskrun.journal import migrations
from taskrun.journal.sqlite import SqliteJournal
from tests.command import Taskrun

SAVED = sorted((pathlib.Path(__file__).parent / "data").glob("*.tar.xz"))


@pytest.fixture(params=SAVED, ids=lambda path: path.name.removesuffix(".tar.xz"))
def saved(request, tmp_path) -> Taskrun:
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path, filter="tar")
    world = tmp_path / "world"
    world.mkdir()
    taskrun = Taskrun(world, tmp_path / "home")
    taskrun.env["WORLD"] = str(world)
    return taskrun


def run_of(taskrun: Taskrun, name: str) -> str:
    journal = SqliteJournal.open(str(taskrun.home), readonly=True)
    (found,) = [row.id for row in journal.runs() if row.name == name]
    assert journal.verify(found) is None
    journal.close()
    return found


def log(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().splitlines()


def version(taskrun: Taskrun) -> int:
    db = sqlite3.connect(f"file:{taskrun.home}/journal.db?mode=ro", uri=True)
    try:
        return db.execute("PRAGMA user_version").fetchone()[0]
    finally:
        db.close()


def test_every_version_of_the_tables_that_was_left_has_a_saved_journal():
    versions = {int(path.name.removesuffix(".tar.xz").rpartition("-")[2]) for path in SAVED}
    assert versions >= set(range(1, migrations.VERSION))


def test_the_tables_are_the_same_whether_made_anew_or_brought_up_to_date(saved, tmp_path):
    def tables(home):
        SqliteJournal.open(str(home)).close()
        db = sqlite3.connect(f"{home}/journal.db")
        rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
        db.close()
        return {(kind, name): " ".join(sql.split()) for kind, name, sql in rows}

    assert tables(saved.home) == tables(tmp_path / "new")
    assert version(saved) == migrations.VERSION


def test_looking_at_it_shows_all_its_runs(saved):
    found = saved("runs", "-o", "json").out
    for name in ("suspended", "interrupted", "asked", "done", "stuck", "undoing"):
        assert f'"name": "{name}"' in found
    assert "INTERRUPTED" in saved("states", run_of(saved, "undoing")).out


def test_a_suspended_run_goes_on_with_what_it_knew(saved):
    run = run_of(saved, "suspended")
    (saved.folder / "go").touch()
    done = saved("resume", run)
    assert done.code == 0, done.err
    assert log(saved) == ["last 42"]
    assert saved("revert", run).code == 0
    undos = ["undo last", "undo fetch", "undo grow 2", "undo grow 1", "undo first"]
    assert sorted(log(saved)[1:]) == sorted(undos)


def test_a_task_that_was_killed_is_undone_and_done_again(saved):
    (saved.folder / "go").touch()
    done = saved("resume", run_of(saved, "interrupted"))
    assert done.code == 0, done.err
    assert log(saved) == ["undo hangs", "hangs", "last"]


def test_an_approval_is_given_later(saved):
    run = run_of(saved, "asked")
    assert saved("resolve", run, "sure", "--done").code == 0
    assert saved("resume", run).code == 0
    assert log(saved) == ["last"]


def test_a_success_is_undone(saved):
    assert saved("revert", run_of(saved, "done")).code == 0
    assert log(saved) == ["undo last", "undo first"]


def test_an_undo_that_failed_is_tried_again(saved):
    run = run_of(saved, "stuck")
    assert saved("revert", run).code == 3
    (saved.folder / "go").touch()
    assert saved("revert", run).code == 0
    assert log(saved) == ["undo second", "undo second", "undo first"]


def test_a_rollback_that_was_killed_goes_on(saved):
    (saved.folder / "go").touch()
    assert saved("resume", run_of(saved, "undoing")).code == 1
    assert log(saved) == ["undo second", "undo first"]


def test_what_cannot_be_written_to_is_said_to_be_old(saved, read_only_mount):
    db = sqlite3.connect(saved.home / "journal.db")  # ended well, not killed: no WAL is left
    db.execute("SELECT count(*) FROM runs").fetchone()
    db.close()
    mounted = read_only_mount(str(saved.home))
    found = saved("runs", env={"TASKRUN_HOME": str(mounted)})
    assert found.code == 2
    assert "read-only" in found.err


def test_a_newer_journal_is_refused_by_every_command_and_left_as_it_is(saved):
    run = run_of(saved, "suspended")
    db = sqlite3.connect(saved.home / "journal.db")
    db.execute(f"PRAGMA user_version = {migrations.VERSION + 1}")
    db.commit()
    db.close()
    before = (saved.home / "journal.db").read_bytes()
    workflow = saved.file("name: w\ntasks: [{name: a, run: 'true', revert: none}]\n")
    for command in (
        ["run", workflow],
        ["resume", run],
        ["revert", run],
        ["runs"],
        ["states", run],
        ["logs", run],
    ):
        done = saved(*command)
        assert done.code == 2, command
        assert "was written by a newer taskrun" in done.err
        assert "upgrade taskrun" in done.err
    assert (saved.home / "journal.db").read_bytes() == before
    shutil.rmtree(saved.home)
