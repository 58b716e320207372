"""Counts the journal's transactions in a run of 200 shell tasks in a line. Prints how many there are for each task."""

import json
import os
import sys

from taskrun.cli.main import main
from taskrun.journal.sqlite import SqliteJournal

COUNT = 200
folder = sys.argv[1]
os.environ["TASKRUN_HOME"] = f"{folder}/commits-home"
path = f"{folder}/commits.yaml"
with open(path, "w") as file:
    json.dump(
        {"name": "c", "tasks": [{"name": f"t{i}", "run": "true", "revert": "none"} for i in range(COUNT)]},
        file,
    )
commits = 0
append = SqliteJournal.append


def counted(*args, **more):
    global commits
    commits += 1
    append(*args, **more)


SqliteJournal.append = counted
stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
code = main(["run", path, "--jobs", "1", "--durability", "process"])
os.dup2(stdout, 1)
assert code == 0
os.write(1, json.dumps({"commits": commits / COUNT}).encode())
