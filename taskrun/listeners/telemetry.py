"""Spans and metrics of a run for an OpenTelemetry collector, by OTLP over HTTP; needs the extra ``otel``.

It is told after the commit, like every listener; sending is done by threads of the SDK that may lose what they have, never
hold the run up and never end it. ``finish`` waits a moment for them, once the run is over and its locks are let go.
"""

import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry import trace as api
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from taskrun.engine.view import View
from taskrun.listeners.attempts import Attempt, Attempts
from taskrun.listeners.base import Entry
from taskrun.listeners.words import why
from taskrun.tracing import Trace
from taskrun.version import __version__

PATIENCE = 2.0  # seconds for a collector that does not answer, at the end of a run
_QUEUE = 65_536
_COUNTED = ("SUCCESS", "FAILURE", "REVERTED", "REVERT_FAILURE", "IGNORE", "UNKNOWN")
_ENDED = ("SUCCESS", "FAILURE", "REVERTED", "SUSPENDED")
_BAD = ("FAILURE", "REVERT_FAILURE", "UNKNOWN")
_NANO = 1_000_000_000


class _Ids(IdGenerator):
    """Those of attempts are known to their processes already; the others are chance."""

    def __init__(self, trace_id: int) -> None:
        self.next_span = 0
        self._trace_id = trace_id
        self._chance = RandomIdGenerator()

    def generate_span_id(self) -> int:
        chosen, self.next_span = self.next_span, 0
        return chosen or self._chance.generate_span_id()

    def generate_trace_id(self) -> int:
        return self._trace_id


class _Complaints(logging.Handler):
    """What the SDK has to complain about is for one warning at the end, not for the middle of a display."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage().splitlines()[0] if record.getMessage() else self.last


class Telemetry:
    """One run, as far as this process drives it."""

    def __init__(self, view: View, run_id: str, file: str, trace: Trace) -> None:
        self._view = view
        self._run_id = run_id
        self._about = {"taskrun.run.id": run_id, "taskrun.workflow": view.name, "taskrun.file": file}
        self._complaints = _Complaints()
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self._complaints)
        logger.propagate = False
        self._ids = _Ids(trace.id)
        self._trace = trace
        resource = Resource.create(_service())
        self._spans = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._spans.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(timeout=_timeout()), max_queue_size=_QUEUE)
        )
        self._metrics = MeterProvider(
            [PeriodicExportingMetricReader(OTLPMetricExporter(timeout=_timeout()))],
            resource=resource,
            shutdown_on_exit=False,
        )
        self._tracer = self._spans.get_tracer("taskrun", __version__)
        self._measure()
        self._attempts = Attempts()
        self._run: Span | None = None
        self._run_state = ""
        self._tasks: dict[str, Span] = {}
        self._open: dict[str, Span] = {}
        self._ended: dict[str, float] = {}
        self._began = self._last = 0.0

    def _measure(self) -> None:
        meter = self._metrics.get_meter("taskrun", __version__)
        self._runs = meter.create_counter("taskrun.runs", description="Runs, by the state they ended in.")
        self._states = meter.create_counter("taskrun.tasks", description="Tasks, by the states they came to.")
        self._run_seconds = meter.create_histogram("taskrun.run.duration", "s", "How long runs took.")
        self._seconds = meter.create_histogram("taskrun.attempt.duration", "s", "How long attempts took.")

    # As a listener.

    def entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._last = max(self._last, entry.time)
            if self._run is None:
                self._begin_run(entry.time)
            ended, begun = self._attempts.take(entry)
            if ended is not None:
                self._end_attempt(ended)
            if begun is not None:
                self._begin_attempt(begun)
            if entry.kind == "task" and entry.state in _COUNTED:
                self._states.add(1, {"taskrun.workflow": self._view.name, "state": entry.state})
            elif entry.kind == "flow" and entry.state:
                self._run_state = entry.state

    def tick(self, now: float) -> float | None:  # noqa: ARG002 - nothing here depends on the time
        return None

    def say(self, text: str) -> None:
        """For people."""

    def close(self) -> None:
        """Sending what is left waits until the run's locks are let go: see ``finish``."""

    # Spans.

    def _begin_run(self, at: float) -> None:
        self._began = at
        context = None
        if self._trace.parent:
            flags = TraceFlags(self._trace.flags)
            caller = SpanContext(self._trace.id, self._trace.parent, is_remote=True, trace_flags=flags)
            context = api.set_span_in_context(NonRecordingSpan(caller))
        self._run = self._start(f"run {self._view.name}", at, context, self._about)

    def _begin_attempt(self, begun: Attempt) -> None:
        task = self._tasks.get(begun.task)
        row = self._view.index.get(begun.task)
        if task is None:
            assert self._run is not None
            about: dict[str, Any] = {
                **self._about,
                "taskrun.task": begun.task,
                "taskrun.action": row.action if row else "",
            }
            task = self._start(begun.task, begun.started, api.set_span_in_context(self._run), about)
            self._tasks[begun.task] = task
        self._ids.next_span = self._trace.span_of(begun.task, begun.undoing, begun.number)
        name = f"{'revert' if begun.undoing else 'do'} {begun.task}"
        about = {
            "taskrun.task": begun.task,
            "taskrun.attempt": begun.number,
            "taskrun.undoing": begun.undoing,
        }
        self._open[begun.task] = self._start(name, begun.started, api.set_span_in_context(task), about)
        self._ids.next_span = 0

    def _end_attempt(self, ended: Attempt) -> None:
        span = self._open.pop(ended.task, None)
        if span is None or ended.ended is None:
            return
        self._ended[ended.task] = ended.ended
        state = ended.state or ""
        _judge(span, state, why(ended.failure), str((ended.failure or {}).get("type") or state))
        span.end(_nano(ended.ended))
        about: dict[str, Any] = {
            "taskrun.workflow": self._view.name,
            "undoing": ended.undoing,
            "state": state,
        }
        self._seconds.record(ended.ended - ended.started, about)

    def _start(self, name: str, at: float, context: Any, about: dict[str, Any]) -> Any:
        return self._tracer.start_span(name, context, attributes=about, start_time=_nano(at))

    # The end.

    def finish(self) -> str:
        """Send what is left; the words of a warning if that did not go well."""
        self._end_run()
        senders = [
            threading.Thread(target=each, daemon=True)
            for each in (self._spans.shutdown, self._metrics.shutdown)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(PATIENCE / len(senders))
        if any(sender.is_alive() for sender in senders):
            return f"the collector at {_endpoint()} did not answer: spans or metrics of this run are lost"
        if self._complaints.last:
            return f"the collector at {_endpoint()} did not take everything: {self._complaints.last}"
        return ""

    def _end_run(self) -> None:
        for name, task in self._tasks.items():
            row = self._view.index.get(name)
            state = row.state if row else ""
            left = self._open.pop(name, None)
            if left is not None:  # this process leaves before its end
                left.set_status(Status(StatusCode.UNSET))
                left.end(_nano(self._last))
            failure = (row.revert_failure or row.failure) if row else None
            _judge(task, state, why(failure), str((failure or {}).get("type") or state))
            task.end(_nano(self._ended.get(name, self._last)))
        if self._run is None:
            return
        state = self._view.state
        reason = "" if state == "SUCCESS" else ", ".join(self._view.failed[:5])
        _judge(self._run, state, reason and f"failed: {reason}", state)
        if state == "REVERTED":  # a run that was rolled back did not succeed
            self._run.set_status(Status(StatusCode.ERROR, reason and f"rolled back; failed: {reason}"))
        self._run.end(_nano(self._last))
        if state in _ENDED:
            about = {"taskrun.workflow": self._view.name, "state": state}
            self._runs.add(1, about)
            self._run_seconds.record(max(0.0, self._last - self._began), about)


def _judge(span: Any, state: str, reason: str, kind: str) -> None:
    span.set_attribute("taskrun.state", state)
    if state in _BAD:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, reason or state))
    elif state in ("SUCCESS", "REVERTED"):
        span.set_status(Status(StatusCode.OK))


def _service() -> dict[str, Any]:
    named = os.environ.get("OTEL_SERVICE_NAME")
    found: dict[str, Any] = {"service.version": __version__, "process.pid": os.getpid()}
    return found if named else {**found, "service.name": "taskrun"}


def _timeout() -> float | None:
    """Shorter than the SDK's own 10 s, unless somebody says otherwise."""
    return None if os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") else PATIENCE


def _endpoint() -> str:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if os.environ.get(name):
            return os.environ[name]
    return "http://localhost:4318"


def _nano(seconds: float) -> int:
    return round(seconds * _NANO)
