"""The fields of the built-in actions, with what editors and the reference say about them.

Read when the schema is built: a run, and most compilations, work on what came out of it.
"""

from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, Discriminator, Field, Tag, WithJsonSchema, with_config
from typing_extensions import TypedDict

from taskrun.actions import checks
from taskrun.actions.checks import ITEMS, MAP, TEXT
from taskrun.actions.fields import (
    Condition,
    DurationOrTemplate,
    ExitCodes,
    Flag,
    FlagOrCount,
    FlagOrText,
    Json,
    Mode,
    Statuses,
)

_STRICT = ConfigDict(extra="forbid")


SHAPE = Discriminator(
    checks.shape,
    custom_error_type="taskrun_shape",
    custom_error_message="wrong shape",
    custom_error_context={},
)


def doc(text: str, *examples: Any) -> Any:
    """What editors and the reference show for a key."""
    return Field(description=text, examples=list(examples) or None)


Text = Annotated[str, Tag(TEXT)]
TextItems = Annotated[list[str], Tag(ITEMS)]
# What a shell cannot read is no mistake of the file: the compiler looks closer, and editors need not.
Variable = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[^=]+$"})]
Env = Annotated[
    dict[Variable, str], doc("Environment variables, on top of those of the task.", {"LANG": "C"})
]
Cwd = Annotated[str, doc("Working directory, relative to the workflow file.", "build")]
Expect = Annotated[ExitCodes, doc("Exit codes that count as success. Default: 0.", 0, [0, 3])]
Stdin = Annotated[str, doc("Text given to standard input. Default: nothing.", "yes\n")]
Target = Annotated[str, doc("The path to work on, relative to the working directory.", "demo/config.ini")]
ModeField = Annotated[Mode, doc("Permissions, in octal.", "0644")]
OnDrift = Annotated[
    Literal["stop", "skip", "force"],
    doc(
        "What an undo does with what was changed since: stop (the default), leave it, or overwrite it.",
        "skip",
    ),
]
Parents = Annotated[Flag, doc("Make missing parent directories too.", True)]


@with_config(_STRICT)
class Run(TypedDict, total=False):
    """A shell script."""

    script: Required[
        Annotated[str, doc("A shell script. Expressions in it become variables, never code.", "mkdir demo")]
    ]
    shell: Annotated[str, doc("The shell that runs it: `SHELL -c SCRIPT`. Default: /bin/sh.", "/bin/bash")]
    cwd: Cwd
    env: Env
    stdin: Stdin
    expect: Expect


@with_config(_STRICT)
class Exec(TypedDict, total=False):
    """A program and its arguments."""

    argv: Required[
        Annotated[list[str], doc("Program and arguments; no shell is involved.", ["git", "tag", "v1"])]
    ]
    cwd: Cwd
    env: Env
    stdin: Stdin
    expect: Expect


@with_config(_STRICT)
class Auth(TypedDict, total=False):
    """User name and password."""

    username: Required[Annotated[str, doc("User name of HTTP basic authentication.")]]
    password: Required[
        Annotated[str, doc("Its password; best a `secrets` expression.", "${{ secrets.password }}")]
    ]


UrlField = Annotated[str, doc("Short for `method` and `url`.", "https://example.org/items")]


@with_config(_STRICT)
class Http(TypedDict, total=False):
    """An HTTP request."""

    url: Annotated[str, doc("Where to send the request.", "https://example.org/healthz")]
    method: Annotated[str, doc("The HTTP method. Default: GET.", "POST")]
    get: UrlField
    post: UrlField
    put: UrlField
    patch: UrlField
    delete: UrlField
    head: UrlField
    headers: Annotated[dict[str, str], doc("Request headers.", {"Accept": "application/json"})]
    params: Annotated[Json, doc("Query parameters.", {"page": 2})]
    json: Annotated[Json, doc("A JSON body.", {"name": "acme"})]
    data: Annotated[Json, doc("A body as text, or form fields as a map.", {"name": "acme"})]
    files: Annotated[dict[str, str], doc("Files to upload: form field to path.", {"report": "report.pdf"})]
    bearer: Annotated[str, doc("A bearer token.", "${{ secrets.token }}")]
    auth: Annotated[Auth, doc("Basic authentication.")]
    expect: Annotated[Statuses, doc("Statuses that count as success. Default: 2xx.", 201, [204, 404], "2xx")]
    timeout: Annotated[
        DurationOrTemplate, doc("For connecting, and between two pieces of the answer.", "10s")
    ]
    verify: Annotated[
        FlagOrText, doc("Check the server's certificate: true (default), false, or the file to trust.", True)
    ]
    ca: Annotated[str, doc("File with the certificates to trust.", "ca.pem")]
    cert: Annotated[str, doc("File with the client's certificate and key.", "client.pem")]
    redirects: Annotated[
        FlagOrCount,
        doc("Follow redirects, or how many at most. Default: 5 for GET and HEAD, else none.", False, 3),
    ]
    allow_hosts: Annotated[
        list[str], doc("Hosts that may be reached; any other is refused.", ["example.org"])
    ]


@with_config(_STRICT)
class Python(TypedDict, total=False):
    """A function or code, in a process of its own."""

    call: Annotated[str, doc("A function to call: `module:function`.", "release:build_notes")]
    code: Annotated[
        str, doc("Python code; `args` are its variables, `result` what it gives.", "result = 1 + n")
    ]
    args: Annotated[Json, doc("Arguments: a map by name, or a list by position.", {"n": 2})]
    python: Annotated[str, doc("The interpreter. Default: the one taskrun runs on.", "python3")]
    cwd: Cwd
    env: Env
    stdin: Stdin
    expect: Expect


@with_config(_STRICT)
class File(TypedDict, total=False):
    """A file as it shall be."""

    path: Required[Target]
    content: Annotated[str, doc("What the file shall hold.", "port = 8080\n")]
    source: Annotated[str, doc("A file whose content it shall have.", "config/app.ini")]
    mode: ModeField
    parents: Parents
    on_drift: OnDrift


@with_config(_STRICT)
class Template(TypedDict, total=False):
    """A file made from a template."""

    path: Required[Target]
    source: Required[Annotated[str, doc("A file with `${{ }}` expressions.", "templates/app.ini")]]
    mode: ModeField
    parents: Parents
    on_drift: OnDrift


_From = TypedDict(
    "_From",
    {"from": Required[Annotated[str, doc("What to take: a file or a directory.", "build/app")]]},
    total=False,
)


@with_config(_STRICT)
class Copy(_From, total=False):
    """A copy."""

    to: Required[Annotated[str, doc("Where it goes: the new path, not its directory.", "/opt/app")]]
    mode: ModeField
    parents: Parents
    on_drift: OnDrift


@with_config(_STRICT)
class Move(_From, total=False):
    """Another place for something."""

    to: Required[Annotated[str, doc("Where it goes: the new path, not its directory.", "/opt/app")]]
    parents: Parents
    on_drift: OnDrift


@with_config(_STRICT)
class Mkdir(TypedDict, total=False):
    """A directory."""

    path: Required[Target]
    mode: ModeField
    parents: Parents
    on_drift: OnDrift


@with_config(_STRICT)
class Delete(TypedDict, total=False):
    """A path that shall be gone."""

    path: Required[Target]
    missing_ok: Annotated[Flag, doc("A path that is not there is no failure.", True)]
    on_drift: OnDrift


@with_config(_STRICT)
class Symlink(TypedDict, total=False):
    """A symbolic link."""

    path: Required[Annotated[str, doc("The link to make or to point elsewhere.", "current")]]
    to: Required[Annotated[str, doc("What the link shall point to.", "releases/1.2.3")]]
    parents: Parents
    on_drift: OnDrift


@with_config(_STRICT)
class Edit(TypedDict, total=False):
    """A part of a file as it shall be: `line`, `block` or `set`."""

    path: Required[Target]
    line: Annotated[str, doc("A line the file shall have.", "PermitRootLogin no")]
    match: Annotated[
        str, doc("Regular expression of the line that `line` takes the place of.", "^PermitRootLogin")
    ]
    block: Annotated[str, doc("Lines the file shall have between two marker lines.", "10.0.0.1 db\n")]
    marker: Annotated[str, doc("What names the block in its marker lines.", "taskrun")]
    set: Annotated[dict[str, Json], doc("Values by dotted key, in a structured file.", {"server.port": 8080})]
    format: Annotated[
        Literal["ini", "json", "yaml", "toml", "env"], doc("Format for `set`. Default: by the suffix.", "ini")
    ]
    create: Annotated[Flag, doc("Start with an empty file where there is none.", True)]
    on_drift: OnDrift


@with_config(_STRICT)
class Sql(TypedDict, total=False):
    """SQL: a `script`, a `query`, or an `insert`, `update` or `delete`, which undoes itself."""

    database: Required[Annotated[str, doc("`sqlite:PATH`, or a database URL.", "sqlite:app.db")]]
    script: Annotated[str, doc("File with SQL statements, run in one transaction.", "migrations/042.up.sql")]
    query: Annotated[str, doc("One or more SQL statements.", "select count(*) as n from users")]
    params: Annotated[Json, doc("Values for the placeholders of `query`.", {"id": 7})]
    insert: Annotated[str, doc("A table to put `rows` into.", "users")]
    rows: Annotated[Json, doc("With `insert`: a row, or a list of rows, by column.", {"login": "ann"})]
    update: Annotated[str, doc("A table of which rows are to be changed.", "users")]
    set: Annotated[Json, doc("With `update`: the new values, by column.", {"plan": "pro"})]
    delete: Annotated[str, doc("A table of which rows are to be deleted.", "users")]
    where: Annotated[
        Json,
        doc(
            "With `update` and `delete`: which rows, by column; a list is any of its values, null is NULL.",
            {"login": "ann"},
        ),
    ]
    on_drift: OnDrift
    timeout: Annotated[DurationOrTemplate, doc("How long to wait for a locked database.", "5s")]


@with_config(_STRICT)
class WaitFor(TypedDict, total=False):
    """What to wait for: `port`, `url`, `path` or `run`."""

    port: Annotated[str, doc("A TCP port that shall accept connections: `PORT` or `HOST:PORT`.", "5432")]
    url: Annotated[
        str, doc("An address that shall answer with a good status.", "http://127.0.0.1:8080/healthz")
    ]
    path: Annotated[str, doc("A path that shall exist.", "app.pid")]
    run: Annotated[str, doc("A script that shall exit with 0.", "pg_isready")]
    expect: Annotated[Statuses, doc("With `url`: the statuses to wait for. Default: 2xx.", 200)]
    timeout: Annotated[DurationOrTemplate, doc("Give up after this long. Default: 1m.", "2m")]
    every: Annotated[DurationOrTemplate, doc("Time between two looks. Default: 1s.", "500ms")]


@with_config(_STRICT)
class Approve(TypedDict, total=False):
    """A question to a person."""

    message: Required[
        Annotated[str, doc("The question a person answers with yes or no.", "Go to production?")]
    ]


@with_config(_STRICT)
class Echo(TypedDict, total=False):
    """A message."""

    message: Required[Annotated[str, doc("What to print.", "hello ${{ inputs.name }}")]]


@with_config(_STRICT)
class Fail(TypedDict, total=False):
    """A failure."""

    message: Required[Annotated[str, doc("Why.", "this version is not allowed here")]]


_Sleep = TypedDict(
    "_Sleep", {"for": Required[Annotated[DurationOrTemplate, doc("How long.", "30s")]]}, total=False
)


@with_config(_STRICT)
class Sleep(_Sleep, total=False):
    """A pause."""


@with_config(_STRICT)
class Assert(TypedDict, total=False):
    """A condition."""

    that: Required[Annotated[Condition, doc("An expression that shall be true.", "inputs.nodes != []")]]
    message: Annotated[str, doc("What to say when it is not.", "no nodes given")]


@with_config(_STRICT)
class Workflow(TypedDict, total=False):
    """Another workflow."""

    file: Required[Annotated[str, doc("Another workflow file, below this one's folder.", "database.yaml")]]
    inputs: Annotated[dict[str, Json], doc("Its inputs: values or expressions.", {"size": 3})]


_AssertKind = TypedDict(
    "_AssertKind",
    {
        "assert": Annotated[
            Annotated[Condition, Tag(TEXT)] | Annotated[Assert, Tag(MAP)],
            SHAPE,
            doc("Fail unless an expression is true.", "inputs.version != ''"),
        ]
    },
    total=False,
)


class Kinds(_AssertKind, total=False):
    """The action keys of a task: exactly one of them is used."""

    run: Annotated[
        Text | Annotated[Run, Tag(MAP)],
        SHAPE,
        doc("Run a shell script.", "mkdir demo", {"script": "make"}),
    ]
    exec: Annotated[
        TextItems | Annotated[Exec, Tag(MAP)],
        SHAPE,
        doc("Run a program without a shell.", ["mkdir", "demo"]),
    ]
    http: Annotated[
        Text | Annotated[Http, Tag(MAP)],
        SHAPE,
        doc("Send an HTTP request.", "http://127.0.0.1:8080/healthz"),
    ]
    python: Annotated[
        Text | Annotated[Python, Tag(MAP)],
        SHAPE,
        doc("Call Python code in a process of its own.", "app:setup"),
    ]
    file: Annotated[Annotated[File, Tag(MAP)], doc("Write a file.", {"path": "a.txt", "content": "hello\n"})]
    template: Annotated[
        Annotated[Template, Tag(MAP)],
        doc("Write a file from a template.", {"path": "app.ini", "source": "app.ini.tmpl"}),
    ]
    copy: Annotated[Copy, doc("Copy a file or a directory.", {"from": "build/app", "to": "/opt/app"})]
    move: Annotated[Move, doc("Move a file or a directory.", {"from": "new.db", "to": "app.db"})]
    mkdir: Annotated[Text | Annotated[Mkdir, Tag(MAP)], SHAPE, doc("Make a directory.", "demo")]
    delete: Annotated[
        Text | Annotated[Delete, Tag(MAP)], SHAPE, doc("Delete a file or a directory.", "old.log")
    ]
    symlink: Annotated[Symlink, doc("Point a symbolic link.", {"path": "current", "to": "releases/1.2.3"})]
    edit: Annotated[Edit, doc("Change a part of a file.", {"path": "app.ini", "set": {"server.port": 8080}})]
    sql: Annotated[Sql, doc("Run SQL.", {"database": "sqlite:app.db", "query": "delete from sessions"})]
    wait_for: Annotated[
        Text | Annotated[WaitFor, Tag(MAP)], SHAPE, doc("Wait until something is there.", {"port": "5432"})
    ]
    approve: Annotated[
        Text | Annotated[Approve, Tag(MAP)], SHAPE, doc("Ask a person.", "Switch production over?")
    ]
    echo: Annotated[Text | Annotated[Echo, Tag(MAP)], SHAPE, doc("Print a message.", "hello")]
    fail: Annotated[Text | Annotated[Fail, Tag(MAP)], SHAPE, doc("Fail.", "not allowed here")]
    sleep: Annotated[
        Annotated[DurationOrTemplate, Tag(TEXT)] | Annotated[Sleep, Tag(MAP)],
        SHAPE,
        doc("Wait a while.", "5s"),
    ]
    workflow: Annotated[
        Text | Annotated[Workflow, Tag(MAP)],
        SHAPE,
        doc("Run another workflow as a part of this one.", "db.yaml"),
    ]


FIELDS: dict[str, Any] = {
    "run": Run,
    "exec": Exec,
    "http": Http,
    "python": Python,
    "file": File,
    "template": Template,
    "copy": Copy,
    "move": Move,
    "mkdir": Mkdir,
    "delete": Delete,
    "symlink": Symlink,
    "edit": Edit,
    "sql": Sql,
    "wait_for": WaitFor,
    "approve": Approve,
    "echo": Echo,
    "fail": Fail,
    "sleep": Sleep,
    "assert": Assert,
    "workflow": Workflow,
}
