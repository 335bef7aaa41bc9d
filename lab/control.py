"""The control calls under /_lab/: look at the lab's state, order failures, take nodes away, change DNS and
speed."""

import json
from typing import TYPE_CHECKING, Any

from lab.faults import BadFault
from lab.server import Request, Response, Server, Wire, serve

if TYPE_CHECKING:
    from lab import Lab

RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT")


class BadCall(ValueError):
    """The call makes no sense; the text says why."""


class Control(Wire):
    """Answers every call with a JSON object; what it cannot do with 400 or 404 and an ``error`` sentence."""

    settings: dict[str, str] = {}
    server: Server

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._calls = {
            "GET /_lab/state": self._state,
            "GET /_lab/faults": self._faults,
            "POST /_lab/faults": self._add_fault,
            "DELETE /_lab/faults": self._clear_faults,
            "POST /_lab/node": self._node,
            "POST /_lab/dns": self._dns,
            "POST /_lab/speed": self._speed,
        }

    @property
    def url(self) -> str:
        """The base of the control calls."""
        return self.server.url

    def state_view(self) -> None:
        """The control calls have no state of their own."""

    def stop(self) -> None:
        """Stop listening."""
        self.server.stop()

    def duration(self, request: Request) -> str:
        """Control calls take no time at all, whatever the factor."""
        return "none"

    def answer(self, request: Request) -> Response:
        """Do one control call."""
        path = request.path.rstrip("/")
        call = self._calls.get(f"{request.method} {path}")
        if call is None:
            return Response(
                404, {"error": f"No such call: {request.method} {path}. There are: {', '.join(self._calls)}."}
            )
        try:
            return Response(200, call(request))
        except (BadCall, BadFault) as error:
            return Response(400, {"error": f"{error}."})

    def _state(self, request: Request) -> dict[str, Any]:
        lab = self._lab
        with lab.lock:
            views = {
                "proxmox": lab.proxmox.state_view(),
                "cloudflare": lab.cloudflare.state_view(),
                "npm": lab.npm.state_view(),
                "ispconfig": lab.ispconfig.state_view(),
            }
            return {**views, "requests": dict(lab.requests)}

    def _faults(self, request: Request) -> dict[str, Any]:
        return {"faults": self._lab.faults.view()}

    def _add_fault(self, request: Request) -> dict[str, Any]:
        order = _body(request, required=("system", "kind"), optional=("count", "match", "seconds"))
        self._lab.faults.add(**order)
        return self._faults(request)

    def _clear_faults(self, request: Request) -> dict[str, Any]:
        self._lab.faults.clear()
        return self._faults(request)

    def _node(self, request: Request) -> dict[str, Any]:
        order = _body(request, required=("node", "up"))
        cluster = self._lab.proxmox.cluster
        if not isinstance(order["node"], str) or order["node"] not in cluster.nodes:
            raise BadCall(f"unknown node {order['node']!r}: one of {', '.join(cluster.nodes)}")
        if not isinstance(order["up"], bool):
            raise BadCall("up must be true or false")
        with self._lab.lock:
            cluster.set_node_up(order["node"], order["up"])
        return {"node": order["node"], "up": order["up"]}

    def _dns(self, request: Request) -> dict[str, Any]:
        order = _body(request, required=("name", "type"), optional=("values",))
        name, type, values = order["name"], order["type"], order.get("values") or []
        if not isinstance(name, str) or not name.strip("."):
            raise BadCall("name must be a host name")
        if not isinstance(type, str) or type.upper() not in RECORD_TYPES:
            raise BadCall(f"type must be one of {', '.join(RECORD_TYPES)}")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadCall("values must be a list of texts")
        try:
            self._lab.dns.set(name, type.upper(), values)
        except ValueError as error:
            raise BadCall(str(error).rstrip(".")) from error
        return {"name": name, "type": type.upper(), "values": values}

    def _speed(self, request: Request) -> dict[str, Any]:
        factor = _body(request, required=("factor",))["factor"]
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 <= factor <= 100:
            raise BadCall("factor must be a number from 0 to 100")
        self._lab.clock.factor = float(factor)
        return {"factor": self._lab.clock.factor}


def _body(request: Request, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        body = request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadCall("the body is no JSON") from error
    if not isinstance(body, dict):
        raise BadCall("the body must be a JSON object")
    for name in required:
        if name not in body:
            raise BadCall(f"{name} is missing")
    for name in body:
        if name not in required + optional:
            raise BadCall(f"unknown field {name!r}: this call takes {', '.join(required + optional)}")
    return body


def start(lab: "Lab", port: int) -> Control:
    """Serve the control calls on ``port`` (0: the remembered one, else a free one)."""
    control = Control(lab)
    control.server = serve("control", control, lab, port=port)
    return control
