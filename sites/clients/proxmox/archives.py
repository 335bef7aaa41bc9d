"""Archives: what `vzdump` makes of a container, and the storages that keep it."""

import re

from nodepoint.clients.errors import NotFound
from sites.clients.proxmox.calls import Calls
from sites.clients.proxmox.errors import SYSTEM
from sites.clients.proxmox.values import required, text, upid

# What in a log of vzdump tells of a cause; its last line alone says "exit code 70".
TELLING = re.compile(r"ERROR|WARN|[Ee]rror|[Cc]annot|[Cc]an't|denied|No space|Read-only")
PREFIX = re.compile(r"^(INFO|ERROR|WARN): ")
MOST_LINES = 4


def complaint(log: list[str]) -> str:
    """The last lines of a log of `vzdump` that tell of a cause, in one; empty: none does."""
    found = [PREFIX.sub("", line) for line in log if TELLING.search(line)]
    return "; ".join(line for line in found[-MOST_LINES:] if not line.startswith("TASK ERROR"))


class Archives(Calls):
    """Calls about backups of containers."""

    def archive(self, node: str, vmid: int, storage: str, notes: str, mode: str = "stop") -> str:
        """Begins to write a container's whole root file system into an archive on `storage`, which must take
        backups; answers the UPID. It is found among the storage's contents by its `notes`, one line without
        backslashes and double braces.

        `mode`: `stop` for a container that is stopped, which needs no snapshots; `snapshot` for one that may
        run: where its storage can take none, Proxmox copies the files and freezes it for a moment
        (pve-manager 9.2.11 `PVE/VZDump.pm:1083`). One at a time is made on a node; others wait as running
        tasks, up to three hours (`VZDump.pm:758`). A failure says no more than "job errors"; the words stand
        in the task's log (`complaint`). `NotFound` when the container is on another node, of which
        Proxmox says `OK` without doing anything.
        """
        answer = self._post(
            "nodes",
            node,
            "vzdump",
            vmid=vmid,
            storage=storage,
            mode=mode,
            compress="zstd",
            # The storage's rules would take earlier backups of that VMID with it, whosever they are.
            remove=False,
            **{"notes-template": notes},
        )
        if answer == "OK":
            raise NotFound(SYSTEM, f"container {vmid} is not on {node}")
        return upid(answer)

    def stop_task(self, task: str) -> None:
        """Has a task ended by a signal; `vzdump` takes its lock and its snapshot off then. One that has ended
        is fine."""
        self._delete("nodes", upid(task).split(":")[1], "tasks", task)

    def set_notes(self, node: str, volid: str, notes: str) -> None:
        """Writes the notes of an archive. `NotFound` when it is gone."""
        self._put(*_volume(node, volid), notes=notes)

    def delete_archive(self, node: str, volid: str) -> str:
        """Begins to delete an archive; answers the UPID. A protected one is refused in the task. Of one that
        is gone a folder says nothing, and a Proxmox Backup Server an error."""
        return upid(self._delete(*_volume(node, volid)))

    def own_retention(self, node: str, storage: str) -> str:
        """What a storage keeps by its own configuration (`keep-daily=7`), empty where it keeps all: a backup
        fails where there are as many already."""
        data = self._get_dict("nodes", node, "vzdump", "defaults", storage=storage)
        kept = text(data.get("prune-backups"))
        return "" if kept.startswith("keep-all") else kept


def _volume(node: str, volid: str) -> tuple[str, ...]:
    """The path of a volume; its name may have slashes (pve-storage 9.1.7 `API2/Storage/Status.pm:37`)."""
    storage = required({"storage": volid.partition(":")[0]}, "storage")
    return ("nodes", node, "storage", storage, "content", *volid.split("/"))
