"""The short way of reading `taskrun run FILE ...` gives what click gives, or leaves the line to click."""

import random

import click
import pytest

from taskrun.cli import quick
from taskrun.cli.defaults import Defaults
from taskrun.cli.group import cli
from taskrun.cli.run import command
from taskrun.errors import UsageError

WORDS = [
    "w.yaml", "other.yaml", "-", "--", "", "-x", "--help", "--strict", "--detach", "--allow-outside", "--stric",
    "-j", "--jobs", "--jobs=2", "-j2", "1", "10000", "10001", "0", "two", "١", "-1", "-i", "--input", "a=1", "b",
    "-o", "--output", "auto", "plain", "ndjson", "tabel", "--on-failure", "ask", "stop", "revert", "--on-interrupt",
    "suspend", "--durability", "full", "process", "--color", "never", "--inputs-file", "i.yaml", "-v", "--log-file", "log", "--ci", "github", "--web",
]  # fmt: skip


def by_click(words: list[str]) -> dict:
    """What click gives the command."""
    found = {}
    command.callback, kept = (lambda **given: found.update(given)), command.callback
    try:
        with cli.make_context("taskrun", ["run", *words], default_map=Defaults()) as ctx:
            cli.invoke(ctx)
    finally:
        command.callback = kept
    return found


def lines(seed: int) -> list[list[str]]:
    chance = random.Random(seed)
    return [[chance.choice(WORDS) for _ in range(chance.randint(1, 6))] for _ in range(300)]


@pytest.fixture(autouse=True)
def nobody_has_settings(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_read_without_click_is_what_click_reads(seed: int) -> None:
    read = 0
    for words in lines(seed):
        given = quick.read(["run", *words])
        if given is not None:
            read += 1
            assert given == by_click(words), words
    assert read > 3


@pytest.mark.parametrize(
    "line",
    [
        "w.yaml",
        "w.yaml --jobs 1 --durability process",
        "-o ndjson w.yaml -i a=1 -i b=2",
        "w.yaml --strict --detach --color never --on-failure stop --on-interrupt suspend --allow-outside",
    ],
)
def test_usual_lines_need_no_click(line: str) -> None:
    words = line.split()
    assert quick.read(["run", *words]) == by_click(words)


@pytest.mark.parametrize(
    "line", ["", "run", "run --help", "run w.yaml -j x", "run w.yaml --jo 2", "states", "run a b", "run -- a"]
)
def test_what_click_has_to_explain_is_left_to_it(line: str) -> None:
    assert quick.read(line.split()) is None


def test_every_option_of_run_is_known_with_its_choices() -> None:
    params = {param.name: param for param in command.params if param.expose_value and param.name != "file"}
    assert set(quick.DEFAULTS) == set(params)
    for name, param in params.items():
        if isinstance(param.type, click.Choice):
            assert quick.CHOICES[name] == tuple(param.type.choices)
        for option in param.opts if name != "inputs_file" else ():
            known = quick.FLAGS if param.is_flag else quick.VALUES
            assert known[option] == name


@pytest.mark.parametrize(
    ("variable", "value"),
    [("JOBS", "3"), ("DURABILITY", "process"), ("ON_INTERRUPT", "suspend"), ("DISPLAY", "plain"), ("CI", "gitlab"), ("COLOR", "never"), ("STRICT", "true")],
)  # fmt: skip
def test_a_setting_stands_for_what_is_not_given(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = quick.read(["run", "w.yaml"])
    monkeypatch.setenv(f"TASKRUN_{variable}", value)
    given = quick.read(["run", "w.yaml"])
    assert given != without
    assert given == by_click(["w.yaml"])


def test_a_setting_that_has_no_place_in_the_parameters_is_left_to_click(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("TASKRUN_LOG_FILE", str(tmp_path / "log"))
    assert quick.read(["run", "w.yaml"]) is None


def test_a_wrong_setting_is_refused_as_click_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKRUN_JOBS", "many")
    for read in (lambda: quick.read(["run", "w.yaml"]), lambda: by_click(["w.yaml"])):
        with pytest.raises(UsageError, match="TASKRUN_JOBS"):
            read()
