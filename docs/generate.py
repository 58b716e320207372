"""Writes docs/reference/ from the models, the catalog and the tables of the program itself.

python docs/generate.py           write
python docs/generate.py --check   exit 1 if anything would change
"""

import inspect
import pathlib
import sys
from typing import Any

import click

ROOT = pathlib.Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from taskrun.cli.commands import COMMANDS  # noqa: E402
from taskrun.cli.group import cli  # noqa: E402
from taskrun.engine.states import FLOW_MOVES, RETRY_MOVES, TASK_MOVES  # noqa: E402
from taskrun.spec.catalog import CATALOG  # noqa: E402
from taskrun.spec.json_schema import in_yaml as yaml  # noqa: E402
from taskrun.spec.json_schema import json_schema  # noqa: E402
from taskrun.spec.language.functions import PUBLIC  # noqa: E402

GENERATED = "<!-- Made by docs/generate.py from the program; edit that. -->"
PARTS = [
    ("A task", "Task"),
    ("An undo", "Revert"),
    ("Retry", "Retry"),
    ("Inputs", "InputFields"),
    ("Secrets", "Secret"),
    ("Defaults", "Defaults"),
    ("Notify", "Notify"),
    ("Probe", "Probe"),
    ("A reusable action", "Action"),
]


def pages() -> dict[str, str]:
    """Path below docs/reference -> content."""
    schema = json_schema()
    return {
        "language.md": language(schema),
        "actions.md": actions(schema),
        "functions.md": functions(),
        "states.md": states(),
        "errors.md": errors(),
        "commands.md": commands(),
    }


def language(schema: dict[str, Any]) -> str:
    kinds = set(_kinds(schema))
    lines = [
        "# The language",
        GENERATED,
        "Every key of a workflow file. What an action takes is in [actions](actions.md), what an expression may call in"
        " [functions](functions.md).",
        "## Top level",
        table(schema),
    ]
    for title, name in PARTS:
        found = schema["$defs"].get(name)
        if found is None:
            continue
        lines += [f"## {title}", found.get("description", "")]
        lines.append(
            table(
                found, leave_out=kinds if name in ("Task", "Revert", "Notify", "Probe", "Action") else set()
            )
        )
    return "\n\n".join(line for line in lines if line) + "\n"


def actions(schema: dict[str, Any]) -> str:
    task = schema["$defs"]["Task"]["properties"]
    lines = [
        "# Actions",
        GENERATED,
        "The key of a task that says what it does. A plain value stands for the first field.",
    ]
    for kind in _kinds(schema):
        about = task[kind]
        lines += [f"## `{kind}`", about.get("description", "")]
        if about.get("examples"):
            lines.append(
                "```yaml\n" + "\n".join(f"{kind}: {yaml(each)}" for each in about["examples"]) + "\n```"
            )
        lines.append(table(schema["$defs"][_model(about)]))
    return "\n\n".join(line for line in lines if line) + "\n"


def functions() -> str:
    lines = [
        "# Functions of expressions",
        GENERATED,
        "Pure, and the same on every day: there is no clock and no chance.",
    ]
    lines.append(
        "| function | gives |\n|---|---|\n"
        + "\n".join(f"| `{name}` | {text(about)} |" for name, about in _functions())
    )
    return "\n\n".join(lines) + "\n"


def _functions() -> list[tuple[str, str]]:
    found = []
    for _, function in sorted(PUBLIC.items()):
        about = (function.body.__doc__ or "").strip().split("\n\n")[0]
        found.append((function.signature(), " ".join(about.split())))
    return found


def states() -> str:
    lines = [
        "# States",
        GENERATED,
        "Every move there is. Anything else is a bug in taskrun, and stops the run with a report.",
    ]
    for title, moves in (("Tasks", TASK_MOVES), ("Retry controllers", RETRY_MOVES), ("The flow", FLOW_MOVES)):
        rows = "\n".join(f"| {old} | {new} |" for old, new in sorted(moves))
        lines.append(f"## {title}\n\n| from | to |\n|---|---|\n{rows}")
    return "\n\n".join(lines) + "\n"


def errors() -> str:
    lines = [
        "# Diagnostics",
        GENERATED,
        "What `taskrun validate` can say; `taskrun explain ID` says the same.",
    ]
    for id_, entry in sorted(CATALOG.items()):
        lines += [f"## {id_}: {entry.title}", entry.explanation.strip()]
        for word, example in (("Wrong", entry.bad), ("Right", entry.good)):
            language_ = "toml" if id_.startswith("TR9") else "yaml"
            lines.append(f"{word}:\n\n```{language_}\n{visible(example)}\n```")
    return "\n\n".join(lines) + "\n"


def commands() -> str:
    """What ``--help`` says, without the layout of the library that prints it."""
    lines = [
        "# Commands",
        GENERATED,
        "What `taskrun COMMAND --help` says. Every command also has `-v, --verbose` and `--log-file FILE`, see"
        " [settings](../settings.md); exit codes are the same for all, see [rules](../rules.md).",
    ]
    top = click.Context(cli, info_name="taskrun")
    for name in COMMANDS:
        found = cli.get_command(top, name)
        lines += _help(found, f"taskrun {name}", "##")
    return "\n\n".join(lines) + "\n"


def _help(command: click.Command, path: str, mark: str) -> list[str]:
    about = inspect.cleandoc(command.help or "").replace("\b\n", "")
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    words = [param.human_readable_name.upper().strip("[]") for param in arguments]
    usage = [word if param.required else f"[{word}]" for word, param in zip(words, arguments, strict=True)]
    lines = [f"{mark} `{' '.join([path, *usage])}`", f"```text\n{about}\n```"]
    rows = [
        f"| `{_option(param)}` | {text(param.help or '')} |"
        for param in command.params
        if isinstance(param, click.Option) and param.name not in ("verbose", "log_file")
    ]
    if rows:
        lines.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            lines += _help(inner, f"{path} {name}", f"{mark}#")
    return lines


def _option(param: click.Option) -> str:
    names = ", ".join(param.opts)
    return names if param.is_flag else f"{names} {param.metavar or (param.name or '').upper()}"


def _kinds(schema: dict[str, Any]) -> list[str]:
    task = schema["$defs"]["Task"]["properties"]
    return [
        key
        for key, about in task.items()
        if _model(about) and key not in ("revert", "retry", "check", "verify", "probe", "tasks")
    ]


def _model(about: dict[str, Any]) -> str:
    """The name of the field model behind a key, if there is one."""
    for each in (about, *about.get("anyOf", ())):
        if "$ref" in each:
            return each["$ref"].rpartition("/")[2]
    return ""


def table(schema: dict[str, Any], leave_out: set[str] = frozenset()) -> str:
    required = set(schema.get("required", ()))
    rows = [
        f"| `{key}`{' (required)' if key in required else ''} | {kind_of(about)} | {text(about.get('description', ''))}{example(about)} |"
        for key, about in schema.get("properties", {}).items()
        if key not in leave_out
    ]
    return "| key | type | meaning |\n|---|---|---|\n" + "\n".join(rows) if rows else ""


def kind_of(about: dict[str, Any]) -> str:
    if "enum" in about:
        return " ".join(f"`{value}`" for value in about["enum"])
    if "$ref" in about:
        return about["$ref"].rpartition("/")[2].lower()
    if "anyOf" in about:
        return " or ".join(dict.fromkeys(filter(None, map(kind_of, about["anyOf"]))))
    found = about.get("type", "any value")
    if isinstance(found, list):
        return "text" if "string" in found else " or ".join(found)
    return {"string": "text", "object": "map", "array": "list"}.get(found, found)


def example(about: dict[str, Any]) -> str:
    found = about.get("examples")
    return f" Example: `{text(yaml(found[0]))}`" if found else ""


def text(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def visible(example_text: str) -> str:
    return "".join(
        c if c == "\n" or (c.isprintable() and c != "`") else f"<U+{ord(c):04X}>" for c in example_text
    ).strip("\n")


def main() -> int:
    stale = []
    for name, content in pages().items():
        path = ROOT / "docs" / "reference" / name
        if not path.exists() or path.read_text() != content:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(content)
    for name in stale:
        print(("stale: " if "--check" in sys.argv else "wrote ") + name)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
