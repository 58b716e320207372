"""Collects the mistakes found while one file is loaded, and ends the loading when it cannot go on."""

from typing import NoReturn

from taskrun.spec.diagnostics import Diagnostic, InvalidWorkflowError
from taskrun.spec.marks import Mark

MOST = 100  # errors, and as many warnings
WHOLE_FILE = Mark(0, 0)


class Findings:
    """The mistakes of the file ``path``; ``text`` is what their positions point into."""

    def __init__(self, path: str, text: str = "") -> None:
        self.path = path
        self.text = text
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The lines of the text, split when first asked for: a file without mistakes never is."""
        if self._lines is None:
            self._lines = [line.rstrip("\r") for line in self.text.split("\n")]
        return self._lines

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def error(self, id_: str, message: str, mark: Mark, help_: str | None = None, length: int = 1) -> None:
        self.errors.append(Diagnostic(id_, "error", message, self.path, *mark, help_, max(length, 1)))
        if len(self.errors) == MOST:
            self.fatal("TR149", f"{MOST} mistakes: the rest of the file was not read", mark)

    def warning(self, id_: str, message: str, mark: Mark, help_: str | None = None, length: int = 1) -> None:
        if len(self.warnings) < MOST:
            self.warnings.append(Diagnostic(id_, "warning", message, self.path, *mark, help_, max(length, 1)))
        elif len(self.warnings) == MOST:
            message = f"{MOST} warnings: the rest is not shown"
            self.warnings.append(Diagnostic("TR149", "warning", message, self.path, *mark))

    def fatal(
        self, id_: str, message: str, mark: Mark, help_: str | None = None, length: int = 1
    ) -> NoReturn:
        """Record a mistake behind which nothing can be read."""
        self.errors.append(Diagnostic(id_, "error", message, self.path, *mark, help_, max(length, 1)))
        raise self.as_error()

    def as_error(self) -> InvalidWorkflowError:
        return InvalidWorkflowError(self.errors + self.warnings, {self.path: self.text})
