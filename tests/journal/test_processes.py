"""Several real processes on one journal, and some that are killed."""

import os
import random
import signal

import pytest

from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, a_run, some_entries, start_python

TWENTY_RUNS = """
import sys
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, a_run, some_entries
journal = SqliteJournal.open(sys.argv[1], durability="process")
for number in range(20):
    run_id = f"{sys.argv[2]}{number:02}"
    journal.create_run(a_run(run_id), DEFINITION, some_entries(1))
    for seq in range(2, 31):
        journal.append(run_id, some_entries(1, first=seq), epoch=1)
    journal.append(run_id, [], epoch=1, state="SUCCESS", exit_code=0, ended=1.0)
journal.close()
"""

APPEND_FOR_EVER = """
import sys
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import some_entries
journal = SqliteJournal.open(sys.argv[1], durability=sys.argv[2])
epoch = journal.take_over("abc", pid=1, host="h", boot_id="b")
seq = len(journal.entries("abc"))
print(seq, flush=True)
while sys.argv[3] == "run" or sys.stdin.readline():
    journal.append("abc", some_entries(3, first=seq + 1), epoch=epoch)
    seq += 3
    print(seq, flush=True)
"""


def test_two_processes_share_a_journal_and_lose_nothing(home):
    writers = [start_python(TWENTY_RUNS, home, name) for name in ("a", "b")]
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert (writer.returncode, err) == (0, "")
    journal = SqliteJournal.open(home)
    rows = journal.runs(states=["SUCCESS"])
    assert sorted(row.id for row in rows) == sorted(
        f"{name}{number:02}" for name in "ab" for number in range(20)
    )
    for row in rows:
        assert journal.entries(row.id) == some_entries(30)
        assert journal.verify(row.id) is None
    journal.close()


@pytest.mark.parametrize("durability", ["full", "process"])
def test_killed_writers_lose_nothing_they_acknowledged(home, durability):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    journal.close()
    for round_ in range(4):
        writer = start_python(APPEND_FOR_EVER, home, durability, "run")
        for _ in range(random.Random(round_).randrange(5, 60)):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = [int(line) for line in writer.communicate()[0].split("\n")[:-1]]
        journal = SqliteJournal.open(home, readonly=True)
        found = journal.entries("abc")
        journal.close()
        assert found == some_entries(len(found))
        assert len(found) >= max(acknowledged, default=0)
    journal = SqliteJournal.open(home)
    assert journal.verify("abc") is None
    assert journal.run("abc").epoch == 5
    journal.close()


def test_a_writer_that_was_taken_over_while_it_slept_writes_nothing_when_it_wakes(home):
    journal = SqliteJournal.open(home)
    journal.create_run(a_run("abc"), DEFINITION)
    sleeper = start_python(APPEND_FOR_EVER, home, "process", "asleep")
    assert sleeper.stdout.readline() == "0\n"
    sleeper.stdin.write("wake\n")
    sleeper.stdin.flush()
    assert sleeper.stdout.readline() == "3\n"
    epoch = journal.take_over("abc", pid=os.getpid(), host="h", boot_id="b")
    out, err = sleeper.communicate("wake\n", timeout=30)
    assert out == ""
    assert f"HeldError: run abc was taken over by process {os.getpid()} on h" in err
    journal.append("abc", some_entries(1, first=4), epoch=epoch)
    assert journal.entries("abc") == some_entries(4)
    assert journal.verify("abc") is None
    journal.close()


def test_many_first_commands_at_once_make_one_journal(home):
    code = """
import sys
from taskrun.journal.sqlite import SqliteJournal
from tests.journal.samples import DEFINITION, a_run
print("up", flush=True)
sys.stdin.readline()
journal = SqliteJournal.open(sys.argv[1])
journal.create_run(a_run(sys.argv[2]), DEFINITION)
journal.close()
"""
    starters = [start_python(code, home, f"run{number}") for number in range(6)]
    for starter in starters:
        assert starter.stdout.readline() == "up\n"
    for starter in starters:
        starter.stdin.write("go\n")
        starter.stdin.flush()
    for starter in starters:
        _, err = starter.communicate(timeout=60)
        assert (starter.returncode, err) == (0, "")
    journal = SqliteJournal.open(home, readonly=True)
    assert sorted(row.id for row in journal.runs()) == [f"run{number}" for number in range(6)]
    journal.close()
