"""The first run there ever is may be killed while the journal itself is being made."""

import subprocess
import sys

from taskrun.journal.home import database, make_home
from taskrun.journal.sqlite import SqliteJournal

HALF_MADE = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 1")
db.execute("BEGIN IMMEDIATE")
db.execute("CREATE TABLE first (text)")
for number in range(100):
    db.execute("INSERT INTO first VALUES (?)", ("x" * 4000,))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_is_not_kept_out_by_a_writer_that_was_killed_before_the_journal_was_one(tmp_path):
    home = str(tmp_path / "home")
    make_home(home)
    path = database(home)
    subprocess.run([sys.executable, "-c", HALF_MADE, path], check=False)
    assert (tmp_path / "home" / "journal.db-journal").stat().st_size > 0
    (tmp_path / "home" / "journal.db").chmod(0o600)
    journal = SqliteJournal.open(home, readonly=True)
    try:
        assert journal.runs() == []
    finally:
        journal.close()
