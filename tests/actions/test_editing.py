"""A part of a text changes, and nothing else does: not a blank, not a comment."""

import json
import tomllib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrun.actions.editing import env_text, ini_text, json_text, toml_text, yaml_text
from taskrun.actions.editing.blocks import put_block
from taskrun.actions.editing.documents import format_of, is_same, put_values
from taskrun.actions.editing.keys import assigned, parse_key
from taskrun.actions.editing.lines import put_line
from taskrun.errors import ActionError

# ---------------------------------------------------------------------- lines and blocks


@pytest.mark.parametrize(
    ("text", "line", "match", "after"),
    [
        ("", "a", None, "a\n"),
        ("x\n", "a", None, "x\na\n"),
        ("x", "a", None, "x\na\n"),
        ("a\nx\n", "a", None, "a\nx\n"),
        ("#a=1\nb\n", "a=2", "^#?a=", "a=2\nb\n"),
        ("a=1\nb\na=3\n", "a=2", "^a=", "a=1\nb\na=2\n"),
        ("a=1\nb\na=2\n", "a=2", "^a=", "a=1\nb\na=2\n"),
        ("x\r\ny\r\n", "a", None, "x\r\ny\r\na\r\n"),
        ("x=1\r\ny\r\n", "x=2", "^x", "x=2\r\ny\r\n"),
        ("a\u2028b\n", "c", None, "a\u2028b\nc\n"),
        ("k=1", "k=2", "^k", "k=2"),
        ("é=\udcff\n", "x", "y", "é=\udcff\nx\n"),
    ],
)
def test_a_line_is_put(text, line, match, after):
    assert put_line(text, line, match) == after
    assert put_line(after, line, match) == after


@pytest.mark.parametrize(
    ("line", "match", "words"), [("a\nb", None, "line break"), ("a", "(", "not a regular expression")]
)
def test_a_line_that_cannot_be_put_is_refused(line, match, words):
    with pytest.raises(ActionError, match=words):
        put_line("", line, match)


@pytest.mark.parametrize(
    ("text", "block", "marker", "after"),
    [
        ("", "x", None, "# BEGIN taskrun\nx\n# END taskrun\n"),
        ("a", "x\ny\n", "hosts", "a\n# BEGIN hosts\nx\ny\n# END hosts\n"),
        (
            "a\n# BEGIN taskrun\nold\n# END taskrun\nb\n",
            "x",
            None,
            "a\n# BEGIN taskrun\nx\n# END taskrun\nb\n",
        ),
        ("a\n# BEGIN taskrun\nold\n# END taskrun\nb\n", "", None, "a\nb\n"),
        ("a\n# BEGIN taskrun\n# END taskrun", "x", None, "a\n# BEGIN taskrun\nx\n# END taskrun"),
        ("a\r\n", "x\ny", None, "a\r\n# BEGIN taskrun\r\nx\r\ny\r\n# END taskrun\r\n"),
        ("<p>\n", "x", "<!-- {mark} nav -->", "<p>\n<!-- BEGIN nav -->\nx\n<!-- END nav -->\n"),
        ("a\n", "", None, "a\n"),
    ],
)
def test_a_block_is_put(text, block, marker, after):
    assert put_block(text, block, marker) == after
    assert put_block(after, block, marker) == after


@pytest.mark.parametrize(
    ("text", "marker", "words"),
    [
        ("# BEGIN taskrun\n", None, "a line '# BEGIN taskrun' without its '# END taskrun'"),
        ("# END taskrun\n", None, "a line '# END taskrun' without its '# BEGIN taskrun'"),
        ("# END taskrun\n# BEGIN taskrun\n", None, "without"),
        ("# BEGIN taskrun\n# END taskrun\n" * 2, None, "there are 2 lines '# BEGIN taskrun'"),
        ("", "a\nb", "not one line of text"),
        ("", " ", "not one line of text"),
    ],
)
def test_a_block_that_cannot_be_found_is_refused(text, marker, words):
    with pytest.raises(ActionError, match=words):
        put_block(text, "x", marker)


# ---------------------------------------------------------------------- set, by example

JSON = '{\n    "name": "app",  \n    "server": {"port": 80, "tags": ["a", "b"]},\n    "empty": {}\n}\n'
INI = """\
; settings
top = 1
[server]   # main
port = 8080   ; the port
host=127.0.0.1
# trailing words

[a.b]
long = one
   two
key:
"""
TOML = '''\
# settings
title = "app"   # the title
[server]
port = 80 # the port
tags = [
  "a", # first
  "b",
]
point = { x = 1, y = 2 }
text = """
[not.a.table]
x = 1
"""

[[workers]]
name = 'one'

[[workers]]
name = 'two'
[workers.limits]
cpu = 1

[a.b."c.d"]
e.f = 1
'''
YAML = """\
# settings
name: app    # the name
server:
  port: 80   # the port
  tags: [a, b]
  hosts:
    - name: one   # first
      ip: '10.0.0.1'
    - name: two

  # words about what comes
text: |
  several
  lines
empty:
point: {x: 1, y: 2}
base: &base
  a: 1
copy: *base
when: 2026-01-02
flag: yes
"""
ENV = '# settings\nPORT=80 # the port\nexport NAME=\'my app\'\nEMPTY=\nQUOTED="a\\"b"\nBARE\n'


@pytest.mark.parametrize(
    ("format_", "text", "values", "old", "new"),
    [
        ("json", JSON, {"server.port": 81}, '"port": 80', '"port": 81'),
        ("json", JSON, {"server.tags.1": "c"}, '["a", "b"]', '["a", "c"]'),
        ("json", JSON, {"server.host": "x"}, '"b"]}', '"b"], "host": "x"}'),
        ("json", JSON, {"new": True}, '"empty": {}\n', '"empty": {},\n    "new": true\n'),
        ("json", JSON, {"empty.a.b": 1}, "{}", '{\n        "a": {\n            "b": 1\n        }\n    }'),
        ("json", '{"a":1,"b":2}', {"c": 3}, "2}", '2,"c":3}'),
        ("json", '{"a":1}', {"c": 3}, "1}", '1,"c":3}'),
        ("json", "", {"a": 1}, "", '{\n  "a": 1\n}\n'),
        ("json", '\ufeff{"a": 1}', {"a": 2}, "1", "2"),
        ("json", '{"a": 1, "a": 2}', {"a": 3}, "2}", "3}"),
        ("ini", INI, {"server.port": 9}, "8080", "9"),
        ("ini", INI, {"server.host": "::1"}, "host=127.0.0.1", "host=::1"),
        ("ini", INI, {"server.HOST": "::1"}, "host=127.0.0.1", "host=::1"),
        ("ini", INI, {"server.new": True}, "127.0.0.1\n", "127.0.0.1\nnew=true\n"),
        ("ini", INI, {"top": 2}, "top = 1", "top = 2"),
        ("ini", INI, {"other": 2}, "top = 1\n", "top = 1\nother = 2\n"),
        ("ini", INI, {"a.b.long": "1"}, "one\n   two", "1"),
        ("ini", INI, {"a.b.key": "v"}, "key:\n", "key:v\n"),
        ("ini", INI, {"c.d.e": "v"}, "key:\n", "key:\n\n[c.d]\ne = v\n"),
        ("ini", "[a]\r\nb = 1\r\n", {"a.c": 2}, "b = 1\r\n", "b = 1\r\nc = 2\r\n"),
        ("ini", "", {"a.b": 1}, "", "[a]\nb = 1\n"),
        ("ini", "[a]", {"a.b": 1}, "[a]", "[a]\nb = 1\n"),
        ("toml", TOML, {"title": 'a "b"'}, '"app"', '"a \\"b\\""'),
        ("toml", TOML, {"server.port": 81}, "port = 80", "port = 81"),
        ("toml", TOML, {"server.tags": ["c"]}, '[\n  "a", # first\n  "b",\n]', '["c"]'),
        ("toml", TOML, {"server.point": {"x": 1.5}}, "{ x = 1, y = 2 }", "{ x = 1.5 }"),
        ("toml", TOML, {"server.text": "x"}, '"""\n[not.a.table]\nx = 1\n"""', '"x"'),
        ("toml", TOML, {"server.new": False}, 'x = 1\n"""\n', 'x = 1\n"""\nnew = false\n'),
        ("toml", TOML, {"workers.1.name": "2"}, "'two'", "'2'"),
        ("toml", TOML, {"workers.1.limits.mem": 5}, "cpu = 1\n", "cpu = 1\nmem = 5\n"),
        ("toml", TOML, {r"a.b.c\.d.e.f": 2}, "e.f = 1", "e.f = 2"),
        ("toml", TOML, {r"a.b.c\.d.e.g": 2}, "e.f = 1\n", "e.f = 1\ne.g = 2\n"),
        ("toml", TOML, {"root": 1}, "# the title\n", "# the title\nroot = 1\n"),
        ("toml", TOML, {"x.y.z": 1}, "e.f = 1\n", "e.f = 1\n\n[x.y]\nz = 1\n"),
        ("toml", "[a]\nb = 1\n", {"c": 2}, "[a]", "c = 2\n\n[a]"),
        ("toml", "", {"a.b": 1}, "", "[a]\nb = 1\n"),
        ("yaml", YAML, {"name": "it's: new"}, "app ", '"it\'s: new" '),
        ("yaml", YAML, {"name": "other"}, "app ", "other "),
        ("yaml", YAML, {"server.port": 81}, "80", "81"),
        ("yaml", YAML, {"server.port": "81"}, "80", '"81"'),
        ("yaml", YAML, {"server.hosts.0.ip": "10.0.0.2"}, "'10.0.0.1'", "'10.0.0.2'"),
        ("yaml", YAML, {"server.hosts.1.ip": "::1"}, "two\n", 'two\n      ip: "::1"\n'),
        ("yaml", YAML, {"server.tags": ["c"]}, "[a, b]", '["c"]'),
        ("yaml", YAML, {"server.tags.0": "c"}, "[a, b]", "[c, b]"),
        ("yaml", YAML, {"server.new": None}, "- name: two\n", "- name: two\n  new: null\n"),
        ("yaml", YAML, {"text": "one"}, "|\n  several\n  lines\n", "one\n"),
        ("yaml", YAML, {"empty": 1}, "empty:", "empty: 1"),
        ("yaml", YAML, {"empty.a": 1}, "empty:", 'empty: {"a": 1}'),
        ("yaml", YAML, {"point.x": 2}, "{x: 1", "{x: 2"),
        ("yaml", YAML, {"point.z": 3}, "y: 2}", "y: 2, z: 3}"),
        ("yaml", YAML, {"flag": False}, "yes", "false"),
        ("yaml", YAML, {"new.a.b": 1.5}, "yes\n", "yes\nnew:\n  a:\n    b: 1.5\n"),
        ("yaml", "", {"a": "x"}, "", "a: x\n"),
        ("yaml", "# only words", {"a.b": 1}, "words", "words\na:\n  b: 1\n"),
        ("yaml", "a: 1", {"b": 2}, "a: 1", "a: 1\nb: 2\n"),
        ("yaml", "a: !Ref x\nb: 1\n", {"b": 2}, "1", "2"),
        ("yaml", "2: a\ntrue: b\n", {"2": "c"}, "a", "c"),
        ("yaml", "2: a\ntrue: b\n", {"true": "c"}, "b", "c"),
        ("env", ENV, {"PORT": 81}, "=80", "=81"),
        ("env", ENV, {"NAME": "it's"}, "'my app'", '"it\'s"'),
        ("env", ENV, {"EMPTY": "a b"}, "EMPTY=", "EMPTY='a b'"),
        ("env", ENV, {"QUOTED": "$x"}, '"a\\"b"', "'$x'"),
        ("env", ENV, {"NEW": True}, "BARE\n", "BARE\nNEW=true\n"),
        ("env", ENV, {"BARE": "x"}, "BARE", "BARE=x"),
        ("env", "", {"A": 1}, "", "A=1\n"),
    ],
)
def test_one_value_is_set_and_the_rest_stays(format_, text, values, old, new):
    assert text.count(old) == 1 or not text or old in ("1", "80")
    after = text.replace(old, new, 1) if text else new
    assert put_values(text, format_, values) == after
    assert put_values(after, format_, values) == after


@pytest.mark.parametrize(
    ("format_", "text", "values", "type_", "words"),
    [
        ("json", "{", {"a": 1}, "InvalidFile", "it is not JSON"),
        ("json", "[1]", {"1": 1}, "InvalidField", "'1' is no position in a list of 1"),
        ("json", '{"a": 1}', {"a.b": 1}, "InvalidField", "'b' cannot be set in a value that is no map"),
        ("json", "{}", {"a..b": 1}, "InvalidField", "a part of it is empty"),
        ("ini", "", {"a.b": [1]}, "InvalidField", "an INI file holds text"),
        ("ini", "", {"a.b": "x\ny"}, "InvalidField", "line break"),
        ("ini", "", {"a.b": "x ; y"}, "InvalidField", "would be read as something else"),
        ("ini", "", {"a.b": " x"}, "InvalidField", "would be read as something else"),
        ("ini", "[a]\n", {"a.[b]": "x"}, "CannotEdit", "cannot be set"),
        ("toml", "a = ", {"a": 1}, "InvalidFile", "it is not TOML"),
        (
            "toml",
            TOML,
            {"server.point.x": 2},
            "CannotEdit",
            "server.point is an array or inline table on one line",
        ),
        ("toml", TOML, {"server.tags.0": 2}, "CannotEdit", "set the whole of it"),
        ("toml", TOML, {"title": None}, "InvalidField", "TOML has no null"),
        ("toml", TOML, {"workers.2.name": 2}, "InvalidField", "no position in a list of 2"),
        ("toml", TOML, {"server": 2}, "CannotEdit", "cannot be set in this file"),
        ("yaml", "a: [", {"a": 1}, "InvalidFile", "it is not YAML"),
        ("yaml", "a: 1\n---\nb: 1\n", {"a": 1}, "InvalidFile", "it is not YAML that can be edited"),
        ("yaml", YAML, {"server": 1}, "CannotEdit", "a list or map over several lines"),
        ("yaml", YAML, {"copy.a": 2}, "CannotEdit", "an alias"),
        ("yaml", YAML, {"base.a": 2}, "CannotEdit", "keep the rest of it as it is"),
        ("yaml", YAML, {"name.x": 2}, "InvalidField", "cannot be set in a value that is no map"),
        ("env", "", {"1A": 1}, "InvalidField", "cannot be the name of a variable"),
        ("env", "", {"A": [1]}, "InvalidField", "a variable holds text"),
        ("env", "", {"A": "$it's"}, "InvalidField", "cannot be written for every reader"),
        ("xml", "", {"A": 1}, "InvalidField", "is none of ini, json, yaml, toml, env"),
    ],
)
def test_what_cannot_be_set_is_refused(format_, text, values, type_, words):
    with pytest.raises(ActionError, match=words) as raised:
        put_values(text, format_, values)
    assert raised.value.type == type_


@pytest.mark.parametrize(
    ("path", "format_"),
    [
        ("/a/x.INI", "ini"),
        ("x.yml", "yaml"),
        ("x.d/y.toml", "toml"),
        (".env", "env"),
        ("/a/.env.local", "env"),
        ("x.conf", "ini"),
    ],
)
def test_the_suffix_tells_the_format(path, format_):
    assert format_of(path, None) == format_
    assert format_of(path, "json") == "json"


@pytest.mark.parametrize("path", ["/a.json/hosts", "x", "x.txt", ".hidden"])
def test_a_suffix_that_tells_nothing_needs_a_format(path):
    with pytest.raises(ActionError, match="say `format: ini`"):
        format_of(path, None)


def test_equal_values_of_different_types_are_not_the_same():
    assert not is_same(1, True)
    assert not is_same({"a": 1}, {"a": 1.0})
    assert is_same({"a": [1, None]}, {"a": [1, None]})


# ---------------------------------------------------------------------- set, for any document

KEY = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
PLAIN_KEY = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
SCALAR = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9), TEXT)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3), max_leaves=5
)
DOCUMENT = st.dictionaries(
    PLAIN_KEY, st.one_of(VALUE, st.dictionaries(PLAIN_KEY, VALUE, max_size=3)), max_size=4
)
PATHS = st.lists(PLAIN_KEY, min_size=1, max_size=3)


def check(editor, text, keys, value):
    """Either exactly this value changes, or nothing is written."""
    document = editor.load(text)
    try:
        after = put_values(
            text, editor.__name__.rpartition(".")[2].removesuffix("_text"), {".".join(keys): value}
        )
    except ActionError as error:
        assert error.type in ("CannotEdit", "InvalidField")  # noqa: PT017
        return
    assert is_same(editor.load(after), assigned(document, keys, value))


@settings(max_examples=150, deadline=None)
@given(DOCUMENT, PATHS, VALUE, st.sampled_from([None, 2, 4, "\t"]))
def test_any_json_document_keeps_the_rest(document, keys, value, indent):
    text = json.dumps(document, indent=indent)
    check(json_text, text, keys, value)
    if not keys[1:]:
        assert json.loads(put_values(text, "json", {keys[0]: value})) == {**document, keys[0]: value}


@settings(max_examples=150, deadline=None)
@given(DOCUMENT, PATHS, VALUE, st.booleans())
def test_any_yaml_document_keeps_the_rest(document, keys, value, flow):
    check(yaml_text, yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True), keys, value)


@settings(max_examples=150, deadline=None)
@given(DOCUMENT, PATHS, VALUE)
def test_any_toml_document_keeps_the_rest(document, keys, value):
    lines = [f"{key} = {toml_text._dump([key], v)}" for key, v in document.items() if not isinstance(v, dict)]
    for key, table in document.items():
        if isinstance(table, dict):
            lines += [
                "",
                f"[{key}]  # a table",
                *(f"{toml_text._bare(k)} = {toml_text._dump([k], v)}" for k, v in table.items()),
            ]
    text = "\n".join(lines) + "\n"
    assert tomllib.loads(text) == document
    check(toml_text, text, keys, value)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(PLAIN_KEY, TEXT, max_size=4), PLAIN_KEY, TEXT)
def test_any_env_file_keeps_the_rest(variables, name, value):
    try:
        text = put_values("# first\n", "env", variables)
    except ActionError:
        return
    try:
        after = put_values(text, "env", {name: value})
    except ActionError as error:
        assert error.type in ("CannotEdit", "InvalidField")  # noqa: PT017
        return
    assert env_text.load(after) == {**env_text.load(text), name: value}


INI_TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=10)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(PLAIN_KEY, INI_TEXT, max_size=4), PLAIN_KEY, INI_TEXT)
def test_any_ini_file_keeps_the_rest(values, name, value):
    text = "; words\n[s]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) + "[t]\nx = 1 ; one\n"
    try:
        after = put_values(text, "ini", {f"s.{name}": value})
    except ActionError as error:
        assert error.type in ("CannotEdit", "InvalidField")  # noqa: PT017
        return
    own = {name.lower(): value}
    new = ini_text.load(after)["s"]
    assert {k.lower(): v for k, v in new.items() if k.lower() == name.lower()}.items() >= own.items()
    assert after.endswith("[t]\nx = 1 ; one\n")
    assert after.startswith("; words\n[s]\n")


@given(st.lists(st.text(min_size=1, max_size=4).filter(lambda key: "\\" not in key), min_size=1, max_size=4))
def test_a_dotted_key_can_name_any_key(keys):
    assert parse_key(".".join(key.replace(".", "\\.") for key in keys)) == keys
