"""What an HA resource is: its fields, its states, and the words for them."""

from typing import Any

DEFAULTS = {"max_restart": 1, "max_relocate": 1, "failback": 1}
SHOWN = (
    *(
        "sid",
        "type",
        "state",
        "comment",
        "max_restart",
        "max_relocate",
        "failback",
        "auto-rebalance",
        "group",
    ),
)
MIGRATE = "migrate"
QUEUED = ""
"""The manager has not seen the resource yet, or has nothing to do with it (``ignored``)."""


def verbose(resource: dict[str, Any]) -> str:
    """The state as people are shown it: what the manager has and what is asked of it, in one word
    (pve-ha-manager 5.2.0, src/PVE/HA/Tools.pm:216-252)."""
    crm, asked = resource["crm"], resource["state"]
    if asked == "ignored":
        return "ignored"
    if crm == "stopped" and asked != "stopped":
        return "starting" if asked == "started" else "disabled"
    if crm == "started":
        going = "stopping" if asked in ("stopped", "disabled") else crm
        return going if resource["up"] else "starting"
    if crm == "error" and asked == "disabled":
        return "clearing error flag"
    return crm or "queued"


def in_error(sid: str) -> str:
    """The refusal of a resource in error."""
    return f"service '{sid}' in error state, must be disabled and fixed first"


def canonical(sid: str) -> str:
    """``907`` means ``ct:907``: nobody else's guests are HA resources here."""
    return sid if ":" in sid else f"ct:{sid}"


def vmid_of(sid: str) -> int:
    """The VMID of ``ct:907``."""
    return int(sid.partition(":")[2])


def untouched() -> dict[str, Any]:
    """What the manager keeps of a resource that it has not seen yet, or does not mind."""
    return {"crm": QUEUED, "up": False, "stop": None, "moving": "", "failed": 0, "tried": [], "upid": ""}


def plain(state: str) -> str:
    """The older word ``enabled`` means ``started``."""
    return "started" if state == "enabled" else state
