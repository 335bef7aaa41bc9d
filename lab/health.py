"""What a site says of itself when it is looked at from inside."""

from collections.abc import Iterable
from typing import Any

from lab.wordpress import SAFE_MODE

WELL = (
    "system Debian GNU/Linux 13 (trixie)",
    "release 13.1",
    "package mariadb-server 1:11.8.3-0+deb13u1",
    "package nginx 1.26.3-3+deb13u1",
    "package php8.4-fpm 8.4.11-1~deb13u1",
    "disk 12",
    "inodes 4",
    "pending 0 0",
    "lists 6",
    "unattended 6",
    "wordpress 6.9",
    "plugins 0",
    "themes 0",
    "overdue 0",
    "test wordpress_version good",
    "test php_version good",
    "answered yes",
)
"""In the form that a container of Debian 13 gave (tests/containers/test_health.py); versions are examples."""


def lines(guest: dict[str, Any]) -> list[str]:
    """The facts of a guest, one a line: those of a healthy site, else what was ordered for it."""
    said: Iterable[str] = guest.get("health") or WELL
    if guest.get("trouble"):
        said = [line for line in said if line != "answered yes"]
    return [*said, f"safemode {'on' if SAFE_MODE in guest['files'] else 'off'}", "end"]


def update(guest: dict[str, Any], run: str, part: str, fault: str) -> str:
    """What the status file says after an update of WordPress or of the system (``part``); the guest is at the
    new release then. With the kind of a fault it fails. `breaks`: the trouble that an update brings upon the
    guest, once."""
    if fault:
        return f"run {run}\nfailed update 70 no_space: Could not copy file.\ndone 70\n"
    said = list(guest.get("health") or WELL)
    if part == "system":
        return f"run {run}\n{_upgraded(guest, said)}\ndone 0\n"
    old = next(line.partition(" ")[2] for line in said if line.startswith("wordpress "))
    new = next((line.partition(" ")[2] for line in said if line.startswith("minor ")), "")
    if not new:
        return f"run {run}\nnone {old}\ndone 0\n"
    rest = [line for line in said if not line.startswith(("wordpress ", "minor "))]
    guest["health"] = [*rest, f"wordpress {new}"]
    _break(guest)
    return f"run {run}\nupdated {old} {new}\ndone 0\n"


def _upgraded(guest: dict[str, Any], said: list[str]) -> str:
    """Its security updates are put in, what else waits goes on waiting."""
    pending = next((line for line in said if line.startswith("pending ")), "pending 0 0")
    every, security = (int(number) for number in pending.split()[1:])
    rest = [line for line in said if not line.startswith(("pending ", "security "))]
    guest["health"] = [*rest, f"pending {every - security} 0"]
    _break(guest)
    return f"upgraded {security}"


def _break(guest: dict[str, Any]) -> None:
    if trouble := guest.pop("breaks", ""):
        guest["trouble"] = trouble
