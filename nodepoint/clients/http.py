"""The HTTP transport of all clients: one adapter that makes every call end in time and in our error family.

`requests` alone has three gaps: its read time-out starts anew with each received byte, so a trickling
answer lasts for ever; its exceptions do not tell whether the call was delivered; a followed redirect turns a
POST into a GET. `Transport` closes them for any `requests.Session`, and `Line` for callers that need
no session.
"""

import io
import json
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from nodepoint.clients.deadline import deadline, end_of
from nodepoint.clients.errors import BadAnswer, Refused, TimedOut, Unreachable, mask

__all__ = ["Answer", "JsonApi", "Line", "PerThread", "Transport", "deadline", "fit"]

CONNECT_SECONDS = 10.0
READ_RETRIES = 2
RETRY_PAUSE = 0.1  # seconds, doubled for the second
MOST_BYTES = 32 * 1024 * 1024  # of an answer; the largest list we ask for is a few MB

TEXT_BYTES = 2000  # of an answer that are kept as text, for error messages

log = logging.getLogger(__name__)
T = TypeVar("T")


class _Call:
    """What the connection has to know of the call that it carries."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.sent = False

    def left(self) -> float:
        """Seconds until the end; `TimeoutError` after it."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for this call is over")
        return seconds


_call: ContextVar[_Call] = ContextVar("call")


class _TimedReader(io.RawIOBase):
    """Reads from a socket, each time with the seconds that are left to the whole call."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_call.get().left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


class _NotesSending:
    """Notes when the first byte of a request goes out: before, nothing can have happened at the other end."""

    response_class = _TimedResponse

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _call.get().sent = True
        super().send(data)


class _Http(_NotesSending, HTTPConnection):
    pass


class _Https(_NotesSending, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class Transport(HTTPAdapter):
    """Sends one request, whole answer included, within its time; raises only errors of the family.

    The `timeout` that requests hands over is the total of the call in seconds. Reads (GET) are tried again up
    to twice when the connection fails, never when the time is over. Redirects are a `BadAnswer`.
    """

    def __init__(self, system: str) -> None:
        super().__init__(pool_connections=2, pool_maxsize=2)
        self.system = system
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Sends `request`; `options` are those of `HTTPAdapter.send`."""
        end = end_of(options.pop("timeout") or CONNECT_SECONDS)
        options["stream"] = True  # so that the body is read below, under the deadline
        retries = READ_RETRIES if request.method == "GET" else 0
        while True:
            call = _Call(end)
            begun = time.monotonic()
            try:
                return self._once(call, request, options)
            except (requests.RequestException, HTTPError, OSError) as error:
                pause = RETRY_PAUSE * 2 ** (READ_RETRIES - retries)
                if not retries or _is_final(error) or time.monotonic() + pause >= end:
                    raise self._error(call, error) from error
                retries -= 1
                time.sleep(pause)
            finally:
                self._log(request, time.monotonic() - begun)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """As requests says; what is not verified needs no authorities, which would be read for each
        connection: 20 ms of processor time."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        if verify is False and host["scheme"] == "https":
            tls["ssl_context"] = _trusting()
        return host, tls

    def _once(
        self, call: _Call, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        token = _call.set(call)
        try:
            left = call.left()
            response = super().send(request, timeout=(min(CONNECT_SECONDS, left), left), **options)
            body = response.raw.read(MOST_BYTES + 1, decode_content=True)
            # Reading on finds the end of the stream and so hands the connection back to the pool.
            if len(body) > MOST_BYTES or response.raw.read(1):
                response.raw.close()
                raise BadAnswer(self.system, f"the answer is longer than {MOST_BYTES} bytes")
        finally:
            _call.reset(token)
        response._content = body  # where requests itself puts it; there is no public way
        response._content_consumed = True
        if response.is_redirect:
            raise BadAnswer(
                self.system, f"{response.status_code}: redirected to {response.headers['location']}"
            )
        return response

    def _error(self, call: _Call, error: Exception) -> Exception:
        if call.sent:
            return TimedOut(self.system, _reason(error))
        if _is_distrust(error):
            return Refused(self.system, _reason(error))
        return Unreachable(self.system, _reason(error))

    def _log(self, request: requests.PreparedRequest, seconds: float) -> None:
        if log.isEnabledFor(logging.DEBUG):
            path = mask(urlsplit(request.url or "").path)
            log.debug("%s %s %s: %.0f ms", self.system, request.method, path, seconds * 1000)


@cache
def _trusting() -> ssl.SSLContext:
    """One for all connections whose certificate is not verified."""
    return create_urllib3_context(cert_reqs=ssl.CERT_NONE)


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and its causes, innermost last; urllib3 and requests keep theirs in `reason` and `args`."""
    found: list[BaseException] = []
    while isinstance(error, BaseException) and error not in found:
        found.append(error)
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((a for a in error.args if isinstance(a, BaseException)), error.__cause__)
        error = inner
    return found


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {_chain(error)[-1]}"


def _is_distrust(error: Exception) -> bool:
    """Whether their TLS certificate was not trusted: an operator's matter, not one that heals by itself."""
    return any(isinstance(e, ssl.SSLCertVerificationError) for e in _chain(error))


def _is_final(error: Exception) -> bool:
    """Whether trying a read again makes no sense: distrust stays, and a time-out has used up the time."""
    return _is_distrust(error) or any(isinstance(e, TimeoutError | requests.Timeout) for e in _chain(error))


def fit(session: requests.Session, system: str) -> requests.Session:
    """Gives `session` our transport. Proxies of the environment are ignored, and .netrc, which replaces
    tokens."""
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, Transport(system))
    return session


class Line:
    """What a `requests.Session` is for a caller that keeps nothing between calls: no cookies, no proxies, no
    .netrc. It takes half the processor time of one, whose merging of settings costs more than the sending.

    `timeout`: total seconds of a call; `verify`: True, False or the path of a CA file; `headers` go with each
    call."""

    def __init__(
        self, system: str, timeout: float, verify: bool | str = True, headers: Mapping[str, str] | None = None
    ) -> None:
        self._transport = Transport(system)
        self._timeout, self._verify = timeout, verify
        self._headers = {**default_headers(), **(headers or {})}

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> requests.Response:
        """One call. Raises what `Transport` raises."""
        request = requests.PreparedRequest()
        sent = {**self._headers, **(headers or {})}
        request.prepare(method=method, url=url, headers=sent, params=params, data=data, json=json)
        return self._transport.send(request, timeout=timeout or self._timeout, verify=self._verify)


class PerThread(Generic[T]):
    """One `make()` for each thread and process: a session is not thread-safe and does not survive a fork."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> T:
        """The calling thread's own one, made at the first call."""
        held = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            held = self._local.held = (os.getpid(), self._make())
        return held[1]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer that came in whole. `body`: the parsed JSON, else None. `text`: its beginning."""

    system: str
    status: int
    body: Any
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """A status of 200 to 299."""
        return 200 <= self.status < 300

    def bad(self, why: str = "") -> BadAnswer:
        """The error for an answer that makes no sense."""
        return BadAnswer(self.system, f"{self.status} {why or self.text[:400]}")


class JsonApi:
    """Calls of an API that speaks JSON over HTTP; which statuses are errors is left to the client.

    `url` is the base, `timeout` the total seconds of a call, `verify` True, False or the path of a CA file.
    """

    def __init__(self, system: str, url: str, timeout: float, verify: bool | str = True) -> None:
        self.system = system
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._lines = PerThread(lambda: Line(system, timeout, verify, {"Accept": "application/json"}))

    def call(
        self,
        method: str,
        *segments: str | int,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """One request to the path made of `segments` (each one escaped). Raises `Unreachable`, `TimedOut`,
        `Refused` (their certificate is not trusted) or `BadAnswer` (a redirect, an endless answer)."""
        response = self._lines.get().request(
            method,
            "/".join((self.url, *(quote(str(s), safe="") for s in segments))),
            params=params,
            json=body,
            headers=headers,
            timeout=timeout,
        )
        return Answer(
            self.system, response.status_code, _json(response.content), response.text, response.headers
        )


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
