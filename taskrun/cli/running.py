"""What ``taskrun run`` does, once it is known what is asked for."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskrun.app.base import ListenersFor, Outcome, RunOptions
from taskrun.app.starting import start_run
from taskrun.cli.output import Output
from taskrun.cli.workflows import given_inputs, load_definition
from taskrun.errors import UsageError
from taskrun.journal.base import Durability

if TYPE_CHECKING:
    from taskrun.cli.beside import Beside
    from taskrun.cli.continuing import GoOn


def run(
    *,
    file: str,
    inputs: tuple[str, ...],
    inputs_file: str | None,
    jobs: int | None,
    output: str,
    detach: bool,
    web: bool,
    on_failure: str | None,
    on_interrupt: str,
    durability: Durability,
    strict: bool,
    allow_outside: bool,
    ci: str,
    color: str,
) -> int:
    """Run a workflow, show it, and ask what it wants to know; its exit code."""
    shown = Output(output, color, os.path.abspath(file), ci)
    definition, text = load_definition(
        file, strict=strict, allow_outside=allow_outside, quiet=shown.for_programs
    )
    if on_failure is not None:
        definition = {**definition, "on_failure": on_failure}
    resolved = given_inputs(definition, inputs, inputs_file)
    options = RunOptions(jobs or 0, durability, on_interrupt, on_failure)

    def start(listeners_for: ListenersFor) -> Outcome:
        return start_run(definition, text, resolved, options, listeners_for)

    if detach and web:
        raise UsageError("--web goes without --detach", hint="taskrun web shows runs in the background too")
    if detach:
        from taskrun.cli.detaching import run_detached  # noqa: PLC0415 - seldom asked for

        return run_detached(start, os.path.abspath(file), for_programs=shown.for_programs)
    if web:
        return _with_page(lambda beside: _drive(start, shown, options, definition, beside))
    return _drive(start, shown, options, definition)


def _with_page(drive: Callable[["Beside"], int]) -> int:
    from taskrun.cli.beside import Beside  # noqa: PLC0415 - seldom asked for

    with Beside() as beside:
        code = drive(beside)
        beside.stay()
    return code


def _drive(
    start: Callable[[ListenersFor], Outcome],
    shown: Output,
    options: RunOptions,
    definition: Mapping[str, Any],
    beside: "Beside | None" = None,
) -> int:
    outcome = start(shown.listeners if beside is None else beside.listeners(shown.listeners))
    shown.finish(outcome)
    if outcome.view.unknown and not shown.for_programs:
        outcome = _ask_for_approval(outcome, options, shown)
    if definition.get("on_failure") == "ask" and not shown.for_programs:
        outcome = _ask_what_now(outcome, options, shown)
    sys.stdout.flush()
    return outcome.exit_code


def _ask_for_approval(outcome: Outcome, options: RunOptions, shown: Output) -> Outcome:
    from taskrun.cli.approving import attend  # noqa: PLC0415 - seldom needed

    return attend(outcome, _going_on(outcome, options, shown))


def _ask_what_now(outcome: Outcome, options: RunOptions, shown: Output) -> Outcome:
    from taskrun.cli.asking import attend  # noqa: PLC0415 - seldom needed

    return attend(outcome, _going_on(outcome, options, shown))


def _going_on(outcome: Outcome, options: RunOptions, shown: Output) -> "GoOn":
    """What carries an answer out."""
    from taskrun.cli.continuing import go_on  # noqa: PLC0415 - seldom needed
    from taskrun.cli.found import find_run  # noqa: PLC0415

    row = find_run(outcome.run_id)
    return lambda event, verb: go_on(row, event, verb, shown, options)
