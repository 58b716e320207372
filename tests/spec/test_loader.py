"""Loading: values with their positions, and the files they come from."""

import gc
import hashlib
import os
import socket

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.loader import (
    Map,
    Mark,
    Plain,
    Seq,
    collector_paused,
    examine,
    load,
    load_text,
    mark_at,
    to_json,
)
from taskrun.spec.loading import parser

WORKFLOW = b"""\
name: hello
tasks:
  - name: make
    run: |
      mkdir demo
    timeout: 30
  - {name: two, needs: [make]}
"""


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def backend(request, monkeypatch):
    if request.param == "pure":
        monkeypatch.setattr(parser, "c_events", lambda text: None)
    return request.param


def ids(caught):
    return [diagnostic.id for diagnostic in caught.value.diagnostics]


def refused(data, path="f.yaml"):
    with pytest.raises(WorkflowError) as caught:
        load_text(data, path)
    return caught.value.diagnostics


def test_libyaml_is_what_reads_files_here(backend):
    assert (parser.c_events("") is not None) == (backend == "libyaml")


def test_a_workflow_becomes_plain_values():
    assert to_json(load_text(WORKFLOW, "f.yaml").root) == {
        "name": "hello",
        "tasks": [
            {"name": "make", "run": "mkdir demo\n", "timeout": 30},
            {"name": "two", "needs": ["make"]},
        ],
    }


def test_keys_values_and_items_know_where_they_stand():
    root = load_text(WORKFLOW, "f.yaml").root
    tasks = root["tasks"]
    assert type(root) is Map
    assert type(tasks) is Seq
    assert root.mark == (1, 1)
    assert root.key_marks == {"name": Mark(1, 1), "tasks": Mark(2, 1)}
    assert root.value_marks == {"name": Mark(1, 7), "tasks": Mark(3, 3)}
    assert tasks.item_marks == [Mark(3, 5), Mark(7, 5)]
    assert tasks[0].value_marks["run"] == (4, 10)
    assert tasks[1]["needs"].item_marks == [Mark(7, 25)]


@pytest.mark.parametrize(
    ("path", "key", "mark"),
    [
        ((), False, (1, 1)),
        (("name",), False, (1, 7)),
        (("name",), True, (1, 1)),
        (("tasks", 0), False, (3, 5)),
        (("tasks", 0, "timeout"), False, (6, 14)),
        (("tasks", 0, "timeout"), True, (6, 5)),
        (("tasks", 1, "needs", 0), False, (7, 25)),
        (("tasks", 0, "revert"), False, (3, 5)),
        (("tasks", 9, "name"), False, (3, 3)),
        (("tasks", 0, "Task", "timeout", "constrained-float"), False, (6, 14)),
        (("nowhere",), True, (1, 1)),
    ],
)
def test_a_path_leads_to_its_mark_or_the_nearest_around_it(path, key, mark):
    assert mark_at(load_text(WORKFLOW, "f.yaml").root, path, key=key) == mark


def test_the_mark_of_a_lone_scalar_is_the_start():
    assert mark_at(load_text(b"text", "f.yaml").root, ("a",)) == (1, 1)


def test_a_loaded_file_has_its_text_and_the_hash_of_its_bytes():
    data = b"\xef\xbb\xbfname: caf\xc3\xa9\r\n"
    loaded = load_text(data, "f.yaml")
    assert loaded.text == "name: caf\u00e9\r\n"
    assert loaded.sha256 == hashlib.sha256(data).hexdigest()
    assert loaded.path == "f.yaml"
    assert loaded.root == {"name": "caf\u00e9"}
    assert loaded.root.mark == (1, 1)
    assert loaded.diagnostics == []


def test_windows_line_ends_are_line_ends():
    loaded = load_text(b"a: |\r\n  x\r\n  y\r\nb: 1\r\n", "f.yaml")
    assert loaded.root["a"] == "x\ny\n"
    assert loaded.root.key_marks["b"] == (4, 1)


def test_a_key_is_one_object_however_often_it_stands():
    first, second = load_text(b"- name: a\n- name: b\n", "f.yaml").root
    assert next(iter(first)) is next(iter(second))


def test_aliases_and_merges_work_in_moderation():
    text = b"base: &base {a: 1, b: 2}\nx: {<<: *base, b: 3}\ny: *base\nz: {<<: [{a: 7}, *base], c: 8}\n"
    loaded = load_text(text, "f.yaml")
    assert to_json(loaded.root) == {
        "base": {"a": 1, "b": 2},
        "x": {"b": 3, "a": 1},
        "y": {"a": 1, "b": 2},
        "z": {"c": 8, "a": 7, "b": 2},
    }
    assert loaded.root.value_marks["y"] == (3, 4)
    assert loaded.root["x"].key_marks == {"b": (2, 16), "a": (1, 14)}


def test_a_merge_may_inherit_a_merge():
    text = b"a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}\n"
    assert to_json(load_text(text, "f.yaml").root)["c"] == {"z": 3, "y": 2, "x": 1}


def test_a_quoted_merge_key_is_a_key():
    assert load_text(b'{"<<": x}', "f.yaml").root == {"<<": "x"}


def test_an_alias_can_be_a_key():
    assert load_text(b"a: &k b\n*k : c\n", "f.yaml").root == {"a": "b", "b": "c"}


def test_an_anchor_may_be_set_anew():
    assert load_text(b"[&a x, *a, &a y, *a]", "f.yaml").root == ["x", "x", "y", "y"]


def test_json_values_of_aliases_are_copies():
    loaded = load_text(b"a: &a [1]\nb: *a\n", "f.yaml").root
    assert loaded["a"] is loaded["b"]
    value = to_json(loaded)
    assert value["a"] is not value["b"]


def test_a_document_start_and_end_are_allowed():
    assert load_text(b"%YAML 1.2\n---\na: b\n...\n", "f.yaml").root == {"a": "b"}


def test_all_mistakes_come_at_once_and_in_order():
    text = b"b: 1\nb: 2\n1: x\nc: !!str 3\nd: *nowhere\ne: {<<: 4}\nf: no\ng: {h: i[0]}\n"
    assert [(found.id, found.line) for found in refused(text)] == [
        ("TR130", 2),
        ("TR131", 3),
        ("TR132", 4),
        ("TR133", 5),
        ("TR135", 6),
        ("TR151", 7),
        ("TR122", 8),
    ]


def test_a_duplicate_key_names_the_first_line_and_points_at_the_second():
    (found,) = refused(b"a: 1\nb: 2\na: 3\n")
    assert (found.id, found.line, found.column) == ("TR130", 3, 1)
    assert "`a`" in found.message
    assert "line 1" in found.message


def test_the_same_key_in_different_mappings_is_no_duplicate():
    load_text(b"a: {a: {a: 1}}\nb: [{a: 1}, {a: 1}]\n", "f.yaml")


def test_a_merged_key_is_no_duplicate_but_two_merges_are():
    load_text(b"a: &a {x: 1}\nb: {<<: *a, x: 2}\n", "f.yaml")
    (found,) = refused(b"a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n")
    assert found.id == "TR130"
    assert found.help == "write `<<: [*one, *other]`"


def test_an_unknown_alias_offers_a_near_one():
    (found,) = refused(b"a: &common 1\nb: *comon\n")
    assert found.help == "did you mean `*common`?"


def test_a_value_cannot_contain_itself():
    for text in (b"&a [*a]", b"a: &a {b: [*a]}", b"a: &a\n  <<: *a\n"):
        assert [found.id for found in refused(text)] == ["TR134"]


def test_after_many_mistakes_the_rest_is_not_read():
    found = refused(b"".join(b"%d: x\n" % number for number in range(1000)))
    assert len(found) == 101
    assert found[-1].id == "TR149"


def test_many_warnings_are_cut_with_a_word():
    found = load_text(b"- yes\n" * 1000, "f.yaml").diagnostics
    assert len(found) == 101
    assert found[-1][:2] == ("TR149", "warning")


def test_an_examined_file_gives_its_values_together_with_its_mistakes():
    loaded = examine(b"a: 1\na: 2\nb: !!str 3\n", "f.yaml")
    assert loaded.root == {"a": "2", "b": "3"}
    assert [found.id for found in loaded.diagnostics] == ["TR130", "TR132"]


def test_an_examined_file_without_sound_values_is_refused():
    with pytest.raises(WorkflowError) as caught:
        examine(b"a: 1\na: 2\nb: *c\n", "f.yaml")
    assert ids(caught) == ["TR130", "TR133"]


def test_a_file_is_loaded_by_its_path(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_bytes(WORKFLOW)
    assert load(file) == load_text(WORKFLOW, str(file))
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert load(str(link)).root["name"] == "hello"


def test_a_missing_file_offers_a_near_name(tmp_path):
    (tmp_path / "deploy.yaml").write_bytes(WORKFLOW)
    with pytest.raises(WorkflowError) as caught:
        load(str(tmp_path / "depoly.yaml"))
    (found,) = caught.value.diagnostics
    assert (found.id, found.line, found.path) == ("TR101", 0, str(tmp_path / "depoly.yaml"))
    assert found.help == f"did you mean {tmp_path / 'deploy.yaml'}?"


@pytest.mark.parametrize("name", ["none/such.yaml", "f.yaml/x", "other.yaml"])
def test_a_path_that_leads_nowhere_is_a_missing_file(tmp_path, name):
    (tmp_path / "f.yaml").write_bytes(WORKFLOW)
    with pytest.raises(WorkflowError) as caught:
        load(str(tmp_path / name))
    assert ids(caught) == ["TR101"]


def test_a_directory_a_pipe_a_device_and_a_socket_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path, word in (
            (tmp_path, "directory"),
            (tmp_path / "pipe", "pipe"),
            ("/dev/null", "device"),
            (tmp_path / "socket", "socket"),
        ):
            with pytest.raises(WorkflowError) as caught:
                load(str(path))
            assert ids(caught) == ["TR102"]
            assert word in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "\ud800", ""])
def test_an_impossible_path_is_a_diagnostic_too(path):
    with pytest.raises(WorkflowError) as caught:
        load(path)
    assert ids(caught)[0] in ("TR101", "TR103")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_says_why(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_bytes(WORKFLOW)
    file.chmod(0)
    with pytest.raises(WorkflowError) as caught:
        load(str(file))
    assert ids(caught) == ["TR103"]


@pytest.mark.skipif(
    not os.path.exists("/proc/self/mem"), reason="a file of Linux that opens and cannot be read"
)
def test_a_file_whose_reading_fails_says_why():
    with pytest.raises(WorkflowError) as caught:
        load("/proc/self/mem")
    assert ids(caught) == ["TR103"]


def test_the_garbage_collector_is_as_it_was():
    assert gc.isenabled()
    load_text(WORKFLOW, "f.yaml")
    refused(b"[")
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_plain_values_keep_what_was_typed():
    root = load_text(b"version: 1.10\nempty:\n", "f.yaml").root
    assert type(root["version"]) is Plain
    assert root["version"] == "1.10"
    assert root["version"].value == 1.1
    assert root["empty"] == ""
    assert root["empty"].value is None
