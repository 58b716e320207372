"""The colours of states in drawings: of a task's area, under black text."""

FILLS = {
    "PENDING": "#eeeeee",
    "RUNNING": "#b8e0f0",
    "SUCCESS": "#c4e8c4",
    "FAILURE": "#f5b5b0",
    "RETRYING": "#fbe3a4",
    "REVERTING": "#e6c8ee",
    "REVERTED": "#e6d9ee",
    "REVERT_FAILURE": "#ee7a72",
    "IGNORE": "#e0e0e0",
    "UNKNOWN": "#ffd24d",
}
WAY_BACK = "#9b4fa8"


def fill(state: str | None) -> str | None:
    return FILLS.get(state) if state else None
