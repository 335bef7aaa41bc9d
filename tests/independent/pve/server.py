"""The API over HTTPS, as pveproxy speaks it, with what tests need to see and to break."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.independent.pve import schema, tls
from tests.independent.pve.api import HANDLERS, containers, firewall, ha, power, snapshots, tasks, whole
from tests.independent.pve.cluster import Cluster
from tests.independent.pve.refusals import Refusal

__all__ = ["ApiServer", "Request", "containers", "firewall", "ha", "power", "snapshots", "tasks", "whole"]

USER, TOKEN, SECRET = "api@pam", "nodepoint", "1b8a4cbe-5f42-4bd1-9a3e-7d0c5b1f2e6a"
PREFIX = "/api2/json"


@dataclass(frozen=True)
class Request:
    """A call that was answered; `at` by the cluster's clock."""

    at: float
    method: str
    path: str
    values: dict[str, str]
    status: int
    message: str = ""


@dataclass
class Trap:
    """What happens instead at the next `count` calls whose "METHOD path" matches: `lost`: the answer only."""

    pattern: str
    count: int
    refusal: Refusal | None = None
    lost: bool = False
    before: Callable[[], None] | None = None


class ApiServer:
    """Listens as long as the process lives; `cluster` may be put in anew for each test."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.cluster: Cluster | None = None
        self.requests: list[Request] = []
        self.traps: list[Trap] = []
        self._http = _Http(self)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self, cluster: Cluster) -> None:
        """Another cluster, with nothing asked of it yet."""
        with self.lock:
            self.cluster, self.requests, self.traps = cluster, [], []

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()

    # What tests break

    def refuse(self, pattern: str, text: str, status: int = 500, count: int = 1) -> None:
        """The next `count` calls are refused with this text, and do nothing."""
        self.traps.append(Trap(pattern, count, refusal=Refusal(status, text)))

    def lose(self, pattern: str, count: int = 1) -> None:
        """The next `count` calls have their effect, and their answer is lost."""
        self.traps.append(Trap(pattern, count, lost=True))

    def before(self, pattern: str, act: Callable[[], None], count: int = 1) -> None:
        """Something happens just before each of the next `count` calls."""
        self.traps.append(Trap(pattern, count, before=act))

    def asked(self, pattern: str) -> list[Request]:
        """The calls so far whose "METHOD path" matches."""
        return [r for r in self.requests if re.search(pattern, f"{r.method} {r.path}")]

    # The answer

    def answer(self, method: str, path: str, values: dict[str, str]) -> tuple[Any, bool]:
        """What the call gives, and whether the answer gets lost. Raises Refusal."""
        with self.lock:
            trap = self.trap(f"{method} {path}")
            status, message = 200, ""
            try:
                if trap and trap.refusal:
                    raise trap.refusal
                return self._call(method, path, values), bool(trap and trap.lost)
            except Refusal as refusal:
                status, message = refusal.status, refusal.message
                raise
            finally:
                now = self.known().tasks.now()
                self.requests.append(Request(now, method, path, values, status, message))

    def known(self) -> Cluster:
        """The cluster of now."""
        assert self.cluster is not None
        return self.cluster

    def trap(self, call: str) -> Trap | None:
        """What was set up for this call; what is to happen before it has happened."""
        trap = next((trap for trap in self.traps if re.search(trap.pattern, call)), None)
        if trap:
            trap.count -= 1
            if not trap.count:
                self.traps.remove(trap)
        if trap and trap.before:
            trap.before()
        return trap

    def _call(self, method: str, path: str, values: dict[str, str]) -> Any:
        """As rest_handler of pve-manager: permission, then the node, then the parameters."""
        cluster = self.known()
        cluster.tasks.settle()
        found = schema.find(cluster.version, method, path)
        handler = HANDLERS.get((method, found[0].path)) if found else None
        if found is None or handler is None:
            raise Refusal(501, f"Method '{method} {path}' not implemented")
        call, variables = found
        values = {**values, **{name: unquote(text) for name, text in variables.items()}}
        cluster.permissions.check_call(call.permissions, values)
        if "node" in variables:
            cluster.reach(values["node"])
        schema.check(call, values)
        return handler(cluster, values, f"{USER}!{TOKEN}")


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: ApiServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api
        self.socket = tls.server_context().wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    timeout = 5  # pveproxy drops a connection after 5 s without a request
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        try:
            self._check(length)
            values = dict(parse_qsl(body or parts.query, keep_blank_values=True))
            data, lost = self.server.api.answer(self.command, parts.path.removeprefix(PREFIX), values)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if lost:
            self.close_connection = True
            return
        self._send(200, "OK", {"data": data})

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _check(self, length: int) -> None:
        authorization = self.headers.get("Authorization")
        if authorization is None:
            raise Refusal(401, "No ticket")
        if authorization != f"PVEAPIToken={USER}!{TOKEN}={SECRET}":
            raise Refusal(401, "Authentication failed!")
        if length and self.command not in ("POST", "PUT"):
            raise Refusal(501, f"Unexpected content for method '{self.command}'")

    def _refuse(self, refusal: Refusal) -> None:
        """The reason phrase is the message; with a newer pve-http-server the body says it too."""
        body: dict[str, Any] = {"data": None}
        if refusal.errors:
            body["errors"] = refusal.errors
        if self.server.api.known().version != "8.4":
            body["message"] = f"{refusal.message}\n"
        empty = refusal.status == 401 or refusal.status > 590
        self.close_connection = True
        self._send(refusal.status, refusal.message.partition("\n")[0], None if empty else body)

    def _send(self, status: int, reason: str, body: Any) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `requests` holds them."""
