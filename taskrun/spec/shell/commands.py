"""Follows the commands of a script: where one begins, which word is its name, and what its name does with values.

Knowing where commands begin tells a comment, ``case`` and its patterns, and ``((`` from other text. Knowing their names tells the
few commands that would run a value as code, however well it is quoted.
"""

from taskrun.spec.shell.uses import Findings

_BEFORE_COMMANDS = frozenset(
    {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"}
)
_PREFIXES = frozenset({"command", "builtin", "exec", "nohup", "sudo", "env", "nice", "time"})
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "su", "runuser"})
_INTERPRETERS = {
    "python": "c",
    "perl": "e",
    "ruby": "e",
    "node": "e",
    "php": "r",
}  # and the option before code
_DECLARING = frozenset(
    {"declare", "typeset", "local", "export", "readonly", "unset", "read", "mapfile", "readarray"}
)
_COMPARING = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})

_SHIELD = "quote() makes one harmless word of it: ${{ quote(x) }}"
EVAL = f" runs its text as code, and the value would be part of it; {_SHIELD}"
SHELL_CODE = (
    "the value would be part of the code the inner shell runs; "
    "pass it as an argument: sh -c 'echo \"$1\"' sh ${{ x }}"
)
PROGRAM_CODE = (
    "the value would be part of the code the program runs; "
    "pass it as an argument: python3 -c 'import sys; print(sys.argv[1])' ${{ x }}"
)
REMOTE = f"a shell on the other side reads the command again; {_SHIELD}"
NAME = "the name of a variable cannot be a value"


class Word:
    __slots__ = ("plain", "text", "uses")

    def __init__(self) -> None:
        self.text = ""
        self.plain = True  # nothing in it was quoted or expanded
        self.uses: list[int] = []


class Commands:
    """The commands of a script, or of one ``( )`` or ``$( )`` in it."""

    def __init__(self, findings: Findings) -> None:
        self.word: Word | None = None
        self.words: list[Word] = []
        self.heredocs: list[tuple[str, bool, bool]] = []  # delimiter, quoted, tabs stripped
        self._findings = findings
        self._cases: list[str] = []  # of each open `case`: subject, in, pattern, body
        self._is_target = False  # the word that comes is what a redirection names

    def add(self, text: str, *, plain: bool = False) -> None:
        if self.word is None:
            self.word = Word()
        self.word.text += text
        self.word.plain = self.word.plain and plain

    def use(self, number: int) -> None:
        self.add("\0")
        assert self.word is not None
        self.word.uses.append(number)

    @property
    def begins_command(self) -> bool:
        return self.word is None and not self.words and not self._cases_outside_body

    @property
    def in_pattern(self) -> bool:
        return bool(self._cases) and self._cases[-1] == "pattern"

    def goes_on(self) -> bool:
        """In the pattern of a ``case`` or in ``[[ ]]``, where operators and newlines end no command."""
        if self.word is not None and self.in_pattern and self.word.text == "esac":
            self.end_word()
        words = self.words
        in_test = bool(words) and words[0].plain and words[0].text == "[[" and words[-1].text != "]]"
        return in_test or self.in_pattern

    @property
    def _cases_outside_body(self) -> bool:
        return bool(self._cases) and self._cases[-1] != "body"

    def redirection(self) -> None:
        """An operator like ``>`` follows; digits right before it are the file descriptor."""
        if self.word is not None and self.word.plain and self.word.text.isdigit():
            self.word = None
        self.end_word()
        self._is_target = True

    def group(self) -> None:
        """A ``( )`` was read: what follows it on the line is no new command."""
        self.add("()")
        self.end_word()

    def end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        if self._is_target:
            self._is_target = False
        elif self._cases_outside_body:
            self._case_word(word)
        elif self._opens_body(word):
            self.words.clear()
        elif self.words or not word.plain or not self._reserved(word.text):
            self.words.append(word)

    def _opens_body(self, word: Word) -> bool:
        """The ``do`` of ``for x do``, the brace of ``function f {``."""
        if not self.words or not word.plain or word.text not in ("do", "{"):
            return False
        return self.words[0].text in ("for", "select", "function")

    def _reserved(self, text: str) -> bool:
        if text == "case":
            self._cases.append("subject")
            return True
        if text == "esac" and self._cases:
            self._cases.pop()
            self.group()
            return True
        return text in _BEFORE_COMMANDS

    def _case_word(self, word: Word) -> None:
        state = self._cases[-1]
        if state == "subject":
            self._cases[-1] = "in"
        elif state == "in":
            self._cases[-1] = "pattern"
        elif word.plain and word.text == "esac":
            self._cases.pop()
            self.group()

    def end_pattern(self) -> None:
        self.word = None
        self._cases[-1] = "body"
        self.words.clear()

    def end_branch(self) -> None:
        """``;;`` was read."""
        self.end_command()
        if self._cases:
            self._cases[-1] = "pattern"

    def end_command(self) -> None:
        self.end_word()
        self._is_target = False
        words = self.words
        if any(word.uses for word in words):
            self._check(words)
        words.clear()

    def _check(self, words: list[Word]) -> None:
        start = 0
        prefixed = False
        while start < len(words) - 1:
            text = words[start].text
            if not (_assigns(words[start]) or text in _PREFIXES or (prefixed and text.startswith("-"))):
                break
            prefixed = prefixed or text in _PREFIXES
            start += 1
        name, arguments = words[start].text.rpartition("/")[2], words[start + 1 :]
        if name in ("eval", "trap"):
            self._refuse(arguments if name == "eval" else arguments[:1], name + EVAL)
        elif name == "ssh":
            self._refuse(_remote_command(arguments), REMOTE)
        elif name in _DECLARING or (name == "printf" and arguments and arguments[0].text == "-v"):
            self._declaring(name, arguments)
        elif name == "let":
            self._numbers(arguments)
        elif name in ("[[", "[", "test"):
            self._testing(name, arguments)
        self._inner_shell(words)

    def _inner_shell(self, words: list[Word]) -> None:
        """``sh -c CODE``, ``python3 -c CODE``, also behind ``sudo``, ``xargs``, ``timeout 5``, ``docker exec x``."""
        letter = program = ""
        for position, word in enumerate(words[:-1]):
            if not letter:
                program = word.text.rpartition("/")[2]
                letter = "c" if program in _SHELLS else _INTERPRETERS.get(program.rstrip("0123456789."), "")
            elif word.text.startswith("-") and not word.text.startswith("--") and word.text.endswith(letter):
                is_shell = program in _SHELLS
                problem = SHELL_CODE if is_shell else PROGRAM_CODE
                self._refuse(words[position + 1 : position + 2], problem, even_shielded=not is_shell)
                return

    def _declaring(self, name: str, arguments: list[Word]) -> None:
        for word in arguments:
            if "\0" in word.text.partition("=")[0]:
                self._refuse([word] if name != "printf" else arguments[1:2], NAME, even_shielded=True)
        if any(word.text.startswith("-") and "i" in word.text for word in arguments):
            self._numbers(arguments)

    def _testing(self, name: str, arguments: list[Word]) -> None:
        """``[[`` computes both sides of ``-eq``; ``-v`` computes the subscript in a name."""
        for position, word in enumerate(arguments):
            if word.text in _COMPARING and name == "[[":
                self._numbers(arguments[max(0, position - 1) : position + 2])
            if word.text == "-v":
                self._refuse(arguments[position + 1 : position + 2], NAME, even_shielded=True)

    def _numbers(self, words: list[Word]) -> None:
        for word in words:
            for number in word.uses:
                self._findings.require_number(number)

    def _refuse(self, words: list[Word], problem: str, *, even_shielded: bool = False) -> None:
        for word in words:
            for number in word.uses:
                if even_shielded or number not in self._findings.shielded:
                    self._findings.refuse(number, problem)


def _assigns(word: Word) -> bool:
    name, equals, _ = word.text.partition("=")
    return bool(equals) and name.isidentifier()


_SSH_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


def _remote_command(arguments: list[Word]) -> list[Word]:
    """The words behind ssh's options and host."""
    position = 0
    while position < len(arguments) and arguments[position].text.startswith("-"):
        option = arguments[position].text
        position += 2 if len(option) == 2 and option[1] in _SSH_WITH_VALUE else 1
    return arguments[position + 1 :]
