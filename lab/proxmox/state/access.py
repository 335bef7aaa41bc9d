"""What the token may do: its access control list along paths and pools, as pve-access-control computes it."""

from collections.abc import Iterable
from typing import Any, Protocol

from lab.proxmox.errors import ApiError
from lab.store import Store

PRIVILEGES = (
    *(f"VM.{name}" for name in ("Allocate", "Audit", "Backup", "Clone", "Console", "Migrate", "PowerMgmt")),
    *(f"VM.Config.{name}" for name in ("CPU", "Disk", "Memory", "Network", "Options")),
    *("VM.Snapshot", "VM.Snapshot.Rollback", "Datastore.AllocateSpace", "Datastore.Audit", "SDN.Use"),
    *("Pool.Audit", "Pool.Allocate", "Sys.Audit", "Sys.Console", "Sys.Modify"),
)
TOP_PATHS = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")

TOUCHED = ""
"""Stands in the store once the list was changed by hand, so that an empty one stays empty."""

Entry = dict[str, Any]
"""``privileges``: a list, empty for the role NoAccess; ``propagate``: 1 for the paths below, too."""


class Pools(Protocol):
    """Which guest is in which pool."""

    def pool_of(self, vmid: int) -> str:
        """The guest's pool; empty without one."""

    def members(self) -> Iterable[int]:
        """The VMIDs of all guests that are in a pool."""


class Access:
    """The list of the one token, by path. Its user may do everything everywhere, so the token's own list is
    what counts (privilege separation).

    ``pools``: the pool of each guest that is in one, by VMID.
    """

    def __init__(self, store: Store, pools: Pools) -> None:
        self._store, self._pools = store, pools
        self._entries: dict[str, Entry] = store.load("acl")
        if not self._entries:
            self.set("/", PRIVILEGES)
        self._entries.pop(TOUCHED, None)

    def set(self, path: str, privileges: tuple[str, ...] | list[str], *, propagate: bool = True) -> None:
        """Give the token a role on a path, in place of the one before; none at all is NoAccess."""
        self._entries[path] = {"privileges": list(privileges), "propagate": int(propagate)}
        self._store.save("acl", path, self._entries[path])

    def clear(self) -> None:
        """Take every role away from the token."""
        self._store.save("acl", TOUCHED, {})
        for path in list(self._entries):
            del self._entries[path]
            self._store.delete("acl", path)

    def permissions(self, path: str) -> dict[str, int]:
        """Privileges on a path with their propagate flag, which those from a pool never have."""
        entry = self._entry(path)
        found = dict.fromkeys(entry["privileges"], int(entry["propagate"])) if entry else {}
        pool = self._pool_of(path)
        if not pool or (entry and not entry["privileges"]):
            return found
        pool_entry = self._entry(f"/pool/{pool}")
        if pool_entry and not pool_entry["privileges"]:
            return {}
        return {**dict.fromkeys(pool_entry["privileges"] if pool_entry else (), 0), **found}

    def effective(self) -> dict[str, dict[str, int]]:
        """Every path that has a name of its own and on which the token may do something."""
        named = {*TOP_PATHS, *(f"/vms/{vmid}" for vmid in self._pools.members())}
        for path in self._entries:
            named |= set(_prefixes(path))
        return {path: found for path in sorted(named) if (found := self.permissions(path))}

    def allows(self, path: str, *privileges: str, any: bool = False) -> bool:
        """Whether the token has all of the privileges (or any of them) there."""
        have = self.permissions(path)
        held = [privilege in have for privilege in privileges]
        return True in held if any else False not in held

    def check(self, path: str, *privileges: str, any: bool = False) -> None:
        """403 in Proxmox's words: for the first privilege that is missing, or for all of which one would
        do."""
        if not self.allows(path, *privileges, any=any):
            missing = [name for name in privileges if not self.allows(path, name)]
            raise denied(f"{path}, {'|'.join(privileges) if any else missing[0]}")

    def check_guest(self, vmid: int, pool: str, *privileges: str) -> None:
        """For a guest in the making: its pool-to-be counts, too."""
        if not pool or not self.allows(f"/pool/{pool}", *privileges):
            self.check(f"/vms/{vmid}", *privileges)

    def _entry(self, path: str) -> Entry | None:
        """The role that counts on a path: the deepest one that is set there or propagates to there."""
        reaching = [
            entry
            for prefix in _prefixes(path)
            if (entry := self._entries.get(prefix)) and (prefix == path or entry["propagate"])
        ]
        return reaching[-1] if reaching else None

    def _pool_of(self, path: str) -> str:
        vmid = path.removeprefix("/vms/")
        return self._pools.pool_of(int(vmid)) if vmid.isdigit() else ""


def denied(what: str) -> ApiError:
    """The 403 of a missing permission."""
    return ApiError(403, f"Permission check failed ({what})")


def _prefixes(path: str) -> list[str]:
    """``/``, ``/vms``, ``/vms/907``."""
    parts = [part for part in path.split("/") if part]
    return ["/", *("/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1))]
