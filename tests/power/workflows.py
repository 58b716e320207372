"""What is recorded: runs that succeed, fail, are undone later, and one that is long enough for the journal to turn over."""

import os
from collections.abc import Sequence

GOOD = """
name: good
tasks:
  - {name: a, echo: one, outputs: {said: "'x'"}}
  - {name: b, exec: ['true'], revert: {exec: ['true']}}
  - {name: c, echo: three}
"""

BAD = """
name: bad
tasks:
  - {name: a, exec: ['true'], revert: {exec: ['true']}}
  - {name: b, exec: ['true'], revert: {exec: ['true']}}
  - {name: c, exec: ['false'], revert: none}
"""


def long(tasks: int) -> str:
    lines = [f"  - {{name: t{n}, echo: '{n} {'x' * (n * 37 % 400)}'}}" for n in range(tasks)]
    return "\n".join(["name: long", "tasks:", *lines, ""])


def commands(folder: str, durability: str, tasks: int) -> Sequence[Sequence[str]]:
    found = []
    for name, text in (("good", GOOD), ("bad", BAD), ("long", long(tasks))):
        with open(os.path.join(folder, f"{name}.yaml"), "w") as file:
            file.write(text)
        found.append(["run", file.name, "--durability", durability, "-o", "ndjson"])
    return [*found, ["revert", "latest", "-o", "ndjson"], found[0]]
