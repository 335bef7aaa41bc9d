"""Who may do what: ACLs by path, and privileges of a pool (RPCEnvironment.pm, compile_acl_path)."""

from typing import Any

from tests.independent.pve.refusals import forbid

CONTAINERS = [
    "VM.Allocate",
    "VM.Audit",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Backup",
    "VM.Migrate",
    *(f"VM.Config.{part}" for part in ("CPU", "Disk", "Memory", "Network", "Options")),
]
BRIDGE = "/sdn/zones/localnetwork/vmbr1"


class Permissions:
    """Of the one token. `acl`: path → {privilege: propagates}; `members`: VMID → pool."""

    def __init__(self, members: dict[int, str]) -> None:
        self.acl: dict[str, dict[str, bool]] = {}
        self._members = members
        self.tag_access = "free"
        self.everything()

    def everything(self) -> None:
        """What a hosting token needs, on the whole cluster."""
        self.acl = {}
        self.grant("/", "Sys.Audit", "Sys.Console")
        self.grant("/vms", *CONTAINERS)
        self.grant("/pool/nodepoint", "Pool.Audit", "Pool.Allocate", "VM.Allocate", "VM.Audit")
        for storage in ("global-lvm", "local", "local-zfs"):
            self.grant(f"/storage/{storage}", "Datastore.AllocateSpace", "Datastore.Audit")
        self.grant(BRIDGE, "SDN.Use")

    def by_pool(self) -> None:
        """As narrow as it goes: containers by their pool, but for those that are in none yet."""
        del self.acl["/vms"]
        self.grant("/pool/nodepoint", "Pool.Audit", "Pool.Allocate", *CONTAINERS)
        self.grant("/vms", "VM.Audit", "VM.Config.Options")

    def grant(self, path: str, *privileges: str) -> None:
        """A role with these on this path, with propagation; whatever stood there goes."""
        self.acl[path] = dict.fromkeys(privileges, True)

    def revoke(self, path: str, privilege: str) -> None:
        """Take one away again."""
        del self.acl[path][privilege]

    def held(self, path: str) -> dict[str, bool]:
        """Privileges on a path, each with its propagate flag, which those of a pool never have."""
        found = self._own(path)
        if path.startswith("/vms/") and (pool := self._members.get(int(path.removeprefix("/vms/")))):
            for privilege in self._own(f"/pool/{pool}"):
                found.setdefault(privilege, False)
        return found

    def _own(self, path: str) -> dict[str, bool]:
        """The deepest ACL wins; those above count only if they propagate (AccessControl.pm, roles)."""
        found: dict[str, bool] = {}
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            at = "/" + "/".join(parts[:depth])
            here = {p: far for p, far in self.acl.get(at, {}).items() if far or depth == len(parts)}
            if here:
                found = dict(here)
        return found

    def may(self, path: str, *privileges: str) -> bool:
        """Whether all of these are held."""
        return set(privileges) <= set(self.held(path))

    def check(self, path: str, *privileges: str, any_of: bool = False) -> None:
        """Refusal 403 that names the first one missing (check), or all of them (check_any)."""
        missing = [p for p in privileges if p not in self.held(path)]
        if any_of and len(missing) == len(privileges):
            forbid(path, *privileges)
        if missing and not any_of:
            forbid(path, missing[0])

    def check_guest(self, vmid: int, pool: str | None, *privileges: str) -> None:
        """check_vm_perm: on the pool of a creation, else on the guest."""
        if not (pool and self.may(f"/pool/{pool}", *privileges)):
            self.check(f"/vms/{vmid}", *privileges)

    def check_call(self, rule: dict[str, Any], variables: dict[str, str]) -> None:
        """What the schema of a call asks for."""
        if not (check := rule.get("check")):
            return
        kind, path, privileges, *options = check
        assert kind == "perm", check
        self.check(path.format(**variables), *privileges, any_of=bool(options))

    def check_tags(self, vmid: int, old: set[str], new: set[str]) -> None:
        """PVE/GuestHelpers.pm, assert_tag_permissions: on the guest, never on the pool."""
        self.check(f"/vms/{vmid}", "VM.Config.Options")
        if self.tag_access != "free" and not self.may("/", "Sys.Modify"):
            for tag in sorted(old ^ new):
                forbid("/", f"Sys.Modify for modifying tag '{tag}'")

    def dump(self, path: str | None) -> dict[str, dict[str, int]]:
        """GET /access/permissions (PVE/RPCEnvironment.pm, get_effective_permissions)."""
        paths = [path] if path else self._known()
        found = {path: {p: int(far) for p, far in self.held(path).items()} for path in paths}
        return {path: held for path, held in found.items() if held}

    def _known(self) -> list[str]:
        top = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"]
        return list(dict.fromkeys([*top, *self.acl, *(f"/vms/{vmid}" for vmid in self._members)]))
