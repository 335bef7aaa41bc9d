"""Containers that are to be copied, or to wait for a site: what scripts leave that seal them, and what the
one leaves that makes such a container a site's own.

A guest has ``secret`` (it stands for its passwords, keys and salts) from its installation on, ``spare`` while
it waits, without a secret, and ``claimed`` once it is a site's own."""

import re
import secrets
from typing import Any

from lab import wordpress
from lab.install import Plan

Guest = dict[str, Any]
Output = tuple[int, bytes, bytes]

TEMPLATE_FILE = "/etc/nodepoint-template"
STAY = re.compile(rb"^STAY=([0-9]{1,2})$", re.MULTILINE)
"""In a script that stays until it has ended, for so many seconds at most; then it leaves, and works on."""
OF_A_SITE = ("secret", "admin", "tables", "logins", "sessions", "reset_key")


def template(guest: Guest, plan: Plan) -> Output:
    """``seal.sh``: nothing of a site may be in it."""
    if not guest["golden"]:
        return 66, b"", b"the base is not there\n"
    if guest["site"]:
        return 73, b"", b"a site is in here\n"
    facts = f"build {plan.parameters.get('BUILD_ID', '')}\nwordpress 6.9\ndistribution debian-13\n"
    guest["files"] = {TEMPLATE_FILE: facts}
    return 0, f"{facts}sealed\n".encode(), b""


def spare(guest: Guest, plan: Plan) -> Output:
    """``spare.sh``: a whole site loses what is secret or its own, and is shown to nobody from then on."""
    if "spare" not in guest and (not guest["site"] or "claimed" in guest):
        return 66, b"", b"no new WordPress of ours is here\n"
    for name in OF_A_SITE:
        guest.pop(name, None)
    for path in (wordpress.PRIMARY_DOMAIN, wordpress.PLATFORM_DOMAIN):
        guest["files"].pop(path, None)
    guest["site"], guest["spare"] = False, plan.parameters.get("BUILD_ID", "")
    return 0, b"sealed\n", b""


def is_spare(guest: Guest) -> bool:
    """Whether it waits for a site, or did."""
    return "spare" in guest or "claimed" in guest


def own(guest: Guest) -> None:
    """An installation has ended well: what is secret in it was made by it, unless it was there."""
    guest.setdefault("secret", secrets.token_hex(16))
    if "spare" in guest:
        guest["claimed"] = guest.pop("spare")


def status(guest: Guest) -> bytes:
    """The status file of the script that has run last."""
    return guest["files"].get(guest.get("status", ""), "").encode()
