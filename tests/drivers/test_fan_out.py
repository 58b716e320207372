"""Tasks over a list known only at run time, through the real command."""

import json
import os
import signal
import time

from tests.command import Taskrun

WORKFLOW = """
name: rolling
inputs: {nodes: {type: list, default: [n1, n2, n3]}, bad: {default: none}}
tasks:
  - {name: first, run: "echo first >> log", revert: "echo undo first >> log"}
  - name: push
    for_each: inputs.nodes
    as: node
    max_parallel: 2
    run: |
      echo push ${{ node }} >> log
      echo "got=${{ node }}" >> "$TASKRUN_OUTPUT"
      [ ${{ item }} != ${{ inputs.bad }} ]
    revert: echo undo ${{ node }} >> log
  - {name: last, echo: "${{ join(tasks.push.outputs.got, '+') }}"}
"""


def log(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().splitlines()


def test_each_item_runs_and_what_follows_sees_the_outputs_of_all(taskrun: Taskrun) -> None:
    taskrun.file(WORKFLOW)
    done = taskrun("run", "w.yaml", "-j", 4, "-o", "ndjson")
    assert done.code == 0, done.out + done.err
    assert sorted(log(taskrun)) == ["first", "push n1", "push n2", "push n3"]
    (last,) = [
        event for event in done.events if event.get("name") == "last" and event.get("state") == "SUCCESS"
    ]
    assert last["message"] == "n1+n2+n3"


def test_items_are_undone_in_reverse_when_a_later_one_fails(taskrun: Taskrun) -> None:
    taskrun.file(WORKFLOW)
    done = taskrun("run", "w.yaml", "-j", 1, "-i", "bad=n2", "-o", "ndjson")
    assert done.code == 1
    assert log(taskrun) == ["first", "push n1", "push n2", "undo n2", "undo n1", "undo first"]
    assert done.summary["reverted"] == ["push[1]", "push[0]", "first"]


def test_a_list_from_an_earlier_tasks_output(taskrun: Taskrun) -> None:
    taskrun.file(
        """
name: w
tasks:
  - {name: find, run: "echo '[\\"a b\\", \\"c\\"]'", outputs: {names: result.json}, revert: none}
  - {name: each, for_each: tasks.find.outputs.names, run: "echo ${{ item }} >> log", revert: none}
"""
    )
    done = taskrun("run", "w.yaml", "-j", 1)
    assert done.code == 0, done.out + done.err
    assert log(taskrun) == ["a b", "c"]


def test_an_empty_list_is_nothing_to_do(taskrun: Taskrun) -> None:
    taskrun.file(
        WORKFLOW.replace("  - {name: last, echo: \"${{ join(tasks.push.outputs.got, '+') }}\"}\n", "")
    )
    done = taskrun("run", "w.yaml", "-i", "nodes=[]", "-o", "ndjson")
    assert (done.code, log(taskrun)) == (0, ["first"])


def test_something_that_is_no_list_fails_the_run_and_all_is_undone(taskrun: Taskrun) -> None:
    taskrun.file(
        'name: w\ntasks:\n  - {name: a, run: "echo do >> log", revert: "echo undo >> log"}\n'
        "  - {name: each, for_each: run.name, run: 'true', revert: none}\n"
    )
    done = taskrun("run", "w.yaml")
    assert done.code == 1
    assert "for_each must give a list" in done.out
    assert log(taskrun) == ["do", "undo"]


def test_a_killed_fan_out_is_resumed_with_the_list_it_had(taskrun: Taskrun) -> None:
    taskrun.file(
        WORKFLOW.replace(
            "      [ ${{ item }}", "      while [ ! -e go ]; do sleep 0.05; done\n      [ ${{ item }}"
        )
    )
    run = taskrun.start("run", "w.yaml", "-j", 2)
    while not (taskrun.folder / "log").exists() or len(log(taskrun)) < 3:
        time.sleep(0.05)
        assert run.poll() is None
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    (taskrun.folder / "go").touch()
    done = taskrun("resume", "-o", "ndjson")
    assert done.code == 0, done.out + done.err
    assert sorted(log(taskrun)) == ["first", "push n1", "push n2", "push n3"], "nothing ran twice"
    states = json.loads(taskrun("states", "-o", "json").out)["tasks"]
    assert [t["state"] for t in states if t["name"].startswith("push[")] == ["SUCCESS"] * 3


LISTS = """name: w
tasks:
  - name: g
    retry: {attempts: 4}
    tasks:
      - name: l
        run: 'echo >> n; case $(wc -l < n) in 1) echo "[1]";; 2) echo "[7,8,9]";; 3) echo "[]";; *) echo "[4,5]";; esac'
        outputs: {items: result.json}
        revert: none
      - name: f
        for_each: ${{ tasks.l.outputs.items }}
        run: echo f${{ item }} >> log
        outputs: {v: item}
        revert: echo undo f${{ item }} >> log
      - {name: x, run: 'echo "got ${{ tasks.f.outputs.v }}" >> log; test $(wc -l < n) -eq 4', revert: none}
"""


def test_a_list_is_asked_for_again_in_every_round(taskrun: Taskrun) -> None:
    done = taskrun("run", "-j", 1, taskrun.file(LISTS), "-o", "ndjson")
    assert done.code == 0
    assert (taskrun.folder / "log").read_text().splitlines() == [
        *("f1", "got [1]", "undo f1"),
        *("f7", "f8", "f9", "got [7, 8, 9]", "undo f9", "undo f8", "undo f7"),
        "got []",
        *("f4", "f5", "got [4, 5]"),
    ]
    ignored = [line for line in done.transitions if line.endswith("IGNORE")]
    assert ignored == ["task f[0] IGNORE", "task f[1] IGNORE", "task f[2] IGNORE", "task f[2] IGNORE"]
    assert taskrun("revert").code == 0
    assert (taskrun.folder / "log").read_text().splitlines()[-2:] == ["undo f5", "undo f4"]


def test_a_list_that_is_the_round_of_a_controller_is_that_of_each_round(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - name: g
    retry: {for_each: [[1, 2], [3]]}
    tasks:
      - name: f
        for_each: ${{ retry.value }}
        run: echo f${{ item }} >> log; test ${{ item }} = 3
        revert: echo undo f${{ item }} >> log
"""
    assert taskrun("run", "-j", 1, taskrun.file(text)).code == 0
    assert (taskrun.folder / "log").read_text().split("\n")[:-1] == ["f1", "undo f1", "f3"]


def test_a_list_behind_a_savepoint_is_asked_for_again_after_going_back_to_it(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - savepoint: s
  - name: l
    run: 'echo >> n; case $(wc -l < n) in 1) echo "[1,2]";; *) echo "[7]";; esac'
    outputs: {items: result.json}
    revert: none
  - name: site
    for_each: ${{ tasks.l.outputs.items }}
    tasks:
      - {name: a, run: 'echo a${{ item }} >> log', outputs: {o: item}, revert: 'echo undo a${{ item }} >> log'}
      - {name: b, for_each: '${{ [tasks.a.outputs.o, 0] }}', as: k, run: 'echo b${{ k }} >> log', revert: none}
"""
    assert taskrun("run", "-j", 1, taskrun.file(text)).code == 0
    assert taskrun("revert", "--to", "s").code == 0
    (taskrun.folder / "log").unlink()
    assert taskrun("resume", "-j", 1).code == 0
    assert taskrun("revert").code == 0
    assert (taskrun.folder / "log").read_text().splitlines() == ["a7", "b7", "b0", "undo a7"]


def test_a_workflow_that_is_called_like_its_task_is_resumed_as_well(taskrun: Taskrun) -> None:
    text = """name: w
on_failure: stop
retry: {attempts: 2}
tasks:
  - {name: w, run: echo w >> log, revert: echo undo w >> log}
  - {name: b, run: 'echo b >> log; test -e go', revert: echo undo b >> log}
"""
    assert taskrun("run", "-j", 1, taskrun.file(text)).code == 3
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    assert taskrun("revert").code == 0
    assert (taskrun.folder / "log").read_text().splitlines()[-3:] == ["b", "undo b", "undo w"]


def test_outputs_of_a_fan_out_over_an_empty_list_are_empty_lists(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: e\ninputs: {l: {type: list, default: []}}\ntasks:\n"
        "  - {name: a, for_each: '${{ inputs.l }}', run: echo 1, revert: none, outputs: {x: result.stdout}}\n"
        "  - {name: b, assert: 'tasks.a.outputs.x == [] and tasks.a.state == []'}\n"
    )
    done = taskrun("run", "w.yaml")
    assert done.code == 0, done.err
