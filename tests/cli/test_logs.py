"""`logs`: what tasks have printed, attempt by attempt, in the order in which it happened, also while they still print."""

import os

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

FILE = """name: talk
tasks:
  - {name: say, echo: from an echo}
  - name: flaky
    run: |
      echo "try $TASKRUN_ATTEMPT"; echo "to stderr" >&2
      [ $TASKRUN_ATTEMPT = 2 ]
    retry: {attempts: 2}
    outputs: {said: result.stdout}
    verify: echo verified
    revert: {run: 'echo "undo $TASKRUN_ATTEMPT"; [ $TASKRUN_ATTEMPT = 2 ]', retry: {attempts: 2}}
  - {name: bad, run: 'printf "no newline"; exit 1', revert: none}
"""


def test_all_that_was_printed_comes_in_the_order_it_happened(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file(FILE)).code == 1
    done = taskrun("logs")
    assert done.code == 0
    assert done.out == (
        "--- say, attempt 1\nfrom an echo\n"
        "--- flaky, attempt 1\ntry 1\nto stderr\n"
        "--- flaky, attempt 2\ntry 2\nto stderr\n"
        "--- flaky, verify 2\nverified\n"
        "--- bad, attempt 1\nno newline\n"
        "--- flaky, undo 1\nundo 1\n"
        "--- flaky, undo 2\nundo 2\n"
    )
    assert taskrun("logs", "latest", "say").out == "from an echo\n"
    assert taskrun("logs", "latest", "bad").out == "no newline"


def test_following_prints_what_comes_as_it_comes_and_ends_with_the_run(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: slow\ntasks:\n"
        "  - {name: one, run: 'echo first; touch began; while [ ! -e go ]; do sleep 0.02; done; echo second', revert: none}\n"
        "  - {name: two, run: echo third, revert: none}\n"
    )
    run = taskrun.start("run", "w.yaml")
    until((taskrun.folder / "began").exists)
    logs = taskrun.start("logs", "-f")
    assert logs.stdout.readline() == "--- one, attempt 1\n"
    assert logs.stdout.readline() == "first\n"
    (taskrun.folder / "go").touch()
    assert logs.stdout.read() == "second\n--- two, attempt 1\nthird\n"
    logs.communicate(timeout=30)
    assert logs.returncode == 0
    run.communicate(timeout=30)


def test_bytes_pass_a_pipe_as_they_are_and_are_shown_on_a_terminal(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: raw\ntasks: [{name: one, run: \"printf '\\\\033[31mred\\\\377\\\\n'\", revert: none}]\n"
    )
    taskrun("run", "w.yaml")
    process = taskrun.start("logs", "latest", "one", text=False)
    out, _ = process.communicate(timeout=30)
    assert out == b"\x1b[31mred\xff\n"
    with Terminal(taskrun, "logs") as terminal:
        assert terminal.end() == 0
        assert b"\x1b[31m" not in terminal.raw
        assert "red\\xff" in terminal.text


def test_a_log_that_became_a_link_is_not_followed(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file("name: a\ntasks: [{name: one, run: echo x, revert: none}]\n"))
    (run,) = (taskrun.home / "runs").iterdir()
    log = run / "out" / "one.1.out"
    log.unlink()
    os.symlink("/etc/passwd", log)
    done = taskrun("logs")
    assert "root:" not in done.out
    assert "Traceback" not in done.err


def test_a_name_means_a_task_its_items_or_all_that_is_in_a_flow(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: names\ntasks:\n"
        "  - {name: push, for_each: [a, b], run: 'echo push ${{ item }}', revert: none}\n"
        "  - name: nest\n    tasks:\n"
        "      - {name: inner, run: echo inner, revert: none}\n"
        "  - name: site\n    for_each: [x, y]\n    tasks:\n"
        "      - {name: fetch, run: 'echo fetch ${{ item }}', revert: none}\n"
        "  - {name: pushed, run: echo pushed, revert: none}\n"
    )
    done = taskrun("run", "w.yaml", "-j", 1)
    assert done.code == 0, done.err
    for name, lines in {
        "push": ["push a", "push b"],
        "push[1]": ["push b"],
        "nest": ["inner"],
        "inner": ["inner"],
        "site": ["fetch x", "fetch y"],
        "site[1]": ["fetch y"],
        "site[0].fetch": ["fetch x"],
        "fetch": ["fetch x", "fetch y"],
        "pushed": ["pushed"],
    }.items():
        done = taskrun("logs", "latest", name)
        assert done.code == 0, (name, done.err)
        assert [line for line in done.out.splitlines() if not line.startswith("---")] == lines, name
    for name in ("push[2]", "site[2].fetch", "pus", "names"):
        assert taskrun("logs", "latest", name).code == 4


def test_that_nothing_was_printed_is_said_and_not_on_stdout(taskrun: Taskrun) -> None:
    (taskrun.folder / "w.yaml").write_text("name: w\ntasks:\n  - {name: quiet, run: 'true', revert: none}\n")
    assert taskrun("run", "w.yaml").code == 0
    found = taskrun("logs", "latest", "quiet")
    assert (found.code, found.out) == (0, "")
    assert found.err.startswith("quiet of run ")
    assert found.err.endswith(" has printed nothing\n")
