"""The addresses of the page. Ids and names from a request are looked up in the journal; none becomes part of a path."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from json import JSONDecodeError

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from taskrun.errors import HeldError, NotFoundError, RefusedError, TaskrunError, UsageError
from taskrun.journal.base import RunRow
from taskrun.journal.ids import is_run_id
from taskrun.journal.sqlite import SqliteJournal
from taskrun.web import acting, assets, wishes
from taskrun.web.answers import ANSWERS, Asked, number
from taskrun.web.doors import Doors, Plain
from taskrun.web.folds import Folds
from taskrun.web.listing import is_held, runs, stands
from taskrun.web.reading import Reading
from taskrun.web.sessions import LASTS, Sessions
from taskrun.web.streaming import Stopping, list_events, run_events

_STATUS: Mapping[type[TaskrunError], int] = {
    NotFoundError: 404,
    UsageError: 400,
    HeldError: 409,
    RefusedError: 409,
}
_SIGNED_IN = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={to}">
<title>taskrun</title><p><a href="{to}">Go on</a></p></html>
"""
_USED_UP = (
    "This link was used already, or is of an earlier start. taskrun prints a new one each time one is used.\n"
)
Handler = Callable[[Request], Awaitable[Response]]


class Pages:
    """One server's answers."""

    def __init__(
        self,
        doors: Doors,
        sessions: Sessions,
        reading: Reading,
        stopping: Stopping,
        *,
        read_only: bool,
        used: Callable[[], None],
    ) -> None:
        self._doors = doors
        self._sessions = sessions
        self._reading = reading
        self._folds = Folds(doors)
        self._stopping = stopping
        self._read_only = read_only
        self._used = used
        self._assets = assets.load()

    def application(self) -> Starlette:
        routes = [
            Route("/", self.page),
            Route("/runs/{run}", self.page),
            Route("/static/{name}", self.asset),
            Route("/api/runs", self.runs),
            Route("/api/runs/live", self.runs_live),
            Route("/api/runs/{run}/live", self.run_live),
            Route("/api/runs/{run}/act", self.act, methods=["POST"]),
            *(Route(f"/api/runs/{{run}}{end}", self._of_run(end)) for end in ANSWERS),
        ]
        return Starlette(routes=routes, exception_handlers={TaskrunError: _refused, Exception: _broken})

    # ------------------------------------------------------------------ the page itself

    async def page(self, request: Request) -> Response:
        run = request.path_params.get("run")
        if run is not None and not is_run_id(run):
            return PlainTextResponse("there is no such run\n", 404)
        token = request.query_params.get("token")
        if token is None:
            return self._assets["index.html" if run is None else "run.html"].response()
        session = self._sessions.exchange(token)
        if session is None:
            return PlainTextResponse(_USED_UP, 403)
        answer = HTMLResponse(_SIGNED_IN.format(to="/" if run is None else f"/runs/{run}"))
        answer.set_cookie(
            self._sessions.cookie, session, max_age=LASTS, httponly=True, samesite="strict", path="/"
        )
        self._used()
        return answer

    async def asset(self, request: Request) -> Response:
        found = self._assets.get(request.path_params["name"])
        return PlainTextResponse("there is no such file\n", 404) if found is None else found.response()

    # ------------------------------------------------------------------ runs

    async def runs(self, _request: Request) -> Response:
        found = await self._reading(lambda journal: runs(journal, self._doors.home))
        return JSONResponse({"runs": found, "read_only": self._read_only, "home": self._doors.home})

    async def runs_live(self, _request: Request) -> Response:
        return _stream(list_events(self._reading, self._doors, self._stopping))

    async def run_live(self, request: Request) -> Response:
        row: RunRow = await self._reading(lambda journal: journal.run(_id(request)))
        known = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        return _stream(run_events(self._reading, self._doors, row.id, number(known), self._stopping))

    def _of_run(self, end: str) -> Handler:
        answer = ANSWERS[end]

        async def handler(request: Request) -> Response:
            def found(journal: SqliteJournal) -> Plain:
                with self._folds.of(journal, _id(request)) as fold:
                    asked = Asked(self._doors, journal, fold, request.query_params, self._read_only)
                    told = answer(asked)
                return told() if callable(told) else told

            return JSONResponse(await self._reading(found))

        return handler

    async def act(self, request: Request) -> Response:
        body = await _body(request)
        wish, seq = wishes.wish_of(body), body.get("seq")

        def done(journal: SqliteJournal) -> Plain:
            with self._folds.of(journal, _id(request)) as (row, definition, shown, _):
                driven, standing = is_held(self._doors.home, row.id), stands(self._doors.home, row)
                wishes.check(row, definition, shown, wish, standing, driven=driven)
                changes = self._doors.changes(row) if wish.file else None
                wishes.check_complete(wish, changes, body.get("seen"))
                if not driven and seq != shown.seq:
                    raise RefusedError("the run has moved on since you looked: look again")
                last = shown.seq
            return acting.carry_out(self._doors, journal, row, last, wish)

        return JSONResponse(await self._reading(done))


def _id(request: Request) -> str:
    """An id as it could be; whether there is such a run the journal knows."""
    given = str(request.path_params["run"])
    if not is_run_id(given):
        raise NotFoundError("there is no such run")
    return given


async def _body(request: Request) -> Plain:
    try:
        found = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError("that is no JSON") from error
    if not isinstance(found, dict):
        raise UsageError("an object is wanted")
    return found


def _stream(events: AsyncIterator[str]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TaskrunError)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    return JSONResponse({"error": error.message, "hint": error.hint}, status)


async def _broken(_request: Request, error: Exception) -> Response:
    """A bug: its kind is told, not what it carries, which may be anything."""
    return JSONResponse({"error": f"this is a bug in taskrun: {type(error).__name__}"}, 500)
