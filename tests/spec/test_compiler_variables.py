"""The variables of an `env`: names and values that cannot be set, that no shell can read, and those of taskrun itself."""

import pytest

from taskrun.actions.values import OWN_VARIABLES
from tests.spec.workflows import found, of_task, one

WHERE = {
    "a workflow": "name: w\nenv: {%s}\ntasks: [{name: t, echo: hi}]\n",
    "the defaults": "name: w\ndefaults: {env: {%s}}\ntasks: [{name: t, echo: hi}]\n",
    "a task": of_task("run: x\nrevert: none\nenv: {%s}"),
    "an action": of_task("run: {script: x, env: {%s}}\nrevert: none"),
    "an undo": of_task("run: x\nrevert: {run: x, env: {%s}}"),
    "the action of an undo": of_task("run: x\nrevert: {run: {script: x, env: {%s}}}"),
    "a check": of_task("run: x\nrevert: none\ncheck: {run: x, env: {%s}}"),
    "a verify": of_task("run: x\nrevert: none\nverify: {run: x, env: {%s}}"),
    "a probe": of_task("run: x\nrevert: none\nprobe: {run: x, env: {%s}}"),
    "a reusable action": "name: w\nactions: {a: {run: x, revert: none, env: {%s}}}\ntasks: [{name: t, echo: hi}]\n",
    "a notification": 'name: w\ntasks: [{name: t, echo: hi}]\nnotify: [{flow: "*", run: x, env: {%s}}]\n',
    "a check after the rollback": "name: w\ntasks: [{name: t, echo: hi}]\nverify_revert: [{run: x, env: {%s}}]\n",
}
LONGEST = 131_071  # bytes of NAME=value


@pytest.mark.parametrize("text", WHERE.values(), ids=WHERE)
def test_a_name_that_cannot_be_set_is_an_error_at_the_name_wherever_it_stands(text: str) -> None:
    finding, shown = one(text % '"A=B": x')
    assert (finding.id, finding.severity, shown) == ("TR216", "error", '"A=')
    assert finding.help == "write `A: value`"


@pytest.mark.parametrize("text", WHERE.values(), ids=WHERE)
def test_a_name_that_no_shell_can_read_is_a_warning_wherever_a_shell_gets_it(text: str) -> None:
    finding, shown = one(text % "a.b: x")
    assert (finding.id, finding.severity, shown, finding.help) == (
        "TR217",
        "warning",
        "a.b",
        "did you mean `a_b`?",
    )
    assert [each.severity for each in found(text % "a.b: x", strict=True)] == ["error"]


@pytest.mark.parametrize("text", WHERE.values(), ids=WHERE)
def test_what_taskrun_sets_itself_is_an_error_wherever_it_stands(text: str) -> None:
    finding, shown = one(text % "TASKRUN_OUTPUT: x")
    assert (finding.id, finding.severity, shown) == ("TR218", "error", "TASKRUN_OUTPUT")


@pytest.mark.parametrize("name", [*sorted(OWN_VARIABLES), "TASKRUN_V1", "TASKRUN_V12_FILE"])
def test_no_variable_of_an_attempt_and_no_value_of_a_script_can_be_set(name: str) -> None:
    finding, _ = one(WHERE["an action"] % f"{name}: x")
    assert finding.id == "TR218"


@pytest.mark.parametrize(
    "name", ["TASKRUN_HOME", "TASKRUN_IMAGE_LIMIT", "TASKRUN_JOBS", "TASKRUN_VERBOSE", "_", "a1"]
)
def test_other_variables_of_taskrun_and_names_a_shell_reads_may_be_set(name: str) -> None:
    assert found(WHERE["a task"] % f"{name}: x") == []


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("1st", "did you mean `_1st`?"),
        ("x y", "did you mean `x_y`?"),
        ("APP-MODE", "did you mean `APP_MODE`?"),
        ("é", "letters, digits and `_`, with a letter or `_` in front"),
    ],
)
def test_a_name_that_can_be_read_is_offered(name: str, help_: str) -> None:
    assert [(each.id, each.help) for each in found(WHERE["a task"] % f"{name}: x")] == [("TR217", help_)]


@pytest.mark.parametrize("name", ['""', '"="', '"${{ inputs.x }}"'])
def test_a_name_is_there_before_a_run(name: str) -> None:
    assert [each.id for each in found("inputs: {x: y}\n" + WHERE["a task"] % f"{name}: x")] == ["TR216"]


@pytest.mark.parametrize("action", ["exec: {argv: [x], env: {a.b: x}}", "python: {code: x, env: {a.b: x}}"])
def test_a_program_that_no_shell_starts_may_get_any_name(action: str) -> None:
    assert found(of_task(f"{action}\nrevert: none")) == []
    finding, _ = one(of_task(f"{action.replace('a.b', 'TASKRUN_TASK')}\nrevert: none"))
    assert finding.id == "TR218"


def test_a_value_is_as_long_as_the_system_takes_one_and_no_longer() -> None:
    fits = "x" * (LONGEST - len("NAME="))
    assert found(WHERE["a task"] % f"NAME: {fits}") == []
    (finding,) = found(WHERE["a task"] % f"NAME: {fits}x")
    assert (finding.id, finding.severity) == ("TR216", "error")
    assert finding.message == "`NAME` is 131,072 bytes; the system takes at most 131,071"


def test_a_nul_is_said_once() -> None:
    assert [each.id for each in found(WHERE["a task"] % '"a\\0b": x')] == ["TR109"]
    assert [each.id for each in found(WHERE["a task"] % 'A: "x\\0"')] == ["TR109"]
