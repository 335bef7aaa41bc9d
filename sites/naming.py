"""Names of sites: the subdomain that an order gets, and the host names that customers bring."""

import re
import secrets
import string
from collections.abc import Container

import idna

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


class BadName(ValueError):
    """What a customer typed is no host name; the text says what is wrong with it."""


def wished_subdomain(email: str) -> str:
    """The subdomain that an e-mail address suggests: its local part, reduced to what a host name may hold;
    may be empty.
    """
    local = email.rpartition("@")[0].lower()
    return re.sub(r"[^a-z0-9-]", "", local).strip("-")[:LONGEST].strip("-")


_SUBDOMAIN = re.compile(r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


def subdomain(text: str) -> str:
    """A subdomain as somebody types it, in lower case; BadName where it is none."""
    name = text.strip().lower()
    if not _SUBDOMAIN.fullmatch(name):
        raise BadName(f"Use 1 to {LONGEST} of a-z, 0-9 and -, neither first nor last, such as my-shop.")
    return name


def free_subdomain(email: str, taken: Container[str], wish: str = "") -> str:
    """The wished subdomain, by default the one that the address suggests; with `-` and four random characters
    where that is empty, reserved or taken."""
    wish = wish or wished_subdomain(email)
    if wish and wish not in RESERVED and wish not in taken:
        return wish
    while True:
        name = f"{wish or 'site'}-{''.join(secrets.choice(SUFFIX) for _ in range(4))}"
        if name not in taken:
            return name


LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def host_name(text: str) -> str:
    """A host name as a customer types it, in the form of DNS: lower case, IDNA in ASCII, without a last dot.

    BadName for anything else, addresses, wildcards and single labels included.
    """
    try:
        # Registries of today's IDNA take `ß`, which Python's own codec would turn into `ss`.
        name = idna.encode(text.strip().removesuffix("."), uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        raise BadName("Use a host name such as www.example.com.") from None
    labels = name.split(".")
    if len(labels) < 2 or len(name) > LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise BadName("Use a host name such as www.example.com.")
    if labels[-1].isdigit():
        raise BadName("Use a host name such as www.example.com, not an address.")
    return name
