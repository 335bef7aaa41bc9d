"""Calls that concern no single container."""

from typing import Any

from tests.independent.pve.api import Values, handles
from tests.independent.pve.cluster import DUMPS, GB, TEMPLATES, Cluster, Guest
from tests.independent.pve.refusals import bad_parameters, die
from tests.independent.pve.schema import split

FOLDERS = {"vztmpl": TEMPLATES, "backup": DUMPS}


@handles("GET", "/version")
def version(cluster: Cluster, values: Values, user: str) -> dict[str, str]:
    full = {"8.4": "8.4.21", "9.2": "9.2.11"}[cluster.version]
    return {"version": full, "release": cluster.version, "repoid": "1a2b3c4d5e6f7a8b"}


@handles("GET", "/access/permissions")
def permissions(cluster: Cluster, values: Values, user: str) -> dict[str, dict[str, int]]:
    return cluster.permissions.dump(values.get("path"))


@handles("GET", "/cluster/options")
def options(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    """Without Sys.Audit little is shown (API2/Cluster.pm, get_options)."""
    found: dict[str, Any] = {"allowed-tags": []}
    if cluster.permissions.may("/", "Sys.Audit") and cluster.permissions.tag_access != "free":
        found["user-tag-access"] = {"user-allow": cluster.permissions.tag_access}
    return found


@handles("GET", "/cluster/firewall/options")
def firewall_options(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    return {"enable": int(cluster.firewall_on), "digest": "0" * 40}


@handles("GET", "/nodes")
def nodes(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    up = {"cpu": 0.1, "maxcpu": 64, "mem": 100 * GB, "maxmem": 512 * GB, "uptime": 1000}
    names = {"type": "node", "ssl_fingerprint": "00"}
    return [
        {
            "node": node,
            "id": f"node/{node}",
            "status": "online" if on else "offline",
            **names,
            **(up if on else {}),
        }
        for node, on in cluster.nodes.items()
    ]


@handles("GET", "/cluster/resources")
def resources(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    """Figures as of the last broadcast; lock, tags and HA are live. Without VM.Audit a guest is left out."""
    heard = {entry["vmid"]: entry for entry in cluster.heard}
    return [
        _entry(cluster, guest, heard.get(guest.vmid, {"status": "unknown"}))
        for guest in cluster.guests.values()
        if guest.vmid not in cluster.hidden and cluster.permissions.may(f"/vms/{guest.vmid}", "VM.Audit")
    ]


def _entry(cluster: Cluster, guest: Guest, heard: dict[str, Any]) -> dict[str, Any]:
    status = heard["status"] if cluster.nodes[guest.node] else "unknown"
    vmid, name = guest.vmid, f"{guest.type}/{guest.vmid}"
    entry = {**heard, "status": status, "id": name, "type": guest.type, "vmid": vmid, "node": guest.node}
    entry |= {key: guest.config[key] for key in ("lock", "tags") if key in guest.config}
    entry["template"] = int(guest.config.get("template", 0))
    pool = cluster.pools.get(vmid)
    if pool and cluster.permissions.may(f"/pool/{pool}", "Pool.Audit"):
        entry["pool"] = pool
    if vmid in cluster.ha.services:
        entry["hastate"] = cluster.ha.services[vmid].state
    elif vmid in cluster.ha.resources:
        entry["hastate"] = cluster.ha.resources[vmid]["state"]
    return entry


@handles("GET", "/cluster/nextid")
def nextid(cluster: Cluster, values: Values, user: str) -> str:
    """It knows every VMID, whether the token sees the guest or not."""
    if "vmid" in values:
        if int(values["vmid"]) in cluster.guests:
            bad_parameters(vmid=f"VM {values['vmid']} already exists")
        return values["vmid"]
    return str(next(vmid for vmid in range(100, 1_000_000) if vmid not in cluster.guests))


@handles("GET", "/pools")
def pools(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    if not cluster.permissions.may("/pool/nodepoint", "Pool.Audit"):
        return []
    pool: dict[str, Any] = {"poolid": "nodepoint"}
    if "poolid" in values:
        members = [vmid for vmid, name in cluster.pools.items() if name == values["poolid"]]
        pool["members"] = [
            {"id": f"lxc/{vmid}", "vmid": vmid, "type": "lxc", "node": cluster.guests[vmid].node}
            for vmid in members
        ]
    return [pool]


@handles("GET", "/pools/{poolid}")
def pool(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    found = pools(cluster, values, user)
    return found[0] if found else die(f"pool '{values['poolid']}' does not exist")


@handles("PUT", "/pools")
@handles("PUT", "/pools/{poolid}")
def change_pool(cluster: Cluster, values: Values, user: str) -> None:
    """Who adds a guest needs VM.Allocate on it (RPCEnvironment.pm, check_perm_modify)."""
    if values["poolid"] != "nodepoint":
        die(f"pool '{values['poolid']}' does not exist")
    for vmid in map(int, split(values.get("vms", ""))):
        cluster.permissions.check(f"/vms/{vmid}", "Permissions.Modify", "VM.Allocate", any_of=True)
        if values.get("delete") == "1":
            if cluster.pools.pop(vmid, None) is None:
                die(f"VM {vmid} is not a pool member")
        elif cluster.pools.get(vmid) == values["poolid"]:
            die(f"VM {vmid} is already a pool member")
        else:
            cluster.pools[vmid] = values["poolid"]


@handles("GET", "/nodes/{node}/storage/{storage}/status")
def storage_status(cluster: Cluster, values: Values, user: str) -> dict[str, Any]:
    if (storage := cluster.storages.get(values["storage"])) is None:
        die(f"storage '{values['storage']}' does not exist")
    size = {"total": 1000 * GB, "used": 100 * GB, "avail": 900 * GB}
    facts = {"type": storage.type, "content": storage.content, "shared": int(storage.shared)}
    return {**size, **facts, "active": 1, "enabled": 1}


@handles("GET", "/nodes/{node}/storage/{storage}/content")
def storage_content(cluster: Cluster, values: Values, user: str) -> list[dict[str, Any]]:
    storage, wanted, found = values["storage"], values.get("content"), []
    for kind, folder in FOLDERS.items():
        for path, content in cluster.files[values["node"]].items():
            name = path.rpartition("/")[2]
            if (
                storage != "local"
                or wanted not in (None, kind)
                or path != f"{folder}/{name}"
                or not _shown(name)
            ):
                continue
            volid = f"local:{kind}/{name}"
            entry = {
                "volid": volid,
                "content": kind,
                "format": "tzst",
                "size": 1000 + len(content),
                "ctime": 1,
            }
            if notes := cluster.notes.get(f"{values['node']}:{path}"):
                entry["notes"] = notes
            found.append(entry)
    return found


def _shown(name: str) -> bool:
    return name.endswith((".tar.gz", ".tar.xz", ".tar.zst"))
