"""A report as one HTML page: no script, nothing loaded from anywhere, light or dark as the reader's system is."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from json import dumps
from typing import Any

from taskrun.listeners.report.timeline import STYLE as TIMELINE_STYLE
from taskrun.listeners.report.timeline import timeline
from taskrun.listeners.words import counted, duration, why

Plain = Mapping[str, Any]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --text: #1c1e21; --soft: #63676d; --back: #ffffff; --area: #f4f5f7; --line: #dcdfe3;
  --good: #1a7f37; --bad: #b3261e; --warn: #8a5a00; --undo: #7a3e9d; --busy: #0a6c8c; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e6e8; --soft: #9da2a8; --back: #16181b; --area: #202327;
  --line: #363a3f; --good: #57c46e; --bad: #ff8a80; --warn: #e5b454; --undo: #cf9bea; --busy: #67c6e3; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); } .wrap { overflow-x: auto; }
code, pre { font: .88em/1.5 ui-monospace, monospace; }
pre { background: var(--area); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; margin: .4rem 0 1rem;
  overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { margin: .3rem 0; padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; } td.words { overflow-wrap: anywhere; }
.state { font-weight: 600; white-space: nowrap; }
.SUCCESS { color: var(--good); } .FAILURE, .REVERT_FAILURE { color: var(--bad); }
.REVERTED, .REVERTING { color: var(--undo); } .UNKNOWN, .RETRYING, .SUSPENDED, .INTERRUPTED { color: var(--warn); }
.RUNNING, .RESUMING { color: var(--busy); } .PENDING, .IGNORE { color: var(--soft); }
.needed { border-left: 4px solid var(--warn); margin: 1.5rem 0; padding: .1rem 0 .1rem 1rem; }
.needed h2 { margin-top: .4rem; } pre code { font-size: 1em; } footer { margin-top: 2.5rem; }
"""


def page(report: Plain) -> str:
    title = f"{report['state']}: {report['name']}"
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}{TIMELINE_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
    ]
    return "\n".join([*head, *_body(report), "</main>", "</body>", "</html>", ""])


def _body(report: Plain) -> Iterator[str]:
    yield f"<h1>{_state(report['state'])} {escape(report['name'])}</h1>"
    yield f"<p>{escape(report['outcome'][:1].upper() + report['outcome'][1:])}.</p>"
    code = "" if report["exit_code"] is None else f", exit code {report['exit_code']}"
    yield (
        f'<p class="soft">Run <code>{escape(report["run"])}</code>, {counted(len(report["tasks"]), "task")},'
        f" {escape(duration(report['seconds']))}, started {escape(_moment(report['started']))}{code}</p>"
    )
    yield from _commands("Needs you", "needed", [c for c in report["commands"] if c["needed"]])
    yield from _failures("Failed", report["failures"])
    yield from _failures("Not undone", report["not_undone"])
    for title, key in (
        ("Residue: found by the checks after the rollback", "residue"),
        ("Still applied", "applied"),
        ("Unknown", "unknown"),
        ("Waits for an approval", "unapproved"),
        ("No undo is declared", "no_undo_declared"),
        ("Undone, in this order", "undone"),
        ("Warnings", "warnings"),
    ):
        yield from _list(title, report[key])
    yield from _tasks(report["tasks"])
    yield from timeline(report)
    yield from _inputs(report)
    yield from _commands("Next", "", [c for c in report["commands"] if not c["needed"]])
    yield f'<footer class="soft">{escape(report["file"])}, taskrun {escape(report["version"])}</footer>'


def _commands(title: str, style: str, commands: Sequence[Plain]) -> Iterator[str]:
    if not commands:
        return
    yield f'<section class="{style}">' if style else "<section>"
    yield f"<h2>{title}</h2>"
    for each in commands:
        yield f"<p>{escape(each['purpose'])}</p><pre><code>{escape(each['command'])}</code></pre>"
    yield "</section>"


def _failures(title: str, failures: Sequence[Plain]) -> Iterator[str]:
    if failures:
        yield f"<h2>{title}</h2>"
    for each in failures:
        reason = each["reason"] or why(each["failure"])
        allowed = " (allowed)" if each["allowed"] else ""
        yield f"<p><strong>{escape(each['task'])}</strong> {escape(reason)}{allowed}</p>"
        if each["given_up"] is not None:
            yield f'<p class="soft">Given up: {escape(each["given_up"])}</p>'
        if each["output"]:
            yield f"<pre>{escape(chr(10).join(each['output']))}</pre>"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"<h2>{title}</h2>"
        yield "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _tasks(tasks: Sequence[Plain]) -> Iterator[str]:
    yield '<h2>Tasks</h2>\n<div class="wrap">\n<table>'
    yield "<thead><tr><th>State</th><th>Task</th><th>Tries</th><th>Time</th><th>Undo</th><th></th></tr></thead>\n<tbody>"
    for task in tasks:
        about = why(task["undo_failure"]) or why(task["failure"]) or task["message"] or ""
        took = duration(task["seconds"]) if task["attempts"] else ""
        undo = duration(task["undo_seconds"]) if task["undo_seconds"] else ""
        indent = f' style="padding-left: {task["depth"] * 1.2:g}rem"' if task["depth"] else ""
        yield (
            f"<tr><td>{_state(task['state'])}</td><td{indent}>{escape(task['name'])}</td>"
            f'<td class="number">{task["attempts"] or ""}</td><td class="number">{escape(took)}</td>'
            f'<td class="number">{escape(undo)}</td><td class="words">{escape(about)}</td></tr>'
        )
    yield "</tbody>\n</table>\n</div>"


def _inputs(report: Plain) -> Iterator[str]:
    if report["inputs"]:
        yield "<h2>Inputs</h2>"
        yield f"<pre>{escape(dumps(report['inputs'], indent=2, ensure_ascii=False))}</pre>"


def _moment(timestamp: str) -> str:
    return timestamp[:19].replace("T", " ") + " UTC"


def _state(state: str) -> str:
    return f'<span class="state {escape(state)}">{escape(state)}</span>'
