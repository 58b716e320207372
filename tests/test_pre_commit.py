"""The hooks for pre-commit: the manifest says what pre-commit documents, and its commands do what they say."""

import re
import shlex

import pytest
import yaml

from tests.command import ROOT, Taskrun

HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
KNOWN = {
    "id", "name", "entry", "language", "files", "exclude", "types", "types_or", "exclude_types", "always_run",
    "fail_fast", "verbose", "pass_filenames", "require_serial", "description", "language_version",
    "minimum_pre_commit_version", "args", "stages",
}  # fmt: skip


@pytest.mark.parametrize("id_", HOOKS)
def test_a_hook_has_what_pre_commit_wants_of_it(id_: str) -> None:
    hook = HOOKS[id_]
    assert {"id", "name", "entry", "language"} <= hook.keys() <= KNOWN
    assert hook["language"] == "python"  # pre-commit installs this very repository
    assert shlex.split(hook["entry"])[0] == "taskrun"


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("workflows/a.yaml", True),
        ("ops/workflows/a.yml", True),
        ("workflows/templates/page.yaml", False),
        ("my_workflows/a.yaml", False),
        ("workflows/a.json", False),
        (".github/workflows/ci.yaml", True),  # who has such excludes them, as the page on editors says
    ],
)
def test_which_files_a_hook_takes(path: str, taken: bool) -> None:
    assert {bool(re.search(hook["files"], path)) for hook in HOOKS.values()} == {taken}


def test_a_hook_refuses_a_file_with_mistakes_and_the_strict_one_a_warning(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, rnu: c}]\n", "bad.yaml")
    taskrun.file("name: a\ntasks: [{name: b, run: c}]\n", "warned.yaml")
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n", "good.yaml")
    codes = {}
    for id_, hook in HOOKS.items():
        arguments = shlex.split(hook["entry"])[1:]
        for name in ("good", "warned", "bad"):
            codes[id_, name] = taskrun(*arguments, "good.yaml", f"{name}.yaml").code
    assert codes == {
        ("taskrun-validate", "good"): 0,
        ("taskrun-validate", "warned"): 0,
        ("taskrun-validate", "bad"): 2,
        ("taskrun-validate-strict", "good"): 0,
        ("taskrun-validate-strict", "warned"): 2,
        ("taskrun-validate-strict", "bad"): 2,
    }
