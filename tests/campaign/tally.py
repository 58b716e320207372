"""Counts what crash points came to, by kind, and prints it as a table."""

import sys
import time
from typing import Any

from tests.crash.points import Point


class Tally:
    """``broken`` are the reports of points at which something did not hold."""

    def __init__(self, total: int) -> None:
        self.points = self.kills = 0
        self.broken: list[dict[str, Any]] = []
        self._total = total
        self._rows: dict[str, list[int]] = {}
        self._began = time.monotonic()

    def add(self, kind: str, report: dict[str, Any]) -> None:
        row = self._rows.setdefault(kind, [0, 0, 0])
        self.points += 1
        self.kills += len(report["fired"])
        row[0] += 1
        row[1] += len(report["fired"])
        if report["faults"]:
            row[2] += 1
            self.broken.append(report)
            print(
                f"\n{report['point']}",
                *report["faults"],
                f"kept in {report.get('place')}",
                sep="\n  ",
                flush=True,
            )
        if sys.stderr.isatty() or self.points % 500 == 0:
            took = time.monotonic() - self._began
            print(
                f"\r{self.points:,} of {self._total:,} points, {took:.0f} s",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def show(self) -> None:
        print(file=sys.stderr)
        print(f"{'kind':<56} {'points':>7} {'hits':>7} {'violations':>11}")
        for kind in sorted(self._rows):
            print(
                f"{kind:<56} {self._rows[kind][0]:>7,} {self._rows[kind][1]:>7,} {self._rows[kind][2]:>11,}"
            )
        print(f"{'all':<56} {self.points:>7,} {self.kills:>7,} {len(self.broken):>11,}")
        print(f"in {time.monotonic() - self._began:.0f} s")


def kind_of(point: str) -> str:
    return Point.parse(point).kind
