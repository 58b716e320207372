"""The report of one run, for people and programs that were not there: see ``facts`` for what is in it."""
