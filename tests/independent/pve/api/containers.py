"""Making, changing and destroying containers (pve-container, API2/LXC.pm and API2/LXC/Config.pm)."""

import random
import re
from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import DUMPS, TEMPLATES, Cluster, Guest
from tests.independent.pve.inside import Inside
from tests.independent.pve.refusals import TaskFailed, bad_parameters, die, forbid
from tests.independent.pve.schema import property_string, split
from tests.independent.pve.tasks import Work

UNPACK, REST = 5.0, 4.0  # seconds of a creation before and after the system inside is known
NETWORK = {"hostname", "nameserver", "searchdomain"}
NOT_CONFIG = {"node", "vmid", "ostemplate", "pool", "start", "unprivileged", "storage", "digest", "delete"}
PRIVILEGES = {
    "VM.Config.CPU": {"cores", "cpulimit", "cpuunits"},
    "VM.Config.Memory": {"memory", "swap"},
    "VM.Config.Disk": {"rootfs"},
    "VM.Config.Network": NETWORK | {"net0"},
}


def check_changes(
    cluster: Cluster, vmid: int, pool: str | None, old: Values, new: Values, deleted: list[str]
) -> None:
    """check_ct_modify_config_perm (LXC.pm)."""
    for option in [*new, *deleted]:
        if option == "tags":
            before, after = (set(split(part.get("tags", ""))) for part in (old, new))
            cluster.permissions.check_tags(vmid, before, after)
        elif option == "features":
            if set(property_string(new[option])) - {"nesting"}:
                forbid("changing feature flags (except nesting) is only allowed for root@pam", "")
            cluster.permissions.check_guest(vmid, pool, "VM.Allocate")
        else:
            found = (privilege for privilege, options in PRIVILEGES.items() if option in options)
            cluster.permissions.check_guest(vmid, pool, next(found, "VM.Config.Options"))
        if option == "net0":
            bridge = property_string(new[option]).get("bridge", "")
            cluster.permissions.check(f"/sdn/zones/localnetwork/{bridge}", "SDN.Use")


@handles("POST", "/nodes/{node}/lxc")
def create(cluster: Cluster, values: Values, user: str) -> str:
    """In the order of checks of create_vm."""
    vmid, node, pool = int(values["vmid"]), values["node"], values.get("pool")
    if there := cluster.guests.get(vmid):
        die(f"{'CT' if there.type == 'lxc' else 'VM'} {vmid} already exists on node '{there.node}'")
    if pool and pool != "nodepoint":
        die(f"pool '{pool}' does not exist")
    cluster.permissions.check_guest(vmid, pool, "VM.Allocate")
    config = {name: value for name, value in values.items() if name not in NOT_CONFIG}
    check_changes(cluster, vmid, pool, {}, config, [])
    content = _template(cluster, node, values["ostemplate"])
    storage, _, size = values["rootfs"].partition(",")[0].partition(":")
    if storage not in cluster.storages:
        die(f"storage '{storage}' does not exist")
    if "rootdir" not in cluster.storages[storage].content:
        bad_parameters(storage=f"storage '{storage}' does not support container directories")
    cluster.permissions.check(f"/storage/{storage}", "Datastore.AllocateSpace")
    if not re.fullmatch(r"\d+(\.\d+)?", size):
        die(f"unable to parse {storage} volume name '{size}'")
    guest = cluster.guests[vmid] = Guest(vmid, node, {"lock": "create"})
    config["rootfs"] = f"{storage}:vm-{vmid}-disk-1,size={size}G"
    return cluster.tasks.begin("vzcreate", vmid, user, node, _creation(cluster, guest, config, content, pool))


def _template(cluster: Cluster, node: str, volid: str) -> bytes:
    storage, _, name = volid.partition(":vztmpl/")
    cluster.permissions.check(
        f"/storage/{storage}", "Datastore.AllocateSpace", "Datastore.Audit", any_of=True
    )
    if (content := cluster.files[node].get(f"{TEMPLATES}/{name}")) is None:
        die(f"volume '{volid}' does not exist")
    return content


def _creation(cluster: Cluster, guest: Guest, config: Values, content: bytes, pool: str | None) -> Work:
    """The lock is gone for a while in the middle ("safe config"); the pool is joined at the very end."""
    storage = cluster.storages[config["rootfs"].partition(":")[0]]
    mac = ":".join(f"{random.randrange(256):02X}" for _ in range(3))
    yield 1
    if storage.full:
        del cluster.guests[guest.vmid]
        raise TaskFailed(f"unable to create CT {guest.vmid} - {storage.full}")
    yield UNPACK
    config["net0"] = f"{config['net0']},hwaddr=BC:24:11:{mac},type=veth"
    if "tags" in config:
        config["tags"] = cluster.tags(config["tags"])
    guest.config = {"arch": "amd64", "ostype": "ubuntu", **config, "unprivileged": "1"}
    guest.inside = Inside(base=content.startswith(b"base"))
    yield REST
    guest.config.setdefault("swap", "512")
    if pool:
        cluster.pools[guest.vmid] = pool
    if "nesting=1" not in config.get("features", ""):
        return "WARNINGS: 1"
    return None


@handles("GET", "/nodes/{node}/lxc/{vmid}/config")
def config(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    """Notes come back with a line end of their own."""
    guest = cluster.guest(values["node"], int(values["vmid"]))
    shown: dict[str, Any] = {**guest.config, "digest": guest.digest}
    if guest.config.get("description"):
        shown["description"] = guest.config["description"] + "\n"
    return shown


@handles("PUT", "/nodes/{node}/lxc/{vmid}/config")
def change(cluster: Cluster, values: Values, user: str) -> None:
    vmid = int(values["vmid"])
    changes = {name: value for name, value in values.items() if name not in NOT_CONFIG}
    deleted = split(values.get("delete", ""))
    if not changes and not deleted:
        die("no options specified")
    guest = cluster.guest(values["node"], vmid)
    cluster.unlocked(guest)
    check_digest(guest.digest, values)
    check_changes(cluster, vmid, None, guest.config, changes, deleted)
    for name in deleted:
        guest.config.pop(name, None)
    if "tags" in changes:
        changes["tags"] = cluster.tags(changes["tags"])
    guest.config.update(changes)


def check_digest(now: str, values: Values) -> None:
    """PVE::Tools::assert_if_modified."""
    if "digest" in values and values["digest"] != now:
        die("detected modified configuration - file changed by other user? Try again.")


@handles("PUT", "/nodes/{node}/lxc/{vmid}/resize")
def resize(cluster: Cluster, values: Values, user: str) -> str:
    guest = cluster.guest(values["node"], int(values["vmid"]))
    cluster.unlocked(guest)
    cluster.permissions.check(f"/storage/{guest.storage}", "Datastore.AllocateSpace")
    match = re.fullmatch(r"(\+?)(\d+)G", values["size"]) or die("invalid size string")
    size = int(match[2]) + (guest.disk_gb if match[1] else 0)
    if size < guest.disk_gb:
        die("unable to shrink disk size")
    if size == guest.disk_gb:
        die("disk is already at specified size")

    def work() -> Work:
        yield 2
        if full := cluster.storages[guest.storage].full:
            raise TaskFailed(full)
        if size == guest.disk_gb:  # it is looked at once more when the container's lock file is held
            raise TaskFailed("disk is already at specified size")
        guest.config["rootfs"] = guest.config["rootfs"].partition(",")[0] + f",size={size}G"

    return cluster.tasks.begin("resize", guest.vmid, user, guest.node, work())


@handles("DELETE", "/nodes/{node}/lxc/{vmid}")
def destroy(cluster: Cluster, values: Values, user: str) -> str:
    guest = cluster.guest(values["node"], int(values["vmid"]))
    purge = values.get("purge") == "1"
    if guest.config.get("protection") == "1":
        die(f"can't remove CT {guest.vmid} - protection mode enabled")
    cluster.unlocked(guest)
    if guest.vmid in cluster.ha.resources and not purge:
        die(f"unable to remove CT {guest.vmid} - used in HA resources and purge parameter not set.")
    if guest.running:
        die(f"unable to destroy CT {guest.vmid} - container is running")

    def work() -> Work:
        guest.config["lock"] = "destroyed"
        yield 3
        cluster.pools.pop(guest.vmid, None)
        if purge:
            cluster.ha.resources.pop(guest.vmid, None)
        del cluster.guests[guest.vmid]

    return cluster.tasks.begin("vzdestroy", guest.vmid, user, guest.node, work())


@handles("POST", "/nodes/{node}/vzdump")
def vzdump(cluster: Cluster, values: Values, user: str) -> str:
    """`OK` and nothing done for a guest of another node (pve-manager, API2/VZDump.pm)."""
    vmid, node, storage = int(values["vmid"]), values["node"], values.get("storage", "local")
    cluster.permissions.check(f"/vms/{vmid}", "VM.Backup")
    guest = cluster.guests.get(vmid)
    if guest is None or guest.node != node:
        return "OK"
    cluster.permissions.check(f"/storage/{storage}", "Datastore.AllocateSpace")

    def work() -> Work:
        if lock := guest.config.get("lock"):
            raise TaskFailed(f"job errors: CT is locked ({lock})")
        guest.config["lock"] = "backup"
        yield 8
        guest.config.pop("lock", None)
        if cluster.storages[storage].full:
            raise TaskFailed("job errors")
        stamp = f"2026_11_30-{len(cluster.tasks.all):02d}_00_00"
        path = f"{DUMPS}/vzdump-lxc-{vmid}-{stamp}.tar.zst"
        cluster.files[node][path] = b"base " + guest.inside.facts.encode()
        cluster.notes[f"{node}:{path}"] = values.get("notes-template", "")

    return cluster.tasks.begin("vzdump", vmid, user, node, work())
