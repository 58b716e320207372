"""Reusable actions: what a task gets from one, and how its inputs travel."""

import pytest

from tests.spec.workflows import definition, found, ids, one

ACCOUNT = """
name: f
inputs: {who: alice, n: 1}
secrets: {token: {env: T}}
actions:
  account:
    description: an account
    inputs:
      login: string
      shell: {type: string, default: /bin/sh}
      uid: {type: integer, minimum: 1000, default: 1000}
    run: useradd -s ${{ inputs.shell }} -u ${{ inputs.uid }} ${{ inputs.login }}
    env: {LOGIN: "${{ inputs.login }}", LANG: C}
    timeout: 5s
    check: id ${{ inputs.login }}
    probe: {run: "id ${{ inputs.login }}", done_if: result.exit_code == 0}
    verify: {assert: inputs.login in result.stdout}
    outputs: {line: result.stdout + inputs.login}
    revert: {run: "userdel ${{ inputs.login }}", retry: {attempts: 2}}
tasks:
"""


def using(*lines):
    return ACCOUNT + "".join(f"  {line}\n" for line in lines)


def test_a_use_becomes_a_task_with_the_inputs_of_the_action():
    compiled = definition(using("- {name: t, account: {login: bob}}"))["tasks"][0]
    compiled.pop("line")
    compiled.pop("column")
    assert compiled == {
        "name": "t",
        "flow": 0,
        "kind": "run",
        "fields": {
            "script": "useradd -s ${{ self.inputs.shell }} -u ${{ self.inputs.uid }} ${{ self.inputs.login }}"
        },
        "env": {"LOGIN": "${{ self.inputs.login }}", "LANG": "C"},
        "timeout": 5.0,
        "check": {"kind": "run", "fields": {"script": "id ${{ self.inputs.login }}"}},
        "probe": {
            "kind": "run",
            "fields": {"script": "id ${{ self.inputs.login }}"},
            "done_if": "result.exit_code == 0",
        },
        "verify": {"kind": "assert", "fields": {"that": "self.inputs.login in result.stdout"}},
        "outputs": {"line": "result.stdout + self.inputs.login"},
        "revert": {
            "form": "action",
            "kind": "run",
            "fields": {"script": "userdel ${{ self.inputs.login }}"},
            "retry": {"attempts": 2},
        },
        "inputs": {"login": "bob", "shell": "/bin/sh", "uid": 1000},
    }


def test_a_plain_value_is_the_first_input():
    assert definition(using("- {name: t, account: bob}"))["tasks"][0]["inputs"]["login"] == "bob"


def test_what_was_typed_is_kept_for_a_text_input():
    assert definition(using("- {name: t, account: 007}"))["tasks"][0]["inputs"]["login"] == "007"


def test_a_use_may_say_more_and_otherwise():
    task = definition(
        using(
            "- name: t",
            "  account: {login: '${{ inputs.who }}'}",
            "  timeout: 1m",
            "  env: {LANG: de}",
            "  inputs: {more: 1}",
            "  outputs: {who: self.inputs.login, also: self.inputs.more}",
            "  revert: none",
        )
    )["tasks"][0]
    assert task["timeout"] == 60.0
    assert task["env"] == {"LOGIN": "${{ self.inputs.login }}", "LANG": "de"}
    assert task["inputs"] == {"more": 1, "login": "${{ inputs.who }}", "shell": "/bin/sh", "uid": 1000}
    assert task["outputs"] == {
        "line": "result.stdout + self.inputs.login",
        "who": "self.inputs.login",
        "also": "self.inputs.more",
    }
    assert task["revert"] == {"form": "none"}


def test_a_value_with_a_secret_is_written_into_the_body_and_not_kept():
    text = """
name: f
secrets: {token: {env: T}}
actions:
  call:
    inputs: {token: string, path: string}
    http: {post: "http://x/${{ inputs.path }}", bearer: "${{ inputs.token }}", json: "${{ inputs.token }}"}
    revert: none
tasks:
  - {name: a, call: {token: "${{ secrets.token }}", path: p}}
  - {name: b, call: {token: "Bearer ${{ secrets.token }}", path: p}}
  - {name: c, call: {token: plain, path: p}}
"""
    a, b, c = definition(text)["tasks"]
    assert a["inputs"] == b["inputs"] == {"path": "p"}
    assert a["fields"]["bearer"] == "${{ (secrets.token) }}"
    assert b["fields"]["bearer"] == '${{ (str("Bearer ") + str(secrets.token)) }}'
    assert a["fields"]["url"] == "http://x/${{ self.inputs.path }}"
    assert c["inputs"] == {"token": "plain", "path": "p"}


def test_a_reference_in_a_value_makes_an_edge():
    text = using(
        "- {name: a, echo: x, outputs: {v: '1'}}", "- {name: b, account: '${{ tasks.a.outputs.v }}'}"
    )
    compiled = definition(text.replace("name: f\n", "name: f\npattern: graph\n"))
    assert compiled["flows"][0]["edges"] == [[0, 1]]


def test_outputs_of_the_action_are_outputs_of_the_task():
    assert ids(using("- {name: a, account: bob}", "- {name: b, echo: '${{ tasks.a.outputs.line }}'}")) == []


def test_an_action_can_be_used_where_something_is_undone_or_checked():
    text = using("- {name: t, echo: x, revert: {account: {login: '${{ self.attempt }}'}}}")
    assert definition(text)["tasks"][0]["revert"] == {
        "form": "action",
        "kind": "run",
        "fields": {"script": 'useradd -s ${{ "/bin/sh" }} -u ${{ 1000 }} ${{ (self.attempt) }}'},
        "env": {"LOGIN": "${{ (self.attempt) }}", "LANG": "C"},
        "timeout": 5.0,
    }


def test_a_negative_number_keeps_its_sign_in_an_expression():
    text = "name: f\nactions: {a: {inputs: {n: 0}, assert: '2 ** inputs.n > 0'}}\ntasks:\n  - {name: t, echo: x, check: {a: -1}}\n"
    assert definition(text)["tasks"][0]["check"]["fields"] == {"that": "2 ** (-1) > 0"}


def test_uses_share_one_body():
    tasks = definition(using(*(f"- {{name: t{i}, account: u{i}}}" for i in range(50))))["tasks"]
    assert all(task["fields"] is tasks[0]["fields"] for task in tasks)


@pytest.mark.parametrize(
    ("use", "id_", "message"),
    [
        ("{lgoin: bob}", "TR710", "action `account` has no input `lgoin`"),
        ("{login: bob, uid: 5}", "TR710", "the value is 5, and must be at least 1000"),
        ("{login: bob, uid: '1001'}", "TR710", 'the value is "1001", not an integer'),
        ("{login: [a]}", "TR710", 'the value is ["a"], not a string'),
        ("{login: true}", "TR710", "the value is true, not a string"),
        ("{}", "TR710", "action `account` needs the input `login`"),
        ("{login: '${{ inputs.whoo }}'}", "TR304", "there is no input `whoo`"),
        ("{login: '${{ item }}'}", "TR303", "`item` cannot be used in the action"),
    ],
)
def test_a_use_that_does_not_fit_is_refused(use, id_, message):
    assert (id_, message) in [(one.id, one.message) for one in found(using(f"- {{name: t, account: {use}}}"))]


def test_a_use_with_another_inputs_name_of_the_same_task_is_refused():
    finding, _ = one(using("- {name: t, account: bob, inputs: {login: x}}"))
    assert (finding.id, finding.message) == ("TR710", "`login` is an input of action `account` already")


def test_an_unknown_action_is_compared_with_those_of_the_file():
    finding, shown = one(using("- {name: t, acount: bob}"))
    assert (finding.id, shown, finding.help) == ("TR702", "acount", "did you mean `account`?")


def body(lines, inputs="{x: string}"):
    text = "".join(f"    {line}\n" for line in lines.split("\n"))
    return f"name: f\ninputs: {{w: 1}}\nactions:\n  a:\n    inputs: {inputs}\n{text}tasks:\n  - {{name: t, a: v}}\n  - {{name: u, a: v}}\n"


@pytest.mark.parametrize(
    ("lines", "id_"),
    [
        ("run: ${{ inputs.y }}\nrevert: none", "TR304"),
        ("run: ${{ inputs.w }}\nrevert: none", "TR304"),
        ("run: ${{ tasks.t.state }}\nrevert: none", "TR303"),
        ("run: ${{ retry.attempt }}\nrevert: none", "TR303"),
        ("run: ${{ item }}\nrevert: none", "TR303"),
        ("run: ${{ self.inputs.y }}\nrevert: none", "TR307"),
        ("run: ${{ 1 + }}\nrevert: none", "TR401"),
        ("run: \"'${{ inputs.x }}'\"\nrevert: none", "TR501"),
        ("run: x", "TR704"),
        ("rnu: x\nrevert: none", "TR702"),
        ("run: x\nhttp: u\nrevert: none", "TR703"),
        ("run: x\nrevrt: none", "TR201"),
        ("description: x", "TR701"),
        ("workflow: x.yaml", "TR712"),
        ("a: {x: v}", "TR712"),
        ("run: x\nrevert: {a: {x: v}}", "TR712"),
        ("run: x\nrevert: none\nif: 'true'", "TR201"),
    ],
)
def test_a_mistake_in_a_body_is_found_once_however_often_it_is_used(lines, id_):
    assert ids(body(lines)) == [id_]


def test_an_action_cannot_have_a_name_of_the_language():
    for name in ("run", "name", "revert"):
        assert "TR712" in ids(f"name: f\nactions: {{{name}: {{echo: x}}}}\ntasks: [{{name: t, echo: x}}]")


def test_uses_of_an_action_that_could_not_be_read_are_not_wrong_a_second_time():
    assert ids("name: f\nactions: {a: [x]}\ntasks: [{name: t, a: v}]") == ["TR203"]
    assert ids("name: f\nactions: [a]\ntasks: [{name: t, a: v}]") == ["TR203"]


def test_types_of_inputs_may_be_said_in_one_word():
    text = body("echo: ${{ inputs.n }}", "{n: integer, d: 5}").replace("a: v", "a: {n: x}")
    assert [one.message for one in found(text)] == ['the value is "x", not an integer'] * 2
