r"""Text from tasks, files and peers made safe to show: no byte of it can steer the terminal or hide what it says.

Only `\n`, `\t` and, where asked for, colour sequences from a whitelist pass. Everything else that is not a visible character is
shown instead of sent: C0 as its picture (`␛`), C1, bidirectional controls and zero-width characters as `<U+202E>`, bytes that
are not UTF-8 as `\x9b`. Only the variation selectors after an emoji are dropped, as they say nothing.
"""

_RESET = "\x1b[0m"
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: "␡"}
_CARETS = {code: f"^{chr(code ^ 0x40)}" for code in (*range(0x20), 0x7F) if code not in (0x09, 0x0A)}
_SELECTORS = (0xFE0E, 0xFE0F)
# Printable to Python, yet nothing or only a gap is seen: joiners, fillers, variation selectors.
_UNSEEN = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0}
    | set(range(0xFE00, 0xFE0E))
    | set(range(0xE0100, 0xE01F0))
)
_SPACES = frozenset(map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)))
# Not here: 5 and 6 (blinking), 8 (conceal) and the fonts.
_COLOURS = frozenset(
    {0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49}
    | set(range(30, 38))
    | set(range(40, 48))
    | set(range(90, 98))
    | set(range(100, 108))
)
_LONGEST_SEQUENCE = 64


def clean(data: str | bytes, *, colours: str = "show", ascii_only: bool = False) -> str:
    """`data` as text that is safe on a terminal.

    `colours` says what becomes of whitelisted colour sequences: `show` them like any other control, `keep` them (each line then ends
    without colour) or `drop` them. `ascii_only` is for terminals that do not speak UTF-8.
    """
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    if not (text.isascii() and text.isprintable()):
        text = text.replace("\r\n", "\n")
        text = (
            _visible(text, ascii_only)
            if colours == "show"
            else _coloured(text, colours == "keep", ascii_only)
        )
    return text


def one_line(data: str | bytes, *, colours: str = "drop", ascii_only: bool = False) -> str:
    """The same for a cell or a sentence: line ends and tabs become single spaces."""
    text = clean(data, colours=colours, ascii_only=ascii_only)
    if "\n" in text or "\t" in text:
        text = " ".join(part for part in text.replace("\t", " ").split("\n") if part.strip())
    return text


def _visible(text: str, ascii_only: bool) -> str:
    text = text.translate(_CARETS if ascii_only else _PICTURES)
    if text.isascii():
        return text
    if ascii_only:
        return "".join([c if c.isascii() else "" if ord(c) in _SELECTORS else _code(c) for c in text])
    if text.isprintable() and _UNSEEN.isdisjoint(map(ord, text)) and not _has_selector(text):
        return text
    return "".join([_shown(character) for character in text])


def _has_selector(text: str) -> bool:
    return "\ufe0f" in text or "\ufe0e" in text


def _shown(character: str) -> str:
    code = ord(character)
    if code in _SELECTORS:
        return ""
    seen = character.isprintable() and code not in _UNSEEN
    return character if seen or character in _SPACES or character in "\n\t" else _code(character)


def _code(character: str) -> str:
    return f"<U+{ord(character):04X}>"


def _coloured(text: str, keep: bool, ascii_only: bool) -> str:
    """Between the whitelisted sequences everything is made visible."""
    parts: list[str] = []
    lit = False
    position = 0
    while True:
        start = text.find("\x1b[", position)
        if start < 0:
            parts.append(_ended(text[position:], lit, ascii_only))
            break
        parts.append(_visible_lines(text[position:start], lit, ascii_only))
        lit = lit and "\n" not in text[position:start]
        sequence = _colour_at(text, start)
        if sequence:
            position = start + len(sequence)
            if keep:
                parts.append(sequence)
                lit = True
        else:
            parts.append(_visible("\x1b", ascii_only))
            position = start + 1
    return "".join(parts)


def _ended(text: str, lit: bool, ascii_only: bool) -> str:
    shown = _visible_lines(text, lit, ascii_only)
    return shown + _RESET if lit and "\n" not in text else shown


def _visible_lines(text: str, lit: bool, ascii_only: bool) -> str:
    """Visible text; an open colour is closed where the line ends."""
    shown = _visible(text, ascii_only)
    return shown.replace("\n", _RESET + "\n", 1) if lit else shown


def _colour_at(text: str, start: int) -> str | None:
    """The colour sequence that starts here, if it is a whole one and on the whitelist."""
    end = text.find("m", start, start + _LONGEST_SEQUENCE)
    if end < 0:
        return None
    body = text[start + 2 : end]
    if not body.isascii() or any(character not in "0123456789;" for character in body):
        return None
    codes = [int(code or "0") for code in body.split(";")]
    return text[start : end + 1] if _whitelisted(codes) else None


def _whitelisted(codes: list[int]) -> bool:
    """`38;5;N` and `38;2;R;G;B` (48 for the background) stand for one colour each."""
    position = 0
    while position < len(codes):
        code = codes[position]
        if code in (38, 48):
            mode = codes[position + 1] if position + 1 < len(codes) else None
            values = {5: 1, 2: 3}.get(mode or 0)
            given = codes[position + 2 : position + 2 + (values or 0)]
            if values is None or len(given) != values or any(value > 255 for value in given):
                return False
            position += 2 + values
        elif code in _COLOURS:
            position += 1
        else:
            return False
    return True
