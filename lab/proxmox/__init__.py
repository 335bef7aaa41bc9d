"""A simulated Proxmox VE cluster of three nodes, 9.2 or 8.4; the real proxmoxer talks to it."""

import uuid
from typing import TYPE_CHECKING, Any

from lab.proxmox.state.cluster import Cluster
from lab.proxmox.state.model import TEMPLATES
from lab.proxmox.wire import ProxmoxWire
from lab.server import serve

if TYPE_CHECKING:
    from lab import Lab

USER = "api@pam"
TOKEN_NAME = "nodepoint"  # noqa: S105 - a name, not a secret


class Proxmox:
    """The running cluster: ``cluster`` is its state, ``settings`` what NodePoint needs to reach it."""

    def __init__(self, lab: "Lab", release: str) -> None:
        with lab.lock:
            secret = lab.store.load("proxmox").get("token") or str(uuid.uuid4())
            lab.store.save("proxmox", "token", secret)
            self.cluster = Cluster(lab, release)
        self._wire = ProxmoxWire(lab, self.cluster, USER, TOKEN_NAME, secret)
        self._server = serve("proxmox", self._wire, lab, tls=lab.keys.tls)
        self.settings: dict[str, str] = {
            "PROXMOX_HOST": f"{lab.address}:{self._server.port}",
            "PROXMOX_USER": USER,
            "PROXMOX_TOKEN_NAME": TOKEN_NAME,
            "PROXMOX_TOKEN_VALUE": secret,
            "PROXMOX_VERIFY_TLS": str(lab.keys.ca_file),
            "PROXMOX_NODES": "node1,node2,node3",
            "PROXMOX_HOME_NODE": "node1",
            "PROXMOX_STORAGE": "global-lvm",
            "PROXMOX_TEMPLATE": next(iter(TEMPLATES)),
            "PROXMOX_POOL": "nodepoint",
            "PROXMOX_BRIDGE": "vmbr1",
            "PROXMOX_CONCURRENCY": "10",
            "PROXMOX_CREATES": "64",
        }

    def state_view(self) -> dict[str, Any]:
        """Containers, HA resources, tasks and nodes."""
        return self.cluster.state_view()

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()


def start(lab: "Lab", release: str) -> Proxmox:
    """Start the cluster with the state of the lab's store, as Proxmox VE ``release`` (8.4 or 9.2)."""
    return Proxmox(lab, release)
