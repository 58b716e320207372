"""A value in a YAML file, found by the marks of PyYAML's own nodes, and replaced where it stands."""

import re
from typing import Any

from taskrun.actions.editing.keys import Keys, index_of, shown
from taskrun.actions.editing.lines import ending_of
from taskrun.errors import ActionError

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+-]+)*", re.ASCII)
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n", ".inf", ".nan"))


def load(text: str) -> Any:
    """The document; a value with a tag of its own is a pair of tag and value."""
    import yaml  # noqa: PLC0415 - only for tasks that edit YAML

    class Loader(yaml.SafeLoader):
        pass

    def tagged(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return (suffix, loader.construct_mapping(node, deep=True))
        if isinstance(node, yaml.SequenceNode):
            return (suffix, loader.construct_sequence(node, deep=True))
        return (suffix, loader.construct_scalar(node))

    Loader.add_multi_constructor("!", tagged)
    try:
        document = yaml.load(text.removeprefix("\ufeff"), Loader=Loader)  # noqa: S506 - made from the safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ActionError("InvalidFile", f"it is not YAML that can be edited: {error}") from error
    return {} if document is None else document


def put(text: str, keys: Keys, value: Any) -> str:
    import yaml  # noqa: PLC0415 - only for tasks that edit YAML

    bom = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    editor = _Editor(text, keys, value)
    return bom + (editor.begin() if root is None else editor.put(root))


class _Editor:
    def __init__(self, text: str, keys: Keys, value: Any) -> None:
        self._text = text
        self._keys = keys
        self._value = value
        self._ending = ending_of(text)

    def begin(self) -> str:
        """In a text without a document: perhaps comments, perhaps a line of ``---``."""
        text = self._text
        if text and not text.endswith("\n"):
            text += self._ending
        return text + "".join(f"{line}{self._ending}" for line in self._block(self._keys, ""))

    def put(self, node: Any) -> str:
        """Go down from the root for as long as the keys are there."""
        around = -1
        for depth, key in enumerate(self._keys):
            rest = self._keys[depth:]
            if node.id == "mapping":
                pair = next(
                    (p for p in reversed(node.value) if p[0].id == "scalar" and p[0].value == key), None
                )
                if pair is None:
                    return self._insert(node, rest)
                around, node = pair[0].end_mark.index, pair[1]
            elif node.id == "sequence":
                around, node = node.start_mark.index, node.value[index_of(node.value, rest)]
            elif node.value in ("", "~", "null") and node.style is None:
                return self._replace(node, self._flow(_wrapped(rest, self._value)))
            else:
                raise self._cannot(f"{key!r} would go into a value that is no map")
            if node.start_mark.index < around:
                raise self._cannot("it stands for another place in the file (an alias)")
        return self._replace(node, self._dump(node))

    def _cannot(self, why: str) -> ActionError:
        return ActionError(
            "CannotEdit", f"set: {shown(self._keys)} cannot be set and keep the rest of the file: {why}"
        )

    # ------------------------------------------------------------------ a value that is there

    def _replace(self, node: Any, new: str) -> str:
        start, end = node.start_mark.index, node.end_mark.index
        if node.id != "scalar" and not node.flow_style:
            raise self._cannot("what is there is a list or map over several lines; set its parts")
        if node.id == "scalar" and node.style in ("|", ">"):
            new += self._ending
        elif start == end and self._text[start - 1 : start] not in (" ", "\n", ""):
            new = f" {new}"
        return self._text[:start] + new + self._text[end:]

    def _dump(self, node: Any) -> str:
        value = self._value
        if isinstance(value, str) and node.id == "scalar" and node.style == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        if isinstance(value, str) and node.id == "scalar" and node.style == '"':
            return self._flow(value)
        return self._scalar(value)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        if isinstance(value, float):
            text = repr(value)
            return text if "." in text or "e" not in text else text.replace("e", ".0e")
        return self._flow(value)

    @staticmethod
    def _flow(value: Any) -> str:
        from json import dumps  # noqa: PLC0415 - JSON is YAML on one line

        text = dumps(value, ensure_ascii=False)
        return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)

    # ------------------------------------------------------------------ a value that is not there

    def _insert(self, mapping: Any, rest: Keys) -> str:
        if mapping.flow_style:
            at = mapping.end_mark.index - 1
            pair = f"{self._key(rest[0])}: {self._flow(_wrapped(rest[1:], self._value))}"
            before = self._text[:at].rstrip()
            gap = "" if before.endswith("{") else " " if before.endswith(",") else ", "
            return before + gap + pair + self._text[len(before) :]
        indent = " " * mapping.value[0][0].start_mark.column
        at = _end_of(mapping)
        if self._text[at - 1 : at] != "\n":
            at = self._text.find("\n", at) + 1 or len(self._text)
        before = self._text[:at]
        if not before.endswith("\n"):
            before += self._ending
        lines = "".join(f"{line}{self._ending}" for line in self._block(rest, indent))
        return before + lines + self._text[at:]

    def _block(self, keys: Keys, indent: str) -> list[str]:
        """Nested maps, a line each."""
        lines = []
        for key in keys[:-1]:
            lines.append(f"{indent}{self._key(key)}:")
            indent += "  "
        return [*lines, f"{indent}{self._key(keys[-1])}: {self._scalar(self._value)}"]

    def _key(self, key: str) -> str:
        return self._scalar(key)


def _end_of(node: Any) -> int:
    """Where the last thing in a node ends; a block's own mark is only where the next thing begins."""
    while node.id != "scalar" and not node.flow_style and node.value:
        last = node.value[-1]
        following = last[1] if isinstance(last, tuple) else last
        if isinstance(last, tuple) and following.end_mark.index < last[0].end_mark.index:
            following = last[0]  # an alias: what it stands for is elsewhere
        node = following
    return int(node.end_mark.index)


def _wrapped(keys: Keys, value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value
