"""The HTTP(S) server that all HTTP systems of the lab share: threads, keep-alive, faults, durations."""

import contextlib
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from lab import Lab

MAX_BODY = 1024 * 1024
HANDSHAKE_SECONDS = 10
ACCEPT_PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Request:
    """One call as it came in. ``path`` is percent-decoded and without the query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        """The body as a form; empty values are kept."""
        return parse_qs(self.body.decode(errors="replace"), keep_blank_values=True)


@dataclass(slots=True)
class Response:
    """One answer. A body that is no bytes is sent as JSON; ``reason`` replaces the usual reason phrase;
    ``close`` ends the connection after the answer."""

    status: int = 200
    body: Any = b""
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    close: bool = False

    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, separators=(",", ":")).encode()


class Wire:
    """What a system gives to ``serve``: its answers, and its own forms of an internal failure and a refusal.

    Runs in many threads at once, without the lab's lock: take ``lab.lock`` around every look at state.
    Only systems that faults can be put on (lab.faults) have an ``error`` and a ``refuse``.
    """

    idle_seconds: float = 65
    """An idle keep-alive connection is closed after this."""
    requests_per_connection: int = 1000

    def answer(self, request: Request) -> Response:
        """Do what the call asks for and answer it."""
        raise NotImplementedError

    def error(self, request: Request) -> Response:
        """The system's answer when it fails inside; without effect."""
        raise NotImplementedError

    def refuse(self, request: Request) -> Response:
        """The system's answer when permission is missing; without effect."""
        raise NotImplementedError

    def duration(self, request: Request) -> str:
        """The kind of duration (see lab.clock) of this call, slept before it takes effect."""
        return "read" if request.method in ("GET", "HEAD") else "write"

    def label(self, request: Request) -> str:
        """What the match of a fault is looked for in."""
        return f"{request.method} {request.path}"

    def available(self) -> bool:
        """False: connections are dropped without an answer, as if the host were gone."""
        return True


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A listening server; made by ``serve``. ``url`` is its base, without a slash at the end."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, system: str, wire: Wire, lab: "Lab", tls: ssl.SSLContext | None, port: int) -> None:
        super().__init__((lab.address, port), _Handler)
        self.system, self.wire, self.lab, self.tls = system, wire, lab, tls
        self.port: int = self.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{lab.address}:{self.port}"
        self.connections: set[socket.socket] = set()
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, name=f"lab-{system}", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and break every open connection."""
        self._stopping = True
        with contextlib.suppress(OSError):  # not every system shuts a socket that only listens
            self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.server_close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Break every open connection, as when the network goes away."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):  # the other side has closed it already
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        # Not serve_forever(): a blocking accept needs no polling, and ends at once when the socket is shut
        # down.
        while True:
            try:
                connection, address = self.get_request()
            except OSError:
                if self._stopping:
                    return
                # Out of file descriptors, or a client that was gone at once: neither may end the server.
                time.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            self.connections.add(connection)
            self.process_request(connection, address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Programming errors are shown; a client that goes away is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Drop(Exception):
    """Close the connection without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        self.raw = self.request
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.tls is not None:
            # Here and not in accept(): a client that is slow to shake hands holds up nobody else.
            self.request.settimeout(HANDSHAKE_SECONDS)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.server.connections.discard(self.raw)
            self.server.connections.add(self.request)
        self.request.settimeout(self.server.wire.idle_seconds)
        self.served = 0
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):  # the client has not waited for the rest of its answer
            super().finish()
        self.server.connections.discard(self.request)
        if self.request is not self.raw:
            # wrap_socket() has detached the socket that the server knows, so this one is ours to close.
            with contextlib.suppress(OSError):  # the client was quicker
                self.request.shutdown(socket.SHUT_RDWR)
            self.request.close()

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
            elif len(self.raw_requestline) > 65536:
                self.send_error(414)
            elif self.parse_request():
                self._serve()
        except (_Drop, OSError):
            self.close_connection = True

    def _serve(self) -> None:
        request = self._read_request()
        if request is None:
            return
        lab, wire, system = self.server.lab, self.server.wire, self.server.system
        if not wire.available():
            raise _Drop
        lab.count(system)
        fault = lab.faults.take(system, wire.label(request))
        kind = fault.kind if fault else ""
        if kind == "drop_before":
            raise _Drop
        if fault and kind in ("hang", "slow"):
            lab.sleep(fault.seconds)
            if kind == "hang":
                raise _Drop
        lab.sleep(lab.clock.seconds(wire.duration(request)))
        if kind == "error":
            response = wire.error(request)
        elif kind == "refuse":
            response = wire.refuse(request)
        else:
            lab.world.settle()
            response = wire.answer(request)
        if kind == "drop_after":
            raise _Drop
        self._send(response)

    def _read_request(self) -> Request | None:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding"):
            return self._reject(501, "chunked transfer encoding not supported")
        if not length.isdigit() or int(length) > MAX_BODY:
            return self._reject(413, "body too large")
        body = self.rfile.read(int(length)) if length != "0" else b""
        path, _, query = self.path.partition("?")
        return Request(
            self.command, unquote(path), parse_qs(query, keep_blank_values=True), self.headers, body
        )

    def _reject(self, status: int, reason: str) -> None:
        self._send(Response(status, b"", reason=reason, close=True))

    def _send(self, response: Response) -> None:
        self.served += 1
        if response.close or self.served >= self.server.wire.requests_per_connection:
            self.close_connection = True
        payload = response.payload()
        reason = response.reason or self.responses.get(response.status, ("",))[0]
        lines = [f"HTTP/1.1 {response.status} {_one_line(reason)}", f"Content-Length: {len(payload)}"]
        if payload or response.content_type != "application/json":
            lines.append(f"Content-Type: {response.content_type}")
        lines += [f"{name}: {_one_line(value)}" for name, value in response.headers.items()]
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        head = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n"
        self.wfile.write(head if self.command == "HEAD" else head + payload)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are counted, not logged."""


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def serve(
    system: str,
    wire: Wire,
    lab: "Lab",
    *,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    name: str = "",
) -> Server:
    """Start a server for ``wire`` on the lab's address.

    ``system`` is the name under which calls are counted and faults are looked up; ``name`` (default: the
    system) the one under which the data folder remembers the port. Port 0 takes the remembered one, else a
    free one.
    Raises OSError when the port is taken.
    """
    name = name or system
    port = port or lab.port(name)
    try:
        server = Server(system, wire, lab, tls, port)
    except OSError as error:
        raise OSError(error.errno, f"port {port} for {name} cannot be used: {error.strerror}") from error
    lab.keep_port(name, server.port)
    server.start()
    return server
