"""Which run a person means by what they typed, and what to say when there is none."""

from collections.abc import Sequence

from taskrun.errors import NotFoundError

LATEST = "latest"
SHOWN = 8


def choose(given: str, matches: Sequence[str], recent: Sequence[str]) -> str:
    """The one id of ``matches`` (ids that start with ``given``), or a NotFoundError that helps.

    ``recent`` are existing ids, newest first: the first is what ``latest`` means.
    """
    if not recent:
        raise NotFoundError("there is no run yet", hint="make a first one: taskrun run FILE")
    if given == LATEST:
        return recent[0]
    if given in matches:
        return given
    if len(matches) == 1:
        return matches[0]
    if matches:
        more = ", ..." if len(matches) > SHOWN else ""
        raise NotFoundError(
            f"{given!r} fits several runs: {', '.join(matches[:SHOWN])}{more}", hint="give more of the id"
        )
    raise not_found(given, recent)


def not_found(given: str, recent: Sequence[str]) -> NotFoundError:
    import difflib  # noqa: PLC0415 - only for this message

    near = difflib.get_close_matches(given, recent, n=3, cutoff=0.7)
    if near:
        return NotFoundError(f"there is no run {given!r}", hint=f"did you mean {' or '.join(near)}?")
    newest = ", ".join(recent[:3])
    return NotFoundError(
        f"there is no run {given!r}",
        hint=f"the newest are {newest}; `taskrun runs` lists all" if recent else None,
    )
