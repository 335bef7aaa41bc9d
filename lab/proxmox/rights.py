"""Which privilege each call needs before anything of it is looked at, as the vendor's API declares it.

Calls that declare none are open to every user; they leave out what one may not see, or check inside.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """``path`` with the call's own parameters in it; ``any``: one of the privileges is enough."""

    path: str
    privileges: tuple[str, ...]
    any: bool = False


GUEST = "/vms/{vmid}"
ROLL_BACK = ("VM.Snapshot", "VM.Snapshot.Rollback")
CONFIG = tuple(f"VM.Config.{part}" for part in ("Disk", "CPU", "Memory", "Network", "Options"))
STORAGE = ("Datastore.AllocateSpace", "Datastore.Audit")

_LXC = "/nodes/{node}/lxc"
_CT = f"{_LXC}/{{vmid}}"
_RULES = f"{_CT}/firewall/rules"
_SNAPSHOT = f"{_CT}/snapshot/{{snapname}}"
_HA = "/cluster/ha"
_VOLUME = "/nodes/{node}/storage/{storage}/content/{volume}"

AUDIT_ALL, AUDIT, NETWORK = (
    Right("/", ("Sys.Audit",)),
    Right(GUEST, ("VM.Audit",)),
    Right(GUEST, (CONFIG[3],)),
)
CONSOLE, POWER = Right("/", ("Sys.Console",)), Right(GUEST, ("VM.PowerMgmt",))

RIGHTS: dict[str, Right] = {
    "GET /cluster/status": AUDIT_ALL,
    "GET /cluster/firewall/options": AUDIT_ALL,
    **{f"GET {_HA}/{path}": AUDIT_ALL for path in ("resources", "resources/{sid}", "status/current")},
    **{f"GET {_HA}/{path}": AUDIT_ALL for path in ("rules", "rules/{rule}", "groups")},
    **{f"POST {_HA}/{path}": CONSOLE for path in ("resources", "rules", "groups")},
    **{f"PUT {_HA}/{path}": CONSOLE for path in ("resources/{sid}", "rules/{rule}")},
    **{f"DELETE {_HA}/{path}": CONSOLE for path in ("resources/{sid}", "rules/{rule}")},
    "GET /pools/{poolid}": Right("/pool/{poolid}", ("Pool.Audit",)),
    "PUT /pools": Right("/pool/{poolid}", ("Pool.Allocate",)),
    "GET /nodes/{node}/status": Right("/nodes/{node}", ("Sys.Audit",)),
    "GET /nodes/{node}/storage/{storage}/status": Right("/storage/{storage}", STORAGE, any=True),
    "GET /nodes/{node}/storage/{storage}/content": Right("/storage/{storage}", STORAGE, any=True),
    f"DELETE {_CT}": Right(GUEST, ("VM.Allocate",)),
    f"GET {_CT}/config": AUDIT,
    f"PUT {_CT}/config": Right(GUEST, CONFIG, any=True),
    f"GET {_CT}/pending": AUDIT,
    f"GET {_CT}/status/current": AUDIT,
    **{f"POST {_CT}/status/{act}": POWER for act in ("start", "stop", "shutdown", "reboot")},
    f"POST {_CT}/migrate": Right(GUEST, ("VM.Migrate",)),
    f"PUT {_CT}/resize": Right(GUEST, ("VM.Config.Disk",)),
    f"GET {_CT}/snapshot": AUDIT,
    f"POST {_CT}/snapshot": Right(GUEST, ("VM.Snapshot",)),
    f"DELETE {_SNAPSHOT}": Right(GUEST, ("VM.Snapshot",)),
    f"GET {_SNAPSHOT}/config": Right(GUEST, (*ROLL_BACK, "VM.Audit"), any=True),
    f"PUT {_SNAPSHOT}/config": Right(GUEST, ("VM.Snapshot",)),
    f"POST {_SNAPSHOT}/rollback": Right(GUEST, ROLL_BACK, any=True),
    f"GET {_CT}/feature": AUDIT,
    f"GET {_CT}/interfaces": AUDIT,
    f"GET {_CT}/firewall/options": AUDIT,
    f"PUT {_CT}/firewall/options": NETWORK,
    f"GET {_RULES}": AUDIT,
    f"POST {_RULES}": NETWORK,
    f"GET {_RULES}/{{pos}}": AUDIT,
    f"PUT {_RULES}/{{pos}}": NETWORK,
    f"DELETE {_RULES}/{{pos}}": NETWORK,
}

OPEN = (
    *(
        "GET /version",
        "GET /cluster/resources",
        "GET /cluster/nextid",
        "GET /cluster/tasks",
        "GET /cluster/options",
    ),
    *("GET /access/permissions", "GET /pools", "GET /nodes", "GET /nodes/{node}/storage", f"GET {_LXC}"),
    *(
        f"POST {_LXC}",
        f"GET {_CT}",
        f"GET {_SNAPSHOT}",
        "POST /nodes/{node}/vzdump",
        "GET /nodes/{node}/vzdump/defaults",
        *(
            f"{method} /nodes/{{node}}/storage/{{storage}}/content/{{volume}}"
            for method in ("GET", "PUT", "DELETE")
        ),
        "GET /nodes/{node}/tasks",
    ),
    *(f"GET /nodes/{{node}}/tasks/{{upid}}/{what}" for what in ("status", "log")),
    "DELETE /nodes/{node}/tasks/{upid}",
    *(f"{method} {_VOLUME}" for method in ("GET", "PUT", "DELETE")),
)
"""Calls without a declared privilege."""
