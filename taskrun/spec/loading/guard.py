"""Limits on what a file may stand for, so that no short file becomes a long wait or fills the memory."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from taskrun.spec.loading.findings import Findings
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.spelling import nearest

DEEPEST = 64
MOST_NODES = 2_000_000
MOST_ALIASES = 1_000
MOST_REPEATED_NODES = 200_000
MOST_REPEATED_CHARACTERS = 4 * 1024 * 1024


class Size(NamedTuple):
    """What a value comes to with its aliases written out; ``height`` counts levels of nesting, 0 for a scalar."""

    nodes: int
    characters: int
    height: int


class Anchored(NamedTuple):
    value: Any
    size: Size


class Opening(NamedTuple):
    """An anchored list or mapping whose end has not come yet, and the counts when it began."""

    name: str
    value: Any
    depth: int
    nodes: int
    start: int
    deepest: int


class Guard:
    """Counts depth, nodes and what aliases repeat; knows the anchors."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.nodes = 0
        self.deepest = 0  # since the innermost open anchor
        self.aliases = 0
        self.repeated_nodes = 0
        self.repeated_characters = 0
        self.anchors: dict[str, Anchored] = {}
        self.open: list[Opening] = []

    def count(self, finished: Map | Seq) -> None:
        """Add the keys and values of a list or mapping that has ended; what they hold was added before."""
        self.nodes += len(finished) * (2 if type(finished) is Map else 1)

    def check_nodes(self, unfinished: Iterable[Map | Seq], mark: Mark) -> None:
        """Refuse a file that holds too much by now; called every few thousand events."""
        nodes = self.nodes
        for container in unfinished:
            self.count(container)
        if self.nodes > MOST_NODES:
            self.findings.fatal("TR141", f"the file holds more than {MOST_NODES:,} keys and values", mark)
        self.nodes = nodes

    def reach(self, depth: int, mark: Mark) -> None:
        """Note that a value nests ``depth`` deep."""
        self.deepest = max(self.deepest, depth)
        if depth > DEEPEST:
            self.findings.fatal("TR140", f"lists and mappings are nested more than {DEEPEST} deep", mark)

    def anchor_scalar(self, name: str, value: str) -> None:
        self.anchors[name] = Anchored(value, Size(1, max(len(value), 1), 0))

    def anchor_open(self, name: str, value: Any, depth: int, index: int) -> None:
        """Begin a list or mapping marked ``&name``; ``depth`` counts it, ``index`` is its first character."""
        counted = self.nodes + self.repeated_nodes
        self.open.append(Opening(name, value, depth, counted, index - self.repeated_characters, self.deepest))
        self.anchors.pop(name, None)
        self.deepest = depth - 1  # its own depth is yet to be checked

    def anchor_close(self, index: int) -> None:
        name, value, depth, nodes, start, deepest = self.open.pop()
        size = Size(
            1 + self.nodes + self.repeated_nodes - nodes,
            index + self.repeated_characters - start,
            self.deepest - depth + 1,
        )
        self.anchors[name] = Anchored(value, size)
        self.deepest = max(deepest, self.deepest)

    def alias(self, name: str, depth: int, mark: Mark) -> Any:
        """The value that ``*name`` repeats below ``depth`` open lists and mappings."""
        anchored = self.anchors.get(name)
        if anchored is None:
            return self._unknown(name, mark)
        self.aliases += 1
        self.repeated_nodes += anchored.size.nodes
        self.repeated_characters += anchored.size.characters
        if self.aliases > MOST_ALIASES:
            self.findings.fatal("TR142", f"the file uses more than {MOST_ALIASES:,} aliases", mark)
        if self.repeated_nodes > MOST_REPEATED_NODES or self.repeated_characters > MOST_REPEATED_CHARACTERS:
            self.findings.fatal(
                "TR142", "the aliases up to here repeat more than a file may", mark, length=len(name) + 1
            )
        self.reach(depth + anchored.size.height, mark)
        return anchored.value

    def _unknown(self, name: str, mark: Mark) -> Map:
        length = len(name) + 1
        if any(opening.name == name for opening in self.open):
            self.findings.error("TR134", f"`*{name}` stands inside the value it repeats", mark, length=length)
        else:
            near = nearest(name, self.anchors)
            help_ = f"did you mean `*{near}`?" if near else "text that begins with a star needs quotes"
            self.findings.error(
                "TR133", f"`*{name}` repeats `&{name}`, which is nowhere above", mark, help_, length
            )
        return Map(mark)
