"""A variable in a ``.env`` file."""

import re
from typing import Any

from taskrun.actions.editing.keys import Keys, shown
from taskrun.actions.editing.lines import append, ending_of
from taskrun.errors import ActionError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]*", re.ASCII)
_VALUE = r"""(?:'(?:\\'|[^'])*'|"(?:\\.|[^"\\])*"|[^\r\n]*?)"""


def load(text: str) -> Any:
    from io import StringIO  # noqa: PLC0415 - only for tasks that edit such a file

    from dotenv import dotenv_values  # noqa: PLC0415 - only for tasks that edit such a file

    return dict(dotenv_values(stream=StringIO(text), interpolate=False))


def put(text: str, keys: Keys, value: Any) -> str:
    name = ".".join(keys)
    if not _NAME.fullmatch(name):
        raise ActionError("InvalidField", f"set: {shown(keys)!r} cannot be the name of a variable")
    pattern = re.compile(
        rf"^([ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*)(?:=([ \t]*){_VALUE})?(?=[ \t]*(?:[ \t]#[^\r\n]*)?\r?$)",
        re.MULTILINE | re.DOTALL,
    )
    found = list(pattern.finditer(text))
    if not found:
        return append(text, f"{name}={_quoted(name, value)}", ending_of(text))
    last = found[-1]
    return f"{text[: last.start()]}{last[1]}={last[2] or ''}{_quoted(name, value)}{text[last.end() :]}"


def _quoted(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise ActionError("InvalidField", f"set: {name}: a variable holds text, not a list or a map")
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if _BARE.fullmatch(text):
        return text
    if "'" not in text and "\\" not in text:
        return f"'{text}'"
    if "$" in text or "`" in text:
        message = "a value with a dollar or backtick beside an apostrophe or backslash"
        raise ActionError(
            "InvalidField", f"set: {name}: {message} cannot be written for every reader of such files"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
