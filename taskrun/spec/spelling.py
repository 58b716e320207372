"""Finds the name somebody meant: the "did you mean" of every message."""

from collections.abc import Iterable

LONGEST_WORD = 64


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to ``word``, the first of equals; None when none is close enough to be a slip.

    Letters swapped, left out, doubled or mistyped count one each; upper and lower case, ``-`` and ``_`` are the same.
    """
    if not 1 < len(word) <= LONGEST_WORD:
        return None
    wanted = _folded(word)
    letters = set(wanted)
    limit = (len(word) + 1) // 3
    best = None
    for candidate in candidates:
        if abs(len(candidate) - len(word)) > limit:
            continue
        offered = _folded(candidate)
        if len(letters.symmetric_difference(offered)) > 2 * limit:
            continue
        distance = _distance(wanted, offered, limit)
        if distance <= limit:
            best, limit = candidate, distance - 1
    return best


def _folded(word: str) -> str:
    return word.lower().replace("-", "_")


def _distance(one: str, other: str, limit: int) -> int:
    """Edits from ``one`` to ``other``, a swap of neighbours counted once; above ``limit`` any larger number."""
    older: list[int] = []
    old = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        new = [row]
        for column, match in enumerate(other, 1):
            cost = min(old[column] + 1, new[column - 1] + 1, old[column - 1] + (letter != match))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == match:
                cost = min(cost, older[column - 2] + 1)
            new.append(cost)
        if min(new) > limit:
            return limit + 1
        older, old = old, new
    return old[-1]
