"""Running or not (API2/LXC/Status.pm). What HA manages is only asked for."""

from collections.abc import Callable
from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import GB, MB, Cluster, Guest
from tests.independent.pve.refusals import Refusal, TaskFailed, die
from tests.independent.pve.tasks import Work

LXC = "/nodes/{node}/lxc/{vmid}/status"
START, STOP, SHUTDOWN = 3.0, 1.0, 3.0  # seconds


@handles("GET", f"{LXC}/current")
def current(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    """Live."""
    guest = cluster.guest(values["node"], int(values["vmid"]))
    ha: dict[str, Any] = {"managed": int(guest.vmid in cluster.ha.resources)}
    if ha["managed"]:
        ha["state"] = cluster.ha.resources[guest.vmid]["state"]
    found = {
        "vmid": guest.vmid,
        "status": "running" if guest.running else "stopped",
        "name": guest.config.get("hostname", f"CT{guest.vmid}"),
        "uptime": int(cluster.tasks.now() - guest.since) if guest.running else 0,
        "mem": 200 * MB if guest.running else 0,
        "maxmem": int(guest.config.get("memory", 512)) * MB,
        "disk": GB if guest.running else 0,
        "maxdisk": (guest.disk_gb if "rootfs" in guest.config else 4) * GB,
        "cpu": 0.01 if guest.running else 0,
        "ha": ha,
    }
    return {**found, "lock": guest.config["lock"]} if "lock" in guest.config else found


@handles("POST", f"{LXC}/start")
def start(cluster: Cluster, values: Values, user: str) -> str:
    guest = _there(cluster, values)
    if guest.running:
        die(f"CT {guest.vmid} already running")
    return _begin(cluster, guest, user, "vzstart", "hastart", _starting)


@handles("POST", f"{LXC}/stop")
def stop(cluster: Cluster, values: Values, user: str) -> str:
    guest = _there(cluster, values, "CT")
    return _begin(cluster, guest, user, "vzstop", "hastop", lambda c, g: _ending(c, g, STOP))


@handles("POST", f"{LXC}/shutdown")
def shutdown(cluster: Cluster, values: Values, user: str) -> str:
    guest = _there(cluster, values, "CT")
    return _begin(cluster, guest, user, "vzshutdown", "hastop", lambda c, g: _ending(c, g, SHUTDOWN))


@handles("POST", f"{LXC}/reboot")
def reboot(cluster: Cluster, values: Values, user: str) -> str:
    """It passes the HA manager by."""
    guest = _there(cluster, values, "VM")

    def work() -> Work:
        yield from _ending(cluster, guest, SHUTDOWN)
        yield from _starting(cluster, guest)

    return cluster.tasks.begin("vzreboot", guest.vmid, user, guest.node, work())


def _there(cluster: Cluster, values: Values, not_running: str = "") -> Guest:
    """The container; the call is refused when it does not run, with the word that PVE uses for it there."""
    guest = cluster.guests.get(int(values["vmid"]))
    if guest is None or guest.node != values["node"]:
        die(f"Configuration file 'nodes/{values['node']}/lxc/{values['vmid']}.conf' does not exist")
    if not_running and not guest.running:
        die(f"{not_running} {guest.vmid} not running")
    return guest


def _begin(
    cluster: Cluster, guest: Guest, user: str, direct: str, by_ha: str, work: Callable[[Cluster, Guest], Work]
) -> str:
    if not cluster.ha.managed(guest.vmid):
        return cluster.tasks.begin(direct, guest.vmid, user, guest.node, work(cluster, guest))

    def ask() -> Work:
        yield 0.5
        exitstatus = cluster.ha.command(guest.vmid, "started" if by_ha == "hastart" else "stopped")
        if exitstatus != "OK":
            raise TaskFailed(exitstatus)

    return cluster.tasks.begin(by_ha, guest.vmid, user, guest.node, ask())


def _free(cluster: Cluster, guest: Guest) -> None:
    try:
        cluster.unlocked(guest)
    except Refusal as refusal:
        raise TaskFailed(refusal.message) from refusal


def _starting(cluster: Cluster, guest: Guest) -> Work:
    _free(cluster, guest)
    yield START
    guest.running, guest.since = True, cluster.tasks.now()


def _ending(cluster: Cluster, guest: Guest, seconds: float) -> Work:
    _free(cluster, guest)
    if guest.busy(cluster.tasks.now()):
        yield 10
        raise TaskFailed(f"can't lock file '/run/lock/lxc/pve-config-{guest.vmid}.lock' - got timeout")
    yield seconds
    guest.stop()
