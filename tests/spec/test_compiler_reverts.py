"""The forms of ``revert``, and where a point of no return can be."""

import pytest

from tests.spec.workflows import found, ids, of_task, one, task


@pytest.mark.parametrize(
    ("revert", "compiled"),
    [
        ("rmdir a", {"form": "action", "kind": "run", "fields": {"script": "rmdir a"}}),
        ("none", {"form": "none"}),
        ("{restore: [a, b/]}", {"form": "restore", "paths": ["a", "b/"]}),
        ("{restore: '${{ self.inputs.p }}'}", {"form": "restore", "paths": ["${{ self.inputs.p }}"]}),
        ("{impossible: the mail is sent}", {"form": "impossible", "reason": "the mail is sent"}),
        (
            "{http: {delete: http://u}}",
            {"form": "action", "kind": "http", "fields": {"url": "http://u", "method": "DELETE"}},
        ),
        (
            "{run: x, retry: {attempts: 5, delay: 2s}, timeout: 1m, env: {A: b}, cwd: c, shell: bash}",
            {
                "form": "action",
                "kind": "run",
                "fields": {"script": "x"},
                "env": {"A": "b"},
                "cwd": "c",
                "shell": "bash",
                "timeout": 60.0,
                "retry": {"attempts": 5, "delay": 2.0},
            },
        ),
    ],
)
def test_every_form_of_a_revert(revert, compiled):
    text = of_task(f"run: x\ninputs: {{p: a}}\nrevert: {revert}")
    assert task(text)["revert"] == compiled


def test_an_action_on_files_undoes_itself_unless_told_otherwise():
    assert task(of_task("mkdir: a\nrevert: auto"))["revert"] == {"form": "auto"}
    assert task(of_task("mkdir: a\nrevert: none"))["revert"] == {"form": "none"}
    assert task(of_task("mkdir: a\nrevert: rm -r a"))["revert"]["kind"] == "run"


@pytest.mark.parametrize(
    ("revert", "id_", "shown"),
    [
        ("auto", "TR705", "auto"),
        ("{restore: [a], run: x}", "TR707", "run"),
        ("{restore: [a], impossible: x}", "TR707", "impossible"),
        ("{run: x, http: http://u}", "TR703", "http"),
        ("{rnu: x}", "TR702", "rnu"),
        ("{retry: {attempts: 2}}", "TR701", "{"),
        ("{run: x, retry: {delay: 2s}}", "TR202", "retry"),
        ("{workflow: a.yaml}", "TR708", "workflow"),
        ("[a]", "TR203", "["),
        ("~", "TR204", "~"),
        ("true", "TR204", "true"),
        ("non", "TR709", "non"),
        ("Auto", "TR709", "Auto"),
    ],
)
def test_a_revert_that_does_not_fit_is_found_once_where_it_stands(revert, id_, shown):
    finding, pointed = one(of_task(f"run: x\nrevert: {revert}"))
    assert (finding.id, pointed) == (id_, shown)


def test_a_shell_command_that_is_nearly_a_word_of_the_language_is_only_a_warning():
    assert one(of_task("run: x\nrevert: nonee"))[0].severity == "warning"
    assert ids(of_task("run: x\nrevert: nohup")) == []
    assert ids(of_task("run: x\nrevert: rm -f none")) == []


def test_an_undo_of_a_shell_script_inside_single_quotes_is_found():
    finding, shown = one(of_task("run: x\nrevert: rm '${{ self.attempt }}'"))
    assert (finding.id, shown) == ("TR501", "${{ self.attempt }}")


def pivots(body, head="name: f"):
    return [(one.id, one.line) for one in found(f"{head}\ntasks:\n{body}")]


def test_a_second_pivot_in_a_line_is_refused():
    assert pivots(
        "  - {name: a, echo: x, pivot: true}\n  - {name: b, echo: x}\n  - {name: c, echo: x, pivot: true}\n"
    ) == [("TR713", 5)]


def test_a_pivot_in_a_nested_flow_counts_for_what_comes_after_the_flow():
    body = "  - name: g\n    tasks: [{name: a, echo: x, pivot: true}]\n  - {name: b, echo: x, pivot: true}\n"
    assert pivots(body) == [("TR713", 5)]


def test_pivots_on_different_branches_do_not_meet():
    body = "  - {name: a, echo: x, pivot: true}\n  - {name: b, echo: x, pivot: true}\n"
    assert pivots(body, "name: f\npattern: unordered") == []
    assert pivots(body, "name: f\npattern: graph") == []


def test_pivots_on_one_way_through_a_graph_meet():
    body = (
        "  - {name: a, echo: x, pivot: true}\n  - {name: b, echo: x, needs: a}\n"
        "  - {name: c, echo: x, needs: [b], pivot: true}\n  - {name: d, echo: x, pivot: true}\n"
    )
    assert pivots(body, "name: f\npattern: graph") == [("TR713", 6)]


@pytest.mark.parametrize(
    "body",
    [
        "  - {name: a, echo: x, pivot: true, for_each: [1]}\n",
        "  - {name: a, echo: x, pivot: true, allow_failure: true}\n",
        "  - name: g\n    retry: {attempts: 2}\n    tasks: [{name: a, echo: x, pivot: true}]\n",
        "  - name: g\n    for_each: [1]\n    tasks: [{name: a, echo: x, pivot: true}]\n",
    ],
)
def test_a_pivot_happens_once_and_for_sure(body):
    assert [id_ for id_, _ in pivots(body)] == ["TR713"]


def test_a_workflow_that_is_retried_as_a_whole_has_no_pivot():
    assert pivots("  - {name: a, echo: x, pivot: true}\n", "name: f\nretry: {attempts: 2}") == [("TR713", 4)]
