"""The definition of tasks: short forms written out, everything beside the action, defaults, savepoints."""

import pytest

from tests.spec.workflows import definition, found, ids, of_task, one, task


def test_the_smallest_file_becomes_a_definition():
    compiled = definition(
        "name: hello\ntasks:\n  - name: make_dir\n    run: mkdir demo\n    revert: rmdir demo\n"
    )
    sha256 = compiled.pop("sha256")
    assert len(sha256) == 64
    assert compiled == {
        "format": 1,
        "name": "hello",
        "file": "/w/flow.yaml",
        "dir": "/w",
        "inputs": {},
        "secrets": {},
        "flows": [
            {
                "name": "hello",
                "parent": -1,
                "pattern": "linear",
                "children": [["task", 0]],
                "line": 1,
                "column": 1,
            }
        ],
        "tasks": [
            {
                "name": "make_dir",
                "flow": 0,
                "kind": "run",
                "fields": {"script": "mkdir demo"},
                "revert": {"form": "action", "kind": "run", "fields": {"script": "rmdir demo"}},
                "line": 3,
                "column": 5,
            }
        ],
    }


@pytest.mark.parametrize(
    ("action", "kind", "fields"),
    [
        ("run: ls", "run", {"script": "ls"}),
        ("run: {script: ls, cwd: a}", "run", {"script": "ls", "cwd": "a"}),
        ("exec: [ls, -l]", "exec", {"argv": ["ls", "-l"]}),
        ("exec: {argv: [ls], stdin: x}", "exec", {"argv": ["ls"], "stdin": "x"}),
        ("http: http://x", "http", {"url": "http://x", "method": "GET"}),
        ("http: {url: http://u, method: post}", "http", {"url": "http://u", "method": "POST"}),
        (
            "http: {delete: http://u, expect: 204}",
            "http",
            {"url": "http://u", "method": "DELETE", "expect": [204]},
        ),
        (
            "http: {url: http://u, method: '${{ env.M }}'}",
            "http",
            {"url": "http://u", "method": "${{ env.M }}"},
        ),
        ("http: {url: http://u, timeout: 5s}", "http", {"url": "http://u", "method": "GET", "timeout": 5.0}),
        ("python: app:setup", "python", {"call": "app:setup"}),
        ("python: {code: 'result = n', args: {n: 1}}", "python", {"code": "result = n", "args": {"n": 1}}),
        ("python: {call: a:b, args: [1, x]}", "python", {"call": "a:b", "args": [1, "x"]}),
        (
            "http: {url: http://u, verify: ca.pem, redirects: 3}",
            "http",
            {"url": "http://u", "verify": "ca.pem", "redirects": 3, "method": "GET"},
        ),
        (
            "http: {url: http://u, verify: false, redirects: true}",
            "http",
            {"url": "http://u", "verify": False, "redirects": True, "method": "GET"},
        ),
        ("file: {path: a, content: b}", "file", {"path": "a", "content": "b"}),
        ("template: {path: a, source: b}", "template", {"path": "a", "source": "b"}),
        ("copy: {from: a, to: b}", "copy", {"from": "a", "to": "b"}),
        ("move: {from: a, to: b, parents: true}", "move", {"from": "a", "to": "b", "parents": True}),
        ("mkdir: a", "mkdir", {"path": "a"}),
        ("delete: a", "delete", {"path": "a"}),
        ("symlink: {path: a, to: b}", "symlink", {"path": "a", "to": "b"}),
        ("edit: {path: a.ini, set: {x.y: 1}}", "edit", {"path": "a.ini", "set": {"x.y": 1}}),
        ("edit: {path: a, line: b, match: c}", "edit", {"path": "a", "line": "b", "match": "c"}),
        (
            "sql: {database: 'sqlite:a', query: select 1}",
            "sql",
            {"database": "sqlite:a", "query": "select 1"},
        ),
        ("wait_for: 5432", "wait_for", {"port": "5432"}),
        ("wait_for: {url: http://u, every: 1s}", "wait_for", {"url": "http://u", "every": 1.0}),
        ("assert: 1 < 2", "assert", {"that": "1 < 2"}),
        ("assert: ${{ 1 < 2 }}", "assert", {"that": "1 < 2"}),
        ("approve: Sure?", "approve", {"message": "Sure?"}),
        ("sleep: 5s", "sleep", {"for": 5.0}),
        ("sleep: ${{ env.PAUSE }}", "sleep", {"for": "${{ env.PAUSE }}"}),
        ("sleep: {for: 1m}", "sleep", {"for": 60.0}),
        ("echo: hi", "echo", {"message": "hi"}),
        ("echo: 1.10", "echo", {"message": "1.10"}),
        ("fail: no", "fail", {"message": "no"}),
    ],
)
def test_every_action_has_a_short_and_a_full_form(action, kind, fields):
    compiled = task(of_task(action))
    assert (compiled["kind"], compiled["fields"]) == (kind, fields)


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("run: x", "unstated"),
        ("exec: [x]", "unstated"),
        ("python: a:b", "unstated"),
        ("http: {post: http://u}", "unstated"),
        ("http: {url: http://u, method: '${{ env.M }}'}", "unstated"),
        ("sql: {database: 'sqlite:a', query: delete from t}", "unstated"),
        ("sql: {database: 'sqlite:a', query: select 1; delete from t}", "unstated"),
        ("sql: {database: 'sqlite:a', script: a.sql}", "unstated"),
        ("sql: {database: 'sqlite:a', query: SELECT 1;}", "none"),
        ("http: http://u", "none"),
        ("http: {url: http://u, method: options}", "none"),
        ("http: {head: http://u}", "none"),
        ("echo: x", "none"),
        ("sleep: 1s", "none"),
        ("assert: true", "none"),
        ("fail: x", "none"),
        ("approve: x", "none"),
        ("wait_for: {path: a}", "none"),
        ("file: {path: a, content: b}", "auto"),
        ("mkdir: a", "auto"),
        ("delete: a", "auto"),
        ("edit: {path: a, line: b}", "auto"),
    ],
)
def test_a_revert_that_is_left_out_is_what_the_action_needs(action, form):
    text = of_task(action)
    assert task(text)["revert"] == {"form": form}
    assert ids(text) == (["TR704"] if form == "unstated" else [])
    assert [one.severity for one in found(text, strict=True)] == (["error"] if form == "unstated" else [])


def test_a_hundred_tasks_without_revert_are_named_and_the_rest_counted():
    tasks = "".join(f"  - {{name: t{i}, run: x}}\n" for i in range(150))
    warnings = found("name: f\ntasks:\n" + tasks)
    assert len(warnings) == 101
    assert warnings[-1].message == "50 more tasks do not say how to undo them"
    assert len(found("name: f\ntasks:\n" + tasks, strict=True)) == 150


def test_everything_beside_the_action_is_kept():
    text = of_task(
        """
description: what it is
run: x
revert: none
env: {A: b}
cwd: sub
shell: /bin/bash
timeout: 5s
deadline: 1m
on_lost: ask
lock: one
queue: gpu
tags: [slow, db]
allow_failure: true
pivot: false
if: 1 < 2
skip: flow
inputs: {n: 1, who: "${{ run.user }}"}
outputs: {id: result.stdout, all: "${{ result }}"}
retry: {attempts: 3, delay: 1s, backoff: 1.5, max_delay: 30s, jitter: true, on: [connection, 5xx, 75]}
check: test -e a
verify: {run: test -e b, env: {C: d}}
probe: {http: http://x, done_if: result.status == 200, outputs: {id: result.text}}
"""
    )
    compiled = task(text)
    for key in ("name", "flow", "kind", "fields", "revert", "line", "column"):
        compiled.pop(key)
    assert compiled == {
        "description": "what it is",
        "env": {"A": "b"},
        "cwd": "sub",
        "shell": "/bin/bash",
        "timeout": 5.0,
        "deadline": 60.0,
        "on_lost": "ask",
        "lock": "one",
        "queue": "gpu",
        "tags": ["slow", "db"],
        "allow_failure": True,
        "if": "1 < 2",
        "skip": "flow",
        "inputs": {"n": 1, "who": "${{ run.user }}"},
        "outputs": {"id": "result.stdout", "all": "result"},
        "retry": {
            "attempts": 3,
            "delay": 1.0,
            "backoff": 1.5,
            "max_delay": 30.0,
            "jitter": True,
            "on": ["connection", "5xx", "75"],
        },
        "check": {"kind": "run", "fields": {"script": "test -e a"}},
        "verify": {"kind": "run", "fields": {"script": "test -e b"}, "env": {"C": "d"}},
        "probe": {
            "kind": "http",
            "fields": {"url": "http://x", "method": "GET"},
            "done_if": "result.status == 200",
            "outputs": {"id": "result.text"},
        },
    }


def test_a_fan_out_keeps_its_list_its_name_and_its_width():
    compiled = task(of_task("echo: ${{ node }}\nfor_each: ${{ env.NODES }}\nas: node\nmax_parallel: 2"))
    assert (compiled["for_each"], compiled["as"], compiled["max_parallel"]) == ("env.NODES", "node", 2)
    compiled = task(of_task("echo: ${{ item }}\nfor_each: [a, 1, '${{ env.N }}']"))
    assert compiled["for_each"] == ["a", 1, "${{ env.N }}"]


@pytest.mark.parametrize(
    ("lines", "id_", "shown"),
    [
        ("echo: x\nskip: flow", "TR211", "skip"),
        ("echo: x\nas: node", "TR211", "as"),
        ("echo: x\nmax_parallel: 2", "TR211", "max_parallel"),
        ("echo: x\npattern: graph", "TR211", "pattern"),
        ("echo: x\nretry: {attempts: 2, for_each: [a]}", "TR211", "for_each"),
        ("echo: x\nretry: {attempts: 2, exhausted: revert}", "TR211", "exhausted"),
        ("echo: x\nretry: {delay: 2s}", "TR202", "retry"),
        ("description: x", "TR701", "name"),
        ("run: x\nrevert: none\nhttp: u", "TR703", "http"),
        ("rnu: x", "TR702", "rnu"),
        ("http: {post: http://u, url: http://v}\nrevert: none", "TR706", "url"),
        ("http: {get: http://u, method: POST}", "TR706", "method"),
        ("http: {headers: {}}", "TR706", "http"),
        ("http: {url: http://u, method: G T}\nrevert: none", "TR706", "G T"),
        ("python: {call: a:b, code: x}\nrevert: none", "TR706", "code"),
        ("python: just_a_name\nrevert: none", "TR706", "just_a_name"),
        ("python: {code: x, args: [1]}\nrevert: none", "TR706", "["),
        ("http: {post: http://u, json: 1, data: x}\nrevert: none", "TR706", "data"),
        ("http: {get: http://u, redirects: -1}", "TR207", "-1"),
        ("run: {script: x, expect: []}\nrevert: none", "TR203", "["),
        ("wait_for: http://x", "TR706", "http://x"),
        ("wait_for: 99999", "TR706", "99999"),
        ("wait_for: {}", "TR706", "wait_for"),
        ("sql: {database: app.db, query: select 1}", "TR706", "app.db"),
        ("edit: {path: a.ini, match: b, set: {c: d}}", "TR706", "match"),
        ("edit: {path: a}", "TR706", "edit"),
        ("edit: {path: a, line: b, match: '('}", "TR706", "'('"),
        ('edit: {path: a, line: "b\\nc"}', "TR706", '"b\\nc"'),
        ("edit: {path: /etc/hosts, set: {c: d}}", "TR706", "/etc/hosts"),
        ("edit: {path: a.ini, set: {c..d: 1}}", "TR706", "{"),
        ("mkdir: ''", "TR706", "''"),
        ("move: {from: a, to: ''}", "TR706", "''"),
        ("file: {path: a}", "TR706", "file"),
    ],
)
def test_what_does_not_fit_is_found_once_where_it_stands(lines, id_, shown):
    finding, pointed = one(of_task(lines))
    assert (finding.id, pointed) == (id_, shown)


def test_defaults_are_given_to_tasks_that_have_no_own():
    text = """
name: f
defaults: {timeout: 5s, retry: {attempts: 2}, shell: /bin/bash, cwd: sub, env: {A: a, B: b}}
tasks:
  - {name: plain, run: x, revert: none}
  - {name: own, run: x, revert: none, timeout: 1s, env: {B: mine}}
  - {savepoint: here}
  - {name: ask, approve: Sure?}
"""
    plain, own, here, ask = definition(text)["tasks"]
    assert (plain["timeout"], plain["retry"], plain["shell"], plain["cwd"]) == (
        5.0,
        {"attempts": 2},
        "/bin/bash",
        "sub",
    )
    assert plain["env"] == {"A": "a", "B": "b"}
    assert (own["timeout"], own["env"]) == (1.0, {"A": "a", "B": "mine"})
    assert "timeout" not in here
    assert "timeout" not in ask
    assert "retry" not in ask


def test_a_savepoint_is_an_entry_of_its_own():
    text = "name: f\ntasks:\n  - {name: a, echo: x}\n  - {savepoint: ready, description: all set}\n"
    savepoint = task(text, 1)
    assert savepoint == {
        "name": "ready",
        "flow": 0,
        "kind": "savepoint",
        "fields": {},
        "revert": {"form": "none"},
        "savepoint": True,
        "description": "all set",
        "line": 4,
        "column": 5,
    }


def test_names_are_unique_among_tasks_flows_and_savepoints():
    text = "name: f\ntasks:\n  - {name: a, echo: x}\n  - {savepoint: a}\n  - name: a\n    tasks: [{name: a, echo: x}]\n"
    assert [(one.id, one.line, one.message) for one in found(text)] == [
        ("TR301", line, "the name `a` is taken: line 3 has it too") for line in (4, 5, 6)
    ]


def test_a_nested_flow_cannot_have_the_name_of_the_workflow():
    finding, shown = one("name: f\ntasks:\n  - name: f\n    tasks: [{name: a, echo: x}]\n")
    assert (finding.id, shown) == ("TR301", "f")
    assert ids("name: f\ntasks: [{name: f, echo: x}]\n") == []


def test_nested_flows_are_laid_out_depth_first():
    text = """
name: f
tasks:
  - {name: a, echo: x}
  - name: outer
    pattern: unordered
    tags: db
    tasks:
      - name: inner
        retry: {attempts: 2}
        tasks: [{name: b, echo: x}]
      - {name: c, echo: x}
  - {name: d, echo: x}
"""
    compiled = definition(text)
    assert [flow["name"] for flow in compiled["flows"]] == ["f", "outer", "inner"]
    assert [flow["parent"] for flow in compiled["flows"]] == [-1, 0, 1]
    assert [one["name"] for one in compiled["tasks"]] == ["a", "b", "c", "d"]
    assert [one["flow"] for one in compiled["tasks"]] == [0, 2, 1, 0]
    assert compiled["flows"][0]["children"] == [["task", 0], ["flow", 1], ["task", 3]]
    assert compiled["flows"][1]["children"] == [["flow", 2], ["task", 2]]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("revert: x", "revert"),
        ("run: x", "run"),
        ("timeout: 5s", "timeout"),
        ("env: {A: b}", "env"),
        ("outputs: {a: '1'}", "outputs"),
    ],
)
def test_a_nested_flow_has_no_action_and_no_undo_of_its_own(line, key):
    text = f"name: f\ntasks:\n  - name: g\n    {line}\n    tasks: [{{name: a, echo: x}}]\n"
    finding, shown = one(text)
    assert (finding.id, shown, finding.message) == ("TR211", key, f"a nested flow has no `{key}`")


def test_controllers_of_flows():
    text = """
name: f
retry: {attempts: 3, delay: 2s}
tasks:
  - name: each
    retry: {for_each: [a, '${{ inputs.b }}'], exhausted: revert_all}
    tasks: [{name: a, echo: "${{ retry.value }} ${{ retries.f.attempt }}"}]
  - name: list
    retry: {for_each: "${{ inputs.b }}"}
    tasks: [{name: b, echo: "${{ retry.value }} ${{ retries.list.value }}"}]
inputs: {b: c}
"""
    root, each, listed = definition(text)["flows"]
    assert root["retry"] == {"attempts": 3, "delay": 2.0}
    assert each["retry"] == {"for_each": ["a", "${{ inputs.b }}"], "attempts": 2, "exhausted": "revert_all"}
    assert listed["retry"] == {"for_each": "inputs.b"}


@pytest.mark.parametrize(
    ("retry", "id_"),
    [
        ("{}", "TR202"),
        ("{attempts: 2, for_each: [a]}", "TR212"),
        ("{for_each: []}", "TR210"),
        ("{attempts: 2, on: [timeout]}", "TR211"),
    ],
)
def test_a_controller_that_does_not_fit_is_refused(retry, id_):
    assert ids(f"name: f\nretry: {retry}\ntasks: [{{name: a, echo: x}}]") == [id_]


def test_the_settings_of_the_whole_run():
    text = """
name: f
description: d
env: {A: "${{ inputs.a }}"}
env_file: .env
lock: one-${{ inputs.a }}
timeout: 1h
on_failure: ask
inputs: {a: 1}
secrets: {s: {command: [pass, show, s]}}
tasks: [{name: t, echo: x}]
notify:
  - {flow: "*", echo: "${{ event.name }}"}
  - {task: FAILURE, run: ./page.sh, env: {A: b}}
  - {retry: [RETRYING], http: {post: http://u, json: "${{ event }}"}}
verify_revert:
  - test ! -e a
  - {http: http://u, done_if: result.status == 404}
"""
    compiled = definition(text)
    assert compiled["env"] == {"A": "${{ inputs.a }}"}
    assert compiled["env_file"] == [".env"]
    assert (compiled["lock"], compiled["timeout"], compiled["on_failure"]) == (
        "one-${{ inputs.a }}",
        3600.0,
        "ask",
    )
    assert compiled["secrets"] == {"s": {"command": ["pass", "show", "s"]}}
    assert compiled["notify"] == [
        {
            "kind": "flow",
            "states": "*",
            "action": {"kind": "echo", "fields": {"message": "${{ event.name }}"}},
        },
        {
            "kind": "task",
            "states": ["FAILURE"],
            "action": {"kind": "run", "fields": {"script": "./page.sh"}, "env": {"A": "b"}},
        },
        {
            "kind": "retry",
            "states": ["RETRYING"],
            "action": {
                "kind": "http",
                "fields": {"url": "http://u", "json": "${{ event }}", "method": "POST"},
            },
        },
    ]
    assert compiled["verify_revert"] == [
        {"kind": "run", "fields": {"script": "test ! -e a"}},
        {"kind": "http", "fields": {"url": "http://u", "method": "GET"}, "done_if": "result.status == 404"},
    ]


@pytest.mark.parametrize(
    ("entry", "id_"),
    [
        ("{flow: [SUCESS], run: x}", "TR314"),
        ("{task: SUSPENDED, run: x}", "TR314"),
        ("{flow: success, run: x}", "TR314"),
        ("{run: x}", "TR212"),
        ("{flow: '*', task: '*', run: x}", "TR212"),
        ("{flow: '*'}", "TR701"),
    ],
)
def test_a_notification_names_existing_states_of_one_kind_and_one_action(entry, id_):
    assert ids(f"name: f\ntasks: [{{name: t, echo: x}}]\nnotify:\n  - {entry}") == [id_]
