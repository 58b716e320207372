"""Several fork servers at work on one list of points, each with a thread that feeds it."""

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from tests.crash.fork_server import ForkServer
from tests.crash.points import Point


def tried(points: Sequence[Point], processes: int) -> Iterator[dict[str, Any]]:
    """The report of every point, in the order in which they end."""
    waiting: queue.SimpleQueue[Point | None] = queue.SimpleQueue()
    ended: queue.SimpleQueue[dict[str, Any] | Exception] = queue.SimpleQueue()
    for point in points:
        waiting.put(point)

    def feed() -> None:
        try:
            server = ForkServer()
            kept = False
            while (point := waiting.get()) is not None:
                report = next(server.tried([point]))
                kept |= bool(report["faults"])
                ended.put(report)
            server.close(keep=kept)
        except Exception as error:  # for the thread that waits
            ended.put(error)

    threads = [threading.Thread(target=feed, daemon=True) for _ in range(processes)]
    for thread in threads:
        waiting.put(None)
        thread.start()
    for _ in points:
        report = ended.get()
        if isinstance(report, Exception):
            raise report
        yield report
    for thread in threads:
        thread.join()
