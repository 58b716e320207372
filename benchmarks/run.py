"""Measures taskrun beside the physical limit and its peers, in one go, and writes docs/performance.md.

    python benchmarks/run.py [--rounds 5] [--only NAME] [--write]

It wants a quiet machine, a C compiler, and, where they are to be had, make, ninja, doit and taskflow (the last two in the
environment of PEERS=/path/to/python). taskrun is taken from TASKRUN=/path/to/taskrun, else from the environment this runs in.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from measure import alternate

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TASKRUN = os.environ.get("TASKRUN") or str(pathlib.Path(sys.executable).with_name("taskrun"))
PEERS = os.environ.get("PEERS") or sys.executable


class Bench:
    """One scratch folder, the files in it, and rows (what, ours, the other's name, the other's, ratio, goal)."""

    def __init__(self, folder, rounds):
        self.folder = pathlib.Path(folder)
        self.rounds = rounds
        self.rows = []
        self.floor = str(self.folder / "floor")
        subprocess.run(["cc", "-O2", "-o", self.floor, str(HERE / "floor.c")], check=True)
        self.env = {**os.environ, "TASKRUN_HOME": str(self.folder / "home")}

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)

    def taskrun(self, *args):
        return ([TASKRUN, *map(str, args)], str(self.folder), self.env, None)

    def other(self, *argv, env=None, prepare=None):
        return ([*map(str, argv)], str(self.folder), env or dict(os.environ), prepare)

    def compare(self, what, ours, others, goal=None, against=None, field="wall", rounds=None):
        """``goal``: at most this times ``against``."""
        found = alternate({"taskrun": ours, **others}, rounds or self.rounds)
        mine = getattr(found["taskrun"], field)
        for name in others:
            theirs = getattr(found[name], field)
            row = (what, mine, name, theirs, mine / theirs, goal if name == against else None)
            self.rows.append(row)
            self.show(row)
        return found

    def note(self, what, value, unit, goal):
        row = (what, value, unit, None, None, goal)
        self.rows.append(row)
        self.show(row)

    @staticmethod
    def show(row):
        what, mine, name, theirs, ratio, goal = row
        if theirs is None:
            print(f"{what:44} {mine:9.3f} {name:22} goal {goal}", flush=True)
        else:
            text = f"{what:44} {mine:9.3f} s  {name:14} {theirs:9.3f} s  ratio {ratio:6.2f}"
            print(text + (f"  goal {goal}" if goal else ""), flush=True)


def line(count, run="true", revert="none"):
    return {"name": "line", "tasks": [{"name": f"t{i}", "run": run, "revert": revert} for i in range(count)]}


def wide(count, run="true"):
    return {**line(count, run), "pattern": "unordered"}


def echoes(count):
    return {"name": "echoes", "tasks": [{"name": f"t{i}", "echo": "hello"} for i in range(count)]}


def start_up(bench):
    click = bench.other(sys.executable, "-c", "import click")
    bench.compare(
        "--version", bench.taskrun("--version"), {"import click": click}, 1.3, "import click", rounds=15
    )
    bench.compare("--help", bench.taskrun("--help"), {"import click": click}, 1.3, "import click", rounds=15)


def one_task(bench):
    path = bench.file("one.yaml", line(1))
    others = {}
    if has_module("doit"):
        bench.file("dodo.py", "def task_one():\n    return {'actions': ['true']}\n")
        others["doit"] = bench.other(PEERS, "-m", "doit", "-f", "dodo.py")
    if shutil.which("make"):
        bench.file("Makefile", "one:\n\t@true; :\n")
        others["make"] = bench.other("make", "-s", "one")
    fresh = (
        *bench.taskrun("run", path)[:3],
        lambda: shutil.rmtree(bench.folder / "home" / "cache", ignore_errors=True),
    )
    bench.compare("one task, first sight of the file", fresh, others, 1.0, "doit", rounds=11)
    bench.compare("one task, seen before", bench.taskrun("run", path), others, rounds=11)


def shell(bench):
    path, wide_path = bench.file("line.yaml", line(1000)), bench.file("wide.yaml", wide(1000))
    floor1, floor8 = bench.other(bench.floor, 1000, 1, "true"), bench.other(bench.floor, 1000, 8, "true")
    others = {"C loop": floor1}
    if shutil.which("make"):
        bench.file(
            "line.mk",
            "all: t999\n" + "".join(f"t{i}: {f't{i - 1}' if i else ''}\n\t@true; :\n" for i in range(1000)),
        )
        others["make"] = bench.other("make", "-s", "-f", "line.mk", "all")
    if has_module("doit"):
        bench.file(
            "line.py",
            "def task_t():\n    for i in range(1000):\n        yield {'name': str(i), 'actions': ['true'], 'task_dep': [f't:{i-1}'] if i else []}\n",
        )
        others["doit"] = bench.other(PEERS, "-m", "doit", "-f", "line.py")
    bench.compare(
        "1,000 shell tasks in a line",
        bench.taskrun("run", path, "--jobs", 1, "--durability", "process"),
        others,
        1.5,
        "C loop",
    )
    bench.compare(
        "the same, --durability full",
        bench.taskrun("run", path, "--jobs", 1),
        {"C loop": floor1},
        1.7,
        "C loop",
    )
    bench.compare(
        "1,000 shell tasks wide, 8 at a time",
        bench.taskrun("run", wide_path, "--jobs", 8, "--durability", "process"),
        {"C loop, 8": floor8},
        1.7,
        "C loop, 8",
    )
    bench.compare(
        "the same, --durability full",
        bench.taskrun("run", wide_path, "--jobs", 8),
        {"C loop, 8": floor8},
        1.9,
        "C loop, 8",
    )


def graph(bench):
    chance = random.Random(7)
    needs = [sorted(chance.sample(range(i), min(3, i))) for i in range(10_000)]
    tasks = [
        {
            "name": f"t{i}",
            "run": "true",
            "revert": "none",
            **({"needs": [f"t{n}" for n in needs[i]]} if needs[i] else {}),
        }
        for i in range(10_000)
    ]
    path = bench.file("graph.yaml", {"name": "graph", "pattern": "graph", "tasks": tasks})
    ours = bench.taskrun("run", path, "--jobs", 8, "--durability", "process")
    if not shutil.which("ninja"):
        return
    text = "rule r\n  command = true\n" + "".join(
        f"build t{i}: r {' '.join(f't{n}' for n in needs[i])}\n" for i in range(10_000)
    )
    bench.file("build.ninja", text)
    ninja = bench.other(
        "ninja", "-j8", "--quiet", prepare=lambda: (bench.folder / ".ninja_log").unlink(missing_ok=True)
    )
    bench.compare("graph of 10,000 shell tasks, 8 at a time", ours, {"ninja": ninja}, 1.3, "ninja", rounds=3)


def sleeps(bench):
    path = bench.file("sleeps.yaml", wide(100, "sleep 0.1"))
    xargs = bench.other("sh", "-c", "seq 100 | xargs -P16 -I{} sleep 0.1")
    bench.compare(
        "100 x sleep 0.1, 16 at a time",
        bench.taskrun("run", path, "--jobs", 16, "--durability", "process"),
        {"xargs -P16": xargs},
        1.05,
        "xargs -P16",
    )


def echo(bench):
    for count in (1_000, 10_000, 100_000):
        path = bench.file(f"echo{count}.yaml", echoes(count))
        ours = bench.taskrun("run", path, "--jobs", 1, "--durability", "process")
        empty = bench.taskrun(
            "run", bench.file("echo1.yaml", echoes(1)), "--jobs", 1, "--durability", "process"
        )
        found = alternate({"ours": ours, "empty": empty}, 3 if count < 100_000 else 1)
        per = (found["ours"].wall - found["empty"].wall) / count * 1e6
        bench.note(f"{count:,} echo tasks in a line", per, "microseconds a task", 150)
        bench.note(
            f"{count:,} echo tasks, memory",
            found["ours"].memory,
            "MB",
            {1_000: 60, 100_000: 400}.get(count, ""),
        )


def rollback(bench):
    good = bench.file("good.yaml", line(1000, "true", "true"))
    bad = line(1000, "true", "true")
    bad["tasks"].append({"name": "stop", "fail": "now"})
    path = bench.file("bad.yaml", bad)
    forward = bench.taskrun("run", good, "--jobs", 1, "--durability", "process")
    bench.compare(
        "rollback of 1,000 shell tasks, forward run included",
        bench.taskrun("run", path, "--jobs", 1, "--durability", "process"),
        {"forward": forward},
        2.1,
        "forward",
    )


def validate(bench):
    tasks = [{"name": f"t{i}", "run": f"echo {i}", "revert": f"echo undo {i}"} for i in range(10_000)]
    text = "name: many\ntasks:\n" + "".join(
        f"  - name: {t['name']}\n    run: {t['run']}\n    revert: {t['revert']}\n" for t in tasks
    )
    path = bench.file("many.yaml", text)
    compose = bench.other(
        sys.executable, "-c", f"import yaml; yaml.compose(open({path!r}), Loader=yaml.CSafeLoader)"
    )
    bench.compare(
        "validate, 10,000 tasks",
        bench.taskrun("validate", path),
        {"yaml.compose": compose},
        2.0,
        "yaml.compose",
    )


def has_module(name):
    return subprocess.run([PEERS, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


PARTS = {f.__name__: f for f in (start_up, one_task, shell, graph, sleeps, echo, rollback, validate)}


def table(rows):
    out = ["| what | taskrun | beside | theirs | ratio | goal |", "|---|---|---|---|---|---|"]
    for what, mine, name, theirs, ratio, goal in rows:
        if theirs is None:
            out.append(f"| {what} | {mine:.0f} {name} | | | | {f'at most {goal}' if goal else ''} |")
        else:
            verdict = "" if goal is None else f"at most {goal}: " + ("met" if ratio <= goal else "**missed**")
            out.append(f"| {what} | {mine:.3f} s | {name} | {theirs:.3f} s | {ratio:.2f} | {verdict} |")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, args.rounds)
        for name, part in PARTS.items():
            if not args.only or name in args.only:
                part(bench)
    if args.write:
        page = ROOT / "docs" / "performance.md"
        before, mark, rest = page.read_text().partition("<!-- table -->\n")
        after = rest.partition("<!-- /table -->")[2]
        page.write_text(f"{before}{mark}{table(bench.rows)}<!-- /table -->{after}")


if __name__ == "__main__":
    main()
