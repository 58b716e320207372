r"""Regular expressions whose search cannot explode: a set of states walks over the text once, nothing is tried twice.

Python's ``re`` backtracks, and ``(a+)+$`` on thirty characters of somebody's output would hold a run for hours. The
syntax is the common part of ``re``; back-references and look-around, which need backtracking, are refused. ``$`` is the end of
the text only, ``\d \w \s`` are ASCII.
"""

from functools import lru_cache
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.pattern_syntax import Node, is_word, parse_pattern
from taskrun.spec.values import Budget

MAX_PROGRAM = 2_000
_STATES_KEPT = 500

# An instruction is (operation, argument, argument): "char" test, "split" to two places, "assert" kind, "match".
Instruction = tuple[str, Any, int]


class Pattern:
    __slots__ = ("_program",)

    def __init__(self, source: str) -> None:
        self._program: list[Instruction] = []
        self._emit(parse_pattern(source))
        self._program.append(("match", None, 0))

    def search(self, text: str, budget: Budget) -> bool:
        """Is there a match anywhere in the text?"""
        return _Walk(self._program, budget).search(text)

    def _emit(self, node: Node) -> None:
        if len(self._program) > MAX_PROGRAM:
            raise ExpressionError("the pattern is too large: fewer or smaller {repetitions}, please")
        operation, argument = node[0], node[1]
        if operation in ("char", "assert"):
            self._program.append((operation, argument, 0))
        elif operation == "sequence":
            for part in argument:
                self._emit(part)
        elif operation == "either":
            self._emit_either(argument)
        else:
            self._emit_repeat(argument, node[2], node[3])

    def _emit_either(self, branches: list[Node]) -> None:
        ends: list[int] = []
        for branch in branches[:-1]:
            fork = self._place()
            self._emit(branch)
            ends.append(self._place())
            self._program[fork] = ("split", fork + 1, len(self._program))
        self._emit(branches[-1])
        for end in ends:
            self._program[end] = ("split", len(self._program), len(self._program))

    def _emit_repeat(self, node: Node, least: int, most: int | None) -> None:
        for _ in range(least):
            self._emit(node)
        if most is None:
            fork = self._place()
            self._emit(node)
            self._program.append(("split", fork, fork))
            self._program[fork] = ("split", fork + 1, len(self._program))
            return
        forks: list[int] = []
        for _ in range(most - least):
            forks.append(self._place())
            self._emit(node)
        for fork in forks:
            self._program[fork] = ("split", fork + 1, len(self._program))

    def _place(self) -> int:
        self._program.append(("split", 0, 0))
        return len(self._program) - 1


@lru_cache(maxsize=256)
def compiled(source: str) -> Pattern:
    return Pattern(source)


class _State:
    """Where the walk may be before the next character, and what it has met."""

    __slots__ = ("after_word", "at_start", "moves", "places")

    def __init__(self, places: frozenset[int], after_word: bool, at_start: bool) -> None:
        self.places = places
        self.after_word = after_word
        self.at_start = at_start
        self.moves: dict[str, _State | None] = {}  # None: a match was found


class _Walk:
    """One search. Moves are remembered for its length only, so that its cost never depends on earlier ones."""

    def __init__(self, program: list[Instruction], budget: Budget) -> None:
        self._program = program
        self._budget = budget
        self._states: dict[tuple[frozenset[int], bool], _State] = {}

    def search(self, text: str) -> bool:
        state = _State(frozenset((0,)), after_word=False, at_start=True)
        self._budget.spend(4 * len(text))
        for char in text:
            try:
                following = state.moves[char]
            except KeyError:
                following = state.moves[char] = self._move(state, char)
            if following is None:
                return True
            state = following
        return self._closure(state, at_end=True, before_word=False) is None

    def _move(self, state: _State, char: str) -> _State | None:
        reached = self._closure(state, at_end=False, before_word=is_word(char))
        if reached is None:
            return None
        places = frozenset([place + 1 for place in reached if self._program[place][1](char)] + [0])
        key = (places, is_word(char))
        known = self._states.get(key)
        if known is None:
            if len(self._states) >= _STATES_KEPT:
                self._states.clear()
            known = self._states[key] = _State(places, key[1], at_start=False)
        return known

    def _closure(self, state: _State, *, at_end: bool, before_word: bool) -> list[int] | None:
        """The character tests that can be reached without reading; None when the match can."""
        program = self._program
        open_places = list(state.places)
        seen = set(open_places)
        tests: list[int] = []
        while open_places:
            place = open_places.pop()
            operation, first, second = program[place]
            if operation == "match":
                return None
            if operation == "char":
                tests.append(place)
                continue
            if operation == "split":
                following = (first, second)
            elif _holds(first, state, at_end=at_end, before_word=before_word):
                following = (place + 1, place + 1)
            else:
                continue
            for target in following:
                if target not in seen:
                    seen.add(target)
                    open_places.append(target)
        self._budget.spend(10 * len(seen))
        return tests


def _holds(assertion: str, state: _State, *, at_end: bool, before_word: bool) -> bool:
    if assertion == "start":
        return state.at_start
    if assertion == "end":
        return at_end
    return (state.after_word != before_word) == (assertion == "edge")
