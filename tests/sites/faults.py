"""The tables behind the fault tests: for each step the remote calls that matter to it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """A remote call of a step: the system, and what its "METHOD path" holds. `letsencrypt`, `shared`: only
    where each site orders its own certificate, or none does; `plan`: the plan that makes the step do it."""

    system: str
    match: str
    letsencrypt: bool = False
    shared: bool = False
    plan: str = "basic"


CT = "/api2/json/nodes/node1/lxc"
HA = "/api2/json/cluster/ha/resources"
HOSTS = "/api/nginx/proxy-hosts"
CERTIFICATES = "/api/nginx/certificates"

DNS_DELETED = Act("cloudflare", "DELETE /client/v4/zones")
HOST_DELETED = Act("npm", f"DELETE {HOSTS}")
CERTIFICATE_DELETED = Act("npm", f"DELETE {CERTIFICATES}", letsencrypt=True)
HA_STATE = Act("proxmox", "GET /api2/json/cluster/ha/status/current", plan="premium")
HA_STOPPED = Act("proxmox", f"PUT {HA}", plan="premium")
HA_REMOVED = Act("proxmox", f"DELETE {HA}", plan="premium")
STOPPED = Act("proxmox", "/status/stop")
STOPPING = Act("proxmox", ":vzstop:")
DESTROYED = Act("proxmox", f"DELETE {CT}")

# step of sites.provision: what it looks at and what it does; empty with a reason where it calls nobody.
PROVISION: dict[str, tuple[Act, ...] | str] = {
    "reserved": "rows of our own",
    "place": (Act("proxmox", "GET /api2/json/cluster/resources"),),
    "container": (
        Act("proxmox", "GET /api2/json/cluster/nextid"),
        Act("proxmox", "GET /api2/json/nodes"),
        Act("proxmox", f"POST {CT}"),
        Act("proxmox", ":vzcreate:"),
    ),
    "dns_record": (Act("cloudflare", "GET /client/v4/zones"), Act("cloudflare", "POST /client/v4/zones")),
    "proxy_host": (
        Act("npm", "POST /api/tokens"),
        Act("npm", f"GET {HOSTS}"),
        Act("npm", f"GET {CERTIFICATES}/", shared=True),
        Act("npm", f"POST {HOSTS}"),
    ),
    "name": "only where a stranger holds the site's name (test_taken_names.py)",
    "certificate": (Act("npm", f"POST {CERTIFICATES}", letsencrypt=True),),
    "encryption": (Act("npm", f"PUT {HOSTS}", letsencrypt=True),),
    "started": (Act("proxmox", "/status/start"), Act("proxmox", ":vzstart:")),
    "firewall": (
        Act("proxmox", "GET /api2/json/nodes/node1/lxc/900/firewall"),
        Act("proxmox", "PUT /api2/json/nodes/node1/lxc/900/firewall/options"),
        Act("proxmox", "POST /api2/json/nodes/node1/lxc/900/firewall/rules"),
        Act("proxmox", "PUT /api2/json/nodes/node1/lxc/900/firewall/rules/"),
    ),
    "high_availability": (
        Act("proxmox", f"GET {HA}", plan="premium"),
        Act("proxmox", f"POST {HA}", plan="premium"),
    ),
    "wordpress": (Act("ssh", "bash -s install"), Act("ssh", "install.status")),
    "renamed": "only after `name`, whose calls are those of record, host and WordPress",
    "verified": (Act("ssh", "curl"),),
    "snapshot": (Act("proxmox", "/snapshot"), Act("proxmox", ":vzsnapshot:")),
}

# step of sites.provision with an undo: what the undo does.
UNDO: dict[str, tuple[Act, ...] | str] = {
    "reserved": "rows of our own",
    "container": (STOPPED, DESTROYED, Act("proxmox", ":vzdestroy:")),
    "dns_record": (DNS_DELETED,),
    "proxy_host": (HOST_DELETED,),
    "certificate": (CERTIFICATE_DELETED,),
    "encryption": "the same as proxy_host, which it goes before",
    "high_availability": (HA_STATE, HA_STOPPED, HA_REMOVED),
}

TERMINATE: dict[str, tuple[Act, ...] | str] = {
    "last_archive": "only where archives are made (test_archives_kept.py)",
    "dns_record_gone": (Act("cloudflare", "GET /client/v4/zones"), DNS_DELETED),
    "proxy_host_gone": (Act("npm", f"GET {HOSTS}"), HOST_DELETED),
    "certificate_gone": (CERTIFICATE_DELETED,),
    "domains_gone": "it has its own (test_custom_domains_deleted.py)",
    "high_availability_off": (Act("proxmox", f"GET {HA}"), HA_STATE, HA_STOPPED, HA_REMOVED),
    "container_removed": (STOPPED, STOPPING, DESTROYED, Act("proxmox", ":vzdestroy:")),
    "archives_settled": "rows of our own",
    "deleted": "rows of our own",
}

# Ways in which a call fails once; the next one does not.
PASSING = ("error", "drop_before", "drop_after", "hang")


def without_followers(faulty: list[Act], kind: str) -> list[Act]:
    """Where the answer with the UPID is lost, nobody looks at the task."""
    return [act for act in faulty if kind != "drop_after" or not act.match.startswith(":")]


def acts(table: dict[str, tuple[Act, ...] | str]) -> list[tuple[str, Act]]:
    """All (step, act) of a table."""
    return [(step, act) for step, found in table.items() if not isinstance(found, str) for act in found]
