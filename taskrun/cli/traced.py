"""Whether a run is told to an OpenTelemetry collector: the setting ``otel``, and the extra of the same name."""

import os
from typing import TYPE_CHECKING

from taskrun.app.base import Displayed
from taskrun.cli.settings import Settings
from taskrun.errors import UsageError

if TYPE_CHECKING:
    from taskrun.listeners.telemetry import Telemetry

_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto")


def is_wanted(file: str) -> bool:
    """For a run of this workflow.

    Raises:
        UsageError: it is wanted, and what it needs is not installed.
    """
    found = Settings(os.path.dirname(file) or os.getcwd()).find("otel")
    if found is None or not found.value:
        return False
    from importlib.util import find_spec  # noqa: PLC0415 - only where it is wanted

    try:
        missing = [name for name in _NEEDED if find_spec(name) is None]
    except ModuleNotFoundError as error:
        missing = [str(error.name)]
    if missing:
        raise UsageError(
            f"the setting `otel` ({found.where}) needs {missing[0]}", hint="pip install 'taskrun[otel]'"
        )
    return True


def listen(shown: Displayed, file: str) -> "Telemetry":
    """From here on attempts find their own span in TRACEPARENT."""
    from taskrun import tracing  # noqa: PLC0415
    from taskrun.listeners.telemetry import Telemetry  # noqa: PLC0415 - 0.3 s, and only where it is wanted

    trace = tracing.begin(shown.run_id, os.environ.get("TRACEPARENT"))
    return Telemetry(shown.view, shown.run_id, file, trace)
