"""High availability: which containers the HA manager keeps alive, and what it makes of that."""

from dataclasses import dataclass

from nodepoint.clients.errors import BadAnswer, NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.errors import SYSTEM
from sites.clients.proxmox.values import integer, required, text


@dataclass(frozen=True)
class HaResource:
    """What is wished: `state` started, stopped, disabled or ignored."""

    sid: str
    state: str
    comment: str
    max_restart: int
    max_relocate: int


@dataclass(frozen=True)
class HaService:
    """What is: `state` as the HA manager shows it (started, stopped, request_stop, error, fence, recovery,
    …)."""

    sid: str
    vmid: int
    node: str
    state: str
    crm_state: str
    request_state: str


class HighAvailability(Calls):
    """HA resources of containers. Writes take effect in the manager's rounds, some 10 to 30 s later."""

    def ha_resource(self, vmid: int) -> HaResource | None:
        """The HA resource of a container, None when it is not HA-managed."""
        try:
            data = self._get_dict("cluster", "ha", "resources", f"ct:{vmid}")
        except NotFound:
            return None
        sid = text(data.get("sid"), f"ct:{vmid}")
        if sid != f"ct:{vmid}":
            raise BadAnswer(SYSTEM, f"asked for ct:{vmid}, and it answers {sid}")
        state = text(data.get("state"), "started")
        return HaResource(
            sid=sid,
            state="started" if state == "enabled" else state,  # the older word (Resources.pm)
            comment=text(data.get("comment")),
            max_restart=integer(data.get("max_restart"), 1),
            max_relocate=integer(data.get("max_relocate"), 1),
        )

    def add_ha_resource(self, vmid: int, state: str = "started", comment: str = "") -> None:
        """Puts a container under HA. `started` starts it. `Conflict` when it already is one."""
        self._post("cluster", "ha", "resources", sid=f"ct:{vmid}", state=state, comment=comment or None)

    def set_ha_resource(self, vmid: int, state: str, comment: str | None = None) -> None:
        """Wishes another state; `comment` None leaves what is there, empty takes it away. `NotFound` when it
        is not HA-managed, `Conflict` in HA state "error"."""
        delete = "comment" if comment == "" else None
        path = ("cluster", "ha", "resources", f"ct:{vmid}")
        self._put(*path, state=state, comment=comment or None, delete=delete)

    def remove_ha_resource(self, vmid: int) -> None:
        """Takes a container out of HA and leaves it as it is; one that is not in it is fine. A stop that was
        only requested is lost thereby."""
        try:
            self._delete("cluster", "ha", "resources", f"ct:{vmid}")
        except NotFound:
            return

    def nodes_in_maintenance(self) -> frozenset[str]:
        """Nodes that people have put into HA's maintenance mode: `node1 (maintenance mode, watchdog standby,
        …)` (pve-ha-manager 5.2, `API2/HA/Status.pm`: 265 ff., the resource manager's own row of each)."""
        rows = self._get_rows("id", "cluster", "ha", "status", "current")
        managers = [row for row in rows if row.get("type") == "lrm"]
        return frozenset(
            text(row.get("node")) for row in managers if "(maintenance mode" in text(row.get("status"))
        )

    def ha_status(self) -> list[HaService]:
        """The manager's view of all HA-managed containers."""
        rows = self._get_rows("id", "cluster", "ha", "status", "current")
        return [
            HaService(
                sid=row["sid"],
                vmid=integer(required({"vmid": row["sid"].partition(":")[2]}, "vmid")),
                node=text(row.get("node")),
                state=text(row.get("state")),
                crm_state=text(row.get("crm_state")),
                request_state=text(row.get("request_state")),
            )
            for row in rows
            if row.get("type") == "service" and text(row.get("sid")).startswith("ct:")
        ]
