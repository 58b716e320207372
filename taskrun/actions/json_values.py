"""JSON as the outside world writes it, read into values that the journal can hold."""

from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value, or None when the text is not JSON: also for NaN, infinities and absurd depth.

    Halves of surrogate pairs, which JSON allows and UTF-8 does not, become U+FFFD.
    """
    import json  # noqa: PLC0415 - many runs never look at a result

    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return _whole(value) if ("\\u" if isinstance(text, str) else b"\\u") in text else value  # type: ignore[operator]


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
