"""How entries become text: JSON in the journal, and the public event that scripts read."""

import json.encoder
import time
import zlib
from collections.abc import Callable
from json import JSONDecodeError, JSONDecoder, JSONEncoder
from typing import Any

from taskrun.errors import JournalCorruptError
from taskrun.journal.base import Entry


def _encoder() -> Callable[[Any], str]:
    """What ``JSONEncoder.encode`` makes anew for every value, made once: a quarter of the time."""
    plain = JSONEncoder(ensure_ascii=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    chunks = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0))


encode = _encoder()
"""Compact JSON. Text that is not valid Unicode stays as it is: see ``encode_any``."""

_ascii = JSONEncoder(separators=(",", ":")).encode
_parse = JSONDecoder().decode

COMPRESS_ABOVE = 4096
TRANSITIONS = frozenset({"flow", "task", "retry"})


def encode_any(value: Any) -> str:
    """Compact JSON that UTF-8 can hold: a file name's stray bytes (lone surrogates) become escapes."""
    text = encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _ascii(value)
    return text


def decode(text: str) -> Any:
    try:
        return _parse(text)
    except JSONDecodeError as error:
        raise JournalCorruptError(f"a value in the journal is not valid JSON any more: {error}") from error


def pack(document: bytes) -> bytes:
    """A definition for keeping: JSON, deflated when it is large. A JSON object never starts with ``x``."""
    return zlib.compress(document, 1) if len(document) > COMPRESS_ABOVE else document


def unpack(stored: bytes) -> bytes:
    try:
        return zlib.decompress(stored) if stored[:1] == b"x" else stored
    except zlib.error as error:
        raise JournalCorruptError(f"a definition in the journal cannot be read any more: {error}") from error


def timestamp(seconds: float) -> str:
    """ISO 8601, UTC, with microseconds and Z. Rounded as the journal does: what was shown live is what is kept."""
    whole, micro = divmod(int(seconds * 1e6 + 0.5), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{micro:06d}Z"


def event_dict(run_id: str, entry: Entry) -> dict[str, Any]:
    """The public JSON event of an entry.

    Transitions always have ``outputs`` and ``failure`` (null when there is none); the other kinds have a
    state and an attempt only where they mean something. What else the entry carries follows.
    """
    data = entry.data or {}
    event: dict[str, Any] = {
        "v": 1,
        "seq": entry.seq,
        "time": timestamp(entry.time),
        "run": run_id,
        "kind": entry.kind,
        "name": entry.name,
    }
    if entry.kind in TRANSITIONS:
        event |= {"old_state": entry.old_state, "state": entry.state, "attempt": entry.attempt}
        event |= {"outputs": data.get("outputs") or {}, "failure": data.get("failure")}
    else:
        if entry.state is not None:
            event |= {"old_state": entry.old_state, "state": entry.state}
        if entry.attempt:
            event["attempt"] = entry.attempt
    for key, value in data.items():
        event.setdefault(key, value)
    return event
