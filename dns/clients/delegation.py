"""What the servers of the zone above say about a zone: the name servers that they refer to.

A resolver cannot be asked: as long as the zone is not set up at the servers it is delegated to, resolvers
answer SERVFAIL.
"""

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from dnslib import QTYPE, RCODE, DNSError, DNSRecord

from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import TimedOut
from nodepoint.resolver import Resolver, Status, asked

SYSTEM = "dns"
TRY_SECONDS = 1.5  # for one server
MOST_SERVERS = 6  # that are asked
MOST_HOPS = 4


@dataclass(frozen=True)
class Parent:
    """What the zone above says of a zone: its name servers, and its DS records as `<key tag> <algorithm>
    <digest type> <hex>`, which resolvers keep for `ds_ttl` seconds."""

    servers: tuple[str, ...]
    ds: tuple[str, ...] = ()
    ds_ttl: int = 0


@dataclass(frozen=True)
class Reply:
    """What one server said. `cut`: the zone it refers to, or of which it names the servers itself; empty: no
    such delegation."""

    cut: str = ""
    servers: tuple[str, ...] = ()


class Delegation:
    """Asks on `port`; `timeout` is the seconds for everything together."""

    def __init__(self, resolver: Resolver, port: int = 53, timeout: float = 9.0) -> None:
        self._resolver, self._port, self.timeout = resolver, port, timeout

    def servers(self, zone: str) -> tuple[str, ...]:
        """The name servers that the parent of `zone` (ASCII, no last dot) refers to: lower case, no last dot;
        empty when it is not delegated. `TimedOut` when nobody who would know has answered."""
        with deadline(self.timeout):
            return self._referral(zone)[0].servers

    def parent(self, zone: str) -> Parent:
        """The same, with the DS records there. `TimedOut` also when nobody has said anything of these."""
        with deadline(self.timeout):
            reply, hosts = self._referral(zone)
            if not reply.servers:
                return Parent(())
            for address in self._addresses(hosts):
                with contextlib.suppress(OSError, DNSError, ValueError):
                    answer = asked(zone, QTYPE.DS, address, self._port, TRY_SECONDS)
                    if answer.header.rcode == RCODE.NOERROR:
                        return _with_ds(reply, answer)
        raise TimedOut(SYSTEM, f"no server above {zone} answered for its DS")

    def _referral(self, zone: str) -> tuple[Reply, tuple[str, ...]]:
        """Where the zone is referred to, and the servers that say so."""
        parent, hosts = self._parent(zone)
        for _ in range(MOST_HOPS):
            reply = self._ask_any(parent, hosts, zone)
            if reply is None:
                raise TimedOut(SYSTEM, f"no server of {parent} answered for {zone}")
            if reply.cut == zone or not reply.cut:
                return reply, hosts
            parent, hosts = reply.cut, reply.servers
        raise TimedOut(SYSTEM, f"{zone} is referred to again and again")

    def _parent(self, zone: str) -> tuple[str, tuple[str, ...]]:
        """The nearest zone above, and its servers."""
        above = zone.partition(".")[2]
        while above:
            answer = self._resolver.lookup(above, "NS")
            if answer.status is Status.OK and not answer.aliases:
                return above, answer.records
            if answer.status is Status.FAILED:
                raise TimedOut(SYSTEM, f"NS of {above}: {answer.reason}")
            above = above.partition(".")[2]
        raise TimedOut(SYSTEM, f"no zone above {zone} was found")

    def _ask_any(self, parent: str, hosts: tuple[str, ...], zone: str) -> Reply | None:
        """The first answer that any of these servers gives; None when none does. A referral upwards is
        none."""
        for address in self._addresses(hosts):
            reply = _ask(address, self._port, zone)
            if reply is not None and (not reply.cut or reply.cut.endswith(f".{parent}")):
                return reply
        return None

    def _addresses(self, hosts: tuple[str, ...]) -> Iterator[str]:
        shuffled = random.sample(hosts, len(hosts))
        found = (address for host in shuffled for address in self._resolver.lookup(host, "A").records)
        yield from (address for address, _ in zip(found, range(MOST_SERVERS), strict=False))


def _ask(address: str, port: int, zone: str) -> Reply | None:
    """Ask one server for the NS of `zone`, without recursion; None when it gives no usable answer in time."""
    try:
        return _understood(asked(zone, QTYPE.NS, address, port, TRY_SECONDS), zone)
    except (OSError, DNSError, ValueError):
        return None


def _with_ds(reply: Reply, answer: DNSRecord) -> Parent:
    found = [record for record in answer.rr if record.rtype == QTYPE.DS]
    texts = (" ".join(str(record.rdata).split()).lower() for record in found)
    return Parent(reply.servers, tuple(sorted(texts)), max((record.ttl for record in found), default=0))


def _understood(answer: DNSRecord, zone: str) -> Reply | None:
    """What an answer says; None when the server only says that it does not know."""
    if answer.header.rcode == RCODE.NXDOMAIN:
        return Reply()
    if answer.header.rcode != RCODE.NOERROR:
        return None
    named: dict[str, list[str]] = {}
    for record in (*answer.rr, *answer.auth):
        if record.rtype == QTYPE.NS:
            named.setdefault(_name(record.rname), []).append(_name(record.rdata.label))
    for cut in sorted(named, key=len, reverse=True):
        if zone == cut or zone.endswith(f".{cut}"):
            referral = cut == zone or not answer.header.aa
            return Reply(cut, tuple(named[cut])) if referral else Reply()
    # No referral at all: an authoritative "no such delegation", or a server that does not serve the parent.
    return Reply() if answer.header.aa else None


def _name(label: object) -> str:
    return str(label).rstrip(".").lower()
