"""The workflows that are killed, and what must be true of each whatever happens: who needs whom, how it may end."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

HEAD = "name: NAME\n"


class Scene(NamedTuple):
    """`needs` is the whole order: a task begins after these and is undone before them.

    `ends` are the exit codes of an undisturbed end, or of one in which no process but taskrun died; `most` is how
    often a task may begin then (1 unless it says otherwise). `kept` are tasks without an undo, which are simply run
    again when nobody knows; `begun` names the verb that is killed first, on a run that `run` has finished if it is
    not `run` itself.
    """

    name: str
    text: str
    needs: Mapping[str, tuple[str, ...]]
    ends: frozenset[int]
    jobs: int = 1
    most: Mapping[str, int] = {}
    kept: frozenset[str] = frozenset()
    probed: frozenset[str] = frozenset()  # whoever asks sees what they made
    begun: str = "run"
    asks: bool = False
    remote: frozenset[str] = (
        frozenset()
    )  # requests: when taskrun is killed, nobody knows whether they were sent
    rows: Sequence[str] = ()  # of the table `t` of its database, when all is done; there is none otherwise
    cold: bool = False  # its run is the first there ever was: the journal itself is being made
    stuck: frozenset[str] = frozenset()  # their undo never works
    before: Mapping[str, str] = {}  # files of the world and what is in them
    after: Mapping[str, str] = {}  # the same, and those that come into being, when all is done


def linear(last: str) -> str:
    return f"""
name: linear
tasks:
  - {{name: a, run: EFFECT do a, revert: EFFECT undo a}}
  - {{name: b, exec: [EFFECT, do, b], revert: {{exec: [EFFECT, undo, b]}}}}
  - {{name: c, exec: [EFFECT, do, c{last}], revert: {{exec: [EFFECT, undo, c]}}}}
"""


MASKED = """
name: masked
secrets: {place: {env: CRASH_WORLD}}
tasks:
  - {name: a, run: 'echo ${{ secrets.place }}; EFFECT do a', outputs: {n: result.lines}, revert: EFFECT undo a}
  - {name: b, exec: [EFFECT, do, b], env: {P: "${{ secrets.place }}"}, revert: {exec: [EFFECT, undo, b]}}
  - {name: c, if: "tasks.a.outputs.n == ['***']", exec: [EFFECT, do, c, fail=9], revert: {exec: [EFFECT, undo, c]}}
"""

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}

GRAPH = """
name: graph
pattern: graph
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: b, needs: [a], exec: [EFFECT, do, b, wait=6], revert: {exec: [EFFECT, undo, b, wait=4]}}
  - {name: c, needs: [a], exec: [EFFECT, do, c, wait=4], revert: {exec: [EFFECT, undo, c, wait=4]}}
  - {name: d, needs: [b, c], exec: [EFFECT, do, d, fail=9], revert: {exec: [EFFECT, undo, d]}}
"""

RETRY = """
name: retrying
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: b, exec: [EFFECT, do, b, fail=1], retry: {attempts: 2}, revert: {exec: [EFFECT, undo, b]}}
  - name: inner
    retry: {attempts: 2}
    tasks:
      - {name: c, exec: [EFFECT, do, c], revert: {exec: [EFFECT, undo, c, fail=1]}}
      - {name: d, exec: [EFFECT, do, d, fail=1], revert: {exec: [EFFECT, undo, d]}}
"""

PLAIN = """
name: plain
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: b, exec: [EFFECT, do, b], revert: none}
  - {name: c, exec: [EFFECT, do, c], probe: 'test -e "$CRASH_WORLD/made.c"', revert: {exec: [EFFECT, undo, c]}}
"""

ASKING = """
name: asking
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: b, exec: [EFFECT, do, b], on_lost: ask, revert: {exec: [EFFECT, undo, b]}}
  - {name: c, exec: [EFFECT, do, c], on_lost: ask, revert: {exec: [EFFECT, undo, c]}}
"""

STUCK = """
name: stuck
pattern: graph
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: b, needs: [a], exec: [EFFECT, do, b], revert: {exec: [EFFECT, undo, b, fail=99], retry: {attempts: 1}}}
  - {name: c, exec: [EFFECT, do, c], revert: {exec: [EFFECT, undo, c]}}
  - {name: d, needs: [b, c], exec: [EFFECT, do, d, fail=9], revert: {exec: [EFFECT, undo, d]}}
"""

INLINE = """
name: inline
inputs: {word: hello}
tasks:
  - {name: a, exec: [EFFECT, do, a], inputs: {w: "${{ inputs.word }}"}, outputs: {n: result.exit_code}, revert: {exec: [EFFECT, undo, a]}}
  - {name: say, echo: "${{ inputs.word }} ${{ tasks.a.outputs.n }}"}
  - {name: rest, sleep: 5ms}
  - {name: b, if: tasks.a.outputs.n == 0, exec: [EFFECT, do, b], check: "false", verify: "true", revert: {exec: [EFFECT, undo, b]}}
  - {name: sure, assert: {that: tasks.a.outputs.n == 1}}
notify:
  - {flow: [REVERTED], echo: "told"}
"""

FILES = """
name: files
tasks:
  - {name: conf, file: {path: "${{ env.CRASH_WORLD }}/conf", content: "new\\n"}}
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: folder, mkdir: "${{ env.CRASH_WORLD }}/folder"}
  - {name: inside, file: {path: "${{ env.CRASH_WORLD }}/folder/inside", content: "inside\\n"}}
  - {name: gone, delete: "${{ env.CRASH_WORLD }}/gone"}
  - name: text
    run: echo two >> "$CRASH_WORLD/text"
    revert: {restore: ["${{ env.CRASH_WORLD }}/text"]}
  - {name: b, exec: [EFFECT, do, bFAIL], revert: {exec: [EFFECT, undo, b]}}
verify_revert:
  - {run: 'test ! -e "$CRASH_WORLD/made.a"'}
"""
FILES_BEFORE = {"conf": "old\n", "gone": "gone\n", "text": "one\n"}
FILES_AFTER = {"conf": "new\n", "text": "one\ntwo\n", "folder/inside": "inside\n"}

SQL = """
name: sql
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - name: table
    sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: create table t (v text)}
    revert: {sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: drop table t}}
  - name: rows
    sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: "insert into t values ('x'); insert into t values ('y')"}
    revert: {sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: "delete from t where v in ('x', 'y')"}}
  - {name: b, exec: [EFFECT, do, bFAIL], revert: {exec: [EFFECT, undo, b]}}
"""

ROWS = """
name: rows
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - name: table
    sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: create table t (v text)}
    revert: {sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", query: drop table t}}
  - {name: put, sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", insert: t, rows: [{v: x}, {v: y}, {v: z}]}}
  - {name: change, sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", update: t, set: {v: w}, where: {v: z}}}
  - {name: drop, sql: {database: "sqlite:${{ env.CRASH_WORLD }}/app.db", delete: t, where: {v: [x, none]}}}
  - {name: b, exec: [EFFECT, do, bFAIL], revert: {exec: [EFFECT, undo, b]}}
"""

PLACES = """
name: places
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - {name: form, template: {path: "${{ env.CRASH_WORLD }}/filled", source: "${{ env.CRASH_WORLD }}/form"}}
  - {name: twin, copy: {from: "${{ env.CRASH_WORLD }}/form", to: "${{ env.CRASH_WORLD }}/copied"}}
  - {name: away, move: {from: "${{ env.CRASH_WORLD }}/old", to: "${{ env.CRASH_WORLD }}/moved"}}
  - {name: link, symlink: {path: "${{ env.CRASH_WORLD }}/link", to: moved}}
  - {name: part, edit: {path: "${{ env.CRASH_WORLD }}/conf.ini", set: {s.port: 2}}}
  - {name: b, exec: [EFFECT, do, bFAIL], revert: {exec: [EFFECT, undo, b]}}
"""
PLACES_BEFORE = {"form": "of ${{ run.name }}\n", "old": "old\n", "conf.ini": "[s]\nport = 1 ; one\n"}
PLACES_AFTER = {
    "form": PLACES_BEFORE["form"],
    "filled": "of places\n",
    "copied": PLACES_BEFORE["form"],
    "moved": "old\n",
    "link": "old\n",
    "conf.ini": "[s]\nport = 2 ; one\n",
}

PYTHON = """
name: python
tasks:
  - name: a
    python: {code: "import subprocess, sys; subprocess.call(['EFFECT', 'do', 'a']) and sys.exit(1); result = 1"}
    outputs: {v: result.value}
    revert: {python: {code: "import subprocess, sys; subprocess.call(['EFFECT', 'undo', 'a']) and sys.exit(1)"}}
  - {name: b, exec: [EFFECT, do, b], revert: {exec: [EFFECT, undo, b]}}
  - {name: c, if: tasks.a.outputs.v == 1, exec: [EFFECT, do, c, fail=9], revert: {exec: [EFFECT, undo, c]}}
"""

HTTP = """
name: http
tasks:
  - {name: a, exec: [EFFECT, do, a], revert: {exec: [EFFECT, undo, a]}}
  - name: p
    http: {post: "http://127.0.0.1:PORT${{ env.CRASH_WORLD }}/p", expect: 201}
    revert: {http: {delete: "http://127.0.0.1:PORT${{ env.CRASH_WORLD }}/p", expect: 204}}
  - {name: b, exec: [EFFECT, do, b, fail=9], revert: {exec: [EFFECT, undo, b]}}
"""

FANOUT = """
name: fanout
tasks:
  - {name: list, run: 'echo n1; echo n2; echo n3', outputs: {items: result.lines}, revert: none}
  - name: push
    for_each: tasks.list.outputs.items
    as: node
    max_parallel: 2
    inputs: {node: "${{ node }}"}
    exec: [EFFECT, do, "${{ node }}"]
    revert: {exec: [EFFECT, undo, "${{ self.inputs.node }}"]}
  - {name: last, exec: [EFFECT, do, last, fail=9], revert: {exec: [EFFECT, undo, last]}}
"""

GRAPH_NEEDS = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}

SCENES = {
    scene.name: scene
    for scene in (
        Scene("success", linear(""), CHAIN, frozenset({0})),
        Scene("cold", linear(", fail=9"), CHAIN, frozenset({1}), cold=True),
        Scene("failing", linear(", fail=9"), CHAIN, frozenset({1})),
        Scene("graph", GRAPH, GRAPH_NEEDS, frozenset({1}), jobs=2),
        Scene(
            "retrying",
            RETRY,
            {"a": (), "b": ("a",), "c": ("b",), "d": ("c",)},
            frozenset({0}),
            most={"b": 2, "c": 2, "d": 2},
        ),
        Scene("reverting", linear(""), CHAIN, frozenset({0, 1}), begun="revert"),
        Scene("plain", PLAIN, CHAIN, frozenset({0}), kept=frozenset({"b"}), probed=frozenset({"c"})),
        Scene("asking", ASKING, CHAIN, frozenset({0}), asks=True),
        Scene(
            "stuck",
            STUCK,
            {"a": (), "b": ("a",), "c": (), "d": ("b", "c")},
            frozenset({3}),
            jobs=2,
            stuck=frozenset({"b"}),
        ),
        Scene(
            "files",
            FILES.replace("FAIL", ""),
            {"a": (), "b": ("a",)},
            frozenset({0}),
            before=FILES_BEFORE,
            after=FILES_AFTER,
        ),
        Scene(
            "files_back",
            FILES.replace("FAIL", ", fail=9"),
            {"a": (), "b": ("a",)},
            frozenset({1}),
            before=FILES_BEFORE,
            after=FILES_AFTER,
        ),
        Scene(
            "sql",
            SQL.replace("FAIL", ""),
            {"a": (), "b": ("a",)},
            frozenset({0}),
            rows=("x", "y"),
        ),
        Scene(
            "sql_back",
            SQL.replace("FAIL", ", fail=9"),
            {"a": (), "b": ("a",)},
            frozenset({1}),
            rows=("x", "y"),
        ),
        Scene("rows", ROWS.replace("FAIL", ""), {"a": (), "b": ("a",)}, frozenset({0}), rows=("w", "y")),
        Scene(
            "rows_back",
            ROWS.replace("FAIL", ", fail=9"),
            {"a": (), "b": ("a",)},
            frozenset({1}),
            rows=("w", "y"),
        ),
        Scene(
            "places",
            PLACES.replace("FAIL", ""),
            {"a": (), "b": ("a",)},
            frozenset({0}),
            before=PLACES_BEFORE,
            after=PLACES_AFTER,
        ),
        Scene(
            "places_back",
            PLACES.replace("FAIL", ", fail=9"),
            {"a": (), "b": ("a",)},
            frozenset({1}),
            before=PLACES_BEFORE,
            after=PLACES_AFTER,
        ),
        Scene("masked", MASKED, CHAIN, frozenset({1})),
        Scene("python", PYTHON, CHAIN, frozenset({1})),
        Scene(
            "http",
            HTTP,
            {"a": (), "p": ("a",), "b": ("p",)},
            frozenset({1}),
            remote=frozenset({"p"}),
        ),
        Scene(
            "fanout",
            FANOUT,
            {"n1": (), "n2": (), "n3": (), "last": ("n1", "n2", "n3")},
            frozenset({1}),
            jobs=2,
        ),
        Scene("inline", INLINE, {"a": (), "b": ("a",)}, frozenset({1})),
    )
}
