"""Finds what nobody may see in bytes that pass by, and puts ``***`` in its place.

What is looked for comes as *forms*, the ways in which a secret may be written. All are found in one pass, by *anchors*: four
bytes out of each form, chosen so that they begin with one of a few bytes which are rare in ordinary output. Where an anchor
stands the whole form is compared.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

MASK = b"***"
SHORTEST_FORM = 4
SHORTEST_PART = 8
"""Bytes of a form that was cut short by the end of the data, which are then hidden as well."""
_FEW = 6
"""With so few anchors, one search for each is faster than one for all."""
_COMMON = b" etaoinsrhld\ncum01fpgwybv2-./:3456789_,=\"'()<>[]EAkTSICONRLDPMU{}#*+x|&@!%$;?~BFGHVWYKj"
"""Bytes of ordinary output, the most frequent first; what is not among them is rare."""
_WEIGHTS = {byte: 1 + (len(_COMMON) - place) ** 2 for place, byte in enumerate(_COMMON)}

Span = tuple[int, int]


class Matcher:
    """Knows the forms, each at least ``SHORTEST_FORM`` bytes long."""

    def __init__(self, forms: Iterable[bytes] = ()) -> None:
        forms = sorted(set(forms))
        self._longest = max(map(len, forms), default=0)
        self._by_head: dict[bytes, list[bytes]] = {}
        self._by_anchor: dict[bytes, list[tuple[int, bytes]]] = {}
        firsts = _rare_bytes(forms)
        for form in forms:
            self._by_head.setdefault(form[:SHORTEST_FORM], []).append(form)
            offset = _anchor(form, firsts)
            anchor = form[offset : offset + SHORTEST_FORM]
            self._by_anchor.setdefault(anchor, []).append((offset, form))
        sizes = range(1, SHORTEST_FORM)
        self._beginnings = frozenset(head[:size] for head in self._by_head for size in sizes)
        anchors = list(self._by_anchor)
        self._pattern = re.compile(_any_of(anchors)) if len(anchors) > _FEW else None

    def __bool__(self) -> bool:
        return bool(self._by_head)

    def scan(self, data: bytes) -> tuple[list[Span], int]:
        """Where there is something to hide, in order and without overlaps; and from where on something may begin
        whose rest is yet to come, the length of ``data`` if nothing does.
        """
        spans: list[Span] = []
        for at in self._places(data):
            for offset, form in self._by_anchor[data[at : at + SHORTEST_FORM]]:
                if at >= offset and data.startswith(form, at - offset):
                    spans.append((at - offset, at - offset + len(form)))
        return merged(spans), self._unfinished(data)

    def mask(self, data: bytes) -> bytes:
        """All of some data, which ends here."""
        spans, cut = self.scan(data)
        if len(data) - cut >= SHORTEST_PART:
            spans = merged([*spans, (cut, len(data))])
        return replaced(data, spans) if spans else data

    def _places(self, data: bytes) -> Iterator[int]:
        if self._pattern is not None:
            found = self._pattern.search(data)
            while found is not None:
                yield found.start()
                found = self._pattern.search(data, found.start() + 1)
            return
        for anchor in self._by_anchor:
            at = data.find(anchor)
            while at >= 0:
                yield at
                at = data.find(anchor, at + 1)

    def _unfinished(self, data: bytes) -> int:
        """Where the longest end of the data starts with which a form begins."""
        size = len(data)
        for at in range(max(size - self._longest + 1, 0), size - SHORTEST_FORM + 1):
            for form in self._by_head.get(data[at : at + SHORTEST_FORM], ()):
                if at + len(form) > size and form.startswith(data[at:]):
                    return at
        for length in range(min(SHORTEST_FORM - 1, size), 0, -1):
            if data[size - length :] in self._beginnings:
                return size - length
        return size


class Stream:
    """Data that comes in pieces. What may be the beginning of something to hide is kept back until more comes."""

    __slots__ = ("_hidden", "_kept")

    def __init__(self) -> None:
        self._kept = b""
        self._hidden = 0  # bytes at the beginning of what is kept that belong to what was masked already

    def feed(self, data: bytes, matcher: Matcher) -> bytes:
        """As much of the data as can be told by now."""
        data = self._kept + data
        spans, cut = matcher.scan(data)
        return self._pass(data, spans, cut)

    def rest(self, matcher: Matcher) -> bytes:
        """What was kept back, when nothing more comes."""
        data = self._kept
        spans, cut = matcher.scan(data)
        if len(data) - cut >= SHORTEST_PART:
            spans.append((cut, len(data)))
        return self._pass(data, merged(spans), len(data))

    def _pass(self, data: bytes, spans: list[Span], cut: int) -> bytes:
        goes_on = self._hidden > 0
        if goes_on:
            spans = merged([(0, self._hidden), *spans])
        self._kept, self._hidden = data[cut:], 0
        told: list[Span] = []
        for start, end in spans:
            if start < cut:
                told.append((start, min(end, cut)))
            if start < cut or (goes_on and start == 0):
                self._hidden = max(end - cut, 0)
        out = replaced(data[:cut], told)
        return out[len(MASK) :] if goes_on and told else out


def replaced(data: bytes, spans: Iterable[Span]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end in spans:
        parts += [data[position:start], MASK]
        position = end
    return b"".join([*parts, data[position:]])


def merged(spans: list[Span]) -> list[Span]:
    """Of two that overlap one: hiding the first must not make the second unrecognisable."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start < whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


def _rare_bytes(forms: Iterable[bytes]) -> dict[int, int]:
    """Few bytes, and rare ones, of which each form has one: byte -> how common it is."""
    uncovered = [frozenset(form[: len(form) - SHORTEST_FORM + 1]) for form in forms]
    chosen: dict[int, int] = {}
    while uncovered:
        counts: dict[int, int] = {}
        for some in uncovered:
            for byte in some:
                counts[byte] = counts.get(byte, 0) + 1
        best = max(counts, key=lambda byte: counts[byte] / _WEIGHTS.get(byte, 1))
        chosen[best] = _WEIGHTS.get(best, 1)
        uncovered = [some for some in uncovered if best not in some]
    return chosen


def _anchor(form: bytes, firsts: dict[int, int]) -> int:
    """Where in a form its anchor is."""
    offsets: Sequence[int] = [
        place for place, byte in enumerate(form[: len(form) - SHORTEST_FORM + 1]) if byte in firsts
    ]
    return min(offsets, key=lambda place: firsts[form[place]])


def _any_of(words: Iterable[bytes]) -> bytes:
    """A pattern for words of one length that tries each first byte once."""
    by_first: dict[bytes, list[bytes]] = {}
    for word in words:
        if word:
            by_first.setdefault(word[:1], []).append(word[1:])
    branches = [re.escape(first) + _any_of(rests) for first, rests in by_first.items()]
    return b"(?:%b)" % b"|".join(branches) if len(branches) > 1 else b"".join(branches)
