"""Damaged files: reported with the place where that is known, never believed, never a traceback."""

import os
import random
import sqlite3

import pytest

from taskrun.errors import JournalCorruptError, TaskrunError
from taskrun.journal.base import Revision
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, a_run, some_entries

RUNS = ("aaaaaaaaaaaaa", "aaaaaaaaaaaab")


@pytest.fixture
def damaged(home):
    """A home with two runs of twelve entries; statements do the damage, behind the journal's back."""
    journal = SqliteJournal.open(home)
    for run_id in RUNS:
        journal.create_run(a_run(run_id), DEFINITION, some_entries(6))
        journal.append(run_id, some_entries(4, first=7), epoch=1, state="RUNNING")
        journal.append(run_id, some_entries(2, first=11), epoch=1)
        journal.request(run_id, "suspend", {"why": "lunch"})
    journal.close()

    def damage(*statements):
        db = sqlite3.connect(f"{home}/journal.db", isolation_level=None)
        for statement in statements:
            assert db.execute(statement).rowcount > 0, statement
        db.close()
        return SqliteJournal.open(home)

    return damage


def key(seq, run=1):
    return (run << 32) + seq


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        (f"UPDATE entries SET state = 'SUCCESS' WHERE key = {key(4)}", 4),
        (f"UPDATE entries SET time = time + 1 WHERE key = {key(1)}", 1),
        (f"UPDATE entries SET time = 'soon' WHERE key = {key(1)}", 1),
        (f"UPDATE entries SET data = NULL WHERE key = {key(3)}", 3),
        (f"UPDATE entries SET data = '{{}}' WHERE key = {key(2)}", 2),
        (f"UPDATE entries SET attempt = 2 WHERE key = {key(12)}", 12),
        (f"UPDATE entries SET name = x'ff00' WHERE key = {key(5)}", 5),
        (f"UPDATE entries SET chain = chain + 1 WHERE key = {key(9)}", 9),
        (f"DELETE FROM entries WHERE key = {key(1)}", 1),
        (f"DELETE FROM entries WHERE key = {key(7)}", 7),
        (f"DELETE FROM entries WHERE key BETWEEN {key(10)} AND {key(12)}", 10),
        (f"DELETE FROM entries WHERE key < {key(0, run=2)}", 1),
        (f"UPDATE entries SET key = {key(13)} WHERE key = {key(12)}", 12),
        (
            f"INSERT INTO entries SELECT {key(13)}, time, kind, name, old_state, state, attempt, data, chain"
            f" FROM entries WHERE key = {key(12)}",
            13,
        ),
    ],
)
def test_the_first_damaged_entry_is_named(damaged, statement, seq):
    journal = damaged(statement)
    found = journal.verify(RUNS[0])
    assert found.seq == seq
    assert f"entry {seq} of run {RUNS[0]}" in found.what
    with pytest.raises(JournalCorruptError, match=f"entry {seq} of run {RUNS[0]}") as caught:
        journal.entries(RUNS[0])
    assert caught.value.exit_code == 3
    assert journal.entries(RUNS[0], limit=seq - 1) == some_entries(seq - 1)
    assert journal.verify(RUNS[1]) is None
    assert journal.entries(RUNS[1]) == some_entries(12)
    journal.close()


def test_two_entries_that_changed_places_are_noticed(damaged):
    journal = damaged(
        f"UPDATE entries SET key = {key(99)} WHERE key = {key(5)}",
        f"UPDATE entries SET key = {key(5)} WHERE key = {key(6)}",
        f"UPDATE entries SET key = {key(6)} WHERE key = {key(99)}",
    )
    assert journal.verify(RUNS[0]).seq == 5
    journal.close()


def test_an_entry_that_moved_to_no_run_is_noticed(damaged):
    journal = damaged(f"UPDATE entries SET key = {key(12, run=9)} WHERE key = {key(12, run=2)}")
    assert "1 entries belong to no run" in journal.verify(RUNS[1]).what
    assert journal.check() == ["1 entries belong to no run"]
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE runs SET inputs = \'{"target": "production"}\' WHERE key = 1',
        "UPDATE runs SET name = 'other' WHERE key = 1",
        "UPDATE runs SET parent = 'x' WHERE key = 1",
        "UPDATE runs SET seal = 0 WHERE key = 1",
        "UPDATE runs SET seal = 'x' WHERE key = 1",
        "UPDATE heads SET state = 'SUCCESS' WHERE run = 1",
        "UPDATE heads SET exit_code = 0 WHERE run = 1",
        "UPDATE heads SET seq = 9 WHERE run = 1",
        "UPDATE heads SET pid = NULL WHERE run = 1",
        "DELETE FROM heads WHERE run = 1",
        "UPDATE heads SET run = 7 WHERE run = 1",
    ],
)
def test_a_changed_run_is_not_believed(damaged, statement):
    journal = damaged(statement)
    assert journal.verify(RUNS[0]).seq is None
    for ask in (journal.run, journal.find):
        with pytest.raises(JournalCorruptError, match=RUNS[0]):
            ask(RUNS[0])
    with pytest.raises(JournalCorruptError):
        journal.runs()
    with pytest.raises(JournalCorruptError):
        journal.take_over(RUNS[0], pid=1, host="h", boot_id="b")
    assert journal.run(RUNS[1]).state == "RUNNING"
    journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE definitions SET body = replace(body, 'build', 'buils')",
        "UPDATE definitions SET body = x'7800'",
        "UPDATE definitions SET body = 5",
        "UPDATE definitions SET sha256 = 'ab'",
        "DELETE FROM definitions",
    ],
)
def test_a_changed_definition_is_not_believed(damaged, statement):
    journal = damaged(statement)
    with pytest.raises(JournalCorruptError):
        journal.definition(RUNS[0])
    assert journal.verify(RUNS[0]) is not None
    journal.close()


def test_a_changed_request_is_not_believed(damaged):
    journal = damaged("UPDATE requests SET verb = 'cancel' WHERE id = 1")
    with pytest.raises(JournalCorruptError, match="request 1"):
        journal.requests(RUNS[0])
    assert len(journal.requests(RUNS[1])) == 1
    journal.close()


def test_nothing_is_added_to_a_run_whose_end_is_missing(damaged):
    journal = damaged(f"DELETE FROM entries WHERE key BETWEEN {key(8)} AND {key(12)}")
    with pytest.raises(JournalCorruptError, match="the last entries of run"):
        journal.append(RUNS[0], some_entries(1, first=8), epoch=1)
    journal.close()


def test_flipped_bits_are_reported_or_harmless(damaged, home):
    """Every result is either an error of ours, or exactly what was written, or reported by verify."""
    damaged().close()
    with open(f"{home}/journal.db", "rb") as file:
        good = file.read()
    expected = everything(SqliteJournal.open(home, readonly=True))
    used = [offset for offset, byte in enumerate(good) if byte]
    for offset in random.Random(2026).sample(used, 700):
        flipped = bytearray(good)
        flipped[offset] ^= 1 << (offset % 8)
        for leftover in ("-wal", "-shm"):
            if os.path.exists(f"{home}/journal.db{leftover}"):
                os.unlink(f"{home}/journal.db{leftover}")
        with open(f"{home}/journal.db", "wb") as file:
            file.write(flipped)
        assert found_out(home, expected), f"bit {offset % 8} of byte {offset} went unnoticed"


def everything(journal):
    try:
        each = [
            (journal.run(it), journal.definition(it), journal.entries(it), journal.requests(it))
            for it in RUNS
        ]
        return each, journal.runs(), journal.find("latest")
    finally:
        journal.close()


def found_out(home, expected):
    try:
        journal = SqliteJournal.open(home, readonly=True)
    except TaskrunError:
        return True
    try:
        if any(journal.verify(run_id) for run_id in RUNS):
            return True
        return everything(journal) == expected
    except TaskrunError:
        return True
    finally:
        journal.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM revisions",
        "UPDATE revisions SET seq = 12 WHERE run = 1",
        "UPDATE revisions SET definition = (SELECT definition FROM runs) WHERE run = 1",
        "UPDATE revisions SET inputs = '{}'",
        "UPDATE revisions SET run = 2 WHERE run = 1",
        "UPDATE continuations SET verb = 'revert'",
        "UPDATE definitions SET body = replace(body, 'later', 'hater') WHERE instr(CAST(body AS TEXT), 'later')",
        "DELETE FROM definitions WHERE instr(CAST(body AS TEXT), 'later')",
    ],
)
def test_a_changed_revision_is_not_believed(damaged, home, statement):
    journal = SqliteJournal.open(home)
    epoch = journal.take_over(RUNS[0], pid=1, host="h", boot_id="b")
    told = some_entries(1, first=13)[0]._replace(kind="log", data={"message": "goes on"})
    journal.revise(RUNS[0], Revision({**DEFINITION, "later": True}, "cd" * 32, {"a": 1}), told, epoch=epoch)
    assert journal.verify(RUNS[0]) is None
    journal.close()
    journal = damaged(statement)
    assert journal.verify(RUNS[0]) is not None
    journal.close()


def test_deleting_a_run_deletes_what_it_went_on_with(damaged, home):
    journal = SqliteJournal.open(home)
    epoch = journal.take_over(RUNS[0], pid=1, host="h", boot_id="b")
    told = some_entries(1, first=13)[0]._replace(kind="log", data=None)
    journal.revise(RUNS[0], Revision({"later": True}, "", {}), told, epoch=epoch)
    journal.delete_run(RUNS[0])
    assert journal.definition(RUNS[1]) == DEFINITION
    journal.close()
    db = sqlite3.connect(f"{home}/journal.db")
    for table, left in (("revisions", 0), ("continuations", 0), ("definitions", 1)):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (left,)
    db.close()
