"""What was changed after a task is not overwritten by its undo, unless the task says so."""

import os

import pytest

from taskrun.errors import ActionError
from tests.actions.test_undoing import CASES, Stage


def touched(path, text="somebody else\n"):
    def change(stage):
        with open(f"{stage.world}/{path}", "w") as file:
            file.write(text)

    return change


def gone(path):
    return lambda stage: os.unlink(f"{stage.world}/{path}")


def chmod(path, mode):
    return lambda stage: os.chmod(f"{stage.world}/{path}", mode)


def linked(path, to):
    def change(stage):
        os.unlink(f"{stage.world}/{path}")
        os.symlink(to, f"{stage.world}/{path}")

    return change


DRIFTS = {
    "other_content": ("file_replaced", touched("a.ini"), "a.ini has another content now:\n--- as written"),
    "new_file_changed": ("file_new", touched("new"), "new has another content now"),
    "gone": ("file_replaced", gone("a.ini"), "a.ini is gone"),
    "other_mode": ("file_replaced", chmod("a.ini", 0o777), "a.ini has mode 0777 now, not 0640"),
    "a_link_now": ("file_replaced", linked("a.ini", "/etc/passwd"), "a.ini is a symbolic link now"),
    "link_elsewhere": ("symlink_replaced", linked("current", "void"), "current points to void now"),
    "file_in_place_of_a_link": (
        "symlink_replaced",
        lambda s: (gone("current")(s), touched("current")(s)),
        "is a file now",
    ),
    "edited_again": ("edit_set", touched("a.ini", "[server]\nport = 1\n"), "-port = 9090 ; the port"),
    "something_in_a_folder": ("mkdir", touched("made/x"), "made is not empty any more: x"),
    "folder_mode": ("mkdir_mode_alone", chmod("void", 0o777), "void has mode 0777 now, not 0700"),
    "moved_changed": ("move_file", touched("moved"), "moved has another content now"),
    "moved_gone": ("move_file", gone("moved"), "moved is gone"),
    "from_there_again": ("move_file", touched("a.ini"), "a.ini is there again: a file"),
    "deleted_there_again": ("delete_file", touched("a.ini"), "a.ini is there again: a file"),
    "copy_changed": ("copy_tree", touched("p/tree/more"), "p/tree has another content now"),
}


@pytest.fixture(params=DRIFTS)
def drifted(request, tmp_path):
    def make(policy):
        name, change, words = DRIFTS[request.param]
        kind, fields = CASES[name]
        stage = Stage(tmp_path, kind, fields | ({"on_drift": policy} if policy else {}))
        before = stage.picture()
        stage.do()
        change(stage)
        return stage, before, words

    return make


def test_drift_stops_the_undo_and_is_told(drifted):
    stage, _, words = drifted(None)
    now = stage.picture()
    with pytest.raises(ActionError) as raised:
        stage.revert()
    assert raised.value.type == "Drift"
    assert words in raised.value.message
    assert "`taskrun revert`" in raised.value.message
    assert stage.picture() == now


def test_skip_leaves_what_has_drifted(drifted):
    stage, _, words = drifted("skip")
    now, said = stage.picture(), []
    stage.action.revert(stage.context._replace(log=said.append))
    assert stage.picture() == now
    assert words.split("\n")[0] in said[0]
    assert said[0].startswith("left as it is")
    assert stage.revert() == {"changed": False}


def test_force_puts_the_old_back_all_the_same(drifted):
    stage, before, _ = drifted("force")
    try:
        stage.revert()
    except ActionError as error:
        assert error.type == "Drift"  # there is nothing any more to move back, or something in its place
        assert stage.fields.get("from") == "a.ini"
    else:
        assert stage.picture() == before or stage.fields.get("from") == "a.ini"


def test_an_undo_goes_on_once_the_drift_is_put_right(tmp_path):
    stage = Stage(tmp_path, *CASES["file_replaced"])
    before = stage.picture()
    stage.do()
    touched("a.ini")(stage)
    with pytest.raises(ActionError):
        stage.revert()
    touched("a.ini", "hello\n")(stage)
    stage.revert()
    assert stage.picture() == before


def test_what_was_undone_by_hand_is_no_drift(tmp_path):
    stage = Stage(tmp_path, *CASES["file_new"])
    before = stage.picture()
    stage.do()
    gone("new")(stage)
    assert stage.revert() == {"changed": False}
    assert stage.picture() == before


def test_a_file_that_is_only_touched_has_not_drifted(tmp_path):
    stage = Stage(tmp_path, *CASES["file_replaced"])
    before = stage.picture()
    stage.do()
    os.utime(f"{stage.world}/a.ini")
    stage.revert()
    assert stage.picture() == before


def test_a_long_difference_is_cut(tmp_path):
    stage = Stage(tmp_path, "file", {"path": "new", "content": "".join(f"{n}\n" for n in range(100))})
    stage.do()
    touched("new", "".join(f"{n} {'x' * 500}\n" for n in range(100)))(stage)
    with pytest.raises(ActionError, match=r"\.\.\. and \d+ more lines") as raised:
        stage.revert()
    assert len(raised.value.message) < 6000


def test_a_file_changed_between_image_and_doing_is_not_overwritten(tmp_path):
    stage = Stage(tmp_path, *CASES["file_replaced"])
    stage.action.prepare(stage.fields, stage.context)
    touched("a.ini")(stage)
    now = stage.picture()
    with pytest.raises(
        ActionError, match="was changed since its before-image was taken: nothing was changed"
    ) as raised:
        stage.action.do(stage.fields, stage.context)
    assert raised.value.type == "Drift"
    stage.revert()
    assert stage.picture() == now


def test_a_directory_made_on_the_way_stays_while_it_is_in_use_and_goes_with_the_last_undo(tmp_path):
    first = Stage(tmp_path, "file", {"path": "p/q/one", "content": "1", "parents": True})
    before = first.picture()
    second = Stage(tmp_path, "file", {"path": "p/q/two", "content": "2", "parents": True})
    second.context = second.context._replace(images=f"{second.run_dir}/images/other/1.1")
    first.do()
    second.do()
    first.revert()
    assert os.path.exists(f"{second.world}/p/q/two")
    second.revert()
    assert second.picture() == before
