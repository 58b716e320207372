"""A value in an INI file: ``key = value`` in ``[section]``. The first keys of a file may be in no section."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from taskrun.actions.editing.keys import Keys, shown
from taskrun.actions.editing.lines import append, ending_of, split
from taskrun.errors import ActionError

_HEADER = re.compile(r"\s*\[(?P<name>[^\]]*)\]\s*(?:[;#].*)?$")
# The value ends before a blank and ; or #: what follows is taken for a comment, and kept.
_ENTRY = re.compile(
    r"(?P<key>[^\s=:#;\[][^=:]*?)(?P<sign>[ \t]*[=:][ \t]*)(?P<value>.*?)(?P<rest>[ \t]+[;#].*|[ \t]*)$"
)


class _Entry(NamedTuple):
    section: str
    key: str
    first: int
    last: int  # a value may go on in indented lines


def load(text: str) -> Any:
    """Section -> key -> value; the keys of no section under the empty name."""
    lines = _bare(text)
    found: dict[str, dict[str, str]] = {name: {} for name, _ in _headers(lines)}
    for entry in _entries(lines):
        match = _ENTRY.match(lines[entry.first])
        assert match is not None
        more = [lines[n].strip() for n in range(entry.first + 1, entry.last + 1)]
        found.setdefault(entry.section, {})[entry.key] = "\n".join([match["value"], *more])
    return found


def put(text: str, keys: Keys, value: Any) -> str:
    lines = split(text)
    bare = _bare(text)
    section, key = section_and_key(load(text), keys)
    written = _text(keys, value)
    same = [e for e in _entries(bare) if e.section == section]
    entry = next((e for e in reversed(same) if e.key == key), None)
    if entry is None:
        entry = next((e for e in reversed(same) if e.key.lower() == key.lower()), None)
    if entry is not None:
        match = _ENTRY.match(bare[entry.first])
        assert match is not None
        end = lines[entry.first][len(bare[entry.first]) :]
        sign = match["sign"] if written or not match["value"] else match["sign"].rstrip()
        if written and not match["value"] and not sign[-1:].isspace() and sign[:1].isspace():
            sign += " "
        lines[entry.first : entry.last + 1] = [f"{match['key']}{sign}{written}{match['rest']}{end}"]
        return "".join(lines)
    return _insert(text, lines, bare, same, section, f"{key}{_sign(bare, same)}{written}")


def section_and_key(document: dict[str, Any], keys: Keys) -> tuple[str, str]:
    """Where a section has dots in its name, the longest that is there is meant; else the last dot parts them."""
    for cut in range(len(keys) - 1, 0, -1):
        if ".".join(keys[:cut]) in document:
            return ".".join(keys[:cut]), ".".join(keys[cut:])
    return ".".join(keys[:-1]), keys[-1]


def expected(document: dict[str, Any], keys: Keys, value: Any) -> dict[str, Any]:
    """What the file is to hold afterwards."""
    section, key = section_and_key(document, keys)
    inside = dict(document.get(section, {}))
    if key not in inside:
        key = next((k for k in reversed(inside) if k.lower() == key.lower()), key)
    inside[key] = _text(keys, value)
    return {**document, section: inside}


def _bare(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in split(text)]


def _headers(lines: Sequence[str]) -> list[tuple[str, int]]:
    return [(match["name"].strip(), n) for n, line in enumerate(lines) if (match := _HEADER.match(line))]


def _entries(lines: Sequence[str]) -> list[_Entry]:
    entries: list[_Entry] = []
    section, is_open = "", False
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header:
            section, is_open = header["name"].strip(), False
        elif not line.strip() or line.lstrip()[0] in ";#":
            is_open = False
        elif line[0] in " \t" and is_open:
            entries[-1] = entries[-1]._replace(last=number)
        elif match := _ENTRY.match(line):
            entries.append(_Entry(section, match["key"].rstrip(), number, number))
            is_open = True
    return entries


def _sign(lines: Sequence[str], same: Sequence[_Entry]) -> str:
    """How the section, or else the file, writes ``=``."""
    for entries in (same, _entries(lines)):
        for entry in reversed(entries):
            match = _ENTRY.match(lines[entry.first])
            if match is not None and match["value"]:
                return match["sign"]
    return " = "


def _insert(
    text: str, lines: list[str], bare: Sequence[str], same: Sequence[_Entry], section: str, line: str
) -> str:
    ending = ending_of(text)
    header = next((n for name, n in reversed(_headers(bare)) if name == section), None)
    if same:
        at = same[-1].last + 1
    elif header is not None:
        at = header + 1
    elif not section:
        at = 0
    else:
        gap = ending if text.strip() and not text.endswith(f"{ending}{ending}") else ""
        return append(
            text if text.endswith("\n") or not text else text + ending,
            f"{gap}[{section}]{ending}{line}",
            ending,
        )
    if at == len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += ending
    return "".join([*lines[:at], f"{line}{ending}", *lines[at:]])


def _text(keys: Keys, value: Any) -> str:
    if isinstance(value, dict | list):
        raise ActionError("InvalidField", f"set: {shown(keys)}: an INI file holds text, not a list or a map")
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if "\n" in text or "\r" in text:
        raise ActionError("InvalidField", f"set: {shown(keys)}: a value with a line break cannot be written")
    if text != text.strip() or re.search(r"(?:^|\s)[;#]", text):
        message = "blanks at an end, or a ; or # behind a blank, would be read as something else"
        raise ActionError("InvalidField", f"set: {shown(keys)}: {message}")
    return text
