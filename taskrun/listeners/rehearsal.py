"""The results of a rehearsal: one line for each case, and JUnit's XML for CI."""

from collections.abc import Sequence
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

from taskrun.listeners.cells import fit
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import COLOURS, FAINT, Style
from taskrun.listeners.words import counted, duration

_SHOWN = 10  # differences of a case; JUnit has all


class ResultLike(Protocol):
    @property
    def case(self) -> Any: ...
    @property
    def seconds(self) -> float: ...
    @property
    def differences(self) -> Sequence[str]: ...
    @property
    def problem(self) -> str: ...
    @property
    def skipped(self) -> str: ...
    @property
    def stays(self) -> Sequence[str]: ...
    @property
    def is_good(self) -> bool: ...


def result_lines(result: ResultLike, style: Style, width: int, columns: int) -> list[str]:
    """``width`` is that of the longest title."""
    title = one_line(result.case.title, ascii_only=not style.unicode).ljust(width)
    took = duration(result.seconds)
    if result.skipped and result.is_good:
        word, sgr = f"{style.symbol('IGNORE')} not played: {result.skipped}", FAINT
    elif result.is_good:
        but = f", but for {', '.join(result.stays)}: irreversible" if result.stays else ""
        word, sgr = f"{style.symbol('SUCCESS')} as before{but}", COLOURS["SUCCESS"]
    else:
        word = "NOT as before" if result.differences else "failed"
        word, sgr = f"{style.symbol('FAILURE')} {word}", COLOURS["FAILURE"]
    shown = one_line(word, ascii_only=not style.unicode)
    room = columns - 1 - width - 4 - len(took)
    lines = [
        f"  {title}  {style.paint(sgr, fit(shown, max(room, 12), style)[0])}  {style.paint(FAINT, took)}"
    ]
    about = [result.problem] if result.problem else []
    about += result.differences[:_SHOWN]
    if len(result.differences) > _SHOWN:
        about.append(f"and {len(result.differences) - _SHOWN:,} more")
    lines += [f"      {one_line(line, ascii_only=not style.unicode)}" for line in about if not result.is_good]
    return lines


def summary_line(results: Sequence[ResultLike], style: Style) -> str:
    bad = sum(not result.is_good for result in results)
    skipped = sum(bool(result.skipped) and result.is_good for result in results)
    apart = f", {skipped} not played" if skipped else ""
    if bad:
        return (
            style.paint(COLOURS["FAILURE"], f"{bad} of {counted(len(results), 'rehearsal')} failed") + apart
        )
    return (
        style.paint(
            COLOURS["SUCCESS"], f"{counted(len(results) - skipped, 'rehearsal')}: the world is as before"
        )
        + apart
    )


def junit(name: str, results: Sequence[ResultLike]) -> str:
    bad = sum(not result.is_good for result in results)
    skipped = sum(bool(result.skipped) and result.is_good for result in results)
    seconds = sum(result.seconds for result in results)
    head = f'tests="{len(results)}" failures="{bad}" skipped="{skipped}" time="{seconds:.3f}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuite name={_attribute(f'rehearse {name}')} {head}>",
    ]
    for result in results:
        title, classname = _attribute(result.case.title), _attribute(name)
        lines.append(f'  <testcase classname={classname} name={title} time="{result.seconds:.3f}">')
        if not result.is_good:
            message = result.problem or "the world is not as before"
            text = escape(_clean("\n".join(result.differences)))
            lines.append(f"    <failure message={_attribute(message)}>{text}</failure>")
        elif result.skipped:
            lines.append(f"    <skipped message={_attribute(result.skipped)}/>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>", ""])


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """XML holds no control characters but tab and line ends."""
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)
