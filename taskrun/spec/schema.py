"""The whole language, version 1, as pydantic types: what keys there are and what they hold.

Everything is a TypedDict: a document of any size is checked in one call of pydantic's core, which gives back plain
dicts. What the types cannot say (names, references, which keys go together) is the compiler's business.
"""

from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, Field, Tag, TypeAdapter, with_config
from typing_extensions import TypedDict

from taskrun.actions.checks import ITEMS, MAP, TEXT
from taskrun.actions.fields import Condition, Duration, Factor, Flag, Json, Number, Positive, Whole
from taskrun.actions.models import SHAPE, Kinds, Text, TextItems, Variable, doc
from taskrun.spec.vocabulary import KEY, NAME, WORKFLOW_NAME

_STRICT = ConfigDict(extra="forbid")
# Keys that are no key of the language may be actions of the file or of plug-ins: the compiler knows them.
_OPEN = ConfigDict(extra="ignore")

Name = Annotated[str, Field(pattern=NAME)]
Key = Annotated[str, Field(pattern=KEY)]
EnvName = Annotated[str, Field(pattern=KEY)]
Environment = Annotated[
    dict[Variable, str], doc("Environment variables: text, which may hold expressions.", {"LANG": "C"})
]
TextOrItems = Annotated[Text | TextItems, SHAPE]
Skip = Annotated[
    Literal["task", "dependents", "flow"],
    doc("How far an `if` that is false reaches. Default: task.", "dependents"),
]
_IF = doc("An expression that gives a boolean; false: the state is IGNORE.", "inputs.target == 'prod'")
OutputsField = Annotated[
    dict[Key, Condition],
    doc("Outputs by name: expressions over `result`. Kept in the journal.", {"id": "result.json.id"}),
]


@with_config(_STRICT)
class Retry(TypedDict, total=False):
    """When and how often something is tried again."""

    attempts: Annotated[Positive, doc("How often at most, the first time included.", 3)]
    delay: Annotated[Duration, doc("Wait before the second attempt. Default: none.", "2s")]
    backoff: Annotated[Factor, doc("The delay grows by this factor each time. Default: 1.", 2)]
    max_delay: Annotated[Duration, doc("The delay grows no longer than this.", "30s")]
    jitter: Annotated[Flag, doc("Shorten each delay by a random part, up to half.", True)]
    on: Annotated[
        TextOrItems,
        doc(
            "Tasks only: the failures worth another attempt. Default: all.", ["connection", "timeout", "5xx"]
        ),
    ]
    for_each: Annotated[
        Annotated[str, Tag(TEXT)] | Annotated[Json, Tag(ITEMS)],
        SHAPE,
        doc("Flows only: one attempt for each value; the value is `retry.value`.", ["mirror1", "mirror2"]),
    ]
    exhausted: Annotated[
        Literal["revert", "revert_all"],
        doc(
            "Flows only: hand over to the enclosing controller (default), or undo the whole run.",
            "revert_all",
        ),
    ]


@with_config(_STRICT)
class InputFields(TypedDict, total=False):
    """What an input is and may be."""

    type: Annotated[
        Literal["string", "integer", "number", "boolean", "list", "object", "path"],
        doc("Default: the type of `default`, else string.", "integer"),
    ]
    default: Annotated[Json, doc("Makes the input optional.", 3)]
    enum: Annotated[list[Json], doc("The values allowed.", ["staging", "prod"])]
    pattern: Annotated[str, doc("Regular expression that a string must match somewhere.", "^v[0-9]+$")]
    minimum: Annotated[Number, doc("The least number allowed.", 1)]
    maximum: Annotated[Number, doc("The greatest number allowed.", 10)]
    description: Annotated[str, doc("What the input is for.")]
    env: Annotated[EnvName, doc("Environment variable to take the value from when none is given.", "VERSION")]


Input = Annotated[
    Annotated[Json, Tag(TEXT)] | Annotated[Json, Tag(ITEMS)] | Annotated[InputFields, Tag(MAP)], SHAPE
]
Inputs = Annotated[
    dict[Key, Input], doc("Inputs: a description, or just the default.", {"api": "http://127.0.0.1"})
]


@with_config(_STRICT)
class Secret(TypedDict, total=False):
    """Where a secret comes from: one of these."""

    env: Annotated[EnvName, doc("Environment variable that holds it.", "API_TOKEN")]
    file: Annotated[str, doc("File that holds it; a newline at the end is left out.", "~/.config/token")]
    command: Annotated[list[str], doc("Program that prints it.", ["pass", "show", "api"])]


@with_config(_STRICT)
class Defaults(TypedDict, total=False):
    """What tasks get that do not say otherwise."""

    timeout: Annotated[Duration, doc("`timeout` of tasks that have none.", "5m")]
    retry: Annotated[Retry, doc("`retry` of tasks that have none.", {"attempts": 2})]
    shell: Annotated[str, doc("`shell` of tasks that have none.", "/bin/bash")]
    cwd: Annotated[str, doc("`cwd` of tasks that have none.", "build")]
    env: Environment


_CWD = doc("Working directory, relative to the workflow file.", "build")
_SHELL = doc("The shell of scripts: `SHELL -c SCRIPT`. Default: /bin/sh.", "/bin/bash")


class _Call(Kinds, total=False):
    env: Environment
    cwd: Annotated[str, _CWD]
    shell: Annotated[str, _SHELL]
    timeout: Annotated[Duration, doc("How long it may take.", "30s")]


@with_config(_OPEN)
class Call(_Call, total=False):
    """One action, with what surrounds it."""


@with_config(_OPEN)
class Probe(_Call, total=False):
    """An action whose answer is judged."""

    done_if: Annotated[
        Condition,
        doc(
            "An expression over `result` that decides. Default: the action succeeds.", "result.status == 200"
        ),
    ]
    outputs: OutputsField


@with_config(_OPEN)
class Revert(_Call, total=False):
    """An action that undoes the task, `restore`, or `impossible`."""

    retry: Annotated[Retry, doc("Try a failing undo again.", {"attempts": 5, "delay": "2s"})]
    restore: Annotated[
        TextOrItems, doc("Files and directories to put back as they were before the task.", ["config/"])
    ]
    impossible: Annotated[str, doc("Why there is no undo.", "the mail is sent")]


CheckField = Annotated[Text | Annotated[Probe, Tag(MAP)], SHAPE]
RevertField = Annotated[
    Text | Annotated[Revert, Tag(MAP)],
    SHAPE,
    doc(
        "How to undo the task: a shell script, an action, `auto`, `none`, `{restore: [paths]}` or `{impossible: reason}`.",
        "rmdir demo",
        {"restore": ["config/"]},
    ),
]
_CHECK = doc(
    "Already done? Then the task succeeds without doing anything. A script, or an action.", "test -d demo"
)
_VERIFY = doc("Did it work? A part of the task. A script, or an action.", "test -d demo")
_PROBE = doc(
    "Did it happen? Asked only when a crash took the outcome. A script, or an action.", "test -d demo"
)
_TIMEOUT = doc("How long one attempt may take.", "90s")

_ActionIf = TypedDict("_ActionIf", {"if": Annotated[Condition, _IF], "as": Annotated[Key, doc(
    "Name of the item in expressions, beside `item`.", "node")]}, total=False)  # fmt: skip


@with_config(_OPEN)
class Task(_ActionIf, _Call, total=False):
    """One entry of `tasks`: exactly one action, or `tasks` for a nested flow, or a `savepoint`."""

    name: Annotated[Name, doc("Unique in the file.", "make_dir")]
    description: Annotated[str, doc("What the task is for.")]
    savepoint: Annotated[Name, doc("Instead of everything else: a place to go back to.", "data_ready")]
    tasks: Annotated[list["Task"], Field(min_length=1), doc("Instead of an action: a nested flow.")]
    pattern: Annotated[
        Literal["linear", "unordered", "graph"],
        doc("Of a nested flow: in which order its tasks run.", "graph"),
    ]
    revert: RevertField
    inputs: Annotated[
        dict[Key, Json],
        doc("Values fixed when the task starts: `self.inputs.NAME`, in the undo too.", {"n": 1}),
    ]
    needs: Annotated[TextOrItems, doc("In a graph: what must be done before.", ["make_dir"])]
    skip: Skip
    for_each: Annotated[
        Annotated[str, Tag(TEXT)] | Annotated[Json, Tag(ITEMS)],
        SHAPE,
        doc("One task for each item of a list.", "${{ inputs.nodes }}", ["n1", "n2"]),
    ]
    max_parallel: Annotated[Positive, doc("How many items at a time.", 2)]
    outputs: OutputsField
    retry: Annotated[Retry, doc("Try again after a failure.", {"attempts": 3, "delay": "1s"})]
    deadline: Annotated[Duration, doc("How long all attempts together may take.", "10m")]
    check: Annotated[CheckField, _CHECK]
    verify: Annotated[CheckField, _VERIFY]
    probe: Annotated[CheckField, _PROBE]
    on_lost: Annotated[
        Literal["rerun", "revert", "ask"], doc("What to do when a crash took the outcome.", "rerun")
    ]
    allow_failure: Annotated[Flag, doc("The run goes on when the task fails.", True)]
    pivot: Annotated[Flag, doc("Point of no return: once done, nothing above it is undone.", True)]
    lock: Annotated[str, doc("Name of a lock that one task at a time may hold.", "db-${{ inputs.target }}")]
    tags: Annotated[TextOrItems, doc("Words to select tasks by.", ["slow"])]
    queue: Annotated[str, doc("Worker group, when the run is distributed.", "gpu")]


@with_config(_OPEN)
class Action(_Call, total=False):
    """A reusable action: one action with its undo, and inputs of its own."""

    description: Annotated[str, doc("What the action does.")]
    inputs: Annotated[
        dict[Key, Input], doc("Its inputs: a description, a type, or a default.", {"login": "string"})
    ]
    revert: RevertField
    outputs: OutputsField
    retry: Annotated[Retry, doc("Try again after a failure.", {"attempts": 3})]
    deadline: Annotated[Duration, doc("How long all attempts together may take.", "10m")]
    check: Annotated[CheckField, _CHECK]
    verify: Annotated[CheckField, _VERIFY]
    probe: Annotated[CheckField, _PROBE]
    on_lost: Annotated[
        Literal["rerun", "revert", "ask"], doc("What to do when a crash took the outcome.", "ask")
    ]


_STATES = doc('States to be told of, or "*" for all.', "*", ["FAILURE", "REVERTED"])


@with_config(_OPEN)
class Notify(_Call, total=False):
    """One of `flow`, `task` and `retry` with the states to be told of, and an action."""

    flow: Annotated[TextOrItems, _STATES]
    task: Annotated[TextOrItems, _STATES]
    retry: Annotated[TextOrItems, _STATES]


@with_config(_STRICT)
class Document(TypedDict, total=False):
    """A workflow of taskrun."""

    taskrun: Annotated[Whole, doc("Version of the language.", 1)]
    name: Required[Annotated[str, Field(pattern=WORKFLOW_NAME), doc("Name of the workflow.", "release")]]
    description: Annotated[str, doc("What the workflow is for.")]
    pattern: Annotated[
        Literal["linear", "unordered", "graph"],
        doc(
            "Order of the tasks: one after the other (default), none, or by `needs` and references.", "graph"
        ),
    ]
    inputs: Inputs
    secrets: Annotated[
        dict[Key, Secret],
        doc("Secrets: read when needed, masked, never stored.", {"token": {"env": "TOKEN"}}),
    ]
    env: Environment
    env_file: Annotated[TextOrItems, doc("Files with `NAME=value` lines.", ".env")]
    defaults: Annotated[Defaults, doc("Settings of all tasks that do not have their own.")]
    retry: Annotated[Retry, doc("Undo the whole flow and run it again when it fails.", {"attempts": 3})]
    lock: Annotated[
        str, doc("Name of a lock: one run at a time may hold it.", "release-${{ inputs.target }}")
    ]
    timeout: Annotated[Duration, doc("How long the run may take, the rollback not counted.", "1h")]
    on_failure: Annotated[
        Literal["revert", "stop", "ask"], doc("What happens when a task fails. Default: revert.", "stop")
    ]
    actions: Annotated[dict[Name, Action], doc("Reusable actions with their undo.")]
    tasks: Required[Annotated[list[Task], Field(min_length=1), doc("What to do.")]]
    notify: Annotated[list[Notify], doc("Whom to tell about changes of state.")]
    verify_revert: Annotated[list[CheckField], doc("Checks after a rollback; a failing one is reported.")]


def adapter() -> TypeAdapter[Any]:
    """The document's validator; building it takes some 30 ms."""
    return TypeAdapter(Document)
