"""What can be told before a run of the paths of an action, and of what `edit` writes into a file."""

from posixpath import normpath
from typing import Any

from taskrun.actions.editing.keys import assigned, parse_key, shown
from taskrun.errors import ActionError
from taskrun.regex import lazy
from taskrun.spec.compiling.literals import Fields, Found, empty, is_open, plain

_NOWHERE = ("/", "//", ".", "..")
_PATHS = ("path", "from", "to", "source")
# What a shell would make something else of. A path is taken as it stands: it would be a file with such a name.
_OF_SHELLS = (
    (lazy(r"~(?:[\w-]*/|$)"), "`~` is not expanded here", "write `${{ env.HOME }}`, or `./~` for that very name"),
    (
        lazy(r"\$\{?[A-Za-z_]\w*\}?(?:/|$)"),
        "variables of a shell are not expanded here",
        "write `${{ env.NAME }}`; a `./` in front says that the name is meant",
    ),
    (
        lazy(r"[^*]*\*"),
        "patterns are not expanded here",
        "leave it to a `run`; for that very name write `${{ '*' }}` in place of the `*`",
    ),
)  # fmt: skip


def paths(fields: Fields, *names: str) -> Found:
    for name in names:
        text = plain(fields.get(name)) or ""
        for pattern, message, help_ in _OF_SHELLS:
            if pattern.match(text):
                yield name, f"`{text}`: {message}", help_
                break


def places(fields: Fields) -> Found:
    yield from empty(fields, *_PATHS)
    yield from paths(fields, *_PATHS)
    yield from _somewhere(fields, "path")


def _somewhere(fields: Fields, *names: str) -> Found:
    for name in names:
        text = plain(fields.get(name))
        if text and normpath(text) in _NOWHERE:
            yield name, f"`{text}` is nothing that could be worked on", None


def _is_folder(path: str) -> bool:
    return path.endswith(("/", "/.", "/..")) or normpath(path) in _NOWHERE


def one_file(fields: Fields) -> Found:
    yield from places(fields)
    path, source = plain(fields.get("path")), plain(fields.get("source"))
    if path and _is_folder(path) and normpath(path) not in _NOWHERE:
        yield "path", f"`{path}` names a directory, and a file is needed", None
    if source and _is_folder(source):
        yield "source", f"`{source}` names a directory, and a file is needed", None
    elif path and source and normpath(path) == normpath(source):
        yield "source", "`path` and `source` are the same file", None


def from_to(fields: Fields) -> Found:
    yield from places(fields)
    yield from _somewhere(fields, "to")
    old, new = plain(fields.get("from")), plain(fields.get("to"))
    if not old or not new or normpath(new) in _NOWHERE:
        return
    source, target = normpath(old), normpath(new)
    if source == target:
        yield "to", "`from` and `to` are the same place", None
    elif target.startswith(f"{source.rstrip('/')}/") or _is_below_here(source, target):
        yield "to", f"`{new}` is inside `{old}`", None
    elif source.startswith(f"{target}/"):
        yield "to", f"`{old}` is inside `{new}`, which would be replaced", None


def _is_below_here(source: str, target: str) -> bool:
    return source == "/" or (source == "." and not target.startswith(("/", "../")))


def move(fields: Fields) -> Found:
    yield from _somewhere(fields, "from")
    yield from from_to(fields)


def symlink(fields: Fields) -> Found:
    yield from places(fields)
    path, target = plain(fields.get("path")), plain(fields.get("to"))
    if not path or not target:
        return
    folder, slash, _ = path.rpartition("/")
    if normpath(path) == normpath(target if target.startswith("/") else f"{folder}{slash}{target}"):
        yield "to", "the link would point to itself", None


def edit(fields: Fields) -> Found:
    yield from one_file(fields)
    yield from empty(fields, "match")
    for name in ("line", "marker"):
        text = plain(fields.get(name)) or ""
        if "\r" in text:
            yield name, f"`{name}` holds a carriage return, and is one line of text", None
    marker = plain(fields.get("marker"))
    if marker is not None and (not marker.strip() or "\n" in marker):
        yield "marker", "`marker` is one line of text", None
    if "set" in fields:
        yield from _edit_set(fields)


def _edit_set(fields: Fields) -> Found:
    if not fields["set"]:
        yield "set", "`set` names no key", None
    path, known = plain(fields.get("path")), plain(fields.get("format"))
    if not path:
        return
    from taskrun.actions.editing.documents import format_of  # noqa: PLC0415 - only for `set`

    try:
        form = format_of(path, known)
    except ActionError:
        return  # reported with the path
    yield from _texts(form, fields["set"]) if form in ("ini", "env") else _trees(form, fields["set"])


def _texts(form: str, values: dict[str, Any]) -> Found:
    from taskrun.actions.editing.documents import put_values  # noqa: PLC0415 - loads parsers

    seen: dict[str, str] = {}
    for key, value in values.items():
        if "${{" in f"{key}{value}":
            continue
        try:
            put_values("", form, {key: value})
        except ActionError as error:
            yield "set", error.message.removeprefix("set: "), None
        other = seen.setdefault(key.lower() if form == "ini" else key, key)
        if other != key:
            yield "set", f"`{other}` and `{key}` are the same key in an INI file", None


def _trees(form: str, values: dict[str, Any]) -> Found:
    """Keys that get in each other's way: done in order on an empty document, all of them have to be there at the end."""
    document: Any = {}
    done: list[list[str]] = []
    for key, value in values.items():
        if form == "toml" and _has_null(value):
            yield "set", f"{key}: TOML has no null", None
        try:
            keys = parse_key(key)
        except ActionError:
            continue  # reported with the keys
        for other in done:
            shorter, longer = sorted((other, keys), key=len)
            if longer[: len(shorter)] == shorter and not _is_map_before(other, keys, document):
                message = f"`{shown(longer)}` is a part of `{shown(shorter)}`, which is set here, too"
                yield "set", message, None
                return
        if is_open(value):
            continue
        done.append(keys)
        try:
            document = assigned(document, keys, value)
        except ActionError as error:
            yield "set", error.message.removeprefix("set: "), None
            return


def _is_map_before(other: list[str], keys: list[str], document: Any) -> bool:
    """Whether the earlier key made a map, into which the later one goes."""
    if len(other) >= len(keys):
        return False
    for key in other:
        document = document[key]
    return isinstance(document, dict | list)


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))
