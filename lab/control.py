"""The control calls under /_lab/: look at the lab's state, order failures, take nodes away, change DNS and
speed."""

import json
from typing import TYPE_CHECKING, Any

from lab.faults import BadFault
from lab.proxmox.state.model import Stranger
from lab.proxmox.state.storages import STORAGES
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
            "POST /_lab/rights": self._rights,
            "POST /_lab/datacenter": self._datacenter,
            "POST /_lab/stranger": self._stranger,
            "POST /_lab/storage": self._storage,
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
        order = _body(request, required=("node",), optional=("up", "maintenance"))
        cluster = self._lab.proxmox.cluster
        if not isinstance(order["node"], str) or order["node"] not in cluster.nodes:
            raise BadCall(f"unknown node {order['node']!r}: one of {', '.join(cluster.nodes)}")
        node = cluster.nodes[order["node"]]
        wanted = {name: order.get(name, getattr(node, name)) for name in ("up", "maintenance")}
        for name, value in wanted.items():
            if not isinstance(value, bool):
                raise BadCall(f"{name} must be true or false")
        with self._lab.lock:
            cluster.set_node_up(node.name, wanted["up"])
            cluster.set_node_maintenance(node.name, wanted["maintenance"])
        return {"node": node.name, **wanted}

    def _rights(self, request: Request) -> dict[str, Any]:
        """The token's whole access control list: privileges by path, none at all being NoAccess."""
        order = _body(request, required=("rights",), optional=("propagate",))
        rights, propagate = order["rights"], order.get("propagate", True)
        if not isinstance(rights, dict) or not all(_texts(privileges) for privileges in rights.values()):
            raise BadCall("rights must be an object of lists of privileges by path")
        if not all(path.startswith("/") for path in rights) or not isinstance(propagate, bool):
            raise BadCall("a path begins with a slash, and propagate is true or false")
        access = self._lab.proxmox.cluster.access
        with self._lab.lock:
            access.clear()
            for path, privileges in rights.items():
                access.set(path, privileges, propagate=propagate)
        return {"rights": rights, "propagate": propagate}

    def _datacenter(self, request: Request) -> dict[str, Any]:
        """All options of the datacenter that are not at their default."""
        options = _body(request, required=(), optional=("user-tag-access", "registered-tags"))
        if not _texts(list(options.values())):
            raise BadCall("options are texts as in datacenter.cfg")
        with self._lab.lock:
            self._lab.proxmox.cluster.set_datacenter(options)
        return options

    def _stranger(self, request: Request) -> dict[str, Any]:
        """A guest of somebody else."""
        order = _body(request, required=("vmid", "node"), optional=("name", "type", "hidden"))
        vmid, cluster = order["vmid"], self._lab.proxmox.cluster
        if not isinstance(vmid, int) or order["node"] not in cluster.nodes:
            raise BadCall("vmid must be a number, and node one of the cluster")
        type = order.get("type", "qemu")
        if type not in ("lxc", "qemu"):
            raise BadCall("type must be lxc or qemu")
        with self._lab.lock:
            if taken := cluster.taken(vmid):
                raise BadCall(taken)
            cluster.add_stranger(Stranger(vmid, order["node"], str(order.get("name", f"guest-{vmid}")), type))
            if order.get("hidden"):
                cluster.access.set(f"/vms/{vmid}", [])
        return order

    def _storage(self, request: Request) -> dict[str, Any]:
        """How much is left of a storage, in bytes, whether it is there and can be written, and what its
        configuration says of backups."""
        known = ("online", "writable", "prune-backups", "max-protected-backups")
        order = _body(request, required=("storage",), optional=("free", *known))
        if order["storage"] not in STORAGES or not isinstance(order.get("free", 0), int):
            raise BadCall(f"storage must be one of {', '.join(STORAGES)}, and free a number of bytes")
        options = {name: str(order[name]) for name in known if name in order}
        storage, cluster = STORAGES[order["storage"]], self._lab.proxmox.cluster
        with self._lab.lock:
            if "free" in order:
                cluster.fill(storage, order["free"])
            if options:
                cluster.set_storage(storage, options)
        return order

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


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


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
