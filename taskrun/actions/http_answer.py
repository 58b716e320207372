"""The answer to a request: its body, read within limits, and the values an expression sees."""

import zlib
from codecs import lookup
from collections.abc import Iterator
from http.client import responses
from typing import Any

import requests

from taskrun.actions.json_values import parse_json
from taskrun.actions.lazy_values import LazyValues
from taskrun.errors import ActionError

BODY_LIMIT = 64 * 1024 * 1024  # bytes, unpacked
_CHUNK = 64 * 1024
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
# Python has codecs that no server means, some of them slow enough to be an attack.
_NO_CHARSETS = frozenset(("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined"))


class AnswerValues(LazyValues):
    """The name ``result``: ``status headers json text``."""

    LAZY = ("json", "text")

    def __init__(self, answer: requests.Response) -> None:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        super().__init__(status=answer.status_code, headers=headers)
        self._body = answer.content

    def make(self, key: str) -> Any:
        if key == "json":
            return parse_json(self["text"])
        return decode(self._body, self["headers"].get("content-type", ""))


def status_text(status: int) -> str:
    """In the standard's words, not in the server's."""
    return f"{status} {responses[status]}" if status in responses else str(status)


def decode(body: bytes, content_type: str) -> str:
    """In the charset of the Content-Type where there is one, in UTF-8 else; never an error."""
    try:
        codec = lookup(_charset(content_type) or "utf-8").name
        if codec in _NO_CHARSETS or codec == "utf-8":
            codec = "utf-8-sig"
        return body.decode(codec, "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8-sig", "replace")


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")
    return ""


def read_body(answer: requests.Response) -> bytes:
    """All of it, unpacked. Raises TooLarge as soon as it is, however small it was when packed."""
    encodings = [word.strip().lower() for word in answer.headers.get("Content-Encoding", "").split(",")]
    encodings = [word for word in encodings if word not in ("", "identity")]
    if len(encodings) > 1 or not all(word in _WINDOWS for word in encodings):
        raise ActionError("ProtocolError", f"the answer is packed as {', '.join(encodings)!r}, unasked")
    pieces = _wire(answer)
    if encodings:
        pieces = _unpacked(pieces, _WINDOWS[encodings[0]])
    body, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > BODY_LIMIT:
            raise ActionError("TooLarge", f"the body of the answer is larger than {BODY_LIMIT // 2**20} MiB")
        body.append(piece)
    return b"".join(body)


def _wire(answer: requests.Response) -> Iterator[bytes]:
    while chunk := answer.raw.read(_CHUNK, decode_content=False):
        yield chunk


def _unpacked(pieces: Iterator[bytes], window: int) -> Iterator[bytes]:
    """Never more than a chunk at a time: a gzip bomb gives its thousandfold only as fast as we take it."""
    unpacker, started, packed = zlib.decompressobj(window), False, 0
    for piece in pieces:
        packed += len(piece)
        if packed > BODY_LIMIT:
            raise ActionError("TooLarge", f"the packed body is larger than {BODY_LIMIT // 2**20} MiB")
        data = piece
        while data:
            if unpacker.eof:
                unpacker = zlib.decompressobj(window)  # a gzip file may be several, one after the other
            try:
                output = unpacker.decompress(data, _CHUNK)
            except zlib.error as error:
                if window != 15 or started:
                    raise ActionError("ProtocolError", f"the body cannot be unpacked: {error}") from error
                window = -15  # some servers send "deflate" without the header that belongs to it
                unpacker = zlib.decompressobj(window)
                continue
            started = True
            data = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            yield output
    if started and not unpacker.eof:
        yield unpacker.flush()
        if not unpacker.eof:
            raise ActionError("ConnectionError", "the body of the answer breaks off")
