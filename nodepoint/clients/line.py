"""The HTTP/1.1 transport of all clients: one connection, on which every call ends in time and in our error
family.

General clients have gaps that matter here: their read time-out starts anew with each received byte, so a
trickling answer lasts for ever; their exceptions do not tell whether the call was delivered; a followed
redirect turns a POST into a GET; the environment adds proxies and credentials. And they cost: a call through
`requests` took three times the processor time of one on a `Line`, which the engine makes 34 of for a site.
"""

import io
import json as json_format
import logging
import os
import re
import select
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

import certifi

from nodepoint.clients.deadline import end_of
from nodepoint.clients.errors import BadAnswer, Refused, TimedOut, Unreachable, mask

CONNECT_SECONDS = 10.0
READ_RETRIES = 2
RETRY_PAUSE = 0.1  # seconds, doubled for the second
MOST_BYTES = 32 * 1024 * 1024  # of an answer, unpacked; the largest list we ask for is a few MB
REDIRECTS = frozenset((301, 302, 303, 307, 308))
PORTS = {"http": 80, "https": 443}
NO_TARGET = re.compile(r"[^\x21-\x7e]")  # what would end a request's first line, or is not ASCII
FORM = "application/x-www-form-urlencoded"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """An HTTP answer that came in whole, unpacked. `headers` are found in any case."""

    status_code: int
    reason: str
    headers: Message
    content: bytes

    @property
    def text(self) -> str:
        """The content in the character set that it names, else UTF-8; what cannot be read is replaced."""
        try:
            return self.content.decode(self.headers.get_content_charset() or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")


class Line:
    """Calls to one server at a time, on a connection that is kept; for one thread of one process.

    `timeout`: total seconds of a call; `verify`: True, False or the path of a CA file or folder; `headers` go
    with each call; `hostname`: the name that TLS is opened with, where it is not the address's own."""

    def __init__(
        self,
        system: str,
        timeout: float,
        verify: bool | str = True,
        headers: Mapping[str, str] | None = None,
        hostname: str = "",
    ) -> None:
        self._system, self._timeout, self._verify, self._hostname = system, timeout, verify, hostname
        self._headers = {"User-Agent": "NodePoint", "Accept-Encoding": "gzip", "Accept": "*/*"}
        self._headers |= headers or {}
        self._connection: HTTPConnection | None = None
        self._origin: tuple[str, str] = ("", "")

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Response:
        """One call, its whole answer included. Reads (GET) are tried again up to twice when the connection
        fails, never when the time is over. Raises `Unreachable`, `TimedOut`, `Refused` (their certificate is
        not trusted) or `BadAnswer` (a redirect, an endless answer)."""
        end = end_of(timeout or self._timeout)
        parts = urlsplit(url)
        request = _asked(parts, params, *_body(data, json), {**self._headers, **(headers or {})})
        retries = READ_RETRIES if method == "GET" else 0
        while True:
            call, begun = _Call(end), time.monotonic()
            try:
                return self._once(call, method, parts, request)
            except (OSError, HTTPException) as error:
                self.close()
                pause = RETRY_PAUSE * 2 ** (READ_RETRIES - retries)
                if not retries or _is_final(error) or time.monotonic() + pause >= end:
                    raise self._error(call, error) from error
                retries -= 1
                time.sleep(pause)
            finally:
                if log.isEnabledFor(logging.DEBUG):
                    seconds = time.monotonic() - begun
                    log.debug("%s %s %s: %.0f ms", self._system, method, mask(parts.path), seconds * 1000)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    def _once(self, call: "_Call", method: str, parts: SplitResult, request: dict[str, Any]) -> Response:
        connection = self._connected(call, parts)
        connection.sock.settimeout(call.left())
        connection.response_class = call.reading
        call.sent = True
        answer = None
        try:
            connection.request(method, **request)
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES + 1)
            if answer.length and len(content) <= MOST_BYTES:  # http.client tells only where asked for all
                raise IncompleteRead(content, answer.length)
        except BaseException:
            self.close()
            raise
        finally:
            if answer is not None:
                answer.close()
        if len(content) > MOST_BYTES:
            self.close()
        if answer.status in REDIRECTS and (location := answer.headers["Location"]):
            raise BadAnswer(self._system, f"{answer.status}: redirected to {location}")
        content = self._unpacked(content, answer.headers.get("Content-Encoding", ""))
        return Response(answer.status, answer.reason, answer.headers, content)

    def _connected(self, call: "_Call", parts: SplitResult) -> HTTPConnection:
        """The connection that was kept, unless the server has ended it or the call goes elsewhere; else a
        new one."""
        origin, held = (parts.scheme, parts.netloc), self._connection
        # Nothing was asked for: what there is to read is the connection's end.
        if held and (origin != self._origin or not held.sock or _has_something_to_read(held.sock)):
            self.close()
        if self._connection is None:
            self._connection, self._origin = self._made(parts), origin
            self._connection.timeout = min(CONNECT_SECONDS, call.left())
            self._connection.connect()
        return self._connection

    def _made(self, parts: SplitResult) -> HTTPConnection:
        if parts.scheme not in PORTS or not parts.hostname:
            raise Unreachable(self._system, "not an address of HTTP")
        port = parts.port or PORTS[parts.scheme]
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname, port)
        return _Secured(parts.hostname, port, trust(self._verify), self._hostname or parts.hostname)

    def _unpacked(self, content: bytes, encoding: str) -> bytes:
        """The content as it was before it was packed; `BadAnswer` for what is too long or broken."""
        if encoding.lower() in ("gzip", "x-gzip") and content:
            unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                content = unpacking.decompress(content, MOST_BYTES + 1)
            except zlib.error as error:
                raise BadAnswer(self._system, f"not packed as it says: {error}") from error
            if len(content) <= MOST_BYTES and not unpacking.eof:
                raise BadAnswer(self._system, "what was packed breaks off")
        elif encoding and encoding.lower() != "identity":
            raise BadAnswer(self._system, f"packed as {encoding[:40]}, which was not asked for")
        if len(content) > MOST_BYTES:
            raise BadAnswer(self._system, f"the answer is longer than {MOST_BYTES} bytes")
        return content

    def _error(self, call: "_Call", error: Exception) -> Exception:
        words = f"{type(error).__name__}: {error}"
        if call.sent:
            return TimedOut(self._system, words)
        return (Refused if _is_distrust(error) else Unreachable)(self._system, words)


class _Call:
    """By when a call has to be over, and whether anything of it went out: before, nothing can have happened
    at the other end."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.sent = False

    def left(self) -> float:
        """Seconds until the end; `TimeoutError` after it."""
        seconds = self.end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for this call is over")
        return seconds

    def reading(self, connection: socket.socket, method: str) -> HTTPResponse:
        """An answer that comes in before the end; a connection's `response_class`."""
        return HTTPResponse(_Timed(connection, self), method=method)  # type: ignore[arg-type]


class _Timed(io.RawIOBase):
    """Reads from a socket, each time with the seconds that are left to the whole call."""

    def __init__(self, connection: socket.socket, call: _Call) -> None:
        super().__init__()
        self._connection, self._call = connection, call
        self._raw = connection.makefile("rb", buffering=0)  # keeps the socket open until the answer is read

    def makefile(self, mode: str) -> io.BufferedReader:
        """Itself, as `HTTPResponse` wants it."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._call.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Secured(HTTPConnection):
    """Over TLS, opened with a name that need not be the address's own."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, hostname: str) -> None:
        super().__init__(host, port)
        self._context, self._hostname = context, hostname

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._hostname)


def _body(data: Mapping[str, Any] | bytes | None, json: Any) -> tuple[bytes | None, str]:
    """What is sent, and what kind of content that is."""
    if json is not None:
        return json_format.dumps(json, allow_nan=False).encode(), "application/json"
    if isinstance(data, bytes):
        return data, ""
    return (urlencode(data).encode(), FORM) if data else (None, "")


def _asked(
    parts: SplitResult,
    params: Mapping[str, Any] | None,
    body: bytes | None,
    kind: str,
    headers: dict[str, str],
) -> dict[str, Any]:
    """What a connection is asked to send; it looks after the rest, such as that a header is one."""
    query = "&".join(filter(None, (parts.query, urlencode(params) if params else "")))
    target = (parts.path or "/") + (f"?{query}" if query else "")
    if NO_TARGET.search(target):
        target = quote(target, safe="%/?:@!$&'()*+,;=~[]")
    if kind:
        headers["Content-Type"] = kind
    account, _, host = parts.netloc.rpartition("@")
    headers.setdefault("Host", host if host.isascii() else host.encode("idna").decode())
    if account:
        headers.setdefault("Authorization", f"Basic {b64encode(unquote(account).encode()).decode()}")
    return {"url": target, "headers": headers, "body": body}


def trust(verify: bool | str) -> ssl.SSLContext:
    """Whom a connection trusts: everybody (False), the usual authorities (True), or those in a file or
    folder, which is read again once it has changed."""
    if verify is False:
        return _context("", 0)
    path = certifi.where() if verify is True else verify
    return _context(path, os.stat(path).st_mtime_ns)


@cache
def _context(path: str, changed: int) -> ssl.SSLContext:
    """One for all connections: to read the usual authorities takes 20 ms of the processor."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not path:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif os.path.isdir(path):
        context.load_verify_locations(capath=path)
    else:
        context.load_verify_locations(cafile=path)
    return context


def _has_something_to_read(connection: socket.socket) -> bool:
    looking = select.poll()
    looking.register(connection, select.POLLIN)
    return bool(looking.poll(0))


def _is_distrust(error: Exception) -> bool:
    """Whether their TLS certificate was not trusted: an operator's matter, not one that heals by itself."""
    return isinstance(error, ssl.SSLCertVerificationError)


def _is_final(error: Exception) -> bool:
    """Whether trying a read again makes no sense: distrust stays, and a time-out has used up the time."""
    return _is_distrust(error) or isinstance(error, TimeoutError)
