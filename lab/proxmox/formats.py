"""The named value formats of Proxmox's parameter schema: which texts it takes for a node, a tag list, an
address…"""

import ipaddress
import re
from collections.abc import Callable

DNS_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
CONFIG_ID = r"[A-Za-z][A-Za-z0-9_-]+"
STORAGE_ID = r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]"
NODE = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
VMID = r"[1-9][0-9]{2,8}"
TAG = r"(?i:[a-z0-9_][a-z0-9_+.-]*)"
PORT = r"\d{1,5}|[A-Za-z][A-Za-z0-9-]*"
PORTS = rf"(?:{PORT}|\d{{1,5}}:\d{{1,5}})"

Check = Callable[[str], bool]


def _like(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _list_of(check: Check) -> Check:
    return lambda value: all(check(item) for item in split_list(value))


def split_list(value: str) -> list[str]:
    """The items of a list parameter: separated by comma, semicolon, blank or NUL."""
    return [item for item in re.split(r"[,;\s\0]+", value) if item]


def _ip(value: str, version: int | None = None) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return version in (None, address.version)


def _cidr(value: str, version: int | None = None) -> bool:
    address, slash, bits = value.partition("/")
    if not slash or not bits.isdigit() or not _ip(address, version):
        return False
    return int(bits) <= ipaddress.ip_address(address).max_prefixlen


def _resolver_address(value: str) -> bool:
    return _ip(value) or _ip(value.partition("%")[0], 6)


def _firewall_address(value: str) -> bool:
    """Addresses, networks, ranges, aliases (``dc/name``) and IP sets (``+name``), comma separated."""
    return all(
        _ip(item)
        or _cidr(item)
        or all(_ip(end) for end in item.split("-", 1))
        or bool(re.fullmatch(r"\+?(?:(?:dc|guest)/)?[A-Za-z][A-Za-z0-9_-]+", item))
        for item in value.split(",")
    )


def _startup(value: str) -> bool:
    return all(re.fullmatch(r"(?:order=)?\d+|up=\d+|down=\d+", item) for item in value.split(","))


def _node_priorities(value: str) -> bool:
    return all(re.fullmatch(rf"{NODE}(?::\d+)?", item) for item in split_list(value))


_PLAIN: dict[str, Check] = {
    "disk-size": _like(r"\d+(?:\.\d+)?[KMGT]?"),
    "dns-name": _like(DNS_NAME),
    "ipv4": lambda value: _ip(value, 4),
    "ipv6": lambda value: _ip(value, 6),
    "lxc-ip-with-ll-iface": _resolver_address,
    "mac-addr": _like(r"(?i:[a-f0-9][02468ace](?::[a-f0-9]{2}){5})"),
    "pve-configid": _like(CONFIG_ID),
    "pve-ct-timezone": _like(r"host|UTC|[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*"),
    "pve-fw-addr-spec": _firewall_address,
    "pve-fw-dport-spec": _like(rf"{PORTS}(?:,{PORTS})*"),
    "pve-fw-sport-spec": _like(rf"{PORTS}(?:,{PORTS})*"),
    "pve-fw-icmp-type-spec": _like(r"[a-z0-9-]+(?:/[0-9]+)?"),
    "pve-fw-protocol-spec": _like(r"tcp|udp|udplite|icmp|icmpv6|ipv6-icmp|igmp|gre|esp|ah|sctp|dccp|\d{1,3}"),
    "pve-ha-node": _node_priorities,
    "pve-ha-resource-id": _like(rf"(?:ct|vm):{VMID}"),
    "pve-ha-resource-or-vm-id": _like(rf"(?:(?:ct|vm):)?{VMID}"),
    "pve-iface": _like(r"[A-Za-z][A-Za-z0-9_]{1,20}(?:[:.]\d+)?"),
    "pve-ipv4-config": lambda value: value in ("dhcp", "manual") or _cidr(value, 4),
    "pve-ipv6-config": lambda value: value in ("auto", "dhcp", "manual") or _cidr(value, 6),
    "pve-lxc-dev-string": _like(r"/dev/[^,]+"),
    "pve-lxc-mp-string": lambda value: ".." not in value.split("/") and value != "",
    "pve-node": _like(NODE),
    "pve-poolid": _like(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,2}"),
    "pve-startup-order": _startup,
    "pve-storage-content": _like("images|rootdir|vztmpl|iso|backup|snippets|import|none"),
    "pve-storage-id": _like(STORAGE_ID),
    "storage-pair": _like(rf"1|{STORAGE_ID}(:{STORAGE_ID})?"),
    "pve-tag": _like(TAG),
    "pve-task-status-type": _like("ok|error|warning|unknown"),
    "pve-vmid": _like(VMID),
    "pve-volume-id": _like(rf"{STORAGE_ID}:\S+"),
}


def matches(name: str, value: str) -> bool:
    """Whether ``value`` has the format ``name``; ``…-list`` formats are lists of it. KeyError: no such
    format."""
    if name in _PLAIN:
        return _PLAIN[name](value)
    return _list_of(_PLAIN[name.removesuffix("-list")])(value)
