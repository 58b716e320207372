"""No file of any kind crashes the loader, hangs it, or grows beyond its limits."""

import os
import time

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.loader import Mark, Seq, load, load_text, to_json
from taskrun.spec.loading import builder, guard, parser
from taskrun.spec.loading.findings import Findings
from taskrun.spec.loading.reading import MOST_BYTES

MEGABYTE = 1 << 20


def refusal(data):
    with pytest.raises(WorkflowError) as caught:
        load_text(data if isinstance(data, bytes) else data.encode(), "f.yaml")
    return caught.value.diagnostics


def ids(data):
    return {found.id for found in refusal(data)}


def laughs(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines)


def merges(levels):
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    "unit", ["[", "{", "- ", "? ", "[\n", "{a: ", "[{", "&a [", "!t [", "[[],", "a: [", "{? "]
)
def test_a_megabyte_of_brackets_is_refused_at_once(unit, pure, monkeypatch):
    if pure:
        monkeypatch.setattr(parser, "c_events", lambda text: None)
    started = time.process_time()
    assert ids(unit * (MEGABYTE // len(unit))) & {"TR140", "TR120", "TR123", "TR125"}
    assert time.process_time() - started < 5


def test_indented_nesting_is_refused_as_well():
    assert ids("\n".join(" " * depth + "a:" for depth in range(100))) == {"TR140"}


@pytest.mark.parametrize("form", [("[", "]"), ("{a: ", "}")])
def test_exactly_the_limit_of_nesting_loads(form):
    opening, closing = form
    load_text((opening * 64 + closing * 64).encode(), "f.yaml")
    assert ids(opening * 65 + closing * 65) == {"TR140"}


def test_nesting_counts_through_aliases():
    text = "a: &a " + "[" * 30 + "]" * 30 + "\nb: &b " + "[" * 30 + "*a" + "]" * 30 + "\n"
    to_json(load_text(text.encode(), "f.yaml").root)
    assert ids(text + "c: " + "[" * 30 + "*b" + "]" * 30) == {"TR140"}


def test_nesting_beside_an_anchor_does_not_count_for_it():
    text = "[" + "[" * 50 + "]" * 50 + ", &a [x], " + "[" * 60 + "*a" + "]" * 60 + "]"
    load_text(text.encode(), "f.yaml")


@pytest.mark.parametrize("bomb", [laughs(10), laughs(100), merges(25), merges(40)])
def test_an_alias_bomb_is_refused_at_once(bomb):
    started = time.process_time()
    assert ids(bomb) == {"TR142"}
    assert time.process_time() - started < 1


def test_a_long_text_cannot_be_repeated_without_end():
    assert ids('a: &a "' + "x" * MEGABYTE + '"\nb: [*a, *a, *a, *a, *a]\n') == {"TR142"}
    assert ids("a: &a [" + "x" * MEGABYTE + "]\nb: [*a, *a, *a, *a, *a]\n") == {"TR142"}


def test_as_many_aliases_as_allowed_load():
    text = "a: &a x\nb: [" + "*a," * guard.MOST_ALIASES + "]\n"
    assert len(load_text(text.encode(), "f.yaml").root["b"]) == 1000
    assert ids(text.replace("[", "[*a,")) == {"TR142"}


def test_what_aliases_repeat_is_counted_with_what_it_repeats_itself():
    checked = guard.Guard(Findings("f.yaml"))
    mark = Mark(1, 1)
    items = Seq(mark)
    checked.anchor_scalar("s", "text")
    checked.anchor_open("list", items, 1, 100)
    checked.reach(1, mark)
    items += [checked.alias("s", 1, mark), "x"]
    checked.count(items)
    checked.anchor_close(110)
    assert items == ["text", "x"]
    assert checked.anchors["s"].size == guard.Size(nodes=1, characters=4, height=0)
    assert checked.anchors["list"].size == guard.Size(nodes=4, characters=14, height=1)


@pytest.mark.parametrize("text", ["- x\n", "- [x]\n", "- {a: {}}\n", "- x\n- {a: 1, b: [c]}\n"])
def test_too_many_values_are_refused_long_before_their_end(text, monkeypatch):
    monkeypatch.setattr(builder, "EVENTS_AT_ONCE", 10)
    load_text((text * 1000).encode(), "f.yaml")
    monkeypatch.setattr(guard, "MOST_NODES", 1000)
    load_text((text * 100).encode(), "f.yaml")
    (found,) = refusal(text * 1000)
    assert found.id == "TR141"
    assert found.line < 1020


def test_tag_directives_cannot_stall_the_parser():
    started = time.process_time()
    text = "".join(f"%TAG !a{number}! b\n" for number in range(200_000))
    assert ids(text) == {"TR132"}
    assert time.process_time() - started < 2


def test_too_large_a_file_is_refused_without_being_read_to_its_end(tmp_path):
    file = tmp_path / "large.yaml"
    file.write_bytes(b"")
    os.truncate(file, 1 << 40)
    with pytest.raises(WorkflowError) as caught:
        load(str(file))
    assert [found.id for found in caught.value.diagnostics] == ["TR104"]
    assert ids(b"x" * (MOST_BYTES + 1)) == {"TR104"}


def test_a_file_of_ten_thousand_tasks_loads_and_keeps_every_position():
    task = "  - name: task_{0}\n    run: echo {0} > out_{0}.txt\n    revert: rm -f out_{0}.txt\n"
    text = "name: big\ntasks:\n" + "".join(task.format(number) for number in range(10_000))
    tasks = load_text(text.encode(), "f.yaml").root["tasks"]
    assert len(tasks) == 10_000
    assert tasks[9_999]["name"] == "task_9999"
    assert tasks[9_999].value_marks["revert"] == (30_002, 13)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "b\n " * MEGABYTE,
        'a: "' + "b\n " * MEGABYTE + '"',
        "a: |\n" + " b\n" * MEGABYTE,
        "? " + "k" * MEGABYTE + "\n: 1",
        "a: " + "1." * MEGABYTE,
        " " * MEGABYTE,
        "\0" * MEGABYTE,
        "a: [" + "x," * 100_000 + "b[0]]",
        "a: " + "b " * MEGABYTE + ": c",
        'a: "' + "\\n" * MEGABYTE + '\\q"',
        "---\n" * 100_000,
        "[" + "".join(f"&a{number} x," for number in range(100_000)) + "]",
    ],
    ids=range(12),
)
def test_long_files_of_one_kind_take_no_long_time(text):
    started = time.process_time()
    try:
        load_text(text.encode(), "f.yaml")
    except WorkflowError as error:
        assert error.diagnostics
    assert time.process_time() - started < 5
