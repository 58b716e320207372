"""The workflow commands of GitHub Actions (``::error file=...::message``), and text that cannot be taken for one.

The runner obeys lines that begin with ``::`` and everything behind a ``##[`` anywhere in a line. What a task has printed is
therefore shown between ``stop-commands`` and a word that nobody can know; what we print ourselves is changed where it has to be.
"""

import secrets
from collections.abc import Mapping

STOPPED = "stop-commands"


def command(name: str, data: str = "", properties: Mapping[str, object] | None = None) -> str:
    """One line."""
    given = ",".join(f"{key}={_property(str(value))}" for key, value in (properties or {}).items() if value)
    return f"::{name}{' ' if given else ''}{given}::{_data(data)}\n"


def harmless(text: str) -> str:
    """The same text for people; no command for the runner."""
    if "##[" in text:
        text = text.replace("##[", "# #[")
    if "::" not in text:
        return text
    return "".join(
        f"\\{line}" if line.lstrip().startswith("::") else line for line in text.splitlines(keepends=True)
    )


def stopped(text: str) -> str:
    """Text of somebody else, in which nothing is obeyed."""
    word = secrets.token_hex(20)
    end = "" if text.endswith("\n") or not text else "\n"
    return f"::{STOPPED}::{word}\n{text}{end}::{word}::\n"


def file_value(name: str, value: str) -> str:
    """A line or several for the files of a step's outputs: a value can neither end itself nor begin another."""
    word = f"taskrun_{secrets.token_hex(20)}"
    return f"{name}<<{word}\n{value}\n{word}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
