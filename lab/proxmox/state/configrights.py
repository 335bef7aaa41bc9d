"""Which privilege each option of a container's configuration needs (pve-container 6.1.10,
src/PVE/LXC.pm:1655-1769)."""

import re
from typing import Any

from lab.proxmox.formats import split_list
from lab.proxmox.state.access import Access, denied
from lab.proxmox.state.inventory import Inventory

BRIDGE_ZONE = "/sdn/zones/localnetwork"
NETWORK = ("nameserver", "searchdomain", "hostname")
CPU, MEMORY = ("cores", "cpuunits", "cpulimit"), ("memory", "swap")


class ConfigRights:
    """What the token may write into a configuration."""

    def __init__(self, access: Access, inventory: Inventory) -> None:
        self._access, self._inventory = access, inventory

    def check(self, vmid: int, pool: str, changes: dict[str, Any], config: dict[str, Any]) -> None:
        """403 unless the token may make these changes to ``config``. ``pool``: the one that a guest in the
        making is going to join; an empty value deletes."""
        for name, value in changes.items():
            old = str(config.get(name, ""))
            if name == "tags":
                self._check_tags(vmid, old, str(value))
            elif name == "features":
                self._check_features(vmid, pool, old, str(value))
            elif name == "hookscript":
                raise denied("changing the hookscript is only allowed for root@pam")
            elif re.fullmatch(r"dev\d+", name):
                raise denied("configuring device passthrough is only allowed for root@pam")
            else:
                self._access.check_guest(vmid, pool, _privilege(name))
            if re.fullmatch(r"net\d+", name):
                self._check_bridge(old)
                self._check_bridge(str(value))

    def allowed_tags(self) -> tuple[set[str], bool]:
        """The tags that the token may set, and whether it may set any other, too."""
        access = split_options(self._inventory.datacenter.get("user-tag-access", ""))
        allow, privileged = access.get("user-allow", "free"), self._access.allows("/", "Sys.Modify")
        allowed: set[str] = set()
        if allow != "none" or privileged:
            allowed |= set(split_list(access.get("user-allow-list", "")))
        if allow in ("free", "existing") or privileged:
            for vmid, tags in self._inventory.tags().items():
                if privileged or self._access.allows(f"/vms/{vmid}", "VM.Audit"):
                    allowed |= set(split_list(tags))
        registered = self._registered()
        return (allowed | registered if privileged else allowed - registered), allow == "free"

    def _registered(self) -> set[str]:
        return set(split_list(self._inventory.datacenter.get("registered-tags", "")))

    def _check_tags(self, vmid: int, old: str, new: str) -> None:
        """On the guest itself, never on the pool that it is going to join (pve-guest-common 6.0.2,
        src/PVE/GuestHelpers.pm, assert_tag_permissions)."""
        self._access.check(f"/vms/{vmid}", "VM.Config.Options")
        if self._access.allows("/", "Sys.Modify"):
            return
        allowed, free = self.allowed_tags()
        for tag in sorted(set(split_list(old)) ^ set(split_list(new))):
            if (tag not in allowed and not free) or tag in self._registered():
                raise denied(f"/, Sys.Modify for modifying tag '{tag}'")

    def _check_features(self, vmid: int, pool: str, old: str, new: str) -> None:
        flags = [split_options(text) for text in (old, new)]
        changed = {name for name in {**flags[0], **flags[1]} if flags[0].get(name) != flags[1].get(name)}
        if changed - {"nesting"}:
            raise denied("changing feature flags (except nesting) is only allowed for root@pam")
        if changed:
            self._access.check_guest(vmid, pool, "VM.Allocate")

    def _check_bridge(self, interface: str) -> None:
        parts = split_options(interface)
        if "bridge" in parts:
            vlan = f"/{parts['tag']}" if "tag" in parts else ""
            self._access.check(f"{BRIDGE_ZONE}/{parts['bridge']}{vlan}", "SDN.Use")


def split_options(text: str) -> dict[str, str]:
    """``nesting=1,keyctl=1`` as an object."""
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def _privilege(name: str) -> str:
    if name in CPU:
        return "VM.Config.CPU"
    if name in MEMORY:
        return "VM.Config.Memory"
    if name == "rootfs" or re.fullmatch(r"mp\d+", name):
        return "VM.Config.Disk"
    if name in NETWORK or re.fullmatch(r"net\d+", name):
        return "VM.Config.Network"
    return "VM.Config.Options"
