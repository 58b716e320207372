"""TR9xx: files of settings (``taskrun.toml``, ``[tool.taskrun]``, the user's ``config.toml``)."""

from taskrun.spec.catalog.entry import Entry

ENTRIES: dict[str, Entry] = {
    "TR901": Entry(
        "settings that are no TOML",
        "A file of settings is written in TOML: `name = value`, and text in quotes.",
        "durability = process\n",
        'durability = "process"\n',
    ),
    "TR902": Entry(
        "unknown setting",
        "There is no such setting. `taskrun config show` lists them all.",
        "job = 4\n",
        "jobs = 4\n",
    ),
    "TR903": Entry(
        "setting with a value it cannot have",
        "A setting takes what its option takes; numbers and true or false are written without quotes.",
        'jobs = "four"\n',
        "jobs = 4\n",
    ),
    "TR904": Entry(
        "setting that belongs to the user",
        "Where the state of runs is kept holds for all projects of a user. If a project could move it, "
        "`taskrun states` and `taskrun resume`, typed in another folder, would not find the run.",
        'home = "state"  # in taskrun.toml\n',
        'home = "/srv/taskrun"  # in the file that `taskrun config path` names\n',
    ),
}
