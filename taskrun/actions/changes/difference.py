"""The first lines in which two texts differ."""

_LINES = 20


def difference(written: bytes, now: bytes) -> str:
    """A short unified diff to go behind a sentence; nothing when one of them is no text."""
    from difflib import unified_diff  # noqa: PLC0415 - only when something has drifted

    try:
        old, new = written.decode().splitlines(), now.decode().splitlines()
    except UnicodeDecodeError:
        return ""
    lines = list(unified_diff(old, new, "as written", "as it is now", lineterm="", n=1))
    if not lines:
        return ""
    more = [f"... and {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return ":\n" + "\n".join(line[:200] for line in [*lines[:_LINES], *more])
