"""The addresses of the page. Ids and names from a request are looked up in the journal; none becomes part of a path."""

from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from taskrun.engine.view import Row
from taskrun.errors import HeldError, NotFoundError, RefusedError, TaskrunError, UsageError
from taskrun.journal.base import Entry, RunRow
from taskrun.journal.codec import event_dict
from taskrun.journal.home import run_dir
from taskrun.journal.ids import is_run_id
from taskrun.journal.sqlite import SqliteJournal
from taskrun.web import acting, assets, output, previews
from taskrun.web.doors import Doors, Plain
from taskrun.web.levels import graph
from taskrun.web.listing import is_held, runs, stands
from taskrun.web.reading import Reading
from taskrun.web.safe import Safe
from taskrun.web.sessions import LASTS, Sessions
from taskrun.web.shown import Shown
from taskrun.web.source import source
from taskrun.web.streaming import Stopping, list_events, run_events

EVENTS = 2000  # in one answer
LAST_LINES = 12
WITH_OUTPUTS = 200  # tasks in one answer
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
        self._stopping = stopping
        self._read_only = read_only
        self._used = used
        self._assets = assets.load()

    def application(self) -> Starlette:
        of_run = {
            "": self.run,
            "/live": self.run_live,
            "/events": self.events,
            "/graph": self.graph,
            "/source": self.source,
            "/outputs": self.outputs,
            "/task": self.task,
            "/output": self.output,
            "/last": self.last,
            "/search": self.search,
            "/preview": self.preview,
        }
        routes = [
            Route("/", self.page),
            Route("/runs/{run}", self.page),
            Route("/static/{name}", self.asset),
            Route("/api/runs", self.runs),
            Route("/api/runs/live", self.runs_live),
            *(Route(f"/api/runs/{{run}}{end}", answer) for end, answer in of_run.items()),
            Route("/api/runs/{run}/act", self.act, methods=["POST"]),
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

    # ------------------------------------------------------------------ the list

    async def runs(self, _request: Request) -> Response:
        found = await self._reading(lambda journal: runs(journal, self._doors.home))
        return JSONResponse({"runs": found, "read_only": self._read_only, "home": self._doors.home})

    async def runs_live(self, _request: Request) -> Response:
        return _stream(list_events(self._reading, self._doors, self._stopping))

    # ------------------------------------------------------------------ one run

    async def run(self, request: Request) -> Response:
        def found(journal: SqliteJournal) -> Plain:
            row, definition, shown, safe = self._shown(journal, request)
            driven = is_held(self._doors.home, row.id)
            plain: Plain = safe(
                {
                    "run": shown.run(row, stands(self._doors.home, row), driven=driven),
                    "rows": shown.rows(),
                    "inputs": _inputs(definition, row),
                    "secrets": sorted(definition.get("secrets", ())),
                    "savepoints": [t["name"] for t in definition["tasks"] if t["kind"] == "savepoint"],
                    "description": definition.get("description"),
                    "unreadable": safe.unknown,
                    "read_only": self._read_only,
                }
            )
            return plain

        return JSONResponse(await self._reading(found))

    async def run_live(self, request: Request) -> Response:
        run_id = await self._id(request)
        known = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        seq = _number(known)
        return _stream(run_events(self._reading, self._doors, run_id, seq, self._stopping))

    async def events(self, request: Request) -> Response:
        after = _number(request.query_params.get("after", "0"))

        def found(journal: SqliteJournal) -> Plain:
            row, safe = self._safe(journal, request)
            entries = journal.entries(row.id, after=after, limit=EVENTS)
            events = safe([event_dict(row.id, entry) for entry in entries])
            return {"events": events, "more": len(entries) == EVENTS}

        return JSONResponse(await self._reading(found))

    async def graph(self, request: Request) -> Response:
        def found(journal: SqliteJournal) -> Plain:
            row = _row(journal, request)
            state = stands(self._doors.home, row)
            return graph(journal.definition(row.id), row.id, journal.entries(row.id), state)

        return JSONResponse(await self._reading(found))

    async def source(self, request: Request) -> Response:
        def found(journal: SqliteJournal) -> Plain:
            row, definition, shown, safe = self._shown(journal, request)
            return source(run_dir(self._doors.home, row.id), row, definition, shown.view, safe)

        return JSONResponse(await self._reading(found))

    async def outputs(self, request: Request) -> Response:
        def found(journal: SqliteJournal) -> Plain:
            _, _, shown, safe = self._shown(journal, request)
            rows = [row for row in shown.view.rows if row.outputs]
            tasks = [[row.name, dict(row.outputs or {})] for row in rows[:WITH_OUTPUTS]]
            return {"tasks": safe(tasks), "more": len(rows) > WITH_OUTPUTS}

        return JSONResponse(await self._reading(found))

    # ------------------------------------------------------------------ one task

    async def task(self, request: Request) -> Response:
        def found(journal: SqliteJournal) -> Plain:
            row, _, shown, safe = self._shown(journal, request)
            task = _task(shown, request)
            files = [] if safe.unknown else output.outputs(run_dir(self._doors.home, row.id), task)
            plain: Plain = safe({**_about(task), "files": files, "unreadable": safe.unknown})
            return plain

        return JSONResponse(await self._reading(found))

    async def output(self, request: Request) -> Response:
        asked = request.query_params
        places = {key: _number(asked[key]) for key in output.Wanted._fields if key in asked}

        def of(directory: str, task: Row, safe: Safe) -> Plain:
            return output.window(directory, task, asked.get("file", ""), safe, output.Wanted(**places))

        return JSONResponse(await self._of_output(request, of))

    async def last(self, request: Request) -> Response:
        """The last lines of its last attempt."""

        def of(directory: str, task: Row, safe: Safe) -> Plain:
            files = [each for each in output.outputs(directory, task) if not each["id"].startswith("undo-")]
            if not files:
                return {"lines": []}
            text = output.window(directory, task, files[-1]["id"], safe, output.Wanted())["text"]
            return {"lines": text.rstrip().split("\n")[-LAST_LINES:]}

        return JSONResponse(await self._of_output(request, of))

    async def search(self, request: Request) -> Response:
        asked = request.query_params

        def of(directory: str, task: Row, safe: Safe) -> Plain:
            return output.search(directory, task, asked.get("file", ""), safe, asked.get("text", ""))

        return JSONResponse(await self._of_output(request, of))

    async def _of_output(self, request: Request, of: Callable[[str, Row, Safe], Plain]) -> Plain:
        def found(journal: SqliteJournal) -> Plain:
            row, _, shown, safe = self._shown(journal, request)
            if safe.unknown:
                raise RefusedError(f"not shown: it may hold secrets that cannot be read here: {safe.unknown}")
            return of(run_dir(self._doors.home, row.id), _task(shown, request), safe)

        return await self._reading(found)

    # ------------------------------------------------------------------ wishes

    async def preview(self, request: Request) -> Response:
        wish = previews.wish_of(dict(request.query_params))

        def found(journal: SqliteJournal) -> Plain:
            row, definition, shown, safe = self._shown(journal, request)
            driven = is_held(self._doors.home, row.id)
            state = stands(self._doors.home, row)
            plain: Plain = safe(
                previews.preview(self._doors, row, definition, shown, wish, state, driven=driven)
            )
            return plain

        return JSONResponse(await self._reading(found))

    async def act(self, request: Request) -> Response:
        body = await _body(request)
        wish, seq = previews.wish_of(body), body.get("seq")
        run_id = await self._id(request)

        def done(journal: SqliteJournal) -> Plain:
            row, definition, shown, _ = self._shown(journal, request)
            driven = is_held(self._doors.home, row.id)
            state = stands(self._doors.home, row)
            previews.check(row, definition, shown, wish, state, driven=driven)
            previews.check_complete(wish)
            if not driven and seq != shown.seq:
                raise RefusedError("the run has moved on since you looked: look again")
            return acting.carry_out(self._doors, journal, row, wish)

        answer = await self._reading(done)
        return JSONResponse({**answer, "run": run_id})

    # ------------------------------------------------------------------ what they share

    async def _id(self, request: Request) -> str:
        row: RunRow = await self._reading(lambda journal: _row(journal, request))
        return row.id

    def _safe(self, journal: SqliteJournal, request: Request) -> tuple[RunRow, Safe]:
        row = _row(journal, request)
        return row, Safe(self._doors, journal.definition(row.id))

    def _shown(self, journal: SqliteJournal, request: Request) -> tuple[RunRow, Plain, Shown, Safe]:
        row = _row(journal, request)  # before its entries: of a run that has ended, these are all
        definition = journal.definition(row.id)
        shown = Shown(definition)
        entries: list[Entry] = journal.entries(row.id)
        shown.fold(entries)
        return row, definition, shown, Safe(self._doors, definition)


def _row(journal: SqliteJournal, request: Request) -> RunRow:
    given = str(request.path_params["run"])
    if not is_run_id(given):
        raise NotFoundError("there is no such run")
    return journal.run(given)


def _task(shown: Shown, request: Request) -> Row:
    name = request.query_params.get("name", "")
    row = shown.view.index.get(name)
    if row is None:
        raise NotFoundError("the run has no such task")
    return row


def _inputs(definition: Plain, row: RunRow) -> Plain:
    """Those that somebody can give; fixed ones are the file's own."""
    declared = definition.get("inputs", {})
    return {name: value for name, value in row.inputs.items() if not declared.get(name, {}).get("fixed")}


def _about(row: Row) -> Plain:
    return {
        "name": row.name,
        "state": row.state,
        "outputs": dict(row.outputs or {}),
        "message": row.message,
        "failure": dict(row.failure) if row.failure else None,
        "undo_failure": dict(row.revert_failure) if row.revert_failure else None,
        "given_up": row.given_up,
        "reason": row.reason,
    }


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise UsageError("a number is wanted")
    return int(text)


async def _body(request: Request) -> Plain:
    try:
        found = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError("that is no JSON") from error
    if not isinstance(found, dict):
        raise UsageError("an object is wanted")
    return found


def _stream(events: Any) -> Response:
    return StreamingResponse(events, media_type="text/event-stream")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TaskrunError)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    return JSONResponse({"error": error.message, "hint": error.hint}, status)


async def _broken(_request: Request, error: Exception) -> Response:
    """A bug: its kind is told, not what it carries, which may be anything."""
    return JSONResponse({"error": f"this is a bug in taskrun: {type(error).__name__}"}, 500)
