"""The stream of events: head, entries in journal order, summary."""

import json
import os

from taskrun.journal.codec import event_dict
from taskrun.listeners.ndjson import Ndjson, json_line, run_head, summary


def test_the_stream_is_head_events_and_summary(run, tmp_path) -> None:
    path = tmp_path / "out"
    r = run("google", "amazon", name="intro")
    with path.open("wb") as file:
        stream = Ndjson(
            file.fileno(), run_head("0abc", "intro", "/w.yaml"), lambda entry: event_dict("0abc", entry)
        )
        listeners = r.listen(stream)
        r.flow("RUNNING")
        r.task("google", "RUNNING", "SUCCESS")
        r.task("amazon", "RUNNING")
        r.task("amazon", "FAILURE", failure={"type": "ConnectionError", "message": "refused"})
        r.flow("FAILURE", "REVERTING")
        r.task("amazon", "REVERTING", "REVERTED")
        r.task("google", "REVERTING", "REVERTED")
        r.flow("REVERTED")
        stream.finish(summary(r.view, "0abc", 1))
        listeners.close()
    objects = [json.loads(line) for line in path.read_text().splitlines()]
    assert objects[0] == {"kind": "run", "v": 1, "run": "0abc", "name": "intro", "file": "/w.yaml"}
    assert [e["seq"] for e in objects[1:-1]] == list(range(1, len(objects) - 1))
    assert [(e["kind"], e["name"], e["state"]) for e in objects[4:7]] == [
        ("task", "amazon", "RUNNING"),
        ("task", "amazon", "FAILURE"),
        ("flow", "intro", "FAILURE"),
    ]
    assert list(objects[-1].items())[:5] == [
        ("kind", "summary"),
        ("exit_code", 1),
        ("reverted", ["amazon", "google"]),
        ("applied", []),
        ("unknown", []),
    ]


def test_no_value_can_steer_a_terminal_or_split_a_line() -> None:
    line = json_line({"m": "\x1b[2J\n\x7f\x9b\u2028\ud800é"})
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert json.loads(line)["m"] == "\x1b[2J\n\x7f\x9b\u2028\ud800é"


def test_a_reader_that_left_ends_the_stream_and_not_the_run(run) -> None:
    reading, writing = os.pipe()
    r = run("a")
    listeners = r.listen(
        Ndjson(writing, run_head("0abc", "release", "/w"), lambda entry: event_dict("0abc", entry))
    )
    assert os.read(reading, 9) == b'{"kind":"'
    os.close(reading)
    r.task("a", "RUNNING", "SUCCESS")
    assert listeners.tick(r.now) is None
    listeners.close()
    assert listeners.broken == []
    os.close(writing)
