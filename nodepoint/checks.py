"""System checks: infrastructure settings that are missing or malformed, and what would go wrong at any time
(`nodepoint.production`: what is fine for a demo only).

The infrastructure ones are registered as deployment checks, so that `migrate`, `test` and the like run
without any infrastructure; `manage.py check` runs them always, `serve` and the workers before they begin.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from nodepoint.shapes import (
    address_range,
    any_network,
    certificate,
    domain,
    email_address,
    hostmaster,
    http_url,
    installation,
    ipv4,
    known_hosts,
    line,
    mail_url,
    network,
    node_hosts,
    private_key,
    pve_bridge,
    pve_node,
    pve_pool,
    pve_storage,
    pve_token_name,
    server,
    transfer_peer,
    user_with_realm,
    verify_tls,
    volume,
    webhook_secret,
    webhook_url,
    word,
)

INFRASTRUCTURE = "infrastructure"

Shape = Callable[[str], Any]
# What each setting should look like; the reader raises Malformed (or ValueError) where it does not.
REQUIRED: dict[str, tuple[str, Shape]] = {
    "BASE_DOMAIN": ("a domain name, such as nodepoint.eu", domain),
    "PROXY_IP": ("the public IPv4 address of the reverse proxy, such as 203.0.113.10", ipv4),
    "PROXY_LAN_IPS": ("the proxy's addresses as the containers see them, such as 192.168.1.5", ipv4),
    "NAMESERVERS": ("host names, such as ns1.nodepoint.eu,ns2.nodepoint.eu", domain),
    "SITE_NETWORK": ("an IPv4 network, such as 192.168.1.0/24", network),
    "SITE_IP_RANGE": ("the first and last address, such as 192.168.1.100-192.168.1.253", address_range),
    "SITE_GATEWAY": ("an IPv4 address, such as 192.168.1.1", ipv4),
    "SITE_NAMESERVERS": ("IPv4 addresses, such as 192.168.1.1,9.9.9.9", ipv4),
    "PROXMOX_HOST": ("host[:port] of Proxmox VE, such as 192.168.1.10:8006", server),
    "PROXMOX_USER": ("a user with its realm, such as api@pam", user_with_realm),
    "PROXMOX_TOKEN_NAME": (
        "the name of an API token of PROXMOX_USER, without the user and !",
        pve_token_name,
    ),
    "PROXMOX_TOKEN_VALUE": ("the secret of that API token", word),
    "PROXMOX_VERIFY_TLS": ("true, false, or the path of a CA file", verify_tls),
    "PROXMOX_NODES": ("names of nodes, such as node1,node2", pve_node),
    "PROXMOX_STORAGE": ("the name of a storage, such as global-lvm", pve_storage),
    "PROXMOX_TEMPLATE": (
        "a container template, such as local:vztmpl/debian-12.tar.zst",
        volume,
    ),
    "PROXMOX_BRIDGE": ("a bridge of the nodes, such as vmbr1", pve_bridge),
    "SSH_USER": ("a user on the nodes, such as root", word),
    "SSH_KEY_FILE": ("the path of a private key without passphrase that can be read", private_key),
    "SSH_KNOWN_HOSTS": ("the path of a known_hosts file with host keys that can be read", known_hosts),
    "SSH_NODE_HOSTS": ("node=host[:port] for each node, such as node1=192.168.1.10", node_hosts),
    "WORDPRESS_URL": ("the http(s) address of a WordPress archive", http_url),
    "CLOUDFLARE_API_URL": ("an http(s) address, such as https://api.cloudflare.com/client/v4", http_url),
    "CLOUDFLARE_API_TOKEN": ("an API token that may edit the zone", word),
    "CLOUDFLARE_ZONE_ID": ("the id of the zone of BASE_DOMAIN", word),
    "NPM_URL": ("the http(s) address of Nginx Proxy Manager, such as http://192.168.1.5:81", http_url),
    "NPM_EMAIL": ("the e-mail address of a user of Nginx Proxy Manager", email_address),
    "NPM_PASSWORD": ("the password of NPM_EMAIL", line),
    "ISPCONFIG_URL": ("the http(s) address of ISPConfig, such as https://panel.nodepoint.eu:8080", http_url),
    "ISPCONFIG_USER": ("the name of a remote user of ISPConfig", line),
    "ISPCONFIG_PASSWORD": ("the password of ISPCONFIG_USER", line),
    "ISPCONFIG_VERIFY_TLS": ("true, false, or the path of a CA file", verify_tls),
    "DNS_HOSTMASTER": ("an e-mail address without dots before the @", hostmaster),
    "NPM_CERTIFICATE": (
        "the number of a wildcard certificate, or letsencrypt",
        certificate,
    ),
}
OPTIONAL: dict[str, tuple[str, Shape]] = {
    "ARCHIVE_STORAGE": ("the name of a storage, such as backups, or empty", pve_storage),
    "INSTALLATION_ID": ("up to 24 letters, digits, dots, - and _, such as eu1", installation),
    "PROXY_CHECK_ADDRESS": ("host[:port] of the proxy as this machine reaches it", server),
    "PROXY_CHECK_HTTP_ADDRESS": ("host[:port] of the proxy as this machine reaches it", server),
    "DNS_RESOLVERS": ("host[:port],… of resolvers, such as 9.9.9.9", server),
    "DNS_XFER": ("addresses or networks, such as 192.0.2.53,2001:db8::/64, or any", transfer_peer),
    "DNS_ALSO_NOTIFY": ("addresses, such as 192.0.2.53,2001:db8::53", ip_address),
    "SITE_SMTP_URL": ("a mail relay, such as smtp://user:password@192.168.1.6:587", mail_url),
    "LETSENCRYPT_EMAIL": ("an e-mail address", email_address),
    "CLOSED_NETWORKS": ("networks with commas, such as 10.0.0.0/8,fe80::/10", any_network),
    "PROXMOX_POOL": ("the name of a pool, such as nodepoint", pve_pool),
    "PROXMOX_HOME_NODE": ("one of PROXMOX_NODES", pve_node),
    "STAFF_EMAIL": ("e-mail addresses", email_address),
    "NOTICE_WEBHOOK_URL": ("an https address, or an http one at a private IP address", webhook_url),
    "NOTICE_WEBHOOK_SECRET": ("whsec_ and the base64 of 24 to 64 bytes", webhook_secret),
}


def infrastructure(**_: Any) -> list[CheckMessage]:
    """One message for each infrastructure setting that is missing or malformed; none: `serve` and workers
    may start."""
    found = [message for name, rule in REQUIRED.items() for message in _read(name, *rule, required=True)]
    found += [message for name, rule in OPTIONAL.items() for message in _read(name, *rule, required=False)]
    return found or list(_contradictions())


def _read(name: str, looks: str, shape: Shape, required: bool) -> Iterator[CheckMessage]:
    value = getattr(settings, name)
    values = value if isinstance(value, list) else [value]
    if not any(values):
        if required:
            yield Error(f"{name} is missing: it should be {looks}.", id="nodepoint.E001")
        return
    try:
        for one in values:
            shape(one)
    except ValueError:
        yield Error(f"{name} is malformed: it should be {looks}.", id="nodepoint.E002")


def _contradictions() -> Iterator[CheckMessage]:
    """What is wrong between settings that are each well-formed."""
    inside = network(settings.SITE_NETWORK)
    first, last = address_range(settings.SITE_IP_RANGE)
    strangers = [
        node for node in settings.PROXMOX_NODES if node not in node_hosts(",".join(settings.SSH_NODE_HOSTS))
    ]
    rules = [
        (first in inside and last in inside, "SITE_IP_RANGE must lie inside SITE_NETWORK."),
        (ipv4(settings.SITE_GATEWAY) in inside, "SITE_GATEWAY must be an address of SITE_NETWORK."),
        (
            not strangers,
            f"SSH_NODE_HOSTS must name every node of PROXMOX_NODES; {', '.join(strangers)} is missing.",
        ),
        (
            not settings.PROXMOX_HOME_NODE or settings.PROXMOX_HOME_NODE in settings.PROXMOX_NODES,
            "PROXMOX_HOME_NODE must be one of PROXMOX_NODES.",
        ),
        (
            settings.NPM_CERTIFICATE != "letsencrypt" or settings.LETSENCRYPT_EMAIL,
            "LETSENCRYPT_EMAIL is missing: NPM_CERTIFICATE=letsencrypt needs an e-mail address.",
        ),
        (
            not settings.NOTICE_WEBHOOK_URL or settings.NOTICE_WEBHOOK_SECRET,
            "NOTICE_WEBHOOK_SECRET is missing: NOTICE_WEBHOOK_URL needs one to sign with.",
        ),
    ]
    yield from (Error(sentence, id="nodepoint.E003") for holds, sentence in rules if not holds)


@register("nodepoint")
def project(**_: Any) -> list[CheckMessage]:
    """What would go wrong at any time: packages that hide one another, a queue that runs tasks twice."""
    found: list[CheckMessage] = []
    for name in ("sites", "dns", "support"):
        spec = find_spec(name)
        origin = Path(spec.origin or "") if spec else None
        if origin and settings.BASE_DIR not in origin.parents:
            sentence = f"The package {name} comes from {origin}: another library hides ours. Remove it."
            found.append(Error(sentence, id="nodepoint.E004"))
    if "django.contrib.sites" in settings.INSTALLED_APPS:
        found.append(
            Error("django.contrib.sites cannot be installed: its label is ours.", id="nodepoint.E005")
        )
    if settings.Q_CLUSTER["retry"] <= settings.Q_CLUSTER["timeout"]:
        sentence = "Q_CLUSTER: retry must be longer than timeout, or tasks run twice at the same time."
        found.append(Error(sentence, id="nodepoint.E006"))
    return found


register(infrastructure, INFRASTRUCTURE, deploy=True)
