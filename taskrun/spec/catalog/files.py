"""TR8xx: inputs and included files."""

from taskrun.spec.catalog.entry import Entry

_TASKS = "tasks: [{name: say, echo: hi}]\n"


def _include(path: str) -> str:
    return f"name: hello\ntasks:\n  - name: database\n    workflow: {path}\n"


ENTRIES: dict[str, Entry] = {
    "TR801": Entry(
        "default that does not fit",
        "The default of an input has another type than the input, or breaks its own limits. An input without a "
        "default is written `{type: ...}` and is required.",
        'name: hello\ninputs:\n  count: {type: integer, default: "3"}\n' + _TASKS,
        "name: hello\ninputs:\n  count: {type: integer, default: 3}\n" + _TASKS,
    ),
    "TR802": Entry(
        "limits that do not fit",
        "`pattern` is for text, `minimum` and `maximum` are for numbers, the values of `enum` have the type of the "
        "input, and a pattern is a regular expression.",
        "name: hello\ninputs:\n  count: {type: integer, pattern: '^3$'}\n" + _TASKS,
        "name: hello\ninputs:\n  count: {type: integer, maximum: 3}\n" + _TASKS,
    ),
    "TR803": Entry(
        "default that looks like a type",
        "A bare value is the default of an input. For a required input of a type write `{type: ...}`.",
        "name: hello\ninputs: {login: string}\n" + _TASKS,
        "name: hello\ninputs: {login: {type: string}}\n" + _TASKS,
    ),
    "TR804": Entry(
        "included file not found",
        "The path of an included workflow starts at the folder of the file that names it.",
        _include("databse.yaml"),
        _include("database.yaml"),
    ),
    "TR805": Entry(
        "included file outside of the folder",
        "Included workflows stand in the folder of the file that names them, or below it, so that what a file runs "
        "can be seen where it is. `--allow-outside` lifts this.",
        _include("../database.yaml"),
        _include("database.yaml"),
    ),
    "TR806": Entry(
        "files that include each other",
        "A workflow runs itself, directly or through others.",
        _include("circle.yaml"),
        _include("database.yaml"),
    ),
    "TR807": Entry(
        "too much included",
        "Included files may be 16 levels deep and make 200,000 tasks together.",
        _include("deep.yaml"),
        _include("database.yaml"),
    ),
    "TR808": Entry(
        "key only the outermost file can have",
        "`lock` and `env_file` belong to a whole run; in an included file they would not hold.",
        _include("locked.yaml"),
        _include("database.yaml"),
    ),
    "TR809": Entry(
        "key without effect in an included file",
        "`timeout`, `on_failure` and `notify` belong to a whole run: those of the outermost file count.",
        _include("patient.yaml"),
        _include("database.yaml"),
    ),
}
