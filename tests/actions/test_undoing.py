"""What every action on files promises: done and undone, the world is as it was; done twice, it acts once; cut short
anywhere, it can be undone, or gone on with."""

import os
import shutil
import tempfile

import pytest

from taskrun.actions import registry, restore
from taskrun.errors import ActionError
from tests.actions.attempts import context
from tests.actions.killing import in_a_fork
from tests.actions.worlds import build, picture

BIG = "x" * 100_000
CASES = {
    "file_new": ("file", {"path": "new", "content": "hello\n"}),
    "file_new_with_mode": ("file", {"path": "new", "content": "hello\n", "mode": "0600"}),
    "file_with_parents": ("file", {"path": "p/q/new", "content": "hello\n", "parents": True}),
    "file_replaced": ("file", {"path": "a.ini", "content": "hello\n"}),
    "file_replaced_with_mode": ("file", {"path": "a.ini", "content": BIG, "mode": "0600"}),
    "file_from_a_source": ("file", {"path": "a.ini", "source": "tree/first"}),
    "file_with_two_names": ("file", {"path": "two", "content": "hello\n"}),
    "file_mode_alone": ("file", {"path": "two", "content": "one file, two names\n", "mode": "0600"}),
    "file_as_it_is": ("file", {"path": "two", "content": "one file, two names\n"}),
    "file_through_a_link": ("file", {"path": "current/new", "content": "hello\n"}),
    "template": ("template", {"path": "made", "source": "a.ini"}),
    "edit_set": (
        "edit",
        {"path": "a.ini", "set": {"server.port": 9090, "server.host": "::1", "new.key": True}},
    ),
    "edit_line": ("edit", {"path": "a.ini", "line": "port = 1", "match": "^port"}),
    "edit_block": ("edit", {"path": "a.ini", "block": "x = 1\n"}),
    "edit_created": ("edit", {"path": "new.ini", "line": "x = 1", "create": True}),
    "edit_nothing": ("edit", {"path": "a.ini", "line": "[server]"}),
    "mkdir": ("mkdir", {"path": "made"}),
    "mkdir_with_parents": ("mkdir", {"path": "p/q/made", "parents": True, "mode": "0711"}),
    "mkdir_mode_alone": ("mkdir", {"path": "void", "mode": "0700"}),
    "mkdir_as_it_is": ("mkdir", {"path": "void"}),
    "symlink_new": ("symlink", {"path": "link", "to": "nowhere/at/all"}),
    "symlink_replaced": ("symlink", {"path": "current", "to": "tree"}),
    "symlink_as_it_is": ("symlink", {"path": "current", "to": "tree/inner"}),
    "copy_file": ("copy", {"from": "tree/first", "to": "copied"}),
    "copy_file_over": ("copy", {"from": "tree/first", "to": "a.ini", "mode": "0600"}),
    "copy_link_over": ("copy", {"from": "current", "to": "a.ini"}),
    "copy_tree": ("copy", {"from": "tree", "to": "p/tree", "parents": True}),
    "move_file": ("move", {"from": "a.ini", "to": "moved"}),
    "move_file_over": ("move", {"from": "a.ini", "to": "two"}),
    "move_link": ("move", {"from": "current", "to": "tree/inner/current"}),
    "move_tree": ("move", {"from": "tree", "to": "p/tree", "parents": True}),
    "delete_file": ("delete", {"path": "a.ini"}),
    "delete_twin": ("delete", {"path": "two"}),
    "delete_link": ("delete", {"path": "current"}),
    "delete_tree": ("delete", {"path": "tree"}),
    "delete_nothing": ("delete", {"path": "none", "missing_ok": True}),
}
IDLE = {name for name in CASES if name.endswith(("_as_it_is", "_nothing"))}
ACROSS = {
    name: CASES[name]
    for name in ("file_replaced", "copy_file_over", "delete_file", "delete_tree", "delete_twin")
}


class Stage:
    """A world, a run's directory, and one attempt at one action; everything can be set up again."""

    def __init__(self, folder, kind, fields, *, run_dir=None):
        self.world = f"{folder}/world"
        self.run_dir = str(run_dir or f"{folder}/run")
        self.action = registry.get(kind)
        self.fields = fields
        where = context(self.world, run_dir=self.run_dir, images=f"{self.run_dir}/images/build/1.1")
        self.context = where._replace(aborts=[])
        self.kept_times = ("tree",) if "tree" in (fields.get("path"), fields.get("from")) else ()
        self.reset()

    def reset(self):
        for folder in (self.world, f"{self.run_dir}/images"):
            shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(self.world)
        os.makedirs(self.run_dir, exist_ok=True)
        build(self.world)

    def picture(self):
        return picture(self.world, folder_times=self.kept_times)

    def do(self):
        self.action.prepare(self.fields, self.context)
        return self.action.do(self.fields, self.context).values

    def revert(self):
        return self.action.revert(self.context).values


@pytest.fixture
def memory(tmp_path):
    """A folder in memory, where nothing waits for a disk; else one on disk."""
    if not os.path.isdir("/dev/shm"):
        yield str(tmp_path)
        return
    folder = tempfile.mkdtemp(dir="/dev/shm")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=CASES)
def stage(request, memory):
    return Stage(memory, *CASES[request.param])


@pytest.fixture(params=ACROSS)
def across(request, memory, tmp_path):
    """The run's directory is on another file system."""
    if os.stat(memory).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no other file system")
    return Stage(memory, *ACROSS[request.param], run_dir=tmp_path)


def undone_is_as_before(stage):
    before = stage.picture()
    result = stage.do()
    assert result["changed"] == (stage.picture() != before)
    assert stage.revert()["changed"] == result["changed"]
    assert stage.picture() == before
    assert stage.revert() == {"changed": False}
    assert stage.picture() == before
    assert os.listdir(stage.context.images) == ["undone"]


@pytest.mark.parametrize("name", CASES)
def test_an_undone_action_leaves_the_world_as_it_was(name, tmp_path):
    undone_is_as_before(Stage(tmp_path, *CASES[name]))


def test_an_undo_from_another_file_system_leaves_the_world_as_it_was(across):
    if "twin" in str(across.fields) or across.fields.get("path") == "two":
        pytest.skip("a hard link cannot be kept on another file system")
    undone_is_as_before(across)


def test_an_action_done_twice_acts_once(stage):
    before = stage.picture()
    first = stage.do()
    after = stage.picture()
    assert stage.do() == first
    assert stage.picture() == after
    stage.revert()
    assert stage.picture() == before


def killed_anywhere(stage, resume, every=1):
    """Kill the doing at each of its calls, ``resume``, and undo."""
    before = stage.picture()
    calls = in_a_fork(stage.do)
    after = stage.picture()
    for number in range(1, len(calls) + 1, every):
        for torn in (False, True) if calls[number - 1] == "write" else (False,):
            stage.reset()
            before = stage.picture()
            assert in_a_fork(stage.do, number, torn=torn) is None
            resume(stage)
            stage.revert()
            assert stage.picture() == before, f"killed at call {number}, {calls[number - 1]}"
            assert stage.picture() != after or before == after


def test_an_action_killed_at_any_call_and_undone_leaves_the_world_as_it_was(stage):
    killed_anywhere(stage, lambda _: None)


def test_an_action_killed_at_any_call_goes_on_where_it_was(stage):
    def again(stage):
        before = stage.picture()
        assert stage.do()["changed"] or stage.picture() == before

    killed_anywhere(stage, again, every=2)


def test_an_action_on_a_disk_that_fills_up_fails_and_can_be_undone(stage):
    calls = in_a_fork(stage.do)
    for number in range(1, len(calls) + 1, 2):
        stage.reset()
        before = stage.picture()
        in_a_fork(stage.do, number, full=True)
        stage.revert()
        assert stage.picture() == before, f"full at call {number}, {calls[number - 1]}"


def test_an_undo_on_a_full_disk_is_completed_when_there_is_space_again(stage):
    stage.do()
    calls = in_a_fork(stage.revert)
    for number in range(1, len(calls) + 1, 2):
        stage.reset()
        before = stage.picture()
        stage.do()
        in_a_fork(stage.revert, number, full=True)
        stage.revert()
        assert stage.picture() == before, f"full at call {number}, {calls[number - 1]}"


def test_an_undo_killed_at_any_call_is_completed_by_the_next(stage):
    before = stage.picture()
    stage.do()
    calls = in_a_fork(stage.revert)
    assert stage.picture() == before
    for number in range(1, len(calls) + 1):
        stage.reset()
        before = stage.picture()
        stage.do()
        assert in_a_fork(stage.revert, number) is None
        stage.revert()
        assert stage.picture() == before, f"killed at call {number}, {calls[number - 1]}"


def test_an_action_and_its_undo_killed_on_another_file_system(across):
    if "two" in across.fields.values():
        pytest.skip("a hard link cannot be kept on another file system")
    killed_anywhere(across, lambda _: None)
    across.reset()
    across.do()
    calls = in_a_fork(across.revert)
    for number in range(1, len(calls) + 1):
        across.reset()
        before = across.picture()
        across.do()
        assert in_a_fork(across.revert, number) is None
        across.revert()
        assert across.picture() == before, f"killed at call {number}, {calls[number - 1]}"


@pytest.mark.parametrize(
    "name", ["file_replaced", "move_file_over", "delete_tree", "copy_tree", "mkdir_with_parents"]
)
def test_a_doing_and_its_undo_may_both_be_killed(name, memory):
    stage = Stage(memory, *CASES[name])
    doing = len(in_a_fork(stage.do))
    for number in range(1, doing + 1, 3):
        for later in range(1, 30, 5):
            stage.reset()
            before = stage.picture()
            in_a_fork(stage.do, number)
            in_a_fork(stage.revert, later)
            stage.revert()
            assert stage.picture() == before


@pytest.mark.parametrize("name", sorted(IDLE))
def test_what_is_as_it_shall_be_is_not_touched(name, tmp_path):
    stage = Stage(tmp_path, *CASES[name])
    inodes = {entry.name: entry.inode() for entry in os.scandir(stage.world)}
    assert stage.do()["changed"] is False
    assert {entry.name: entry.inode() for entry in os.scandir(stage.world)} == inodes


# ---------------------------------------------------------------------- restore


class Restoring(Stage):
    """Images of paths, then a script that does its worst."""

    def __init__(self, folder, paths, worst):
        self.worst = worst
        super().__init__(folder, "mkdir", {"paths": paths})
        self.action = restore
        self.kept_times = ("tree",)

    def do(self):
        self.action.prepare(self.fields, self.context)
        here = os.open(".", os.O_RDONLY)
        os.chdir(self.world)
        try:
            self.worst()
        finally:
            os.chdir(here)
            os.close(here)


def edit_in_place():
    with open("tree/first", "r+") as file:
        file.write("2")
    with open("two", "a") as file:
        file.write("more\n")


def exchange_kinds():
    shutil.rmtree("tree/inner")
    os.symlink("/etc", "tree/inner")
    os.unlink("tree/dangling")
    os.mkdir("tree/dangling")
    os.unlink("two")
    os.mkdir("two")


def take_all_away():
    shutil.rmtree("tree")
    os.unlink("two")
    os.unlink("a.ini")


def put_things_in():
    os.makedirs("tree/more/and/more")
    os.makedirs("p/q")
    for path in ("tree/x", "tree/inner/y", "p/q/absent"):
        with open(path, "w") as file:
            file.write(path)


def change_modes():
    os.chmod("a.ini", 0o777)
    os.utime("tree/first")
    os.removexattr("a.ini", "user.note") if "user.note" in os.listxattr("a.ini") else None
    os.chmod("tree", 0o000)


def replace_a_twin():
    with open("tree/new", "w") as file:
        file.write("not the same")
    os.rename("tree/new", "tree/first")


def put_a_file_in_place_of_the_tree():
    shutil.rmtree("tree")
    with open("tree", "w") as file:
        file.write("!")


def nothing():
    pass


WORST = [
    edit_in_place,
    exchange_kinds,
    take_all_away,
    put_things_in,
    change_modes,
    replace_a_twin,
    put_a_file_in_place_of_the_tree,
    nothing,
]
PATHS = ["tree", "two", "second", "a.ini", "p/q/absent"]


@pytest.fixture(params=WORST, ids=lambda worst: worst.__name__)
def restoring(request, memory):
    return Restoring(memory, PATHS, request.param)


def test_restored_paths_are_as_they_were(restoring):
    before = restoring.picture()
    restoring.do()
    restoring.revert()
    assert restoring.picture() == before
    assert restoring.revert() == {"changed": False}


def test_a_restoring_killed_at_any_call_is_completed_by_the_next(restoring):
    restoring.do()
    calls = in_a_fork(restoring.revert)
    for number in range(1, len(calls) + 1):
        restoring.reset()
        before = restoring.picture()
        restoring.do()
        in_a_fork(restoring.revert, number)
        restoring.revert()
        assert restoring.picture() == before, f"killed at call {number}, {calls[number - 1]}"


def test_images_that_are_not_complete_are_taken_again(memory):
    stage = Restoring(memory, PATHS, nothing)
    calls = in_a_fork(lambda: stage.action.prepare(stage.fields, stage.context))
    for number in range(1, len(calls) + 1):
        stage.reset()
        before = stage.picture()
        assert in_a_fork(lambda: stage.action.prepare(stage.fields, stage.context), number) is None
        stage.worst = take_all_away
        stage.do()
        stage.revert()
        assert stage.picture() == before


def test_the_images_of_the_first_doing_are_kept(tmp_path):
    stage = Restoring(tmp_path, PATHS, edit_in_place)
    before = stage.picture()
    stage.do()
    stage.do()
    stage.revert()
    assert stage.picture() == before


def test_what_did_not_change_stays_the_file_it_was(tmp_path):
    stage = Restoring(tmp_path, ["tree"], put_things_in)
    inode = os.stat(f"{stage.world}/tree/first").st_ino
    stage.do()
    stage.revert()
    assert os.stat(f"{stage.world}/tree/first").st_ino == inode


def test_images_larger_than_the_limit_are_refused_before_anything_happens(tmp_path):
    stage = Restoring(tmp_path, ["tree"], nothing)
    env = {**stage.context.env, "TASKRUN_IMAGE_LIMIT": "4K"}
    with pytest.raises(ActionError, match=r"larger than 4,096 bytes .*TASKRUN_IMAGE_LIMIT") as raised:
        restore.prepare(stage.fields, stage.context._replace(env=env))
    assert raised.value.type == "TooLarge"


@pytest.mark.parametrize("limit", ["", "much", "-1", "nan", "1Q"])
def test_a_limit_that_is_no_size_is_refused(tmp_path, limit):
    stage = Restoring(tmp_path, ["tree"], nothing)
    env = {**stage.context.env, "TASKRUN_IMAGE_LIMIT": limit}
    with pytest.raises(ActionError, match="a size such as 500M or 20G is needed"):
        restore.prepare(stage.fields, stage.context._replace(env=env))


def test_the_state_of_runs_is_not_its_own_image(tmp_path):
    stage = Restoring(tmp_path, [str(tmp_path)], nothing)
    with pytest.raises(ActionError, match="holds taskrun's own state"):
        stage.do()
