import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrun.actions import exec_, run
from taskrun.actions.base import UnexpectedResultError
from taskrun.actions.values import OWN_VARIABLES
from taskrun.errors import ActionError
from tests.actions.attempts import carry_out


def test_a_script_runs_in_the_plain_shell(here):
    result = carry_out(run, {"script": "echo one; echo two"}, here)
    assert result.values["exit_code"] == 0
    assert result.values["lines"] == ["one", "two"]


def test_the_shell_gets_no_options_of_ours(here):
    assert run.command({"script": "x"}, here).argv == ["/bin/sh", "-c", "x"]


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("/bin/sh", ["/bin/sh", "-c"]),
        ("bash -euo pipefail -c", ["bash", "-euo", "pipefail", "-c"]),
        ("bash -euo pipefail", ["bash", "-euo", "pipefail", "-c"]),
        ("/usr/bin/bash -ec", ["/usr/bin/bash", "-ec"]),
        ("bash --norc", ["bash", "--norc", "-c"]),
        ("python3", ["python3", "-c"]),
        ("perl -e", ["perl", "-e"]),
        (["/opt/my shell/bash", "-e"], ["/opt/my shell/bash", "-e", "-c"]),
        ("'/opt/my shell/bash' -c", ["/opt/my shell/bash", "-c"]),
    ],
)
def test_the_script_follows_dash_c(shell, words):
    assert run.shell_words(shell) == words


@pytest.mark.parametrize("shell", ["", "   ", [], "bash 'open"])
def test_a_shell_that_names_no_program_is_refused(shell):
    with pytest.raises(ActionError, match="shell"):
        run.shell_words(shell)


def test_the_field_shell_comes_before_the_tasks(here):
    here = here._replace(shell="bash -e")
    assert run.command({"script": "x"}, here).argv == ["bash", "-e", "-c", "x"]
    assert run.command({"script": "x", "shell": "zsh"}, here).argv == ["zsh", "-c", "x"]


def test_stdin_is_what_the_field_says_and_empty_without(here):
    assert carry_out(run, {"script": "cat", "stdin": "grün\n"}, here).values["stdout"] == "grün"
    assert carry_out(run, {"script": "cat", "stdin": {"a": [1]}}, here).values["json"] == {"a": [1]}
    assert carry_out(run, {"script": "cat"}, here).values["stdout"] == ""


def test_env_is_added_and_null_takes_away(here):
    here = here._replace(env={**here.env, "KEPT": "1", "GONE": "1"})
    fields = {"script": 'echo "$KEPT,${GONE-unset},$N,$FLAG,$MAP"'}
    fields["env"] = {"GONE": None, "N": 3, "FLAG": True, "MAP": {"a": 1}}
    assert carry_out(run, fields, here).values["stdout"] == '1,unset,3,true,{"a": 1}'


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_a_name_that_cannot_be_a_variable_is_refused(here, name):
    with pytest.raises(ActionError, match="cannot be the name of an environment variable"):
        run.command({"script": "x", "env": {name: "1"}}, here)


@pytest.mark.parametrize("name", sorted(OWN_VARIABLES))
def test_what_an_attempt_is_told_of_itself_no_field_replaces(here, name):
    told = here._replace(env={**here.env, name: "ours"})
    fields = {"script": f'echo "${name},$OTHER"', "env": {name: "theirs", "OTHER": "1"}}
    assert carry_out(run, fields, told).values["stdout"] == "ours,1"


def test_a_program_gets_a_variable_whose_name_no_shell_can_read(here):
    result = carry_out(exec_, {"argv": ["env"], "env": {"a.b": "1", "1st": "2"}}, here)
    assert {"a.b=1", "1st=2"} <= set(result.values["lines"])


def test_cwd_is_relative_to_the_workflow_file(here, tmp_path):
    (tmp_path / "sub").mkdir()
    assert carry_out(run, {"script": "pwd", "cwd": "sub"}, here).values["stdout"] == str(tmp_path / "sub")
    assert run.command({"script": "x", "cwd": "/abs"}, here).cwd == "/abs"
    assert run.command({"script": "x"}, here._replace(cwd="/elsewhere")).cwd == "/elsewhere"


def test_an_unexpected_exit_code_fails_with_its_number(here):
    with pytest.raises(UnexpectedResultError) as caught:
        carry_out(run, {"script": "echo partly; exit 3"}, here)
    assert caught.value.as_failure() == {"type": "ExitCode", "message": "exit code 3", "exit_code": 3}
    assert caught.value.result.values["stdout"] == "partly"


@pytest.mark.parametrize("expect", [[0, 4], 4, "4", [[0, 4]], ["4"]])
def test_an_expected_exit_code_is_success(here, expect):
    assert carry_out(run, {"script": "exit 4", "expect": expect}, here).values["exit_code"] == 4


@pytest.mark.parametrize("expect", [[], [True], "many", [None]])
def test_an_expectation_that_is_no_exit_code_is_refused_before_anything_runs(here, expect):
    with pytest.raises(ActionError, match="expect"):
        run.command({"script": "exit 4", "expect": expect}, here)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("no_such_command_here", "exit code 127 (command not found)"),
        ("/", "exit code 126 (the command was found but cannot be executed)"),
        ("sh -c 'kill -9 $$'; exit $?", "exit code 137 (a program in it was killed by SIGKILL)"),
        ("exit 255", "exit code 255"),
    ],
)
def test_well_known_exit_codes_are_explained(here, script, message):
    with pytest.raises(ActionError) as caught:
        carry_out(run, {"script": script}, here)
    assert caught.value.message == message


def test_other_expectations_are_named_in_the_failure(here):
    with pytest.raises(ActionError, match="^exit code 1, expected 0 or 2$"):
        carry_out(run, {"script": "exit 1", "expect": [0, 2]}, here)


@pytest.mark.parametrize(
    ("script", "message"),
    [("a\0b", "NUL"), ("x" * 131_072, "131,072 bytes"), ("é" * 70_000, "140,000 bytes")],
)
def test_a_script_no_program_could_be_given_is_refused(here, script, message):
    with pytest.raises(ActionError, match=message):
        run.command({"script": script}, here)


def test_the_longest_script_the_system_takes_runs(here):
    script = "exit 0 #"
    assert carry_out(run, {"script": script.ljust(131_071, "x")}, here).values["exit_code"] == 0


def test_the_longest_variable_the_system_takes_arrives(here):
    fields = {"script": 'printf %s "$V" | wc -c', "env": {"V": "x" * (131_071 - 2)}}
    assert carry_out(run, fields, here).values["stdout"].strip() == "131069"
    with pytest.raises(ActionError, match="the variable V is 131,072 bytes"):
        run.command({"script": ":", "env": {"V": "x" * (131_072 - 2)}}, here)


def test_exec_uses_no_shell(here):
    result = carry_out(exec_, {"argv": ["printf", "%s\n", "$HOME", "a b", "*", 3, True, None]}, here)
    assert result.values["lines"] == ["$HOME", "a b", "*", "3", "true"]


def test_a_lone_string_is_the_name_of_a_program(here):
    assert exec_.command({"argv": "my program"}, here).argv == ["my program"]


@pytest.mark.parametrize("argv", [None, [], "", ["", "x"]])
def test_argv_without_a_program_is_refused(here, argv):
    with pytest.raises(ActionError, match="argv names no program"):
        exec_.command({"argv": argv}, here)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5))
def test_any_text_reaches_the_program_as_it_is(tmp_path_factory, words):
    from tests.actions.attempts import context

    here = context(tmp_path_factory.mktemp("exec"))
    result = carry_out(exec_, {"argv": ["printf", r"%s\000", "first", *words]}, here)
    assert result.values["stdout"].split("\0")[:-1] == ["first", *words]
