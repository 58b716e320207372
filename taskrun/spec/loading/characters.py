"""From bytes to text: UTF-8 only, and no character that hides, reorders or cannot be seen."""

import codecs

from taskrun.regex import lazy
from taskrun.spec.loading.findings import WHOLE_FILE, Findings
from taskrun.spec.marks import Mark

WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WIDE_LETTERS = lazy(rb"[^\0]\0{3}|\0{3}[^\0]|(?:[^\0]\0){2}|(?:\0[^\0]){2}")
HARMLESS_ASCII = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F)])
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
REFUSED = lazy(f"[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u2028\u2029\ufeff\ufffe\uffff{BIDI}]|\r(?!\n)")
REORDERS = lazy(f"[{BIDI}]")
STAND_IN = "\N{REPLACEMENT CHARACTER}"
NAMES = {
    "\0": "NUL character",
    "\r": "carriage return that ends no line",
    "\x85": "line separator",
    "\u2028": "line separator",
    "\u2029": "line separator",
    "\ufeff": "byte order mark in the middle of the file",
    "\x1b": "escape character",
}


def decode(data: bytes, findings: Findings) -> str:
    """The text without a byte order mark at its start; ends the loading if it is not UTF-8."""
    if data.startswith(WIDE_MARKS) or WIDE_LETTERS.match(data):
        findings.fatal(
            "TR106", "the file is UTF-16 or UTF-32, not UTF-8", WHOLE_FILE, "save the file as UTF-8"
        )
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        findings.text = body.decode(errors="replace")
        before = body[: error.start].decode()
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        wrong = body[error.start : error.end].hex(" ")
        findings.fatal("TR105", f"these bytes are not UTF-8: {wrong}", mark, "save the file as UTF-8")


def refuse_unseen(data: bytes, text: str, findings: Findings) -> str:
    """The text with a stand-in for each refused character, so that the rest can still be read."""
    if (
        data.isascii()
        and not data.translate(None, HARMLESS_ASCII)
        and data.count(b"\r") == data.count(b"\r\n")
    ):
        return text  # the common case, at the speed of memory
    line, line_start, seen = 1, 0, 0
    for match in REFUSED.finditer(text):
        at = match.start()
        line += text.count("\n", seen, at)
        line_start = max(line_start, text.rfind("\n", seen, at) + 1)
        seen = at
        _refuse(match[0], Mark(line, at - line_start + 1), findings)
    return REFUSED.sub(STAND_IN, text) if findings.errors else text


def _refuse(char: str, mark: Mark, findings: Findings) -> None:
    code = f"U+{ord(char):04X}"
    escape = f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
    if REORDERS.match(char):
        message = f"bidirectional control character ({code}): the text reads differently from what is run"
        findings.error("TR108", message, mark, f'remove it, or write "{escape}" in double quotes')
    elif char == "\r":
        findings.error("TR107", f"{NAMES[char]} ({code})", mark, "save the file with LF or CRLF line ends")
    else:
        name = NAMES.get(char, "control character")
        findings.error(
            "TR107",
            f"{name} ({code})",
            mark,
            "remove it" if char in "\0\ufeff" else f'remove it, or write "{escape}" in double quotes',
        )
