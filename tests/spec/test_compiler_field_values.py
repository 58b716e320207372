"""Values that could never work are found before a run, at the value itself; those that only a run can tell are let be."""

import pytest

from tests.spec.workflows import found

WRONG = [
    ("run: ' '", "`script` is empty"),
    ("run: {script: x, shell: ''}", "`shell` is empty"),
    ('run: {script: x, shell: "sh \'x"}', "cannot be split into words"),
    ("run: {script: x, cwd: ''}", "`cwd` is empty"),
    ("exec: []", "there is no program to start"),
    ("exec: ['', a]", "there is no program to start"),
    ("http: ''", "the address is empty"),
    ("http: example.com/x", "did you mean `http://example.com/x`?"),
    ("http: ftp://x/y", "it begins with http:// or https://"),
    ("http: 'ftp://${{ inputs.x }}'", "it begins with http:// or https://"),
    ("http: file:///etc/passwd", "it begins with http:// or https://"),
    ("http: 'http://'", "names no host"),
    ("http: 'http://x y/'", "has a blank in it"),
    ("http: 'http://x:99999/'", "is no address: Port out of range"),
    ("http: 'http://x:abc/'", "is no address: Port could not be cast"),
    ("http: {delete: x}", "did you mean `http://x`?"),
    ("http: {get: http://x, headers: {'a b': c}}", "`a b` cannot be the name of a header"),
    ('http: {get: http://x, headers: {a: "b\\nc"}}', "has a line break in it"),
    ("http: {get: http://x, timeout: 0s}", "`timeout` leaves no time at all"),
    ("http: {get: http://x, bearer: ''}", "`bearer` is empty"),
    ("http: {post: http://x, data: [1]}", "`data` is a map or text"),
    ("http: {get: http://x, params: x}", "`params` is a map"),
    ("http: {post: http://x, files: {a: ''}}", "`a` names no file"),
    ("python: {code: 'def ('}", "this is no Python"),
    ("python: {code: ''}", "`code` is empty"),
    ("python: {call: 'a:b', args: x}", "`args` is a map by name, or a list by position"),
    ("python: {call: 'a:b', args: 3}", "`args` is a map by name, or a list by position"),
    ("python: {code: x, args: {1x: 1}}", "`1x` cannot be the name of an argument"),
    ("python: {call: 'a:b', python: ''}", "`python` is empty"),
    ("file: {path: /, content: a}", "`/` is nothing that could be worked on"),
    ("file: {path: a/, content: a}", "`a/` names a directory"),
    ("file: {path: x/../.., content: a}", "is nothing that could be worked on"),
    ("file: {path: a, source: ./a}", "`path` and `source` are the same file"),
    ("copy: {from: a, to: a/}", "`from` and `to` are the same place"),
    ("copy: {from: a, to: a/b}", "`a/b` is inside `a`"),
    ("move: {from: a/b, to: a}", "`a/b` is inside `a`, which would be replaced"),
    ("mkdir: /", "is nothing that could be worked on"),
    ("delete: .", "is nothing that could be worked on"),
    ("symlink: {path: d/a, to: a}", "the link would point to itself"),
    ("template: {path: a, source: a}", "`path` and `source` are the same file"),
    ("edit: {path: a, line: x, match: ''}", "`match` is empty"),
    ("edit: {path: a, block: x, marker: ''}", "`marker` is one line of text"),
    ("edit: {path: a.ini, set: {a.b: [1]}}", "an INI file holds text"),
    ("edit: {path: .env, set: {a b: 1}}", "cannot be the name of a variable"),
    ("edit: {path: a.json, set: {}}", "`set` names no key"),
    ("sql: {database: '', query: x}", "`database` is empty"),
    ("sql: {database: 'sqlite:', query: x}", "`sqlite:` names no file"),
    ("sql: {database: 'sqlite:a', query: ' '}", "`query` is empty"),
    ("sql: {database: 'sqlite:a', query: begin; x; commit}", "BEGIN: all of it is one transaction"),
    ("sql: {database: 'sqlite:a', query: 'select :a'}", "`:a` needs `params`"),
    ("sql: {database: 'sqlite:a', query: 'select :a', params: {}}", "`:a` is not in `params`"),
    ("sql: {database: 'sqlite:a', query: 'select :a', params: {a: 1, b: 1}}", "the query has no `:b`"),
    ("sql: {database: 'sqlite:a', query: 'select :a', params: {a: [1]}}", "`a` is no SQL value"),
    ("sql: {database: 'sqlite:a', query: select 1, params: 3}", "`params` is a map by name"),
    ("wait_for: {url: example.com}", "did you mean `http://example.com`?"),
    ("wait_for: {port: 80, expect: 200}", "`expect` goes with `url`"),
    ("wait_for: {path: ''}", "`path` is empty"),
    ("wait_for: {port: 80, every: 0s}", "`every` leaves no time at all"),
    ("wait_for: {port: 80, every: 2m}", "`every` is longer than `timeout`"),
    ("approve: ''", "`message` is empty"),
    ("fail: ''", "`message` is empty"),
    ("assert: \"'x'\"", "is neither true nor false"),
]
RIGHT = [
    "run: {script: x, shell: bash -euo pipefail, cwd: '${{ inputs.x }}'}",
    "http: '${{ inputs.x }}'",
    "http: '${{ inputs.x }}/a b'",
    "http: 'http://${{ inputs.x }}:${{ inputs.x }}/a b'",
    "http: 'HTTPS://[::1]:8443/x%20y?q=%00'",
    "http: {post: http://x, params: '${{ inputs.x }}', data: x=1}",
    "python: {code: '${{ inputs.x }}'}",
    "python: {code: 'def (', python: python2}",
    "python: {call: 'a:b', args: '${{ inputs.x }}'}",
    "copy: {from: ., to: ../all}",
    "copy: {from: ab, to: a}",
    "symlink: {path: a, to: ..}",
    "symlink: {path: a, to: d/a}",
    "sql: {database: 'sqlite:a', query: \"select ':a', time(:b) -- :c\", params: {b: 1}}",
    "sql: {database: 'postgresql://x/y', query: 'select 1::int, a[1:2]'}",
    "sql: {database: 'sqlite:a', query: 'select ?, $a', params: [1, 2]}",
    "edit: {path: 'a.${{ inputs.x }}', set: {a: 1}, format: json}",
    "assert: 1 == 2",
    "echo: ''",
]


def text(action: str) -> str:
    revert = (
        "" if action.startswith(("approve", "echo", "assert", "wait_for", "fail")) else "    revert: none\n"
    )
    return f"name: w\ninputs: {{x: y}}\ntasks:\n  - name: t\n    {action}\n{revert}"


@pytest.mark.parametrize(("action", "said"), WRONG, ids=[action for action, _ in WRONG])
def test_what_could_never_work_is_a_mistake_in_the_file(action: str, said: str) -> None:
    (wrong,) = found(text(action))
    assert (wrong.id, wrong.line, wrong.severity) == ("TR706", 5, "error")
    assert said in f"{wrong.message} {wrong.help or ''}"


@pytest.mark.parametrize("action", RIGHT)
def test_what_only_the_run_can_tell_is_let_be(action: str) -> None:
    assert found(text(action)) == []
