"""What other tools call the things of this language: a stranger's word is no slip of the pen, and is understood as well."""

from collections.abc import Collection

from taskrun.spec.spelling import nearest

_CALLED = {
    "tasks": "steps jobs stages actions plays nodes",
    "inputs": "vars variables params parameters args with",
    "needs": "depends_on dependson depends deps after requires",
    "if": "when only condition unless",
    "run": "cmd cmds command commands script sh shell bash execute do",
    "exec": "argv program",
    "revert": "undo rollback compensate compensation on_rollback down",
    "for_each": "loop foreach with_items items matrix each",
    "env": "environment envs",
    "cwd": "workdir working_directory working_dir dir chdir",
    "retry": "retries",
    "attempts": "times tries max max_attempts max_retries limit count retries",
    "delay": "wait interval sleep pause",
    "allow_failure": "continue_on_error ignore_errors ignore_error ignore_failure",
    "on_failure": "on_error onfailure",
    "description": "desc about comment",
    "outputs": "output register returns",
    "check": "creates status unless test precondition",
    "verify": "expect_that postcondition assert_that",
    "max_parallel": "parallelism concurrency max_concurrency",
    "secrets": "secret credentials",
    "lock": "mutex",
    "sleep": "delay wait pause",
    "http": "url uri request curl get",
    "wait_for": "wait_until until",
    "approve": "approval confirm input manual",
    "echo": "print debug log message say",
    # Values.
    "integer": "int",
    "string": "str text",
    "boolean": "bool",
    "list": "array",
    "object": "map dict",
    "number": "float decimal",
    "unordered": "parallel concurrent any",
    "linear": "sequential serial ordered",
    "graph": "dag",
    "stop": "abort pause suspend continue",
}
_OURS: dict[str, list[str]] = {}
for _ours, _theirs in _CALLED.items():
    for _word in _theirs.split():
        _OURS.setdefault(_word, []).append(_ours)


def meant(word: str, candidates: Collection[str]) -> str | None:
    """The candidate that somebody who knows other tools means, else the nearest one."""
    for ours in _OURS.get(word.lower().replace("-", "_"), ()):
        if ours in candidates:
            return ours
    return nearest(word, candidates)
