"""Builds the values of a file from the events of the YAML parser, in one pass and without recursion.

The parser reads only a little ahead of what it is asked for, so the limits are checked before anything is built and
before deep nesting can reach a part of it that recurses.
"""

import re
from collections.abc import Callable
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from taskrun.spec.loading.events import Alias, DocumentStart, Node, Placed, Scalar
from taskrun.spec.loading.findings import WHOLE_FILE, Findings
from taskrun.spec.loading.guard import MOST_NODES, Guard
from taskrun.spec.loading.merge import MERGE, merge
from taskrun.spec.loading.parser import NextEvent
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.scalars import LONGEST_NUMBER, LOOKALIKES, Plain, is_string

Handler = Callable[[Any], None]


class _NoKey(str):
    __slots__ = ()


_NO_KEY = _NoKey()  # in place of a key: the mapping expects one next
_LOST_KEY = "?"  # in place of a list or mapping that stood as a key
HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class Builder:
    """Takes the events one by one; ``root`` is the value of the document."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.guard = Guard(findings)
        self.root: Any = None
        self.documents = 0
        self.container: Map | Seq | None = None  # the innermost one that is open
        self.key: str = _NO_KEY  # of the container, when it is a mapping
        self.stack: list[tuple[Map | Seq | None, str]] = []  # what to go back to
        self.merging: list[Map] = []  # open mappings that have a <<
        self.known_keys: dict[str, str] = {}
        self.handlers: dict[type[Event], Handler] = {
            ScalarEvent: self.scalar,
            MappingStartEvent: self.start_mapping,
            SequenceStartEvent: self.start_sequence,
            MappingEndEvent: self.end,
            SequenceEndEvent: self.end,
            AliasEvent: self.alias,
            DocumentStartEvent: self.start_document,
            DocumentEndEvent: _ignore,
            StreamStartEvent: _ignore,
            StreamEndEvent: _ignore,
        }

    def build(self, next_event: NextEvent) -> Any:
        """Take all events; the value of the document."""
        handlers = self.handlers
        for event in iter(next_event, None):
            handlers[type(event)](event)
        if self.root is None or (self.root == "" and isinstance(self.root, Plain)):
            self.findings.fatal("TR110", "the file is empty", WHOLE_FILE)
        return self.root

    def start_document(self, event: DocumentStart) -> None:
        mark = _mark(event)
        self.documents += 1
        if self.documents > 1:
            self.findings.fatal(
                "TR111", "a second document begins here", mark, "put it into a file of its own", 3
            )
        if event.version == (1, 1):
            self.findings.warning("TR152", "%YAML 1.1 is read as YAML 1.2", mark, "leave the line out")

    def scalar(self, event: Scalar) -> None:
        start = event.start_mark
        mark = Mark(start.line + 1, start.column + 1)
        container, text = self.container, event.value
        self._count(mark)
        if self.key is _NO_KEY and type(container) is Map:
            if text in self.known_keys and event.anchor is None and event.tag is None:
                self._open_key(container, self.known_keys[text], mark)
            else:
                self._new_key(container, event, mark)
            return
        if event.style:
            self._check_escapes(text, mark)
        else:
            text = self._plain(event, mark)
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        if event.anchor is not None:
            self.guard.anchor_scalar(event.anchor, text)
        self._add(text, mark)

    def start_mapping(self, event: Node) -> None:
        self._open(Map(_mark(event)), event)

    def start_sequence(self, event: Node) -> None:
        self._open(Seq(_mark(event)), event)

    def end(self, event: Placed) -> None:
        if self.merging and self.merging[-1] is self.container:
            merge(self.merging.pop(), self.findings)
        opened = self.guard.open
        if opened and opened[-1].depth == len(self.stack):
            self.guard.anchor_close(event.end_mark.index)
        self.container, self.key = self.stack.pop()

    def alias(self, event: Alias) -> None:
        mark = _mark(event)
        self._count(mark)
        container, name = self.container, event.anchor
        value = self.guard.alias(name, len(self.stack), mark)
        if self.key is _NO_KEY and type(container) is Map:
            if type(value) is not str:
                self.findings.error("TR131", f"the key `*{name}` repeats what is no string", mark)
            self._open_key(container, f"*{name}" if type(value) is not str else value, mark)
        else:
            self._add(value, mark)

    def _count(self, mark: Mark) -> None:
        self.guard.nodes += 1
        if self.guard.nodes > MOST_NODES:
            self.guard.too_many_nodes(mark)

    def _open(self, value: Map | Seq, event: Node) -> None:
        mark, parent = value.mark, self.container
        self._count(mark)
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        if self.key is _NO_KEY and type(parent) is Map:
            self._refuse_collection_as_key(value)
            parent.key_marks[_LOST_KEY] = mark
            self.stack.append((parent, _LOST_KEY))
        else:
            self._add(value, mark)
            self.stack.append((parent, _NO_KEY))
        self.container = value
        depth = len(self.stack)
        if event.anchor is not None:
            self.guard.anchor_open(event.anchor, value, depth, event.start_mark.index)
        if depth > self.guard.deepest:
            self.guard.reach(depth, mark)

    def _add(self, value: Any, mark: Mark) -> None:
        container = self.container
        if type(container) is Map:
            container[self.key] = value
            container.value_marks[self.key] = mark
            self.key = _NO_KEY
        elif type(container) is Seq:
            container.append(value)
            container.item_marks.append(mark)
        else:
            self.root = value

    def _new_key(self, container: Map, event: Scalar, mark: Mark) -> None:
        """A key that was not seen before in this file, or has an anchor or a tag."""
        text, plain = event.value, not event.style
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        if event.anchor is not None:
            self.guard.anchor_scalar(event.anchor, text)
        self._check_escapes(text, mark)
        if text == MERGE:
            if plain and text not in container:
                self.merging.append(container)
        elif is_string(text):
            self.known_keys[text] = text
        elif plain:
            self._refuse_key(text, mark)
        self._open_key(container, text, mark)

    def _open_key(self, container: Map, text: str, mark: Mark) -> None:
        if text in container:
            first = container.key_marks[text].line
            help_ = "write `<<: [*one, *other]`" if text == MERGE else "keep one of the two"
            message = f"duplicate key `{text}`: it stands in line {first} already"
            self.findings.error("TR130", message, mark, help_, len(text))
        container.key_marks[text] = mark
        self.key = text

    def _plain(self, event: Scalar, mark: Mark) -> str:
        """What an unquoted scalar is: a string, or text that means something else."""
        text = event.value
        if event.end_mark.line >= mark.line:
            self._warn_of_lines(mark, event.end_mark.line + 1)
        if is_string(text):
            if text in LOOKALIKES:
                help_ = f'write `true` or `false` for a boolean, `"{text}"` for the word'
                self.findings.warning(
                    "TR151", f"`{text}` is a string here, not a boolean", mark, help_, len(text)
                )
            return text
        if len(text) > LONGEST_NUMBER:
            message = f"a number of more than {LONGEST_NUMBER:,} digits"
            self.findings.error("TR143", message, mark, "put it in quotes", len(text))
            return text
        return Plain(text)

    def _warn_of_lines(self, mark: Mark, last: int) -> None:
        """Unquoted text over several lines: mostly an item or key that is indented too far."""
        for number in range(mark.line + 1, last + 1):
            line = self.findings.line(number)
            stripped = line.strip()
            if stripped.startswith("- "):
                here = Mark(number, len(line) - len(line.lstrip()) + 1)
                message = f"this is no list item but a part of the text that begins in line {mark.line}"
                help_ = "line the dash up with the one above, or put the text in quotes"
                self.findings.warning("TR150", message, here, help_, len(stripped))
                return
        message = f"unquoted text that goes on to line {last}, joined with spaces"
        help_ = "write it as a block with `>` or `|`, or put it in quotes"
        self.findings.warning(
            "TR150", message, mark, help_, len(self.findings.line(mark.line)) - mark.column + 1
        )

    def _check_escapes(self, text: str, mark: Mark) -> None:
        if "\0" in text:
            message = "a string with the NUL character: no command, variable or path can hold it"
            self.findings.error("TR109", message, mark)
        if not text.isascii() and HALF_CHARACTER.search(text):  # the pure Python parser lets them through
            self.findings.error("TR126", "an escape for one half of a character", mark)

    def _refuse_tag(self, tag: str, mark: Mark) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        help_ = "leave it out; put quotes around what should be a string"
        self.findings.error("TR132", f"tags are not used in workflows: `{shown}`", mark, help_, len(shown))

    def _refuse_key(self, text: str, mark: Mark) -> None:
        value = Plain(text).value if len(text) <= LONGEST_NUMBER else 0
        kind = "null" if value is None else "a boolean" if isinstance(value, bool) else "a number"
        message = f"the key `{text}` is {kind}, not a string" if text else "a key is missing here"
        self.findings.error("TR131", message, mark, text and f'put it in quotes: "{text}"', len(text) or 1)

    def _refuse_collection_as_key(self, value: Map | Seq) -> None:
        line, column = value.mark
        expression = self.findings.line(line)[:column].endswith("{{")
        kind = "mapping" if type(value) is Map else "list"
        help_ = (
            'an expression is written in quotes and with a dollar sign: "${{ ... }}"' if expression else None
        )
        self.findings.error("TR131", f"a {kind} cannot be a key", value.mark, help_)


def _mark(event: Placed) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _ignore(_: Placed) -> None:
    """Where a stream or document begins or ends nothing is to be built."""
