"""Calls of the remote API within a session that is kept, renewed in time, and never provokes the throttle.

Their throttle counts wrong logins and calls with a dead session alike, per address, and from ten on refuses
everybody for five minutes. So a session is given up well before its end, few calls are under way at once (all
of them would meet a session that was ended at their side), logins are made one at a time, and refused
credentials are not tried again for a while.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from dns.clients.ispconfig.faults import BLOCKED, SYSTEM, WRONG_LOGIN, SessionLost, error_of
from nodepoint.clients.breaker import guarded
from nodepoint.clients.counting import observed
from nodepoint.clients.deadline import end_of, left_until
from nodepoint.clients.errors import BadAnswer, Busy, ClientError, Refused, TimedOut, Unreachable, keep_secret
from nodepoint.clients.http import Answer, JsonApi

LIFETIME = 25 * 60.0  # seconds; theirs is 1800 from login, and use does not extend it
NOT_LET_IN = 5.0  # seconds between two tries to log in where that does not count as a failure
QUICK = 2.0  # seconds: what failed sooner was dropped, not slow, and can be read again


class Session:
    """Calls functions by name. `timeout`: seconds of a call; above 10, after which they own up to a lost
    database. `calls`: under way at once."""

    def __init__(
        self, url: str, username: str, password: str, verify: bool | str, timeout: float, calls: int
    ) -> None:
        keep_secret(password)
        base = url.rstrip("/")
        self._api = JsonApi(
            SYSTEM, base if base.endswith(".php") else f"{base}/remote/json.php", timeout, verify
        )
        self._credentials = {"username": username, "password": password, "client_login": False}
        self._lock = threading.Lock()
        self._most = calls
        self._calls = threading.BoundedSemaphore(calls)
        self._id, self._ends = "", 0.0
        self._shut: ClientError | None = None
        self._shut_until = 0.0

    def read(self, function: str, **arguments: Any) -> Any:
        """A call that changes nothing: tried once more when the connection was dropped."""
        begun, end = time.monotonic(), end_of(self._api.timeout)
        try:
            return self.call(function, **arguments)
        except TimedOut:
            if time.monotonic() - begun > QUICK or not left_until(end):
                raise
        return self.call(function, **arguments)

    def call(self, function: str, **arguments: Any) -> Any:
        """The function's value. A session that turns out to be lost is renewed once: such a call had no
        effect."""
        try:
            return self._call(function, arguments)
        except SessionLost:
            return self._call(function, arguments)

    def _call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """One try. The session is looked up when it is this call's turn, not before: those who had to wait
        find the new one."""
        end = end_of(self._api.timeout)
        if not self._calls.acquire(timeout=left_until(end)):
            raise Busy(SYSTEM, f"{function}: {self._most} calls are under way")
        try:
            session = self._session(end)
            try:
                return self._ask(function, {"session_id": session, **arguments}, end)
            except SessionLost:
                self._forget()
                raise
        finally:
            self._calls.release()

    def _session(self, end: float) -> str:
        """The id of a session that is valid for some minutes more."""
        if not self._lock.acquire(timeout=left_until(end)):
            raise Unreachable(SYSTEM, "another call is still waiting for the login")
        try:
            if time.monotonic() < self._shut_until and self._shut:
                raise self._shut
            if time.monotonic() >= self._ends:
                self._log_in(end)
            return self._id
        finally:
            self._lock.release()

    def _log_in(self, end: float) -> None:
        begun = time.monotonic()
        try:
            session = self._ask("login", self._credentials, end)
        except (Refused, Busy) as error:
            wait = BLOCKED if WRONG_LOGIN in error.vendor else NOT_LET_IN
            self._shut, self._shut_until = error, begun + (getattr(error, "retry_after", None) or wait)
            raise
        if not isinstance(session, str) or not session:
            raise BadAnswer(SYSTEM, "login: no session id")
        keep_secret(session)
        self._id, self._ends = session, begun + LIFETIME

    def _forget(self) -> None:
        """Have the next call log in, also when another already has: only a login after the last failure sets
        their count of failures back."""
        with self._lock:
            self._ends = 0.0

    def _ask(self, function: str, body: Mapping[str, Any], end: float) -> Any:
        with observed(SYSTEM, function), guarded(SYSTEM):
            answer = self._api.call(
                "POST", params={function: ""}, body=body, timeout=left_until(end) or 0.001
            )
            return _value(function, answer)


def _value(function: str, answer: Answer) -> Any:
    """What the function returned. Pages and texts instead of the envelope come with status 200 too."""
    body = answer.body
    if answer.status != 200 or not isinstance(body, dict) or "code" not in body:
        raise answer.bad(f"{function}: {answer.text[:200] or 'an empty page'}")
    if body["code"] == "ok":
        return body.get("response")
    message = str(body.get("message", ""))
    if body["code"] == "remote_fault":
        raise error_of(function, message)
    raise BadAnswer(SYSTEM, f"{function}: {body['code']}: {message}")
