"""The types that fields of workflows and actions are made of: a check, and what editors are told of it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from taskrun.actions import checks

_TEMPLATE = {"type": "string", "pattern": r"\$\{\{"}
_DURATION = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}
_EXIT_CODE = {"type": "integer", "minimum": 0, "maximum": 255}
_STATUS = {"type": ["integer", "string"]}
_MODE = {"type": "string", "pattern": r"^(0o)?[0-7]{3,4}$|\$\{\{"}


def _one_or_list(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


Duration = Annotated[float, PlainValidator(checks.duration), WithJsonSchema(_DURATION)]
DurationOrTemplate = Annotated[
    float | str,
    PlainValidator(checks.duration_or_template),
    WithJsonSchema({"anyOf": [_DURATION, _TEMPLATE]}),
]
Whole = Annotated[int, PlainValidator(checks.whole), WithJsonSchema({"type": "integer"})]
Positive = Annotated[int, PlainValidator(checks.positive), WithJsonSchema({"type": "integer", "minimum": 1})]
Number = Annotated[float | int, PlainValidator(checks.number), WithJsonSchema({"type": "number"})]
Factor = Annotated[
    float | int, PlainValidator(checks.factor), WithJsonSchema({"type": "number", "minimum": 1})
]
Flag = Annotated[bool, PlainValidator(checks.flag), WithJsonSchema({"type": "boolean"})]
FlagOrText = Annotated[
    bool | str, PlainValidator(checks.flag_or_text), WithJsonSchema({"type": ["boolean", "string"]})
]
FlagOrCount = Annotated[
    bool | int | str,
    PlainValidator(checks.flag_or_count),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 0}, _TEMPLATE]}),
]
Json = Annotated[Any, PlainValidator(checks.resolve), WithJsonSchema({})]
Condition = Annotated[str, BeforeValidator(checks.condition, json_schema_input_type=str | bool | int | float)]
Mode = Annotated[str, PlainValidator(checks.mode), WithJsonSchema(_MODE)]
ExitCodes = Annotated[list[Any], PlainValidator(checks.exit_codes), _one_or_list(_EXIT_CODE)]
Statuses = Annotated[list[Any], PlainValidator(checks.statuses), _one_or_list(_STATUS)]
