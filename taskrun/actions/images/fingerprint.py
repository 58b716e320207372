"""What is at a place now, in a few words, to tell whether it is still what was put there."""

import os
from collections.abc import Mapping
from typing import Any

from taskrun.actions.images import content
from taskrun.actions.images.inodes import ABSENT, FILE, FOLDER, LINK, Node
from taskrun.actions.images.pace import Pace
from taskrun.actions.images.walk import Found, walk

Fingerprint = Mapping[str, Any]
NOTHING: Fingerprint = {"kind": ABSENT}


def fingerprint(parent: int, name: str, pace: Pace, *, reading: bool = True) -> dict[str, Any]:
    """``sha256`` is over the bytes of a file, or over all that is below a directory.

    Without ``reading`` the bytes are taken to be the same where size and time are: enough for what was only moved.
    """
    tree = walk(parent, name)
    root = next(tree)
    facts = _facts(root, pace, reading=reading)
    if root.node.kind == FOLDER:
        digest, count = content.new_sha256(), 0
        for found in tree:
            pace.check()
            line = [found.node.path, *_facts(found, pace, reading=reading).values()]
            digest.update(repr(line).encode("utf-8", "surrogateescape") + b"\n")
            count += 1
        facts["sha256"], facts["entries"] = digest.hexdigest(), count
    return facts


def _facts(found: Found, pace: Pace, *, reading: bool) -> dict[str, Any]:
    node = found.node
    if node.kind == ABSENT:
        return dict(NOTHING)
    facts: dict[str, Any] = {"kind": node.kind, "mode": node.mode, "uid": node.uid, "gid": node.gid}
    if node.kind == LINK:
        facts = {"kind": LINK, "target": node.target, "uid": node.uid, "gid": node.gid}
    elif node.kind == FILE:
        facts["size"] = node.size
        facts["sha256"] = _sha256(found, pace) if reading else f"as of {node.mtime}"
    return facts


def _sha256(found: Found, pace: Pace) -> str:
    fd = os.open(found.name, content.READ, dir_fd=found.parent)
    try:
        return content.sha256(fd, pace)
    finally:
        os.close(fd)


def differs(wanted: Fingerprint, now: Fingerprint) -> str:
    """In what two fingerprints differ, in words; empty when in nothing."""
    if wanted == now:
        return ""
    if wanted["kind"] != now["kind"]:
        return "is gone" if now["kind"] == ABSENT else f"is {Node('', now['kind']).described} now"
    if wanted.get("target") != now.get("target"):
        return f"points to {now.get('target')} now"
    if wanted.get("sha256") != now.get("sha256"):
        return "has another content now"
    if wanted.get("mode") != now.get("mode"):
        return f"has mode {now.get('mode', 0):04o} now, not {wanted.get('mode', 0):04o}"
    return "has another owner now"
