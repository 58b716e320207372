"""A run that goes on with its file as it is now: whether it can, and from which entry of its history on it does."""

import os
from contextlib import suppress

from taskrun.app.base import Current, RunOptions
from taskrun.app.recalled import Recalled, restored
from taskrun.app.starting import write_text
from taskrun.drivers import revising
from taskrun.errors import RefusedError
from taskrun.journal.base import Entry, Revision
from taskrun.journal.sqlite import SqliteJournal


def revised(held: Recalled, current: Current, options: RunOptions) -> Recalled:
    """The run as it will be with a changed file, of which nothing is recorded yet.

    Raises:
        RefusedError: what is done would not be what the file says; names all of it.
        UsageError: the file asks for inputs that it was not given.

    """
    row, old, new = held.row, held.definition, dict(current.definition)
    on_failure = row.options.get("on_failure")
    if on_failure is not None:
        new["on_failure"] = on_failure  # said when the run was started, and not by the file
    found = revising.objections(old, new, held.machine, held.entries)
    if not found:
        revision = Revision(new, new["sha256"], revising.inputs(new, row.inputs, os.environ))
        row = row._replace(sha256=revision.sha256, inputs=dict(revision.inputs))
        after = restored(row, new, held.entries, options)
        found = revising.too_late(held.machine, after.machine, new)
    if found:
        raise RefusedError(
            "\n".join([f"run {row.id} cannot go on with {row.file} as it is now:", *revising.told(found)]),
            hint=f"change this back, or go on with the file as it was: taskrun resume {row.id} --use-original",
        )
    return after._replace(revision=revision, told=revising.changes(old, new))


def switch(journal: SqliteJournal, directory: str, held: Recalled, epoch: int, now: float, text: str) -> None:
    """From here on it is another definition: for this process, and for whoever comes after it."""
    assert held.revision is not None
    place = f"{directory}/{frozen_name(held.revision.sha256)}"
    with suppress(FileNotFoundError):
        os.unlink(place)  # of somebody who was killed right after writing it
    write_text(place, text)
    seq = held.entries[-1].seq + 1 if held.entries else 1
    message = f"goes on with the file as it is now ({held.told})"
    entry = Entry(seq, now, "log", held.revision.definition["name"], None, None, 0, {"message": message})
    journal.revise(held.row.id, held.revision, entry, epoch=epoch)
    held.entries.append(entry)


def frozen_name(sha256: str) -> str:
    """Of the text of a file that a run went on with later."""
    return f"workflow-{sha256[:16]}.yaml"
