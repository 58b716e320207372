"""Something at another path: the same inode, by one rename. What was at the new path is kept as an image."""

import os
from errno import EXDEV

from taskrun.actions.changes import placing
from taskrun.actions.changes.work import AFTER, BEFORE, Change, Look, Work, drifted, place_in
from taskrun.actions.images.fingerprint import Fingerprint, differs, fingerprint
from taskrun.actions.images.inodes import ABSENT, Node, is_same, node_at
from taskrun.actions.images.ledger import Ledger
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.places import Place, exists, missing_folders, sync_folder
from taskrun.errors import ActionError

RENAMED, COPIED = "renamed", "copied"


def plan(source: Place, target: Place, ledger: Ledger, pace: Pace) -> Change:
    change = placing.plan(target, ledger, pace)
    with source.parent() as parent:
        now = node_at(parent, source.name)
        print_ = fingerprint(parent, source.name, pace, reading=False)
    origin = {"from_folder": source.folder, "from_name": source.name, "node": list(now), "print": print_}
    return {**change, **origin, "do": "move"}


def forward(work: Work, key: str, change: Change) -> str:
    """RENAMED; or COPIED, and then it is for other changes to copy and take away."""
    way = (work.ledger.facts(key) or {}).get("way")
    if way is None:
        way = _move(work, change)
        work.ledger.note(key, {"way": way})
    return str(way)


def _move(work: Work, change: Change) -> str:
    source, target = place_in(change, "from_"), place_in(change)
    with source.parent() as left, target.parent() as right:
        if not is_same(_moved(change), node_at(left, source.name)):
            if is_same(_moved(change), node_at(right, target.name)):
                return RENAMED  # before a crash
            raise drifted(source.path, "was replaced or taken away")
        placing.expect(target, right, placing.before_of(change))
        try:
            os.rename(source.name, target.name, src_dir_fd=left, dst_dir_fd=right)
        except OSError as error:
            if error.errno == EXDEV:
                return COPIED
            raise
        sync_folder(right, work.durable)
        sync_folder(left, work.durable)
    return RENAMED


def look(work: Work, key: str, change: Change) -> Look:
    if (work.ledger.facts(key) or {}).get("way") == COPIED:
        return BEFORE
    source, target = place_in(change, "from_"), place_in(change)
    here, there = _seen(source, work), _seen(target, work)
    if is_same(_moved(change), here.node):
        is_whole = placing.before_of(change).kind == ABSENT or there.node.kind != ABSENT
        return BEFORE if is_whole else AFTER  # cut short between the two halves of its undo
    if not is_same(_moved(change), there.node):
        return Look(
            True, f"{target.path} is gone" if there.node.kind == ABSENT else f"{target.path} was replaced"
        )
    how = differs(change["print"], there.print)
    if how:
        return Look(True, f"{target.path} {how}")
    if here.node.kind != ABSENT:
        return Look(True, f"{source.path} is there again: {here.node.described}")
    return AFTER


def _moved(change: Change) -> Node:
    return Node(*change["node"])


class _Seen:
    def __init__(self, node: Node, print_: Fingerprint) -> None:
        self.node = node
        self.print = print_


def _seen(place: Place, work: Work) -> _Seen:
    if missing_folders(place.folder):
        return _Seen(Node("", ABSENT), {"kind": ABSENT})
    with place.parent() as parent:
        print_ = fingerprint(parent, place.name, work.pace, reading=False)
        return _Seen(node_at(parent, place.name), print_)


def backward(work: Work, key: str, change: Change) -> None:
    source, target = place_in(change, "from_"), place_in(change)
    work.restorer(source, key).remake_folders(source)
    with source.parent() as left, target.parent() as right:
        if not is_same(_moved(change), node_at(left, source.name)):
            if not is_same(_moved(change), node_at(right, target.name)):
                raise ActionError(
                    "Drift", f"{target.path} is not what was moved there: it cannot be moved back"
                )
            if exists(left, source.name):
                raise ActionError("Drift", f"{source.path} is there again: nothing is moved over it")
            os.rename(target.name, source.name, src_dir_fd=right, dst_dir_fd=left)
            sync_folder(left, work.durable)
            sync_folder(right, work.durable)
    if placing.before_of(change).kind != ABSENT:
        placing.backward(work, key, change)


def tidy(work: Work, key: str, change: Change) -> None:
    placing.tidy(work, key, change)
