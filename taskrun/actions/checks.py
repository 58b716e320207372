"""Checks of single values: what a validator calls, and what turns a loaded scalar into what it means.

Scalars arrive as the loader left them: text is a ``str``, ``true``/``false``/``null`` are themselves, and a number is
a ``str`` as typed that knows its ``value``. So a text field takes ``1.10`` as it stands, and a number field can tell
``5`` from ``"5"``. A field that takes an expression keeps its source; what it gives is known only at run time.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from taskrun.actions.durations import DurationError, parse_duration
from taskrun.actions.validators import PydanticCustomError
from taskrun.regex import lazy

# The shapes a value can have, as a validator's error names them; no key of a workflow can look like this.
TEXT, MAP, ITEMS = "<text>", "<map>", "<items>"

_OCTAL = lazy(r"(?:0o)?[0-7]{3,4}", re.ASCII)
_D, _N, _B, _R = "taskrun_duration", "taskrun_number", "taskrun_flag", "taskrun_range"
_DURATION_HELP = "write it as `500ms`, `30s`, `5m` or `1h30m`"
_STATUS = lazy(r"[1-5](?:xx|\d\d)", re.ASCII)


def wrong(message: str, help_: str | None = None, kind: str = "taskrun") -> PydanticCustomError:
    """A finding in taskrun's own words; ``help`` travels in the context."""
    return PydanticCustomError(kind, "{text}", {"text": message, "help": help_})


def number_of(raw: Any) -> Any:
    """The number behind a plain scalar; anything else as it is."""
    return getattr(raw, "value", raw)


def is_template(raw: Any) -> bool:
    return isinstance(raw, str) and "${{" in raw


def describe(raw: Any) -> str:
    """A value as its author would call it."""
    if raw is None:
        return "nothing (`null`)"
    if isinstance(raw, bool):
        return f"`{str(raw).lower()}`"
    if isinstance(raw, str):
        shown = str(raw) if len(raw) <= 40 else raw[:37] + "..."
        return f"`{shown}`" if hasattr(raw, "value") else f'the text "{shown}"'
    return "a list" if isinstance(raw, list) else "a map" if isinstance(raw, dict) else f"`{raw}`"


def resolve(raw: Any) -> Any:
    """A loaded value as plain JSON: maps, lists, and scalars with the type YAML 1.2 gives them."""
    if isinstance(raw, dict):
        return {str(key): resolve(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [resolve(item) for item in raw]
    if isinstance(raw, str):
        value = number_of(raw)
        if isinstance(value, float) and not isfinite(value):
            raise wrong(f"{describe(raw)} is no JSON value", "put it in quotes")
        return str(raw) if value is raw else value
    return raw


def duration(raw: Any) -> float:
    if not isinstance(raw, str):
        raise wrong(f"a duration is needed, not {describe(raw)}", _DURATION_HELP, _D)
    if is_template(raw):
        raise wrong("an expression cannot be used here: this duration is fixed before a run", kind=_D)
    try:
        return parse_duration(raw)
    except DurationError as error:
        raise wrong(error.message, error.help, _D) from None


def duration_or_template(raw: Any) -> float | str:
    return str(raw) if is_template(raw) else duration(raw)


def whole(raw: Any) -> int:
    value = number_of(raw)
    if type(value) is int:
        return value
    if is_template(raw):
        raise wrong("an expression cannot be used here: this number is fixed before a run", kind=_N)
    quoted = isinstance(raw, str) and value is raw and raw.strip().lstrip("+-").isdigit()
    raise wrong(f"a whole number is needed, not {describe(raw)}", "remove the quotes" if quoted else None, _N)


def number(raw: Any) -> float | int:
    value = number_of(raw)
    if type(value) in (int, float) and isfinite(value):
        return value  # type: ignore[no-any-return]
    raise wrong(f"a number is needed, not {describe(raw)}", kind=_N)


def flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    known = isinstance(raw, str) and raw.lower() in ("true", "false", "yes", "no", "on", "off")
    better = "true" if str(raw).lower() in ("true", "yes", "on") else "false"
    raise wrong(
        f"`true` or `false` is needed, not {describe(raw)}", f"write `{better}`" if known else None, _B
    )


def flag_or_template(raw: Any) -> bool | str:
    return str(raw) if is_template(raw) else flag(raw)


def whole_or_template(raw: Any) -> int | str:
    return str(raw) if is_template(raw) else whole(raw)


def condition(raw: Any) -> Any:
    # `if: true` and `outputs: {n: 5}` are read as what they look like.
    return str(raw).lower() if isinstance(raw, bool) else raw


def flag_or_text(raw: Any) -> bool | str:
    if isinstance(raw, str) and number_of(raw) is raw:
        return raw
    return flag(raw)


def flag_or_count(raw: Any) -> bool | int | str:
    if isinstance(number_of(raw), int) and not isinstance(raw, bool) and number_of(raw) >= 0:
        return whole(raw)
    return flag_or_template(raw)


def mode(raw: Any) -> str:
    if is_template(raw):
        return str(raw)
    if isinstance(raw, str) and _OCTAL.fullmatch(raw):
        return raw.removeprefix("0o")
    raise wrong(f"{describe(raw)} is not a file mode", 'write it in octal, as `"0644"`')


def expect_exit(raw: Any) -> int | str:
    value = whole_or_template(raw)
    if isinstance(value, int) and not 0 <= value <= 255:
        raise wrong(f"an exit code is 0 to 255, not {value}")
    return value


def expect_status(raw: Any) -> int | str:
    if isinstance(raw, str) and (is_template(raw) or _STATUS.fullmatch(raw)):
        return str(raw) if is_template(raw) or raw.endswith("x") else int(raw)
    raise wrong(
        f"an HTTP status is needed, not {describe(raw)}", "write it as `201`, or `2xx` for all of a kind"
    )


def exit_codes(raw: Any) -> list[Any]:
    return _listed(raw, expect_exit)


def statuses(raw: Any) -> list[Any]:
    return _listed(raw, expect_status)


def _listed(raw: Any, item: Callable[[Any], Any]) -> list[Any]:
    """A list, of which a single value is the short form."""
    if not isinstance(raw, list):
        return [item(raw)]
    if not raw:
        raise wrong("an empty list lets nothing pass")
    return [item(value) for value in raw]


def positive(raw: Any) -> int:
    value = whole(raw)
    if value < 1:
        raise wrong(f"must be at least 1, not {value}", kind=_R)
    return value


def factor(raw: Any) -> float | int:
    value = number(raw)
    if value < 1:
        raise wrong(f"must be at least 1, not {value}", kind=_R)
    return value


def shape(raw: Any) -> str:
    return MAP if isinstance(raw, dict) else ITEMS if isinstance(raw, list) else TEXT


# By name, so that a validator can be stored without its functions.
CHECKS: dict[str, Callable[[Any], Any]] = {
    check.__name__: check
    for check in (
        resolve,
        duration,
        duration_or_template,
        whole,
        number,
        positive,
        factor,
        flag,
        flag_or_text,
        flag_or_count,
        condition,
        mode,
        exit_codes,
        statuses,
        shape,
    )
}
