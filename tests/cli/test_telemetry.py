"""What an OpenTelemetry collector is told of a run: over real HTTP on loopback, decoded from the real protobuf."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from taskrun.tracing import Trace
from tests.cli.terminal import until
from tests.command import Taskrun
from tests.loopback import serve

OK, ERROR = Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STUCK = """\
name: release
secrets: {token: {env: TOKEN}}
tasks:
  - {name: one, run: 'true', revert: 'true'}
  - {name: again, run: "test $TASKRUN_ATTEMPT -gt 1", revert: none, retry: {attempts: 2}}
  - {name: skipped, if: 1 == 2, echo: x}
  - {name: mail, run: 'true', revert: {run: exit 4, retry: {attempts: 1}}}
  - {name: late, run: 'true', revert: 'true'}
  - {name: last, fail: "it is ${{ secrets.token }}"}
"""


class Collector:
    """Takes what is sent to ``/v1/traces`` and ``/v1/metrics``."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.spans: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self.metrics: dict[str, list[Any]] = {}
        self.bodies = b""

    def take(self, path: str, body: bytes) -> None:
        self.bodies += body
        if path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                self.resources.append(plain(group.resource.attributes))
                self.spans += [span for scope in group.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in group.scope_metrics:
                    for metric in scope.metrics:
                        kind = metric.WhichOneof("data")
                        self.metrics[metric.name] = list(getattr(metric, kind).data_points)

    def span(self, name: str, **wanted: Any) -> Any:
        found = [s for s in self.spans if s.name == name and wanted.items() <= plain(s.attributes).items()]
        assert len(found) == 1, (name, wanted, [s.name for s in self.spans])
        return found[0]


def plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting(status: int = 200) -> Iterator[tuple[Collector, dict[str, str]]]:
    collector = Collector(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector, env_for(server.server_port)
        server.shutdown()


def env_for(port: int) -> dict[str, str]:
    return {
        "TASKRUN_OTEL": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "TOKEN": "tr-canary-4711",
    }


@pytest.fixture
def stuck(taskrun: Taskrun) -> Iterator[tuple[Taskrun, Collector]]:
    with collecting() as (collector, env):
        done = taskrun("run", taskrun.file(STUCK), env={**env, "TRACEPARENT": CALLER})
        assert done.code == 3
        assert "warning: the collector" not in done.err
        yield taskrun, collector


def test_there_is_a_span_for_the_run_each_task_and_each_attempt_at_doing_and_undoing(stuck) -> None:
    _, collector = stuck
    run = collector.span("run release")
    late = collector.span("late")
    assert late.parent_span_id == run.span_id
    doing, undoing = collector.span("do late"), collector.span("revert late")
    assert doing.parent_span_id == undoing.parent_span_id == late.span_id
    assert plain(undoing.attributes) == {
        "taskrun.task": "late",
        "taskrun.attempt": 1,
        "taskrun.undoing": True,
        "taskrun.state": "REVERTED",
    }
    assert plain(late.attributes)["taskrun.action"] == "run"
    first, second = (collector.span("do again", **{"taskrun.attempt": n}) for n in (1, 2))
    assert first.end_time_unix_nano <= second.start_time_unix_nano
    assert {span.trace_id for span in collector.spans} == {run.trace_id}
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)
    for span in collector.spans:
        assert (
            run.start_time_unix_nano
            <= span.start_time_unix_nano
            <= span.end_time_unix_nano
            <= run.end_time_unix_nano
        )


def test_what_failed_is_an_error_with_its_reason_and_no_secret_is_told(stuck) -> None:
    _, collector = stuck
    last = collector.span("do last")
    assert (last.status.code, plain(last.attributes)["error.type"]) == (ERROR, "Failed")
    assert last.status.message.endswith("it is ***")
    assert collector.span("revert mail").status.code == ERROR
    assert collector.span("do again", **{"taskrun.attempt": 1}).status.code == ERROR
    assert collector.span("do again", **{"taskrun.attempt": 2}).status.code == OK
    run = collector.span("run release")
    assert (run.status.code, run.status.message) == (ERROR, "failed: last")
    assert plain(run.attributes)["taskrun.state"] == "FAILURE"
    assert b"canary" not in collector.bodies


def test_tasks_find_their_own_span_in_traceparent_below_that_of_the_caller(taskrun: Taskrun) -> None:
    with collecting() as (collector, env):
        text = "name: a\ntasks:\n  - {name: one, run: 'echo $TRACEPARENT > one', revert: 'echo $TRACEPARENT > undo'}\n"
        taskrun("run", taskrun.file(text), env={**env, "TRACEPARENT": CALLER})
        taskrun("revert", env={**env, "TRACEPARENT": CALLER})
    for name, span in (("one", collector.span("do one")), ("undo", collector.span("revert one"))):
        assert (taskrun.folder / name).read_text().strip() == (
            f"00-4bf92f3577b34da6a3ce929d0e0e4736-{span.span_id.hex()}-01"
        )
        assert span.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    runs = [span for span in collector.spans if span.name == "run a"]
    assert {span.parent_span_id.hex() for span in runs} == {"00f067aa0ba902b7"}


def test_a_request_over_http_carries_the_span_of_its_attempt(taskrun: Taskrun) -> None:
    with collecting() as (collector, env), serve() as server:
        taskrun.file(
            f"name: a\ntasks: [{{name: ask, http: '{server.url}/ok'}}, {{name: own, http: {{url: '{server.url}/ok', headers: {{Traceparent: mine}}}}}}]\n"
        )
        assert taskrun("run", "w.yaml", env=env).code == 0
        assert taskrun("run", "w.yaml").code == 0
    first, second, *without = [asked.headers.get("traceparent") for asked in server.asked]
    span = collector.span("do ask")
    assert first == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert second == "mine"
    assert without == [None, "mine"]


def test_without_a_caller_the_run_is_the_root_and_a_resumed_run_stays_in_its_trace(taskrun: Taskrun) -> None:
    with collecting() as (collector, env):
        taskrun("run", taskrun.file("name: a\ntasks: [{name: b, run: 'true', revert: 'true'}]\n"), env=env)
        taskrun("revert", env=env)
    assert [span.parent_span_id for span in collector.spans if span.name == "run a"] == [b"", b""]
    assert len({span.trace_id for span in collector.spans}) == 1
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)


def test_a_caller_that_does_not_sample_is_heeded(taskrun: Taskrun) -> None:
    with collecting() as (collector, env):
        text = "name: a\ntasks: [{name: b, run: 'echo $TRACEPARENT', revert: none, outputs: {said: result.stdout}}]\n"
        done = taskrun(
            "run", taskrun.file(text), "-o", "ndjson", env={**env, "TRACEPARENT": CALLER[:-1] + "0"}
        )
    assert collector.spans == []
    said = next(e["outputs"]["said"] for e in done.events if e.get("name") == "b" and e["state"] == "SUCCESS")
    assert said.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert said.strip().endswith("-00")


def test_the_metrics_count_runs_and_tasks_by_state_and_measure_them(stuck) -> None:
    _, collector = stuck
    runs = {plain(each.attributes)["state"]: each.as_int for each in collector.metrics["taskrun.runs"]}
    assert runs == {"FAILURE": 1}
    tasks = {plain(each.attributes)["state"]: each.as_int for each in collector.metrics["taskrun.tasks"]}
    assert tasks["IGNORE"] == 1
    assert tasks["REVERT_FAILURE"] == 1
    assert tasks["SUCCESS"] == 4
    assert sum(each.count for each in collector.metrics["taskrun.run.duration"]) == 1
    attempts = collector.metrics["taskrun.attempt.duration"]
    assert sum(each.count for each in attempts if plain(each.attributes)["undoing"] is False) == 6
    assert {resource["service.name"] for resource in collector.resources} == {"taskrun"}


def test_it_is_told_while_the_run_goes_on(taskrun: Taskrun) -> None:
    with collecting() as (collector, env):
        taskrun.file(
            "name: a\ntasks: [{name: b, run: 'true', revert: none}, {name: c, run: 'until test -e go; do sleep 0.05; done', revert: none}]\n"
        )
        process = taskrun.start("run", "w.yaml", env={**env, "OTEL_BSP_SCHEDULE_DELAY": "50"})
        until(lambda: [span for span in collector.spans if span.name == "do b"])
        assert process.poll() is None
        (taskrun.folder / "go").touch()
        process.communicate(timeout=30)
        collector.span("run a")


@pytest.mark.parametrize("kind", ["nobody listens", "it never answers", "it refuses"])
def test_a_collector_that_is_not_there_costs_a_warning_at_the_end_and_nothing_else(
    kind: str, taskrun: Taskrun
) -> None:
    taskrun.file("name: a\ntasks: [{name: b, run: 'true', revert: none}]\n")
    with socket.create_server(("127.0.0.1", 0)) as silent, collecting(400) as (_, refusing):
        env = refusing if kind == "it refuses" else env_for(silent.getsockname()[1])
        if kind == "nobody listens":
            silent.close()
        done = taskrun("run", "w.yaml", "-o", "ndjson", env={**env, "OTEL_BSP_SCHEDULE_DELAY": "10"})
    assert done.code == 0
    assert done.events[-1]["exit_code"] == 0
    (line,) = done.err.splitlines()
    assert line.startswith("warning: the collector at http://127.0.0.1:")
    run = done.events[0]["run"]
    assert taskrun("states", run).code == 0


def test_the_locks_of_a_run_are_let_go_before_the_wait_for_a_collector(taskrun: Taskrun) -> None:
    taskrun.file("name: a\nlock: one\ntasks: [{name: b, echo: c}]\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = taskrun.start("run", "w.yaml", "-o", "ndjson", env=env_for(silent.getsockname()[1]))
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["kind"] == "summary":
                break
        assert taskrun("run", "w.yaml").code == 0
        process.communicate(timeout=30)


def test_without_the_setting_nothing_of_it_is_loaded(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n")
    code = (
        "import sys, json; from taskrun.cli.main import main; main(['run', 'w.yaml']);"
        "print(json.dumps([n for n in sys.modules if n.startswith('opentelemetry')]), file=sys.stderr)"
    )
    env = {**taskrun.env, **env_for(1)}
    del env["TASKRUN_OTEL"]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=taskrun.folder, env=env, capture_output=True, text=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_without_the_extra_it_is_said_before_anything_runs(taskrun: Taskrun) -> None:
    taskrun.file("name: a\ntasks: [{name: b, echo: c}]\n")
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None;"
        "from taskrun.cli.main import main; sys.exit(main(['run', 'w.yaml']))"
    )
    env = {**taskrun.env, "TASKRUN_OTEL": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=taskrun.folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "the setting `otel` (TASKRUN_OTEL) needs opentelemetry" in done.stderr
    assert "pip install 'taskrun[otel]'" in done.stderr
    assert not taskrun.home.exists()


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (CALLER, True),
        (f" {CALLER} ", True),
        ("01" + CALLER[2:] + "-more", True),
        (CALLER + "-more", False),
        ("ff" + CALLER[2:], False),
        (CALLER.upper(), False),
        (CALLER[:-2], False),
        ("00-" + "0" * 32 + CALLER[35:], False),
        (CALLER[:36] + "0" * 16 + "-01", False),
        ("", False),
        ("x\n" * 100, False),
    ],
)
def test_a_broken_context_of_a_caller_is_none(given: str, taken: bool) -> None:
    assert (Trace("run", given).parent == 0x00F067AA0BA902B7) is taken


def test_the_spans_of_attempts_differ_and_are_the_same_for_everybody() -> None:
    trace = Trace("run", None)
    keys = [(task, undoing, number) for task in "ab" for undoing in (False, True) for number in (1, 2)]
    assert len({trace.span_of(*key) for key in keys}) == len(keys)
    assert [Trace("run", CALLER).span_of(*key) for key in keys] == [trace.span_of(*key) for key in keys]
    assert Trace("other", None).span_of("a", False, 1) != trace.span_of("a", False, 1)
