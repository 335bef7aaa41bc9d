"""The HA manager: it works in rounds, on what was noted before (pve-ha-manager, Manager.pm and LRM.pm)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.independent.pve.refusals import die

if TYPE_CHECKING:
    from tests.independent.pve.cluster import Cluster, Guest


PATIENCE = 60.0  # seconds


@dataclass
class Service:
    """How the manager sees a container: `state` stopped, started, request_stop, error."""

    node: str
    state: str
    command: str = ""
    failures: int = 0
    asked: float = 0.0  # when the node began to wait for the guest's end
    running: bool = False


class Manager:
    """`resources`: what is wished, by VMID; `services`: what the manager makes of it."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster
        self.resources: dict[int, dict[str, Any]] = {}
        self.services: dict[int, Service] = {}

    def managed(self, vmid: int) -> bool:
        """PVE::HA::Config::vm_is_ha_managed: power goes through the manager."""
        return vmid in self.resources and self.resources[vmid]["state"] != "ignored"

    def error(self, vmid: int, running: bool = False) -> None:
        """Starts in vain have led to the state `error`; the wish is still `started`."""
        guest = self._cluster.guests[vmid]
        guest.running = running
        self.services[vmid] = Service(guest.node, "error")

    def refuse_in_error(self, vmid: int, state: str | None = None) -> None:
        """API2/HA/Resources.pm, check_service_state."""
        if self._in_error(vmid) and state != "disabled":
            die(f"service 'ct:{vmid}' in error state, must be disabled and fixed first")

    def _in_error(self, vmid: int) -> bool:
        return vmid in self.services and self.services[vmid].state == "error"

    def command(self, vmid: int, wish: str) -> str:
        """`hastart` and `hastop` only leave a note; returns the exit status of the task."""
        if self._in_error(vmid):
            words = f"set ct:{vmid} --state started" if wish == "started" else f"crm-command stop ct:{vmid} 0"
            return f"command 'ha-manager {words}' failed: exit code 255"
        if wish == "started":
            self.resources[vmid]["state"] = "started"
        else:
            self.services.setdefault(vmid, self._seen(vmid)).command = "stop"
        return "OK"

    def round(self) -> None:
        """Both daemons once. What is no resource any more is forgotten, and with it what was asked of it."""
        seen = {vmid: resource for vmid, resource in self.resources.items() if resource["state"] != "ignored"}
        for vmid in set(self.services) - set(seen):
            del self.services[vmid]
        for vmid, resource in seen.items():
            guest = self._cluster.guests.get(vmid)
            if guest is not None and self._cluster.nodes[guest.node]:
                service = self.services.setdefault(vmid, self._seen(vmid))
                service.node = guest.node
                getattr(self, f"_when_{service.state}")(guest, resource, service)

    def _seen(self, vmid: int) -> Service:
        """A resource that the manager meets for the first time."""
        guest = self._cluster.guests[vmid]
        started = self.resources[vmid]["state"] == "started"
        return Service(guest.node, "started" if started else "request_stop")

    def _when_stopped(self, guest: "Guest", resource: dict[str, Any], service: Service) -> None:
        service.command = ""
        if resource["state"] == "started":
            service.state = "started"
        elif guest.running and "lock" not in guest.config:
            self._shutdown(guest, service)  # by the node's LRM, whatever the manager has made of it

    def _when_started(self, guest: "Guest", resource: dict[str, Any], service: Service) -> None:
        if service.command == "stop":
            resource["state"] = "stopped"
        if resource["state"] in ("stopped", "disabled"):
            service.state, service.command, service.running = "request_stop", "", False
        elif not guest.running:
            self._start(guest, resource, service)
        else:
            service.running, service.failures = True, 0

    def _start(self, guest: "Guest", resource: dict[str, Any], service: Service) -> None:
        if "lock" not in guest.config:
            guest.running, guest.since = True, self._cluster.tasks.now()
            return
        service.failures += 1
        if service.failures > resource["max_restart"] + resource["max_relocate"]:
            service.state = "error"

    def _when_request_stop(self, guest: "Guest", resource: dict[str, Any], service: Service) -> None:
        if guest.running and "lock" in guest.config:
            service.state = "error"  # its stop failed (next_state_request_stop)
            return
        if self._shutdown(guest, service):
            service.state = "stopped"
        elif not guest.busy(self._cluster.tasks.now()):
            service.state = "error"

    def _shutdown(self, guest: "Guest", service: Service) -> bool:
        """Whether it has ended. It gets a minute and is not killed then (Resources/PVECT.pm, shutdown); its
        lock file is held meanwhile (API2/LXC/Status.pm, vm_shutdown)."""
        if not guest.stubborn:
            guest.stop()
            return True
        now = self._cluster.tasks.now()
        if not guest.busy(now) and (not service.asked or service.state == "stopped"):
            guest.held_until, service.asked = now + PATIENCE, now
        return False

    def _when_error(self, guest: "Guest", resource: dict[str, Any], service: Service) -> None:
        if resource["state"] == "disabled":
            service.state, service.failures = "stopped", 0

    def verbose(self, vmid: int) -> str:
        """HA/Tools.pm, get_verbose_service_state."""
        wish, service = self.resources[vmid]["state"], self.services.get(vmid)
        if wish == "ignored":
            return "ignored"
        if service is None:
            return "queued"
        if service.state == "stopped":
            return {"started": "starting", "disabled": "disabled"}.get(wish, "stopped")
        if service.state == "started":
            if not service.running:
                return "starting"
            return "stopping" if wish in ("stopped", "disabled") else "started"
        if service.state == "error" and wish == "disabled":
            return "clearing error flag"
        return service.state
