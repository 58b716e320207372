"""Puts into words what is wrong where the YAML parser gave up: what to change, at the place where to change it.

The parser names the first place it cannot understand, which is often behind the mistake. Each rule below looks at its
complaint and at the text around, and speaks if it knows better; the first that does is heard.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

import yaml

from taskrun.regex import lazy
from taskrun.spec.loading.events import Position
from taskrun.spec.loading.findings import WHOLE_FILE, Findings
from taskrun.spec.marks import Mark

QUOTE_IT = "put it in quotes"
SWALLOWED = frozenset(("TR125", "TR127", "TR128"))
OPENED = lazy(r"[^\s,\[\]{}]*$")  # the unquoted word in front of a bracket
KEY = lazy(r"""^(?P<lead>[\s-]*)(?P<key>"[^"]*"|'[^']*'|[^\s#][^:]*?)\s*:(?=\s|$)""")
VALUE_AFTER_KEY = lazy(KEY.pattern + r"\s+(?P<value>\S.*)")


class Complaint(NamedTuple):
    """What the parser said. ``line`` and ``column`` count from 1, as do those of ``begin``: where the thing began."""

    problem: str
    context: str
    line: int
    column: int
    begin: Mark
    lines: list[str]

    @property
    def text(self) -> str:
        """The line of the problem."""
        return self.line_at(self.line)

    @property
    def before(self) -> str:
        """What stands left of the problem in its line, without spaces at its end."""
        return self.text[: self.column - 1].rstrip()

    @property
    def char(self) -> str:
        return self.text[self.column - 1 : self.column]

    @property
    def opener(self) -> str:
        """The character where the thing began: a quote or a bracket."""
        return self.line_at(self.begin.line)[self.begin.column - 1 : self.begin.column]

    @property
    def at_end(self) -> bool:
        return not any(line.strip() for line in [self.text[self.column - 1 :], *self.lines[self.line :]])

    def line_at(self, number: int) -> str:
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def line_above(self, number: int) -> int:
        """The next line above that holds more than a comment; 0 if there is none."""
        while number > 1:
            number -= 1
            stripped = self.line_at(number).strip()
            if stripped and not stripped.startswith("#"):
                return number
        return 0


class Answer(NamedTuple):
    id: str
    message: str
    line: int
    column: int
    help: str | None = None
    length: int = 1


Rule = Callable[[Complaint], Answer | None]


def report_syntax(error: yaml.YAMLError, findings: Findings) -> NoReturn:
    """End the loading with the parser's error, in better words where a rule has them."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        findings.fatal("TR120", f"the text is not YAML: {error}", WHOLE_FILE)
    mark = _within(findings.lines, error.problem_mark)
    begin = _within(findings.lines, error.context_mark) if error.context_mark else mark
    complaint = Complaint(error.problem or "", error.context or "", *mark, begin, findings.lines)
    answer = next(found for rule in RULES if (found := rule(complaint)))
    if answer.id in SWALLOWED and findings.warnings and findings.warnings[-1].id == "TR150":
        findings.warnings.pop()  # the parser had read on into the line that is now reported
    findings.fatal(answer.id, answer.message, Mark(answer.line, answer.column), answer.help, answer.length)


def _within(lines: list[str], place: Position) -> Mark:
    """The place in the text: libyaml counts a line behind the last one when the file ends too early."""
    if place.line < len(lines) and lines[place.line].strip():
        return Mark(place.line + 1, min(place.column, len(lines[place.line])) + 1)
    number = min(place.line, len(lines) - 1)
    while number and not lines[number].strip():
        number -= 1
    return Mark(number + 1, len(lines[number].rstrip()) + 1)


def _tab(said: Complaint) -> Answer | None:
    indent = said.text[: len(said.text) - len(said.text.lstrip())]
    leading = "\t" in indent and said.column <= len(indent) + 1
    if not (leading or said.char == "\t") or "quoted" in said.context:
        return None
    column = indent.index("\t") + 1 if "\t" in indent else said.column
    message = "a tab where YAML wants spaces"
    return Answer("TR121", message, said.line, column, "indent with spaces: convert the file with `expand`")


def _open_quote(said: Complaint) -> Answer | None:
    if "quoted scalar" not in said.context or "unexpected" not in said.problem:
        return None
    return Answer("TR124", f"the quote `{said.opener}` is never closed", *said.begin)


def _escape(said: Complaint) -> Answer | None:
    if "quoted" not in said.context:
        return None
    column = said.text.rfind("\\", 0, said.column) + 1 or said.column
    shown = said.text[column - 1 : column + 1]
    help_ = "write the backslash twice, or use single quotes, which leave it alone"
    return Answer(
        "TR126", f"`{shown}` is no escape, or not a whole one", said.line, column, help_, len(shown)
    )


def _tag(said: Complaint) -> Answer | None:
    if "tag" not in said.context and "tag handle" not in said.problem:
        return None
    help_ = f"{QUOTE_IT} if it is text that begins with `!`"
    return Answer("TR132", "tags are not used in workflows", *said.begin, help_)


def _anchor(said: Complaint) -> Answer | None:
    """``*`` or ``&`` that is followed by no name."""
    if not said.context.endswith(("an alias", "an anchor")):
        return None
    at_begin = said._replace(line=said.begin.line, column=said.begin.column)
    behind = _behind_value(at_begin)
    if behind:
        return behind
    message = f"text that begins with `{said.opener}` needs quotes"
    return Answer("TR123", message, *said.begin, QUOTE_IT, _rest(at_begin))


def _cannot_begin(said: Complaint) -> Answer | None:
    if "cannot start any token" not in said.problem:
        return None
    message = f"text that begins with `{said.char}` needs quotes"
    return Answer("TR123", message, said.line, said.column, QUOTE_IT, _rest(said))


def _block_header(said: Complaint) -> Answer | None:
    if not said.context.endswith("a block scalar"):
        return None
    message = f"the text of a block begins in the line after `{said.opener}`"
    help_ = f"begin a new line after `{said.opener}`, or put the text in quotes"
    return Answer("TR120", message, said.line, said.column, help_, _rest(said))


def _bracket_in_brackets(said: Complaint) -> Answer | None:
    """``a[0]`` or ``${{ }}``, unquoted inside ``{}`` or ``[]``."""
    if "flow" not in said.context or said.char not in ("[", "{") or said.char == "":
        return None
    word = OPENED.search(said.text[: said.column - 1])
    if word is None or not word[0]:
        return None
    column = said.column - len(word[0])
    shown = word[0] + _bracketed(said.text, said.column - 1, "}}" if word[0].endswith("$") else "")
    message = f"`{shown}` inside brackets needs quotes"
    return Answer("TR122", message, said.line, column, f'{QUOTE_IT}: "{shown}"', len(shown))


def _bracketed(text: str, start: int, closing: str) -> str:
    """The bracket that opens at ``start`` up to its end, with what is written on behind it: ``[0].id``."""
    end = start
    while text[end : end + 1] in ("[", "{"):
        closed = text.find(closing or {"[": "]", "{": "}"}[text[end]], end)
        if closed < 0:
            return text[start : end + 1]
        end = closed + max(len(closing), 1)
        closing = ""
        while end < len(text) and text[end] not in " \t,[]{}":
            end += 1
    return text[start:end]


def _brackets(said: Complaint) -> Answer | None:
    """A comma or a closing bracket is missing."""
    if "flow" not in said.context or "expected ','" not in said.problem:
        return None
    closing = "]" if said.opener == "[" else "}"
    if said.at_end or (said.line > said.begin.line and KEY.match(said.text)):
        return Answer("TR125", f"the bracket `{said.opener}` is never closed", *said.begin)
    help_ = f"{QUOTE_IT} if the bracket, colon or comma is part of a text"
    message = f"expected a comma or `{closing}` here, for the `{said.opener}` of line {said.begin.line}"
    return Answer("TR125", message, said.line, said.column, help_)


def _ends_inside_brackets(said: Complaint) -> Answer | None:
    if "flow node" not in said.context or not said.at_end:
        return None
    return Answer("TR125", "the file ends before a bracket is closed", said.line, said.column)


def _key_missing(said: Complaint) -> Answer | None:
    if said.char != ":" or said.before.strip("- ") or "expected" not in said.problem:
        return None
    return Answer("TR131", "a key is missing before the colon", said.line, said.column)


def _stray_bracket(said: Complaint) -> Answer | None:
    if said.char not in ("]", "}", ","):
        return None
    return Answer(
        "TR125", f"`{said.char}` does not belong here", said.line, said.column, f"{QUOTE_IT} if it is text"
    )


def _colon_in_value(said: Complaint) -> Answer | None:
    """``run: echo a: b``."""
    if not said.problem.startswith("mapping values are not allowed"):
        return None
    match = VALUE_AFTER_KEY.match(said.text)
    if match is None or match.start("value") >= said.column - 1:
        return None
    message = "a colon and a space inside unquoted text"
    help_ = "put the text in quotes, or write it as a block after `|`"
    return Answer("TR123", message, said.line, match.start("value") + 1, help_, len(match["value"].rstrip()))


def _too_deep_or_no_key(said: Complaint) -> Answer | None:
    """A key below a line that already had a value, or below a line without any key."""
    if not said.problem.startswith("mapping values are not allowed"):
        return None
    above = said.line_above(said.line)
    if not above:
        return None
    match = KEY.match(said.line_at(above))
    if match is None:
        return _line_without_key(said, above)
    column = len(said.text) - len(said.text.lstrip()) + 1
    return _too_deep(said, above, match)._replace(column=column, length=max(said.column - column, 1))


def _too_deep(said: Complaint, above: int, key: re.Match[str]) -> Answer:
    message = f"indented deeper than `{key['key']}` in line {above}, which has its value already"
    return Answer(
        "TR127", message, said.line, said.column, f"begin it in column {len(key['lead']) + 1}", _rest(said)
    )


def _missing_colon(said: Complaint) -> Answer | None:
    if "could not find expected ':'" not in said.problem:
        return None
    return _line_without_key(said, said.begin.line)


def _line_without_key(said: Complaint, number: int) -> Answer:
    line = said.line_at(number)
    stripped = line.strip()
    column = len(line) - len(line.lstrip()) + 1
    help_ = "a key needs a colon and a space behind it" if ":" in stripped else "a key needs a colon"
    return Answer(
        "TR128", "this line is neither a key with a value nor an item", number, column, help_, len(stripped)
    )


def _behind_value(said: Complaint) -> Answer | None:
    """Text behind a closing quote or bracket."""
    last = said.before[-1:]
    if "block" not in said.context and "anchor" not in said.context and "alias" not in said.context:
        return None
    if not last or last not in "\"']}":
        return None
    if last in "\"'":
        message, help_ = (
            "text after the closing quote",
            "quote the whole text with the other quotes, or use a block with `|`",
        )
        return Answer("TR124", message, said.line, said.column, help_, _rest(said))
    message, help_ = f"text after the closing `{last}`", "text that begins with a bracket needs quotes"
    return Answer("TR123", message, said.line, said.column, help_, _rest(said))


def _indentation(said: Complaint) -> Answer | None:
    if not said.context.startswith("while parsing a block") or said.before.strip("- "):
        return None
    in_list = "collection" in said.context
    line, column = said.begin
    above = said.line_above(said.line)
    key = VALUE_AFTER_KEY.match(said.line_at(above))
    if key and len(key["lead"]) + 1 < said.column:
        return _too_deep(said, above, key)
    if column == said.column and in_list:
        message = "a key between the items of a list"
    elif column == said.column and said.char == "-":
        message = "an item of a list between keys"
    else:
        message = "begins in a column that fits nothing above"
    what = "list has its dashes" if in_list else "mapping has its keys"
    help_ = f"the {what} in column {column}, from line {line} on"
    indent = len(said.line_at(above)) - len(said.line_at(above).lstrip()) + 1
    if indent > said.column:
        help_ = f"line {above} begins in column {indent}; the {what} in column {column}"
    return Answer("TR127", message, said.line, said.column, help_, _rest(said))


def _list_behind_key(said: Complaint) -> Answer | None:
    if "sequence entries are not allowed" not in said.problem:
        return None
    help_ = "begin the list in the next line; text that begins with a dash needs quotes"
    return Answer("TR120", "a list cannot begin in the line of its key", said.line, said.column, help_)


def _in_its_own_words(said: Complaint) -> Answer:
    context = f" {said.context}" if said.context else ""
    return Answer(
        "TR120", f"the text is not YAML{context and ','}{context}: {said.problem}", said.line, said.column
    )


def _rest(said: Complaint) -> int:
    """How many characters the line goes on from the problem."""
    return max(len(said.text.rstrip()) - said.column + 1, 1)


RULES: tuple[Rule, ...] = (
    _open_quote,
    _escape,
    _tab,
    _tag,
    _anchor,
    _cannot_begin,
    _block_header,
    _bracket_in_brackets,
    _brackets,
    _colon_in_value,
    _too_deep_or_no_key,
    _missing_colon,
    _ends_inside_brackets,
    _key_missing,
    _stray_bracket,
    _behind_value,
    _indentation,
    _list_behind_key,
    _in_its_own_words,
)
