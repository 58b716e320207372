"""The same kills on other tools that promise to go on after a crash; see `kill.py` here."""
