"""Puts ``***`` in the place of secrets, in whatever form they turn up, before anything is kept or shown."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from taskrun.executors.masking import MASK as MASK_BYTES
from taskrun.executors.masking import SHORTEST_PART, Matcher, Span, Stream, merged, replaced

MASK = MASK_BYTES.decode()
SHORTEST = 4  # characters; something shorter would be found all over the place
_LONGEST_PART = 4096
_CUTS = ("…".encode(), b"...")
_GROUP = 3  # bytes that base64 turns into four characters
_REST = {0: 0, 1: 2, 2: 3}  # characters of a group that one or two foreign bytes have a share in
_WRAPPED = (64, 76)  # characters of a line of base64: of PEM, and of mail and the program


class Masker:
    """Knows the values that were read so far; ``add`` as soon as there is another one."""

    def __init__(self) -> None:
        self.forms: list[bytes] = []
        self.matcher = Matcher()
        self.given: list[str] = []  # in the order they were read
        self._values: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self.forms)

    def add(self, value: str) -> None:
        """A value, and if it has several lines each of them: a program may show only one."""
        if len(value) >= SHORTEST:
            self.given.append(value)
        parts = {value, *(line.strip() for line in value.splitlines())}
        known = set(self.forms)
        for part in parts:
            if len(part) >= SHORTEST:
                self._values.add(_bytes(part))
                known |= set(_forms(part))
        self.forms = sorted(known)
        self.matcher = Matcher(self.forms)

    def data(self, data: bytes) -> bytes:
        """Bytes of a task's output, perhaps cut out of the middle of it."""
        spans = self._spans(data)
        return replaced(data, spans) if spans else data

    def text(self, text: str) -> str:
        if not self.forms:
            return text
        data = _bytes(text)
        spans = self._spans(data)
        return replaced(data, spans).decode("utf-8", "surrogatepass") if spans else text

    def value(self, value: Any) -> Any:
        """A JSON value with all its strings masked; the same object where there is nothing to hide."""
        if not self.forms:
            return value
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        if isinstance(value, int | float) and _bytes(str(value)) in self._values:
            return MASK
        return value

    def stream(self) -> "MaskedStream":
        return MaskedStream(self)

    def uncut(self, data: bytes, cut: int) -> int:
        """The last place at or before ``cut`` that is not inside of something to hide."""
        for start, end in self._spans(data):
            if start < cut < end:
                return start or cut
        return cut

    def _spans(self, data: bytes) -> list[Span]:
        """Where there is something to hide, in order and without overlaps."""
        found, _ = self.matcher.scan(data)
        for value in self._values:
            found += _parts(data, value)
        return merged(found)


class MaskedStream:
    """Masks data that comes in pieces. ``feed`` keeps back what may be the beginning of a secret, until ``rest``."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._stream = Stream()

    def feed(self, data: bytes) -> bytes:
        return self._stream.feed(data, self._masker.matcher)

    def rest(self) -> bytes:
        return self._stream.rest(self._masker.matcher)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _parts(data: bytes, value: bytes) -> Iterator[Span]:
    """The beginning of a value where the text was cut short, and its end where a window begins in the middle of it."""
    if len(value) <= SHORTEST_PART:
        return
    head = value[:SHORTEST_PART]
    at = data.find(head)
    while at >= 0:
        size = _common(data, at, value)
        end = at + size
        if end == len(data) or data.startswith(_CUTS, end):
            yield at, end
        at = data.find(head, at + 1)
    tail = value[-_LONGEST_PART:]
    for size in range(len(tail) - 1, SHORTEST_PART - 1, -1):
        if data.startswith(tail[-size:]):
            yield 0, size
            return


def _common(data: bytes, at: int, value: bytes) -> int:
    """How far ``value`` is the same as what stands at ``at``."""
    piece = data[at : at + len(value)]
    for position, (one, other) in enumerate(zip(piece, value, strict=False)):
        if one != other:
            return position
    return len(piece)


def _forms(value: str) -> Iterator[bytes]:
    """A value as it is, and as programs write it into URLs, JSON, Python, HTML, shell and base64."""
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    for form in (
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    ):
        forms |= {form, _lower_escapes(form)}
    forms |= {_as_html(value), *_quoted(value)}
    yield from map(_bytes, forms)
    yield from _base64(_bytes(value))


def _quoted(value: str) -> set[str]:
    """In single quotes, in double quotes and without any, as shells and their tools write it."""
    return {
        value.replace("'", "'\\''"),
        value.replace("'", "'\"'\"'"),
        re.sub(r'([$`"\\])', r"\\\1", value),
        re.sub(r"([^\w@%+=:,./-])", r"\\\1", value),
    }


def _as_html(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(character, entity)
    return text


def _lower_escapes(text: str) -> str:
    """``%2f`` for ``%2F``: both are seen."""
    first, *others = text.split("%")
    return "%".join([first, *(other[:2].lower() + other[2:] for other in others)])


def _base64(value: bytes) -> Iterator[bytes]:
    """Alone, and behind and before other bytes, as in ``user:password``: only what does not depend on those."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(value).rstrip(b"=")
        yield alone
        for width in _WRAPPED:
            if len(alone) > width:
                yield from (line for line in _lines(alone, width) if len(line) >= 2 * SHORTEST)
        for before in range(_GROUP):
            whole = encode(b"\0" * before + value)
            behind = (before + len(value)) % _GROUP
            end = len(whole) - 4 if behind else len(whole)
            core = whole[_REST[before] : end]
            if len(core) >= 2 * SHORTEST:
                yield core


def _lines(text: bytes, width: int) -> Iterator[bytes]:
    return (text[start : start + width] for start in range(0, len(text), width))
