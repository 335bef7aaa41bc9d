"""Snapshots of containers."""

from dataclasses import dataclass

from nodepoint.clients.errors import NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.values import integer, required, text, upid


@dataclass(frozen=True)
class Snapshot:
    """`snaptime` in epoch seconds; `snapstate` "prepare" or "delete" marks one that cannot be rolled back
    to."""

    name: str
    snaptime: int
    parent: str
    description: str
    snapstate: str


class Snapshots(Calls):
    """All but the list answer with the UPID of a task; most refusals are found only in its exit status."""

    def snapshots(self, node: str, vmid: int) -> list[Snapshot]:
        """The container's snapshots, oldest first, without the pseudo entry `current`."""
        found = [
            Snapshot(
                name=required(row, "name"),
                snaptime=integer(row.get("snaptime")),
                parent=text(row.get("parent")),
                description=text(row.get("description")).rstrip("\n"),
                snapstate=text(row.get("snapstate")),
            )
            for row in self._get_rows("name", "nodes", node, "lxc", vmid, "snapshot")
            if row["name"] != "current"
        ]
        return sorted(found, key=lambda snapshot: snapshot.snaptime)

    def create_snapshot(self, node: str, vmid: int, name: str, description: str = "") -> str:
        """Begins a snapshot; crash-consistent, the container goes on. A taken name shows in the exit
        status."""
        return upid(
            self._post("nodes", node, "lxc", vmid, "snapshot", snapname=name, description=description or None)
        )

    def delete_snapshot(self, node: str, vmid: int, name: str) -> str | None:
        """Begins to delete a snapshot; None when the container is gone. A missing one shows in the exit
        status."""
        try:
            return upid(self._delete("nodes", node, "lxc", vmid, "snapshot", name))
        except NotFound:
            return None

    def rollback(self, node: str, vmid: int, name: str) -> str:
        """Begins to roll back to a snapshot. It kills the container first, leaves it stopped, and restores
        its whole configuration of that time. ZFS refuses all but the newest one (exit status, nothing
        touched)."""
        return upid(self._post("nodes", node, "lxc", vmid, "snapshot", name, "rollback"))
