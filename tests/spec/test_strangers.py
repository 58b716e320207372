"""What somebody writes who knows other tools and has only skimmed this one: the message says what to write instead."""

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.compiler import compile_text
from taskrun.spec.elsewhere import meant

HEAD = "name: w\ntasks:\n"


def found(text: str) -> list[str]:
    try:
        compiled = compile_text(text.encode(), "w.yaml")
    except WorkflowError as error:
        return [f"{d.line}:{d.column} {d.id} {d.message} | {d.help}" for d in error.diagnostics]
    return [f"{d.line}:{d.column} {d.id} {d.message} | {d.help}" for d in compiled.diagnostics]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "  - run: echo hi\n", ["3:5 TR202 this task has no name | add `name: ...`"]),
        (
            "name: w\ninputs: {n: {type: integer, default: abc}}\ntasks: [{name: a, echo: hi}]\n",
            ['2:38 TR801 the default is "abc", not an integer | write a whole number, such as 3'],
        ),
        (
            "name: w\ninputs: {n: {type: integer, default: '3'}}\ntasks: [{name: a, echo: hi}]\n",
            ['2:38 TR801 the default is "3", not an integer | leave the quotes out'],
        ),
        (
            "name: w\ninputs: {n: {type: boolean, default: 'on'}}\ntasks: [{name: a, echo: hi}]\n",
            ['2:38 TR801 the default is "on", not a boolean | write `true` or `false`'],
        ),
        (
            "name: w\nsecrets: {t: TOKEN}\ntasks: [{name: a, echo: hi}]\n",
            [
                '2:14 TR203 `t` takes a map, not the text "TOKEN" | say where it is: `t: {env: TOKEN}`, or `file`, or `command`'
            ],
        ),
        (
            "name: w\nsteps:\n  - {name: a, echo: hi}\n",
            [
                "1:1 TR202 a workflow needs `tasks`",
                "2:1 TR201 a workflow has no key `steps` | did you mean `tasks`?",
            ],
        ),
        (
            HEAD + "  - {name: a, run: echo, revert: {cmd: echo}}\n",
            ["3:35 TR702 there is no action or key `cmd` | did you mean `run`?"],
        ),
        (
            HEAD + "  - {name: a, echo: hi, retry: {times: 3}}\n",
            [
                "3:25 TR202 `retry` needs `attempts`",
                "3:33 TR201 `retry` has no key `times` | did you mean `attempts`?",
            ],
        ),
        (
            HEAD + "  - {name: a, run: echo, revert: none, depends_on: [b]}\n",
            ["3:40 TR201 there is no key `depends_on` here | did you mean `needs`?"],
        ),
        (
            HEAD + "  - {name: a, run: echo, revert: none, continue-on-error: true}\n",
            ["3:40 TR201 there is no key `continue-on-error` here | did you mean `allow_failure`?"],
        ),
        (
            HEAD + "  - {name: a, run: echo, done_if: 'true', revert: none}\n",
            [
                "3:26 TR201 there is no key `done_if` here | it stands in `check` or `probe`, beside their action"
            ],
        ),
        (
            HEAD + "  - {name: a, run: echo, verify: {if: result.exit_code == 0}, revert: none}\n",
            [
                "3:35 TR702 there is no action or key `if` | an expression is checked by an action: `assert: ...`"
            ],
        ),
        (
            HEAD + "  - {name: g, tasks: []}\n",
            ["3:22 TR210 `tasks` is an empty list | it needs at least one item"],
        ),
        (
            HEAD + "  - {name: a, run: echo, revert: {impossible: }}\n",
            ["3:47 TR204 `impossible` is empty"],
        ),
        (
            HEAD + "  - {name: a, run: echo, outputs: result.stdout, revert: none}\n",
            [
                '3:35 TR203 `outputs` takes a map, not the text "result.stdout" | give each a name: `outputs: {text: result.stdout}`'
            ],
        ),
        (
            "name: w\npattern: parallel\ntasks: [{name: a, echo: hi}]\n",
            ["2:10 TR208 `pattern` cannot be `parallel` | did you mean `unordered`?"],
        ),
    ],
)
def test_the_message_is_the_one_and_says_what_to_write(text: str, said: list[str]) -> None:
    got = found(text)
    assert len(got) == len(said), got
    for line, expected in zip(got, said, strict=True):
        assert line.startswith(expected)


def test_a_word_of_another_tool_is_no_reason_to_suggest_what_is_not_there() -> None:
    assert meant("steps", ["name", "run"]) is None
    assert meant("Depends-On", ["needs", "name"]) == "needs"
    assert meant("nmae", ["needs", "name"]) == "name"
