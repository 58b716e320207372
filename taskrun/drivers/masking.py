"""Puts ``***`` in the place of secrets, in whatever form they turn up, before anything is kept or shown."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4  # characters; something shorter would be found all over the place
_SHORTEST_PART = 8  # of a text that was cut somewhere in a secret
_LONGEST_PART = 4096
_CUTS = ("…".encode(), b"...")
_GROUP = 3  # bytes that base64 turns into four characters
_REST = {0: 0, 1: 2, 2: 3}  # characters of a group that one or two foreign bytes have a share in

Span = tuple[int, int]


class Masker:
    """Knows the values that were read so far; ``add`` as soon as there is another one."""

    def __init__(self) -> None:
        self._values: set[bytes] = set()
        self._forms: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._forms)

    def add(self, value: str) -> None:
        """A value, and if it has several lines each of them: a program may show only one."""
        parts = {value, *(line.strip() for line in value.splitlines())}
        known = set(self._forms)
        for part in parts:
            if len(part) >= SHORTEST:
                self._values.add(_bytes(part))
                known |= set(_forms(part))
        self._forms = sorted(known)

    def data(self, data: bytes) -> bytes:
        """Bytes of a task's output, perhaps cut out of the middle of it."""
        spans = self._spans(data)
        return _replaced(data, spans) if spans else data

    def text(self, text: str) -> str:
        if not self._forms:
            return text
        data = _bytes(text)
        spans = self._spans(data)
        return _replaced(data, spans).decode("utf-8", "surrogatepass") if spans else text

    def value(self, value: Any) -> Any:
        """A JSON value with all its strings masked; the same object where there is nothing to hide."""
        if not self._forms:
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

    def _spans(self, data: bytes) -> list[Span]:
        """Where there is something to hide, in order and without overlaps."""
        found: list[Span] = []
        for form in self._forms:
            at = data.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = data.find(form, at + 1)
        for value in self._values:
            found += _parts(data, value)
        return _merged(found)

    def _unfinished(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of something to hide."""
        longest = 0
        for form in self._forms:
            for size in range(min(len(form) - 1, len(data)), longest, -1):
                if data.endswith(form[:size]):
                    longest = size
                    break
        return longest


class MaskedStream:
    """Masks data that comes in pieces. ``feed`` keeps back what may be the beginning of a secret, until ``rest``."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._kept = b""

    def feed(self, data: bytes) -> bytes:
        if not self._masker:
            return data
        data = self._kept + data
        cut = len(data) - self._masker._unfinished(data)  # noqa: SLF001 - the other half of it
        for start, end in self._masker._spans(data):  # noqa: SLF001
            if start < cut < end:
                cut = start
        self._kept = data[cut:]
        return self._masker.data(data[:cut])

    def rest(self) -> bytes:
        data, self._kept = self._kept, b""
        return self._masker.data(data)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _replaced(data: bytes, spans: Iterable[Span]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end in spans:
        parts += [data[position:start], MASK.encode()]
        position = end
    return b"".join([*parts, data[position:]])


def _merged(spans: list[Span]) -> list[Span]:
    """Of two that overlap one: hiding the first must not make the second unrecognisable."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _parts(data: bytes, value: bytes) -> Iterator[Span]:
    """The beginning of a value where the text was cut short, and its end where a window begins in the middle of it."""
    if len(value) <= _SHORTEST_PART:
        return
    head = value[:_SHORTEST_PART]
    at = data.find(head)
    while at >= 0:
        size = _common(data, at, value)
        end = at + size
        if end == len(data) or data.startswith(_CUTS, end):
            yield at, end
        at = data.find(head, at + 1)
    tail = value[-_LONGEST_PART:]
    for size in range(len(tail) - 1, _SHORTEST_PART - 1, -1):
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
    forms |= {_as_html(value), value.replace("'", "'\\''"), value.replace("'", "'\"'\"'")}
    yield from map(_bytes, forms)
    yield from _base64(_bytes(value))


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
        yield encode(value).rstrip(b"=")
        for before in range(_GROUP):
            whole = encode(b"\0" * before + value)
            behind = (before + len(value)) % _GROUP
            end = len(whole) - 4 if behind else len(whole)
            core = whole[_REST[before] : end]
            if len(core) >= 2 * SHORTEST:
                yield core
