"""Long campaigns, run by hand and not by the test command: see each module's docstring."""
