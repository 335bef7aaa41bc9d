"""Questions to DNS, with a deadline. Asked anew each time: what customers correct counts at once."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Any

from dnslib import QTYPE, RCODE, DNSError, DNSHeader, DNSQuestion, DNSRecord

from nodepoint.clients.deadline import end_of, left_until


class Status(Enum):
    """What an answer is worth. Only the first three are answers; `FAILED` says nothing about the name."""

    OK = "ok"
    NO_DATA = "no_data"
    NO_SUCH_NAME = "no_such_name"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """`records`: the values of the type that was asked for, at the end of any CNAMEs (`aliases`, in their
    order).

    Names come in lower case without the last dot, the texts of a TXT record joined, an MX as "10
    mail.example", a CAA as `0 issue "ca.example"`. `reason`: why it failed, for staff.
    """

    status: Status
    records: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    reason: str = ""


class Resolver:
    """Asks `servers` ("host" or "host:port"; none: the system's own) and gives up after `timeout` seconds
    in all."""

    def __init__(self, servers: Sequence[str] = (), timeout: float = 3.0) -> None:
        self._servers = list(servers)
        self.timeout = timeout

    def lookup(self, name: str, type: str) -> Answer:
        """The answer for `name` (any case, IDNA in ASCII) and a `type` of A, AAAA, CAA, CNAME, MX, NS, SOA or
        TXT. Never raises for what the network does."""
        import pycares

        end = end_of(self.timeout)
        done = threading.Event()
        heard: list[tuple[Any, int | None]] = []

        def hear(result: Any, error: int | None) -> None:
            heard.append((result, error))
            done.set()

        wanted = getattr(pycares, f"QUERY_TYPE_{type}")
        try:
            # A channel for each question: c-ares keeps answers in the channel for as long as their TTL.
            first_try = left_until(end) / 3  # the second one takes twice as long
            channel = pycares.Channel(servers=self._servers or None, timeout=first_try, tries=2, lookups="b")
            with contextlib.closing(channel):
                channel.query(name, wanted, callback=hear)
                done.wait(left_until(end))
        except (pycares.AresError, UnicodeError) as error:
            return Answer(Status.FAILED, reason=str(error))
        if not heard:
            return Answer(Status.FAILED, reason=f"no answer within {self.timeout:g} s")
        return _answer(type, *heard[0])


def _answer(type: str, result: Any, error: int | None) -> Answer:
    from pycares import errno

    if error == errno.ARES_ENOTFOUND:
        return Answer(Status.NO_SUCH_NAME)
    if error == errno.ARES_ENODATA:
        return Answer(Status.NO_DATA)
    if error:
        return Answer(Status.FAILED, reason=errno.strerror(error))
    records = _values(result, type)
    aliases = () if type == "CNAME" else _values(result, "CNAME")
    return Answer(Status.OK if records else Status.NO_DATA, records, aliases)


def _values(result: Any, type: str) -> tuple[str, ...]:
    import pycares

    wanted = getattr(pycares, f"QUERY_TYPE_{type}")
    return tuple(_TEXT[type](record.data) for record in result.answer if record.type == wanted)


def _name(text: str) -> str:
    return text.rstrip(".").lower()


_TEXT: dict[str, Callable[[Any], str]] = {
    "A": lambda data: data.addr,
    "AAAA": lambda data: data.addr,
    "CAA": lambda data: f'{data.critical} {data.tag.lower()} "{data.value}"',
    "CNAME": lambda data: _name(data.cname),
    "NS": lambda data: _name(data.nsdname),
    "MX": lambda data: f"{data.priority} {_name(data.exchange)}",
    "SOA": lambda data: f"{_name(data.mname)} {_name(data.rname)} {data.serial}",
    "TXT": lambda data: data.data.decode("utf-8", "replace"),
}


def referral(name: str, server: str, port: int = 53, timeout: float = 3.0) -> Answer:
    """To whose name servers the parent's `server` (an address) refers for `name`, asked without recursion.

    `NO_DATA`: the server delegates it to nobody; `NO_SUCH_NAME`: it knows no such name. c-ares cannot ask
    this: it drops an answer whose answer section is empty, and a referral stands in the authority section.
    """
    try:
        reply = _asked(name, QTYPE.NS, server, port, timeout)
    except (OSError, DNSError, ValueError) as error:
        return Answer(Status.FAILED, reason=f"{server}: {error}")
    if reply.header.rcode == RCODE.NXDOMAIN:
        return Answer(Status.NO_SUCH_NAME)
    if reply.header.rcode != RCODE.NOERROR:
        return Answer(Status.FAILED, reason=f"{server}: {RCODE.get(reply.header.rcode)}")
    # A server of both parent and child answers with the child's own records instead.
    found = [
        rr for rr in (*reply.rr, *reply.auth) if rr.rtype == QTYPE.NS and _name(str(rr.rname)) == _name(name)
    ]
    records = tuple(_name(str(rr.rdata)) for rr in found)
    return Answer(Status.OK if records else Status.NO_DATA, records)


def serial(zone: str, server: str, port: int = 53, timeout: float = 3.0) -> Answer:
    """The serial with which `server` (an address) itself serves `zone`, asked without recursion, as the one
    record of the answer.

    `NO_DATA`: it answers, and does not serve the zone; `FAILED`: it does not answer.
    """
    try:
        reply = _asked(zone, QTYPE.SOA, server, port, timeout)
    except (OSError, DNSError, ValueError) as error:
        return Answer(Status.FAILED, reason=f"{server}: {error}")
    for rr in reply.rr if reply.header.aa else ():
        if rr.rtype == QTYPE.SOA and _name(str(rr.rname)) == _name(zone):
            return Answer(Status.OK, (str(rr.rdata.times[0]),))
    return Answer(Status.NO_DATA, reason=f"{server}: {RCODE.get(reply.header.rcode)}")


def _asked(name: str, type: int, server: str, port: int, timeout: float) -> DNSRecord:
    """The reply of one server, asked without recursion. OSError, DNSError, ValueError."""
    end = end_of(timeout)
    query = DNSRecord(DNSHeader(id=secrets.randbits(16), rd=0), q=DNSQuestion(name, type))
    reply = _over_udp(query, server, port, end)
    return _over_tcp(query, server, port, end) if reply.header.tc else reply


def _over_udp(query: DNSRecord, server: str, port: int, end: float) -> DNSRecord:
    """The reply to `query`, asked twice since packets get lost; what does not belong to it is passed over."""
    with contextlib.closing(_connected(socket.SOCK_DGRAM, server, port)) as sock:
        for end_of_try in (end - left_until(end) * 2 / 3, end):
            sock.send(query.pack())
            while left := left_until(end_of_try):
                sock.settimeout(left)
                with contextlib.suppress(TimeoutError, DNSError, ValueError):
                    reply = DNSRecord.parse(sock.recv(65535))
                    if _belongs(reply, query):
                        return reply
    raise TimeoutError("no answer")


def _over_tcp(query: DNSRecord, server: str, port: int, end: float) -> DNSRecord:
    with contextlib.closing(_connected(socket.SOCK_STREAM, server, port, end)) as sock:
        message = query.pack()
        sock.sendall(len(message).to_bytes(2, "big") + message)
        length = int.from_bytes(_exactly(sock, 2, end), "big")
        reply = DNSRecord.parse(_exactly(sock, length, end))
    if not _belongs(reply, query):
        raise ValueError("the reply is to another question")
    return reply


def _connected(kind: int, server: str, port: int, end: float | None = None) -> socket.socket:
    """A socket that hears nobody but `server`."""
    family = socket.AF_INET6 if ip_address(server).version == 6 else socket.AF_INET  # and no name to look up
    sock = socket.socket(family, kind)
    try:
        sock.settimeout(left_until(end) if end else None)
        sock.connect((server, port))
    except OSError:
        sock.close()
        raise
    return sock


def _exactly(sock: socket.socket, length: int, end: float) -> bytes:
    data = b""
    while len(data) < length:
        sock.settimeout(left_until(end) or 0.001)
        part = sock.recv(length - len(data))
        if not part:
            raise ValueError("the reply breaks off")
        data += part
    return data


def _belongs(reply: DNSRecord, query: DNSRecord) -> bool:
    same = len(reply.questions) == 1 and _name(str(reply.q.qname)) == _name(str(query.q.qname))
    return (
        bool(reply.header.qr)
        and reply.header.id == query.header.id
        and same
        and reply.q.qtype == query.q.qtype
    )
