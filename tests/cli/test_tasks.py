"""What a task may say of its surroundings, its limits and its failures, through the real command."""

import json
import pathlib

import pytest

from tests.cli.terminal import until
from tests.command import Done, Taskrun


def run(taskrun: Taskrun, workflow: dict, *arguments: object, **env: str) -> Done:
    taskrun.file(json.dumps({"name": "w", **workflow}))
    return taskrun("run", "w.yaml", "-o", "ndjson", *arguments, env=env)


def failure(done: Done) -> dict:
    return next(e["failure"] for e in done.events if e.get("failure"))


def outputs(done: Done, name: str) -> dict:
    return next(e["outputs"] for e in done.events if e.get("name") == name and e["state"] == "SUCCESS")


# ------------------------------------------------------------------ surroundings


def test_the_environment_comes_from_outside_files_the_workflow_the_defaults_and_the_task(
    taskrun: Taskrun,
) -> None:
    taskrun.file("A=file\nB=file\nC='a file'\n# no more\n", "first.env")
    taskrun.file('B=second\nexport QUOTED="a \\"b\\" $A"\n', "second.env")
    show = {
        "run": 'printf "%s|" "$OUT" "$A" "$B" "$C" "$D" "$E"',
        "revert": "none",
        "outputs": {"x": "result.stdout"},
    }
    done = run(
        taskrun,
        {
            "inputs": {"d": "from an input"},
            "env_file": ["first.env", "second.env"],
            "env": {"C": "workflow", "D": "${{ inputs.d }} ${{ env.OUT }}", "E": "workflow"},
            "defaults": {"env": {"E": "defaults"}},
            "tasks": [
                {"name": "plain", **show},
                {"name": "own", "env": {"E": "task", "A": "${{ run.name }}"}, **show},
            ],
        },
        OUT="outside",
        A="outside",
    )
    assert done.code == 0, done.err
    assert outputs(done, "plain") == {"x": "outside|file|second|workflow|from an input outside|defaults|"}
    assert outputs(done, "own") == {"x": "outside|w|second|workflow|from an input outside|task|"}


def test_a_missing_env_file_is_said_before_anything_runs(taskrun: Taskrun) -> None:
    done = run(
        taskrun, {"env_file": ["no.env"], "tasks": [{"name": "a", "run": "touch ran", "revert": "none"}]}
    )
    assert done.code == 2, done.out
    assert done.err == f"error: env_file {taskrun.folder}/no.env cannot be read: No such file or directory\n"
    taskrun.file("A=1\nthis is no line of it\n", "no.env")
    assert (
        taskrun("run", "w.yaml").err
        == f"error: env_file {taskrun.folder}/no.env, line 2: expected NAME=value\n"
    )
    (taskrun.folder / "no.env").write_bytes(b"A=\xff\n")
    assert taskrun("run", "w.yaml").code == 2
    assert not (taskrun.folder / "ran").exists()
    assert not list((taskrun.home / "runs").iterdir())


def test_tasks_run_in_the_folder_of_the_file_or_where_they_say(
    taskrun: Taskrun, tmp_path: pathlib.Path
) -> None:
    (taskrun.folder / "below" / "deeper").mkdir(parents=True)
    pwd = {"run": "pwd -P", "revert": "none", "outputs": {"x": "result.stdout"}}
    tasks = [
        {"name": "a", **pwd},
        {"name": "b", "cwd": "deeper", **pwd},
        {"name": "c", "cwd": "${{ inputs.there }}", **pwd},
    ]
    taskrun.file(
        json.dumps({"name": "w", "inputs": {"there": str(tmp_path)}, "tasks": tasks}), "below/w.yaml"
    )
    done = taskrun("run", "below/w.yaml", "-o", "ndjson")
    assert done.code == 0, done.err
    below = taskrun.folder / "below"
    assert [outputs(done, name)["x"] for name in "abc"] == [str(below), str(below / "deeper"), str(tmp_path)]
    taskrun.file(
        json.dumps(
            {
                "name": "w",
                "defaults": {"cwd": "below"},
                "tasks": [tasks[0], tasks[2]],
                "inputs": {"there": "nowhere"},
            }
        )
    )
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert outputs(done, "a")["x"] == str(below)
    assert failure(done)["type"] == "NotStarted"
    assert "nowhere" in failure(done)["message"]


def test_a_shell_can_be_chosen(taskrun: Taskrun) -> None:
    tasks = [
        {
            "name": "sh",
            "run": 'echo "${BASH_VERSION:-none}"',
            "revert": "none",
            "outputs": {"x": "result.stdout"},
        },
        {"name": "bash", "shell": "bash -eu", "run": "echo one; false; echo two", "revert": "none"},
    ]
    done = run(taskrun, {"tasks": tasks})
    assert outputs(done, "sh") == {"x": "none"}
    assert failure(done)["exit_code"] == 1
    done = run(taskrun, {"defaults": {"shell": "bash"}, "tasks": [tasks[0]]})
    assert outputs(done, "sh")["x"][0].isdigit()
    done = run(taskrun, {"defaults": {"shell": "/no/such/shell"}, "tasks": [tasks[0]]})
    assert failure(done)["type"] == "NotStarted"
    assert "/no/such/shell" in failure(done)["message"]


def test_a_task_sees_who_it_is_and_gives_outputs_and_progress(taskrun: Taskrun) -> None:
    script = (
        'echo "id=$TASKRUN_TASK-$TASKRUN_ATTEMPT" >> "$TASKRUN_OUTPUT"; echo \'{"n": 7}\' >> "$TASKRUN_OUTPUT";'
        'printf "text<<E\\ntwo\\nlines\\nE\\n" >> "$TASKRUN_OUTPUT"; echo "$TASKRUN_RUN_ID"'
    )
    tasks = [
        {
            "name": "give",
            "run": script,
            "revert": "none",
            "outputs": {"run": "result.stdout", "double": "'x' * 2"},
        },
        {
            "name": "take",
            "echo": "${{ tasks.give.outputs.id }} ${{ tasks.give.outputs.n + 1 }} ${{ tasks.give.outputs.run == run.id }}",
        },
    ]
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 0, done.out + done.err
    found = outputs(done, "give")
    assert found == {
        "id": "give-1",
        "n": 7,
        "text": "two\nlines",
        "run": done.events[0]["run"],
        "double": "xx",
    }
    assert (
        next(e["message"] for e in done.events if e.get("name") == "take" and e["state"] == "SUCCESS")
        == "give-1 8 true"
    )


# ------------------------------------------------------------------ limits


def test_a_task_out_of_time_is_ended_with_all_its_descendants(taskrun: Taskrun) -> None:
    script = """
        sh -c 'trap "" TERM; echo $$ >> pids; sh -c "echo \\$\\$ >> pids; while :; do sleep 0.05; done"' &
        setsid sh -c 'echo $$ >> pids; while :; do sleep 0.05; done' &
        echo $$ >> pids
        while :; do sleep 0.05; done
    """
    done = run(
        taskrun, {"tasks": [{"name": "slow", "run": script, "timeout": "1s", "revert": "touch undone"}]}
    )
    assert done.code == 1
    assert failure(done)["type"] == "Timeout"
    assert failure(done)["message"] == "no end after 1 s"
    assert (taskrun.folder / "undone").exists()
    pids = (taskrun.folder / "pids").read_text().split()
    assert len(pids) == 4
    until(lambda: not [pid for pid in pids if _is_alive(pid)])


def _is_alive(pid: str) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "action",
    [
        {"run": "sleep 60"},
        {"exec": ["sleep", "60"]},
        {"python": {"code": "import time; time.sleep(60)"}},
        {"sleep": "60s"},
    ],
    ids=lambda action: next(iter(action)),
)
def test_every_kind_of_task_keeps_its_time(action: dict, taskrun: Taskrun) -> None:
    tasks = [{"name": "slow", "timeout": "200ms", **action}]
    if "sleep" not in action:
        tasks[0]["revert"] = "none"
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 1
    assert failure(done) == {"type": "Timeout", "message": "no end after 0.2 s"}


def test_a_default_timeout_holds_where_nothing_else_is_said(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "own", "run": "sleep 0.6", "timeout": "20s", "revert": "none"},
        {"name": "default", "run": "sleep 60", "revert": "none"},
    ]
    done = run(taskrun, {"defaults": {"timeout": "300ms"}, "tasks": tasks})
    assert failure(done) == {"type": "Timeout", "message": "no end after 0.3 s"}
    assert "task own SUCCESS" in done.transitions


def test_a_deadline_ends_all_attempts_together(taskrun: Taskrun) -> None:
    task = {
        "name": "t",
        "run": "echo x >> tries; exit 1",
        "retry": {"attempts": 1000, "delay": "50ms"},
        "deadline": "1s",
        "revert": "none",
    }
    done = run(taskrun, {"tasks": [task]})
    assert done.code == 1
    tries = len((taskrun.folder / "tries").read_text().splitlines())
    assert 1 <= tries < 25
    # The last attempt may be out of time before it has written anything.
    assert done.transitions.count("task t FAILURE") in (tries, tries + 1)


# ------------------------------------------------------------------ failures


def test_attempts_count_all_tries_and_the_last_decides(taskrun: Taskrun) -> None:
    task = {
        "name": "t",
        "run": '[ "$TASKRUN_ATTEMPT" = 3 ]',
        "retry": {"attempts": 3, "delay": "10ms"},
        "revert": "none",
    }
    done = run(taskrun, {"tasks": [task]})
    assert done.code == 0
    again = ["task t FAILURE", "task t RETRYING", "task t RUNNING"]
    assert done.transitions == [
        "flow w RUNNING",
        "task t RUNNING",
        *again,
        *again,
        "task t SUCCESS",
        "flow w SUCCESS",
    ]


@pytest.mark.parametrize(
    ("on", "code", "tries"),
    [(["exit 3"], 3, 2), (["exit 4", "5xx"], 3, 1), ([3], 3, 2), (["ExitCode"], 9, 2), (["timeout"], 3, 1)],
    ids=str,
)
def test_retry_on_says_which_failures_are_tried_again(
    on: list, code: int, tries: int, taskrun: Taskrun
) -> None:
    task = {"name": "t", "run": f"exit {code}", "retry": {"attempts": 2, "on": on}, "revert": "none"}
    done = run(taskrun, {"tasks": [task]})
    assert done.code == 1
    assert done.transitions.count("task t RUNNING") == tries


def test_a_failure_that_is_allowed_stays_visible_and_the_run_goes_on(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "may_fail", "run": "exit 5", "allow_failure": True, "revert": "none"},
        {"name": "after", "run": "true", "revert": "none"},
    ]
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 0
    assert done.transitions == [
        "flow w RUNNING", "task may_fail RUNNING", "task may_fail FAILURE", "task after RUNNING", "task after SUCCESS",
        "flow w SUCCESS",
    ]  # fmt: skip
    plain = taskrun("run", "w.yaml")
    assert "1 allowed to fail" in plain.err
    assert "may_fail  ExitCode: exit code 5" in plain.err


def test_a_check_that_passes_spares_the_task_and_its_undo(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "there", "check": "true", "run": "touch ran", "revert": "touch undone"},
        {"name": "not_there", "check": "test -e ran2", "run": "touch ran2", "revert": "rm ran2"},
        {"name": "stop", "fail": "here"},
    ]
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 1
    assert sorted(path.name for path in taskrun.folder.iterdir()) == ["w.yaml"]


def test_a_verify_that_fails_fails_the_task_and_its_words_are_shown(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "t", "run": "touch made", "verify": "echo it is not right; exit 1", "revert": "rm made"}
    ]
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 1
    assert failure(done)["type"] == "VerifyFailed"
    assert not (taskrun.folder / "made").exists()
    plain = taskrun("run", "w.yaml")
    assert "it is not right" in plain.err
    assert "--- t, verify 1\nit is not right\n" in taskrun("logs").out


def test_what_a_failing_task_wrote_to_stderr_is_shown_also_where_it_has_outputs(taskrun: Taskrun) -> None:
    task = {
        "name": "t",
        "run": "echo fine; echo the reason >&2; exit 1",
        "outputs": {"x": "result.stdout"},
        "revert": "none",
    }
    taskrun.file(json.dumps({"name": "w", "tasks": [task]}))
    done = taskrun("run", "w.yaml")
    assert done.code == 1
    assert "│ the reason" in done.err or "| the reason" in done.err


def test_conditions_decide_what_runs_and_how_far_a_skip_reaches(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "a", "run": "true", "if": "inputs.n > 1", "revert": "none"},
        {"name": "b", "run": "true", "if": "inputs.n > 2", "revert": "none"},
        {
            "name": "c",
            "run": "true",
            "if": "tasks.b.state == 'SUCCESS'",
            "skip": "dependents",
            "revert": "none",
        },
        {"name": "d", "run": "true", "revert": "none"},
    ]
    done = run(taskrun, {"inputs": {"n": {"type": "integer"}}, "tasks": tasks}, "-i", "n=2")
    assert done.code == 0
    assert [t for t in done.transitions if "IGNORE" in t or "SUCCESS" in t] == [
        "task a SUCCESS", "task b IGNORE", "task c IGNORE", "task d IGNORE", "flow w SUCCESS",
    ]  # fmt: skip


def test_a_condition_that_is_no_boolean_fails_in_words(taskrun: Taskrun) -> None:
    done = run(
        taskrun,
        {
            "inputs": {"x": "text"},
            "tasks": [{"name": "a", "run": "true", "if": "inputs.x", "revert": "none"}],
        },
    )
    assert done.code == 1
    assert "a condition gives true or false, not a string" in failure(done)["message"]


# ------------------------------------------------------------------ undo


def test_the_undo_sees_what_the_doing_gave_and_why_it_is_undone(taskrun: Taskrun) -> None:
    tasks = [
        {
            "name": "make",
            "inputs": {"who": "${{ inputs.who }}"},
            "run": 'echo "id=42" >> "$TASKRUN_OUTPUT"',
            "revert": 'printf "%s|" ${{ self.outputs.id }} ${{ self.inputs.who }} ${{ failure.task }} ${{ failure.type }} ${{ self.state }} > seen',
        },
        {"name": "bad", "run": "exit 7", "revert": "none"},
    ]
    done = run(taskrun, {"inputs": {"who": "me"}, "tasks": tasks})
    assert done.code == 1
    assert (taskrun.folder / "seen").read_text() == "42|me|bad|ExitCode|SUCCESS|"


def test_the_failed_task_is_undone_first_as_its_effect_may_be_partial(taskrun: Taskrun) -> None:
    tasks = [
        {"name": "a", "run": "true", "revert": "echo a >> order"},
        {"name": "b", "run": "true", "revert": "echo b >> order"},
        {"name": "c", "run": "exit 1", "revert": "echo c >> order"},
        {"name": "d", "run": "true", "revert": "echo d >> order"},
    ]
    assert run(taskrun, {"tasks": tasks}).code == 1
    assert (taskrun.folder / "order").read_text().split() == ["c", "b", "a"]


def test_an_undo_that_keeps_failing_leaves_what_it_stands_on_and_revert_goes_on_later(
    taskrun: Taskrun,
) -> None:
    tasks = [
        {"name": "a", "run": "true", "revert": "echo a >> order"},
        {
            "name": "b",
            "run": "true",
            "revert": {"run": "test -e mended && echo b >> order", "retry": {"attempts": 1}},
        },
        {"name": "c", "run": "exit 1", "revert": "echo c >> order"},
    ]
    done = run(taskrun, {"tasks": tasks})
    assert done.code == 3
    assert done.transitions[-1] == "flow w FAILURE"
    assert (taskrun.folder / "order").read_text().split() == ["c"]
    plain = taskrun("states")
    assert "REVERT_FAILURE" in plain.out
    (taskrun.folder / "mended").touch()
    again = taskrun("revert", "-o", "ndjson")
    assert again.code == 0, again.err
    assert (taskrun.folder / "order").read_text().split() == ["c", "b", "a"]
    assert taskrun("states").code == 1


def test_a_successful_run_can_be_reverted(taskrun: Taskrun) -> None:
    tasks = [{"name": n, "run": f"echo {n} >> log", "revert": f"echo undo {n} >> log"} for n in "ab"]
    assert run(taskrun, {"tasks": tasks}).code == 0
    done = taskrun("revert", "-o", "ndjson")
    assert done.code == 0, done.err
    assert (taskrun.folder / "log").read_text().splitlines() == ["a", "b", "undo b", "undo a"]
    assert taskrun("revert").code == 0
    assert "everything is undone already" in taskrun("revert").err


# ------------------------------------------------------------------ actions


def test_exec_uses_no_shell_and_http_and_python_give_their_results(taskrun: Taskrun) -> None:
    from tests.loopback import serve

    tasks = [
        {
            "name": "program",
            "exec": ["printf", "%s", "$HOME *"],
            "revert": "none",
            "outputs": {"x": "result.stdout"},
        },
        {
            "name": "get",
            "http": "${{ inputs.url }}/echo?a=1",
            "outputs": {"s": "result.status", "q": "result.json.query.a"},
        },
        {
            "name": "post",
            "http": {"post": "${{ inputs.url }}/things", "json": {"n": 1}, "expect": 201},
            "outputs": {"id": "result.json.id"},
            "revert": {"http": {"delete": "${{ inputs.url }}/things/${{ self.outputs.id }}", "expect": 204}},
        },
        {
            "name": "call",
            "python": {"call": "helper:double", "args": {"n": 21}},
            "revert": "none",
            "outputs": {"x": "result.value"},
        },
        {
            "name": "code",
            "python": {"code": "result = {'sum': a + b}", "args": {"a": 1, "b": 2}},
            "revert": "none",
            "outputs": {"x": "result.value.sum"},
        },
        {"name": "sure", "assert": "tasks.code.outputs.x == 3"},
        {
            "name": "bad",
            "assert": {"that": "tasks.call.outputs.x == 0", "message": "it is ${{ tasks.call.outputs.x }}"},
        },
    ]
    taskrun.file("def double(n):\n    return 2 * n\n", "helper.py")
    with serve() as site:
        done = run(taskrun, {"inputs": {"url": "x"}, "tasks": tasks}, "-i", f"url={site.url}")
        assert site.objects("things") == []
    assert done.code == 1, done.err
    assert outputs(done, "program") == {"x": "$HOME *"}
    assert outputs(done, "get") == {"s": 200, "q": "1"}
    assert outputs(done, "call") == {"x": 42}
    assert outputs(done, "code") == {"x": 3}
    assert "it is 42" in failure(done)["message"]
    assert [asked.method for asked in site.asked] == ["GET", "POST", "DELETE"]


@pytest.mark.parametrize(
    ("task", "type_", "words"),
    [
        ({"run": "exit 3"}, "ExitCode", "exit code 3"),
        ({"run": "no-such-command"}, "ExitCode", "command not found"),
        ({"run": "kill -9 $$"}, "Signal", "killed by signal 9 (SIGKILL)"),
        ({"run": "exit 2", "expect": [0, 1]}, "ExitCode", "exit code 2, expected 0 or 1"),
        ({"exec": ["/no/such/program"]}, "NotStarted", "/no/such/program"),
        ({"http": "http://127.0.0.1:1/"}, "ConnectionError", "Connection refused"),
        ({"python": {"code": "raise KeyError('x')"}}, "KeyError", "x"),
        ({"python": {"call": "no_such_module:f"}}, "ModuleNotFoundError", "no_such_module"),
        ({"fail": "on purpose"}, "Failed", "on purpose"),
        ({"run": "echo 'not an output' > $TASKRUN_OUTPUT"}, "InvalidOutput", "line 1"),
        ({"run": "echo x", "outputs": {"x": "result.json.y"}}, "ExpressionError", "null has no key 'y'"),
    ],
    ids=range(11),
)
def test_every_failure_has_a_type_and_says_what_happened(
    task: dict, type_: str, words: str, taskrun: Taskrun
) -> None:
    if "expect" in task:
        task = {"run": {"script": task["run"], "expect": task["expect"]}}
    if not {"fail", "http"} & set(task):
        task = {**task, "revert": "none"}
    done = run(taskrun, {"tasks": [{"name": "t", **task}]})
    assert done.code == 1, done.err
    assert failure(done)["type"] == type_
    assert words in failure(done)["message"]


# ------------------------------------------------------------------ notify


def test_notifications_are_carried_out_in_order_and_a_failing_one_is_a_warning(taskrun: Taskrun) -> None:
    done = run(
        taskrun,
        {
            "tasks": [
                {"name": "a", "run": "true", "revert": "none"},
                {"name": "b", "run": "exit 1", "revert": "none"},
            ],
            "notify": [
                {"flow": "*", "run": 'printf "%s\\n" ${{ event.name + " " + event.state }} >> told'},
                {"task": ["FAILURE"], "run": 'printf "%s\\n" ${{ event.failure.message }} >> told'},
                {"task": ["SUCCESS"], "run": "exit 9"},
            ],
        },
    )
    assert done.code == 1
    assert (taskrun.folder / "told").read_text().splitlines() == [
        "w RUNNING", "exit code 1", "w FAILURE", "w REVERTING", "w REVERTED",
    ]  # fmt: skip
    warnings = [e["message"] for e in done.events if e["kind"] == "warning"]
    assert warnings == ["the notification of SUCCESS failed: exit code 9"]
