"""What taskrun says about its own work, for somebody who looks for a mistake: nothing, until ``-v`` or ``--log-file`` asks.

Whoever has something to say asks first whether anybody listens, so that it costs nothing otherwise:

    if debugging.listeners:
        debugging.say("spawn", f"{key} in {cwd}")
"""

from collections.abc import Callable

listeners: list[Callable[[str, str], None]] = []
on_stderr = [False]
masks: list[Callable[[str], str]] = []  # of the secrets that are known by now


def say(where: str, text: str) -> None:
    """One thing that happened, in the part of taskrun that ``where`` names."""
    for mask in masks:
        text = mask(text)
    for listener in tuple(listeners):
        listener(where, text)
