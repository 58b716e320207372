"""TR2xx: keys and values that the language does not have."""

from taskrun.spec.catalog.entry import Entry

_TASK = "name: hello\ntasks:\n  - name: make_dir\n    run: mkdir demo\n"
_WHOLE = _TASK + "    revert: rmdir demo\n"

ENTRIES: dict[str, Entry] = {
    "TR201": Entry(
        "unknown key",
        "Nothing in the language has this name at this place. Unknown keys are errors, for a misspelt `revert` that "
        "was passed over in silence would be found when it is needed. A near name is offered where there is one.",
        _TASK + "    revrt: rmdir demo\n",
        _WHOLE,
    ),
    "TR202": Entry(
        "missing key",
        "A key that has to be there is not: `name` and `tasks` of a workflow, `name` of a task, the fields an action "
        "cannot do without, `attempts` of a retry.",
        "name: hello\ntasks:\n  - run: mkdir demo\n    revert: rmdir demo\n",
        _WHOLE,
    ),
    "TR203": Entry(
        "wrong kind of value",
        "The key takes another kind of value: text, a list (`- item` lines), or a map (`key: value` lines).",
        "name: hello\ntasks: mkdir demo\n",
        _WHOLE,
    ),
    "TR204": Entry(
        "text without quotes",
        "The key takes text, and the word that stands there means something else to YAML without quotes: `true`, "
        "`false`, `null`, or nothing at all. Numbers need no quotes: `version: 1.10` stays `1.10` where text is "
        "wanted.",
        "name: hello\nenv: {DEBUG: true}\ntasks:\n  - {name: show, run: env, revert: none}\n",
        'name: hello\nenv: {DEBUG: "true"}\ntasks:\n  - {name: show, run: env, revert: none}\n',
    ),
    "TR205": Entry(
        "bad duration",
        "Durations are written as `500ms`, `30s`, `5m`, `1h30m` or `2d`, the largest unit first. A bare number is an "
        "error, for it could be seconds as well as minutes.",
        _WHOLE + "    timeout: 30\n",
        _WHOLE + "    timeout: 30s\n",
    ),
    "TR206": Entry(
        "bad number",
        "The key takes a number, without quotes. Where it has to be known before a run, as the attempts of a retry, "
        "it cannot be an expression.",
        _WHOLE + '    retry: {attempts: "3"}\n',
        _WHOLE + "    retry: {attempts: 3}\n",
    ),
    "TR207": Entry(
        "neither true nor false",
        "The key takes `true` or `false`, without quotes. `yes`, `on` and the like are just words in YAML 1.2.",
        _WHOLE + '    allow_failure: "true"\n',
        _WHOLE + "    allow_failure: true\n",
    ),
    "TR208": Entry(
        "no such choice",
        "The key takes one of a few words, which the message names.",
        "pattern: parallel\n" + _WHOLE,
        "pattern: unordered\n" + _WHOLE,
    ),
    "TR209": Entry(
        "bad name",
        "Names of tasks and flows have letters, digits, `_` and `-`, and begin with a letter or `_`. Names of inputs, "
        "outputs and environment variables have no `-`; that of a workflow may have dots.",
        "name: hello\ntasks:\n  - name: make dir\n    run: mkdir demo\n    revert: rmdir demo\n",
        _WHOLE,
    ),
    "TR210": Entry(
        "empty list",
        "A list that needs at least one item has none.",
        "name: hello\ntasks: []\n",
        _WHOLE,
    ),
    "TR211": Entry(
        "key in the wrong place",
        "The key exists, but not here: `for_each` of a retry is for flows, `on` for tasks, `skip` goes with `if`, "
        "`as` with `for_each`, and a nested flow has no action and no undo of its own.",
        "name: hello\ntasks:\n  - name: group\n    revert: rmdir demo\n    tasks:\n"
        "      - {name: make_dir, run: mkdir demo, revert: none}\n",
        "name: hello\ntasks:\n  - name: group\n    tasks:\n"
        "      - {name: make_dir, run: mkdir demo, revert: rmdir demo}\n",
    ),
    "TR212": Entry(
        "keys that exclude each other",
        "Exactly one of several keys is needed, or one of them makes the other meaningless.",
        "secrets: {token: {env: TOKEN, file: token.txt}}\n" + _WHOLE,
        "secrets: {token: {env: TOKEN}}\n" + _WHOLE,
    ),
    "TR213": Entry(
        "number out of range",
        "The number is smaller than it can be.",
        _WHOLE + "    retry: {attempts: 0}\n",
        _WHOLE + "    retry: {attempts: 1}\n",
    ),
    "TR215": Entry(
        "failure that is probably misspelt",
        "`on` of a retry takes `connection`, `timeout`, a status or a class of statuses (`503`, `5xx`), an exit code, or "
        "the type of a failure. A word that is nearly one of the first two would match no failure.",
        _WHOLE + "    retry: {attempts: 3, on: [conection]}\n",
        _WHOLE + "    retry: {attempts: 3, on: [connection]}\n",
    ),
    "TR216": Entry(
        "variable that cannot be set",
        "No process can be given a variable like this: its name is empty or has a `=` in it, or name and value together are "
        "longer than the system takes (128 KiB). The name has to be known before a run, so it is no expression.",
        'name: hello\ntasks:\n  - {name: show, run: env, env: {"MODE=fast": "1"}, revert: none}\n',
        "name: hello\ntasks:\n  - {name: show, run: env, env: {MODE: fast}, revert: none}\n",
    ),
    "TR217": Entry(
        "variable that no shell can read",
        "A shell reads only variables named by letters, digits and `_` that begin with no digit; some (dash, which often is "
        "/bin/sh) even drop the others from what they start. A program may want other names: the `env` of an `exec` or a "
        "`python` hands them on as they are. Elsewhere a warning, and an error with `--strict`.",
        "name: hello\ntasks:\n  - {name: show, run: env, env: {APP-MODE: fast}, revert: none}\n",
        "name: hello\ntasks:\n  - {name: show, run: env, env: {APP_MODE: fast}, revert: none}\n",
    ),
    "TR218": Entry(
        "variable that taskrun sets itself",
        "`TASKRUN_RUN_ID`, `TASKRUN_TASK`, `TASKRUN_ATTEMPT`, `TASKRUN_OUTPUT`, `TASKRUN_STATUS` and "
        "`TASKRUN_IDEMPOTENCY_KEY` tell an attempt who it is and where its outputs go, and its processes are found by "
        "them; `TASKRUN_V1`, `TASKRUN_V2`, ... hold the values of a script's expressions. A file cannot set them. Other "
        "variables of taskrun, as `TASKRUN_HOME`, may be set: they count for a taskrun that a task starts.",
        "name: hello\nenv: {TASKRUN_OUTPUT: out.txt}\ntasks:\n  - {name: show, run: env, revert: none}\n",
        "name: hello\nenv: {OUTPUT: out.txt}\ntasks:\n  - {name: show, run: env, revert: none}\n",
    ),
    "TR214": Entry(
        "unknown version of the language",
        "`taskrun: 1` at the top of a file says which version of the language it is written in. This taskrun knows "
        "version 1 only; a newer one may know more.",
        "taskrun: 2\n" + _WHOLE,
        "taskrun: 1\n" + _WHOLE,
    ),
}
