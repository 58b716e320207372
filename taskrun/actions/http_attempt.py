"""One attempt of the action ``http``, from its fields to its result: send, follow redirects, judge."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

import requests
from urllib3 import disable_warnings
from urllib3.exceptions import InsecureRequestWarning

from taskrun import debugging
from taskrun.actions.base import Context, Result, UnexpectedResultError
from taskrun.actions.http import SAFE
from taskrun.actions.http_answer import AnswerValues, read_body, status_text
from taskrun.actions.http_connection import GuardedAdapter
from taskrun.actions.http_exchange import Exchange
from taskrun.actions.http_failure import failure_of
from taskrun.actions.http_options import Options, options_of, shown_url
from taskrun.actions.http_redirect import follow
from taskrun.actions.http_request import prepare
from taskrun.errors import ActionError

EXCERPT = 500  # characters of an unexpected answer in the log


def attempt(fields: Mapping[str, Any], context: Context) -> Result:
    """Raises ActionError for every failure there is; nothing else is meant to leave it."""
    options = options_of(fields, context)
    with requests.Session() as session, Exchange(options) as exchange:
        session.trust_env = False
        request = prepare(session, fields, context)
        session.mount("http://", GuardedAdapter(exchange))
        session.mount("https://", GuardedAdapter(exchange))
        if context.aborts is not None:
            context.aborts.append(exchange.abort)
        try:
            return _Attempt(session, exchange, options, context).carry_out(request)
        finally:
            if context.aborts is not None:
                context.aborts.remove(exchange.abort)


class _Attempt:
    def __init__(
        self, session: requests.Session, exchange: Exchange, options: Options, context: Context
    ) -> None:
        self._session = session
        self._exchange = exchange
        self._options = options
        self._log_line = context.log

    def _log(self, line: str) -> None:
        if debugging.listeners:
            debugging.say("http", line)
        self._log_line(line)

    def carry_out(self, request: requests.PreparedRequest) -> Result:
        hops = 0
        while True:
            answer = self._ask(request)
            target = self._session.get_redirect_target(answer)
            if target is None or self._options.expects(answer.status_code) or not self._options.redirects:
                return self._judge(request, answer)
            hops += 1
            if hops > self._options.redirects:
                raise ActionError("RedirectRefused", f"more than {self._options.redirects} redirects")
            request = follow(self._session, request, answer, target)

    def _ask(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request, read its answer to the end."""
        self._exchange.begin(request)
        self._log(f"{request.method} {shown_url(request.url)}")
        started = monotonic()
        try:
            answer = self._answer(request)
        except Exception as error:  # every way in which a library may fail is this attempt's failure
            failure = failure_of(error, self._exchange, request.method not in SAFE)
            self._log(f"{failure.type}: {failure.message}")
            raise failure from error
        took = (monotonic() - started) * 1000
        self._log(f"{status_text(answer.status_code)}, {len(answer.content):,} bytes, {took:.0f} ms")
        return answer

    def _answer(self, request: requests.PreparedRequest) -> requests.Response:
        if self._options.verify is False:
            disable_warnings(InsecureRequestWarning)  # the log has our own warning
        adapter = self._session.get_adapter(request.url or "")
        limits = (self._options.connect_timeout, self._options.read_timeout)
        verify, cert = self._options.verify, self._options.cert
        with adapter.send(request, stream=True, timeout=limits, verify=verify, cert=cert) as answer:
            self._exchange.status = answer.status_code
            answer._content = read_body(answer)  # noqa: SLF001 - read within our limits in place of its own
        adapter.close()  # a kept connection may be closed under the next request, whose fate is then unknown
        self._exchange.check()
        return answer

    def _judge(self, request: requests.PreparedRequest, answer: requests.Response) -> Result:
        result = Result(AnswerValues(answer))
        status, expect = answer.status_code, self._options.expect
        if self._options.expects(status):
            return result
        message = f"{request.method} {shown_url(request.url)}: {status_text(status)}"
        if expect != ("2xx",):
            message += f", expected {' or '.join(map(str, expect))}"
        if answer.is_redirect:
            message += "; redirects are not followed here"
        if answer.content:
            self._log(" ".join(result.values["text"][:EXCERPT].split()))
        raise UnexpectedResultError("HTTPStatus", message, result, status=status)
