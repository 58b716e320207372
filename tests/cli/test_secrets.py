"""Secrets reach the tasks that use them and nothing else: neither the journal nor a screen nor a log shows one."""

import base64
import contextlib
import json
import os
import pathlib
import shlex
import signal
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.cli.terminal import Terminal
from tests.command import Taskrun

TOKEN, KEY, VAULT = (
    "tok/en+With\"odd'chars",
    "-----BEGIN-----\nabcdefghijklm\n-----END-----",
    "from-the-vault-42",
)
FILE = """name: secret
secrets:
  token: {env: API_TOKEN}
  key: {file: key.pem}
  vault: {command: [sh, ./vault.sh]}
env:
  AUTH: Bearer ${{ secrets.token }}
tasks:
  - name: use
    run: |
      printf '%s\\n' "$AUTH" > used; printf '%s\\n' ${{ secrets.key }} >> used; printf '%s\\n' ${{ secrets.vault }} >> used
      cat used; echo "and in base64: $(printf 'user:%s' ${{ secrets.token }} | base64 -w0)"
      echo "leak=$AUTH" >> "$TASKRUN_OUTPUT"
    revert: printf '%s\\n' ${{ secrets.vault }} > undone
    outputs: {said: result.stdout}
  - name: say
    echo: it is ${{ secrets.token }}, or ${{ tasks.use.outputs.leak }}
  - name: wire
    python: {code: "print(args['t']); raise ValueError(args['t'])", args: {args: {t: "${{ secrets.vault }}"}}}
    revert: none
notify:
  - {task: [FAILURE], echo: "told of ${{ event.failure.message }} with ${{ secrets.key }}"}
"""


@pytest.fixture
def secret(taskrun: Taskrun) -> Taskrun:
    taskrun.file(FILE)
    taskrun.file(KEY + "\n", "key.pem")
    taskrun.file(f"echo x >> {taskrun.folder}/asked\necho {VAULT}\n", "vault.sh")
    taskrun.env["API_TOKEN"] = TOKEN
    return taskrun


def leaks(text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    pieces = [TOKEN, "abcdefghijklm", VAULT, base64.b64encode(TOKEN.encode())[4:-4].decode()]
    return [piece for piece in pieces if piece.encode() in data]


def kept(home: pathlib.Path) -> bytes:
    """All that is kept of runs, what the tasks have printed and the names of files included."""
    return b"".join(
        os.fsencode(path) + (path.read_bytes() if path.is_file() else b"") for path in home.rglob("*")
    )


def test_tasks_get_secrets_and_nobody_else_does(secret: Taskrun) -> None:
    done = secret("run", "w.yaml", "-o", "ndjson")
    assert done.code == 1, done.err
    assert (secret.folder / "used").read_text() == f"Bearer {TOKEN}\n{KEY}\n{VAULT}\n"
    assert (secret.folder / "undone").read_text() == f"{VAULT}\n"
    assert (secret.folder / "asked").read_text() == "x\n"  # the program was run once
    messages = {e["name"]: e["message"] for e in done.events if e.get("message") and e["kind"] == "task"}
    assert messages["say"] == "it is ***, or Bearer ***"
    assert next(e["failure"]["message"] for e in done.events if e.get("failure")) == "***"
    assert "a secret is in its output" in done.out
    outputs = (done.out, done.err, secret("states", "--history", "-o", "ndjson").out, secret("states").out)
    for text in (*outputs, secret("states", "-o", "json").out, kept(secret.home)):
        assert leaks(text) == []


def test_neither_lines_nor_table_nor_ending_nor_logs_show_one(secret: Taskrun) -> None:
    done = secret("run", "w.yaml")
    assert leaks(done.out + done.err) == []
    assert "***" in done.err
    logs = secret("logs")
    assert leaks(logs.out) == []
    assert "warning: not masked, as it cannot be read here: secret vault" in logs.err
    with Terminal(secret, "run", "w.yaml") as terminal:
        assert terminal.end() == 1
        assert leaks(terminal.raw) == []
        assert "***" in terminal.text
    with Terminal(secret, "states", "--watch") as terminal:
        assert terminal.end() == 1
        assert leaks(terminal.raw) == []


def test_what_is_missing_is_said_before_anything_runs(secret: Taskrun) -> None:
    (secret.folder / "key.pem").unlink()
    del secret.env["API_TOKEN"]
    secret.file(FILE.replace("[sh, ./vault.sh]", "[no-such-program, get]"))
    done = secret("run", "w.yaml")
    assert done.code == 2
    for words in (
        "secret `token`: the environment variable API_TOKEN is not set",
        f"secret `key`: {secret.folder}/key.pem cannot be read: No such file or directory",
        "secret `vault`: there is no program 'no-such-program'",
    ):
        assert words in done.err
    assert not (secret.folder / "used").exists()
    assert "There is no run yet" in secret("runs").err
    assert not list((secret.home / "runs").glob("*"))


def test_a_program_that_fails_fails_the_task_that_wanted_the_secret(secret: Taskrun) -> None:
    secret.file("echo the vault is sealed >&2; exit 2\n", "vault.sh")
    done = secret("run", "w.yaml", "-o", "ndjson")
    assert done.code in (1, 3)
    failure = next(e["failure"] for e in done.events if e.get("failure"))
    assert "secret `vault`: `sh` ended with exit code 2: the vault is sealed" in failure["message"]
    assert not (secret.folder / "used").exists()


def test_a_resume_reads_them_again_and_says_when_they_are_gone(secret: Taskrun) -> None:
    secret.file(
        "name: again\nsecrets: {token: {env: API_TOKEN}}\non_failure: stop\ntasks:\n"
        "  - {name: one, run: test -e ok, revert: none}\n"
        "  - {name: two, run: 'printf %s ${{ secrets.token }} > used', revert: none}\n"
    )
    assert secret("run", "w.yaml").code == 3
    (secret.folder / "ok").touch()
    assert secret("resume", env={"API_TOKEN": ""}).code == 2
    assert secret("states").code == 3
    assert secret("resume").code == 0
    assert (secret.folder / "used").read_text() == TOKEN


@pytest.mark.parametrize("place", ["outputs: {x: secrets.token}", "inputs: {x: '${{ secrets.token }}'}"])
def test_a_secret_where_it_would_be_kept_is_a_mistake_in_the_file(place: str, secret: Taskrun) -> None:
    secret.file(
        f"name: a\nsecrets: {{token: {{env: API_TOKEN}}}}\ntasks: [{{name: b, run: x, revert: none, {place}}}]\n"
    )
    done = secret("validate", "w.yaml")
    assert done.code == 2
    assert "error[TR312]" in done.out


def test_a_secret_of_an_included_file_is_read_beside_that_file(secret: Taskrun) -> None:
    (secret.folder / "below").mkdir()
    secret.file("below the surface\n", "below/key.pem")
    secret.file(
        "name: inner\nsecrets: {key: {file: key.pem}, made: {command: [cat, key.pem]}}\ntasks:\n"
        "  - {name: a, run: 'printf \"%s|\" ${{ secrets.key }} ${{ secrets.made }} > used', revert: none}\n",
        "below/inner.yaml",
    )
    secret.file("name: outer\ntasks: [{name: inside, workflow: below/inner.yaml}]\n")
    done = secret("run", "w.yaml")
    assert done.code == 0, done.err
    assert (secret.folder / "below" / "used").read_text() == "below the surface|below the surface|"


def test_roundabout_ways_into_the_journal_are_closed(secret: Taskrun) -> None:
    """Through the environment, which is no secret to the language: as input, condition, item, value of a retry."""
    secret.file(
        "name: around\nsecrets: {token: {env: API_TOKEN}}\ntasks:\n"
        "  - {name: a, inputs: {x: '${{ env.API_TOKEN }}'}, echo: '${{ self.inputs.x }}'}\n"
        "  - {name: b, for_each: '${{ [env.API_TOKEN] }}', echo: '${{ item }}'}\n"
        "  - {name: c, if: 'int(env.API_TOKEN) > 1', echo: x}\n"
    )
    done = secret("run", "w.yaml", "-o", "ndjson")
    assert done.code == 1
    assert leaks(done.out + done.err) == []
    assert leaks(kept(secret.home)) == []
    assert "***" in done.out


EVERYWHERE = """name: everywhere
secrets: {token: {env: API_TOKEN}, key: {file: key.pem}, vault: {command: [sh, ./vault.sh]}}
env: {AUTH: "${{ secrets.token }}"}
tasks:
  - name: prints
    run: |
      printf '%s\\n' "$AUTH" ${{ secrets.key }} ${{ secrets.vault }}; printf '%s' "$AUTH" | base64; printf 'x%s' "$AUTH" | base64
      printf %s ${{ secrets.vault }} | cut -c1-9 | tr -d '\\n'; sleep 0.1; printf %s ${{ secrets.vault }} | cut -c10- >&2
      python3 -c 'import json, os, urllib.parse as u; t = os.environ["AUTH"]; print(json.dumps(t), u.quote(t, safe=""), repr(t))'
      echo "state=${{ secrets.vault }}" > "$TASKRUN_STATUS"
      echo "leak=$AUTH" > "$TASKRUN_OUTPUT"; printf '{"pin": %s}\\n' "$(tail -n1 key.pem)" >> "$TASKRUN_OUTPUT"
      sleep 0.3
    outputs: {said: result.stdout, words: result.lines}
    revert: printf '%s\\n' "$AUTH" ${{ secrets.vault }}
  - name: reads
    exec: {argv: [sh, -c, "cat; cat >&2; echo $V; sleep 0.2"], stdin: "${{ secrets.key }}", env: {V: "${{ secrets.vault }}"}}
    outputs: {said: result.stdout}
    revert: none
  - name: computes
    python: {code: "print(a); result = [a, {b: a}]", args: {a: "${{ secrets.token }}", b: "${{ secrets.vault }}"}}
    outputs: {value: result.value}
    revert: {python: {code: "print(a)", args: {a: "${{ secrets.vault }}"}}}
  - name: writes
    file: {path: config, mode: "0600", content: "token=${{ secrets.token }}\\nvault=${{ secrets.vault }}\\n"}
  - name: renders
    template: {path: rendered, source: source.txt}
  - name: fills
    sql: {database: "sqlite:base.db", query: "INSERT INTO t VALUES (:a)", params: {a: "${{ secrets.token }}"}}
    revert: none
  - name: sends
    http: {url: "http://127.0.0.1:1/${{ secrets.vault }}?q=${{ secrets.token }}", bearer: "${{ secrets.vault }}", verify: false}
    allow_failure: true
    revert: none
  - name: fails
    run: 'echo "$AUTH" >&2; echo ${{ secrets.vault }} >&2; exit 3'
    revert: none
notify:
  - {flow: [FAILURE, REVERTED], run: 'echo "${{ event.state }} $AUTH" ${{ secrets.vault }}'}
verify_revert:
  - {run: 'echo ${{ secrets.key }}; test "$AUTH" = x'}
"""
PIN = "4711471147"


def all_leaks(data: str | bytes) -> list[str]:
    """In every form that the design names."""
    if isinstance(data, str):
        data = data.encode()
    found = leaks(data)
    for value in (TOKEN, VAULT, PIN, "abcdefghijklm"):
        forms = [
            value,
            urllib.parse.quote(value, safe=""),
            urllib.parse.quote(value),
            json.dumps(value)[1:-1],
        ]
        forms += [shlex.quote(value), repr(value)[1:-1]]
        coded = [base64.b64encode(b"x" * shift + value.encode())[4:-4].decode() for shift in range(3)]
        found += [form for form in (*forms, *coded) if form.encode() in data]
    return found


@contextlib.contextmanager
def command_lines() -> Iterator[list[bytes]]:
    """What `ps` shows while something goes on."""
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(path.read_bytes())
            time.sleep(0.01)

    thread = threading.Thread(target=look)
    thread.start()
    found: list[bytes] = []
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found += seen


@pytest.fixture
def everywhere(secret: Taskrun) -> Taskrun:
    secret.file(EVERYWHERE)
    secret.file("pin: ${{ secrets.token }} and ${{ secrets.vault }}\n", "source.txt")
    secret.file(f"{KEY}\n{PIN}\n", "key.pem")
    made = sqlite3.connect(secret.folder / "base.db")
    made.execute("CREATE TABLE t (a)")
    made.commit()
    made.close()
    return secret


def test_a_run_that_uses_secrets_everywhere_keeps_and_shows_none(everywhere: Taskrun) -> None:
    with command_lines() as lines:
        done = everywhere("run", "w.yaml", "-o", "ndjson")
    assert done.code in (1, 3), done.err
    states = {e["name"]: e["state"] for e in done.events if e["kind"] == "task"}
    assert states["fails"] == "REVERTED", states
    assert not (everywhere.folder / "config").exists()
    assert not (everywhere.folder / "rendered").exists()
    assert [line for line in lines if b"API_TOKEN" not in line and all_leaks(line)] == []
    assert all_leaks(done.out + done.err) == []
    assert "***" in done.out
    assert all_leaks(kept(everywhere.home)) == []
    shown = [everywhere("logs"), everywhere("states"), everywhere("states", "--history", "-o", "ndjson")]
    shown += [everywhere("report", "--format", form) for form in ("html", "markdown", "json", "junit")]
    shown += [everywhere("plan", "w.yaml", "-o", "json"), everywhere("plan", "--revert", "latest")]
    for each in shown:
        assert all_leaks(each.out + each.err) == []
    assert "a secret is in its output leak, pin, said, words" in done.out


def test_a_run_that_succeeded_keeps_none_but_in_the_images_of_files_that_have_one(
    everywhere: Taskrun,
) -> None:
    text = EVERYWHERE.replace("exit 3", "exit 0")
    everywhere.file(text)
    assert everywhere("run", "w.yaml").code == 0
    assert (everywhere.folder / "config").read_text() == f"token={TOKEN}\nvault={VAULT}\n"
    assert all_leaks(kept(everywhere.home)) == []
    (everywhere.folder / "config").write_text("token=other\n")
    undone = everywhere("revert")
    assert "changed since" in undone.out + undone.err
    assert all_leaks(undone.out + undone.err + everywhere("states", "--history").out) == []
    assert all_leaks(kept(everywhere.home)) == []

    everywhere.file("name: again\ntasks: [{name: a, edit: {path: own, line: x}}]\n", "again.yaml")
    (everywhere.folder / "own").write_text(TOKEN)
    everywhere("run", "again.yaml")
    images = [
        path for path in everywhere.home.rglob("images/**/*") if path.is_file() and leaks(path.read_bytes())
    ]
    assert images
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in images)
    assert all(path.stat().st_mode & 0o777 == 0o700 for image in images for path in list(image.parents)[:5])
    assert everywhere("prune", "--keep", "0", "--force").code == 0
    assert leaks(kept(everywhere.home)) == []


def test_what_tasks_wrote_before_everything_was_killed_is_masked_when_it_goes_on(secret: Taskrun) -> None:
    secret.file(
        "name: killed\nsecrets: {token: {env: API_TOKEN}}\ntasks:\n"
        '  - name: a\n    run: \'echo "x=$T" > "$TASKRUN_OUTPUT"; echo "$T"; touch up; exec sleep 600\'\n'
        '    env: {T: "${{ secrets.token }}"}\n    on_lost: revert\n    revert: "true"\n    retry: {attempts: 1}\n'
    )
    run = secret.start("run", "w.yaml")
    while not (secret.folder / "up").exists():
        time.sleep(0.01)
    keeper = next(secret.home.rglob("attempts.log")).read_text().split()[1]
    run.kill()
    os.kill(int(keeper), signal.SIGKILL)
    run.communicate()
    (secret.folder / "up").unlink()
    assert secret("revert").code in (0, 1)
    assert leaks(kept(secret.home)) == []


def test_a_secret_among_the_arguments_of_a_program_is_a_mistake_or_warned_of(secret: Taskrun) -> None:
    text = "name: a\nsecrets: {token: {env: API_TOKEN}}\ntasks: [{name: b, exec: [echo, '${{ %s }}'], revert: none}]\n"
    secret.file(text % "secrets.token")
    assert "error[TR317]" in secret("validate", "w.yaml").out
    secret.file(text % "env.API_TOKEN")
    done = secret("run", "w.yaml")
    assert "everybody on the machine can see them" in done.out + done.err


def test_a_long_value_with_a_secret_in_it_is_not_written_to_a_file_for_a_script(secret: Taskrun) -> None:
    secret.file(
        "name: long\nsecrets: {token: {env: API_TOKEN}}\ninputs: {much: x}\n"
        "tasks: [{name: a, run: 'echo ${{ inputs.much + secrets.token }}', revert: none}]\n"
    )
    (secret.folder / "in.yaml").write_text(f"much: {'y' * 120_000}\n")
    done = secret("run", "w.yaml", "--inputs-file", "in.yaml")
    assert "is too long for the environment, and a secret is in it" in done.out + done.err
    assert leaks(kept(secret.home)) == []
