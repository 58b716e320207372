"""The parts of the loader, from bytes to values; its door is ``taskrun.spec.loader``."""
