"""The list of runs (`taskrun runs`), with resumes and reverts below the run they continued."""

from collections.abc import Callable, Iterator, Sequence
from time import localtime, strftime
from typing import Any, Protocol

from taskrun.listeners.base import RunLike
from taskrun.listeners.cells import fit
from taskrun.listeners.page import WIDE, Cell, Column, Page
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import COLOURS, FAINT, Style
from taskrun.listeners.words import clock, duration

_UNDER_WAY = ("PENDING", "RUNNING", "REVERTING", "SUSPENDING", "RESUMING")
_UNFINISHED = ("FAILURE", "REVERTED")  # before the rollback has begun; before the checks after it are over
_COLUMNS = (
    Column("RUN"),
    Column("STATE"),
    Column("NAME"),
    Column("STARTED", least=WIDE),
    Column("TIME", least=WIDE),
    Column("EXIT", least=WIDE),
)
Held = Callable[[str], bool]  # does a process hold this run?


class Listed(RunLike, Protocol):
    """What is shown of a run in the list."""

    @property
    def state(self) -> str: ...
    @property
    def parent(self) -> str | None: ...


class ContinuationLike(Protocol):
    """A command that took a run over."""

    @property
    def run(self) -> str: ...
    @property
    def time(self) -> float: ...
    @property
    def verb(self) -> str: ...
    @property
    def state(self) -> str: ...


def standing(run: Listed, held: Held) -> str:
    """The run's state, or INTERRUPTED when it was under way and no process holds it any more."""
    unfinished = run.state in _UNFINISHED and run.exit_code is None and run.ended is None
    return "INTERRUPTED" if (run.state in _UNDER_WAY or unfinished) and not held(run.id) else run.state


def runs_text(
    runs: Sequence[Listed],
    held: Held,
    now: float,
    style: Style,
    *,
    columns: int | None,
    continuations: Sequence[ContinuationLike] = (),
) -> str:
    """In the order given, each with what was done with it later. `columns` is the terminal's width, None where there is no terminal."""
    page, later = Page(style, columns), _by_run(continuations)
    rows = []
    for run, depth in _families(runs):
        state = standing(run, held)
        rows.append(_cells(run, depth, state, now, page))
        made = later.get(run.id, [])
        rows += [
            _continued(each, depth + 1, state if each is made[-1] else each.state, page) for each in made
        ]
    return page.draw(_COLUMNS, rows)


def _by_run(continuations: Sequence[ContinuationLike]) -> dict[str, list[ContinuationLike]]:
    found: dict[str, list[ContinuationLike]] = {}
    for each in continuations:
        found.setdefault(each.run, []).append(each)
    return found


def _continued(made: ContinuationLike, depth: int, state: str, page: Page) -> list[Cell]:
    """The command, and the state in which it left the run."""
    return [
        Cell("  " * depth + made.verb, FAINT),
        Cell("" if made.verb == "resolve" else page.word(state), FAINT),
        Cell(""),
        Cell(strftime("%Y-%m-%d %H:%M:%S", localtime(made.time)), FAINT),
        Cell(""),
        Cell(""),
    ]


def _cells(run: Listed, depth: int, state: str, now: float, page: Page) -> list[Cell]:
    took = clock(max(0, now - run.created)) if state in _UNDER_WAY else ""
    if run.ended is not None:
        took = duration(max(0, run.ended - run.created))
    name = one_line(run.name, ascii_only=not page.style.unicode)
    return [
        Cell("  " * depth + run.id),
        Cell(page.word(state), COLOURS.get(state, "")),
        Cell(fit(name, _name_room(page.columns), page.style)[0] if page.columns else name),
        Cell(strftime("%Y-%m-%d %H:%M:%S", localtime(run.created)), FAINT),
        Cell(took, FAINT),
        Cell("" if run.exit_code is None else str(run.exit_code)),
    ]


def _name_room(columns: int) -> int:
    """What the other columns leave: they are never cut."""
    return max(6, columns - (70 if columns >= WIDE else 36))


def _families(runs: Sequence[Listed]) -> Iterator[tuple[Listed, int]]:
    """Each run followed by those made from it, oldest first; one whose parent is not listed stands for itself."""
    known = {run.id for run in runs}
    children: dict[str, list[Listed]] = {}
    for run in runs:
        if run.parent is not None and run.parent in known:
            children.setdefault(run.parent, []).append(run)
    stack = [(run, 0) for run in reversed(runs) if run.parent not in known]
    while stack:
        run, depth = stack.pop()
        yield run, depth
        stack += [
            (child, depth + 1) for child in sorted(children.get(run.id, ()), key=_created, reverse=True)
        ]


def _created(run: Listed) -> float:
    return run.created


def runs_dicts(
    runs: Sequence[Listed],
    held: Held,
    timestamp: Callable[[float], str],
    continuations: Sequence[ContinuationLike] = (),
) -> list[dict[str, Any]]:
    """The same for programs."""
    later = _by_run(continuations)
    return [
        {
            "run": run.id,
            "name": run.name,
            "file": run.file,
            "state": run.state,
            "interrupted": standing(run, held) == "INTERRUPTED",
            "exit_code": run.exit_code,
            "started": timestamp(run.created),
            "ended": None if run.ended is None else timestamp(run.ended),
            "parent": run.parent,
            "continued": [
                {"verb": each.verb, "time": timestamp(each.time), "state": each.state}
                for each in later.get(run.id, ())
            ],
        }
        for run in runs
    ]
