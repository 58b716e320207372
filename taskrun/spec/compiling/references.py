"""Checks the expressions of a file: their syntax, the names they use, and where they may stand."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.compiling.problems import value_mark
from taskrun.spec.compiling.rewording import did_you_mean
from taskrun.spec.compiling.scopes import (
    ALL_ROOTS,
    IN_ARGUMENTS,
    KEYS_OF,
    RETRY_KEYS,
    ROOTS,
    SEALED_OFF,
    SELF_KEYS,
    WHY_NOT,
    WHY_SEALED,
    Scope,
)
from taskrun.spec.compiling.unit import Reference, Source, Unit
from taskrun.spec.diagnostics import nearest
from taskrun.spec.expressions import Expression, parse
from taskrun.spec.language.tokens import tokenize
from taskrun.spec.loader import source_mark
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.render import script_problems
from taskrun.spec.templates import split

# `{{ inputs.x }}` of Jinja and Go, `${inputs.x}` of shells.
_OTHER_BRACES = lazy(r"(?:(?<!\$)\{\{-?\s*|\$\{)(?P<name>(?:inputs|secrets|tasks|self)\.)", re.ASCII)
TEXT, SCRIPT, BARE = "text", "script", "bare"


# Scripts of generated files are often the same but for what their expressions give.
_problems = lru_cache(maxsize=4096)(script_problems)


class Wrong(NamedTuple):
    """What is wrong with a dotted name, and which part of it."""

    id: str
    message: str
    help: str | None = None
    part: int = 0
    is_warning: bool = False


def scan(unit: Unit, holder: Map | Seq, key: str | int, scope: Scope, mode: str = TEXT) -> None:
    """Check every expression in a value of the tree, however deep."""
    value = holder[key]  # type: ignore[index]
    if isinstance(value, str):
        if mode == BARE or "{" in value:
            scan_scalar(unit, value, value_mark(holder, key), scope, mode)
    elif isinstance(value, Map):
        for inner in value:
            scan(unit, value, inner, scope, mode)
    elif isinstance(value, Seq):
        for index in range(len(value)):
            scan(unit, value, index, scope, mode)


def bare(text: str) -> str:
    """The source of a field that is an expression by nature, its braces taken off."""
    stripped = text.strip()
    if stripped.startswith("${{") and stripped.endswith("}}") and stripped.count("${{") == 1:
        return stripped[3:-2].strip()
    return stripped


def scan_scalar(unit: Unit, text: str, mark: Mark, scope: Scope, mode: str) -> None:
    if mode == BARE:
        _scan_bare(unit, text, mark, scope)
        return
    _warn_of_braces(unit, text, mark)
    if "${{" not in text:
        return
    try:
        pieces = split(text)
    except ExpressionError as error:
        _syntax_error(unit, Source(text, mark, 0), error)
        return
    readable = True
    for piece in pieces:
        if piece.is_expression:
            readable &= _scan_source(unit, Source(text, mark, piece.offset), piece.text, scope)
    if mode == SCRIPT and readable:
        lengths = {piece.start: piece.end - piece.start for piece in pieces}
        for offset, problem in _problems(text):
            where = source_mark(unit.problems.text, mark, offset)
            message, _, help_ = problem.partition("; ")
            unit.problems.error("TR501", message, where, lengths.get(offset, len("${{")), help_ or None)


def _warn_of_braces(unit: Unit, text: str, mark: Mark) -> None:
    """Other tools' braces around one of our names are almost certainly meant as ours."""
    for slip in _OTHER_BRACES.finditer(text):
        where = source_mark(unit.problems.text, mark, slip.start())
        message = f"`{slip[0]}` begins no expression: this is plain text"
        help_ = f"write `${{{{ {slip['name']}NAME }}}}`"
        unit.problems.warning("TR404", message, where, len(slip[0]), help_)


def _scan_bare(unit: Unit, text: str, mark: Mark, scope: Scope) -> None:
    source = bare(text)
    if "${{" in source:
        help_ = "the whole field is one expression: join texts with `+`, and leave the braces out"
        where = source_mark(unit.problems.text, mark, text.find("${{"))
        message = f"{scope.where} takes an expression, not text with one in it"
        unit.problems.error("TR402", message, where, 3, help_)
        return
    _scan_source(unit, Source(text, mark, max(text.find(source), 0)), source, scope)


def _scan_source(unit: Unit, at: Source, source: str, scope: Scope) -> bool:
    """Check one expression; False if it cannot be read at all."""
    try:
        expression = parse(source)
    except ExpressionError as error:
        _syntax_error(unit, at, error)
        return False
    if expression.references:
        _check_names(unit, expression, at, scope)
    return True


def _syntax_error(unit: Unit, at: Source, error: ExpressionError) -> None:
    where = source_mark(unit.problems.text, at.mark, at.offset + (error.offset or 0)) if at.text else at.mark
    unit.problems.error("TR401", error.message, where, 1, error.hint)


def _check_names(unit: Unit, expression: Expression, at: Source, scope: Scope) -> None:
    roots = ROOTS[scope.place]
    for names, offset, length in expression.references:
        root = names[0]
        if root in scope.items:
            continue
        if root == "tasks" and root in roots and len(names) > 1 and not scope.sealed:
            unit.references.append(Reference(scope, names, at, offset, length))
            continue
        found = _wrong_name(unit, names, roots, scope)
        if found is not None:
            report(unit, Reference(scope, names, at, offset, length), found)


def _wrong_name(unit: Unit, names: tuple[str, ...], roots: frozenset[str], scope: Scope) -> Wrong | None:
    root = names[0]
    if root not in roots or (scope.sealed and root in SEALED_OFF):
        return _unknown_root(root, roots, scope)
    if root == "secrets" and scope.in_arguments:
        return Wrong("TR317", "a secret cannot be an argument of a program", IN_ARGUMENTS)
    if root == "tasks":
        return Wrong("TR313", "`tasks` needs the name of a task, as in `tasks.build.outputs.id`")
    return _check_rest(unit, names, scope)


def _unknown_root(root: str, roots: frozenset[str], scope: Scope) -> Wrong:
    if root in ALL_ROOTS:
        id_ = "TR312" if root == "secrets" else "TR303"
        if scope.sealed and root in SEALED_OFF:
            return Wrong(id_, f"`{root}` cannot be used in a reusable action", WHY_SEALED)
        return Wrong(id_, f"`{root}` cannot be used in {scope.where}", WHY_NOT.get(root))
    candidates = sorted(roots | scope.items)
    guess = nearest(root, candidates)
    listed = "the names here: " + ", ".join(f"`{c}`" for c in candidates)
    return Wrong("TR302", f"there is no name `{root}`", f"did you mean `{guess}`?" if guess else listed)


def _check_rest(unit: Unit, names: tuple[str, ...], scope: Scope) -> Wrong | None:
    """The part of a name behind its root."""
    root = names[0]
    if root in ("retry", "retries"):
        return _check_retry(names, scope)
    if len(names) == 1:
        return None
    if root == "self":
        return _check_self(names, scope)
    if root in ("inputs", "secrets"):
        return _check_declared(unit, names)
    known = KEYS_OF.get(root)
    if known is not None and names[1] not in known:
        return Wrong("TR308", f"`{root}` has no `{names[1]}`", did_you_mean(names[1], known), 1)
    return None


def _check_declared(unit: Unit, names: tuple[str, ...]) -> Wrong | None:
    root, name = names[:2]
    known = unit.inputs if root == "inputs" else unit.secrets
    if name in known or unit.lost(unit.tree, root) or unit.lost(unit.tree.get(root, unit.tree), name):
        return None
    help_ = did_you_mean(name, known) or f"declare it under `{root}:`"
    return Wrong("TR304" if root == "inputs" else "TR305", f"there is no {root[:-1]} `{name}`", help_, 1)


def _check_self(names: tuple[str, ...], scope: Scope) -> Wrong | None:
    part = names[1]
    if part not in SELF_KEYS:
        return Wrong("TR308", f"`self` has no `{part}`", did_you_mean(part, SELF_KEYS), 1)
    if part in ("outputs", "state") and scope.place != "revert":
        return Wrong("TR303", f"`self.{part}` is known in `revert` only", part=1)
    known = scope.inputs if part == "inputs" else scope.outputs
    if part not in ("inputs", "outputs") or len(names) < 3 or names[2] in known:
        return None
    if part == "outputs" and may_give(scope.gives_more, names[2], known):
        return None
    help_ = did_you_mean(names[2], known) or f"declare it under `{part}:` of the task"
    return Wrong("TR307", f"this task has no {part[:-1]} `{names[2]}`", help_, 2)


def may_give(task: Mapping[str, Any] | None, name: str, declared: Collection[str]) -> bool:
    """Whether an output may come through $TASKRUN_OUTPUT. One that is nearly a declared one is a slip instead."""
    return task is not None and (nearest(name, declared) is None or "TASKRUN_OUTPUT" in str(task))


def _check_retry(names: tuple[str, ...], scope: Scope) -> Wrong | None:
    root, part = names[0], 1
    if not scope.controllers:
        message = f"`{root}` cannot be used here: no flow around has a `retry:`"
        return Wrong("TR309", message, WHY_NOT[root])
    if root == "retries" and len(names) > 1:
        flows, part = [name for name, _ in scope.controllers], 2
        if names[1] not in flows:
            message = f"no flow around with a `retry:` is called `{names[1]}`"
            return Wrong("TR309", message, did_you_mean(names[1], flows), 1)
    if len(names) > part and names[part] not in RETRY_KEYS:
        message = f"`{'.'.join(names[:part])}` has no `{names[part]}`"
        return Wrong("TR308", message, did_you_mean(names[part], RETRY_KEYS), part)
    if len(names) > part and names[part] == "value" and not _has_values(names, scope):
        message = "this is always null: the controller counts attempts and has no values"
        help_ = "give its `retry` a `for_each`, or use `attempt`"
        return Wrong("TR316", message, help_, part, is_warning=True)
    return None


def _has_values(names: tuple[str, ...], scope: Scope) -> bool:
    """Whether the controller that is meant, the nearest unless named, has a ``for_each``."""
    controllers = dict(scope.controllers)
    return controllers[names[1]] if names[0] == "retries" else scope.controllers[-1][1]


def report(unit: Unit, reference: Reference, found: Wrong) -> None:
    """A problem with a name, at the part of it that is wrong."""
    offset, length = _part(reference, found.part)
    at = reference.at
    mark = source_mark(unit.problems.text, at.mark, at.offset + offset)
    tell = unit.problems.warning if found.is_warning else unit.problems.error
    tell(found.id, found.message, mark, length, found.help)


def _part(reference: Reference, part: int) -> tuple[int, int]:
    """Where one part of a dotted name stands in its expression, and how long it is."""
    start = reference.at.offset + reference.offset
    tokens = tokenize(reference.at.text[start : start + reference.length])
    parts = [token for token in tokens if token.kind in ("name", "string")]
    if part >= len(parts):
        return reference.offset, reference.length
    return reference.offset + parts[part].offset, len(parts[part].text)
