"""Another mode for something that stays what it is."""

from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Work, place_in
from taskrun.actions.images.inodes import Node, node_at, put_mode
from taskrun.actions.images.places import Place, missing_folders, sync_folder


def plan(place: Place, before: Node, mode: int) -> Change:
    return {
        "do": "mode",
        "folder": place.folder,
        "name": place.name,
        "mode": mode,
        "before": before.mode,
        "kind": before.kind,
    }


def forward(work: Work, key: str, change: Change) -> None:
    place = place_in(change)
    with place.parent() as parent:
        if work.ledger.facts(key) is None:
            work.ledger.note(key, {"begun": True})
        put_mode(parent, place.name, change["mode"])
        sync_folder(parent, work.durable)


def look(work: Work, key: str, change: Change) -> Look:
    place = place_in(change)
    if work.ledger.facts(key) is None or missing_folders(place.folder):
        return BEFORE
    with place.parent() as parent:
        now = node_at(parent, place.name)
    if now.kind != change["kind"] or now.mode == change["before"]:
        return BEFORE
    if now.mode != change["mode"]:
        return Look(True, f"{place.path} has mode {now.mode:04o} now, not {change['mode']:04o}")
    return AFTER


def backward(work: Work, key: str, change: Change) -> None:  # noqa: ARG001 - the same for every change
    place = place_in(change)
    with place.parent() as parent:
        put_mode(parent, place.name, change["before"])
        sync_folder(parent, work.durable)


def tidy(work: Work, key: str, change: Change) -> None:
    """A mode leaves nothing beside it."""
