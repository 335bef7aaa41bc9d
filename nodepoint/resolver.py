"""Questions to DNS, with a deadline. Asked anew each time: what customers correct counts at once."""

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Any

from dnslib import EDNS0, QTYPE, RCODE, DNSError, DNSHeader, DNSQuestion, DNSRecord

from nodepoint.clients import counting
from nodepoint.clients.deadline import end_of, left_until

UDP_BYTES = 1232  # that a reply may have over UDP (DNS flag day 2020)


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
        begun = time.monotonic()
        answer = self._asked(name, type)
        outcome = "failed" if answer.status is Status.FAILED else "ok"
        counting.add("dns", type, outcome, time.monotonic() - begun)
        return answer

    def _asked(self, name: str, type: str) -> Answer:
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


def serial(zone: str, server: str, port: int = 53, timeout: float = 3.0) -> Answer:
    """The serial with which `server` (an address) itself serves `zone`, asked without recursion, as the one
    record of the answer.

    `NO_DATA`: it answers, and does not serve the zone; `FAILED`: it does not answer.
    """
    try:
        reply = asked(zone, QTYPE.SOA, server, port, timeout)
    except (OSError, DNSError, ValueError) as error:
        return Answer(Status.FAILED, reason=f"{server}: {error}")
    for rr in reply.rr if reply.header.aa else ():
        if rr.rtype == QTYPE.SOA and _name(str(rr.rname)) == _name(zone):
            return Answer(Status.OK, (str(rr.rdata.times[0]),))
    return Answer(Status.NO_DATA, reason=f"{server}: {RCODE.get(reply.header.rcode)}")


def asked(name: str, type: int, server: str, port: int = 53, timeout: float = 3.0) -> DNSRecord:
    """The reply of one `server` (an address), asked without recursion for a `type` of dnslib's QTYPE; over
    TCP where it is too long for UDP. OSError where there is none in time, DNSError and ValueError for
    nonsense.

    c-ares cannot ask for a referral: it drops an answer whose answer section is empty, and a referral stands
    in the authority section.
    """
    end = end_of(timeout)
    query = DNSRecord(DNSHeader(id=secrets.randbits(16), rd=0), q=DNSQuestion(name, type))
    query.add_ar(EDNS0(udp_len=UDP_BYTES))
    reply = _over_udp(query, server, port, end)
    return _over_tcp(query, server, port, end) if reply.header.tc else reply


def _over_udp(query: DNSRecord, server: str, port: int, end: float) -> DNSRecord:
    """The reply to `query`, asked twice since packets get lost; what does not belong to it is passed over."""
    with contextlib.closing(_connected(socket.SOCK_DGRAM, server, port)) as sock:
        for end_of_try in (end - left_until(end) * 2 / 3, end):
            sock.send(query.pack())
            while left := left_until(end_of_try):
                sock.settimeout(left)
                with contextlib.suppress(TimeoutError):  # whether there is more time, the loop asks
                    if reply := _parsed(sock.recv(65535), query):
                        return reply
    raise TimeoutError("no answer")


def _over_tcp(query: DNSRecord, server: str, port: int, end: float) -> DNSRecord:
    with contextlib.closing(_connected(socket.SOCK_STREAM, server, port, end)) as sock:
        message = query.pack()
        sock.sendall(len(message).to_bytes(2, "big") + message)
        length = int.from_bytes(_exactly(sock, 2, end), "big")
        reply = _parsed(_exactly(sock, length, end), query)
    if reply is None:
        raise ValueError("the reply is to another question, or none at all")
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


def _parsed(wire: bytes, query: DNSRecord) -> DNSRecord | None:
    """The reply to our question; None for anything else."""
    try:
        reply = DNSRecord.parse(wire)
        return reply if _belongs(reply, query) else None
    except Exception:  # noqa: BLE001 - what a stranger sends may break the parser in ways of its own
        return None


def _belongs(reply: DNSRecord, query: DNSRecord) -> bool:
    same = len(reply.questions) == 1 and _name(str(reply.q.qname)) == _name(str(query.q.qname))
    return (
        bool(reply.header.qr)
        and reply.header.id == query.header.id
        and same
        and reply.q.qtype == query.q.qtype
    )
