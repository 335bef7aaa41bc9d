"""What Proxmox VE says, as an error of our family.

Most failures are a status 500 whose reason phrase is the only key, and the same texts come back as the
exit status of a task. Both ways lead through one table, so that a step need not know when the error was
found.
"""

import re
from collections.abc import Mapping

from proxmoxer import ResourceException

from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)

SYSTEM = "proxmox"


class StorageFull(Refused):
    """The storage cannot take more. No repeat helps within minutes: staff make room, or name another one."""

    fact = "has no room left on the storage of the sites"


class BackingUp(Busy):
    """A backup of the container is at work, with a lock and a snapshot of its own, for minutes or hours."""

    fact = "is making a backup of the container"
    in_line = True


class StorageAway(Busy):
    """A storage does not answer: others may."""

    fact = "does not reach its storage"


# How each kind of storage says that it is full, at once or in the exit status of a task. pve-storage 9.1.7
# where a file is named; else the tool's own words, which Proxmox VE hands on.
FULL: Mapping[str, tuple[str, ...]] = {
    "LVM": (
        r"not enough free space \(",
        r"[Ii]nsufficient (suitable )?(free|allocatable)",
    ),  # LVMPlugin.pm:713
    "thin pool": (
        r"[Ff]ree space in thin pool .* reached threshold",
        r"thin pool .* (is full|out of data space)",
    ),
    "ZFS": (r"\bout of space\b",),
    # linstor-server: ApiRcException of the autoplacer, and of a snapshot that is restored (issues 494, 409)
    "LINSTOR": (r"Not enough (available nodes|nodes fulfilling|free (space|storage))",),
    "Ceph": (r"pool .* is full|\(28\) No space left|[Dd]isk quota exceeded",),
    "directory": (r"[Nn]o space left on device|not enough free space",),  # also what NFS says
    "NFS": (r"[Dd]isk quota exceeded|EDQUOT",),
}

# First match wins. Texts of pve-container, -guest-common, -storage, -cluster, -ha-manager, 8.4 and 9.x.
TEXTS: tuple[tuple[str, type[ClientError]], ...] = (
    (r"[Cc]onfiguration file '.*' does not exist", NotFound),
    (r"snapshot '.*' does not exist|no such (resource|task)|not HA managed|no rule at position", NotFound),
    (r"already exists|already defined|already used|already running|not running", Conflict),
    (r"is already a pool member|belongs already to pool", Conflict),
    (r"used in HA resources|in error state, must be disabled|target is local node", Conflict),
    (r"is locked \(backup\)", BackingUp),
    # pve-storage 9.1.7, Storage.pm:1354, PBSPlugin.pm (activate_storage); pve-manager, VZDump.pm:693
    (r"storage '.*' is not online|error fetching datastores|Stale file handle", StorageAway),
    (r"Read-only file system", Refused),
    (r"max backup limit|cannot remove protected|number of protected backups", Refused),
    *((pattern, StorageFull) for patterns in FULL.values() for pattern in patterns),
    (r"is locked|got timeout|got lock request timeout|guest migration lock", Busy),
    (r"Can't connect to destination address", Busy),
    (r"no quorum|container is running|did not stop|detected modified configuration", Busy),
    (r"got no worker upid|starting worker failed|unable to fork worker", Busy),
    (r"snapshot feature is not available|not most recent snapshot|protection mode", Refused),
    (r"shrink|Permission check failed|groups? (have|has) been migrated|not been migrated", Refused),
    (r"hostname lookup '.*' failed|storage '.*' does not exist|volume '.*' does not exist", Refused),
    (r"can't start a CT if it's a template|no options specified|unable to hotplug", Refused),
    (r"no such cluster node|is not available on node|is disabled|does not support CT rootdirs", Refused),
    (r"non-migratable snapshot|cannot migrate local|content type 'rootdir' is not available", Refused),
    (r"incomplete snapshot|unable to parse .* volume name|wrong content type", Refused),
    (r"unexpected status|interrupted by signal", BadAnswer),
)
TABLE = tuple((re.compile(pattern), kind) for pattern, kind in TEXTS)

# 595 to 599 come from pveproxy's own client: only with 595 it is certain that the other node was not asked.
STATUSES: Mapping[int, type[ClientError]] = {
    **dict.fromkeys((400, 401, 403, 501), Refused),
    404: NotFound,
    429: Busy,
    595: Unreachable,
    **dict.fromkeys((596, 597, 598, 599), TimedOut),
}


def by_text(text: str) -> type[ClientError] | None:
    """The class of error that this text of Proxmox VE stands for."""
    return next((kind for pattern, kind in TABLE if pattern.search(text)), None)


def task_error(exitstatus: str) -> ClientError:
    """The error for the exit status of a failed task; an unknown text is a `BadAnswer` (outcome unknown)."""
    return (by_text(exitstatus) or BadAnswer)(SYSTEM, exitstatus)


def http_error(error: ResourceException) -> ClientError:
    """The error for an HTTP status of 400 and above: the texts first, then the status."""
    fields = "; ".join(f"{name}: {text}" for name, text in (error.errors or {}).items())
    text = f"{error.content} {fields}".strip()
    status = error.status_code
    kind = STATUSES.get(status)
    if status == 500 or kind is Refused:
        # A refusal of a parameter is one whatever it says, but for what merely stands there or is gone.
        named = by_text(text)
        kind = named if status == 500 or named in (Conflict, NotFound, Busy, BackingUp) else kind
    return (kind or BadAnswer)(SYSTEM, f"{status} {text}")
