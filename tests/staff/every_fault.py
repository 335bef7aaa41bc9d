"""Every trouble that the lab's faults can cause: each act, each call that it makes, each way of failing for
good."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.sites import test_domain_faults as domains
from tests.sites.faults import (
    CERTIFICATES,
    CT,
    DESTROYED,
    HA,
    HA_STATE,
    HOSTS,
    PROVISION,
    STOPPED,
    STOPPING,
    TERMINATE,
    Act,
    acts,
)
from tests.sites.test_life_faults import FLOWS, HA_WRITTEN, STARTED

ENDLESS = 10_000_000  # calls
LASTING = ("refuse", "error", "drop_before")
MORE = ("hang", "drop_after")  # ordered of whole systems only
AWAY = "away"  # the node goes down with all that is on it
IN_CONTAINER = ("error", "hang", "drop_before")  # ways in which an installation fails
ON_CONTENT = ("error", "refuse", "drop_before")  # and work on the content

LXC = f"{CT}/900"
CONFIG, SNAPSHOTS = Act("proxmox", f"GET {LXC}/config"), Act("proxmox", f"GET {LXC}/snapshot")
FIREWALL = f"{LXC}/firewall"
STATUS = Act("proxmox", f"GET {LXC}/status/current")
CLUSTER = Act("proxmox", "GET /api2/json/cluster/resources")
GONE = Act("proxmox", "GET /api2/json/cluster/nextid")  # the last word on whether a container is gone
NPM_LOGIN = Act("npm", "POST /api/tokens")
CERTIFICATES_READ = Act("npm", f"GET {CERTIFICATES}")
INSTALL = Act("ssh", "INSTALL")
CONTENT = Act("ssh", "CONTENT")
UPDATE = Act("ssh", "UPDATE")  # what the script of an update does inside
NODE = Act("proxmox", "node1")
TUNED = (Act("ssh", "bash -s install"), Act("ssh", "install.status"), INSTALL)
RECORDS = "/client/v4/zones"


def _of(system: str, *matches: str, **when: object) -> tuple[Act, ...]:
    return tuple(Act(system, match, **when) for match in matches)


def _table(flow: dict[str, tuple[Act, ...] | str]) -> tuple[Act, ...]:
    return tuple(act for _, act in acts(flow))


def _panel(*functions: str) -> tuple[Act, ...]:
    return _of("ispconfig", *functions)


# What is looked at when a node is empty, to name what is not ours.
LEFT_ALONE = (CLUSTER, *_of("proxmox", "node1/storage/local/"))

GOING_BACK = (
    CONFIG,
    SNAPSHOTS,
    *_of("proxmox", "GET /api2/json/nodes/node1/storage/", f"POST {LXC}/snapshot", ":vzsnapshot:"),
    *_of("ssh", "bash -s hold", "bash -s release"),
    Act("proxmox", f"GET {HA}"),
    HA_STATE,
    *_of("proxmox", "/rollback", ":vzrollback:"),
    STATUS,
    *STARTED,
    *_of("ssh", "bash -s install", "install.status"),
)
PRIMARY = (CONFIG, STATUS, *TUNED)
REMOVED = tuple(act for act in _table(TERMINATE) if act.system != "proxmox")

# By act: the calls that matter to its job.
JOBS: dict[str, tuple[Act, ...]] = {
    "order": (*_table(PROVISION), *_of("ssh", "bash -s password"), INSTALL),
    "delete": (NPM_LOGIN, CERTIFICATES_READ, CONFIG, STATUS, CLUSTER, GONE, *_table(TERMINATE)),
    "suspend": (NPM_LOGIN, *_table(FLOWS["sites.suspend"])),
    "unsuspend": (NPM_LOGIN, *_table(FLOWS["sites.unsuspend"])),
    "start": _table(FLOWS["sites.start"]),
    "stop": _table(FLOWS["sites.stop"]),
    "restart": tuple(act for act in _table(FLOWS["sites.restart"]) if act != HA_WRITTEN),
    "upgrade": (*_table(FLOWS["sites.upgrade"]), INSTALL),
    "backup": (
        CONFIG,
        SNAPSHOTS,
        *_of("ssh", "bash -s hold", "bash -s release"),
        *_of("proxmox", f"POST {LXC}/snapshot", ":vzsnapshot:"),
    ),
    "archive": (
        CONFIG,
        *_of("proxmox", "/storage/nas/status", "/storage/nas/content", "GET /api2/json/nodes/node1/tasks"),
        *_of("proxmox", "/vzdump", ":vzdump:"),
    ),
    "delete archive": _of("proxmox", "GET /api2/json/nodes", "/storage/nas/content", ":imgdel:"),
    "delete backup": (CONFIG, SNAPSHOTS, *_of("proxmox", f"DELETE {LXC}/snapshot", ":vzdelsnapshot:")),
    "count addresses": (CONFIG, *_of("ssh", "bash -s count", "content.status"), CONTENT),
    "replace addresses": (
        CONFIG,
        SNAPSHOTS,
        *_of("ssh", "bash -s hold", "bash -s release"),
        *_of("proxmox", f"POST {LXC}/snapshot", ":vzsnapshot:"),
        *_of("ssh", "bash -s replace", "content.status"),
        CONTENT,
    ),
    "import": (
        SNAPSHOTS,
        *_of("ssh", "bash -s hold", "bash -s release"),
        *_of("proxmox", f"POST {LXC}/snapshot", ":vzsnapshot:"),
        *_of("ssh", "bash -s import", "content.status"),
        CONTENT,
    ),
    "export": (*_of("ssh", "bash -s export", "content.status"), CONTENT),
    "rollback": GOING_BACK,
    "reset": (CLUSTER, *GOING_BACK, *_of("ssh", "curl", "bash -s password")),
    "add domain": (NPM_LOGIN, *domains.acts(domains.ADD)),
    "certificate": (
        NPM_LOGIN,
        *_of("dns", *(f"QUERY shop.example.com {kind}" for kind in ("A", "AAAA", "CAA"))),
        *_of("dns", "QUERY example.com CAA", "QUERY com CAA"),
        *_of("npm", "GET /api/", f"GET {HOSTS}"),
        *domains.acts(domains.ORDER),
        *PRIMARY,
    ),
    "remove domain": (NPM_LOGIN, *domains.acts(domains.REMOVE), *PRIMARY),
    "primary": PRIMARY,
    "options": PRIMARY,
    "safe mode": (CONFIG, *_of("ssh", "bash -s safemode")),
    "lift": PRIMARY,
    "update": (
        CONFIG,
        SNAPSHOTS,
        *_of("ssh", "curl", "bash -s hold", "bash -s release", "bash -s update", "update.status"),
        UPDATE,
        *_of("proxmox", f"POST {LXC}/snapshot", ":vzsnapshot:"),
    ),
    "toggle": (NPM_LOGIN, *domains.acts(domains.SWITCH)),
    "repair": (
        CONFIG,
        STATUS,
        *_of("proxmox", f"PUT {LXC}/config", f"GET {HA}"),
        *_of("proxmox", f"POST {HA}", plan="premium"),
        *STARTED,
        *_of("proxmox", *(f"{method} {FIREWALL}" for method in ("GET", "PUT", "DELETE", "POST"))),
        *_of("proxmox", f"PUT {FIREWALL}/rules/", "PUT /api2/json/pools"),
        NPM_LOGIN,
        CERTIFICATES_READ,
        *_of("npm", f"GET {HOSTS}", f"POST {HOSTS}"),
        *_of("cloudflare", f"GET {RECORDS}", f"POST {RECORDS}"),
    ),
    "unlink": (CONFIG, GONE, Act("proxmox", f"GET {HA}"), NPM_LOGIN, CERTIFICATES_READ, *REMOVED),
    "adopt": (
        CONFIG,
        STATUS,
        NPM_LOGIN,
        *_of("proxmox", f"PUT {LXC}/config", f"GET {FIREWALL}", f"GET {HA}"),
        SNAPSHOTS,
        *_of("cloudflare", f"GET {RECORDS}", f"POST {RECORDS}"),
        *_of("npm", f"GET {HOSTS}", f"POST {HOSTS}"),
        *_of("npm", f"GET {CERTIFICATES}", f"PUT {HOSTS}", letsencrypt=True),
        *_of("ssh", "curl"),
    ),
    "template": (
        CONFIG,
        STATUS,
        CLUSTER,
        *_of("proxmox", "GET /api2/json/cluster/nextid", "GET /api2/json/nodes", f"DELETE {LXC}"),
        *_of("proxmox", "node1/storage/local/status", *(f"node{n}/storage/local/content" for n in (1, 2, 3))),
        *_of("ssh", "EXEC pvesm path", "EXEC pvesm free", "EXEC cp", "EXEC cat"),
        *_of("proxmox", f"POST {CT}", ":vzcreate:", f"GET {FIREWALL}", f"PUT {FIREWALL}", ":vzstart:"),
        *_of("proxmox", "/status/start", "/vzdump", ":vzdump:", ":vzshutdown:", ":vzdestroy:"),
        *_of("ssh", "bash -s install", "install.status", "bash -s seal", "mv -T", "sha256sum", "dd of="),
        INSTALL,
    ),
    "add zone": _panel(
        "client_add",
        "client_get_groupid",
        "dns_zone_add",
        "dns_rr_get_all_by_zone",
        "dns_ns_add",
        "dns_a_add",
        "dns_a_get",
        "dns_zone_update",
    ),
    "delete zone": _panel(
        "login",
        "dns_zone_get",
        "dns_rr_get_all_by_zone",
        "dns_zone_update",
        "dns_a_delete",
        "dns_zone_delete",
    ),
    "repair zone": _panel("login", "dns_zone_get", "dns_rr_get_all_by_zone", "dns_zone_update"),
    "add record": _panel("dns_txt_add", "dns_a_get"),
    "change record": _panel("dns_txt_update", "dns_a_get"),
    "delete record": _panel("dns_a_delete", "dns_a_get"),
    "change records": _panel(
        "dns_zone_get",
        "dns_rr_get_all_by_zone",
        "dns_txt_add",
        "dns_txt_update",
        "dns_a_delete",
        "dns_zone_update",
    ),
    "sign zone": _panel("login", "dns_zone_get", "dns_rr_get_all_by_zone", "dns_zone_update"),
    "prove domain": domains.acts(domains.ADD),
    "fill pool": (
        CLUSTER,
        *_of("proxmox", "GET /api2/json/cluster/nextid", "GET /api2/json/nodes", f"POST {CT}", ":vzcreate:"),
        *_of("proxmox", f"GET {FIREWALL}", f"PUT {FIREWALL}/options", f"POST {FIREWALL}/rules"),
        *_of("proxmox", f"PUT {FIREWALL}/rules/"),
        CONFIG,
        STATUS,
        *STARTED,
        *_of("ssh", "bash -s install", "install.status", "bash -s spare"),
    ),
    "claim": (
        CONFIG,
        STATUS,
        *_of("proxmox", f"PUT {LXC}/config", f"GET {FIREWALL}"),
        *_of("cloudflare", f"GET {RECORDS}", f"POST {RECORDS}"),
        NPM_LOGIN,
        *_of("npm", f"GET {HOSTS}", f"GET {CERTIFICATES}/", f"POST {HOSTS}"),
        STARTED[0],  # refused by one that runs, as it should
        *_of("ssh", "bash -s install", "install.status", "curl"),
        *_of("proxmox", "/snapshot", ":vzsnapshot:"),
    ),
    "drain pool": (
        CONFIG,
        STATUS,
        CLUSTER,
        GONE,
        STOPPED,
        STOPPING,
        DESTROYED,
        Act("proxmox", ":vzdestroy:"),
    ),
    "drain node": (
        CONFIG,
        STATUS,
        *_of("proxmox", "GET /api2/json/nodes", f"POST {LXC}/migrate", ":vzmigrate:"),
        *_of("proxmox", "node1/storage/global-lvm/status"),
        *LEFT_ALONE,
        Act("ssh", "curl"),
    ),
}

# By act: the calls that are made before anything is accepted. Where one of them fails, whoever asks is
# refused at once, in a sentence that names the system: no job, and no trouble of staff. An ISPConfig that
# gives no answer refuses nobody: the job looks for itself.
LOOKED_UP = _panel("login", "dns_zone_get", "dns_rr_get_all_by_zone")
GUARDS: dict[str, tuple[Act, ...]] = {
    "import": (
        CONFIG,
        *_of("dns", "QUERY files.example.org A", "QUERY files.example.org AAAA"),
        *_of("ssh", "bash -s look"),
    ),
    "export": (CONFIG, *_of("ssh", "bash -s room")),
    "add domain": _of("dns", "QUERY shop.example.com A"),
    "prove domain": _of("dns", "QUERY _nodepoint.shop.example.com TXT"),
    "add zone": (
        *_panel("login", "client_get", "dns_zone_get"),
        *_of("dns", "QUERY com NS", "QUERY a.parent-servers.net A", "QUERY example.com NS"),
    ),
    "add record": LOOKED_UP,
    "change record": LOOKED_UP,
    "delete record": LOOKED_UP,
    "change records": LOOKED_UP,
    "adopt": (CLUSTER,),
    "unlink": (CLUSTER,),
}
ANSWERED = ("refuse", "error")


HELD = (Act("ssh", "hold"), Act("ssh", "release"))
# What an act does as well as it can be done: where it cannot, it has its effect all the same, and says so.
DOES_WITHOUT: dict[str, tuple[Act, ...]] = {
    "update": HELD,
    "rollback": HELD,
    "backup": (Act("ssh", ""),),  # nobody holds the database meanwhile (docs/backups.md)
    "replace addresses": HELD,
    "import": HELD,
    "certificate": (Act("dns", " CAA"),),  # Let's Encrypt asks for it anyway
    "reset": (CLUSTER, *HELD),  # the answer tells the state that was last known
    # What was written stands in the list of the zone's records, too.
    **dict.fromkeys(("add zone", "add record", "delete record"), _panel("dns_a_get")),
    "drain node": (
        *LEFT_ALONE,
        Act("ssh", "curl"),
    ),  # a site that could not be looked at is moved all the same
    # What was claimed and is of no use is given up, and the order goes the ordinary way.
    "claim": (Act("proxmox", LXC),),
    "unlink": (CONFIG,),  # where its node does not answer, the cluster says that the container is gone
}
FOLLOWED_BY = {  # acts whose jobs submit another, which has its own rows
    **dict.fromkeys(("add domain", "prove domain"), "certificate"),
    "claim": "order",  # the e-mail
}


@dataclass(frozen=True)
class Case:
    """One fault that lasts, during one act. `refused`: it meets a guard."""

    deed: str
    call: Act
    kind: str
    refused: bool = False

    @property
    def harmless(self) -> bool:
        """Whether it may stand in nobody's way: a look may find what was done without an answer."""
        done_without = DOES_WITHOUT.get(self.deed, ())
        without = any(a.system == self.call.system and a.match in self.call.match for a in done_without)
        return self.kind in ("drop_after", AWAY) or without

    @property
    def hangs_inside(self) -> bool:
        """Whether a script hangs inside the container, and goes on hanging whatever is mended outside."""
        return self.call is INSTALL and self.kind == "hang"

    def __str__(self) -> str:
        variant = f" ({self.call.plan})" if self.call.plan != "basic" else ""
        return f"{self.deed}{variant}: {self.call.system} {self.kind} {self.call.match or 'everything'}"


def rows(deed: str) -> tuple[Act, ...]:
    """The calls that an act makes, before it is accepted and after."""
    return (*GUARDS.get(deed, ()), *JOBS[deed])


def cases() -> Iterator[Case]:
    """All of them."""
    for deed in JOBS:
        guards = GUARDS.get(deed, ())
        for call in rows(deed):
            kinds = {INSTALL: IN_CONTAINER, CONTENT: ON_CONTENT}.get(call, LASTING)
            yield from (Case(deed, call, kind, call in guards and _refuses(call, kind)) for kind in kinds)
        if any(call.system == NODE.system for call in rows(deed)):
            yield Case(deed, NODE, AWAY, CONFIG in guards)
        asked_first = {call.system for call in guards}
        for system in dict.fromkeys(call.system for call in rows(deed)):
            whole = Act(system, "")
            first = system in asked_first
            yield from (
                Case(deed, whole, kind, first and _refuses(whole, kind)) for kind in (*LASTING, *MORE)
            )


def _refuses(call: Act, kind: str) -> bool:
    return call.system != "ispconfig" or kind in ANSWERED


def short() -> Iterator[Case]:
    """One for each act and system, such that every act, system and kind comes up."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases():
        if not case.hangs_inside:  # it takes long to tell
            found.setdefault((case.deed, case.call.system), []).append(case)
    # Another kind, and another call, from one to the next; what has not come up so comes at the end.
    chosen = [group[7 * number % len(group)] for number, group in enumerate(found.values())]
    yield from chosen
    left = dict.fromkeys(case.kind for case in cases())
    for kind in left.keys() - {case.kind for case in chosen}:
        yield next(case for case in cases() if case.kind == kind)
