"""Builds the values of a file from the events of the YAML parser, in one pass and without recursion.

The parser reads only a little ahead of what it is asked for, so the limits are checked before anything is built and
before deep nesting can reach a part of it that recurses.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from taskrun.spec.loading.checks import SPECIAL, Checks
from taskrun.spec.loading.events import Alias, DocumentStart, Node, Placed, Scalar
from taskrun.spec.loading.findings import WHOLE_FILE, Findings
from taskrun.spec.loading.guard import Guard
from taskrun.spec.loading.merge import MERGE, merge
from taskrun.spec.loading.parser import NextEvent
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.scalars import NUMERIC_STARTS, Plain, is_string

EVENTS_AT_ONCE = 10_000  # between two counts of what there is


class _NoKey(str):
    __slots__ = ()


_NO_KEY = _NoKey()  # in place of a key: the mapping expects one next
_ITEM = _NoKey()  # in place of a key: the container is a list
_LOST_KEY = "?"  # in place of a list or mapping that stood as a key


class Builder:
    """Takes the events; keeps the lists and mappings that are open."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.checks = Checks(findings)
        self.guard = Guard(findings)
        self.documents = 0
        self.document = Seq(Mark(1, 1))  # holds the root
        self.container: Map | Seq = self.document  # the innermost that is open
        self.key: str = _ITEM  # where the next value goes in the container
        self.stack: list[tuple[Map | Seq, str]] = []  # what to go back to
        self.merging: list[Map] = []  # open mappings that have a <<
        self.known_keys: dict[str, str] = {}

    def build(self, next_event: NextEvent) -> Any:
        """Take all events; the value of the document."""
        source = iter(next_event, None)
        while (last := self._take(islice(source, EVENTS_AT_ONCE))) is not None:
            unfinished = [self.container, *(container for container, _ in self.stack)]
            self.guard.check_nodes(unfinished, Mark(last.start_mark.line + 1, last.start_mark.column + 1))
        root = self.document[0] if self.document else None
        if root is None or (root == "" and isinstance(root, Plain)):
            self.findings.fatal("TR110", "the file is empty", WHOLE_FILE)
        return root

    def _take(self, events: Iterator[Any]) -> Any:  # noqa: C901, PLR0912, PLR0915 - see below
        """Take these events; gives the last of them, or None.

        One long function on purpose: every scalar of a file comes through here, and calls would double its time.
        """
        container: Any = self.container
        key, stack, guard = self.key, self.stack, self.guard
        known_keys, new, event = self.known_keys, tuple.__new__, None
        for event in events:
            kind = type(event)
            start = event.start_mark
            if kind is ScalarEvent:
                value = event.value
                mark = new(Mark, (start.line + 1, start.column + 1))
                if key is _NO_KEY:
                    if value not in known_keys or event.anchor is not None or event.tag is not None:
                        self._new_key(container, event, mark)
                    else:
                        value = known_keys[value]  # one object for all its places
                    if value in container:
                        self.checks.duplicate(container, value, mark)
                    container.key_marks[value] = mark
                    key = value
                    continue
                style = event.style
                if not style:
                    if value in SPECIAL or value[0] in NUMERIC_STARTS or event.end_mark.line > start.line:
                        value = self.checks.plain(event, mark)
                elif style == '"':
                    self.checks.escapes(value, mark)
                if event.anchor is not None or event.tag is not None:
                    self._anchored_scalar(event, value, mark)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._end(event, container)
                container, key = stack.pop()
                continue
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                mark = new(Mark, (start.line + 1, start.column + 1))
                value = Map(mark) if kind is MappingStartEvent else Seq(mark)
                stack.append((container, self._attach(container, key, value)))
                container, key = value, _NO_KEY if kind is MappingStartEvent else _ITEM
                if event.anchor is not None or event.tag is not None:
                    self._anchored_collection(event, value)
                if len(stack) > guard.deepest:
                    guard.reach(len(stack), mark)
                continue
            elif kind is AliasEvent:
                mark = Mark(start.line + 1, start.column + 1)
                value = guard.alias(event.anchor, len(stack), mark)
                if key is _NO_KEY:
                    key = self._alias_key(container, event, value, mark)
                    continue
            else:
                if kind is DocumentStartEvent:
                    self._start_document(event, Mark(start.line + 1, start.column + 1))
                continue
            if key is _ITEM:
                container.append(value)
                container.item_marks.append(mark)
            else:
                container[key] = value
                container.value_marks[key] = mark
                key = _NO_KEY
        self.container, self.key = container, key
        return event

    def _attach(self, container: Any, key: str, value: Map | Seq) -> str:
        """Put a list or mapping where it belongs; gives what takes the place of ``key`` after it."""
        if key is _ITEM:
            container.append(value)
            container.item_marks.append(value.mark)
            return _ITEM
        if key is _NO_KEY:
            self.checks.collection_key(value)
            container.key_marks[_LOST_KEY] = value.mark
            return _LOST_KEY
        container[key] = value
        container.value_marks[key] = value.mark
        return _NO_KEY

    def _end(self, event: Placed, container: Map | Seq) -> None:
        self.guard.count(container)
        if self.merging and self.merging[-1] is container:
            merge(self.merging.pop(), self.findings)
        opened = self.guard.open
        if opened and opened[-1].depth == len(self.stack):
            self.guard.anchor_close(event.end_mark.index)

    def _new_key(self, container: Map, event: Scalar, mark: Mark) -> None:
        """Look at a key that was not seen before in this file, or has an anchor or a tag."""
        text, plain = event.value, not event.style
        self.checks.tag(event.tag, mark)
        self.checks.escapes(text, mark)
        if event.anchor is not None:
            self.guard.anchor_scalar(event.anchor, text)
        if text == MERGE:
            if plain and text not in container:
                self.merging.append(container)
        elif is_string(text):
            self.known_keys[text] = text
        elif plain:
            self.checks.no_string_key(text, mark)

    def _alias_key(self, container: Map, event: Alias, value: Any, mark: Mark) -> str:
        key = value
        if type(value) is not str:
            key = f"*{event.anchor}"
            self.findings.error("TR131", f"the key `{key}` repeats what is no string", mark)
        if key in container:
            self.checks.duplicate(container, key, mark)
        container.key_marks[key] = mark
        return str(key)

    def _anchored_scalar(self, event: Scalar, value: str, mark: Mark) -> None:
        self.checks.tag(event.tag, mark)
        if event.anchor is not None:
            self.guard.anchor_scalar(event.anchor, value)

    def _anchored_collection(self, event: Node, value: Map | Seq) -> None:
        self.checks.tag(event.tag, value.mark)
        if event.anchor is not None:
            self.guard.anchor_open(event.anchor, value, len(self.stack), event.start_mark.index)

    def _start_document(self, event: DocumentStart, mark: Mark) -> None:
        self.documents += 1
        if self.documents > 1:
            help_ = "put it into a file of its own"
            self.findings.fatal("TR111", "a second document begins here", mark, help_, 3)
        if event.version == (1, 1):
            self.findings.warning("TR152", "%YAML 1.1 is read as YAML 1.2", mark, "leave the line out")
