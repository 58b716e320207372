"""`taskrun plan`: what would be done, how it is undone, and what cannot be; nothing is run."""

import json
from typing import Any

import pytest

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

ALL = """\
name: release
inputs:
  version: {type: string}
  target: {type: string, enum: [staging, prod], default: staging}
  nodes: {type: list, default: [n1, "n 2"]}
secrets: {token: {env: TOKEN}}
env: {VERSION: "${{ inputs.version }}", RUN: "${{ run.id }}"}
tasks:
  - name: tenant
    http: {post: "http://127.0.0.1:1/t", bearer: "${{ secrets.token }}", json: {v: "${{ inputs.version }}"}}
    outputs: {id: result.json.id, list: result.json.list}
    revert: {http: {delete: "http://127.0.0.1:1/t/${{ self.outputs.id }}"}}
  - name: config
    file: {path: demo.ini, content: "id = ${{ tasks.tenant.outputs.id }}\\n"}
  - name: mail
    run: "echo ${{ inputs.target }} ${{ secrets.token }}"
    revert: {impossible: the mail is out}
  - savepoint: ready
  - name: push
    for_each: ${{ inputs.nodes }}
    run: ./push.sh ${{ item }} "to ${{ inputs.target }}"
    revert: ./push.sh ${{ item }} --previous
  - name: others
    for_each: ${{ tasks.tenant.outputs.list }}
    run: echo ${{ item }}
    revert: {restore: ["${{ item }}"]}
  - name: mirrors
    retry: {for_each: [mirror-a, mirror-b]}
    tasks:
      - {name: fetch, run: "fetch ${{ retry.value }}", revert: no-such-program}
  - {name: prod, if: inputs.target == 'prod', echo: production}
  - {name: maybe, if: tasks.tenant.outputs.id == 7, echo: seven}
  - {name: announce, run: echo now, revert: none, pivot: true}
  - {name: prune, run: "rm old", revert: touch old, retry: {attempts: 6}}
verify_revert: ["test ! -e demo.ini"]
"""


def plan(taskrun: Taskrun, *args: str, text: str = ALL) -> dict[str, Any]:
    done = taskrun("plan", taskrun.file(text), "-o", "json", *args, env={"TOKEN": "tr-canary-0815"})
    assert done.code == 0, done.err
    assert "tr-canary" not in done.out + done.err
    return json.loads(done.out)


def task(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["tasks"] if each["name"] == name)


@pytest.fixture
def release(taskrun: Taskrun) -> dict[str, Any]:
    return plan(taskrun, "-i", "version=1.2 3")


def test_the_order_is_the_one_of_a_serial_run(release: dict[str, Any]) -> None:
    names = "tenant config mail ready push[0] push[1] others[0] fetch maybe announce prune"
    assert [each["name"] for each in release["tasks"]] == names.split()
    assert release["ignored"] == [{"name": "prod", "if": "inputs.target == 'prod'"}]


def test_commands_show_what_is_known_and_the_rest_as_the_file_has_it(release: dict[str, Any]) -> None:
    assert task(release, "tenant")["command"] == 'POST http://127.0.0.1:1/t\njson: {"v": "1.2 3"}'
    assert task(release, "config")["command"] == "demo.ini\n  id = ${{ tasks.tenant.outputs.id }}"
    assert task(release, "push[1]")["command"] == """./push.sh 'n 2' "to staging\""""
    assert task(release, "others[0]")["command"] == "echo ${{ item }}"
    assert task(release, "others[0]")["each_of"] == "tasks.tenant.outputs.list"
    assert task(release, "fetch")["command"] == "fetch mirror-a"
    assert release["env"] == {"VERSION": "1.2 3", "RUN": "${{ run.id }}"}


def test_secrets_are_masked(release: dict[str, Any]) -> None:
    assert task(release, "mail")["command"] == "echo staging '***'"


def test_a_secret_that_also_stands_in_an_input_is_masked(taskrun: Taskrun) -> None:
    plan(taskrun, "-i", "version=tr-canary-0815")


def test_every_task_says_how_it_is_undone(release: dict[str, Any]) -> None:
    assert {each["name"]: each["undo"]["class"] for each in release["tasks"]} == {
        "tenant": "revert",
        "config": "itself",
        "mail": "impossible",
        "ready": "nothing",
        "push[0]": "revert",
        "push[1]": "revert",
        "others[0]": "restore",
        "fetch": "revert",
        "maybe": "nothing",
        "announce": "nothing",
        "prune": "after-pivot",
    }
    assert task(release, "tenant")["undo"]["command"] == "DELETE http://127.0.0.1:1/t/${{ self.outputs.id }}"
    assert task(release, "mail")["undo"]["reason"] == "the mail is out"
    assert task(release, "prune")["undo"]["pivot"] == "announce"


def test_conditions_attempts_and_rounds_are_told(release: dict[str, Any]) -> None:
    assert task(release, "maybe")["if"] == "tasks.tenant.outputs.id == 7"
    assert task(release, "maybe")["assumed"] is True
    assert task(release, "prune")["attempts"] == 6
    assert release["controllers"] == [{"flow": "mirrors", "rounds": 2}]


def test_what_may_go_wrong_with_the_way_back_is_warned_of(release: dict[str, Any]) -> None:
    found = [(each["task"], each["message"]) for each in release["warnings"]]
    assert found == [
        (
            "mail",
            "cannot be undone, and runs before push[0], which can be: if a later task fails, it stays",
        ),
        ("push[0]", "its undo cannot work: the program ./push.sh is not there"),
        ("push[1]", "its undo cannot work: the program ./push.sh is not there"),
        ("fetch", "its undo cannot work: the program no-such-program is not in $PATH"),
    ]


def test_fail_at_shows_the_rollback_in_its_order(taskrun: Taskrun) -> None:
    found = plan(taskrun, "-i", "version=1", "--fail-at", "maybe")["rollback"]
    names = "maybe fetch others[0] push[1] push[0] config tenant"
    assert [each["name"] for each in found["undone"]] == names.split()
    assert [each["name"] for each in found["left"]] == ["mail"]
    assert (found["state"], found["exit_code"]) == ("FAILURE", 3)


def test_fail_at_before_anything_irreversible_leaves_the_world_as_before(taskrun: Taskrun) -> None:
    found = plan(taskrun, "-i", "version=1", "--fail-at", "config")["rollback"]
    assert (found["left"], found["state"], found["exit_code"]) == ([], "REVERTED", 1)
    assert (found["fail_at"], found["checks"]) == ("config", 1)


def test_fail_at_behind_the_point_of_no_return_undoes_nothing(taskrun: Taskrun) -> None:
    found = plan(taskrun, "-i", "version=1", "--fail-at", "prune")["rollback"]
    assert (found["undone"], found["state"], found["exit_code"]) == ([], "SUSPENDED", 3)
    assert "tenant" in [each["name"] for each in found["left"]]


def test_fail_at_a_task_that_may_fail_goes_on(taskrun: Taskrun) -> None:
    text = (
        "name: w\ntasks:\n  - {name: a, run: x, revert: none, allow_failure: true}\n  - {name: b, echo: x}\n"
    )
    found = plan(taskrun, "--fail-at", "a", text=text)["rollback"]
    assert (found["undone"], found["state"], found["exit_code"]) == ([], "SUCCESS", 0)


def test_fail_at_a_fan_out_means_its_first_item(taskrun: Taskrun) -> None:
    found = plan(taskrun, "-i", "version=1", "--fail-at", "push")["rollback"]
    assert found["fail_at"] == "push[0]"
    assert [each["name"] for each in found["undone"]] == ["push[0]", "config", "tenant"]


def test_fail_at_a_task_that_would_not_run_says_which_would(taskrun: Taskrun) -> None:
    done = taskrun("plan", taskrun.file(ALL), "-i", "version=1", "--fail-at", "annouce")
    assert done.code == 4
    assert "did you mean 'announce'?" in done.err
    assert taskrun("plan", "w.yaml", "-i", "version=1", "--fail-at", "prod").code == 4


def test_nothing_is_run_and_no_state_is_made(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: touch made, revert: rm made}\n"
    plan(taskrun, "--fail-at", "a", text=text)
    assert sorted(path.name for path in taskrun.folder.iterdir()) == ["w.yaml"]
    assert not (taskrun.home / "runs").exists()
    assert not (taskrun.home / "journal.db").exists()


def test_the_inputs_of_a_task_are_known_in_its_action_and_its_undo(taskrun: Taskrun) -> None:
    text = """\
name: w
inputs: {a: one}
tasks:
  - name: t
    inputs: {x: "${{ inputs.a }}", y: "${{ run.id }}"}
    run: touch ${{ self.inputs.x }} ${{ self.inputs.y }}
    revert: rm ${{ self.inputs.x }} ${{ self.inputs.y }}
"""
    found = task(plan(taskrun, text=text), "t")
    assert found["command"] == "touch one ${{ self.inputs.y }}"
    assert found["undo"]["command"] == "rm one ${{ self.inputs.y }}"


def test_an_expression_that_can_never_be_evaluated_is_warned_of(taskrun: Taskrun) -> None:
    text = "name: w\ninputs: {a: {type: list, default: []}}\ntasks: [{name: t, echo: '${{ inputs.a[0] }}'}]\n"
    found = plan(taskrun, text=text)
    assert "`inputs.a[0]` cannot be evaluated" in found["warnings"][0]["message"]
    assert task(found, "t")["command"] == "${{ inputs.a[0] }}"


def test_an_undo_whose_program_is_there_is_not_warned_of(taskrun: Taskrun) -> None:
    script = taskrun.folder / "undo.sh"
    script.write_text("#!/bin/sh\n")
    undos = [
        "./undo.sh",
        "exec: [./undo.sh]",
        "A=b true",
        "if true; then x; fi",
        "undo() { :; }; undo",
        "cd / && x",
    ]
    reverts = [f"{{{each}}}" if each.startswith("exec") else json.dumps(each) for each in undos]
    tasks = "".join(f"  - {{name: t{i}, run: x, revert: {each}}}\n" for i, each in enumerate(reverts))
    text = f"name: w\ntasks:\n{tasks}"
    found = plan(taskrun, text=text)
    assert [each["message"] for each in found["warnings"]] == [
        "its undo cannot work: the file ./undo.sh is not executable"
    ] * 2
    script.chmod(0o755)
    assert plan(taskrun, text=text)["warnings"] == []


# ---------------------------------------------------------------------- the revert of a run


MADE = """\
name: made
tasks:
  - {name: one, run: 'echo "id=7" >> "$TASKRUN_OUTPUT"; touch one', outputs: {id: result.exit_code}, revert: "rm one # ${{ self.outputs.id }}"}
  - {name: mail, run: echo sent, revert: {impossible: it is out}}
  - {name: two, run: touch two, revert: 'echo ${{ tasks.one.outputs.id }}; rm two'}
"""


def test_the_plan_of_a_revert_knows_what_the_run_has_put_out(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file(MADE)).code == 0
    found = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)["rollback"]
    assert [(each["name"], each["undo"]["command"]) for each in found["undone"]] == [
        ("two", "echo 0; rm two"),
        ("one", "rm one # ${{ self.outputs.id }}"),
    ]
    assert [each["name"] for each in found["left"]] == ["mail"]
    assert (found["state"], found["exit_code"]) == ("FAILURE", 3)
    assert taskrun("states").code == 0


def test_the_plan_of_a_revert_goes_on_where_the_rollback_stopped(taskrun: Taskrun) -> None:
    text = MADE.replace("rm two'", "rm two; exit 1'") + "  - {name: three, fail: x}\n"
    assert taskrun("run", taskrun.file(text)).code == 3
    found = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)["rollback"]
    assert [each["name"] for each in found["undone"]] == ["two", "one"]
    taskrun("revert", "--skip", "two", "--reason", "gone")
    found = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)["rollback"]
    assert found["undone"] == []
    assert [(each["name"], each["given_up"]) for each in found["left"]] == [("mail", None), ("two", "gone")]


ALL_UNDOS = """\
name: all
inputs: {version: 3, copied: s3cr3t-9}
secrets: {token: {env: TOKEN}}
env: {LEVEL: "${{ inputs.version }}"}
tasks:
  - {name: script, run: echo, description: a script, revert: "true ${{ secrets.token }} ${{ self.state }}"}
  - {name: folder, mkdir: made}
  - {name: kept, run: touch kept, revert: {restore: [kept]}}
  - {name: free, run: echo, revert: none}
  - {name: skipped, if: inputs.version > 3, run: echo, revert: "true"}
  - {name: lost, run: echo, revert: "no-such-program --now"}
  - {name: rows, run: echo, revert: {sql: {database: "mysql://x/y", query: drop table t}}}
  - name: each
    for_each: [a, b]
    exec: [echo, "${{ item }}"]
    env: {N: "${{ item }}"}
    retry: {attempts: 2}
    revert: {exec: ["true", "${{ item }}", "${{ inputs.copied }}"]}
verify_revert: ["test ! -e made"]
"""


@pytest.fixture
def of_all(taskrun: Taskrun) -> dict[str, Any]:
    secret = {"TOKEN": "s3cr3t-9"}
    assert taskrun("run", taskrun.file(ALL_UNDOS), env=secret).code == 0
    done = taskrun("plan", "--revert", "latest", "-o", "json", env=secret)
    assert (done.code, done.err, "s3cr3t-9" in done.out) == (0, "", False)
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_plan_of_a_revert_has_the_parts_of_every_plan(
    of_all: dict[str, Any], release: dict[str, Any]
) -> None:
    assert set(of_all) - set(release) == {"run"}
    assert set(release) <= set(of_all)
    assert (of_all["v"], of_all["name"], of_all["inputs"], of_all["env"]) == (
        1,
        "all",
        {"version": 3, "copied": "***"},
        {"LEVEL": 3},
    )
    assert of_all["run"]["state"] == "SUCCESS"
    assert (of_all["tasks"], of_all["ignored"], of_all["controllers"]) == ([], [], [])
    task = set(release["tasks"][0])
    assert all(
        task - {"check", "if"} <= set(each) | {"attempts", "description"}
        for each in of_all["rollback"]["undone"]
    )


def test_the_plan_of_a_revert_tells_order_commands_and_class_of_each_undo(of_all: dict[str, Any]) -> None:
    undone = of_all["rollback"]["undone"]
    assert [each["number"] for each in undone] == list(range(1, len(undone) + 1))
    assert [
        (each["name"], each["undo"]["class"], each["undo"]["action"], each["undo"]["command"])
        for each in undone
    ] == [
        ("each[1]", "revert", "exec", "true b ***"),
        ("each[0]", "revert", "exec", "true a ***"),
        ("rows", "revert", "sql", "mysql://x/y: drop table t"),
        ("lost", "revert", "run", "no-such-program --now"),
        ("free", "nothing", None, None),
        ("kept", "restore", None, "kept"),
        ("folder", "itself", None, None),
        ("script", "revert", "run", "true '***' SUCCESS"),
    ]
    assert {each["state"] for each in undone} == {"SUCCESS"}
    assert [(each["env"], each["attempts"], each["flow"]) for each in undone[:2]] == [
        ({"N": "b"}, 2, "each"),
        ({"N": "a"}, 2, "each"),
    ]
    assert undone[-1]["description"] == "a script"


def test_the_plan_of_a_revert_tells_how_it_ends_and_warns(of_all: dict[str, Any]) -> None:
    rollback = of_all["rollback"]
    assert (rollback["left"], rollback["unknown"], rollback["checks"]) == ([], [], 1)
    assert (rollback["state"], rollback["exit_code"]) == ("REVERTED", 0)
    assert [(each["task"], each["message"].partition(":")[0]) for each in of_all["warnings"]] == [
        ("rows", "its undo is not atomic"),
        ("lost", "its undo cannot work"),
    ]


def test_the_exit_code_of_a_planned_revert_is_that_of_the_revert(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file("name: w\ntasks: [{name: a, mkdir: made}]\n")).code == 0
    plan = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)
    said = taskrun("plan", "--revert", "latest").out
    assert "Then the run is REVERTED, exit code 0: the world is as before." in said
    assert taskrun("revert").code == plan["rollback"]["exit_code"] == 0
    run_id = json.loads(taskrun("states", "-o", "json").out)["run"]
    assert plan["run"] == {"id": run_id, "state": "SUCCESS"}


def test_a_planned_revert_tells_which_undo_has_failed_before(taskrun: Taskrun) -> None:
    text = MADE.replace("rm two'", "rm two; exit 1'") + "  - {name: three, fail: x}\n"
    assert taskrun("run", taskrun.file(text)).code == 3
    plan = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)
    assert plan["run"]["state"] == "FAILURE"
    assert [(each["name"], each["state"]) for each in plan["rollback"]["undone"]] == [
        ("two", "REVERT_FAILURE"),
        ("one", "SUCCESS"),
    ]


def test_the_plan_of_a_revert_of_a_killed_run_undoes_what_was_under_way(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: touch a, revert: rm a}\n  - {name: b, run: 'touch b; while [ ! -e go ]; do sleep 0.05; done', revert: rm b}\n"
    process = taskrun.start("run", taskrun.file(text))
    until(lambda: (taskrun.folder / "b").exists())
    process.kill()
    process.communicate()
    found = json.loads(taskrun("plan", "--revert", "latest", "-o", "json").out)["rollback"]
    assert [each["name"] for each in found["undone"]] == ["b", "a"]
    (taskrun.folder / "go").touch()


def test_a_run_with_nothing_applied_has_nothing_to_undo(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file("name: w\ntasks: [{name: a, fail: x}]\n"))
    done = taskrun("plan", "--revert", "latest")
    assert (done.code, done.out.splitlines()[0]) == (0, "w: nothing would be done")


@pytest.mark.parametrize(
    "arguments", [[], ["w.yaml", "--revert", "latest"], ["--revert", "latest", "--fail-at", "a"]]
)
def test_a_file_or_a_run_is_needed_and_not_both(taskrun: Taskrun, arguments: list[str]) -> None:
    taskrun.file("name: w\ntasks: [{name: a, echo: x}]\n")
    assert taskrun("plan", *arguments).code == 2


# ---------------------------------------------------------------------- for people


def test_the_text_tells_it_in_words(taskrun: Taskrun) -> None:
    done = taskrun(
        "plan", taskrun.file(ALL), "-i", "version=1", "--fail-at", "config", env={"TOKEN": "secret-value"}
    )
    assert done.err == ""
    assert done.out.startswith("release: 11 tasks, in the order of --jobs 1\n  version   1\n")
    for line in (
        "  3  mail",
        "     undo  impossible: the mail is out",
        "  4  ready  savepoint",
        "     for each of tasks.tenant.outputs.list, known only in the run",
        " 10  announce  point of no return",
        "     undo  none: it comes after announce, the point of no return",
        "  not run: prod, if inputs.target == 'prod' is false",
        "  mirrors: undone and run again when a task in it fails, 2 rounds at most",
        "If config fails, this is undone, in this order:",
        "Then the run is REVERTED, exit code 1: the world is as before, if the 1 check after it find nothing left.",
    ):
        assert line in done.out.splitlines()


def test_on_a_terminal_every_line_fits(taskrun: Taskrun) -> None:
    long = "; ".join(f"echo a rather long command {i}" for i in range(20))
    lines = "\\n".join(f"echo {i}" for i in range(30))
    text = f'name: w\ntasks:\n  - {{name: a, run: "{long}", revert: none}}\n  - {{name: b, run: "{lines}", revert: none}}\n'
    with Terminal(taskrun, "plan", taskrun.file(text), columns=60, height=40) as terminal:
        assert terminal.end() == 0
        shown = terminal.text
    assert "…" in shown
    assert "23 more lines" in shown


def test_a_hostile_file_cannot_steer_the_terminal(taskrun: Taskrun) -> None:
    text = 'name: w\ninputs: {a: {default: "\\e]0;x\\a"}}\ntasks: [{name: a, echo: "${{ inputs.a }}"}]\n'
    done = taskrun("plan", taskrun.file(text))
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "\x07" not in done.out


def test_a_plan_says_how_much_a_restore_keeps(taskrun: Taskrun) -> None:
    text = """
name: w
tasks:
  - {name: one, run: echo, revert: {restore: [a, b]}}
  - {name: two, run: echo, revert: {restore: c}, env: {TASKRUN_IMAGE_LIMIT: 1536K}}
"""
    found = plan(taskrun, text=text)
    assert [task(found, name)["undo"]["limit"] for name in ("one", "two")] == [1 << 30, 1536 << 10]
    said = taskrun("plan", taskrun.file(text)).out
    assert "from images of at most 1 GiB, taken before the task begins" in said
    assert "from images of at most 1.5 MiB, taken" in said


def test_what_a_database_does_not_do_in_one_transaction_is_said(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: w\ntasks:\n"
        "  - {name: a, sql: {database: 'mysql+pymysql://x/y', query: create table t (a int)}, revert: none}\n"
        "  - {name: b, sql: {database: 'postgresql://x/y', query: create table t (a int)}, revert: none}\n"
        "  - {name: c, sql: {database: 'sqlite:a', query: create table t (a int)}, revert: none}\n"
    )
    warnings = json.loads(taskrun("plan", "w.yaml", "-o", "json").out)["warnings"]
    assert [(each["task"], each["message"][:17]) for each in warnings] == [("a", "not atomic: mysql")]


def test_rows_that_undo_themselves_are_of_that_class(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: w\ntasks: [{name: a, sql: {database: 'sqlite:a', delete: t, where: {a: [1, null]}}}, {name: b, fail: x}]\n"
    )
    plan = json.loads(taskrun("plan", "w.yaml", "--fail-at", "b", "-o", "json").out)
    assert plan["tasks"][0]["undo"]["class"] == "itself"
    assert plan["tasks"][0]["command"] == 'sqlite:a: delete t\n  where: {"a": [1, null]}'
    assert [each["name"] for each in plan["rollback"]["undone"]][-1] == "a"
