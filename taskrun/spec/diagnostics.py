"""What is wrong with a workflow file and where: one record per mistake, and the error that carries them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from taskrun.errors import WorkflowError
from taskrun.spec.excerpt import harmless, render_excerpt
from taskrun.spec.spelling import nearest

__all__ = [
    "Diagnostic",
    "InvalidWorkflowError",
    "has_errors",
    "in_order",
    "nearest",
    "render_plain",
]


class Diagnostic(NamedTuple):
    """One mistake. ``line`` and ``column`` count from 1; line 0 means the file as a whole.

    ``length`` is how many characters of the line are meant.
    """

    id: str
    severity: str  # "error" or "warning"
    message: str
    path: str
    line: int
    column: int
    help: str | None = None
    length: int = 1

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()

    def place(self) -> str:
        """``file:line:column``, or the file alone."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class InvalidWorkflowError(WorkflowError):
    """Carries all diagnostics of the files, in order, and the ``sources`` they point into by path."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
        ordered = in_order(diagnostics)
        errors = [diagnostic for diagnostic in ordered if diagnostic.severity == "error"] or ordered
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(harmless(f"{errors[0].place()}: {errors[0].message}") + more, ordered)
        self.sources = dict(sources)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file and position, each only once."""
    return sorted(set(diagnostics), key=lambda found: (found.path, found.line, found.column, found.id))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def unpainted(_part: str, text: str) -> str:
    return text


def render_plain(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str],
    paint: Callable[[str, str], str] = unpainted,
) -> str:
    """The diagnostics as text for people, with the lines they point at; safe to print on any terminal.

    ``sources`` is the text of the files by path; a diagnostic of a file that is not there gets no excerpt. ``paint`` is told a
    part (``error``, ``warning``, ``message``, ``gutter``, ``help``) and its text, and may put colours around it.
    """
    lines_of = {path: text.split("\n") for path, text in sources.items()}
    return "\n\n".join(_render(found, lines_of.get(found.path, []), paint) for found in diagnostics)


def _render(found: Diagnostic, lines: list[str], paint: Callable[[str, str], str]) -> str:
    level = f"{found.severity}[{found.id}]"
    message = paint("message", harmless(found.message))
    shown = [f"{harmless(found.place())}: {paint(found.severity, level)} {message}"]
    gutter = " " * len(str(found.line))
    bar = paint("gutter", f"{gutter} |")
    if 1 <= found.line <= len(lines):
        source, carets = render_excerpt(lines[found.line - 1].rstrip("\r"), found.column, found.length)
        shown += [bar, f"{paint('gutter', f'{found.line} |')} {source}".rstrip()]
        room = len(carets) - len(carets.lstrip())
        shown.append(f"{bar} {carets[:room]}{paint(found.severity, carets[room:])}")
    if found.help:
        first, *rest = found.help.split("\n")
        shown.append(f"{gutter} {paint('help', '= help:')} {harmless(first)}")
        shown += [f"{gutter}         {harmless(line)}" for line in rest]
    return "\n".join(shown)
