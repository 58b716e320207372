"""What the examples on files leave behind, and what they refuse."""

import os

from tests.command import ROOT, Taskrun
from tests.workflows.test_examples import prepared
from tests.workflows.world import picture

WORKFLOWS = ROOT / "workflows"


def test_a_configuration_keeps_its_comments(taskrun: Taskrun) -> None:
    world = taskrun.folder / "world"
    with prepared("service_config", taskrun) as options:
        assert taskrun("run", WORKFLOWS / "service_config.yaml", *options).code == 0
    assert (world / "server.ini").read_text() == (
        "; the server\n[server]\nport = 9090  ; nobody else's\nhost = 127.0.0.1\n\n[log]\nlevel = info\n"
    )
    assert "    port: 9090   # that of the server\n" in (world / "proxy.yaml").read_text()
    assert (
        world / "service.env"
    ).read_text() == "# for the start script\nPORT=9090\nexport MODE='quiet please'\n"
    assert '"url": "http://127.0.0.1:9090/", "timeout": 5}' in (world / "client.json").read_text()
    assert (world / "hosts").read_text().endswith("# BEGIN service\n127.0.0.1 service.local\n# END service\n")
    assert "--listen 127.0.0.1:9090" in (world / "service.unit").read_text()


def test_a_port_that_is_none_changes_nothing(taskrun: Taskrun) -> None:
    with prepared("service_config", taskrun) as options:
        before = picture(taskrun.folder / "world")
        assert taskrun("run", WORKFLOWS / "service_config.yaml", *options, "-i", "port=99999").code == 1
        assert picture(taskrun.folder / "world") == before


def test_a_release_is_switched_to_and_back(taskrun: Taskrun) -> None:
    current = taskrun.folder / "world" / "current"
    with prepared("release_switch", taskrun) as options:
        before = picture(taskrun.folder / "world")
        assert taskrun("run", WORKFLOWS / "release_switch.yaml", *options).code == 0
        assert os.readlink(current) == "releases/1.3.0"
        assert (current / "app").stat().st_mode & 0o777 == 0o755
        assert taskrun("revert").code == 0
        assert picture(taskrun.folder / "world") == before


def test_two_hundred_files_get_their_old_names_back(taskrun: Taskrun) -> None:
    world = taskrun.folder / "world"
    with prepared("bulk_rename", taskrun) as options:
        before = picture(world)
        assert taskrun("run", WORKFLOWS / "bulk_rename.yaml", *options).code == 0
        assert len(list(world.glob("2026-IMG_*.jpg"))) == 200
        assert (world / "INDEX").read_text().count("\n") == 199
        assert taskrun("revert").code == 0
        assert picture(world) == before


def test_a_project_somebody_has_worked_on_is_not_taken_away(taskrun: Taskrun) -> None:
    with prepared("scaffold", taskrun) as options:
        before = picture(taskrun.folder / "world")
        assert taskrun("run", WORKFLOWS / "scaffold.yaml", *options).code == 0
        work = taskrun.folder / "world" / "rocket" / "src" / "engine.py"
        work.write_text("thrust = 9000\n")
        done = taskrun("revert")
        assert done.code == 3
        assert "is not empty any more: engine.py" in done.out + done.err
        work.unlink()
        assert taskrun("revert").code == 0
        assert picture(taskrun.folder / "world") == before
