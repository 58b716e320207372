"""One word of an answer to a question at the terminal."""

import sys
import termios
from collections.abc import Mapping


def ask(question: str, answers: Mapping[str, str]) -> str:
    """One of ``answers`` (each with what it means), or the beginning of one that no other begins with.

    No answer (Ctrl-D, Ctrl-C) is the last of them.
    """
    width = max(map(len, answers)) + 2
    lines = [f"  {name:<{width}}{meaning}" for name, meaning in answers.items()]
    sys.stderr.write("\n".join(["", question, *lines, ""]))
    termios.tcflush(0, termios.TCIFLUSH)  # what was typed before the question is no answer to it
    while True:
        sys.stderr.write("> ")
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        if not line:
            sys.stderr.write("\n")
            return list(answers)[-1]
        word = line.strip().lower()
        found = [answer for answer in answers if word and answer.startswith(word)]
        if len(found) == 1:
            return found[0]
        sys.stderr.write(f"{', '.join(answers)}?\n")
