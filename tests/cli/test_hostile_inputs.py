"""No value becomes code: whatever an input holds, wherever a script uses it, the script prints it and nothing else happens."""

import json

import pytest

from tests.command import Taskrun

HOSTILE = {
    "a command": "$(touch pwned)",
    "backquotes": "`touch pwned`",
    "a semicolon": "; touch pwned #",
    "the end of a double quote": '"; touch pwned; echo "',
    "the end of a single quote": "'; touch pwned; echo '",
    "the end of a here-document": "EOF\ntouch pwned\nEOF",
    "a newline": "x\ntouch pwned",
    "a pipe": "| touch pwned",
    "globs": "* ? [a-z]* ~ {a,b}",
    "an option": "-rf --help",
    "a variable": "$HOME ${HOME} $$ $?",
    "backslashes": "\\\\ \\n \\",
    "arithmetic": "$((1+1)) a[$(touch pwned)]",
    "our own braces": "${{ inputs.other }} }}",
    "blanks": "  two  words\t ",
    "an assignment": "PATH=/nowhere",
    "high characters": "é\u2028\U0001f600",
}
SCRIPTS = {
    "unquoted": "printf '%s|' ${{ inputs.x }} end",
    "in double quotes": "printf '%s|' \"${{ inputs.x }}\" end",
    "in a here-document": "cat <<EOF\n${{ inputs.x }}\nEOF\n",
    "in a command substitution": "printf '%s|' \"$(printf '%s' ${{ inputs.x }})\" end",
    "in an assignment": "x=${{ inputs.x }}; printf '%s|' \"$x\" end",
    "in a default": "printf '%s|' \"${nothing:-${{ inputs.x }}}\" end",
    "twice": "printf '%s|' \"a${{ inputs.x }}b\" end",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_hostile_value_is_printed_and_never_executed(script: str, taskrun: Taskrun) -> None:
    tasks = [
        {
            "name": f"t{i}",
            "run": script.replace("inputs.x", f"inputs.x{i}"),
            "revert": "none",
            "outputs": {"x": "result.stdout"},
        }
        for i in range(len(HOSTILE))
    ]
    inputs = {f"x{i}": {"type": "string"} for i in range(len(HOSTILE))}
    taskrun.file(json.dumps({"name": "hostile", "inputs": inputs, "tasks": tasks}))
    given = [word for i, value in enumerate(HOSTILE.values()) for word in ("-i", f"x{i}={value}")]
    done = taskrun("run", "w.yaml", "-j", 1, "-o", "ndjson", *given)
    assert done.code == 0, done.out + done.err
    assert not (taskrun.folder / "pwned").exists()
    outputs = [e["outputs"]["x"] for e in done.events if e["kind"] == "task" and e["state"] == "SUCCESS"]
    for got, value in zip(outputs, HOSTILE.values(), strict=True):
        if "EOF" in script:
            assert got == value
        elif '"a$' in script:
            assert got == f"a{value}b|end|"
        else:
            assert got == f"{value}|end|"


def test_a_hostile_value_is_one_word_of_argv_and_one_string_of_python(taskrun: Taskrun) -> None:
    value = "a b'; $(touch pwned) \"\n*"
    taskrun.file(
        json.dumps(
            {
                "name": "hostile",
                "inputs": {"x": {"type": "string"}},
                "tasks": [
                    {
                        "name": "program",
                        "exec": ["printf", "%s|", "${{ inputs.x }}", "end"],
                        "revert": "none",
                        "outputs": {"x": "result.stdout"},
                    },
                    {
                        "name": "snake",
                        "python": {"code": "result = x", "args": {"x": "${{ inputs.x }}"}},
                        "revert": "none",
                        "outputs": {"x": "result.value"},
                    },
                ],
            }
        )
    )
    done = taskrun("run", "w.yaml", "-o", "ndjson", "-i", f"x={value}")
    assert done.code == 0, done.out + done.err
    outputs = {
        e["name"]: e["outputs"]["x"] for e in done.events if e["kind"] == "task" and e["state"] == "SUCCESS"
    }
    assert outputs == {"program": f"{value}|end|", "snake": value}
    assert not (taskrun.folder / "pwned").exists()


def test_a_value_larger_than_an_environment_may_hold_arrives_whole(taskrun: Taskrun) -> None:
    taskrun.file(
        json.dumps(
            {
                "name": "large",
                "inputs": {"n": {"type": "integer"}},
                "tasks": [
                    {
                        "name": "make",
                        "python": {"code": "result = 'x' * n", "args": {"n": "${{ inputs.n }}"}},
                        "revert": "none",
                        "outputs": {"x": "result.value"},
                    },
                    {
                        "name": "use",
                        "run": "printf %s ${{ tasks.make.outputs.x }} | wc -c",
                        "revert": "none",
                        "outputs": {"n": "int(result.stdout)"},
                    },
                ],
            }
        )
    )
    done = taskrun("run", "w.yaml", "-o", "ndjson", "-i", "n=500000")
    assert done.code == 0, done.err
    assert done.events[-3]["outputs"] == {"n": 500000}
