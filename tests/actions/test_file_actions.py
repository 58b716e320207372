"""What each action on files does and refuses to do, and that nobody can lead it astray."""

import os
import stat

import pytest

from taskrun.actions import registry
from taskrun.errors import ActionError
from tests.actions.attempts import context


@pytest.fixture
def act(tmp_path):
    """``act(kind, fields)``: done in the folder ``w``; its result."""
    (tmp_path / "w").mkdir()
    (tmp_path / "run").mkdir()
    count = iter(range(1, 99))

    def call(kind, _render=None, **fields):
        if "from_" in fields:
            fields["from"] = fields.pop("from_")
        images = str(tmp_path / f"run/images/t/1.{next(count)}")
        where = context(tmp_path / "w", run_dir=str(tmp_path / "run"), images=images)
        if _render:
            where = where._replace(render=_render)
        action = registry.get(kind)
        action.prepare(fields, where)
        return action.do(fields, where).values

    call.w = tmp_path / "w"
    return call


def fails(act, type_, words, kind, **fields):
    before = sorted(str(p) for p in act.w.rglob("*"))
    with pytest.raises(ActionError) as raised:
        act(kind, **fields)
    assert raised.value.type == type_
    assert words in raised.value.message
    assert sorted(str(p) for p in act.w.rglob("*")) == before


# ---------------------------------------------------------------------- file, template


def test_a_result_names_path_sum_and_change(act):
    assert act("file", path="a", content="hi") == {
        "path": str(act.w / "a"),
        "sha256": "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
        "changed": True,
    }
    assert act("file", path="a", content="hi")["changed"] is False


@pytest.mark.parametrize(
    ("content", "written"), [(None, ""), (12, "12"), (True, "true"), ({"a": [1]}, '{"a": [1]}')]
)
def test_content_that_is_no_text_is_written_as_text_has_it(act, content, written):
    act("file", path="a", content=content)
    assert (act.w / "a").read_text() == written


def test_a_new_file_gets_what_the_umask_gives(act):
    old = os.umask(0o027)
    try:
        act("file", path="a", content="hi")
        act("file", path="p/b", content="hi", parents=True)
    finally:
        os.umask(old)
    assert stat.S_IMODE((act.w / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((act.w / "p").stat().st_mode) == 0o750


@pytest.mark.parametrize("mode", ["0600", "600", "0o600", "4755"])
def test_a_mode_is_octal(act, mode):
    act("file", path="a", content="hi", mode=mode)
    assert stat.S_IMODE((act.w / "a").stat().st_mode) == int(mode.removeprefix("0o"), 8)


@pytest.mark.parametrize("mode", ["rw", "99", "77777", "-1", "0x1f"])
def test_a_mode_that_is_none_is_refused(act, mode):
    fails(act, "InvalidField", "is not a file mode", "file", path="a", content="hi", mode=mode)


def test_a_replaced_file_hands_on_its_owner_and_attributes(act):
    if os.geteuid():
        pytest.skip("only root gives files away")
    path = act.w / "a"
    path.write_text("old")
    os.chown(path, 1234, 4321)
    os.setxattr(path, "user.note", b"kept")
    act("file", path="a", content="new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)
    assert os.getxattr(path, "user.note") == b"kept"


def test_a_missing_directory_is_a_failure_that_says_how(act):
    fails(act, "FileNotFoundError", "/no is not there; make it with `mkdir`", "file", path="no/a", content="")


@pytest.mark.parametrize("path", ["", "/", "..", "."])
def test_a_path_that_names_nothing_to_work_on_is_refused(act, path):
    with pytest.raises(ActionError) as raised:
        act("file", path=path, content="")
    assert raised.value.type in ("InvalidField", "NotAFile")


def test_a_path_with_a_nul_is_refused(act):
    fails(act, "InvalidField", "NUL", "file", path="a\0b", content="")


def test_a_symbolic_link_at_the_path_is_not_followed(act):
    (act.w / "real").write_text("keep me")
    (act.w / "link").symlink_to("real")
    fails(act, "IsLink", "is a symbolic link to real: name the file itself", "file", path="link", content="x")
    assert (act.w / "real").read_text() == "keep me"


@pytest.mark.parametrize("kind", ["file", "edit", "template"])
def test_something_else_at_the_path_is_refused(act, kind):
    (act.w / "d").mkdir()
    (act.w / "t").write_text("")
    fields = {"file": {"content": ""}, "edit": {"line": "x"}, "template": {"source": "t"}}[kind]
    fails(act, "NotAFile", "d is a directory, not a file", kind, path="d", **fields)


def test_a_source_that_is_no_file_is_refused(act):
    fails(act, "NotAFile", "is not a file", "file", path="a", source=".")
    fails(act, "FileNotFoundError", "none: No such file or directory", "file", path="a", source="none")


def test_a_source_that_is_a_pipe_does_not_hold_the_run_up(act):
    os.mkfifo(act.w / "pipe")
    fails(act, "NotAFile", "is not a file", "file", path="a", source="pipe")


@pytest.mark.parametrize("policy", ["ask", 1, True])
def test_an_unknown_policy_is_refused(act, policy):
    fails(act, "InvalidField", "is none of stop, skip, force", "file", path="a", content="", on_drift=policy)


def test_a_template_is_rendered_by_whoever_knows_the_names(act):
    (act.w / "t").write_text("a ${{ x }}\n")
    act(
        "template",
        lambda text, path: text.replace("${{ x }}", "1") + path.rpartition("/")[2],
        path="out",
        source="t",
    )
    assert (act.w / "out").read_text() == "a 1\nt"


def test_a_template_that_is_no_text_is_refused(act):
    (act.w / "t").write_bytes(b"ok \xff")
    fails(
        act,
        "InvalidTemplate",
        "is not UTF-8: invalid start byte at byte 3",
        "template",
        path="out",
        source="t",
    )


# ---------------------------------------------------------------------- copy, move, mkdir, delete, symlink


def test_a_copy_keeps_time_and_mode_and_belongs_to_us(act):
    (act.w / "a").write_text("hi")
    os.chmod(act.w / "a", 0o4751)
    os.utime(act.w / "a", (1, 2))
    if not os.geteuid():
        os.chown(act.w / "a", 1234, 4321)
        os.chmod(act.w / "a", 0o4751)
    act("copy", from_="a", to="b")
    status = (act.w / "b").stat()
    assert (status.st_mtime, status.st_uid) == (2, os.geteuid())
    assert stat.S_IMODE(status.st_mode) == (0o751 if not os.geteuid() else 0o4751)


def test_a_copy_that_is_there_already_changes_nothing(act):
    (act.w / "a").write_text("hi")
    assert act("copy", from_="a", to="b")["changed"] is True
    assert act("copy", from_="a", to="b")["changed"] is False


def test_a_directory_is_never_merged_into_another(act):
    for name in ("a", "b"):
        (act.w / name).mkdir()
    (act.w / "f").write_text("")
    for kind in ("copy", "move"):
        fails(act, "FileExistsError", "b is there already (a directory)", kind, from_="a", to="b")
        fails(act, "FileExistsError", "b is there already (a directory)", kind, from_="f", to="b")
        fails(act, "FileExistsError", "f is there already (a file)", kind, from_="a", to="f")


def test_a_directory_does_not_go_into_itself(act):
    (act.w / "a/b").mkdir(parents=True)
    for kind in ("copy", "move"):
        fails(act, "InvalidField", "/a/b/c is inside", kind, from_="a", to="a/b/c")


def test_a_file_is_not_copied_onto_itself(act):
    (act.w / "a").write_text("")
    os.link(act.w / "a", act.w / "b")
    for kind in ("copy", "move"):
        fails(act, "InvalidField", "are the same file", kind, from_="a", to="a")
        fails(act, "InvalidField", "are the same file", kind, from_="a", to="b")


@pytest.mark.parametrize("kind", ["copy", "move"])
def test_what_is_not_there_cannot_be_taken(act, kind):
    fails(act, "FileNotFoundError", "none is not there", kind, from_="none", to="b")


def test_a_moved_file_is_the_same_file(act):
    (act.w / "a").write_text("")
    inode = (act.w / "a").stat().st_ino
    act("move", from_="a", to="b")
    assert (act.w / "b").stat().st_ino == inode


def test_a_directory_that_is_there_is_fine_and_a_file_is_not(act):
    (act.w / "d").mkdir()
    (act.w / "f").write_text("")
    (act.w / "l").symlink_to("d")
    assert act("mkdir", path="d") == {"path": str(act.w / "d"), "changed": False}
    assert act("mkdir", path="d/")["changed"] is False
    assert act("mkdir", path="l")["changed"] is False
    fails(act, "FileExistsError", "f is a file, not a directory", "mkdir", path="f")


def test_delete_says_what_is_not_there(act):
    fails(act, "FileNotFoundError", "`missing_ok: true` allows that", "delete", path="none")
    assert act("delete", path="none", missing_ok=True)["changed"] is False


def test_delete_does_not_follow_a_link(act):
    (act.w / "d").mkdir()
    (act.w / "l").symlink_to("d")
    act("delete", path="l")
    assert os.listdir(act.w) == ["d"]


def test_delete_refuses_what_holds_the_state_of_the_run(act):
    with pytest.raises(ActionError, match="holds taskrun's own state"):
        act("delete", path=str(act.w.parent))


def test_a_link_may_point_to_nothing_and_says_what_it_pointed_to(act):
    assert act("symlink", path="l", to="nowhere")["before"] is None
    assert act("symlink", path="l", to="elsewhere") == {
        "path": str(act.w / "l"),
        "to": "elsewhere",
        "before": "nowhere",
        "changed": True,
    }


def test_a_link_takes_the_place_of_nothing_but_a_link(act):
    (act.w / "f").write_text("")
    (act.w / "d").mkdir()
    fails(act, "FileExistsError", "f is a file, not a symbolic link", "symlink", path="f", to="x")
    fails(act, "FileExistsError", "d is a directory, not a symbolic link", "symlink", path="d", to="x")
    fails(act, "InvalidField", "the target of the link is empty", "symlink", path="l", to="")


# ---------------------------------------------------------------------- attackers


def test_links_on_the_way_are_resolved_once_and_the_undo_goes_where_the_doing_went(act, tmp_path):
    for name in ("one", "two"):
        (act.w / name).mkdir()
    (act.w / "current").symlink_to("one")
    images = str(tmp_path / "run/images/t/1.50")
    where = context(act.w, run_dir=str(tmp_path / "run"), images=images)
    action = registry.get("file")
    fields = {"path": "current/f", "content": "x"}
    action.prepare(fields, where)
    action.do(fields, where)
    (act.w / "current").unlink()
    (act.w / "current").symlink_to("two")
    (act.w / "two/f").write_text("not ours")
    action.revert(where)
    assert not (act.w / "one/f").exists()
    assert (act.w / "two/f").read_text() == "not ours"


def test_a_parent_exchanged_for_a_link_after_the_image_is_not_followed(act, tmp_path):
    (act.w / "d").mkdir()
    (act.w / "victim").mkdir()
    where = context(act.w, run_dir=str(tmp_path / "run"), images=str(tmp_path / "run/images/t/1.51"))
    action = registry.get("file")
    fields = {"path": "d/f", "content": "x"}
    action.prepare(fields, where)
    (act.w / "d").rename(act.w / "away")
    (act.w / "d").symlink_to("victim")
    with pytest.raises(ActionError):
        action.do(fields, where)
    assert os.listdir(act.w / "victim") == []


def test_temporary_names_cannot_be_foretold(act, tmp_path):
    names = set()
    for number in (60, 61):
        images = str(tmp_path / f"run/images/t/1.{number}")
        where = context(act.w, run_dir=str(tmp_path / "run"), images=images)
        registry.get("file").prepare({"path": "a", "content": "x"}, where)
        with open(f"{images}/manifest.json") as file:
            names.add(file.read().partition('"random": "')[2][:12])
    assert len(names) == 2


def test_images_are_for_their_owner_alone(act, tmp_path):
    (act.w / "a").write_text("secret")
    act("file", path="a", content="x")
    for folder, folders, files in os.walk(tmp_path / "run/images"):
        for name in folders:
            assert stat.S_IMODE(os.stat(f"{folder}/{name}").st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE(os.stat(f"{folder}/{name}").st_mode) == 0o600


def test_nothing_is_left_beside_a_file_that_could_not_be_written(act):
    if os.geteuid() == 0:
        fails(act, "FileNotFoundError", "No such file", "file", path="a", source="/proc/self/none")
        return
    (act.w / "d").mkdir(mode=0o555)
    fails(act, "PermissionError", "Permission denied", "file", path="d/f", content="x")
