"""The journal beside bare sqlite3 with the same rows in the same transactions. Prints seconds of each, medians."""

import contextlib
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time

from taskrun.journal import chain, migrations, queries
from taskrun.journal.base import FORMAT, Entry, RunRow
from taskrun.journal.ids import new_run_id
from taskrun.journal.sqlite import SqliteJournal

PER_COMMIT, FOLDER, ROUNDS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
COUNT = 10_000


def entries():
    return [
        Entry(i, 1.7e9 + i / 1000, "task", f"task_{i // 2}", "RUNNING" if i % 2 else "PENDING",
              "SUCCESS" if i % 2 else "RUNNING", 1, None)
        for i in range(1, COUNT + 1)
    ]  # fmt: skip


def ours(home, steps):
    journal = SqliteJournal.open(home, durability="process")
    run_id = new_run_id()
    row = RunRow(run_id, "b", "", "", 1.7e9, None, "PENDING", None, {}, 1, 1, "h", "b", FORMAT, "0", None, {})
    journal.create_run(row, {})
    start = time.perf_counter()
    for step in steps:
        journal.append(run_id, step, epoch=1)
    taken = time.perf_counter() - start
    journal.close()
    return taken


def bare(path, steps):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA wal_autocheckpoint = 512")
    migrations.bring_up(db, path)
    rows = [chain.link(step, chain.Tail(step[0].seq - 1, 0)) for step in steps]
    start = time.perf_counter()
    for step in rows:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(queries.INSERT_ENTRY, step)
        db.execute("COMMIT")
    taken = time.perf_counter() - start
    db.close()
    return taken


everything = entries()
steps = [everything[i : i + PER_COMMIT] for i in range(0, COUNT, PER_COMMIT)]
found = {"journal": [], "bare": []}
for _ in range(ROUNDS):
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        os.chmod(folder, 0o700)
        found["journal"].append(ours(f"{folder}/home", steps))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{folder}/bare.db")
        found["bare"].append(bare(f"{folder}/bare.db", steps))
print(json.dumps({name: statistics.median(taken) for name, taken in found.items()}))
