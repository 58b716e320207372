"""Lines, and behind the end of each attempt what it has printed, in a section that can be folded."""

import re
from collections.abc import Callable, Iterable, Sequence
from time import time
from typing import Protocol

from taskrun.engine.view import View
from taskrun.listeners.base import Entry
from taskrun.listeners.ci.commands import command, harmless, stopped
from taskrun.listeners.lines import Lines
from taskrun.listeners.sanitize import clean, one_line
from taskrun.listeners.tail import Hide, last_lines

LONGEST = 2_000  # lines of one section; `taskrun logs` has all
_WINDOW = 512 * 1024
_DONE = ("SUCCESS", "FAILURE", "UNKNOWN")
_UNDONE = ("REVERTED", "REVERT_FAILURE")


class Folding(Protocol):
    def section(self, title: str, text: str) -> str:
        """What shows ``text``, folded, below ``title``."""

    def line(self, text: str) -> str:
        """Text of ours, which may quote others."""

    def masks(self, values: Iterable[str]) -> str:
        """What keeps values out of the log of all that follows."""


class GitHub:
    def section(self, title: str, text: str) -> str:
        return f"{command('group', title)}{stopped(text)}{command('endgroup')}"

    def line(self, text: str) -> str:
        return harmless(text)

    def masks(self, values: Iterable[str]) -> str:
        """The runner masks line by line, and does not show these lines."""
        lines = {line.strip() for value in values for line in value.splitlines()}
        return "".join(command("add-mask", line) for line in sorted(lines) if line)


class GitLab:
    """Its sections are marked by control characters, which no text of a task still has when it comes here."""

    def __init__(self) -> None:
        self._number = 0

    def section(self, title: str, text: str) -> str:
        self._number += 1
        name = f"taskrun_{self._number}_{re.sub(r'[^A-Za-z0-9_.-]+', '_', title.partition(':')[0])}"
        now = int(time())
        begin = f"\x1b[0Ksection_start:{now}:{name}[collapsed=true]\r\x1b[0K{title}\n"
        return f"{begin}{text}\x1b[0Ksection_end:{now}:{name}\r\x1b[0K\n"

    def line(self, text: str) -> str:
        return text

    def masks(self, values: Iterable[str]) -> str:  # noqa: ARG002 - it has no such command
        """Variables are masked by its settings; taskrun masks what it prints itself."""
        return ""


class Sections(Lines):
    """``out_dir`` has the output of attempts; ``secret_values()`` those that are known by now and may be told to the runner."""

    def __init__(
        self,
        fd: int,
        view: View,
        folding: Folding,
        out_dir: str,
        *,
        hide: Hide,
        secret_values: Callable[[], Sequence[str]],
        ascii_only: bool = False,
    ) -> None:
        super().__init__(fd, view, ascii_only=ascii_only)
        self._folding = folding
        self._out_dir = out_dir
        self._hide = hide
        self._secret_values = secret_values
        self._masked = 0
        self._mask()

    def entries(self, entries: Sequence[Entry]) -> None:
        self._mask()
        for entry in entries:
            super().entries([entry])
            if entry.kind == "task" and (entry.state in _DONE or entry.state in _UNDONE):
                self._show_output(entry)

    def _write(self, text: str) -> None:
        self._outlet.write(self._folding.line(text))

    def _mask(self) -> None:
        values = self._secret_values()
        if len(values) > self._masked:
            self._outlet.write(self._folding.masks(values[self._masked :]))
            self._masked = len(values)

    def _show_output(self, entry: Entry) -> None:
        undoing = entry.state in _UNDONE
        lines: list[bytes] = []
        for part in ("revert.",) if undoing else ("check.", "", "verify."):
            for suffix in ("out", "err"):
                path = f"{self._out_dir}/{entry.name}.{part}{entry.attempt}.{suffix}"
                lines += last_lines(path, LONGEST, window=_WINDOW, hide=self._hide)
        if not lines:
            return
        shown = [clean(line.expandtabs(4), colours="keep", ascii_only=self._ascii_only) for line in lines]
        nth = f", attempt {entry.attempt}" if entry.attempt > 1 else ""
        about = "undo of " if undoing else ""
        title = f"{about}{one_line(entry.name, ascii_only=self._ascii_only)}{nth}: {entry.state}"
        self._outlet.write(self._folding.section(title, "".join(f"{line}\n" for line in shown)))
