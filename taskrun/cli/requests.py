"""Asking the process that drives a run for something, through the journal."""

import click

from taskrun.cli.found import ENDED, find_run, is_held
from taskrun.errors import RefusedError
from taskrun.journal.home import home
from taskrun.journal.sqlite import SqliteJournal


def ask(given: str, verb: str, reason: str, promise: str, otherwise: str) -> int:
    """Leave a request for a run's driver, which looks for them several times a second."""
    row = find_run(given)
    if not is_held(row.id):
        raise RefusedError(
            f"nobody drives run {row.id} ({row.state}): there is nothing to {verb}",
            hint=None if row.state in ENDED else otherwise.format(id=row.id),
        )
    journal = SqliteJournal.open(home())
    try:
        journal.request(row.id, verb, {"reason": reason} if reason else {})
    finally:
        journal.close()
    click.echo(f"run {row.id} {promise}.\n  taskrun states {row.id} --watch   follows it")
    return 0
