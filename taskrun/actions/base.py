"""What an action is: a module with a few constants and two or three functions, chosen by its MODE.

Every action module declares

    KIND         the key in the workflow file that names it
    MODE         who carries an attempt: see below
    MAIN         the field a plain string stands for (``run: make`` is ``run: {script: make}``)
    WRITES       it changes the world and cannot undo that itself: a task without a revert deserves a warning
                 (``writes(fields) -> bool`` beside it, where that depends on the fields, decides instead)
    AUTO         it can undo itself, so ``revert: auto`` is its default
    EFFECT_FREE  it may simply be repeated after a crash
    IDEMPOTENT   (may be left out) an attempt that a crash cut short may be repeated, and acts once: it goes on from
                 what it finds in ``context.images``, or where it left a mark under ``context.idempotency_key``
    EXPRESSIONS  fields that are bare expressions: the driver evaluates them, and passes the
                 expression's source beside the value as ``fields["<name>.source"]``
    SCRIPTS      fields that are shell scripts: values in them arrive as variables of ``context.env``
    FIELDS       (of a plug-in, may be left out) its fields: name -> what it is; any other is a mistake in the file

and, by MODE,

    "inline"   ``do(fields, context) -> Result``: returns at once, called in the driver's own thread
    "thread"   ``do(fields, context) -> Result``: may wait for the world, called in a thread of its own;
               keeps its own time limit (``context.timeout``) and puts a function that ends it early
               into ``context.aborts``
    "timer"    ``duration(fields) -> float``: the driver waits that many seconds, without a thread, and
               then calls ``do(fields, context)``, which returns at once
    "person"   ``question(fields) -> str`` is put to somebody: the run suspends until the task is resolved
    "process"  ``command(fields, context) -> ProcessSpec`` says what to start; when it has *exited*,
               ``finish(fields, context, exit_code, out_path, err_path) -> Result`` judges it.
               A process that a signal ended, that ran out of time or never started is the driver's to
               report; ``finish`` is not called for it. Both must work from the same fields and context
               in another process, since a resume may have to finish what a killed run had started.

An action that undoes itself (AUTO) has two functions more. Each attempt has a directory of its own for what they need,
``context.images``:

    ``prepare(fields, context)``    keeps there what the undo will need, durably, before anything is changed; called
                                    before ``do``, where that is called. If it fails there is nothing to undo.
    ``revert(context) -> Result``   undoes what ``do`` did, from what was kept and from nothing else: fields may not be
                                    known any more. Called for every attempt that got as far as ``prepare``, the last
                                    first, perhaps more than once. ActionError("Drift", ...) is a refusal that trying
                                    again would not change.

An action that leaves such a mark may have ``tracks(done, undo) -> bool``: of the fields of a task and of its undo, both
of this kind and not rendered, whether the undo can see the mark of the doing. Then the undo has ``context.undoes``, and
does nothing where there is no such mark.

Fields arrive rendered: plain JSON values, no ``${{ }}`` left. A failed attempt raises ActionError; if it
has a result all the same (a script that printed something before it failed, an answer with status 500)
it raises UnexpectedResultError, which carries the result, so that the task's outputs can still be kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from taskrun.actions.retry_words import matches
from taskrun.errors import ActionError

__all__ = [
    "Action",
    "Context",
    "InlineAction",
    "ProcessAction",
    "ProcessSpec",
    "Result",
    "ThreadAction",
    "TimerAction",
    "UnexpectedResultError",
    "matches",
    "no_log",
    "no_render",
]


def no_log(_line: str) -> None:
    """The log of an attempt that keeps none."""


def no_render(source: str, _path: str) -> str:
    """Where no expressions are known, text stands for itself."""
    return source


class Context(NamedTuple):
    """Where an attempt runs; the same again for a retry of the same attempt after a crash."""

    run_id: str
    task: str
    attempt: int
    workdir: str  # the folder of the workflow file; relative paths in fields start here
    run_dir: str
    env: Mapping[str, str]  # the whole environment of the task
    cwd: str  # absolute
    shell: str | Sequence[str]
    idempotency_key: str
    reverting: bool
    timeout: float | None  # seconds this attempt may take; None: the action's own default
    log: Callable[[str], None] = no_log  # one line to the attempt's log; masks secrets
    aborts: list[Callable[[], None]] | None = None  # "thread": the driver calls these to end it early
    images: str = (
        ""  # a directory for this attempt's before-images, the same again after a crash; not made yet
    )
    undoes: str = ""  # the idempotency key of the doing, for the undo of an action that ``tracks`` it
    durable: bool = True  # what is kept has to outlive a power cut, not only the process
    render: Callable[[str, str], Any] = (
        no_render  # of a file's text and path: its expressions, with the task's names
    )
    mask: Callable[[bytes], bytes] | None = None  # puts `***` in the place of secrets, if there are any


class ProcessSpec(NamedTuple):
    """A program to start: nothing here is interpreted further, ``argv[0]`` is looked up in PATH of ``env``."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    stdin: bytes | None
    expect: tuple[int, ...] = (0,)
    warm: bool = (
        False  # `argv` is a Python program that can be forked from one that is up: see `python_child`
    )


class Result(NamedTuple):
    """What an attempt gave: ``values`` is the name ``result`` of expressions."""

    values: dict[str, Any]


class UnexpectedResultError(ActionError):
    """A failure with a result: the attempt got an answer, only not the one that was asked for."""

    def __init__(self, type_: str, message: str, result: Result, **details: object) -> None:
        super().__init__(type_, message, **details)
        self.result = result


class _Declares(Protocol):
    KIND: str
    MAIN: str
    WRITES: bool
    AUTO: bool
    EFFECT_FREE: bool
    EXPRESSIONS: frozenset[str]
    SCRIPTS: frozenset[str]


class InlineAction(_Declares, Protocol):
    MODE: Literal["inline"]

    def do(self, fields: Mapping[str, Any], context: Context) -> Result: ...


class ThreadAction(_Declares, Protocol):
    MODE: Literal["thread"]

    def do(self, fields: Mapping[str, Any], context: Context) -> Result: ...


class TimerAction(_Declares, Protocol):
    MODE: Literal["timer"]

    def duration(self, fields: Mapping[str, Any]) -> float: ...

    def do(self, fields: Mapping[str, Any], context: Context) -> Result: ...


class PersonAction(_Declares, Protocol):
    MODE: Literal["person"]

    def question(self, fields: Mapping[str, Any]) -> str: ...

    def do(self, fields: Mapping[str, Any], context: Context) -> Result: ...


class ProcessAction(_Declares, Protocol):
    MODE: Literal["process"]

    def command(self, fields: Mapping[str, Any], context: Context) -> ProcessSpec: ...

    def finish(
        self,
        fields: Mapping[str, Any],
        context: Context,
        exit_code: int,
        out_path: str,
        err_path: str | None,
    ) -> Result: ...


Action = InlineAction | ThreadAction | TimerAction | PersonAction | ProcessAction
