"""TR7xx: actions and how they are undone."""

from taskrun.spec.catalog.entry import Entry

_TASK = "name: hello\ntasks:\n  - name: make_dir\n"
_RUN = _TASK + "    run: mkdir demo\n"
_WHOLE = _RUN + "    revert: rmdir demo\n"
_ACTIONS = (
    "name: hello\nactions:\n  account:\n    inputs: {login: string}\n"
    "    run: useradd ${{ inputs.login }}\n    revert: userdel ${{ inputs.login }}\n"
)

ENTRIES: dict[str, Entry] = {
    "TR701": Entry(
        "no action",
        "A task does exactly one thing, and this one does nothing: it has no action, and no `tasks` either.",
        _TASK + "    revert: rmdir demo\n",
        _WHOLE,
    ),
    "TR702": Entry(
        "unknown action",
        "No action, built in, of this file or of an installed plug-in, has this name, and no key of a task either. "
        "`taskrun actions` lists what there is.",
        _TASK + "    rnu: mkdir demo\n",
        _WHOLE,
    ),
    "TR703": Entry(
        "two actions",
        "A task does exactly one thing, so that it can be undone. Make it two tasks.",
        _WHOLE + "    echo: hi\n",
        _WHOLE + "  - name: say\n    echo: hi\n",
    ),
    "TR704": Entry(
        "does not say how to undo it",
        "The action changes the world and cannot undo itself, and there is no `revert`. When the run fails this task "
        "stays applied. A warning, and an error with `--strict`. `revert: none` says that there is nothing to undo, "
        "`revert: {impossible: reason}` that it cannot be.",
        _RUN,
        _WHOLE,
    ),
    "TR705": Entry(
        "cannot undo itself",
        "`revert: auto` is for actions that know how to undo themselves: those on files.",
        _RUN + "    revert: auto\n",
        _TASK + "    mkdir: demo\n    revert: auto\n",
    ),
    "TR706": Entry(
        "fields that do not fit",
        "The action's fields exclude each other, one that is needed is missing, or a value is not what it has to be.",
        _TASK + "    file: {path: demo.txt, content: hi, source: other.txt}\n",
        _TASK + "    file: {path: demo.txt, content: hi}\n",
    ),
    "TR707": Entry(
        "forms of revert mixed",
        "`restore` and `impossible` stand alone in a `revert`.",
        _RUN + "    revert: {restore: [demo], run: rmdir demo}\n",
        _RUN + "    revert: {restore: [demo]}\n",
    ),
    "TR708": Entry(
        "workflow where it cannot run",
        "A workflow runs as a task, with its own tasks and undo; it is no action to undo, to check or to notify with.",
        _RUN + "    revert: {workflow: undo.yaml}\n",
        _WHOLE,
    ),
    "TR709": Entry(
        "command that looks like a word of the language",
        "The text of a `revert` is a shell command unless it is exactly `none` or `auto`.",
        _RUN + "    revert: non\n",
        _RUN + "    revert: none\n",
    ),
    "TR710": Entry(
        "inputs of an action or a workflow",
        "A reusable action or an included workflow gets an input it does not have, lacks one it needs, or gets a value "
        "of another type.",
        _ACTIONS + "tasks:\n  - name: alice\n    account: {user: alice}\n",
        _ACTIONS + "tasks:\n  - name: alice\n    account: {login: alice}\n",
    ),
    "TR711": Entry(
        "savepoint with more in it",
        "A savepoint is an entry of its own, with nothing but its name and perhaps a description.",
        "name: hello\ntasks:\n  - {savepoint: ready, echo: hi}\n",
        "name: hello\ntasks:\n  - {savepoint: ready}\n  - {name: say, echo: hi}\n",
    ),
    "TR712": Entry(
        "reusable action that cannot be one",
        "The actions of a file have names of their own and are made of built-in actions, not of each other.",
        "name: hello\nactions:\n  echo: {run: echo hi, revert: none}\ntasks:\n  - {name: say, echo: hi}\n",
        "name: hello\nactions:\n  greet: {run: echo hi, revert: none}\ntasks:\n  - {name: say, greet: {}}\n",
    ),
    "TR713": Entry(
        "misplaced pivot",
        "A pivot is the point of no return: there is one on each way through a workflow, outside of flows that are "
        "run again or fanned out.",
        "name: hello\ntasks:\n  - {name: a, echo: hi, pivot: true}\n  - {name: b, echo: hi, pivot: true}\n",
        "name: hello\ntasks:\n  - {name: a, echo: hi, pivot: true}\n  - {name: b, echo: hi}\n",
    ),
}
