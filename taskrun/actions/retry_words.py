"""Which failures a ``retry: {on: [...]}`` means: its words, matched against the ``failure`` of an event.

connection      no connection, or it broke           timeout     a time limit of the attempt ran out
5xx, 4xx, ...   the class of an HTTP status          503         exactly this HTTP status
exit 75         exactly this exit code               75          the same; a failure has one or the other
ConnectionError any other word: the failure's type
"""

from collections.abc import Mapping, Sequence
from typing import Any

CONNECTION = frozenset(
    ("ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "ConnectionAbortedError")
)
TIMEOUT = frozenset(("Timeout", "TimeoutError"))


def matches(failure: Mapping[str, Any], words: Sequence[str | int]) -> bool:
    """Whether one of ``words`` means this failure. No words at all mean every failure."""
    return not words or any(_means(str(word).strip(), failure) for word in words)


def _means(word: str, failure: Mapping[str, Any]) -> bool:
    type_, status, exit_code = failure.get("type"), failure.get("status"), failure.get("exit_code")
    if word == "connection":
        return type_ in CONNECTION
    if word == "timeout":
        return type_ in TIMEOUT
    if len(word) == 3 and word[0].isdecimal() and word[1:].lower() == "xx":
        return isinstance(status, int) and status // 100 == int(word[0])
    if word.isdecimal():
        return int(word) in (status, exit_code)
    if word.startswith("exit "):
        code = word.removeprefix("exit ").strip()
        return code.isdecimal() and int(code) == exit_code
    return word == type_
