"""What stands in an answer of Proxmox VE, as what it has to be: anything else is a `BadAnswer`.

Perl does not tell 1 from "1", so numbers may come as text and text as numbers; what is missing or null is the
default.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from nodepoint.clients.errors import BadAnswer
from sites.clients.proxmox.errors import SYSTEM

# pve-common, src/PVE/UPID.pm: node, pid, pstart, starttime, type, id, user.
UPID = re.compile(
    r"UPID:[a-zA-Z0-9][a-zA-Z0-9-]*:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8}:[^:\s/]+:[^:\s/]*:[^:\s/]+:"
)
YES, NO = frozenset(("1", "yes", "on", "true")), frozenset(("", "0", "no", "off", "false"))  # JSONSchema.pm


def upid(data: Any) -> str:
    """The UPID that a task call must have answered with; anything else is a `BadAnswer` (outcome unknown)."""
    if not (isinstance(data, str) and UPID.fullmatch(data)):
        raise BadAnswer(SYSTEM, f"no UPID: {str(data)[:200]}")
    return data


def text(value: Any, default: str = "") -> str:
    """A text."""
    if value is None:
        return default
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BadAnswer(SYSTEM, f"not a text: {str(value)[:200]}")


def required(row: Mapping[str, Any], key: str) -> str:
    """The text under `key`, which must be there and not empty."""
    found = text(row.get(key))
    if not found:
        raise BadAnswer(SYSTEM, f"no {key}: {str(row)[:200]}")
    return found


def number(value: Any, default: float = 0.0) -> float:
    """A finite number."""
    if value in (None, ""):
        return default
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise BadAnswer(SYSTEM, f"not a number: {str(value)[:200]}")
    return found


def integer(value: Any, default: int = 0) -> int:
    """A whole number, such as bytes, seconds or a VMID; what is behind the point is cut off."""
    return int(number(value, default))


def yes(value: Any) -> bool:
    """A boolean: 1, "1", true on newer paths, and the words that Perl takes for one."""
    word = "" if value is None else str(value).lower()
    if word not in YES | NO:
        raise BadAnswer(SYSTEM, f"neither yes nor no: {str(value)[:200]}")
    return word in YES


def mapping(value: Any) -> dict[str, Any]:
    """An object, empty where there is none."""
    if not isinstance(value, dict | None):
        raise BadAnswer(SYSTEM, f"not an object: {str(value)[:200]}")
    return value or {}


def tags(value: Any) -> frozenset[str]:
    """Tags come sorted, lower case and separated by semicolons, but may have been written in any list
    form."""
    return frozenset(filter(None, re.split(r"[;, ]+", text(value).lower())))


def property_string(values: Mapping[str, str | int | bool]) -> str:
    """`name=eth0,bridge=vmbr1,firewall=1` from a mapping. A value that would add a property is a
    `ValueError`."""
    parts = []
    for key, value in wire(values).items():
        if not re.fullmatch(r"[^,=\s]+", str(value)):
            raise ValueError(f"{key} cannot hold {value!r}")
        parts.append(f"{key}={value}")
    return ",".join(parts)


def properties(value: Any, bare: str = "volume") -> dict[str, str]:
    """The mapping behind a property string; a first value without a key is kept as `bare`."""
    parts = (part.partition("=") for part in text(value).split(",") if part)
    return {key if equals else bare: value if equals else key for key, equals, value in parts}


def wire(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the API takes them: 1 and 0 (it refuses `True`), absent ones left out."""
    return {k: int(v) if isinstance(v, bool) else v for k, v in params.items() if v is not None}
