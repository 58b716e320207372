"""What is looked at in single scalars, keys, and tags, and the words for what is wrong with them."""

from taskrun.regex import lazy
from taskrun.spec.loading.events import Scalar
from taskrun.spec.loading.findings import Findings
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.scalars import LONGEST_NUMBER, LOOKALIKES, WORDS, Plain, is_string

HALF_CHARACTER = lazy("[\ud800-\udfff]")
SPECIAL = LOOKALIKES.union(WORDS)  # unquoted words to look at, besides those that begin like a number
QUOTES_HELP = "write it as a block with `>` or `|`, or put it in quotes"


class Checks:
    """Each method looks at one thing and reports to ``findings``."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def plain(self, event: Scalar, mark: Mark) -> str:
        """What an unquoted scalar is: a string, or text that means something else."""
        text = event.value
        if event.end_mark.line >= mark.line:
            self._lines(mark, event.end_mark.line + 1)
        if is_string(text):
            if text in LOOKALIKES:
                help_ = f'write `true` or `false` for a boolean, `"{text}"` for the word'
                message = f"`{text}` is a string here, not a boolean"
                self.findings.warning("TR151", message, mark, help_, len(text))
            return text
        if len(text) > LONGEST_NUMBER:
            message = f"a number of more than {LONGEST_NUMBER:,} digits"
            self.findings.error("TR143", message, mark, "put it in quotes", len(text))
            return text
        return Plain(text)

    def _lines(self, mark: Mark, last: int) -> None:
        """Unquoted text over several lines: mostly an item or key that is indented too far."""
        for number in range(mark.line + 1, last + 1):
            line = self.findings.line(number)
            stripped = line.strip()
            if stripped.startswith("- "):
                here = Mark(number, len(line) - len(line.lstrip()) + 1)
                message = f"this is no list item but a part of the text that begins in line {mark.line}"
                help_ = "line the dash up with the one above, or put the text in quotes"
                self.findings.warning("TR150", message, here, help_, len(stripped))
                return
        message = f"unquoted text that goes on to line {last}, joined with spaces"
        length = len(self.findings.line(mark.line)) - mark.column + 1
        self.findings.warning("TR150", message, mark, QUOTES_HELP, length)

    def escapes(self, text: str, mark: Mark) -> None:
        """Characters that only an escape between double quotes can bring in."""
        if "\0" in text:
            message = "a string with the NUL character: no command, variable or path can hold it"
            self.findings.error("TR109", message, mark)
        if not text.isascii() and HALF_CHARACTER.search(text):  # the parser in Python lets them through
            self.findings.error("TR126", "an escape for one half of a character", mark)

    def tag(self, tag: str | None, mark: Mark) -> None:
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            help_ = "leave it out; put quotes around what should be a string"
            message = f"tags are not used in workflows: `{shown}`"
            self.findings.error("TR132", message, mark, help_, len(shown))

    def duplicate(self, container: Map, key: str, mark: Mark) -> None:
        message = f"duplicate key `{key}`: it stands in line {container.key_marks[key].line} already"
        help_ = "write `<<: [*one, *other]`" if key == "<<" else "keep one of the two"
        self.findings.error("TR130", message, mark, help_, len(key))

    def no_string_key(self, text: str, mark: Mark) -> None:
        """An unquoted key that means null, a boolean or a number."""
        if not text:
            self.findings.error("TR131", "a key is missing here", mark)
            return
        value = Plain(text).value if len(text) <= LONGEST_NUMBER else 0
        kind = "null" if value is None else "a boolean" if isinstance(value, bool) else "a number"
        message = f"the key `{text}` is {kind}, not a string"
        self.findings.error("TR131", message, mark, f'put it in quotes: "{text}"', len(text))

    def collection_key(self, value: Map | Seq) -> None:
        """A list or mapping in place of a key: mostly ``{{ name }}`` without its dollar sign."""
        line, column = value.mark
        help_ = None
        if self.findings.line(line)[:column].endswith("{{"):
            help_ = 'an expression is written in quotes and with a dollar sign: "${{ ... }}"'
        kind = "mapping" if type(value) is Map else "list"
        self.findings.error("TR131", f"a {kind} cannot be a key", value.mark, help_)
