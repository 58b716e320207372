"""Every flow of `tests/cases` through the real command: the same transitions, one by one, and the right exit code."""

import json

import pytest

from tests.cases import CASES, script
from tests.command import Taskrun


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_flow_makes_exactly_its_transitions(case: dict, taskrun: Taskrun) -> None:
    counts = taskrun.folder / "counts"
    counts.mkdir()
    name = taskrun.file(json.dumps(script(case["workflow"])))
    done = taskrun("run", name, "--jobs", 1, "-o", "ndjson", env={"COUNT": str(counts)})
    assert done.transitions == case["events"], done.err
    assert done.code == case["exit_code"] == done.summary["exit_code"]
