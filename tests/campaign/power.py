"""Cuts the power at any moment of real runs, as often as one likes, and looks what the journal is worth afterwards.

    python -m tests.campaign.power --images 100000 --processes 2
    python -m tests.campaign.power --images 10000 --durability process     # what it costs to sync less

It needs apsw (the extra `test`). Writes and syncs of the journal and its WAL are recorded while commands of taskrun run;
an image holds what was synced, and of the rest any sectors, in any version, or halves of them. With `full`, the default
of taskrun, nothing that was acknowledged may be missing; with `process` it may, but what is there must be what was
written, from the beginning on, or be reported as damaged. Exit code 1 when that does not hold.
"""

import argparse
import collections
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from typing import NamedTuple

from tests.crash.fork_server import memory
from tests.power.images import tried
from tests.power.recording import recorded
from tests.power.workflows import commands

IMAGES = 2500  # of one recording


class Share(NamedTuple):
    seed: int
    images: int
    durability: str


class Found(NamedTuple):
    images: int
    counts: collections.Counter
    examples: list[str]


def one_recording(share: Share) -> Found:
    """Record some runs anew, and try images of them."""
    base = tempfile.mkdtemp(prefix="taskrun-power-", dir=memory())
    counts, examples = collections.Counter(), []
    try:
        recording = recorded(commands(base, share.durability, 60 + share.seed * 53 % 200), f"{base}/home")
        assert recording.codes == [0, 1, 0, 0, 0], recording.codes
        counts["operations"] = len(recording.ops)
        for loss in tried(recording, f"{base}/image", share.images, share.seed):
            for kind, text in loss.verdict._asdict().items():
                counts[kind] += bool(text)
                if text and len(examples) < 3 and (kind == "wrong" or share.durability == "full"):
                    examples.append(
                        f"seed {share.seed}, operation {loss.op}, image {loss.number}: {kind}: {text}"
                    )
    finally:
        shutil.rmtree(base)
    return Found(share.images, counts, examples)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durability", choices=("full", "process"), default="full")
    given = parser.parse_args()
    shares = [
        Share(given.seed + index, min(IMAGES, given.images - index * IMAGES), given.durability)
        for index in range(-(-given.images // IMAGES))
    ]
    began, done, counts = time.monotonic(), 0, collections.Counter()
    # Each recording takes descriptors and handlers of its process for itself.
    with multiprocessing.get_context("spawn").Pool(given.processes, maxtasksperchild=1) as pool:
        for found in pool.imap_unordered(one_recording, shares):
            done, counts = done + found.images, counts + found.counts
            print(*found.examples, sep="\n", end="\n" if found.examples else "", flush=True)
            print(f"{done:,} images, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(
        f"durability {given.durability}, seeds {given.seed} to {given.seed + len(shares) - 1}: {done:,} images of"
        f" {counts['operations']:,} recorded operations in {len(shares)} recordings: {counts['lost']:,} lost something"
        f" acknowledged, {counts['wrong']:,} believed what was never written, {counts['told']:,} were reported as damaged"
    )
    print(f"in {time.monotonic() - began:.0f} s, {os.cpu_count()} processors")
    return 1 if counts["wrong"] or (counts["lost"] and given.durability == "full") else 0


if __name__ == "__main__":
    sys.exit(main())
