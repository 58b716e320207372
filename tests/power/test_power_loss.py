"""After a power loss everything acknowledged is there, or it is said that something is not: never a guess.

Writes and syncs of real commands are recorded, and the disk is put together as it may be afterwards; see `images.py`.
`python -m tests.campaign.power` tries any number of them.
"""

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("apsw", reason="writes are recorded by apsw's file system (the extra `test`)")

from tests.power.images import Disk, tried
from tests.power.recording import Acknowledged, Removed, Synced, Truncated, Wrote, recorded
from tests.power.workflows import commands

IMAGES = 300


def kinds(folder: Path, durability: str) -> Counter[str]:
    recording = recorded(commands(str(folder), durability, 100), str(folder / "home"))
    assert recording.codes == [0, 1, 0, 0, 0]
    assert {type(op) for op in recording.ops} == {Acknowledged, Removed, Synced, Truncated, Wrote}
    found: Counter[str] = Counter()
    for loss in tried(recording, str(folder / "image"), IMAGES, seed=durability):
        assert not loss.verdict.wrong, loss
        found.update(kind for kind, text in loss.verdict._asdict().items() if text)
    return found


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    assert kinds(tmp_path, "full") == {}


def test_with_less_syncing_the_end_may_be_lost_but_nothing_is_made_up(tmp_path: Path) -> None:
    """And the images do lose what may be lost: else the test above would prove nothing."""
    assert kinds(tmp_path, "process")["lost"] > IMAGES / 10


def test_an_image_holds_what_was_synced_and_any_part_of_the_rest() -> None:
    import random

    disk = Disk()
    for op in (
        Wrote("journal.db", 0, b"a" * 1024),
        Synced("journal.db"),
        Wrote("journal.db", 512, b"b" * 512),
        Wrote("journal.db-wal", 0, b"c" * 512),
    ):
        disk.take(op)
    chance = random.Random(1)
    images = [disk.image(chance) for _ in range(200)]
    assert {image["journal.db"][:512] for image in images} == {b"a" * 512}
    assert {b"a" * 512, b"b" * 512} < {image["journal.db"][512:] for image in images}
    assert {b"", b"c" * 512} < {image.get("journal.db-wal", b"") for image in images}
    assert any("journal.db-wal" not in image for image in images)
