"""taskrun: YAML workflows that run like a database transaction, undone in reverse when a task fails."""

__version__ = "0.1.0"
