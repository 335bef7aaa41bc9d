"""One connection: what may come in over it, how long that may take, and what is answered before Django hears
of a request."""

import contextlib
import json
import secrets
import socket
import time
from http import HTTPStatus
from typing import Any

from django.conf import settings
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import Error, RequestEntityTooLarge

from nodepoint.api.errors import of_status

READ_SECONDS = 10.0  # from a request's first byte, or the connection's begin, to the request's last byte
KEEP_ALIVE_SECONDS = 30.0  # between an answer and the end of the next request
WRITE_SECONDS = 30.0  # without a byte taken by the client
LINGER_SECONDS = 2.0  # for what still comes of a request that was refused
FIRST_BYTE_SECONDS = 1.0  # of a connection that was taken in just before the server was told to stop
LONGEST_LINE = 4096  # bytes of the first line
PAGES_LIMIT = 1024 * 1024  # bytes of a form of the admin; the API's own limit is API_BODY_LIMIT
PAGES = "/admin/"


class UriTooLong(Error):
    """414, which waitress does not know."""

    code, reason = 414, "URI Too Long"


class Parser(HTTPRequestParser):
    """waitress's parser, with a limit for each kind of path, and stricter where two readers of one request
    could understand different things."""

    def received(self, data: bytes) -> int:
        """Takes in bytes, and says how many; what is too large is refused before all of it is here."""
        taken = super().received(data)
        if self.headers_finished and not self.error and not self.empty and self._size() > self._limit():
            self.error, self.completed = RequestEntityTooLarge(""), True
        return taken

    def _size(self) -> int:
        """Bytes of the body: those that are announced, or have come in chunks so far. Half may be the chunks'
        own words: taking many tiny ones apart is work for the one thread that reads."""
        come = 0 if self.body_rcv is None else len(self.body_rcv)
        return max(self.content_length, come, self.body_bytes_received // 2)

    def _limit(self) -> int:
        if self.path.startswith(PAGES):
            return PAGES_LIMIT
        return settings.API_LARGER_BODIES.get(self.path.rstrip("/"), settings.API_BODY_LIMIT)

    def parse_header(self, header_plus: bytes) -> None:
        """ParsingError (400) beside waitress's own reasons: a first line that is no ASCII, a body whose
        length is told in two ways."""
        line, _, _ = header_plus.partition(b"\r\n")
        super().parse_header(header_plus)
        if len(line) > LONGEST_LINE:
            self.error, self.completed = UriTooLong(""), True
        if not line.isascii():
            raise ParsingError("The first line is no ASCII.")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length beside Transfer-Encoding.")


class Refusal(ErrorTask):
    """The answer to a request that waitress refuses, in the API's form."""

    def execute(self) -> None:
        """Write it; the connection ends afterwards, since what follows on it cannot be read."""
        self.channel.refused = True
        error = of_status(self.request.error.code if self.request.error.code != 501 else 400)
        headers, body = envelope(error)
        self.status = f"{error.status_code} {HTTPStatus(error.status_code).phrase}"
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):
    """waitress's channel with deadlines. A thread gets only whole requests, so that whoever sends half of one
    holds a socket and nothing else, for READ_SECONDS."""

    parser_class = Parser
    error_task_class = Refusal

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.free_since = self.begun = time.monotonic()  # of the present request: its first byte
        self.answered = self.refused = False
        self.lingers_until = 0.0

    def received(self, data: bytes) -> bool:
        """Bytes from the client."""
        before = self.request
        more = super().received(data)
        if self.request is not before:
            self.begun = time.monotonic()
        return more

    def service(self) -> None:
        """Answer the next request; called in a thread."""
        super().service()
        self.answered = True
        self.free_since = time.monotonic()

    def look(self, now: float) -> None:
        """End the connection if its client is late; `now` as of time.monotonic()."""
        if self.lingers_until:
            if now > self.lingers_until:
                self.handle_close()
        elif self.requests or self.will_close or self.close_when_flushed:
            return
        elif self.total_outbufs_len:
            self.will_close = time.time() - self.last_activity > WRITE_SECONDS
        elif self.request is not None and now - max(self.begun, self.free_since) > READ_SECONDS:
            self.refuse(408)
        elif now - self.free_since > KEEP_ALIVE_SECONDS:
            self.will_close = True
        elif not self.answered and now - self.free_since > READ_SECONDS:
            self.refuse(408)

    def refuse(self, status: int) -> None:
        """Answer with an error and end the connection, without any thread."""
        headers, body = envelope(of_status(status))
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in [*headers, ("Content-Length", str(len(body)))]]
        page = "\r\n".join([*lines, "", ""]).encode() + body
        self.refused = True
        with self.outbuf_lock:
            self.outbufs[-1].append(page)
            self.current_outbuf_count += len(page)
            self.total_outbufs_len += len(page)
            self.close_when_flushed = True

    def handle_close(self) -> None:
        """End the connection. A client that is still sending what was refused would lose our answer to it if
        the socket were closed at once (the kernel resets it): what comes within LINGER_SECONDS is thrown
        away."""
        if self.refused and self.connected and not self.lingers_until:
            self.lingers_until = time.monotonic() + LINGER_SECONDS
            with contextlib.suppress(OSError):  # the client has gone
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()

    def readable(self) -> bool:
        """Whether to wait for bytes."""
        return bool(self.lingers_until) or super().readable()

    def writable(self) -> bool:
        """Whether to wait for room to write."""
        return not self.lingers_until and super().writable()

    def handle_read(self) -> None:
        """Bytes are there, or the client's end."""
        if not self.lingers_until:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)  # its end calls handle_close
        except OSError:
            self.handle_close()

    def end_if_free(self, now: float) -> bool:
        """For a server that stops: end the connection unless something is being asked or answered on it;
        whether it did. A new one has a moment to ask; `now` as of time.monotonic()."""
        asks = self.request is not None or (not self.answered and now - self.begun < FIRST_BYTE_SECONDS)
        free = not asks and not self.requests and not self.total_outbufs_len
        self.will_close = self.will_close or free
        return free


def envelope(error: Any) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of an error that no request of Django stands behind."""
    request_id = secrets.token_hex(16)
    body = json.dumps({**error.body, "request_id": request_id}).encode()
    return [("Content-Type", "application/json"), ("X-Request-ID", request_id)], body
