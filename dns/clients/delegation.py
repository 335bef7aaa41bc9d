"""What the servers of the zone above say about a zone: the name servers that they refer to.

A resolver cannot be asked: as long as the zone is not set up at the servers it is delegated to, resolvers
answer SERVFAIL. pycares cannot ask either, since it drops an answer without an answer section, which is what
a referral is.
"""

import random
import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from dnslib import EDNS0, QTYPE, RCODE, DNSQuestion, DNSRecord

from nodepoint.clients.deadline import deadline, end_of, left_until
from nodepoint.clients.errors import TimedOut
from nodepoint.resolver import Resolver, Status

SYSTEM = "dns"
TRY_SECONDS = 1.5  # for one server
MOST_SERVERS = 6  # that are asked
MOST_HOPS = 4
UDP_BYTES = 1232


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
            parent, hosts = self._parent(zone)
            for _ in range(MOST_HOPS):
                reply = self._ask_any(parent, hosts, zone)
                if reply is None:
                    raise TimedOut(SYSTEM, f"no server of {parent} answered for {zone}")
                if reply.cut == zone or not reply.cut:
                    return reply.servers
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
    query = DNSRecord(q=DNSQuestion(zone, QTYPE.NS))
    query.header.id, query.header.rd = secrets.randbelow(65536), 0
    query.add_ar(EDNS0(udp_len=UDP_BYTES))
    end = end_of(TRY_SECONDS)
    try:
        answer = _over_udp(query, address, port, end)
        if answer is not None and answer.header.tc:
            answer = _over_tcp(query, address, port, end)
    except OSError:
        return None
    return _understood(answer, zone) if answer is not None else None


def _over_udp(query: DNSRecord, address: str, port: int, end: float) -> DNSRecord | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))  # only this server's packets come through
        sock.send(query.pack())
        while left_until(end) > 0:
            sock.settimeout(left_until(end))
            if (answer := _parsed(sock.recv(65535), query)) is not None:
                return answer
    return None


def _over_tcp(query: DNSRecord, address: str, port: int, end: float) -> DNSRecord | None:
    wire = query.pack()
    with socket.create_connection((address, port), timeout=max(0.01, left_until(end))) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        (length,) = struct.unpack("!H", _exactly(sock, 2, end))
        return _parsed(_exactly(sock, length, end), query)


def _exactly(sock: socket.socket, count: int, end: float) -> bytes:
    content = b""
    while len(content) < count:
        sock.settimeout(max(0.01, left_until(end)))
        part = sock.recv(count - len(content))
        if not part:
            raise ConnectionError("the server hung up")
        content += part
    return content


def _parsed(wire: bytes, query: DNSRecord) -> DNSRecord | None:
    """The answer to our question; None for anything else."""
    try:
        answer = DNSRecord.parse(wire)
        right = answer.header.id == query.header.id and answer.header.qr and answer.q.qname == query.q.qname
    except Exception:  # noqa: BLE001 - what a stranger sends may break the parser in ways of its own
        return None
    return answer if right else None


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
