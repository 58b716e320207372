"""The source of YAML events: libyaml where it is there, else the parser in Python, ten times slower."""

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from taskrun.regex import lazy
from taskrun.spec.loading.findings import WHOLE_FILE, Findings

TAG_DIRECTIVE = lazy(r"^%TAG", re.MULTILINE)
MOST_TAG_DIRECTIVES = 10
NextEvent = Callable[[], Any]


class PureParser(Reader, Scanner, Parser):
    """The parser in Python, made of PyYAML's parts."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


def c_events(text: str) -> NextEvent | None:
    """The events from libyaml; None where PyYAML was built without it."""
    try:
        from yaml._yaml import CParser  # noqa: PLC0415 - whether it is there is the question
    except ImportError:
        return None
    return CParser(text).get_event


def pure_events(text: str) -> NextEvent:
    """The events from the parser in Python."""
    next_event: NextEvent = PureParser(text).get_event

    def checked_event() -> Any:
        try:
            return next_event()
        except (ValueError, OverflowError) as error:  # an escape or a version it converts without a check
            raise yaml.YAMLError(str(error)) from error

    return checked_event


def events(text: str, findings: Findings) -> NextEvent:
    """What gives the next event, and None after the last."""
    if "%TAG" in text and len(TAG_DIRECTIVE.findall(text)) > MOST_TAG_DIRECTIVES:
        # libyaml compares each with all before it, within the first event: minutes for a file of these
        findings.fatal("TR132", "tags are not used in workflows: too many %TAG directives", WHOLE_FILE)
    return c_events(text) or pure_events(text)
