"""The types that fields of workflows and actions are made of.

Scalars arrive as the loader left them: text is a ``str``, ``true``/``false``/``null`` are themselves, and a number is
a ``str`` as typed that knows its ``value``. So a text field takes ``1.10`` as it stands, and a number field can tell
``5`` from ``"5"``. A field that takes an expression keeps its source; what it gives is known only at run time.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from taskrun.actions.durations import DurationError, parse_duration

_OCTAL = re.compile(r"(?:0o)?[0-7]{3,4}", re.ASCII)
_D, _N, _B = "taskrun_duration", "taskrun_number", "taskrun_flag"
_DURATION_HELP = "write it as `500ms`, `30s`, `5m` or `1h30m`"
_STATUS = re.compile(r"[1-5](?:xx|\d\d)", re.ASCII)


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


def _duration(raw: Any) -> float:
    if not isinstance(raw, str):
        raise wrong(f"a duration is needed, not {describe(raw)}", _DURATION_HELP, _D)
    if is_template(raw):
        raise wrong("an expression cannot be used here: this duration is fixed before a run", kind=_D)
    try:
        return parse_duration(raw)
    except DurationError as error:
        raise wrong(error.message, error.help, _D) from None


def _duration_or_template(raw: Any) -> float | str:
    return str(raw) if is_template(raw) else _duration(raw)


def _whole(raw: Any) -> int:
    value = number_of(raw)
    if type(value) is int:
        return value
    if is_template(raw):
        raise wrong("an expression cannot be used here: this number is fixed before a run", kind=_N)
    quoted = isinstance(raw, str) and value is raw and raw.strip().lstrip("+-").isdigit()
    raise wrong(f"a whole number is needed, not {describe(raw)}", "remove the quotes" if quoted else None, _N)


def _number(raw: Any) -> float | int:
    value = number_of(raw)
    if type(value) in (int, float) and isfinite(value):
        return value  # type: ignore[no-any-return]
    raise wrong(f"a number is needed, not {describe(raw)}", kind=_N)


def _flag(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    known = isinstance(raw, str) and raw.lower() in ("true", "false", "yes", "no", "on", "off")
    better = "true" if str(raw).lower() in ("true", "yes", "on") else "false"
    raise wrong(
        f"`true` or `false` is needed, not {describe(raw)}", f"write `{better}`" if known else None, _B
    )


def _flag_or_template(raw: Any) -> bool | str:
    return str(raw) if is_template(raw) else _flag(raw)


def _whole_or_template(raw: Any) -> int | str:
    return str(raw) if is_template(raw) else _whole(raw)


def _condition(raw: Any) -> Any:
    # `if: true` and `outputs: {n: 5}` are read as what they look like.
    return str(raw).lower() if isinstance(raw, bool) else raw


def _flag_or_text(raw: Any) -> bool | str:
    if isinstance(raw, str) and number_of(raw) is raw:
        return raw
    return _flag(raw)


def _flag_or_count(raw: Any) -> bool | int | str:
    if isinstance(number_of(raw), int) and not isinstance(raw, bool) and number_of(raw) >= 0:
        return _whole(raw)
    return _flag_or_template(raw)


def _mode(raw: Any) -> str:
    if is_template(raw):
        return str(raw)
    if isinstance(raw, str) and _OCTAL.fullmatch(raw):
        return raw.removeprefix("0o")
    raise wrong(f"{describe(raw)} is not a file mode", 'write it in octal, as `"0644"`')


def _expect_exit(raw: Any) -> int | str:
    value = _whole_or_template(raw)
    if isinstance(value, int) and not 0 <= value <= 255:
        raise wrong(f"an exit code is 0 to 255, not {value}")
    return value


def _expect_status(raw: Any) -> int | str:
    if isinstance(raw, str) and (is_template(raw) or _STATUS.fullmatch(raw)):
        return str(raw) if is_template(raw) or raw.endswith("x") else int(raw)
    raise wrong(
        f"an HTTP status is needed, not {describe(raw)}", "write it as `201`, or `2xx` for all of a kind"
    )


def one_or_list(item: Callable[[Any], Any]) -> Callable[[Any], list[Any] | str]:
    """A list, of which a single value is the short form. One expression may give the whole list."""

    def check(raw: Any) -> list[Any] | str:
        if isinstance(raw, list):
            if not raw:
                raise wrong("an empty list lets nothing pass")
            return [item(value) for value in raw]
        return [item(raw)]

    return check


def _check_list(check: Callable[[Any], Any], kind: str, **items: Any) -> Any:
    schema = {"anyOf": [items, {"type": "array", "items": items, "minItems": 1}]}
    return Annotated[Any, PlainValidator(one_or_list(check)), WithJsonSchema(schema), Field(title=kind)]


_TEMPLATE = {"type": "string", "pattern": r"\$\{\{"}
_DURATION_SCHEMA = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}

Duration = Annotated[float, PlainValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
DurationOrTemplate = Annotated[
    float | str,
    PlainValidator(_duration_or_template),
    WithJsonSchema({"anyOf": [_DURATION_SCHEMA, _TEMPLATE]}),
]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
WholeOrTemplate = Annotated[
    int | str, PlainValidator(_whole_or_template), WithJsonSchema({"anyOf": [{"type": "integer"}, _TEMPLATE]})
]
Number = Annotated[float | int, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
FlagOrTemplate = Annotated[
    bool | str, PlainValidator(_flag_or_template), WithJsonSchema({"anyOf": [{"type": "boolean"}, _TEMPLATE]})
]
FlagOrText = Annotated[
    bool | str, PlainValidator(_flag_or_text), WithJsonSchema({"type": ["boolean", "string"]})
]
FlagOrCount = Annotated[
    bool | int | str,
    PlainValidator(_flag_or_count),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0}, _TEMPLATE]}),
]
Json = Annotated[Any, PlainValidator(resolve), WithJsonSchema({})]
Condition = Annotated[str, BeforeValidator(_condition, json_schema_input_type=str | bool | int | float)]
Mode = Annotated[
    str, PlainValidator(_mode), WithJsonSchema({"type": "string", "pattern": r"^(0o)?[0-7]{3,4}$|\$\{\{"})
]
ExitCodes = _check_list(_expect_exit, "exit codes", type="integer", minimum=0, maximum=255)
Statuses = _check_list(_expect_status, "statuses", type=["integer", "string"])
