"""TR3xx: names and references."""

from taskrun.spec.catalog.entry import Entry

_BUILD = "  - name: build\n    run: make\n    revert: make clean\n    outputs: {id: result.stdout}\n"
_HELLO = "name: hello\ninputs: {login: alice}\nsecrets: {token: {env: TOKEN}}\ntasks:\n"


def _after(expression: str) -> str:
    """A second task that shows an expression."""
    return f"{_HELLO}{_BUILD}  - name: show\n    echo: ${{{{ {expression} }}}}\n"


def _graph(needs: str) -> str:
    return (
        "name: hello\npattern: graph\ntasks:\n  - {name: build, run: make, revert: none}\n"
        f"  - name: group\n    tasks: [{{name: inner, echo: hi}}]\n  - {{name: show, echo: hi, needs: {needs}}}\n"
    )


ENTRIES: dict[str, Entry] = {
    "TR301": Entry(
        "name taken",
        "Names of tasks, nested flows and savepoints are unique in a file: messages, `needs` and references name them.",
        "name: hello\ntasks:\n  - {name: show, echo: a}\n  - {name: show, echo: b}\n",
        "name: hello\ntasks:\n  - {name: show, echo: a}\n  - {name: show_again, echo: b}\n",
    ),
    "TR302": Entry(
        "unknown name in an expression",
        "No name like this exists in expressions. A text needs quotes inside an expression too.",
        _after("input.login"),
        _after("inputs.login"),
    ),
    "TR303": Entry(
        "name not known here",
        "The name exists, but not at this place: `result` is known when an action has ended (`outputs`, `verify`, "
        "`done_if`), `failure` when something is undone (`revert`), `event` in `notify`, `item` below a `for_each`.",
        _after("result.stdout"),
        _after("tasks.build.outputs.id"),
    ),
    "TR304": Entry(
        "unknown input",
        "The workflow, or the reusable action, declares no input of this name.",
        _after("inputs.logn"),
        _after("inputs.login"),
    ),
    "TR305": Entry(
        "unknown secret",
        "The workflow declares no secret of this name.",
        _after("secrets.tokn"),
        _after("secrets.token"),
    ),
    "TR306": Entry(
        "unknown task in an expression",
        "There is no task of this name in the file.",
        _after("tasks.biuld.outputs.id"),
        _after("tasks.build.outputs.id"),
    ),
    "TR307": Entry(
        "unknown output or input of a task",
        "The task declares no output of this name. `run`, `exec` and `python` may give more through the file "
        "`$TASKRUN_OUTPUT`; for them only a name that is nearly a declared one is an error. "
        "In `self.inputs` and `self.outputs` it is the task's own.",
        _after("tasks.build.outputs.idd"),
        _after("tasks.build.outputs.id"),
    ),
    "TR308": Entry(
        "no such part",
        "What stands before the dot has no such part: a task has `outputs` and `state`, `run` has `id`, `name`, "
        "`started_at` and `user`, a retry `attempt` and `value`.",
        _after("tasks.build.id"),
        _after("tasks.build.outputs.id"),
    ),
    "TR309": Entry(
        "no controller around",
        "`retry` and `retries` are there inside a flow, or a workflow, that has a `retry:` of its own. The `retry` of "
        "a task is no such controller; its attempts are counted in `self.attempt`.",
        _after("retry.attempt"),
        "retry: {attempts: 2}\n" + _after("retry.attempt"),
    ),
    "TR310": Entry(
        "unknown name in needs",
        "There is no task and no flow of this name in the file.",
        _graph("[biuld]"),
        _graph("[build]"),
    ),
    "TR311": Entry(
        "needs something in another flow",
        "`needs` orders the entries of one flow. To wait for something inside a nested flow, need that flow; to let "
        "something inside a nested flow wait, give the `needs` to that flow.",
        _graph("[inner]"),
        _graph("[group]"),
    ),
    "TR312": Entry(
        "secret where it would be kept",
        "Outputs, inputs of tasks, items and names of locks are written to the journal, and secrets never are. "
        "Use the secret where it is needed: in the fields of an action, in `env`, in `revert`.",
        "name: hello\nsecrets: {token: {env: TOKEN}}\ntasks:\n"
        "  - {name: show, echo: hi, outputs: {token: secrets.token}}\n",
        'name: hello\nsecrets: {token: {env: TOKEN}}\ntasks:\n  - {name: show, echo: "${{ secrets.token }}"}\n',
    ),
    "TR313": Entry(
        "task not named",
        "Which task an expression refers to has to be known before a run, so that it can be ordered: "
        "write `tasks.NAME`, not `tasks[...]` with a computed name.",
        _after("tasks[inputs.login].outputs.id"),
        _after("tasks.build.outputs.id"),
    ),
    "TR314": Entry(
        "unknown state",
        '`notify` names the states to be told of, in capitals, or `"*"` for all of them.',
        "name: hello\ntasks: [{name: show, echo: hi}]\nnotify:\n  - {flow: [SUCESS], run: ./announce.sh}\n",
        "name: hello\ntasks: [{name: show, echo: hi}]\nnotify:\n  - {flow: [SUCCESS], run: ./announce.sh}\n",
    ),
    "TR315": Entry(
        "flow where a task is needed",
        "Only tasks have outputs and a state that expressions can use; name a task inside the flow. Tasks of an "
        'included file have its name in front: `tasks["outer.inner"].outputs.id`.',
        "name: hello\ntasks:\n  - name: group\n    tasks: [{name: inner, echo: hi, outputs: {x: '1'}}]\n"
        "  - {name: show, echo: '${{ tasks.group.outputs.x }}'}\n",
        "name: hello\ntasks:\n  - name: group\n    tasks: [{name: inner, echo: hi, outputs: {x: '1'}}]\n"
        "  - {name: show, echo: '${{ tasks.inner.outputs.x }}'}\n",
    ),
    "TR316": Entry(
        "retry without values",
        "`retry.value` is the item a controller with `for_each` is at. A controller that only counts attempts has no "
        "values, so this is always null.",
        "retry: {attempts: 2}\n" + _after("retry.value"),
        "retry: {for_each: [a, b]}\n" + _after("retry.value"),
    ),
    "TR317": Entry(
        "secret on a command line",
        "What stands in `argv` of `exec` can be seen by everybody who uses the machine (`ps`). A program takes a secret from "
        "its environment, its standard input or a file. In `run` it travels in the environment by itself.",
        "name: hello\nsecrets: {token: {env: TOKEN}}\ntasks:\n"
        '  - {name: get, exec: [curl, "-HX-Key: ${{ secrets.token }}", "http://127.0.0.1/"], revert: none}\n',
        "name: hello\nsecrets: {token: {env: TOKEN}}\ntasks:\n"
        "  - {name: get, exec: {argv: [curl, -K, -, 'http://127.0.0.1/'], "
        'stdin: "header = X-Key: ${{ secrets.token }}"}, revert: none}\n',
    ),
}
