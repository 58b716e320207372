"""``-v`` and ``--log-file``: what taskrun does, for somebody who looks for a mistake; free when nobody does."""

import json
import re
import stat
import subprocess
import sys

from tests.cli.terminal import Terminal
from tests.command import Taskrun
from tests.loopback import serve

FLOW = """name: a
tasks:
  - {name: one, run: echo hi, revert: none}
  - {name: two, echo: done}
"""


def parts(text: str) -> list[str]:
    return re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ taskrun\.(\w+): ", text, re.M)


def test_a_run_says_on_stderr_what_it_does_in_order(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    done = taskrun("run", "w.yaml", "-v")
    assert done.code == 0
    found = parts(done.err)
    assert found[:3] == ["start", "cache", "supervisor"]
    assert found.index("spawn") < found.index("ended")
    assert "one/1: ['/bin/sh', '-c', 'echo hi']" in done.err
    assert "task one RUNNING -> SUCCESS" in done.err
    assert "compiled anew" in done.err
    assert "as it was compiled before" in taskrun("run", "w.yaml", "-v").err
    assert parts(done.out) == []


def test_a_file_gets_the_lines_of_every_run_and_is_the_users_alone(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    for _ in range(2):
        done = taskrun("run", "w.yaml", "--log-file", "log.txt")
        assert done.code == 0
        assert parts(done.err) == []
    log = taskrun.folder / "log.txt"
    assert parts(log.read_text()).count("start") == 2
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_file_can_be_a_setting(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    taskrun.file('log_file = "log.txt"\n', "taskrun.toml")
    assert taskrun("run", "w.yaml").code == 0
    assert "spawn" in parts((taskrun.folder / "log.txt").read_text())
    assert taskrun("run", "w.yaml", env={"TASKRUN_LOG_FILE": "other.txt"}).code == 0
    assert (taskrun.folder / "other.txt").exists()


def test_secrets_are_masked_in_it(taskrun: Taskrun) -> None:
    with serve() as server:
        taskrun.file(f"""name: a
secrets: {{token: {{env: TOKEN}}, late: {{command: [echo, l8t3rs3cr3t]}}}}
tasks:
  - {{name: one, run: 'echo "$T $L"', env: {{T: "${{{{ secrets.token }}}}", L: "${{{{ secrets.late }}}}"}}, revert: none, outputs: {{said: result.stdout}}}}
  - {{name: two, http: "{server.url}/ok?key=${{{{ secrets.token }}}}"}}
""")
        done = taskrun("run", "w.yaml", "-v", "--log-file", "log.txt", env={"TOKEN": "s3cr3t'tok\"en"})
    text = (taskrun.folder / "log.txt").read_text()
    for each in (text, done.err, done.out):
        assert "s3cr3t" not in each
        assert "tok" not in each.replace("token", "")
    assert done.code == 0, done.err
    assert "'said': '*** ***" in text
    assert "secret: token read from env" in text
    assert {"secret", "http", "spawn", "commit"} <= set(parts(text))


def test_recovery_and_requests_are_in_it(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: one, run: 'sleep 30', revert: none}]\n")
    process = taskrun.start("run", "w.yaml", "--log-file", "first.txt")
    assert process.stdout is not None
    while "one PENDING -> RUNNING" not in process.stdout.readline():
        pass
    assert taskrun("cancel").code == 0
    process.communicate(timeout=30)
    first = (taskrun.folder / "first.txt").read_text()
    assert "request: 1 cancel" in first
    assert "stop: one/1 by TERM" in first
    taskrun.file(
        "name: a\ntasks: [{name: one, run: 'until test -e go; do sleep 0.05; done', revert: none}]\n"
    )
    process = taskrun.start("run", "w.yaml")
    assert process.stdout is not None
    while "one PENDING -> RUNNING" not in process.stdout.readline():
        pass
    process.kill()
    (taskrun.folder / "go").touch()
    process.communicate(timeout=30)
    done = taskrun("resume", "-v")
    assert done.code == 0
    assert "taskrun.recovery: in flight when its taskrun died: {'one/" in done.err


def test_what_a_task_prints_cannot_forge_a_line(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: a\ntasks: [{name: one, run: 'exit 3', env: {A: \"x\\n2026-01-01 00:00:00.000 1 taskrun.forged: y\"}}]\n"
    )
    done = taskrun("run", "w.yaml", "-v")
    assert "forged" not in parts(done.err)
    assert "\x1b" not in done.err


def test_a_log_that_cannot_be_written_is_said_before_anything_runs(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    done = taskrun("run", "w.yaml", "--log-file", "no/where.txt")
    assert done.code == 2
    assert "the log no/where.txt cannot be written: No such file" in done.err
    assert not (taskrun.home / "journal.db").exists()


def test_a_full_disk_under_the_log_changes_nothing(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    done = taskrun("run", "w.yaml", "--log-file", "/dev/full")
    assert done.code == 0
    assert "Traceback" not in done.err


def test_on_a_terminal_lines_take_the_place_of_the_table(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    with Terminal(taskrun, "run", "w.yaml", "-v", columns=200) as terminal:
        assert terminal.end() == 0
        assert "one PENDING -> RUNNING" in terminal.text
        assert "taskrun.commit:" in terminal.text
        assert b"\x1b[?25l" not in terminal.raw


def test_logging_is_not_loaded_without_the_flag(taskrun: Taskrun) -> None:
    taskrun.file(FLOW)
    code = (
        "import sys, json; from taskrun.cli.main import main; main(sys.argv[1:]);"
        "print(json.dumps('logging' in sys.modules), file=sys.stderr)"
    )

    def loaded(*flags: str) -> bool:
        argv = [sys.executable, "-c", code, "run", "w.yaml", *flags]
        done = subprocess.run(argv, cwd=taskrun.folder, env=taskrun.env, capture_output=True, text=True)
        return json.loads(done.stderr.splitlines()[-1])

    taskrun("run", "w.yaml")  # the first one compiles
    assert not loaded()
    assert loaded("-v")
