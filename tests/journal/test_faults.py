"""Disks that are full, broken or taken away, and neighbours in the way: clear errors, nothing acknowledged is lost."""

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from taskrun.errors import JournalError
from taskrun.journal import reserve, transactions
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, ROOT, a_run, run_python, some_entries

WRITE = """
import sys
from taskrun.errors import TaskrunError
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import some_entries
try:
    journal = SqliteJournal.open(sys.argv[1])
    for seq in range(1, 1 + int(sys.argv[2])):
        journal.append("abc", some_entries(1, first=seq), epoch=1)
        print(seq, flush=True)
    journal.close()
except TaskrunError as error:
    print(type(error).__name__, error.exit_code, error.message, "|", error.hint)
    try:
        journal.append("abc", some_entries(1, first=seq), epoch=1)
        print("then it went on")
    except TaskrunError as error:
        print("then", error.message)
"""


@pytest.fixture
def run_home(home):
    """A home with the run that the writer appends to."""
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    journal.close()
    return home


needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


def acknowledged(out):
    return max((int(line) for line in out.splitlines() if line.isdigit()), default=0)


def assert_all_there(home, count):
    """What was acknowledged is there, with at most the one entry whose fate was unknown; the run can go on."""
    journal = SqliteJournal.open(home)
    found = journal.entries("abc")
    assert found == some_entries(len(found))
    assert count <= len(found) <= count + 1
    assert journal.verify("abc") is None
    epoch = journal.take_over("abc", pid=1, host="h", boot_id="b")
    journal.append("abc", some_entries(2, first=len(found) + 1), epoch=epoch, state="SUCCESS", exit_code=0)
    journal.close()


def fill(journal, home):
    """Append until the disk is full; returns how many entries were acknowledged."""
    journal.create_run(a_run("abc"), DEFINITION)
    count = 0
    with pytest.raises(JournalError) as caught:
        for seq in range(1, 100_000):
            journal.append("abc", some_entries(1, first=seq), epoch=1)
            count = seq
    assert f"{home}/journal.db" in caught.value.message
    assert "no space left" in caught.value.message or "disk reported an error" in caught.value.message
    assert "resume" in caught.value.hint
    assert caught.value.exit_code == 3
    return count


def test_a_full_disk_is_reported_and_loses_nothing(small_disk):
    home = small_disk(256)
    journal = SqliteJournal.open(home)
    count = fill(journal, home)
    assert count > 20
    journal.close()
    subprocess.run(["mount", "-o", "remount,size=4m", home], check=True)
    assert_all_there(home, count)


def test_a_run_goes_on_in_the_same_process_once_there_is_space(small_disk):
    home = small_disk(512)
    with open(f"{home}/filler", "wb") as filler:
        filler.write(b"x" * 200_000)
    journal = SqliteJournal.open(home)
    count = fill(journal, home)
    with pytest.raises(JournalError):
        journal.append("abc", some_entries(5000, first=count + 1), epoch=1)
    os.unlink(f"{home}/filler")
    journal.append("abc", some_entries(1, first=count + 1), epoch=1)
    assert journal.entries("abc") == some_entries(count + 1)
    journal.close()


def test_a_reserve_lets_a_rollback_be_recorded_on_a_full_disk(small_disk):
    home = small_disk(4096)
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    assert not journal.low_on_space
    with contextlib.suppress(OSError), open(f"{home}/filler", "wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)
    count = 0
    while not journal.low_on_space:
        count += 10
        journal.append("abc", some_entries(10, first=count - 9), epoch=1)
    journal.append("abc", some_entries(5000, first=count + 1), epoch=1, state="REVERTED", exit_code=1)
    assert journal.verify("abc") is None
    journal.close()
    again = SqliteJournal.open(home)
    assert again.low_on_space
    again.close()
    os.unlink(f"{home}/filler")
    again = SqliteJournal.open(home)
    assert not again.low_on_space
    assert len(again.entries("abc")) == count + 5000
    again.close()


def test_a_disk_full_from_the_start_is_an_error_before_anything_runs(small_disk):
    home = small_disk(16)
    with pytest.raises(JournalError, match="journal.db"):
        SqliteJournal.open(home).create_run(a_run("abc"), DEFINITION)


def test_a_limit_on_the_size_of_files_is_reported_and_loses_nothing(run_home):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))

    _, out, err = run_python(WRITE, run_home, 100_000, preexec_fn=limit)
    assert err == ""
    count = acknowledged(out)
    assert count > 5
    assert (
        f"JournalError 3 the journal {run_home}/journal.db cannot be used: the disk reported an error" in out
    )
    assert_all_there(run_home, count)


def traced(home, entries, inject):
    """The writer under strace, which makes system calls fail: what it printed."""
    log = f"{home}.strace"
    command = ["strace", "-f", "-o", log, "-e", "trace=fdatasync,pwrite64", "-e", f"inject={inject}"]
    done = subprocess.run(
        [*command, sys.executable, "-c", WRITE, home, str(entries)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "ptrace" in done.stderr:
        pytest.skip("tracing is not permitted here")
    return done


@needs_strace
@pytest.mark.parametrize("when", [1, 3, 8])
def test_after_an_fsync_that_failed_the_connection_is_not_used_again(run_home, when):
    done = traced(run_home, 20, f"fdatasync:error=EIO:when={when}")
    assert done.stderr == ""
    said = done.stdout.splitlines()
    broken = f"the journal {run_home}/journal.db cannot be used: the disk reported an error"
    assert said[-2].startswith(f"JournalError 3 {broken}")
    assert said[-1] == f"then {broken} earlier"
    assert_all_there(run_home, acknowledged(done.stdout))


@needs_strace
@pytest.mark.parametrize("when", [13, 16, 21])
def test_a_write_there_was_no_space_for_is_made_again_out_of_the_reserve(run_home, when):
    done = traced(run_home, 20, f"pwrite64:error=ENOSPC:when={when}")
    assert (done.returncode, done.stderr, acknowledged(done.stdout)) == (0, "", 20)
    assert not os.path.exists(f"{run_home}/reserve")
    assert_all_there(run_home, 20)
    assert os.path.getsize(f"{run_home}/reserve") == reserve.SIZE


@needs_strace
@pytest.mark.parametrize("when", [13, 16, 21])
def test_no_space_at_all_any_more_is_an_error_each_time(run_home, when):
    done = traced(run_home, 20, f"pwrite64:error=ENOSPC:when={when}+")
    assert done.stderr == ""
    said = done.stdout.splitlines()
    assert said[-2].startswith("JournalError 3")
    assert "no space left" in said[-2]
    assert "no space left" in said[-1]
    assert_all_there(run_home, acknowledged(done.stdout))


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync:signal=KILL:when=7", "pwrite64:signal=KILL:when=20"])
def test_a_kill_inside_a_commit_loses_nothing_acknowledged(run_home, call):
    done = traced(run_home, 20, call)
    assert done.returncode in {-9, 137}
    assert 0 < acknowledged(done.stdout) < 20
    assert_all_there(run_home, acknowledged(done.stdout))


@pytest.mark.parametrize("readonly", [False, True])
def test_a_database_deleted_while_in_use_is_noticed(home, readonly):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    user = SqliteJournal.open(home, readonly=True) if readonly else journal
    os.rename(f"{home}/journal.db", f"{home}/elsewhere")
    for _ in range(2):
        with pytest.raises(JournalError, match="deleted or replaced while in use"):
            user.runs() if readonly else user.append("abc", some_entries(1), epoch=1)
    user.close()
    journal.close()


def test_a_database_replaced_while_in_use_is_left_alone(home, tmp_path):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    other = SqliteJournal.open(str(tmp_path / "other"))
    other.create_run(a_run("abc"), DEFINITION)
    other.close()
    theirs = (tmp_path / "other/journal.db").read_bytes()
    os.replace(tmp_path / "other/journal.db", f"{home}/journal.db")
    with pytest.raises(JournalError, match="deleted or replaced"):
        journal.append("abc", some_entries(1), epoch=1)
    journal.close()
    assert Path(home, "journal.db").read_bytes() == theirs


@pytest.fixture
def neighbour(home):
    """Another connection, as a person's sqlite3 shell would be."""
    SqliteJournal.open(home).close()
    db = sqlite3.connect(f"{home}/journal.db", isolation_level=None, check_same_thread=False)
    yield db
    db.close()


def test_a_neighbour_that_keeps_the_lock_is_named_after_a_bounded_wait(home, neighbour, monkeypatch):
    monkeypatch.setattr(transactions, "PATIENCE", 0.3)
    journal = SqliteJournal.open(home)
    neighbour.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="another process keeps it locked") as caught:
        journal.create_run(a_run("abc"), DEFINITION)
    assert "sqlite3 shell" in caught.value.hint
    neighbour.execute("ROLLBACK")
    journal.create_run(a_run("abc"), DEFINITION)
    journal.close()


def test_a_neighbour_that_writes_for_a_while_is_waited_for(home, neighbour):
    journal = SqliteJournal.open(home)
    neighbour.execute("BEGIN IMMEDIATE")
    later = threading.Timer(0.5, lambda: neighbour.execute("COMMIT"))
    later.start()
    journal.create_run(a_run("abc"), DEFINITION)
    later.join()
    assert journal.find("latest").id == "abc"
    journal.close()


def test_a_reader_that_stays_does_not_block_the_writer(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    reader = sqlite3.connect(f"file:{home}/journal.db?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    for seq in range(1, 300):
        journal.append("abc", some_entries(1, first=seq), epoch=1)
    assert reader.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM entries").fetchone() == (299,)
    reader.close()
    journal.close()


def test_the_wal_stays_small_while_somebody_watches(home):
    journal = SqliteJournal.open(home, durability="process")
    watcher = SqliteJournal.open(home, readonly=True)
    journal.create_run(a_run("abc"), DEFINITION)
    seen = 0
    for seq in range(1, 3000):
        journal.append("abc", some_entries(1, first=seq), epoch=1)
        if seq % 10 == 0:
            seen += len(watcher.entries("abc", seen))
    assert seen == 2990
    assert os.path.getsize(f"{home}/journal.db-wal") < 3 << 20
    watcher.close()
    journal.close()


def test_an_interrupted_transaction_is_rolled_back(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)

    class Interrupting:
        def __iter__(self):
            yield some_entries(1)[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.append("abc", Interrupting(), epoch=1, state="RUNNING")
    assert journal.entries("abc") == []
    journal.append("abc", some_entries(1), epoch=1)
    assert journal.run("abc").state == "PENDING"
    journal.close()


def test_a_file_name_that_is_not_unicode_is_a_clear_error(home):
    journal = SqliteJournal.open(home)
    with pytest.raises(JournalError, match="surrogates not allowed"):
        journal.create_run(a_run("abc", file="/srv/\udcff.yaml"), DEFINITION)
    assert journal.runs() == []
    journal.close()
