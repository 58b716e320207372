"""Shell scripts with ``${{ }}``: every expression becomes a reference to a variable, so no value is ever code.

Outside quotes the reference brings its own, so that a value is one word; in double quotes and here-documents it needs none; in
arithmetic, which would evaluate a text once more, only whole numbers pass. Where the shell expands nothing there is a problem to report. ``$${{``
gives the characters ``${{`` themselves, for use in single quotes. The shell may be any that knows POSIX quoting.
"""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from taskrun.errors import ExpressionError
from taskrun.regex import lazy
from taskrun.spec.expressions import Expression, has_expression, parse
from taskrun.spec.shell.uses import MARK, Findings, TooDeepError, Use
from taskrun.spec.templates import Piece, split
from taskrun.spec.values import a_kind, text

PREFIX = "TASKRUN_V"
MAX_IN_ENVIRONMENT = 100 * 1024
"""Bytes of one value; Linux refuses variables of 128 KiB."""
MAX_TOGETHER = 512 * 1024
"""Bytes of all values of a script; Linux refuses an environment and arguments of 2 MiB."""

_WHOLE_NUMBER = lazy(r"-?(0|[1-9][0-9]{0,17})")


class Script(NamedTuple):
    """``numeric`` names the variables that stand in arithmetic, ``uses`` where the sources of expressions begin."""

    text: str
    variables: tuple[tuple[str, Expression], ...]
    numeric: frozenset[str] = frozenset()
    uses: tuple[tuple[int, Expression], ...] = ()


@lru_cache(maxsize=1024)
def script(source: str) -> Script:
    """Rewrite a script; raises ExpressionError, with an offset into the script, for its first problem."""
    if not has_expression(source):
        return Script(source, ())
    rewritten, problems = _rewrite(source)
    if rewritten is None:
        offset, message = min(problems)
        raise ExpressionError(message, offset=offset)
    return rewritten


def script_problems(source: str) -> list[tuple[int, str]]:
    """What is wrong with the expressions of a script, and where: offset and message, in order."""
    return sorted(_rewrite(source)[1]) if has_expression(source) else []


def _rewrite(source: str) -> tuple[Script | None, list[tuple[int, str]]]:
    try:
        pieces = split(source)
        uses = _uses(source, pieces)
    except ExpressionError as error:
        return None, [(error.offset or 0, _worded(error))]
    writer = _Writer()
    marked = iter(uses)
    for piece in pieces:
        writer.write(piece, None if piece.kind == "text" else next(marked))
    return (None if writer.problems else writer.script()), writer.problems


def _worded(error: ExpressionError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _uses(source: str, pieces: list[Piece]) -> list[Use]:
    from taskrun.spec.shell.scanner import Scanner  # noqa: PLC0415 - scripts without expressions need none

    if MARK in source:
        raise ExpressionError("a script cannot hold the character NUL", offset=source.index(MARK))
    marks = [piece for piece in pieces if piece.kind != "text"]
    findings = Findings(
        escapes=frozenset(number for number, piece in enumerate(marks) if piece.kind == "escape"),
        shielded=frozenset(number for number, piece in enumerate(marks) if _is_shielded(piece)),
    )
    try:
        Scanner(
            "".join(piece.text if piece.kind == "text" else MARK for piece in pieces), 0, findings
        ).script()
    except TooDeepError:
        raise ExpressionError("the script is nested too deeply", offset=marks[0].start) from None
    return [findings.uses[number] for number in range(len(marks))]


def _is_shielded(piece: Piece) -> bool:
    """Does the expression give the value of ``quote()``, made to be read by one more shell?"""
    if not piece.text.startswith("quote"):
        return False
    try:
        node = parse(piece.text).node
    except ExpressionError:
        return False  # reported where the expression itself is read
    return type(node).__name__ == "Call" and node.name == "quote"


class _Writer:
    """Puts the rewritten script together."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self._parts: list[str] = []
        self._names: dict[str, str] = {}
        self._expressions: list[tuple[int, Expression]] = []
        self._numeric: set[str] = set()

    def write(self, piece: Piece, use: Use | None) -> None:
        if use is None:
            self._parts.append(piece.text)
        elif use.problem is not None:
            self.problems.append((piece.start, use.problem))
        elif piece.kind == "escape":
            self._parts.append(piece.text)
        elif use.mode == "comment":
            self._parts.append("${{ " + " ".join(piece.text.split()) + " }}")
        else:
            self._reference(piece, use)

    def _reference(self, piece: Piece, use: Use) -> None:
        try:
            expression = parse(piece.text)
        except ExpressionError as error:
            self.problems.append((piece.offset + (error.offset or 0), _worded(error)))
            return
        self._expressions.append((piece.offset, expression))
        name = self._names.setdefault(piece.text, f"{PREFIX}{len(self._names) + 1}")
        if use.numeric:
            self._numeric.add(name)
        self._parts.append(f'"${{{name}}}"' if use.mode == "word" else f"${{{name}}}")

    def script(self) -> Script:
        return Script(
            "".join(self._parts),
            tuple((name, parse(source)) for source, name in self._names.items()),
            frozenset(self._numeric),
            tuple(self._expressions),
        )


def render_script(
    source: str, scope: Mapping[str, Any], spill_dir: str, hide: Callable[[str], str] | None = None
) -> tuple[str, dict[str, str]]:
    """The script to run and the variables it needs in its environment.

    A value too long for the environment goes to a file of its own in ``spill_dir``, which only the owner can read; the script
    reads it into a variable that it does not export, and removes the file. No secret goes that way: ``hide`` masks them.
    """
    rewritten = script(source)
    environment: dict[str, str] = {}
    preamble: list[str] = []
    total = 0
    for name, expression in rewritten.variables:
        value, size = _shell_text(expression, scope, numeric=name in rewritten.numeric)
        total += size
        if size <= MAX_IN_ENVIRONMENT and total <= MAX_TOGETHER:
            environment[name] = value
            continue
        total -= size
        if hide is not None and hide(value) != value:
            raise ExpressionError(
                f"the value of {expression.source} is too long for the environment, and a secret is in it",
                hint="give the secret by an expression of its own",
            )
        environment[f"{name}_FILE"] = _spill(value, f"{spill_dir}/{name}-{os.urandom(8).hex()}")
        preamble.append(_READ_BACK.format(name=name))
    return "".join(preamble) + rewritten.text, environment


# `unset` first: a variable that came in from outside would stay exported. The dot keeps newlines at the end from
# being cut off; no encoding has it as the second byte of a character. One line, so that line numbers stay.
_READ_BACK = (
    'unset {name}; {name}=$(cat "${{{name}_FILE}}" && printf .) || exit 1; {name}=${{{name}%.}}; '
    'rm -f "${{{name}_FILE}}"; unset {name}_FILE; '
)


def _shell_text(expression: Expression, scope: Mapping[str, Any], *, numeric: bool) -> tuple[str, int]:
    value = expression.evaluate(scope)
    shown = text(value)
    if "\0" in shown:
        raise ExpressionError(
            f"the value of {expression.source} holds the character NUL, which no shell can take"
        )
    if numeric and (isinstance(value, bool) or not _WHOLE_NUMBER.fullmatch(shown)):
        what = a_kind(value) if not isinstance(value, str) else "a string that is none"
        raise ExpressionError(
            f"the value of {expression.source} stands in arithmetic: a whole number, not {what}"
        )
    try:
        return shown, len(os.fsencode(shown))
    except UnicodeEncodeError as error:
        raise ExpressionError(f"the value of {expression.source} holds half a character") from error


def _spill(value: str, path: str) -> str:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.fsencode(value))
    return path
