"""Secrets reach the tasks that use them and nothing else: neither the journal nor a screen nor a log shows one."""

import base64
import pathlib

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
    """All that is kept of runs, but for what the tasks themselves have written."""
    return b"".join(
        path.read_bytes() for path in home.rglob("*") if path.is_file() and path.parent.name != "out"
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
    assert leaks(logs.out) == [VAULT]  # only the program knows it, and looking at logs runs nothing
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
