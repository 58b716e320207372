"""Finds the knots of a graph. Linear in nodes and edges, and without recursion: a chain may be 100,000 long."""

from collections.abc import Iterator, Sequence

Graph = list[list[int]]


def cycles(size: int, edges: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """One cycle of each knot, as nodes in the order of the edges."""
    following: Graph = [[] for _ in range(size)]
    incoming = [0] * size
    for before, after in edges:
        following[before].append(after)
        incoming[after] += 1
    ready = [node for node in range(size) if not incoming[node]]
    while ready:
        for after in following[ready.pop()]:
            incoming[after] -= 1
            if not incoming[after]:
                ready.append(after)
    if not any(incoming):
        return
    left = [node for node in range(size) if incoming[node]]
    for knot in _knots(left, following):
        yield _shortest(knot, following)


def _knots(nodes: list[int], following: Graph) -> Iterator[list[int]]:
    """Strongly connected components of more than one node, by Kosaraju's two walks; in order of their first nodes."""
    preceding: Graph = [[] for _ in following]
    for node in nodes:
        for after in following[node]:
            preceding[after].append(node)
    last_first = _finished(nodes, following)[::-1]
    seen: set[int] = set()
    knots = []
    for node in last_first:
        if node not in seen:
            knot = _reached(node, preceding, seen)
            if len(knot) > 1:
                knots.append(sorted(knot))
    yield from sorted(knots)


def _finished(nodes: list[int], following: Graph) -> list[int]:
    """The nodes in the order in which a depth-first walk is done with them."""
    seen: set[int] = set()
    done: list[int] = []
    for root in nodes:
        if root in seen:
            continue
        seen.add(root)
        walk = [(root, iter(following[root]))]
        while walk:
            node, ahead = walk[-1]
            for target in ahead:
                if target not in seen:
                    seen.add(target)
                    walk.append((target, iter(following[target])))
                    break
            else:
                done.append(node)
                walk.pop()
    return done


def _reached(start: int, ways: Graph, seen: set[int]) -> list[int]:
    seen.add(start)
    found, at = [start], 0
    while at < len(found):
        for target in ways[found[at]]:
            if target not in seen:
                seen.add(target)
                found.append(target)
        at += 1
    return found


def _shortest(knot: list[int], following: Graph) -> list[int]:
    """The shortest way from the first node of a knot back to it."""
    inside, start = set(knot), knot[0]
    came_from: dict[int, int] = {}
    queue, at = [start], 0
    while at < len(queue):
        node = queue[at]
        at += 1
        for target in following[node]:
            if target == start:
                return _way_to(node, start, came_from)
            if target in inside and target not in came_from:
                came_from[target] = node
                queue.append(target)
    return knot


def _way_to(node: int, start: int, came_from: dict[int, int]) -> list[int]:
    way = [node]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
