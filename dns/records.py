"""Records: what customers write, checked by type, and what ISPConfig stores."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dns import naming, rdata, txt
from dns.clients.ispconfig import Record
from dns.errors import BadField, Protected

TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "TXT", *rdata.STRUCTURES)
FIELDS = {"A": "ip", "AAAA": "ip", "CNAME": "target", "MX": "exchange", "NS": "ns", "TXT": "txt"}
TTLS = (60, 86_400)  # seconds
PRIORITIES = (0, 65_535)
ALIAS = "PROXYSRV"  # means the proxy's address, so that customers need not know it
# Types whose names may hold an underscore; for others ISPConfig refuses it, or no client looks there.
UNDERSCORED = {"CAA", "CNAME", "NS", "SRV", "TLSA", "TXT"}
NO_WILDCARDS = {"CAA", "NS", "SRV", "TLSA"}  # types for which ISPConfig takes no *
SHORT_NAMES = {"A": 64, "AAAA": 64}  # characters that ISPConfig takes as a name, 255 for the others
TARGETS = {"ALIAS", "CNAME", "DNAME", "MX", "NS", "PTR"}  # types whose data are a name
PRIORITISED = {"MX", "NAPTR", "SRV"}  # types that begin with a number, which ISPConfig keeps apart
NOBODY = "."  # the exchange of a domain that takes no mail (RFC 7505)


@dataclass(frozen=True)
class Entry:
    """What a record says: whole names in lower case with their last dot, the text of a TXT record unescaped,
    `ttl` in seconds."""

    type: str
    name: str
    data: str
    ttl: int
    priority: int | None = None

    def says_the_same(self, other: "Entry") -> bool:
        """Whether both are one record to DNS, for which the TTL makes no difference."""
        return (self.type, self.name, self.data, self.priority) == (
            other.type,
            other.name,
            other.data,
            other.priority,
        )

    def stored(self, origin: str) -> dict[str, Any]:
        """The fields for ISPConfig, in the zone `origin` (with its last dot)."""
        return {
            "type": self.type,
            "name": _stored_name(self.type, self.name, origin),
            "data": txt.escape(self.data) if self.type == "TXT" else self.data,
            "ttl": self.ttl,
            "priority": self.priority or 0,
        }

    def plain(self) -> dict[str, Any]:
        """As JSON, for a job's data; `Entry(**plain)` is the way back."""
        return asdict(self)

    def shown(self, id: int | str | None, active: bool = True) -> dict[str, Any]:
        """As callers see it: `{id, type, name, data, ttl, priority, active}`; `id` is None where it has
        none."""
        facts = {"id": None if id is None else str(id), "type": self.type, "name": self.name}
        facts |= {"data": self.data, "ttl": self.ttl, "priority": self.priority}
        return {**facts, "active": "y" if active else "n"}


@dataclass(frozen=True)
class Held:
    """A record that ISPConfig holds."""

    id: int
    entry: Entry
    active: bool
    mark: int = 0  # of the job that made it
    row: Record | None = field(default=None, compare=False, repr=False)  # as it is stored


def held(record: Record, origin: str) -> Held:
    """A stored record, read in its zone."""
    data = record.data
    if record.type in TARGETS:
        data = naming.absolute(data, origin)
    elif record.type == "TXT":
        data = txt.unescape(data)
    elif record.type == "AAAA":
        data = _plain_ipv6(data)
    elif record.type in rdata.STRUCTURES:
        data = rdata.shown(record.type, data, origin)
    priority = record.priority if record.type in PRIORITISED else None
    name = naming.absolute(record.name, origin)
    entry = Entry(record.type, name, data, record.ttl, priority)
    return Held(record.id, entry, record.active, record.mark, record)


def _plain_ipv6(text: str) -> str:
    """The one form of an address, of which staff may have stored another."""
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return text.lower()


def parse(values: Mapping[str, Any], zone: str, proxy_ip: str) -> Entry:
    """The entry that a caller means, in the zone of that name (no last dot). BadField says what is wrong;
    Protected for a SOA.

    `values`: `type`, `name`, `ttl`, `priority` and `ip`, `target`, `exchange`, `ns`, `txt`, the fields of
    `rdata.STRUCTURES` or `content`, all but numbers as texts.
    """
    type = values["type"].strip().upper()
    if type == "SOA":
        raise Protected()
    if type not in TYPES:
        raise BadField("type", f"Use one of the types {', '.join(TYPES)}.")
    name = _name(type, values["name"], zone)
    ttl = _within("ttl", values["ttl"], TTLS)
    if type in rdata.STRUCTURES:
        priority, data = rdata.read(type, values, zone)
        return Entry(type, name, data, ttl, priority)
    priority, text = _content(type, values)
    try:
        data = _DATA[type](text, zone, proxy_ip)
    except ValueError as error:
        raise BadField(_field(type, values), str(error)) from None
    if data == NOBODY and priority != 0:
        raise BadField("priority", "An MX of . (no mail at all) has the priority 0.")
    if type == "CNAME" and data == name:
        raise BadField(_field(type, values), "A name cannot be an alias of itself.")
    return Entry(type, name, data, ttl, priority)


def _name(type: str, text: str, zone: str) -> str:
    try:
        underscores, wildcard = type in UNDERSCORED, type not in NO_WILDCARDS
        name = naming.record(text, zone, underscores=underscores, wildcard=wildcard)
        rdata.check_name(type, name, zone)
    except naming.BadName as error:
        raise BadField("name", str(error)) from None
    if len(_stored_name(type, name, f"{zone}.")) > SHORT_NAMES.get(type, 255):
        raise BadField("name", f"The name is too long for a record of type {type}.")
    return name


def _stored_name(type: str, name: str, origin: str) -> str:
    """The whole name, which leaves no doubt, or what is before the zone where that would be too long."""
    if len(name) <= SHORT_NAMES.get(type, 255):
        return name
    return name.removesuffix(origin).removesuffix(".")


def _field(type: str, values: Mapping[str, Any]) -> str:
    """The field in which the caller wrote the content."""
    own = FIELDS[type]
    return own if values.get(own) is not None or values.get("content") is None else "content"


def _content(type: str, values: Mapping[str, Any]) -> tuple[int | None, str]:
    """The priority, for MX only, and the content; in `content` an MX may say both, as zone files do."""
    field = _field(type, values)
    text, priority = values.get(field), values.get("priority")
    if text is None or not text.strip():
        raise BadField(field, f"The field {field} is missing.")
    if type != "MX":
        return None, text
    if priority is None and field == "content" and (both := re.fullmatch(r"\s*(\d{1,5})\s+(\S+)\s*", text)):
        priority, text = int(both[1]), both[2]
    if priority is None:
        raise BadField("priority", "The field priority is missing.")
    return _within("priority", priority, PRIORITIES), text


def _within(field: str, number: int, limits: tuple[int, int]) -> int:
    low, high = limits
    if not low <= number <= high:
        raise BadField(field, f"The field {field} must be a number from {low} to {high}.")
    return number


def _ipv4(text: str, zone: str, proxy_ip: str) -> str:
    text = text.strip()
    try:
        return str(ipaddress.IPv4Address(proxy_ip if text.upper() == ALIAS else text))
    except ValueError:
        raise ValueError(f"Use an IPv4 address such as 203.0.113.10, or {ALIAS}.") from None


def _ipv6(text: str, zone: str, proxy_ip: str) -> str:
    text = text.strip()
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        address = None
    if address is None or address.scope_id:
        raise ValueError("Use an IPv6 address such as 2001:db8::10.")
    return str(address)


def _alias(text: str, zone: str, proxy_ip: str) -> str:
    return naming.host(_no_address(text), zone, underscores=True)


def _exchange(text: str, zone: str, proxy_ip: str) -> str:
    return NOBODY if text.strip() == NOBODY else _server(text, zone, proxy_ip)


def _server(text: str, zone: str, proxy_ip: str) -> str:
    return naming.host(_no_address(text), zone)


def _no_address(text: str) -> str:
    """The text, unless it stands for the proxy's address, which is no host name."""
    if text.strip().upper() == ALIAS:
        raise naming.BadName(f"{ALIAS} stands for an address; use a host name here.")
    return text


def _text(text: str, zone: str, proxy_ip: str) -> str:
    return txt.clean(text)


_DATA: dict[str, Callable[[str, str, str], str]] = {
    "A": _ipv4,
    "AAAA": _ipv6,
    "CNAME": _alias,
    "MX": _exchange,
    "NS": _server,
    "TXT": _text,
}
