"""One attempt of a task, as far as a driver must know it: what it does, where its output goes, what it has become."""

from collections.abc import Callable, Mapping
from functools import partial
from os import environ
from os.path import isdir
from typing import TYPE_CHECKING, Any, Final, Protocol

from taskrun import tracing
from taskrun.actions import registry
from taskrun.actions.base import Action, Context, Result
from taskrun.drivers.undo import folder_of, folders_of, is_kept, restoring, undoing
from taskrun.drivers.values import Scope, Values
from taskrun.errors import ActionError, ExpressionError
from taskrun.spec.expressions import parse, render, template
from taskrun.spec.render import render_script
from taskrun.spec.values import text

if TYPE_CHECKING:
    from taskrun.drivers.masking import Masker

# The parts of an attempt, in the order in which they may follow each other.
CHECK: Final = "check"
IMAGE: Final = "image"  # of what `revert: {restore: ...}` names
DO: Final = "do"
VERIFY: Final = "verify"
REVERT: Final = "revert"
PROBE: Final = "probe"

VERIFY_REVERT: Final = "verify_revert"
"""A look at the world after a rollback: of no task, and like all questions it may be asked again."""


class Held(Protocol):
    """A lock that is held."""

    def release(self) -> None: ...


Then = Callable[[Mapping[str, Any] | None, Mapping[str, Any] | None], None]


class Attempt:
    """``number`` is that of the attempt; ``part`` says what of it is running; ``action`` and ``fields`` belong to the part."""

    __slots__ = (
        "action",
        "again",
        "asked",
        "call",
        "context",
        "err",
        "fields",
        "lines",
        "lock",
        "name",
        "node",
        "number",
        "out",
        "outputs",
        "part",
        "result",
        "started",
        "stopping",
        "then",
    )

    def __init__(self, node: int, name: str, number: int, part: str) -> None:
        self.node = node
        self.name = name
        self.number = number
        self.part = part
        self.action: Action
        self.fields: Mapping[str, Any] = {}
        self.context: Context
        self.call: Callable[[Context], Result] | None = (
            None  # what a thread is to do, if not the action's `do`
        )
        self.out = ""
        self.err: str | None = None
        self.result: Mapping[str, Any] | None = None
        self.outputs: dict[str, Any] | None = None
        self.lines: list[str] = []  # what an action without files has said
        self.lock: Held | None = None
        self.asked: int | None = None  # of a probe: which time it is put
        self.started = False
        self.stopping: dict[str, Any] | None = None
        self.then: Then | None = None  # for what is no part of a task: who is told how it ended
        self.again: Callable[[], None] | None = None  # likewise: begins it anew

    def carry_out(self) -> Result:
        """In a thread. An attempt that fails before it has kept what its undo needs has not started."""
        action, fields, context = self.action, self.fields, self.context
        if self.call is not None:
            return self.call(context)
        self.started = self.part not in (IMAGE, DO)
        if getattr(action, "AUTO", False):
            action.prepare(fields, context)  # type: ignore[union-attr]
        self.started = self.part != IMAGE
        return action.do(fields, context)  # type: ignore[union-attr]

    @property
    def key(self) -> str:
        """Names the part in the supervisor's log, where a newcomer finds it again."""
        return attempt_key(self.name, self.part, self.number)


def attempt_key(name: str, part: str, number: int) -> str:
    return f"{name}/{number}" if part == DO else f"{name}/{part}/{number}"


class Preparer:
    """Turns what the file says about a part of an attempt into an action with rendered fields."""

    def __init__(
        self,
        values: Values,
        run_id: str,
        run_dir: str,
        base_env: Mapping[str, str],
        *,
        durable: bool = True,
        masker: "Masker | None" = None,
    ) -> None:
        self._values = values
        self._definition = values.definition
        self._run_id = run_id
        self._run_dir = run_dir
        self.out_dir = f"{run_dir}/out"
        self.base_env = base_env
        self._durable = durable
        self._hide = None if masker is None else masker.text
        self._mask = None if masker is None else masker.data

    def part_spec(self, node: int, part: str) -> Mapping[str, Any]:
        task = self._values.spec(node)
        if part == IMAGE:
            return {"kind": restoring().KIND, "fields": {"paths": task["revert"]["paths"]}}
        found: Mapping[str, Any] = task if part == DO else task[part]
        return found

    def first_part(self, node: int) -> str:
        """What an attempt begins with."""
        task = self._values.spec(node)
        return CHECK if "check" in task else self.part_after_check(node)

    def part_after_check(self, node: int) -> str:
        return IMAGE if self._values.spec(node)["revert"]["form"] == "restore" else DO

    def has_begun(self, attempt: Attempt) -> bool:
        """Whether an attempt got as far as keeping what its undo needs, or may have."""
        return isdir(self._images(attempt))

    def _images(self, attempt: Attempt) -> str:
        part, number = attempt.part, attempt.number
        which = f"{number}" if part == DO else IMAGE if part == IMAGE else f"{part}.{number}"
        return folder_of(self._run_dir, attempt.name, self._round(attempt), which)

    def _round(self, attempt: Attempt) -> int:
        return self._values.record.rounds.get(attempt.node, 0) + 1 if attempt.node >= 0 else 0

    def prepare(self, attempt: Attempt, scope: Scope) -> None:
        """Fill in action, fields, context and paths. ExpressionError and ActionError mean: not started."""
        task = self._values.spec(attempt.node)
        attempt.call = None
        if attempt.part == REVERT and is_kept(task):
            self._prepare_undo(attempt, task)
            return
        suffix = f"{attempt.number}" if attempt.part == DO else f"{attempt.part}.{attempt.number}"
        key = f"{attempt.name}/{self._round(attempt)}"
        if attempt.part != DO:  # a question must never be taken for a repetition of the deed
            key = f"{key}/{attempt.part}"
        self._fill(attempt, self.part_spec(attempt.node, attempt.part), task, scope, suffix, key)

    def _prepare_undo(self, attempt: Attempt, task: Mapping[str, Any]) -> None:
        """From what was kept alone: nothing is rendered, since what that would need may be gone."""
        attempt.action = restoring()
        attempt.out = f"{self.out_dir}/{attempt.name}.{REVERT}.{attempt.number}.out"
        round_, workdir = self._round(attempt), self._definition.get("dir") or "/"
        attempt.context = Context(
            self._run_id,
            attempt.name,
            attempt.number,
            workdir,
            self._run_dir,
            self.base_env,
            workdir,
            "/bin/sh",
            f"{self._run_id}/{attempt.name}/{round_}/{REVERT}",
            reverting=True,
            timeout=None,
            durable=self._durable,
            mask=self._mask,
        )
        attempts = self._values.record.attempt[attempt.node]
        folders = folders_of(task, self._run_dir, attempt.name, round_, attempts)
        attempt.call = undoing(task, folders)

    def prepare_aside(self, attempt: Attempt, spec: Mapping[str, Any], scope: Scope) -> None:
        """The same for an action that belongs to no task: a notification, a check after the rollback."""
        suffix = f"{attempt.part}.{attempt.number}"
        self._fill(attempt, spec, spec, scope, suffix, f"{attempt.name}/{suffix}")

    def _fill(
        self,
        attempt: Attempt,
        spec: Mapping[str, Any],
        task: Mapping[str, Any],
        scope: Scope,
        suffix: str,
        key: str,
    ) -> None:
        attempt.action = action = restoring() if attempt.part == IMAGE else registry.get(spec["kind"])
        attempt.out = f"{self.out_dir}/{attempt.name}.{suffix}.out"
        attempt.err = f"{self.out_dir}/{attempt.name}.{suffix}.err" if self._is_asked(task, spec) else None
        env = self._environment(attempt, task, scope, suffix, f"{self._run_id}/{key}")
        attempt.fields = self._fields(action, spec["fields"], scope, env)
        cwd = task.get("cwd")
        workdir = task.get("dir") or spec.get("dir") or self._definition.get("dir") or "/"
        if cwd is not None:
            cwd = str(render(cwd, scope))
            cwd = cwd if cwd.startswith("/") else f"{workdir}/{cwd}"
        attempt.context = Context(
            self._run_id,
            attempt.name,
            attempt.number,
            workdir,
            self._run_dir,
            env,
            cwd or workdir,
            task.get("shell", "/bin/sh"),
            env["TASKRUN_IDEMPOTENCY_KEY"],
            attempt.part == REVERT,
            spec.get("timeout", task.get("timeout") if attempt.part in (IMAGE, DO) else None),
            images=self._images(attempt),
            undoes=self._undoes(attempt, spec, task),
            durable=self._durable,
            mask=self._mask,
            render=partial(_render_file, scope),
        )

    def _undoes(self, attempt: Attempt, spec: Mapping[str, Any], task: Mapping[str, Any]) -> str:
        """Of an undo that can see whether there is anything to undo: the key of the doing, as ``prepare`` makes it.

        Not where a probe has the say: what it took for done may have been done by something else.
        """
        if attempt.part != REVERT or task["kind"] != spec["kind"] or "probe" in task:
            return ""
        tracks: Callable[..., bool] | None = getattr(attempt.action, "tracks", None)
        if tracks is None or not tracks(task["fields"], spec["fields"]):
            return ""
        return f"{self._run_id}/{attempt.name}/{self._round(attempt)}"

    def _is_asked(self, task: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
        """Only where an expression may want stdout apart from stderr are there two files; one keeps the order."""
        return "outputs" in spec or "done_if" in spec or "verify" in task

    def outputs_file(self, attempt: Attempt) -> str:
        """Where a process may write its outputs: known also of an attempt that another taskrun has started."""
        suffix = f"{attempt.number}" if attempt.part == DO else f"{attempt.part}.{attempt.number}"
        return f"{self.out_dir}/{attempt.name}.{suffix}.outputs"

    def _environment(
        self, attempt: Attempt, task: Mapping[str, Any], scope: Scope, suffix: str, key: str
    ) -> dict[str, str]:
        env = dict(self.base_env)
        for name, value in task.get("env", {}).items():
            env[name] = _text(render(value, scope))
        env["TASKRUN_RUN_ID"] = self._run_id
        env["TASKRUN_TASK"] = attempt.name
        env["TASKRUN_ATTEMPT"] = str(attempt.number)
        env["TASKRUN_OUTPUT"] = f"{self.out_dir}/{attempt.name}.{suffix}.outputs"
        env["TASKRUN_STATUS"] = f"{self.out_dir}/{attempt.name}.{suffix}.status"
        env["TASKRUN_IDEMPOTENCY_KEY"] = key
        if tracing.current:
            undoing = attempt.part == REVERT
            env["TRACEPARENT"] = tracing.current[0].traceparent(attempt.name, undoing, attempt.number)
        return env

    def _fields(
        self, action: Action, given: Mapping[str, Any], scope: Scope, env: dict[str, str]
    ) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if name in action.SCRIPTS and isinstance(value, str):
                fields[name], variables = render_script(value, scope, self.out_dir, self._hide)
                env.update(variables)
            elif name in action.EXPRESSIONS and isinstance(value, str):
                fields[name] = parse(value).evaluate(scope)
                fields[f"{name}.source"] = value
            else:
                fields[name] = render(value, scope)
        return fields


def base_environment(definition: Mapping[str, Any], scope: Scope, workdir: str) -> dict[str, str]:
    """What every task inherits: ours, the `env_file`s, and the file's own `env`, later ones winning."""
    env = dict(environ)
    for given in definition.get("env_file", ()):
        from taskrun.drivers.env_files import read  # noqa: PLC0415 - few workflows have such a file

        path = str(render(given, scope))
        path = path if path.startswith("/") else f"{workdir}/{path}"
        env.update(read(path))
    for name, value in definition.get("env", {}).items():
        env[name] = _text(render(value, {**scope, "env": env}))
    return env


def _render_file(scope: Scope, source: str, path: str) -> Any:
    """The text of a file with the values of its expressions."""
    try:
        return template(source).render(scope)
    except ExpressionError as error:
        where = path
        if error.offset is not None:
            before = source[: error.offset]
            where = f"{path}:{before.count(chr(10)) + 1}:{error.offset - before.rfind(chr(10))}"
        raise ActionError("ExpressionError", f"{where}: {error.message}") from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) else text(value)
