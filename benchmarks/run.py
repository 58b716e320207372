"""Measures taskrun beside the physical limit and its peers, in one go, and writes docs/performance.md.

    python benchmarks/run.py [--rounds 5] [--only NAME] [--write]

It wants a machine that has been quiet for some minutes (ext4 takes up to twenty times as long to make a file where many
were deleted just before), a C compiler, and, where they are to be had, make, ninja, go-task (`task`), doit and taskflow (the
last two in the environment of PEERS=/path/to/python). taskrun is taken from TASKRUN=/path/to/taskrun, else from the
environment this runs in. With --write the table and the picture of the growth are put into docs/; what is said there of goals
that are missed is written by hand, below the table.
"""

import argparse
import tempfile

import parts
import whole
from bench import ROOT, Bench
from picture import picture

PARTS = {
    part.__name__: part
    for part in (
        whole.start_up,
        whole.one_task,
        whole.validate,
        whole.shell,
        whole.graph,
        whole.sleeps,
        whole.echo,
        whole.python,
        whole.rollback,
        parts.machine,
        parts.journal,
        parts.table,
        parts.watch,
        whole.taskflow,
    )
}


def table(rows):
    out = ["| what | taskrun | beside | theirs | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        ratio = f"{row.measured:.3g}" if row.other else ""
        goal = "" if row.goal is None else f"at most {row.goal:g}"
        out.append(
            f"| {row.what} | {row.ours} | {row.other} | {row.theirs} | {ratio} | {goal} | {row.verdict} |"
        )
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--write", action="store_true", help="put the table and the picture into docs/")
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
        if bench.curves:
            (ROOT / "docs" / "pictures" / "growth.svg").write_text(picture(bench.curves))
    missed = [row.what for row in bench.rows if row.verdict == "**missed**"]
    print(f"{len(missed)} goals missed" + "".join(f"\n  {what}" for what in missed))


if __name__ == "__main__":
    main()
