"""Who may reach a container and what it may reach, as rules of Proxmox VE's firewall, and the single writes
that lead to them.

A hacked site sits on one bridge with the nodes, the proxy, our API and all other sites.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from sites.clients.proxmox import FirewallOptions, FirewallRule

# `ndp` stays on: neighbour discovery is admitted before any rule of ours (pve-firewall 6.0.4 `Firewall.pm`,
# `ruleset_create_vm_chain`), so that closing fe80::/10 does not take the container's own address from it.
OPTIONS = FirewallOptions(enable=True, policy_in="DROP", policy_out="ACCEPT", ipfilter=True, macfilter=True)
LIST_LENGTH = 512  # characters of `dest` and `source` that the API takes
RELAY_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def rules() -> list[FirewallRule]:
    """In: port 80 from the proxy. Out: the gateway, the name servers' port 53, the mail relay's port, and
    nothing else inside CLOSED_NETWORKS and SITE_NETWORK. The first that fits decides."""
    lists_of = (settings.PROXY_LAN_IPS, settings.SITE_NAMESERVERS, settings.CLOSED_NETWORKS)
    single = (settings.SITE_GATEWAY, settings.SITE_NETWORK, settings.SITE_SMTP_URL)
    return list(_rules(*map(tuple, lists_of), *single))


@lru_cache(maxsize=4)
def _rules(*of_these: object) -> list[FirewallRule]:
    """As the settings say that were given: each site asks for them several times, and they do not change."""
    found = [FirewallRule("in", "ACCEPT", proto="tcp", dport="80", source=",".join(settings.PROXY_LAN_IPS))]
    if settings.SITE_GATEWAY:
        found.append(FirewallRule("out", "ACCEPT", dest=settings.SITE_GATEWAY))
    for servers in lists(ip for ip in settings.SITE_NAMESERVERS if ip != settings.SITE_GATEWAY):
        found += [FirewallRule("out", "ACCEPT", proto=p, dest=servers, dport="53") for p in ("udp", "tcp")]
    if relay := relay_address():
        host, port = relay
        found.append(FirewallRule("out", "ACCEPT", proto="tcp", dest=str(host), dport=str(port)))
    return found + [FirewallRule("out", "DROP", dest=networks) for networks in lists(map(str, closed()))]


def closed() -> list[Network]:
    """CLOSED_NETWORKS, and SITE_NETWORK where it lies in none of them."""
    networks = [ip_network(text) for text in settings.CLOSED_NETWORKS]
    own = ip_network(settings.SITE_NETWORK)
    covered = any(own.version == one.version and own.subnet_of(one) for one in networks)
    return networks if covered else [*networks, own]


def relay_address() -> tuple[Address, int] | None:
    """Address and port of the mail relay; None without one, and where SITE_SMTP_URL holds a name, which no
    rule of a firewall can: `manage.py doctor` says so where that name lies in a closed network."""
    found = urlsplit(settings.SITE_SMTP_URL)
    try:
        address = ip_address(found.hostname or "")
    except ValueError:
        return None
    return address, found.port or RELAY_PORTS.get(found.scheme, 25)


def lists(items: Iterable[str]) -> Iterator[str]:
    """The addresses or networks as lists that a rule can hold: one IP version each (a mixed one is skipped as
    an error, which would leave everything open), IPv4 first, none too long."""
    by_version: dict[int, list[str]] = {4: [], 6: []}
    for item in dict.fromkeys(items):
        by_version[ip_network(item).version].append(item)
    for found in filter(None, by_version.values()):
        line = found[0]
        for item in found[1:]:
            if len(line) + len(item) >= LIST_LENGTH:
                yield line
                line = item
            else:
                line = f"{line},{item}"
        yield line


class Act(Enum):
    """What a single call can do to a list of rules."""

    ADD = "add"  # on top: Proxmox VE knows no other place for a new rule
    ENABLE = "enable"
    REMOVE = "remove"


@dataclass(frozen=True)
class Write:
    """One call: `rule` is the one to add, `pos` the place of the one to enable or remove."""

    act: Act
    rule: FirewallRule | None = None
    pos: int = 0


def next_write(present: list[FirewallRule], wanted: list[FirewallRule]) -> Write | None:
    """The next of the single writes that make `present` the same as `wanted`; None when it is.

    After each of them the firewall may be compiled (the nodes do so every 10 s), or we may be killed. So the
    wanted rules are written on top of what is there, last first; a rule that forbids what a rule above it is
    going to allow stays off until that one is there; what was there before goes last, from its end, when the
    wanted ones decide already. Thus no state in between takes away gateway or name servers, or lets in or
    out what was kept apart before.
    """
    done = _written(present, wanted)
    if done < len(wanted):
        rule = wanted[-done - 1]
        return Write(Act.ADD, replace(rule, enable=not _forbids_what_is_allowed(rule, wanted)))
    for pos in range(len(wanted)):
        if not present[pos].enable:
            return Write(Act.ENABLE, pos=pos)
    return Write(Act.REMOVE, pos=len(present) - 1) if len(present) > len(wanted) else None


def alike(some: list[FirewallRule], others: list[FirewallRule]) -> bool:
    """Whether two lists mean the same, but for rules that are off."""
    return [_meaning(rule) for rule in some] == [_meaning(rule) for rule in others]


def cuts_off(present: list[FirewallRule]) -> bool:
    """Whether rules like these, once the firewall is switched on, may take away gateway or name servers."""
    return any(rule.enable and rule.type != "in" and rule.action != "ACCEPT" for rule in present)


def _written(present: list[FirewallRule], wanted: list[FirewallRule]) -> int:
    """How many of the wanted rules, counted from the last, stand on top."""
    for count in range(min(len(present), len(wanted)), 0, -1):
        if alike(present[:count], wanted[-count:]):
            return count
    return 0


def _meaning(rule: FirewallRule) -> FirewallRule:
    return replace(rule, comment="", enable=True, pos=None, digest="")


def _forbids_what_is_allowed(rule: FirewallRule, wanted: list[FirewallRule]) -> bool:
    if rule.type != "out" or rule.action == "ACCEPT":
        return False
    allowed = [
        ip_network(text)
        for other in wanted
        if (other.type, other.action) == ("out", "ACCEPT")
        for text in other.dest.split(",")
    ]
    forbidden = [ip_network(text) for text in rule.dest.split(",")]
    return any(a.version == f.version and a.overlaps(f) for a in allowed for f in forbidden)
