"""Workflows inside workflows: names, inputs, secrets, paths, and files that cannot be included."""

import json
import marshal

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.compiler import compile_file
from taskrun.spec.compiling import includes
from taskrun.spec.expressions import parse
from taskrun.spec.inputs import resolve_inputs
from tests.command import Taskrun

DATABASE = """
name: database
inputs: {name: {type: string}, size: 1, options: {type: object, default: {}}}
secrets: {password: {file: pw}}
env: {DB: "${{ inputs.name }}"}
tasks:
  - name: create
    run: createdb ${{ inputs.name }} ${{ inputs.size + 1 }} ${{ secrets.password }}
    outputs: {url: result.stdout}
    revert: dropdb ${{ inputs.name }}
  - name: fill
    retry: {attempts: 2}
    tasks:
      - {name: load, echo: "${{ tasks.create.outputs.url }} ${{ retries.fill.attempt }}", env: {A: b}}
"""


@pytest.fixture
def files(tmp_path):
    def write(**contents):
        for name, text in contents.items():
            path = tmp_path / (name.replace("__", "/") + ".yaml")
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        return str(tmp_path / "main.yaml")

    return write


def test_a_workflow_without_a_file_is_said(tmp_path):
    path = tmp_path / "flow.yaml"
    path.write_text("name: f\ntasks: [{name: a, workflow: ''}]\n")
    with pytest.raises(WorkflowError) as caught:
        compile_file(str(path))
    assert [(each.id, each.message) for each in caught.value.diagnostics] == [("TR804", "`file` is empty")]


def main(*lines, head="name: f\ninputs: {who: x}"):
    return f"{head}\ntasks:\n" + "".join(f"  {line}\n" for line in lines)


def found(path, **options):
    try:
        return compile_file(path, **options).diagnostics
    except WorkflowError as error:
        return error.diagnostics


def ids(path, **options):
    return [one.id for one in found(path, **options)]


def test_a_file_becomes_a_nested_flow_with_its_name_in_front(files):
    path = files(
        main=main("- {name: db, workflow: {file: database.yaml, inputs: {name: app}}}"), database=DATABASE
    )
    definition = compile_file(path).definition
    root, db, fill = definition["flows"]
    assert root["children"] == [["flow", 1]]
    assert (db["name"], db["parent"], db["children"]) == ("db", 0, [["task", 0], ["flow", 2]])
    assert (fill["name"], fill["parent"], fill["retry"]) == ("db.fill", 1, {"attempts": 2})
    assert [task["name"] for task in definition["tasks"]] == ["db.create", "db.load"]
    assert [task["flow"] for task in definition["tasks"]] == [1, 2]
    create, load = definition["tasks"]
    assert create["fields"]["script"] == 'createdb ${{ "app" }} ${{ 1 + 1 }} ${{ secrets["db.password"] }}'
    assert create["revert"]["fields"]["script"] == 'dropdb ${{ "app" }}'
    assert (
        load["fields"]["message"] == '${{ tasks["db.create"].outputs.url }} ${{ retries["db.fill"].attempt }}'
    )
    assert load["env"] == {"DB": '${{ "app" }}', "A": "b"}
    assert definition["secrets"] == {"db.password": {"file": "pw"}}
    assert list(definition["includes"]) == [path.replace("main", "database")]
    assert db["file"] == path.replace("main", "database")
    assert marshal.loads(marshal.dumps(definition)) == json.loads(json.dumps(definition)) == definition


def test_inputs_may_stand_beside_the_file_and_hold_expressions(files):
    path = files(
        main=main(
            "- name: db",
            "  workflow: database.yaml",
            "  inputs: {name: 'a-${{ inputs.who }}', size: '${{ 2 + 3 }}'}",
        ),
        database=DATABASE,
    )
    create = compile_file(path).definition["tasks"][0]
    assert create["fields"]["script"].startswith(
        'createdb ${{ (str("a-") + str(inputs.who)) }} ${{ _input((2 + 3), "db.size", ({"type": "integer"})) + 1 }}'
    )


def test_a_file_may_be_used_twice(files):
    uses = [
        f"- {{name: {name}, workflow: {{file: database.yaml, inputs: {{name: {name}}}}}}}"
        for name in ("a", "b")
    ]
    definition = compile_file(files(main=main(*uses), database=DATABASE)).definition
    assert [flow["parent"] for flow in definition["flows"]] == [-1, 0, 1, 0, 3]
    assert [task["name"] for task in definition["tasks"]] == ["a.create", "a.load", "b.create", "b.load"]
    assert definition["tasks"][2]["revert"]["fields"]["script"] == 'dropdb ${{ "b" }}'


def test_files_include_files(files):
    path = files(
        main=main("- {name: outer, workflow: {file: sub/middle.yaml, inputs: {who: me}}}"),
        sub__middle=main(
            "- {name: db, workflow: {file: below/database.yaml, inputs: {name: '${{ inputs.who }}'}}}"
        ),
        sub__below__database=DATABASE,
    )
    definition = compile_file(path).definition
    assert [flow["name"] for flow in definition["flows"]] == ["f", "outer", "outer.db", "outer.db.fill"]
    assert [flow["parent"] for flow in definition["flows"]] == [-1, 0, 1, 2]
    create, load = definition["tasks"]
    assert (create["name"], create["flow"], load["flow"]) == ("outer.db.create", 2, 3)
    assert create["fields"]["script"] == (
        'createdb ${{ ("me") }} ${{ 1 + 1 }} ${{ secrets["outer.db.password"] }}'
    )
    assert load["fields"]["message"].startswith('${{ tasks["outer.db.create"].outputs.url }}')
    assert create["dir"] == path.removesuffix("main.yaml") + "sub/below"


def test_tasks_of_the_same_folder_have_no_folder_of_their_own(files):
    path = files(
        main=main("- {name: db, workflow: {file: database.yaml, inputs: {name: a}}}"), database=DATABASE
    )
    assert "dir" not in compile_file(path).definition["tasks"][0]


def test_the_outer_file_orders_and_reads_what_is_inside(files):
    path = files(
        main=main(
            "- {name: say, echo: '${{ tasks[\"db.create\"].outputs.url }}'}",
            "- {name: first, echo: x, outputs: {v: '1'}}",
            "- name: db",
            "  workflow: {file: database.yaml, inputs: {name: '${{ tasks.first.outputs.v }}'}}",
            "  if: inputs.who == 'x'",
            "  needs: [other]",
            "- {name: other, echo: x}",
            head="name: f\npattern: graph\ninputs: {who: x}",
        ),
        database=DATABASE,
    )
    root, db, _ = compile_file(path).definition["flows"]
    assert root["edges"] == [[1, 2], [2, 0], [3, 2]]
    assert db["if"] == "inputs.who == 'x'"


def test_controllers_and_patterns_of_the_file_are_those_of_its_flow(files):
    inner = (
        "name: inner\npattern: graph\nretry: {for_each: '${{ inputs.l }}'}\ninputs: {l: [1]}\ntasks:\n"
        + (
            "  - {name: a, echo: '${{ retry.value }} ${{ retries.inner.attempt }}', needs: b}\n  - {name: b, echo: x}\n"
        )
    )
    path = files(main=main("- {name: i, workflow: inner.yaml}"), inner=inner)
    definition = compile_file(path).definition
    flow = definition["flows"][1]
    assert (flow["pattern"], flow["edges"]) == ("graph", [[1, 0]])
    assert flow["retry"] == {"for_each": 'inputs["i.l"]'}
    assert definition["tasks"][0]["fields"]["message"] == '${{ retry.value }} ${{ retries["i"].attempt }}'
    assert resolve_inputs(definition, {}, {}) == {"who": "x", "i.l": [1]}


def test_a_large_value_is_no_part_of_an_expression(files):
    path = files(
        main=main("- {name: db, workflow: {file: database.yaml, inputs: {name: '" + "x" * 5000 + "'}}}"),
        database=DATABASE,
    )
    definition = compile_file(path).definition
    assert definition["tasks"][0]["revert"]["fields"]["script"] == 'dropdb ${{ inputs["db.name"] }}'
    assert definition["inputs"]["db.name"] == {"type": "string", "default": "x" * 5000, "fixed": True}


def test_every_expression_of_an_included_file_can_be_read(files):
    inner = (
        "name: inner\ninputs: {a: {type: object, default: {k: [1, {z: null}]}}, b: -3, c: 'it''s \"q\" \\ é'}\ntasks:\n"
        "  - name: t\n    for_each: inputs.a.k\n    assert: \"inputs.a.k[0] - inputs.b == 4 and 'inputs.b' != inputs.c\"\n"
        "    if: \"inputs['b'] < 0 and {'inputs': inputs}.inputs.b < 0\"\n"
    )
    task = compile_file(files(main=main("- {name: i, workflow: inner.yaml}"), inner=inner)).definition[
        "tasks"
    ][0]
    scope = {"inputs": {"i.a": {"k": [1, {"z": None}]}}}
    assert parse(task["if"]).evaluate(scope) is True
    assert parse(task["fields"]["that"]).evaluate(scope) is True
    assert parse(task["for_each"]).evaluate(scope) == [1, {"z": None}]


def test_checks_after_a_rollback_are_those_of_all_files(files):
    inner = "name: inner\ninputs: {a: b}\nverify_revert: ['test ! -e ${{ inputs.a }}']\ntasks: [{name: t, echo: x}]\n"
    path = files(main=main("- {name: i, workflow: inner.yaml}") + "verify_revert: ['true']\n", inner=inner)
    scripts = [call["fields"]["script"] for call in compile_file(path).definition["verify_revert"]]
    assert scripts == ["true", 'test ! -e ${{ "b" }}']


def test_mistakes_of_all_files_come_together_each_once_and_in_its_file(files):
    inner = "name: inner\ntasks:\n  - {name: t, rnu: x}\n"
    path = files(
        main=main(
            "- {name: a, workflow: inner.yaml}", "- {name: b, workflow: inner.yaml}", "- {name: b, echo: x}"
        ),
        inner=inner,
    )
    assert [(one.id, one.path.rpartition("/")[2], one.line) for one in found(path)] == [
        ("TR702", "inner.yaml", 3),
        ("TR301", "main.yaml", 6),
    ]
    with pytest.raises(WorkflowError) as caught:
        compile_file(path)
    assert set(caught.value.sources) == {path, path.replace("main", "inner")}


def test_a_file_that_is_no_yaml_is_reported_in_its_place(files):
    path = files(main=main("- {name: a, workflow: inner.yaml}"), inner="a: [")
    assert [one.path.rpartition("/")[2] for one in found(path)] == ["inner.yaml"]


@pytest.mark.parametrize(
    ("use", "id_"),
    [
        ("workflow: {file: database.yaml, inputs: {nmae: a}}", "TR710"),
        ("workflow: database.yaml", "TR710"),
        ("workflow: {file: database.yaml, inputs: {name: [a]}}", "TR710"),
        ("workflow: {file: database.yaml, inputs: {name: '${{ inputs.whoo }}'}}", "TR304"),
        ("workflow: {file: database.yaml, inputs: {name: a}}, revert: x", "TR211"),
        ("workflow: {file: database.yaml, inputs: {name: a}}, inputs: {name: b}", "TR212"),
        ("workflow: nothing.yaml", "TR804"),
        ("workflow: sub", "TR804"),
        ("workflow: ../outside.yaml", "TR805"),
        ("workflow: /etc/passwd", "TR805"),
        ("workflow: link.yaml", "TR805"),
        ("workflow: main.yaml", "TR806"),
        ("workflow: circle.yaml", "TR806"),
        ("workflow: '${{ inputs.who }}.yaml'", "TR403"),
        ("workflow: retried.yaml, retry: {attempts: 2}", "TR212"),
        ("workflow: locked.yaml", "TR808"),
    ],
)
def test_what_cannot_be_included_is_refused(files, tmp_path, use, id_):
    path = files(
        main=main(f"- {{name: db, {use}}}"),
        database=DATABASE,
        circle=main("- {name: again, workflow: main.yaml}"),
        locked="name: l\nlock: x\ntasks: [{name: t, echo: x}]",
        retried="name: r\nretry: {attempts: 3}\ntasks: [{name: t, echo: x}]",
        sub__other="name: x",
    )
    (tmp_path.parent / "outside.yaml").write_text("name: o\ntasks: [{name: t, echo: x}]")
    (tmp_path / "link.yaml").symlink_to(tmp_path.parent / "outside.yaml")
    assert set(ids(path)) == {id_}


def test_a_file_outside_of_the_folder_can_be_allowed(files, tmp_path):
    (tmp_path.parent / "outside.yaml").write_text("name: o\ntasks: [{name: t, echo: x}]")
    path = files(main=main("- {name: o, workflow: ../outside.yaml}"))
    assert ids(path, allow_outside=True) == []


def test_what_has_no_effect_inside_is_a_warning(files):
    path = files(
        main=main("- {name: i, workflow: inner.yaml}"),
        inner="name: i\ntimeout: 5s\non_failure: stop\ntasks: [{name: t, echo: x}]",
    )
    assert [(one.id, one.severity) for one in found(path)] == [("TR809", "warning"), ("TR809", "warning")]


def test_files_that_double_each_time_stop_before_they_fill_the_memory(files, monkeypatch):
    monkeypatch.setattr(includes, "MOST_TASKS", 5000)
    names = [f"level{i}" for i in range(14)]
    contents = {
        name: main(*(f"- {{name: t{k}, workflow: {following}.yaml}}" for k in range(4)))
        for name, following in zip(names, names[1:])
    }
    contents[names[-1]] = (
        "name: leaf\ntasks: [" + ", ".join(f"{{name: t{i}, echo: x}}" for i in range(20)) + "]"
    )
    path = files(main=main("- {name: bomb, workflow: level8.yaml}"), **contents)
    assert ids(path) == ["TR807"]


LIMITED = "name: inner\ninputs: {n: {type: integer, maximum: 10}, s: {pattern: '^a', default: ab}}\ntasks: [{name: a, echo: '${{ inputs.n }} ${{ inputs.s }}'}]\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("n: '${{ inputs.big }}'", "the input t.n is 99, and must be at most 10"),
        ("n: '${{ inputs.word }}'", 't.n is "word", not an integer'),
        ("n: 'x${{ inputs.big }}'", 't.n is "x99", not an integer'),
        ("n: 1, s: '${{ inputs.word }}'", 't.s is "word", which does not match `^a`'),
        ("n: '${{ inputs.big - 90 }}', s: 'a${{ inputs.word }}'", "9 aword"),
    ],
)
def test_limits_of_inputs_hold_for_what_only_the_run_knows(given: str, said: str, taskrun: Taskrun) -> None:
    taskrun.file(LIMITED, "inner.yaml")
    taskrun.file(
        "name: outer\ninputs: {big: 99, word: word}\ntasks:\n"
        f"  - {{name: t, workflow: {{file: inner.yaml, inputs: {{{given}}}}}}}\n"
    )
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert said in done.out.replace('\\"', '"')
    assert done.code == (0 if said == "9 aword" else 1)
    assert taskrun("plan", "w.yaml").code in (0, 1)
