"""Large files: near linear time, no recursion, plain and small data."""

import json
import marshal
import time

import pytest

from taskrun.spec.compiler import compile_text
from tests.spec.workflows import found, ids

SIZE = 20_000
LEVELS = 30  # of flows; the loader allows 64 of lists and maps


def line(count):
    tasks = "".join(f"  - name: t{i}\n    run: mkdir d{i}\n    revert: rmdir d{i}\n" for i in range(count))
    return f"name: large\ntasks:\n{tasks}"


def graph(count):
    tasks = "".join(
        f"  - {{name: t{i}, run: 'echo ${{{{ tasks.t{i // 2}.state }}}}', revert: none, needs: [t{i - 1}]}}\n"
        for i in range(1, count)
    )
    return f"name: large\npattern: graph\ntasks:\n  - {{name: t0, run: x, revert: none}}\n{tasks}"


def nested(count):
    flows = "".join(f"  - name: g{i}\n    tasks: [{{name: t{i}, echo: x}}]\n" for i in range(count))
    return f"name: large\ntasks:\n{flows}"


def seconds(text):
    start = time.process_time()
    compile_text(text.encode(), "/w.yaml")
    return time.process_time() - start


@pytest.mark.parametrize("shape", [line, graph, nested])
def test_time_grows_with_the_size_of_the_file(shape):
    seconds(shape(100))  # what is built once
    small = min(seconds(shape(2_000)) for _ in range(3))
    large = seconds(shape(SIZE))
    assert large < 3 * 10 * small + 0.5


def test_a_large_file_is_plain_data():
    definition = compile_text(line(SIZE).encode(), "/w.yaml").definition
    assert len(definition["tasks"]) == SIZE
    assert len(marshal.dumps(definition)) < 400 * SIZE
    assert json.loads(json.dumps(definition)) == definition


def test_many_mistakes_are_all_reported_in_time():
    text = "name: large\ntasks:\n" + "".join(
        f"  - {{name: t{i}, rnu: x, retry: {{attempts: x}}}}\n" for i in range(5_000)
    )
    start = time.process_time()
    assert len(found(text)) == 10_000
    assert time.process_time() - start < 20


def test_a_long_chain_against_the_order_of_the_file_is_no_cycle():
    tasks = "".join(f"  - {{name: t{i}, echo: x, needs: [t{i + 1}]}}\n" for i in range(SIZE))
    assert ids(f"name: f\npattern: graph\ntasks:\n{tasks}  - {{name: t{SIZE}, echo: x}}\n") == []


def test_a_long_cycle_is_found_without_recursion():
    tasks = "".join(f"  - {{name: t{i}, echo: x, needs: [t{(i + 1) % SIZE}]}}\n" for i in range(SIZE))
    assert ids(f"name: f\npattern: graph\ntasks:\n{tasks}") == ["TR601"]


def test_flows_can_be_nested_as_deep_as_the_loader_allows():
    text = "".join(f"{'  ' * i}tasks:\n{'  ' * i}- name: g{i}\n" for i in range(LEVELS))
    findings = found(f"name: f\n{text}{'  ' * LEVELS}echo: x\n")
    assert [one.id for one in findings] == []
