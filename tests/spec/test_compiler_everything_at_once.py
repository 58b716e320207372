"""One file, many mistakes, each reported once, in order, and none hidden by another."""

import os
import subprocess
import sys
from pathlib import Path

from taskrun.spec.diagnostics import render_plain
from tests.spec.workflows import definition, found

BROKEN = """\
name: broken
pattern: graph
descripton: x                            # unknown key
inputs:
  count: {type: integer, default: three}  # a default of another type
  target: {type: strng}                   # no such type
  api: http://x
timeout: 30                              # no unit
tasks:
  - name: a
    run: mkdir a
    revrt: rmdir a                       # unknown key
  - run: echo                            # no name
    revert: none
  - name: a                              # name taken
    echo: x
  - name: unknown
    rnu: x                               # unknown action
  - name: two
    run: x
    http: http://u                              # two actions
    revert: none
  - name: slow
    echo: x
    timeout: 5 minutes                   # bad duration
  - name: waits
    echo: x
    needs: [slwo]                        # unknown name
  - name: c1
    echo: x
    needs: [c2]                          # a cycle
  - name: c2
    echo: x
    needs: [c1]
  - name: names
    run: echo ${{ inputs.aip }} '${{ inputs.api }}'   # unknown input; single quotes
    revert: echo ${{ 1 + }}              # syntax
    outputs: {id: reslt.stdout}          # unknown name
  - name: typed
    run: {script: x, expect: zero}       # wrong type
    retry: {attempts: "3"}               # wrong type
    revert: none
  - name: twice
    echo: x
    echo: y                              # duplicate YAML key
  - name: reads
    echo: ${{ tasks.names.outputs.idd }} ${{ tasks.nope.state }}   # unknown output; unknown task
  - name: words
    description: true                    # needs quotes
    run: x
    revert: auto                         # cannot undo itself
  - just text                            # no task
notify:
  - {flow: [SUCESS], run: x}             # unknown state
"""
EXPECTED = [
    ("TR201", 3),
    ("TR801", 5),
    ("TR208", 6),
    ("TR205", 8),
    ("TR201", 12),
    ("TR202", 13),
    ("TR301", 15),
    ("TR702", 18),
    ("TR703", 21),
    ("TR205", 25),
    ("TR310", 28),
    ("TR601", 29),
    ("TR304", 36),
    ("TR501", 36),
    ("TR401", 37),
    ("TR302", 38),
    ("TR206", 40),
    ("TR206", 41),
    ("TR130", 45),
    ("TR307", 47),
    ("TR306", 47),
    ("TR204", 49),
    ("TR705", 51),
    ("TR203", 52),
    ("TR314", 54),
]


def test_every_mistake_of_a_file_is_reported_once_and_in_order():
    assert [(one.id, one.line) for one in found(BROKEN)] == EXPECTED


def test_each_mistake_alone_is_reported_as_well():
    lines = BROKEN.split("\n")
    for one in found(BROKEN):
        assert one.length >= 1
        assert one.column - 1 + one.length <= len(lines[one.line - 1]) + 1


def test_no_message_speaks_the_validators_language():
    shown = "\n".join(f"{one.message} {one.help}" for one in found(BROKEN)).lower()
    for word in ("pydantic", "input should", "type=", "typeddict", "function-", "union", "literal", "none"):
        assert word not in shown.replace("`none`", "").replace("\nnone", "").replace(" none", "")


def test_findings_are_the_same_in_every_process():
    program = (
        "import sys; from taskrun.spec.compiler import compile_text; from taskrun.errors import WorkflowError\n"
        "try: compile_text(sys.stdin.buffer.read(), 'x.yaml')\n"
        "except WorkflowError as error: print(*error.diagnostics, sep='\\n')"
    )
    root = Path(__file__).parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=BROKEN.encode(),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_the_findings_can_be_shown():
    from taskrun.errors import WorkflowError
    from taskrun.spec.compiler import compile_text

    try:
        compile_text(BROKEN.encode(), "x.yaml")
    except WorkflowError as error:
        shown = render_plain(error.diagnostics, error.sources)
    assert shown.count("error[TR") == len(EXPECTED)
    assert "12 |     revrt: rmdir a" in shown
    assert "   |     ^^^^^\n   = help: did you mean `revert`?" in shown


def test_a_definition_is_the_same_in_every_process():
    text = "name: f\npattern: graph\ntasks:\n" + "".join(
        f"  - {{name: t{i}, echo: x, needs: [{', '.join(f't{k}' for k in range(i))}]}}\n" for i in range(9)
    )
    assert definition(text) == definition(text)
    assert definition(text)["flows"][0]["edges"] == [[k, i] for k in range(9) for i in range(k + 1, 9)]
