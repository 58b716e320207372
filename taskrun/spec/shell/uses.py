"""What the lexer finds out about each ``${{ }}`` of a script."""

MARK = "\0"
"""Stands in the lexer's text for a whole ``${{ }}``; no script holds this character."""

MAX_NESTING = 40

SINGLE_QUOTES = (
    "inside single quotes the shell expands nothing; "
    "use double quotes, or step out of the single ones: 'a '${{ x }}' b'"
)
ANSI_QUOTES = "inside $'...' the shell expands nothing; close the quotes around it: $'a\\t'${{ x }}"
QUOTED_HEREDOC = (
    "a here-document with a quoted delimiter expands nothing; write the delimiter without quotes: <<EOF"
)
DELIMITER = "the delimiter of a here-document cannot be a value; write a fixed word: <<EOF"
BACKSLASH = (
    "the backslash before it would break the reference; "
    "leave it out, or write '$${{ x }}' in single quotes for the characters themselves"
)
PARAMETER = 'a variable\'s name cannot be a value; set a variable first: v=${{ x }}, then "$v"'
HEREDOC_PATTERN = (
    "shells disagree about patterns in a here-document; set a variable before it: v=..., then ${v} inside"
)
BARE_ESCAPE = "the shell cannot read the ${{ this stands for; put it in single quotes: '$${{ x }}'"


class TooDeepError(Exception):
    """The script nests deeper than the lexer follows."""


class Use:
    """``mode``: "word" (unquoted), "quoted" (in double quotes or the like), "bare" (arithmetic) or "comment"."""

    __slots__ = ("mode", "numeric", "problem")

    def __init__(self, mode: str, problem: str | None = None) -> None:
        self.mode = mode
        self.problem = problem
        self.numeric = mode == "bare"


class Findings:
    """Uses by their number in the script. ``escapes`` are the ``$${{``, ``shielded`` the values of ``quote()``."""

    __slots__ = ("depth", "escapes", "shielded", "uses")

    def __init__(self, escapes: frozenset[int], shielded: frozenset[int]) -> None:
        self.uses: dict[int, Use] = {}
        self.escapes = escapes
        self.shielded = shielded
        self.depth = 0

    def place(self, number: int, mode: str, problem: str | None = None) -> None:
        """Say where a use stands. Reading a part of the script again, as something else, says it anew."""
        if number in self.escapes:
            literal = problem not in (None, PARAMETER, DELIMITER, HEREDOC_PATTERN) or mode == "comment"
            problem = None if literal else BARE_ESCAPE
        self.uses[number] = Use(mode, problem)

    def require_number(self, number: int) -> None:
        self.uses[number].numeric = True

    def refuse(self, number: int, problem: str) -> None:
        use = self.uses[number]
        if use.problem is None and number not in self.escapes:
            use.problem = problem

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise TooDeepError

    def leave(self) -> None:
        self.depth -= 1
