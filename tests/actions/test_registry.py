import importlib
import subprocess
import sys

import pytest

from taskrun.actions import registry
from taskrun.errors import UsageError

MODES = {"inline", "thread", "timer", "person", "process"}


@pytest.mark.parametrize("kind", registry.MODULES)
def test_every_action_declares_what_the_protocol_asks(kind):
    action = registry.get(kind)
    assert action.KIND == kind
    assert action.MODE in MODES
    assert isinstance(action.MAIN, str)
    assert all(isinstance(getattr(action, flag), bool) for flag in ("WRITES", "AUTO", "EFFECT_FREE"))
    assert isinstance(action.EXPRESSIONS, frozenset)
    assert isinstance(action.SCRIPTS, frozenset)
    for name in registry._FUNCTIONS[action.MODE]:
        assert callable(getattr(action, name))


def test_an_action_is_imported_once():
    assert registry.get("echo") is registry.get("echo")


def test_an_unknown_kind_is_a_usage_error():
    with pytest.raises(UsageError, match="there is no action 'frobnicate'"):
        registry.get("frobnicate")


def test_importing_actions_loads_nothing_heavy():
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from taskrun.actions import registry\n"
        "for kind in registry.MODULES: registry.get(kind)\n"
        "heavy = {'yaml', 'pydantic', 'rich', 'requests', 'urllib3', 'asyncio', 'logging', 'subprocess',"
        " 'threading', 'dataclasses', 'importlib.metadata', 'ssl', 'socket', 'email', 'click', 'json'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def plugin(tmp_path, monkeypatch, source):
    """A distribution with one entry point, on the path as an installed one would be."""
    (tmp_path / "colour_plugin.py").write_text(source)
    info = tmp_path / "colour-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: colour\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[taskrun.actions]\ncolour = colour_plugin\necho = colour_plugin\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_loaded", {})
    importlib.invalidate_caches()
    sys.modules.pop("colour_plugin", None)


GOOD = """
KIND = "colour"; MODE = "inline"; MAIN = "name"; WRITES = AUTO = False; EFFECT_FREE = True
EXPRESSIONS = SCRIPTS = frozenset()
def do(fields, context): return None
"""


def test_a_plug_in_adds_a_kind(tmp_path, monkeypatch):
    plugin(tmp_path, monkeypatch, GOOD)
    assert registry.get("colour").KIND == "colour"
    assert registry.kinds()[-1] == "colour"


def test_a_plug_in_cannot_replace_an_action_of_ours(tmp_path, monkeypatch):
    plugin(tmp_path, monkeypatch, GOOD)
    assert registry.get("echo").__name__ == "taskrun.actions.echo"
    assert registry.kinds().count("echo") == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('no licence')", "cannot be loaded: no licence"),
        ("import not_installed_here", "cannot be loaded: No module named 'not_installed_here'"),
        ("MODE = 'warp'", "has the unknown MODE 'warp'"),
        (GOOD.replace("def do", "def undo"), "lacks do$"),
        (GOOD.replace("MAIN", "MINE"), "lacks MAIN$"),
    ],
)
def test_a_broken_plug_in_is_named(tmp_path, monkeypatch, source, message):
    plugin(tmp_path, monkeypatch, source)
    with pytest.raises(UsageError, match=message):
        registry.get("colour")
