"""Whole commands beside the physical limit and peers: what a user waits for."""

import random
import shutil

from bench import PEERS, PYTHON, Row, has_module, line, wide
from measure import alternate

PROCESS = ("--durability", "process")
DOIT_LINE = """def task_t():
    for i in range(1000):
        yield {'name': str(i), 'actions': ['true'], 'task_dep': [f't:{i - 1}'] if i else []}
"""


def echoes(count):
    return {"name": "echoes", "tasks": [{"name": f"t{i}", "echo": "hello"} for i in range(count)]}


def start_up(bench):
    click = bench.other(PYTHON, "-c", "import click")
    for option in ("--version", "--help"):
        bench.compare(
            option, bench.taskrun(option), {"import click": click}, {"import click": 1.3}, rounds=15
        )


def one_task(bench):
    path = bench.file("one.yaml", line(1))
    others = {}
    if has_module("doit"):
        bench.file("dodo.py", "def task_one():\n    return {'actions': ['true']}\n")
        others["doit"] = bench.other(PEERS, "-m", "doit", "-f", "dodo.py")
    if shutil.which("task"):
        bench.file("Taskfile.yml", "version: '3'\ntasks:\n  default:\n    silent: true\n    cmds: ['true']\n")
        others["go-task"] = bench.other("task")
    if shutil.which("make"):
        bench.file("Makefile", "one:\n\t@true; :\n")
        others["make"] = bench.other("make", "-s", "one")
    bench.compare(
        "one task, first sight of the file", bench.unseen("run", path), others, {"doit": 1.0}, rounds=11
    )
    goals = {"doit": 1.0, "go-task": 1.2}
    bench.compare("one task, seen before", bench.taskrun("run", path), others, goals, rounds=11)


def shell(bench):
    path, wide_path = bench.file("line.yaml", line(1000)), bench.file("wide.yaml", wide(1000))
    floor1, floor8 = bench.other(bench.floor, 1000, 1, "true"), bench.other(bench.floor, 1000, 8, "true")
    others, others8 = {"C loop": floor1}, {"C loop, 8": floor8}
    if shutil.which("make"):
        rules = "".join(f"t{i}: {f't{i - 1}' if i else ''}\n\t@true; :\n" for i in range(1000))
        bench.file("line.mk", "all: t999\n" + rules)
        others["make"] = bench.other("make", "-s", "-f", "line.mk", "all")
    if has_module("doit"):
        bench.file("line.py", DOIT_LINE)
        others["doit"] = bench.other(PEERS, "-m", "doit", "-f", "line.py")
    if shutil.which("task"):
        names = "".join(f"  t{i}:\n    silent: true\n    cmds: [/bin/true]\n" for i in range(1000))
        needs = ", ".join(f"t{i}" for i in range(1000))
        text = f"version: '3'\ntasks:\n  default:\n    silent: true\n    deps: [{needs}]\n{names}"
        bench.file("wide-tasks.yml", text)
        others8["go-task"] = bench.other("task", "--concurrency", 8, "--taskfile", "wide-tasks.yml")
    forward = ("run", path, "--jobs", 1)
    bench.compare("1,000 shell tasks in a line", bench.taskrun(*forward, *PROCESS), others, {"C loop": 1.5})
    bench.compare("the same, --durability full", bench.taskrun(*forward), {"C loop": floor1}, {"C loop": 1.7})
    aside = ("run", wide_path, "--jobs", 8)
    goals = {"C loop, 8": 1.7, "go-task": 1.0}
    bench.compare("1,000 shell tasks wide, 8 at a time", bench.taskrun(*aside, *PROCESS), others8, goals)
    bench.compare(
        "the same, --durability full", bench.taskrun(*aside), {"C loop, 8": floor8}, {"C loop, 8": 1.9}
    )


def graph(bench):
    """10,000 tasks that need up to three earlier ones each, the same for both."""
    if not shutil.which("ninja"):
        return
    chance = random.Random(7)
    needs = [[f"t{n}" for n in sorted(chance.sample(range(i), min(3, i)))] for i in range(10_000)]
    tasks = [
        {"name": f"t{i}", "run": "true", "revert": "none", **({"needs": found} if found else {})}
        for i, found in enumerate(needs)
    ]
    path = bench.file("graph.yaml", {"name": "graph", "pattern": "graph", "tasks": tasks})
    edges = "".join(f"build t{i}: r {' '.join(found)}\n" for i, found in enumerate(needs))
    bench.file("build.ninja", f"rule r\n  command = true\n{edges}")
    log = bench.folder / ".ninja_log"
    ninja = bench.other("ninja", "-j8", "--quiet", prepare=lambda: log.unlink(missing_ok=True))
    ours = bench.taskrun("run", path, "--jobs", 8, *PROCESS)
    bench.compare(
        "graph of 10,000 shell tasks, 8 at a time", ours, {"ninja": ninja}, {"ninja": 1.3}, rounds=3
    )


def sleeps(bench):
    path, empty = bench.file("sleeps.yaml", wide(100, "sleep 0.1")), bench.file("one.yaml", line(1))
    xargs = bench.other("sh", "-c", "seq 100 | xargs -P16 -I{} sleep 0.1")
    bench.compare(
        "100 x sleep 0.1, 16 at a time, start-up taken off",
        bench.taskrun("run", path, "--jobs", 16, *PROCESS),
        {"xargs -P16": xargs},
        {"xargs -P16": 1.05},
        without=bench.taskrun("run", empty, *PROCESS),
    )


def echo(bench):
    """A chain of tasks that need no process; what a run of one takes is taken off."""
    micros, memory = {}, {}
    empty = bench.taskrun("run", bench.file("echo1.yaml", echoes(1)), "--jobs", 1, *PROCESS)
    for count in (1_000, 10_000, 100_000):
        path = bench.file(f"echo{count}.yaml", echoes(count))
        ours = bench.taskrun("run", path, "--jobs", 1, *PROCESS)
        alternate({"ours": ours}, 1)  # from here on it has been seen
        found = alternate({"ours": ours, "empty": empty}, 3 if count < 100_000 else 1)
        micros[count] = (found["ours"].wall - found["empty"].wall) / count * 1e6
        memory[count] = found["ours"].memory
        bench.note(f"{count:,} echo tasks in a line", micros[count], "us a task", 150)
        goal = {1_000: 60, 100_000: 400}.get(count)
        bench.note(f"{count:,} echo tasks, peak memory", memory[count], "MB", goal)
    bench.note("echo: 100,000 beside 10,000", micros[100_000] / micros[10_000], "x", 1.3)
    bench.curves["echo, us a task"] = micros
    bench.curves["peak memory, MB"] = memory


def python(bench):
    """A chain of Python attempts that do nothing; what it takes until one that is up can be forked is taken off."""
    counts = {count: {"name": "line", "tasks": pythons(count)} for count in (10, 510)}
    ours = {
        count: bench.taskrun("run", bench.file(f"python{count}.yaml", text), "--jobs", 1, *PROCESS)
        for count, text in counts.items()
    }
    alternate(ours, 1)  # from here on they have been seen
    found = alternate(ours, bench.rounds)
    bench.note("python tasks in a line", (found[510].wall - found[10].wall) / 500 * 1e3, "ms a task", 2)


def pythons(count):
    return [{"name": f"t{i}", "python": {"code": "pass"}, "revert": "none"} for i in range(count)]


def rollback(bench):
    good = bench.file("good.yaml", line(1000, "true", "true"))
    bad = line(1000, "true", "true")
    bad["tasks"].append({"name": "stop", "fail": "now"})
    path = bench.file("bad.yaml", bad)
    bench.compare(
        "1,000 shell tasks forward and back",
        bench.taskrun("run", path, "--jobs", 1, *PROCESS),
        {"forward only": bench.taskrun("run", good, "--jobs", 1, *PROCESS)},
        {"forward only": 2.1},
    )


def validate(bench):
    text = "name: many\ntasks:\n" + "".join(
        f"  - name: t{i}\n    run: echo {i}\n    revert: echo undo {i}\n" for i in range(10_000)
    )
    path = bench.file("many.yaml", text)
    code = f"import yaml; yaml.compose(open({path!r}), Loader=yaml.CSafeLoader)"
    compose = bench.other(PYTHON, "-c", code)
    bench.compare(
        "validate, 10,000 tasks",
        bench.taskrun("validate", path),
        {"yaml.compose": compose},
        {"yaml.compose": 2.0},
    )


def taskflow(bench):
    """A chain of nothing in the process of each, start-up taken off; once, as it takes a quarter of a minute there."""
    if not has_module("taskflow"):
        return
    ours, theirs = {}, {}
    for count in (1, 1_000):
        ours[count] = bench.taskrun(
            "run", bench.file(f"echo{count}.yaml", echoes(count)), "--jobs", 1, *PROCESS
        )
        theirs[count] = bench.other(PEERS, bench.script("flow.py"), count)
    alternate(ours, 1)  # from here on they have been seen
    mine, other = (
        found[1_000].wall - found[1].wall for found in (alternate(ours, bench.rounds), alternate(theirs, 1))
    )
    row = Row(
        "1,000 tasks of nothing", f"{mine:.3f} s", "taskflow", f"{other:.1f} s", mine / other, "x", 0.01
    )
    bench.add(row)
