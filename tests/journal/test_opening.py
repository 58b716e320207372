"""How the database file is opened: private, durable as promised, of a known version, or not at all."""

import os
import shutil
import sqlite3
import stat
import tempfile

import pytest

from taskrun.errors import JournalCorruptError, JournalError, JournalTooNewError, NotFoundError, UsageError
from taskrun.journal import migrations, opening
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, a_run, run_python, some_entries

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def shell(home, *statements):
    """What a person does with the sqlite3 program."""
    db = sqlite3.connect(f"{home}/journal.db", isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def content(home):
    with open(f"{home}/journal.db", "rb") as file:
        return file.read()


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("process", 1)])
def test_the_file_is_in_wal_mode_with_the_promised_durability(tmp_path, durability, synchronous):
    db = opening.to_write(str(tmp_path / "journal.db"), durability)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    assert db.execute("PRAGMA application_id").fetchone() == (migrations.APPLICATION_ID,)
    assert db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)
    db.close()


def test_a_file_system_where_wal_is_refused_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_set_up", lambda db, durability: db.execute("PRAGMA journal_mode = DELETE"))
    with pytest.raises(JournalError, match="journal mode delete") as caught:
        opening.to_write(str(tmp_path / "journal.db"), "full")
    assert "TASKRUN_HOME" in caught.value.hint


def test_a_file_that_another_process_makes_meanwhile_is_not_taken_for_a_foreign_one(tmp_path):
    path = str(tmp_path / "journal.db")
    shell(tmp_path, "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)", "DROP TABLE t")
    other = sqlite3.connect(path, isolation_level=None)

    def make(statement):
        if "user_version" in statement and not other.in_transaction:
            other.execute("BEGIN IMMEDIATE")
            migrations.bring_up(other, path)
            other.execute("COMMIT")

    db = sqlite3.connect(path, isolation_level=None)
    db.set_trace_callback(make)
    assert opening._known_version(db, path) == 0
    db.set_trace_callback(None)
    assert opening._known_version(db, path) == migrations.VERSION
    db.close()
    other.close()


def test_directories_and_files_are_private_whatever_the_umask(home):
    before = os.umask(0)
    try:
        journal = SqliteJournal.open(f"{home}/deep/er")
        journal.create_run(a_run(), DEFINITION)
    finally:
        os.umask(before)
    assert [mode_of(f"{home}{tail}") for tail in ("", "/deep", "/deep/er")] == [0o700] * 3
    names = sorted(os.listdir(f"{home}/deep/er"))
    assert names == ["journal.db", "journal.db-shm", "journal.db-wal", "reserve"]
    assert {mode_of(f"{home}/deep/er/{name}") for name in names} == {0o600}
    journal.close()


def test_closing_leaves_the_database_and_the_reserve(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run(), DEFINITION, some_entries(50))
    journal.close()
    assert sorted(os.listdir(home)) == ["journal.db", "reserve"]


def test_a_home_with_odd_characters_works(tmp_path):
    home = str(tmp_path / "a?b#c%20d é'\"")
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    reader = SqliteJournal.open(home, readonly=True)
    assert reader.find("latest").id == "abc"
    reader.close()
    journal.close()
    assert sorted(os.listdir(home)) == ["journal.db", "reserve"]


def test_a_file_in_place_of_the_home_is_refused(tmp_path):
    path = tmp_path / "home"
    path.write_text("mine")
    for readonly in (False, True):
        with pytest.raises(UsageError, match=f"{path}: it is not a directory") as caught:
            SqliteJournal.open(str(path), readonly=readonly)
        assert "TASKRUN_HOME" in caught.value.hint
    with pytest.raises(UsageError, match="not a directory"):
        SqliteJournal.open(f"{path}/below")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_home_others_can_write_to_is_refused(tmp_path, mode):
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(mode)
    with pytest.raises(UsageError, match=f"{home} could be changed by other users") as caught:
        SqliteJournal.open(str(home))
    assert f"chmod go-w {home}" in caught.value.hint
    assert "TASKRUN_HOME" in caught.value.hint
    assert list(home.iterdir()) == []


def test_a_database_others_can_write_to_is_refused(home):
    SqliteJournal.open(home).close()
    os.chmod(f"{home}/journal.db", 0o666)
    for readonly in (False, True):
        with pytest.raises(UsageError, match="could be changed by other users"):
            SqliteJournal.open(home, readonly=readonly)


@as_root
def test_a_home_of_somebody_else_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    with pytest.raises(UsageError, match=f"{home}: it belongs to user 65534, this is user 0"):
        SqliteJournal.open(str(home))


def test_a_symbolic_link_in_place_of_the_database_is_refused(home, tmp_path):
    os.mkdir(home, 0o700)
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", f"{home}/journal.db")
    for readonly in (False, True):
        with pytest.raises(UsageError, match="not a regular file"):
            SqliteJournal.open(home, readonly=readonly)
    assert (tmp_path / "victim").read_text() == "precious"


OPEN_AS_SOMEBODY = """
import os, sys
from taskrun.errors import TaskrunError
from taskrun.journal.sqlite import SqliteJournal
os.setresuid(65534, 65534, 65534)
try:
    SqliteJournal.open(sys.argv[1])
except TaskrunError as error:
    print(type(error).__name__, error.exit_code, error.message, "|", error.hint)
"""


@pytest.fixture
def public_directory():
    """Where other users can get to but not write."""
    path = tempfile.mkdtemp()
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@as_root
def test_a_home_that_cannot_be_made_is_refused_by_name(public_directory):
    code, out, err = run_python(OPEN_AS_SOMEBODY, f"{public_directory}/state/taskrun")
    assert (code, err) == (0, "")
    said = f"UsageError 2 the state of runs cannot be kept in {public_directory}/state/taskrun: Permission denied"
    assert out.startswith(said)
    assert "TASKRUN_HOME" in out


@as_root
def test_a_database_that_cannot_be_written_is_refused_before_anything_runs(public_directory):
    home = f"{public_directory}/home"
    SqliteJournal.open(home).close()
    os.chmod(f"{home}/journal.db", 0o400)
    for path in (home, f"{home}/journal.db"):
        os.chown(path, 65534, 65534)
    code, out, err = run_python(OPEN_AS_SOMEBODY, home)
    assert (code, err) == (0, "")
    assert out.startswith(f"UsageError 2 the journal {home}/journal.db is read-only")


def test_a_reader_of_no_home_sees_an_empty_journal_and_creates_nothing(home):
    reader = SqliteJournal.open(home, readonly=True)
    assert reader.runs() == []
    with pytest.raises(NotFoundError, match="no run yet"):
        reader.find("latest")
    assert not os.path.exists(home)
    reader.close()


def test_a_reader_that_came_first_sees_the_first_run(home):
    reader = SqliteJournal.open(home, readonly=True)
    before = reader.change_counter()
    assert reader.change_counter() == before
    writer = SqliteJournal.open(home)
    writer.create_run(a_run("abc"), DEFINITION)
    assert reader.change_counter() != before
    assert [row.id for row in reader.runs()] == ["abc"]
    reader.close()
    writer.close()


def test_a_reader_writes_nothing(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    for path in (home, f"{home}-missing"):
        reader = SqliteJournal.open(path, readonly=True)
        with pytest.raises(JournalError, match="to be read only"):
            reader.create_run(a_run(), DEFINITION)
        with pytest.raises(JournalError, match="to be read only"):
            reader.append("abc", some_entries(1), epoch=1)
        reader.close()
    assert journal.entries("abc") == []
    journal.close()


def test_a_newer_journal_is_refused_and_not_touched(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run(), DEFINITION)
    journal.close()
    shell(home, f"PRAGMA user_version = {migrations.VERSION + 1}")
    before = content(home), sorted(os.listdir(home))
    for readonly in (False, True):
        with pytest.raises(JournalTooNewError, match="newer taskrun") as caught:
            SqliteJournal.open(home, readonly=readonly)
        assert caught.value.exit_code == 2
    assert content(home) == before[0]


def test_the_wal_a_newer_version_left_is_not_touched(home, tmp_path):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run(), DEFINITION)
    journal.close()
    code = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA user_version = 99")
db.execute("CREATE TABLE of_the_future (x)")
os.kill(os.getpid(), 9)
"""
    run_python(code, f"{home}/journal.db")
    before = content(home), os.path.getsize(f"{home}/journal.db-wal")
    assert before[1] > 0
    with pytest.raises(JournalTooNewError):
        SqliteJournal.open(home)
    assert (content(home), os.path.getsize(f"{home}/journal.db-wal")) == before


def test_another_programs_database_is_refused_and_not_touched(home):
    os.mkdir(home, 0o700)
    shell(home, "CREATE TABLE theirs (x)")
    os.chmod(f"{home}/journal.db", 0o600)
    before = content(home)
    with pytest.raises(JournalCorruptError, match="not a journal of taskrun") as caught:
        SqliteJournal.open(home)
    assert "move the file away" in caught.value.hint
    assert content(home) == before


@pytest.mark.parametrize(
    "garbage", [b"x", b"not a database at all" * 1000, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_garbage_is_refused_and_not_touched(home, garbage):
    os.mkdir(home, 0o700)
    with open(f"{home}/journal.db", "wb") as file:
        file.write(garbage)
    os.chmod(f"{home}/journal.db", 0o600)
    for readonly in (False, True):
        with pytest.raises(JournalError, match="journal.db") as caught:
            SqliteJournal.open(home, readonly=readonly)
        assert caught.value.hint
    assert content(home) == garbage


def test_an_empty_file_from_a_crash_at_birth_becomes_a_journal(home):
    os.mkdir(home, 0o700)
    os.close(os.open(f"{home}/journal.db", os.O_CREAT | os.O_RDWR, 0o600))
    assert SqliteJournal.open(home, readonly=True).runs() == []
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    assert journal.find("latest").id == "abc"
    journal.close()


def older_journal(home):
    """A journal as version 0.5 of a program with the migrations below would have left it."""
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION, some_entries(3))
    journal.close()


def test_an_older_journal_is_brought_up_to_date_step_by_step(home):
    older_journal(home)
    db = sqlite3.connect(f"{home}/journal.db", isolation_level=None)
    steps = {
        migrations.VERSION: "CREATE TABLE first (x);\n-- a comment; with a semicolon\nINSERT INTO first VALUES (1);",
        migrations.VERSION + 1: "ALTER TABLE first RENAME TO second;",
    }
    db.execute("BEGIN IMMEDIATE")
    migrations.bring_up(db, home, migrations.VERSION + 2, steps)
    db.execute("COMMIT")
    assert db.execute("SELECT x FROM second").fetchall() == [(1,)]
    assert db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION + 2,)
    assert db.execute("SELECT count(*) FROM entries").fetchone() == (3,)
    db.close()


def test_a_migration_that_fails_changes_nothing(home):
    older_journal(home)
    before = content(home)
    db = sqlite3.connect(f"{home}/journal.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        migrations.bring_up(
            db, home, migrations.VERSION + 1, {migrations.VERSION: "DELETE FROM entries;\nNONSENSE;"}
        )
    assert db.in_transaction
    db.execute("ROLLBACK")
    db.close()
    assert content(home) == before


def test_a_version_nobody_has_written_is_refused(home):
    older_journal(home)
    db = sqlite3.connect(f"{home}/journal.db", isolation_level=None)
    with pytest.raises(JournalCorruptError, match="which no taskrun has written"):
        migrations.bring_up(db, home, migrations.VERSION + 1, {})
    db.close()


def test_a_journal_is_readable_where_nothing_can_be_written(home, tmp_path, read_only_mount):
    older_journal(home)
    mounted = read_only_mount(home)
    reader = SqliteJournal.open(mounted, readonly=True)
    assert reader.entries("abc") == some_entries(3)
    reader.close()
    with pytest.raises(UsageError, match="read-only"):
        SqliteJournal.open(mounted)


def test_the_schema_is_part_of_the_package_and_its_view_serves_a_person(home):
    older_journal(home)
    db = sqlite3.connect(f"{home}/journal.db")
    rows = db.execute("SELECT run, seq, at, name, state FROM history").fetchall()
    assert rows[0] == ("abc", 1, "2026-01-31 09:30:00", "task_1", "RUNNING")
    assert len(rows) == 3
    db.close()


def test_importing_the_journal_is_light():
    code = (
        "import sys; from taskrun.journal import sqlite, memory, home, ids, lock, codec\n"
        "heavy = {'asyncio', 'dataclasses', 'logging', 'pathlib', 'platformdirs', 'pydantic', 'random', 'rich',"
        " 'socket', 'subprocess', 'tempfile', 'uuid', 'yaml', 'difflib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_python(code) == (0, "[]\n", "")
