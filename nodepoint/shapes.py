"""Reading the shapes that settings have: addresses, networks, host:port. Each raises ValueError for what is
none."""

import base64
import re
import ssl
from email.utils import parseaddr
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")

HOST = re.compile(r"[A-Za-z0-9._:-]+")
INSTALLATION = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,23}"  # no `:`, which separates the parts of owner marks


class Malformed(ValueError):
    """The text does not have the shape."""


def ipv4(text: str) -> IPv4Address:
    """An IPv4 address."""
    return IPv4Address(text)


def network(text: str) -> IPv4Network:
    """An IPv4 network, `192.168.1.0/24`."""
    if "/" not in text:
        raise Malformed
    return IPv4Network(text)


def any_network(text: str) -> IPv4Network | IPv6Network:
    """A network of either version, `10.0.0.0/8` or `fe80::/10`."""
    if "/" not in text:
        raise Malformed
    return ip_network(text)


def address_range(text: str) -> tuple[IPv4Address, IPv4Address]:
    """The first and the last address of `192.168.1.100-192.168.1.253`."""
    first, _, last = text.partition("-")
    addresses = IPv4Address(first.strip()), IPv4Address(last.strip())
    if addresses[0] > addresses[1]:
        raise Malformed
    return addresses


def domain(text: str) -> str:
    """A host name in ASCII with at least two labels; a dot at its end makes no difference."""
    labels = text.removesuffix(".").split(".")
    if len(labels) < 2 or len(text) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise Malformed
    return ".".join(labels).lower()


def server(text: str) -> tuple[str, int | None]:
    """`host[:port]`; an IPv6 address stands in brackets when a port follows."""
    found = urlsplit(f"//{text}")
    if not HOST.fullmatch(found.hostname or "") or found.netloc != text or "@" in text or text.endswith(":"):
        raise Malformed
    return found.hostname, found.port


def node_hosts(text: str) -> dict[str, tuple[str, int | None]]:
    """`node1=192.168.1.10[:port],…` as {node: (host, port)}."""
    hosts = {}
    for item in text.split(","):
        node, _, address = item.partition("=")
        if not node.strip():
            raise Malformed
        hosts[node.strip()] = server(address.strip())
    return hosts


def http_url(text: str) -> str:
    """An http or https address."""
    return _url(text, "http", "https")


def webhook_url(text: str) -> str:
    """An https address, or an http one at a private IP address: what is told crosses no open network in
    plain."""
    found = urlsplit(_url(text, "http", "https"))
    if found.scheme == "http":
        try:
            if not ip_address(found.hostname or "").is_private:
                raise Malformed
        except ValueError:
            raise Malformed from None
    return text


def webhook_secret(text: str) -> str:
    """`whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks has it."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise Malformed from None
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise Malformed
    return text


def mail_url(text: str) -> str:
    """A mail relay, `smtp://[user:password@]host[:port]`; `smtp+tls`, `smtps` and `smtp+ssl` too."""
    return _url(text, "smtp", "smtp+tls", "smtp+ssl", "smtps")


def _url(text: str, *schemes: str) -> str:
    found = urlsplit(text)
    if found.scheme not in schemes or not found.hostname or found.port == 0 or any(c.isspace() for c in text):
        raise Malformed
    return text


def email_address(text: str) -> str:
    """One e-mail address, roughly: the mail server knows better."""
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", text):
        raise Malformed
    return text


def hostmaster(text: str) -> str:
    """An e-mail address as a zone's SOA can say it: its first dot there stands for the @."""
    local, _, host = text.partition("@")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", local):
        raise Malformed
    return f"{local}@{domain(host)}"


def existing_file(text: str) -> Path:
    """A file that can be read."""
    try:
        with Path(text).open("rb"):
            return Path(text)
    except (OSError, ValueError) as error:
        raise Malformed from error


def private_key(text: str) -> Path:
    """A file with a private key that SSH can use without a passphrase."""
    import paramiko  # here, since it takes a tenth of a second that other commands need not wait

    try:
        paramiko.PKey.from_path(existing_file(text))
    except (paramiko.SSHException, paramiko.UnknownKeyType, OSError, ValueError, TypeError) as error:
        raise Malformed from error
    return Path(text)


def known_hosts(text: str) -> Path:
    """A known_hosts file with a key at least."""
    from paramiko.hostkeys import HostKeys, InvalidHostKey

    try:
        found = HostKeys(str(existing_file(text)))
    except (InvalidHostKey, OSError, UnicodeDecodeError) as error:
        raise Malformed from error
    if not found.keys():
        raise Malformed
    return Path(text)


def authorities(text: str) -> Path:
    """A file with certificates of authorities (PEM)."""
    file = existing_file(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:  # ssl.SSLError is one
        raise Malformed from error
    return file


def time_zone(text: str) -> ZoneInfo:
    """The name of a time zone, `Europe/Berlin`."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:  # unknown, a path, a folder
        raise Malformed from error


def sender(text: str) -> str:
    """An e-mail address, alone or with a name, `Example Hosting <noreply@example.com>`."""
    if "\n" in text:
        raise Malformed
    return email_address(parseaddr(text)[1])


def allowed_host(text: str) -> str:
    """A host name as Django's ALLOWED_HOSTS takes it: `*`, an address (IPv6 in brackets), a name, or `.name`
    for all names below it as well."""
    name = text.removeprefix(".")
    if text != "*" and not re.fullmatch(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+", name):
        raise Malformed
    return text


def pve_node(text: str) -> str:
    """The name of a node of Proxmox VE (pve-common, PVE/JSONSchema.pm, pve_verify_node_name)."""
    return _pattern(text, r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def pve_storage(text: str) -> str:
    """The name of a storage of Proxmox VE (pve-common, PVE/JSONSchema.pm, parse_id)."""
    return _pattern(text, r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]")


def pve_bridge(text: str) -> str:
    """A bridge as a container's network card names it (pve-common, PVE/JSONSchema.pm, parse_bridge_id)."""
    return _pattern(text, r"[A-Za-z0-9_.-]+")


def pve_pool(text: str) -> str:
    """The name of a pool, up to three levels (pve-access-control, PVE/AccessControl.pm, verify_poolname)."""
    return _pattern(text, r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}")


def pve_token_name(text: str) -> str:
    """The name of an API token, without user and `!` (pve-access-control, Auth/Plugin.pm, realm_regex)."""
    return _pattern(text, r"[A-Za-z][A-Za-z0-9._-]+")


def word(text: str) -> str:
    """Printable ASCII without blanks: names of accounts, secrets that go into a header."""
    return _pattern(text, r"[!-~]+")


def line(text: str) -> str:
    """One line of text."""
    if not text.isprintable():
        raise Malformed
    return text


def _pattern(text: str, pattern: str) -> str:
    if not re.fullmatch(pattern, text):
        raise Malformed
    return text


def user_with_realm(text: str) -> str:
    """A user of Proxmox VE, `name@realm`."""
    return _halves(text, "@")


def volume(text: str) -> str:
    """A volume of Proxmox VE, `storage:name`."""
    return _halves(text, ":")


def _halves(text: str, separator: str) -> str:
    if not all(text.partition(separator)):
        raise Malformed
    return text


def transfer_peer(text: str) -> str:
    """Who may fetch zones, as ISPConfig takes it: an IPv4 or IPv6 address or network, or `any`."""
    if text != "any":
        ip_network(text)
    return text


def installation(text: str) -> str:
    """The name of an installation, as owner marks can carry it: up to 24 letters, digits, `_`, `.`, `-`."""
    return _pattern(text, INSTALLATION)


def verify_tls(text: str) -> bool | Path:
    """Whether a server's certificate is checked, or the CA file to check it with."""
    return text.lower() == "true" if text.lower() in ("true", "false") else authorities(text)


def certificate(text: str) -> int | None:
    """The number of a certificate in Nginx Proxy Manager; None for `letsencrypt`."""
    if text == "letsencrypt":
        return None
    if int(text) < 1:
        raise Malformed
    return int(text)
