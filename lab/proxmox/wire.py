"""Proxmox's HTTP API: tokens, routing, parameter checks and the forms of its answers. Rules are in
``state``."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lab.proxmox import schema
from lab.proxmox.errors import ApiError, BadParameter, ConfigLocked, failure
from lab.proxmox.rights import RIGHTS
from lab.proxmox.routes import ROUTES, Call
from lab.proxmox.state.cluster import Cluster
from lab.proxmox.state.tasks import CONFIG_LOCK_SECONDS
from lab.server import Request, Response, Wire

if TYPE_CHECKING:
    from lab import Lab

BASE = "/api2/json"
WRONG_TOKEN_SECONDS = 3
TOKEN = re.compile(r"PVEAPIToken=([^!=\s]+@[^!=\s]+![^=\s]+)=(\S+)")
WITHOUT_QUORUM = ("/status/stop", "/status/shutdown")
NO_QUORUM = "cluster not ready - no quorum?"


class ProxmoxWire(Wire):
    """One HTTPS port at which every node of the cluster answers."""

    idle_seconds = 5
    requests_per_connection = 100

    def __init__(self, lab: "Lab", cluster: Cluster, user: str, token_name: str, secret: str) -> None:
        self._lab = lab
        self._cluster = cluster
        self._calls = schema.CALLS if cluster.release.rules else schema.OLD_CALLS
        self._token = (f"{user}!{token_name}", secret)
        self._templates = [
            (
                *call.split(" ", 1),
                _pattern(call.split(" ")[1]),
            )
            for call in ROUTES
            if cluster.release.rules or "/ha/rules" not in call
        ]

    def available(self) -> bool:
        """The port goes silent when the last node is away."""
        return any(node.up for node in self._cluster.nodes.values())

    def error(self, request: Request) -> Response:
        """The cluster file system does not answer."""
        return _failed(500, "ipcc_send_rec[1] failed: Connection refused")

    def refuse(self, request: Request) -> Response:
        """A permission is missing."""
        found = re.search(r"/lxc/(\d+)", request.path)
        where = f"/vms/{found[1]}, VM.PowerMgmt" if found else "/, Sys.Audit"
        return _failed(403, f"Permission check failed ({where})")

    def answer(self, request: Request) -> Response:
        """Do one call."""
        try:
            user = self._authenticate(request.headers)
            call, path_values = self._route(request)
            parameters = _parameters(request)
            self._check_right(call, {**parameters, **path_values})
            self._check_node(path_values.get("node"))
            parameters = _together(parameters, path_values)
            values, errors = schema.check(call, parameters, self._calls)
            if errors:
                raise BadParameter(errors)
            return self._run(call, user, values, request)
        except ApiError as error:
            return _failed(error.status, error.message, error.errors)

    def _run(self, call: str, user: str, values: dict[str, Any], request: Request) -> Response:
        """Run a call; one that meets a held config lock waits for it as pvedaemon does."""
        patience = time.time() + CONFIG_LOCK_SECONDS * self._lab.clock.factor
        while True:
            self._lab.world.settle()
            with self._lab.lock:
                self._check_quorum(request)
                now = time.time()
                try:
                    data, extra = ROUTES[call](Call(self._cluster, user, dict(values), now))
                except ConfigLocked as held:
                    if now >= patience:
                        raise failure(f"can't lock file '{held}' - got timeout") from held
                else:
                    return Response(200, {"data": data, **extra})
            self._lab.sleep(0.02)

    def _authenticate(self, headers: Mapping[str, str]) -> str:
        text = headers.get("Authorization", "")
        if not text:
            raise ApiError(401, "No ticket")
        found = TOKEN.fullmatch(text)
        user, secret = self._token
        if not found or found[1] != user or not secrets.compare_digest(found[2].encode(), secret.encode()):
            self._lab.sleep(WRONG_TOKEN_SECONDS * self._lab.clock.factor)
            raise ApiError(401, "Authentication failed!")
        return user

    def _route(self, request: Request) -> tuple[str, dict[str, str]]:
        path = request.path.removeprefix(BASE).rstrip("/")
        if request.path.startswith(BASE):
            for method, template, pattern in self._templates:
                found = pattern.fullmatch(path) if method == request.method else None
                if found:
                    return f"{method} {template}", found.groupdict()
        raise ApiError(501, f"Method '{request.method} {path}' not implemented")

    def _check_right(self, call: str, values: dict[str, str]) -> None:
        """Before the parameters are looked at, and before the call goes on to its node."""
        right = RIGHTS.get(call)
        if right:
            self._lab.world.settle()
            with self._lab.lock:
                path = right.path.format(**values)
                self._cluster.access.check(path, *right.privileges, any=right.any)

    def _check_node(self, name: str | None) -> None:
        if name is None:
            return
        node = self._cluster.nodes.get(name)
        if node is None:
            raise failure(
                f"hostname lookup '{name}' failed - failed to get address info for: {name}: Name not known"
            )
        if not node.up:
            raise ApiError(595, "No route to host")

    def _check_quorum(self, request: Request) -> None:
        reads = request.method == "GET" or request.path.endswith(WITHOUT_QUORUM)
        if not reads and not self._cluster.quorate():
            raise failure(NO_QUORUM)


def _pattern(template: str) -> re.Pattern[str]:
    """A volume may have slashes in it (pve-storage 9.1.7, API2/Storage/Status.pm:37, fragmentDelimiter)."""
    parts = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return re.compile(parts.replace("(?P<volume>[^/]+)", "(?P<volume>.+)"))


def _parameters(request: Request) -> dict[str, str]:
    """Query of GET and DELETE, form or JSON body of POST and PUT."""
    if request.method in ("GET", "DELETE"):
        if request.body:
            raise ApiError(501, f"Unexpected content for method '{request.method}'")
        return {name: values[-1] for name, values in request.query.items()}
    if request.headers.get("Content-Type", "").startswith("application/json"):
        return _json_parameters(request)
    return {name: values[-1] for name, values in {**request.query, **request.form()}.items()}


def _together(given: dict[str, str], path: dict[str, str]) -> dict[str, str]:
    for name, value in path.items():
        if given.get(name, value) != value:
            text = "duplicate parameter (already defined in URI) with conflicting values!"
            raise BadParameter({name: text})
    return {**given, **path}


def _json_parameters(request: Request) -> dict[str, str]:
    try:
        body = request.json() if request.body else {}
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise failure("malformed JSON string") from error
    if not isinstance(body, dict):
        raise failure("malformed JSON string, an object is needed")
    return {
        name: str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in body.items()
        if value is not None
    }


def _failed(status: int, message: str, errors: dict[str, str] | None = None) -> Response:
    """A failure: the message's first line as reason phrase. Errors close the connection; those of the web
    server itself (401, 501, 595) have no body."""
    reason = message.partition("\n")[0]
    if status in (401, 501, 595):
        return Response(status, b"", reason=reason, close=True)
    body: dict[str, Any] = {"data": None, "message": f"{message}\n"}
    if errors:
        body["errors"] = errors
    return Response(status, body, reason=reason, close=True)
