"""Names of sites: the subdomain that an order gets."""

import re
import secrets
import string
from collections.abc import Container

LONGEST = 40
SUFFIX = string.ascii_lowercase + string.digits
# Names that would be mistaken for the platform's own, or that mail and certificate authorities trust.
RESERVED = frozenset(
    [
        "www",
        "mail",
        "smtp",
        "imap",
        "pop",
        "pop3",
        "webmail",
        "ftp",
        "sftp",
        "ssh",
        "ns",
        "ns1",
        "ns2",
        "ns3",
        "ns4",
        "dns",
        "mx",
        "mx1",
        "mx2",
        "admin",
        "administrator",
        "root",
        "api",
        "panel",
        "cpanel",
        "billing",
        "portal",
        "support",
        "help",
        "status",
        "my",
        "account",
        "accounts",
        "login",
        "auth",
        "sso",
        "proxy",
        "npm",
        "proxmox",
        "pve",
        "node",
        "node1",
        "node2",
        "node3",
        "cdn",
        "static",
        "assets",
        "autodiscover",
        "autoconfig",
        "wpad",
        "localhost",
        "postmaster",
        "hostmaster",
        "webmaster",
        "abuse",
        "security",
        "ssladmin",
        "ssladministrator",
        "sslwebmaster",
        "noreply",
        "no-reply",
        "nodepoint",
        "backup",
        "backups",
        "monitor",
        "monitoring",
        "metrics",
        "health",
        "git",
        "vpn",
        "isp",
        "ispconfig",
    ]
)


def wished_subdomain(email: str) -> str:
    """The subdomain that an e-mail address suggests: its local part, reduced to what a host name may hold; may be empty."""
    local = email.rpartition("@")[0].lower()
    return re.sub(r"[^a-z0-9-]", "", local).strip("-")[:LONGEST].strip("-")


def free_subdomain(email: str, taken: Container[str]) -> str:
    """The wished subdomain, or with `-` and four random characters where that is empty, reserved or taken."""
    wish = wished_subdomain(email)
    if wish and wish not in RESERVED and wish not in taken:
        return wish
    while True:
        name = f"{wish or 'site'}-{''.join(secrets.choice(SUFFIX) for _ in range(4))}"
        if name not in taken:
            return name
