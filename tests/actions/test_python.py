import subprocess
import sys

import pytest

from taskrun.actions import python
from taskrun.actions.base import UnexpectedResultError
from taskrun.errors import ActionError
from tests.actions.attempts import carry_out


@pytest.fixture
def module(tmp_path):
    """A module beside the workflow file."""

    def write(source, name="release"):
        (tmp_path / f"{name}.py").write_text(source)

    return write


def failure(fields, here):
    with pytest.raises(UnexpectedResultError) as caught:
        carry_out(python, fields, here)
    return caught.value.as_failure()


def log(here):
    with open(f"{here.run_dir}/err") as file:
        return file.read()


def test_a_function_beside_the_workflow_is_called_by_name(here, module):
    module("def notes(version, *, draft): return {'v': version, 'draft': draft}")
    fields = {"call": "release:notes", "args": {"version": "1.2", "draft": True}}
    values = carry_out(python, fields, here).values
    assert values["value"] == values["json"] == {"v": "1.2", "draft": True}
    assert values["exit_code"] == 0


def test_a_list_of_args_is_by_position(here, module):
    module("def add(a, b): return a + b")
    assert carry_out(python, {"call": "release:add", "args": [2, 3]}, here).values["value"] == 5


def test_a_dotted_name_reaches_into_a_class_and_a_package(here, tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "inner.py").write_text("class Maker:\n @staticmethod\n def make(): return 'made'")
    assert carry_out(python, {"call": "pack.inner:Maker.make"}, here).values["value"] == "made"


def test_code_has_args_as_variables_and_gives_result(here):
    fields = {"code": "import math\nresult = math.prod(numbers) + one", "args": {"numbers": [2, 3], "one": 1}}
    assert carry_out(python, fields, here).values["value"] == 7


def test_code_without_a_result_gives_none(here):
    assert carry_out(python, {"code": "x = 1"}, here).values["value"] is None


def test_what_it_prints_is_the_log_and_not_the_value(here):
    code = "import sys; print('out é'); print('err', file=sys.stderr); result = 1"
    values = carry_out(python, {"code": code}, here).values
    assert (values["stdout"], values["stderr"], values["json"]) == ("out é", "err", 1)


def test_print_is_seen_while_the_task_still_runs(here):
    code = "import os; print('seen'); os.kill(os.getpid(), 9)"
    with pytest.raises(ActionError, match="exit code -9"):  # a driver reports the signal itself
        carry_out(python, {"code": code}, here)
    with open(f"{here.run_dir}/out") as file:
        assert file.read() == "seen\n"


def test_an_exception_is_the_failure_with_its_traceback_in_the_log(here, module):
    module("def notes():\n    raise LookupError('no such version')")
    expected = {"type": "LookupError", "message": "no such version", "exit_code": 1}
    assert failure({"call": "release:notes"}, here) == expected
    assert "release.py" in log(here)
    assert "raise LookupError('no such version')" in log(here)
    assert "python_child.py" not in log(here)


def test_a_traceback_shows_the_line_of_inline_code(here):
    assert failure({"code": "x = 1\nresult = x / 0"}, here)["type"] == "ZeroDivisionError"
    assert "line 2" in log(here)
    assert "result = x / 0" in log(here)


@pytest.mark.parametrize(
    ("code", "type_", "message"),
    [
        ("if", "SyntaxError", "invalid syntax"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("def f(): f()\nf()", "RecursionError", "maximum recursion"),
        (
            "class E(Exception):\n def __str__(self): raise ValueError\nraise E",
            "E",
            "cannot be shown: ValueError",
        ),
        ("import no_such_module", "ModuleNotFoundError", "no_such_module"),
        ("result = {1, 2}", "NotJSON", "the value is a set that is not JSON"),
        ("result = float('nan')", "NotJSON", "the value is a float that is not JSON"),
        ("result = []\nresult.append(result)", "NotJSON", "Circular reference"),
        ("result = 'x' * 1048577", "TooLarge", "the value is 1,048,590 bytes of JSON"),
        ("raise ValueError('x' * 20000)", "ValueError", "x" * 10_000 + "…"),
    ],
)
def test_every_kind_of_failure_has_a_type_and_a_message(here, code, type_, message):
    found = failure({"code": code}, here)
    assert found["type"] == type_
    assert message in found["message"]


@pytest.mark.parametrize(
    ("call", "type_", "message"),
    [
        ("nothing_here:f", "ModuleNotFoundError", "No module named 'nothing_here'"),
        ("release:missing", "AttributeError", "module 'release' has no attribute 'missing'"),
        ("release:VERSION", "TypeError", "release:VERSION is a str, not a function"),
        ("release:notes", "TypeError", "missing 1 required positional argument"),
    ],
)
def test_a_call_that_does_not_work_says_why(here, module, call, type_, message):
    module("VERSION = '1'\ndef notes(version): ...")
    found = failure({"call": call}, here)
    assert found["type"] == type_
    assert message in found["message"]


def test_sys_exit_is_an_exit_code(here):
    assert failure({"code": "import sys; sys.exit(3)"}, here)["message"] == "exit code 3"
    assert failure({"code": "raise SystemExit('enough')"}, here)["type"] == "ExitCode"
    assert log(here) == "enough\n"
    assert carry_out(python, {"code": "raise SystemExit(0)"}, here).values["value"] is None
    expecting = {"code": "raise SystemExit(3)", "expect": [0, 3]}
    assert carry_out(python, expecting, here).values["exit_code"] == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either call or code"),
        ({"call": "a:b", "code": "x"}, "either call or code"),
        ({"call": "release.notes"}, "'release.notes' is not module:function"),
        ({"call": ":f"}, "is not module:function"),
        ({"code": "x", "args": [1]}, "must be a map"),
        ({"call": "a:b", "args": "x"}, "must be a map or a list"),
    ],
)
def test_fields_that_make_no_sense_are_refused_before_anything_runs(here, fields, message):
    with pytest.raises(ActionError, match=message):
        python.command(fields, here)


def test_standard_input_is_the_tasks_own(here):
    code = (
        "import subprocess, sys\nresult = [sys.stdin.readline(), subprocess.check_output(['cat']).decode()]"
    )
    assert carry_out(python, {"code": code}, here).values["value"] == ["", ""]
    only_child = "import subprocess\nresult = subprocess.check_output(['cat']).decode()"
    assert carry_out(python, {"code": only_child, "stdin": "grün\n"}, here).values["value"] == "grün\n"


def test_values_and_secrets_are_not_in_the_command_line_or_the_environment(here):
    spec = python.command({"code": "pass", "args": {"token": "s3cret"}}, here)
    assert "s3cret" not in "".join([*spec.argv, *spec.env.values()])


def test_the_library_is_not_hidden_by_our_modules_nor_by_the_tasks_folder_at_start(here, module):
    module("raise SystemExit('taken for the library')", name="json")
    code = "import http.client, sys; result = 'taskrun' in sys.modules"
    assert carry_out(python, {"code": code}, here).values["value"] is False


def test_another_interpreter_may_run_it(here, tmp_path):
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "python").symlink_to(sys.executable)
    fields = {"code": "import sys; result = sys.executable", "python": "env/python"}
    assert carry_out(python, fields, here).values["value"] == str(tmp_path / "env" / "python")
    assert python.command({"code": "1", "python": "python3"}, here).argv[0] == "python3"


def test_the_child_imports_nothing_heavy(here):
    code = "import sys; result = sorted({'re', 'typing', 'traceback', 'pydantic', 'yaml', 'asyncio'} & set(sys.modules))"
    found = carry_out(python, {"code": code}, here).values["value"]
    bare = subprocess.run(
        [sys.executable, "-c", "import sys, json; print('re' in sys.modules, 'typing' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = {"re"} if "True False" in bare.stdout else {"re", "typing"}
    assert set(found) <= allowed


def test_a_value_left_by_somebody_else_is_not_believed(here, tmp_path):
    path = python.value_path(here)
    (tmp_path / "elsewhere").write_text('{"value": 1}')
    (tmp_path / path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ActionError, match="the value cannot be read"):
        python.finish({"code": "x"}, here, 0, "out", None)


@pytest.mark.parametrize("left", [b"garbage", b"[1]", b" " * 1_100_000])
def test_a_damaged_value_is_an_action_error(here, left):
    with open(python.value_path(here), "wb") as file:
        file.write(left)
    with pytest.raises(ActionError):
        python.finish({"code": "x"}, here, 0, "out", None)


def test_an_earlier_value_of_the_same_attempt_is_forgotten(here):
    assert carry_out(python, {"code": "result = 1"}, here).values["value"] == 1
    assert carry_out(python, {"code": "raise SystemExit(0)"}, here).values["value"] is None


def test_each_attempt_and_its_revert_have_their_own_value(here):
    plain = here._replace(env={})
    paths = {python.value_path(plain), python.value_path(plain._replace(reverting=True))}
    paths.add(python.value_path(plain._replace(attempt=2)))
    assert len(paths) == 3
