"""``taskrun prune``."""

import os
import shutil
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

import click

from taskrun.cli.found import open_journal
from taskrun.errors import HeldError, UsageError
from taskrun.executors.recovery import is_held as has_supervisor
from taskrun.journal.base import RunRow
from taskrun.journal.home import home, run_dir
from taskrun.journal.ids import is_run_id
from taskrun.journal.lock import RunLock, holder, this_process
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.runs import standing
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.words import counted

_FINISHED = {
    "SUCCESS": (0,),
    "REVERTED": (1, 130, 143),
}  # states in which nothing is left to do, with these exit codes
_BIRTH = 3600.0  # seconds; a start takes less


@click.command("prune")
@click.option("--keep", metavar="N", type=click.IntRange(0), help="Keep the newest N runs.")
@click.option("--older-than", metavar="TIME", help="Only runs that began longer ago: 30d, 12h.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--force", is_flag=True, help="Also runs that are interrupted or not fully undone.")
def command(keep: int | None, older_than: str | None, dry_run: bool, force: bool) -> int:
    """Delete old runs: their history, output and what is needed to undo them.

    \b
      taskrun prune --older-than 30d --dry-run
      taskrun prune --keep 100

    A run that is under way is never deleted. One that was interrupted, waits for a person or is
    not fully undone stays too, unless --force is given.
    """
    if keep is None and older_than is None:
        raise UsageError("say which: --keep N, --older-than TIME, or both", hint="taskrun prune --help")
    journal = open_journal()
    try:
        rows = journal.runs()
    finally:
        journal.close()
    chosen = _chosen(rows, keep, older_than)
    spared = {row.id: reason for row in chosen if (reason := _reason_to_stay(row, force=force))}
    doomed = [row for row in chosen if row.id not in spared]
    if not dry_run and doomed:
        doomed = _delete(doomed, spared)
    verb = "would be deleted" if dry_run else "deleted"
    for row in doomed:
        click.echo(f"{row.id}  {row.state}  {one_line(row.name)}")
    click.echo(f"{counted(len(doomed), 'run')} {verb}, {len(rows) - len(doomed)} kept", err=True)
    for run_id, reason in spared.items():
        click.echo(f"  kept {run_id}: {reason}", err=True)
    unborn = _unborn({row.id for row in rows})
    if not dry_run:
        for directory in unborn:
            shutil.rmtree(directory, ignore_errors=True)
    if unborn:
        what = "directory of a run that" if len(unborn) == 1 else "directories of runs that"
        click.echo(f"{len(unborn)} {what} never began {verb}", err=True)
    return 0


def _unborn(known: Collection[str]) -> list[str]:
    """What those have left who were killed while they made a run, too long ago to be just about to."""
    try:
        names = os.listdir(f"{home()}/runs")
    except FileNotFoundError:
        return []
    before = time.time() - _BIRTH
    found = []
    for name in names:
        directory = run_dir(home(), name)
        if is_run_id(name) and name not in known and not _is_held(name):
            with suppress(FileNotFoundError):
                if os.stat(directory).st_mtime < before:
                    found.append(directory)
    return sorted(found)


def _chosen(rows: Sequence[RunRow], keep: int | None, older_than: str | None) -> list[RunRow]:
    """``rows`` are the newest first."""
    beyond = rows[keep or 0 :]
    if older_than is None:
        return list(beyond)
    limit = time.time() - _seconds(older_than)
    return [row for row in beyond if row.created < limit]


def _seconds(text: str) -> float:
    from taskrun.actions.durations import DurationError, parse_duration  # noqa: PLC0415 - only for this option

    try:
        return parse_duration(text)
    except DurationError as error:
        raise UsageError(f"--older-than: {error.message}", hint=error.help or "for example 30d") from error


def _reason_to_stay(row: RunRow, *, force: bool) -> str:
    if _is_held(row.id):
        return "it is under way"
    if force:
        return ""
    state = standing(row, _is_held)
    if state == "INTERRUPTED":
        return f"it was interrupted (taskrun resume {row.id}, or --force)"
    if row.exit_code not in _FINISHED.get(state, ()):
        return f"it is {state}, and not fully undone (taskrun revert {row.id}, or --force)"
    return ""


def _is_held(run_id: str) -> bool:
    """By a taskrun, or by what a dead one has left running."""
    directory = run_dir(home(), run_id)
    return holder(directory) is not None or has_supervisor(directory)


def _delete(rows: Sequence[RunRow], spared: dict[str, str]) -> list[RunRow]:
    """The journal first: a directory without its run is only lost space."""
    journal = SqliteJournal.open(home())
    gone = []
    try:
        for row in rows:
            try:
                _delete_run(journal, row)
            except HeldError:
                spared[row.id] = "it is under way"
            else:
                gone.append(row)
    finally:
        journal.close()
    return gone


def _delete_run(journal: SqliteJournal, row: RunRow) -> None:
    directory = run_dir(home(), row.id)
    if not os.path.isdir(directory):
        journal.delete_run(row.id)
        return
    with RunLock(directory).acquire(this_process("prune")):
        journal.delete_run(row.id)
        with suppress(OSError):
            shutil.rmtree(directory)
