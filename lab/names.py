"""What public DNS knows: names set by hand, and the live records of sources such as Cloudflare's zone."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from lab.store import Store

TTL = 300
MAX_CHAIN = 8

PARENT_SERVER = "a.parent-servers.net"
"""Serves every zone above the customers' ones. Its address, and those of our own, lead back to this lab."""
PUBLIC_SUFFIXES = frozenset({"ac.uk", "co.at", "co.jp", "co.uk", "com.au", "com.br", "or.at", "org.uk"})
"""Zones of two labels that exist even when nothing in them has been set; those of one label all do."""
SERVERS = (PARENT_SERVER, "ns1.nodepoint.eu", "ns2.nodepoint.eu")


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record: names without the last dot, TXT data as plain text (bytes that are no UTF-8 as
    lone surrogates), MX as "10 mail.example", CAA as `0 issue "ca.example"`, all others as in a zone file."""

    name: str
    type: str
    data: str
    ttl: int = TTL


@dataclass(slots=True)
class Found:
    """The parts of an answer. ``rcode`` is NOERROR (also when nothing of that type is there), NXDOMAIN or
    SERVFAIL (a CNAME that leads in a circle)."""

    answer: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)
    rcode: str = "NOERROR"
    authoritative: bool = False


class Source(Protocol):
    """Another system whose records are public."""

    def at(self, name: str) -> list[Record]:
        """The records of exactly this name (lower case)."""

    def names(self) -> Iterable[str]:
        """All names that have records."""


class Names:
    """Everything that can be asked. Use it inside the lab's lock. ``address``: where all servers are."""

    def __init__(self, store: Store, address: str) -> None:
        self._store = store
        self._servers = {name: {"A": [address]} for name in SERVERS}
        self._set: dict[str, dict[str, list[str]]] = store.load("dns")
        self.sources: list[Source] = []

    def set(self, name: str, type: str, values: list[str]) -> None:
        """Replace the values of (name, type); none: the name does not exist, whatever the sources say.

        Raises ValueError for a type that is not served or a value that does not fit it.
        """
        name = name.rstrip(".").lower()
        if type not in _CHECKS:
            raise ValueError(f"type must be one of {', '.join(_CHECKS)}")
        values = [_CHECKS[type](value) for value in values]
        types = {} if type == "CNAME" else dict(self._set.get(name, {}))
        types.pop("CNAME", None)
        self._set[name] = types | {type: values} if values else {}
        self._store.save("dns", name, self._set[name])

    def view(self) -> dict[str, dict[str, list[str]]]:
        """What was set: {name: {type: values}}; an empty inner object is a name that does not exist."""
        return dict(self._set)

    def resolve(self, name: str, type: str) -> list[str]:
        """The values that a resolver finds, through CNAMEs."""
        found = self.look_up(name.rstrip(".").lower(), type, recursive=True)
        return [record.data for record in found.answer if record.type == type]

    def look_up(self, name: str, type: str, *, recursive: bool) -> Found:
        """Answer a question for a lower-case name: as a resolver, or as the servers of the zones do."""
        if not recursive:
            cut = self._delegated(name)
            if cut and (type == "NS" or cut != name) and not (cut != name and self._at(name)):
                return self._referral(cut)
        found = self._answered(name, type)
        found.authoritative = not recursive
        if not any(record.type == type for record in found.answer):
            found.authority = [self._start_of(name)]
        return found

    def _answered(self, name: str, type: str) -> Found:
        found = Found()
        for _ in range(MAX_CHAIN):
            records = self._at(name) or self._wildcard(name)
            if not records and not self._exists(name):
                found.rcode = "NXDOMAIN"
                return found
            wanted = [record for record in records if type in (record.type, "ANY")]
            alias = next((record for record in records if record.type == "CNAME"), None)
            found.answer += wanted or ([alias] if alias else [])
            if wanted or alias is None:
                return found
            name = alias.data
        found.rcode = "SERVFAIL"
        return found

    def _at(self, name: str) -> list[Record]:
        by_hand = self._set.get(name)
        if by_hand == {}:
            return []
        records = _records(name, by_hand or {})
        if by_hand and "CNAME" in by_hand:
            return records
        # What was set by hand hides the same type of the sources, and their CNAME altogether.
        hidden = {*by_hand, "CNAME"} if by_hand else set()
        others = [record for source in self.sources for record in source.at(name)]
        others += _records(name, self._servers.get(name, {}))
        records += [record for record in others if record.type not in hidden]
        if self._is_parent(name) and not any(record.type == "NS" for record in records):
            records.append(Record(name, "NS", PARENT_SERVER))
        return records

    def _exists(self, name: str) -> bool:
        if self._set.get(name) == {}:
            return False
        return bool(self._at(name)) or any(known.endswith(f".{name}") for known in self._known())

    def _known(self) -> Iterable[str]:
        yield from (name for name, types in self._set.items() if types)
        yield from self._servers
        for source in self.sources:
            yield from source.names()

    def _wildcard(self, name: str) -> list[Record]:
        """What ``*`` at the closest existing ancestor gives for a name that does not exist itself."""
        if name in self._set or self._exists(name):
            return []
        for ancestor in _ancestors(name):
            wild = self._at(f"*.{ancestor}")
            if wild or self._exists(ancestor):
                return [Record(name, record.type, record.data, record.ttl) for record in wild]
        return []

    def _start_of(self, name: str) -> Record:
        """The SOA of the zone that a name is in: a source's, else one of the parents' server."""
        for at in (name, *_ancestors(name)):
            for source in self.sources:
                if found := [record for record in source.at(at) if record.type == "SOA"]:
                    return found[0]
        return _soa(name)

    def _is_parent(self, name: str) -> bool:
        if "." not in name or name in PUBLIC_SUFFIXES:
            return True
        return any("NS" in types and known.partition(".")[2] == name for known, types in self._set.items())

    def _delegated(self, name: str) -> str | None:
        """The nearest of the name and its ancestors that the parent refers elsewhere."""
        return next((at for at in (name, *_ancestors(name)) if "NS" in self._set.get(at, {})), None)

    def _referral(self, cut: str) -> Found:
        servers = _records(cut, {"NS": self._set[cut]["NS"]})
        glue = [
            record for server in servers for record in self._at(server.data) if record.type in ("A", "AAAA")
        ]
        return Found(authority=servers, additional=glue)


def _ancestors(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(1, len(labels))]


def _records(name: str, types: dict[str, list[str]]) -> list[Record]:
    return [Record(name, type, value) for type, values in types.items() for value in values]


def _soa(name: str) -> Record:
    zone = ".".join(name.split(".")[-2:])
    return Record(zone, "SOA", f"{PARENT_SERVER} hostmaster.{zone} 1 3600 600 604800 60", 60)


def _host(value: str) -> str:
    name = value.rstrip(".").lower()
    if not name or len(name) > 253 or any(not label or len(label) > 63 for label in name.split(".")):
        raise ValueError(f"{value!r} is no host name")
    return name


def _exchange(value: str) -> str:
    priority, _, host = value.partition(" ")
    if not priority.isdigit():
        raise ValueError(f"{value!r} is no mail exchange: write it as '10 mail.example.com'")
    return f"{int(priority)} {_host(host)}"


def _permit(value: str) -> str:
    match = re.fullmatch(r'(\d{1,3}) ([a-z0-9]+) "([^"]*)"', value)
    if not match or int(match[1]) > 255:
        raise ValueError(f"{value!r} is no CAA record: write it as '0 issue \"ca.example\"'")
    return value


def _delegation_signer(value: str) -> str:
    if not re.fullmatch(r"\d{1,5} \d{1,3} \d{1,3} (?:[0-9A-Fa-f]{2})+", value):
        raise ValueError(f"{value!r} is no DS record: write it as '12345 13 2 <hex digits>'")
    return value.lower()


_CHECKS: dict[str, Callable[[str], str]] = {
    "A": lambda value: str(ipaddress.IPv4Address(value)),
    "AAAA": lambda value: str(ipaddress.IPv6Address(value)),
    "CAA": _permit,
    "CNAME": _host,
    "DS": _delegation_signer,
    "MX": _exchange,
    "NS": _host,
    "TXT": str,
}
