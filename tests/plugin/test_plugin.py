"""The example plug-in, installed in a virtual environment of its own and used by the real command there."""

import os
import pathlib
import sys
import sysconfig
import tomllib
import venv

import pytest

from tests.command import ROOT, Taskrun

HERE = pathlib.Path(__file__).parent
WORKFLOW = """
name: pay
inputs: {amount: 80}
tasks:
  - name: write
    ledger: {path: book.txt, line: "paid ${{ inputs.amount }}"}
    outputs: {lines: result.lines}
    revert: {ledger: {path: book.txt, line: "paid ${{ inputs.amount }}", remove: true}}
  - name: again
    ledger: plain
    revert: {ledger: {line: plain, remove: true}}
LAST
"""


class Installed(Taskrun):
    python = ""

    def _argv(self, args: tuple[object, ...]) -> list[str]:
        return [self.python, "-m", "taskrun", *map(str, args)]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with the plug-in; what taskrun itself needs is the present one's.

    This does by hand what an installer does with a pure package (files, entry points, a record), since a build would
    need a network; the entry points are those of the plug-in's pyproject.toml.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    base = {"base": str(folder), "platbase": str(folder)}
    site = pathlib.Path(sysconfig.get_path("purelib", "venv", vars=base))
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    package = site / "taskrun_ledger"
    package.mkdir()
    (package / "__init__.py").write_text((HERE / "taskrun_ledger" / "__init__.py").read_text())
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    groups = project["entry-points"].items()
    points = [f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in each.items()) for group, each in groups]
    (info / "entry_points.txt").write_text("\n".join(points))
    (info / "INSTALLER").write_text("by hand\n")
    files = [package / "__init__.py", *info.iterdir(), info / "RECORD"]
    (info / "RECORD").write_text("".join(f"{path.relative_to(site)},,\n" for path in files))
    inherited = [path for path in sys.path if path.endswith("site-packages")]
    (site / "of_the_tests.pth").write_text("\n".join(inherited) + "\n")
    return str(folder / "bin" / "python")


@pytest.fixture
def taskrun(tmp_path: pathlib.Path, python: str) -> Installed:
    (tmp_path / "work").mkdir()
    found = Installed(tmp_path / "work", tmp_path / "home")
    found.python = python
    found.env["PYTHONPATH"] = str(ROOT)
    return found


def test_its_action_is_done(taskrun: Installed) -> None:
    taskrun.file(WORKFLOW.replace("LAST", ""))
    assert taskrun("validate", "--strict", "w.yaml").code == 0
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert done.code == 0, done.out + done.err
    assert (taskrun.folder / "book.txt").read_text().endswith("\tpaid 80\n")
    assert (taskrun.folder / "ledger.txt").read_text().endswith("\tplain\n"), (
        "a plain value is its main field"
    )


def test_its_action_is_undone(taskrun: Installed) -> None:
    taskrun.file(WORKFLOW.replace("LAST", "  - {name: late, fail: no}"))
    done = taskrun("run", "w.yaml", "-o", "ndjson")
    assert (done.code, done.summary["reverted"]) == (1, ["late", "again", "write"]), done.out + done.err
    assert sorted(os.listdir(taskrun.folder)) == ["w.yaml"]


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ("ledger: {lines: x}", "`ledger` has no key `lines`"),
        ("ledger: {line: '${{ inputs.amuont }}'}", "amuont"),
        ("ledgre: x", "there is no action or key `ledgre`"),
    ],
)
def test_mistakes_in_its_fields_are_found_when_the_file_is_read(
    taskrun: Installed, action: str, problem: str
) -> None:
    taskrun.file(f"name: a\ninputs: {{amount: 1}}\ntasks:\n  - name: b\n    {action}\n    revert: none\n")
    done = taskrun("validate", "w.yaml")
    assert done.code == 2
    assert problem in done.out + done.err


def test_without_a_revert_it_is_a_warning(taskrun: Installed) -> None:
    taskrun.file("name: a\ntasks:\n  - {name: b, ledger: x}\n")
    assert taskrun("validate", "--strict", "w.yaml").code == 2


def test_where_it_is_not_installed_its_action_is_unknown(taskrun: Installed) -> None:
    taskrun.python = sys.executable
    taskrun.file(WORKFLOW.replace("LAST", ""))
    done = taskrun("validate", "w.yaml")
    assert done.code == 2
    assert "there is no action or key `ledger`" in done.out + done.err
