"""Which names an expression may use where; every mistake at its own character."""

import pytest

from tests.spec.workflows import definition, found, ids, of_task, one, task

HEAD = "name: f\ninputs: {api: x, n: 1}\nsecrets: {token: {env: T}}"


def in_echo(expression):
    return of_task(f'echo: "a ${{{{ {expression} }}}}"', HEAD)


@pytest.mark.parametrize(
    "expression",
    [
        "inputs.api",
        "inputs",
        "secrets.token",
        "run.id",
        "run.user",
        "env.HOME",
        "self.attempt",
        "len(inputs.api) + 1",
    ],
)
def test_names_that_are_known_in_an_action(expression):
    assert ids(in_echo(expression)) == []


@pytest.mark.parametrize(
    ("expression", "id_", "shown", "help_"),
    [
        ("input.api", "TR302", "input", "did you mean `inputs`?"),
        ("api", "TR302", "api", None),
        ("inputs.aip", "TR304", "aip", "did you mean `api`?"),
        ("inputs['aip']", "TR304", "'aip'", "did you mean `api`?"),
        ("secrets.tokn", "TR305", "tokn", "did you mean `token`?"),
        ("run.usr", "TR308", "usr", "did you mean `user`?"),
        ("self.inputs.a", "TR307", "a", "declare it under `inputs:` of the task"),
        ("self.outputs", "TR303", "outputs", None),
        ("self.atempt", "TR308", "atempt", "did you mean `attempt`?"),
        ("result.stdout", "TR303", "result", None),
        ("failure.type", "TR303", "failure", None),
        ("event.name", "TR303", "event", None),
        ("item", "TR303", "item", None),
        ("retry.attempt", "TR309", "retry", None),
        ("retries.f.attempt", "TR309", "retries", None),
        ("tasks", "TR313", "tasks", None),
        ("tasks.tt.outputs.x", "TR306", "tt", None),
        ("1 +", "TR401", " ", None),
        ("inputs.api | upper", "TR401", "|", None),
        ("lne(inputs.api)", "TR401", "l", None),
    ],
)
def test_a_wrong_name_is_found_at_its_own_characters(expression, id_, shown, help_):
    finding, pointed = one(in_echo(expression))
    assert (finding.id, pointed) == (id_, shown)
    if help_:
        assert finding.help == help_


def test_several_expressions_of_one_text_are_all_checked():
    text = of_task('echo: "${{ inputs.a }} ${{ 1 + }} ${{ inputs.b }}"', HEAD)
    assert ids(text) == ["TR304", "TR401", "TR304"]


def test_an_expression_deep_in_json_is_found():
    text = of_task(
        "http:\n  post: http://u\n  json:\n    a:\n      - b: ${{ inputs.nope }}\nrevert: none", HEAD
    )
    finding, shown = one(text)
    assert (finding.id, finding.line, shown) == ("TR304", 10, "nope")


def test_an_expression_in_a_block_is_found_in_its_line():
    text = of_task("run: |\n  echo a\n  echo ${{ inputs.nope }}\nrevert: none", HEAD)
    finding, shown = one(text)
    assert (finding.line, shown) == (8, "nope")


@pytest.mark.parametrize(
    ("lines", "id_"),
    [
        ("outputs: {a: result.stdout}", None),
        ("outputs: {a: self.attempt}", None),
        ("outputs: {a: secrets.token}", "TR312"),
        ("outputs: {a: failure.type}", "TR303"),
        ("inputs: {a: '${{ inputs.n }}'}", None),
        ("inputs: {a: '${{ secrets.token }}'}", "TR312"),
        ("inputs: {a: '${{ self.attempt }}'}", "TR303"),
        ("inputs: {a: '${{ result }}'}", "TR303"),
        ("if: inputs.n > 1", None),
        ("if: ${{ inputs.n > 1 }}", None),
        ("if: ${{ inputs.n }} > 1", "TR402"),
        ("if: inputs.n >", "TR401"),
        ("if: self.attempt", "TR303"),
        ("if: true", None),
        ("for_each: inputs.api", None),
        ("for_each: secrets.token", "TR312"),
        ("for_each: ['${{ secrets.token }}']", "TR312"),
        ("for_each: item", "TR303"),
        ("verify: {assert: result.x == 1}", None),
        ("verify: echo ${{ result.stdout }}", None),
        ("check: echo ${{ result.stdout }}", "TR303"),
        ("probe: {run: x, done_if: result.exit_code == 0}", None),
        ("probe: {run: 'echo ${{ result.a }}'}", "TR303"),
        ("probe: {run: x, outputs: {a: result.stdout}}", None),
        ("revert: echo ${{ failure.type }} ${{ self.state }}", None),
        ("revert: echo ${{ failure.typ }}", "TR308"),
        ("revert: echo ${{ result.stdout }}", "TR303"),
        ("outputs: {a: '1'}\nrevert: echo ${{ self.outputs.a }}", None),
        ("outputs: {a: '1'}\nrevert: echo ${{ self.outputs.b }}", "TR307"),
        ("outputs: {idd: '1'}\nrevert: echo ${{ self.outputs.id }}", "TR307"),
        ("inputs: {a: 1}\nrevert: echo ${{ self.inputs.a }} ${{ self.inputs.b }}", "TR307"),
        ("lock: x-${{ inputs.api }}", None),
        ("lock: x-${{ secrets.token }}", "TR312"),
        ("env: {A: '${{ secrets.token }}'}", None),
        ("timeout: ${{ inputs.n }}", "TR205"),
    ],
)
def test_names_are_known_where_they_make_sense(lines, id_):
    assert ids(of_task(f"echo: x\n{lines}", HEAD)) == ([] if id_ is None else [id_])


@pytest.mark.parametrize(
    ("line", "id_"),
    [
        ("env: {A: '${{ secrets.token }} ${{ inputs.api }} ${{ env.HOME }}'}", None),
        ("env: {A: '${{ tasks.t.state }}'}", "TR303"),
        ("lock: a-${{ inputs.api }}", None),
        ("lock: a-${{ secrets.token }}", "TR312"),
        ("lock: a-${{ tasks.t.outputs.x }}", "TR303"),
        ("retry: {for_each: '${{ inputs.api }}'}", None),
        ("retry: {for_each: '${{ secrets.token }}'}", "TR312"),
        ("defaults: {cwd: '${{ inputs.api }}'}", None),
        ("defaults: {env: {A: '${{ tasks.t.state }}'}}", "TR303"),
        ("env_file: '${{ inputs.api }}.env'", "TR403"),
        ("verify_revert: ['echo ${{ failure.type }} ${{ tasks.t.state }}']", None),
        ("verify_revert: ['echo ${{ self.attempt }}']", "TR303"),
        ("verify_revert: [{http: http://u, done_if: result.status == 404}]", None),
        ("notify: [{flow: '*', echo: '${{ event.state }} ${{ inputs.api }}'}]", None),
        ("notify: [{flow: '*', echo: '${{ event.stat }}'}]", "TR308"),
        ("notify: [{flow: '*', echo: '${{ tasks.t.state }}'}]", "TR303"),
    ],
)
def test_names_in_the_settings_of_the_workflow(line, id_):
    text = of_task("echo: x", f"{HEAD}\n{line}")
    assert ids(text) == ([] if id_ is None else [id_])


def test_items_are_known_below_their_for_each():
    body = """
name: f
tasks:
  - name: g
    for_each: [1, 2]
    as: node
    if: env.X == '1'
    tasks:
      - {name: a, echo: "${{ node }} ${{ item }}"}
      - {name: b, echo: "${{ node }} ${{ disk }}", for_each: [x], as: disk, if: node == 1}
  - {name: c, echo: "${{ node }}"}
"""
    assert [(one.id, one.line) for one in found(body)] == [("TR302", 11)]


def test_retry_values_are_known_inside_their_flow():
    body = """
name: f
tasks:
  - name: g
    retry: {for_each: [a]}
    if: retry.attempt == 1
    tasks:
      - {name: a, echo: "${{ retry.value }} ${{ retries.g.value }} ${{ retries.h.value }} ${{ retry.vale }}"}
      - name: h
        retry: {attempts: 2}
        tasks: [{name: b, echo: "${{ retries.g.value }} ${{ retries.h.attempt }} ${{ retry.value }}"}]
"""
    assert [(one.id, one.line, one.severity) for one in found(body)] == [
        ("TR309", 6, "error"),
        ("TR309", 8, "error"),
        ("TR308", 8, "error"),
        ("TR316", 11, "warning"),
    ]


def test_fields_that_are_expressions_are_stored_without_their_braces():
    compiled = task(
        of_task(
            "assert: ${{ 1 == 1 }}\nif: '${{ 2 == 2 }}'\noutputs: {a: '${{ result }}'}\nfor_each: '${{ [1] }}'"
        )
    )
    assert compiled["fields"] == {"that": "1 == 1"}
    assert (compiled["if"], compiled["outputs"], compiled["for_each"]) == ("2 == 2", {"a": "result"}, "[1]")


def test_texts_keep_their_expressions():
    compiled = definition(of_task("run: echo ${{ inputs.api }} $HOME ${HOME}\nrevert: none", HEAD))
    assert compiled["tasks"][0]["fields"]["script"] == "echo ${{ inputs.api }} $HOME ${HOME}"


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("echo '${{ inputs.api }}'", "${{ inputs.api }}"),
        ("cat <<'E'\n  ${{ inputs.api }}\n  E", "${{ inputs.api }}"),
    ],
)
def test_an_expression_where_the_shell_expands_nothing_is_found(script, shown):
    finding, pointed = one(of_task(f"run: |\n  {script}\nrevert: none", HEAD))
    assert (finding.id, pointed) == ("TR501", shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a {{ inputs.api }}", "{{ inputs."),
        ("a {{inputs.api}}", "{{inputs."),
        ("a ${inputs.api}", "${inputs."),
        ("a {{- tasks.t.outputs.x }}", "{{- tasks."),
    ],
)
def test_the_braces_of_other_tools_around_our_names_are_a_warning(text, shown):
    finding, pointed = one(of_task(f"echo: '{text}'", HEAD))
    assert (finding.id, finding.severity, pointed) == ("TR404", "warning", shown)


@pytest.mark.parametrize("text", ["{{ .Names }}", "{{ name }}", "${HOME}", "{inputs.api}"])
def test_other_braces_are_text(text):
    assert (
        ids(
            of_task(f'run: echo "{text}"\nrevert: none', HEAD).replace('echo "', "echo ").replace('"\n', "\n")
        )
        == []
    )


def test_an_item_cannot_take_the_name_of_something_else():
    finding, shown = one(of_task("echo: x\nfor_each: [1]\nas: inputs"))
    assert (finding.id, shown) == ("TR209", "inputs")


def test_an_escaped_expression_is_text():
    assert ids(of_task("run: echo '$${{ not ours }}'\nrevert: none", HEAD)) == []


def test_names_of_lost_inputs_are_not_wrong_a_second_time():
    assert ids(
        of_task("echo: ${{ inputs.a }}", "name: f\ninputs: {a: {type: strng}, b: {tpye: string}}")
    ) == [
        "TR208",
        "TR201",
    ]
    assert ids(of_task("echo: ${{ inputs.a }}", "name: f\ninputs: [a]")) == ["TR203"]


@pytest.mark.parametrize(
    ("script", "name", "expected"),
    [
        ("x", "other", []),
        ("x", "idd", ["TR307"]),
        ("echo idd=1 >> $TASKRUN_OUTPUT", "idd", []),
    ],
)
def test_the_undo_of_a_script_may_use_outputs_that_are_not_declared_but_not_nearly_one(
    script, name, expected
):
    lines = f"run: {script}\noutputs: {{id: result.stdout}}\nrevert: echo ${{{{ self.outputs.{name} }}}}"
    assert ids(of_task(lines)) == expected
    use = f"name: f\nactions:\n  a:\n    run: {script}\n    outputs: {{id: result.stdout}}\n"
    use += f"    revert: echo ${{{{ self.outputs.{name} }}}}\ntasks: [{{name: t, a: {{}}}}]"
    assert ids(use) == expected
