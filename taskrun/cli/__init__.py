"""The command line: one module per command, one place that turns errors into messages and exit codes."""
