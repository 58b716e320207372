"""Puts other names into expressions, so that what was written in one place can run in another.

A reusable action's ``inputs.x`` becomes ``self.inputs.x``; the tasks of an included file get its prefix. The result is
source again: a run knows nothing of where it came from.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.actions.kinds import TRAITS
from taskrun.errors import ExpressionError
from taskrun.spec.language.tokens import Token, string_value, tokenize
from taskrun.spec.templates import split

# Given a root and the name behind it (None when there is none, or it is computed), the source to put in their place.
Replace = Callable[[str, str | None], str | None]

_BARE = ("if", "done_if")
_TEXTS = ("fields", "env", "cwd", "shell", "lock", "inputs", "paths", "reason")
_CALLS = ("check", "verify", "probe", "revert")


def rewrite_source(source: str, replace: Replace) -> str:
    """An expression with its names replaced; one that cannot be read stays as it is."""
    try:
        tokens = tokenize(source)
    except ExpressionError:
        return source
    out: list[str] = []
    done = at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "name" and not (at and tokens[at - 1].text == "."):
            name, last = _name_behind(tokens, at)
            new = replace(token.text, name)
            if new is not None:
                out += [source[done : token.offset], new]
                done = tokens[last].offset + len(tokens[last].text)
                at = last
        at += 1
    return "".join([*out, source[done:]])


def _name_behind(tokens: list[Token], at: int) -> tuple[str | None, int]:
    """``.name`` or ``["name"]`` behind a token, and the last token of it."""
    rest = tokens[at + 1 : at + 4]
    if len(rest) > 1 and rest[0].text == "." and rest[1].kind == "name":
        return rest[1].text, at + 2
    if len(rest) > 2 and rest[0].text == "[" and rest[1].kind == "string" and rest[2].text == "]":
        return string_value(rest[1]), at + 3
    return None, at


def rewrite_text(text: str, replace: Replace) -> str:
    if "${{" not in text:
        return text
    try:
        pieces = split(text)
    except ExpressionError:
        return text
    return "".join(
        "${{ " + rewrite_source(piece.text, replace) + " }}"
        if piece.is_expression
        else text[piece.start : piece.end]
        for piece in pieces
    )


def rewrite_value(value: Any, replace: Replace) -> Any:
    if isinstance(value, str):
        return rewrite_text(value, replace)
    if isinstance(value, dict):
        return {key: rewrite_value(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite_value(item, replace) for item in value]
    return value


def rewrite_task(task: Mapping[str, Any], replace: Replace) -> dict[str, Any]:
    """A task, a flow or an action call of a definition, all of its expressions rewritten."""
    out = dict(task)
    for key in _BARE:
        if key in out:
            out[key] = rewrite_source(out[key], replace)
    for key in _TEXTS:
        if key in out:
            out[key] = rewrite_value(out[key], replace)
    if "outputs" in out:
        out["outputs"] = {name: rewrite_source(source, replace) for name, source in out["outputs"].items()}
    if "for_each" in out:
        out["for_each"] = _rewrite_list(out["for_each"], replace)
    if "for_each" in out.get("retry", ()):
        out["retry"] = {**out["retry"], "for_each": _rewrite_list(out["retry"]["for_each"], replace)}
    for key in _CALLS:
        if key in out:
            out[key] = rewrite_task(out[key], replace)
    _rewrite_bare_fields(task, out, replace)
    return out


def _rewrite_list(value: Any, replace: Replace) -> Any:
    return rewrite_source(value, replace) if isinstance(value, str) else rewrite_value(value, replace)


def _rewrite_bare_fields(task: Mapping[str, Any], out: dict[str, Any], replace: Replace) -> None:
    model = TRAITS.get(task.get("kind", ""))
    for name in model.expressions if model else ():
        if isinstance(task["fields"].get(name), str):
            out["fields"][name] = rewrite_source(task["fields"][name], replace)


def as_source(value: Any) -> str:
    """A value with expressions in it as one expression."""
    if isinstance(value, str) and "${{" in value:
        parts = [
            piece.text if piece.is_expression else json.dumps(piece.text, ensure_ascii=False)
            for piece in split(value)
        ]
        if len(parts) == 1:
            return f"({parts[0]})"
        return "(" + " + ".join(f"str({part})" for part in parts) + ")"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}: {as_source(item)}" for key, item in value.items())
        return "({" + ", ".join(pairs) + "})"
    if isinstance(value, list):
        return "[" + ", ".join(as_source(item) for item in value) + "]"
    source = json.dumps(value, ensure_ascii=False)
    return f"({source})" if source[0] == "-" else source
