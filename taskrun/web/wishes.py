"""Wishes as they come with a request: taken apart, checked against the run as it stands, and as command lines."""

from collections.abc import Mapping
from json import JSONDecodeError, dumps, loads
from typing import Any

from taskrun.errors import RefusedError, UsageError
from taskrun.journal.base import RunRow
from taskrun.listeners.verdict import mendable
from taskrun.web import possible
from taskrun.web.doors import CURRENT, ORIGINAL, Changes, Plain, Wish
from taskrun.web.shown import Shown

FORWARD = (possible.RESUME, possible.APPROVE)
LONGEST = 2000  # characters of a reason
DONE, NOT_DONE, UNDONE = "done", "not-done", "undone"


def wish_of(given: Mapping[str, Any]) -> Wish:
    """From a request: only texts, of a sensible length."""
    texts = {key: given.get(key) or "" for key in ("verb", "task", "word", "reason", "savepoint", "file")}
    outputs = _outputs(given.get("outputs") or {})
    if not all(isinstance(text, str) and len(text) <= LONGEST for text in texts.values()):
        raise UsageError("texts are wanted, and no long ones")
    if any(not text.isprintable() for text in texts.values()):
        raise UsageError("a reason is one line of text")
    force, retry = (given.get(key) in (True, "true") for key in ("force", "retry"))
    return Wish(**texts, outputs=outputs, force=force, retry=retry)


def _outputs(given: Any) -> dict[str, Any]:
    """An object, or its JSON in an address."""
    found = _parsed(given) if isinstance(given, str) and len(given) <= LONGEST else given
    if not isinstance(found, dict):
        raise UsageError("outputs are names with values")
    return found


def _parsed(text: str) -> Any:
    """None if it is no JSON."""
    try:
        return loads(text)
    except (JSONDecodeError, RecursionError):
        return None


def check(row: RunRow, definition: Plain, shown: Shown, wish: Wish, standing: str, *, driven: bool) -> None:
    """RefusedError unless the run as it stands can be asked for that."""
    acts = possible.acts(shown.view, standing, driven=driven)
    wanted = {"verb": wish.verb, **({"task": wish.task} if wish.task else {})}
    if wanted not in acts:
        about = f" for {wish.task}" if wish.task else ""
        raise RefusedError(f"run {row.id} is {standing}: there is nothing to {wish.verb or 'do'}{about}")
    if wish.verb == possible.RESOLVE and wish.word and wish.word not in choices(shown, wish.task):
        raise UsageError(f"{wish.word!r} is not one of {', '.join(choices(shown, wish.task))}")
    if wish.outputs and (wish.verb, wish.word) != (possible.RESOLVE, DONE):
        raise UsageError("outputs go with --done only")
    if wish.savepoint and wish.savepoint not in savepoints(definition, shown):
        raise UsageError("the run has not come to such a savepoint")
    if wish.file and (wish.verb not in FORWARD or wish.file not in (ORIGINAL, CURRENT)):
        raise UsageError(f"to resume, the file is {ORIGINAL} or {CURRENT}")
    if wish.retry and (wish.verb != possible.REVERT or wish.savepoint or wish.force):
        raise UsageError("retry goes alone: it only tries the undos again that failed")
    if wish.retry and not can_retry(shown):
        raise RefusedError("no undo has failed that could be tried again")


def can_retry(shown: Shown) -> bool:
    return shown.view.rolling and bool(mendable(shown.view))


def check_complete(wish: Wish, changes: Changes | None, seen: object) -> None:
    """RefusedError if something is missing that a person has to say, or was not as it is when they said it."""
    if wish.file == CURRENT and changes is not None and seen != changes.digest:
        raise RefusedError("the file has changed again since you looked: look again")
    if wish.verb == possible.SKIP and not wish.reason.strip():
        raise RefusedError("giving an undo up needs a reason: who reads the history wants to know why")
    if wish.verb == possible.RESOLVE and not wish.word:
        raise RefusedError("what is it: done, not done or undone?")


def commands(row: RunRow, wish: Wish, *, changed: bool) -> list[list[str]]:
    """The equal command lines, without the `taskrun`; what the page does is the same."""
    reason = ["--reason", wish.reason] if wish.reason else []
    resume = ["resume", row.id, *([f"--use-{wish.file or ORIGINAL}"] if changed else [])]
    outputs = [
        word for name, value in wish.outputs.items() for word in ("--output", f"{name}={_word(value)}")
    ]
    to = ["--to", wish.savepoint] if wish.savepoint else []
    force = ["--force"] if wish.force else ["--retry"] if wish.retry else []
    found = {
        possible.RESUME: [resume],
        possible.REVERT: [["revert", row.id, *to, *force]],
        possible.DECLINE: [["revert", row.id, *force]],
        possible.SKIP: [["revert", row.id, "--skip", wish.task, "--reason", wish.reason or "WHY"]],
        possible.RESOLVE: [["resolve", row.id, wish.task, f"--{wish.word or DONE}", *outputs, *reason]],
        possible.APPROVE: [["resolve", row.id, wish.task, "--done", *reason], resume],
    }
    return found.get(wish.verb, [[wish.verb, row.id, *reason]])


def _word(value: Any) -> str:
    """As `resolve` reads it back: JSON, and what is none as text."""
    is_plain = isinstance(value, str) and _parsed(value) is None and value != "null"
    return str(value) if is_plain else dumps(value, ensure_ascii=False)


def choices(shown: Shown, task: str) -> list[str]:
    row = shown.view.index.get(task)
    if row is None:
        return []
    return [DONE, NOT_DONE, UNDONE] if row.state == "UNKNOWN" else [UNDONE]


def savepoints(definition: Plain, shown: Shown) -> list[str]:
    """Those the run has come to."""
    names = [task["name"] for task in definition["tasks"] if task["kind"] == "savepoint"]
    return [name for name in names if name in shown.view.index and shown.view.index[name].state == "SUCCESS"]
