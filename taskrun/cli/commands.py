"""The names of all commands, and what only the entry and the shell's completion have to know of them."""

COMPLETE = "_TASKRUN_COMPLETE"

# Name -> one line for the overview. A command is imported only when it is used.
COMMANDS = {
    "run": "Run a workflow; roll it back if a task fails.",
    "validate": "Check workflow files; tell all their mistakes at once.",
    "plan": "Show what a run would do, and how each of it is undone.",
    "states": "Show the states of a run's tasks; --watch follows it live.",
    "runs": "List the runs.",
    "resume": "Continue an interrupted, suspended or stopped run.",
    "revert": "Undo what a run has done.",
    "resolve": "Decide an unknown outcome, or settle an undo that failed.",
    "suspend": "Stop a run when what is running has ended.",
    "cancel": "Stop a run and roll it back.",
    "logs": "Show what the tasks of a run have printed.",
    "web": "Show the runs in a browser, live; stop, resume and revert them.",
    "report": "Write a report: HTML, Markdown, JSON, JUnit or a trace.",
    "rehearse": "Fail at every task in a scratch copy; check that all is undone.",
    "graph": "Draw a workflow, or a run with its states and its rollback.",
    "init": "Write a first workflow from a template.",
    "schema": "Print the JSON Schema of workflow files.",
    "explain": "Explain an error id.",
    "actions": "List the actions, or describe one.",
    "prune": "Delete old runs.",
    "config": "Show the settings, and where they come from.",
    "doctor": "Check what taskrun needs on this machine.",
    "completion": "Print the completion script of a shell.",
}

# What needs neither a supervisor nor a journal.
ANYWHERE = frozenset(
    ("validate", "plan", "graph", "init", "schema", "explain", "actions", "config", "doctor", "completion")
)
