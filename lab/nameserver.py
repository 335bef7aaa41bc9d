"""The public DNS of the lab, over UDP and TCP on one loopback port.

It plays every server at once: a resolver for questions with RD, the zones' own servers for those without.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dnslib import (
    AAAA,
    CAA,
    CNAME,
    DS,
    EDNS0,
    MX,
    NS,
    PTR,
    QTYPE,
    RCODE,
    RD,
    RR,
    SOA,
    SRV,
    SSHFP,
    TLSA,
    TXT,
    A,
    DNSBuffer,
    DNSError,
    DNSHeader,
    DNSLabel,
    DNSRecord,
)

from lab.names import Names, Record

if TYPE_CHECKING:
    from lab import Lab
    from lab.faults import Fault

UDP_LIMIT = 512
TCP_IDLE_SECONDS = 30
BIND_TRIES = 20

Reply = Callable[[bytes], None]


class NameServer:
    """Answers questions from ``names``; counts and fails them as the lab's faults say."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self.names = Names(lab.store, lab.address)
        self._udp, self._tcp = _bind(self, lab.address, lab.port("dns"))
        self.port: int = self._udp.server_address[1]
        lab.keep_port("dns", self.port)
        self.settings = {
            "DNS_RESOLVERS": f"{lab.address}:{self.port}",
            "DNS_PORT": str(self.port),
        }
        self._threads = [
            threading.Thread(target=server.run, name="lab-dns", daemon=True)
            for server in (self._udp, self._tcp)
        ]
        for thread in self._threads:
            thread.start()

    def set(self, name: str, type: str, values: Iterable[str]) -> None:
        """What public DNS answers for (name, type) from now on; no values: there is no such name.

        NS values are what the parent refers to. Raises ValueError for an unknown type or a value that does
        not fit it.
        """
        with self._lab.lock:
            self.names.set(name, type, list(values))

    def resolve(self, name: str, type: str) -> list[str]:
        """The values that a resolver finds for (name, type), through CNAMEs; empty when there are none."""
        with self._lab.lock:
            return self.names.resolve(name, type)

    def state_view(self) -> dict[str, dict[str, list[str]]]:
        """What ``set`` has set: {name: {type: values}}; an empty inner object: there is no such name."""
        return self.names.view()

    def stop(self) -> None:
        """Stop answering and break every connection."""
        self._udp.end()
        self._tcp.end()
        for thread in self._threads:
            thread.join()

    def handle(self, wire: bytes, reply: Reply, limit: int | None) -> None:
        """Answer one message. ``limit`` is the size in bytes that UDP carries without EDNS, None for TCP."""
        try:
            query = DNSRecord.parse(wire)
        except (DNSError, ValueError):
            if len(wire) >= 12:
                header = DNSHeader(id=struct.unpack("!H", wire[:2])[0], qr=1, rcode=RCODE.FORMERR)
                reply(DNSRecord(header).pack())
            return
        if query.header.qr or len(query.questions) != 1:
            return
        self._lab.count("dns")
        name = str(query.q.qname).rstrip(".").lower()
        fault = self._lab.faults.take("dns", f"QUERY {name} {QTYPE[query.q.qtype]}")
        self._lab.sleep(self._lab.clock.seconds("dns"))
        answer = self._answer(query, fault)
        if answer is not None:
            reply(_packed(query, answer, limit))

    def _answer(self, query: DNSRecord, fault: "Fault | None") -> DNSRecord | None:
        answer = query.reply(ra=1, aa=0)
        if fault is None:
            return self._look_up(query, answer)
        if fault.kind in ("hang", "drop_before", "drop_after"):
            # A question has no effect, so all three are the same: no answer ever comes.
            return None
        if fault.kind == "slow":
            self._lab.sleep(fault.seconds)
            return self._look_up(query, answer)
        answer.header.rcode = RCODE.SERVFAIL if fault.kind == "error" else RCODE.REFUSED
        return answer

    def _look_up(self, query: DNSRecord, answer: DNSRecord) -> DNSRecord:
        with self._lab.lock:
            found = self.names.look_up(
                str(query.q.qname).rstrip(".").lower(), QTYPE[query.q.qtype], recursive=bool(query.header.rd)
            )
        answer.header.rcode = getattr(RCODE, found.rcode)
        answer.header.aa = int(found.authoritative)
        for part, add in (
            (found.answer, answer.add_answer),
            (found.authority, answer.add_auth),
            (found.additional, answer.add_ar),
        ):
            for record in part:
                add(rr(record))
        return answer


def rr(record: Record) -> RR:
    """A record as it goes over the wire."""
    rdata = _RDATA[record.type](record.data)
    return RR(record.name, getattr(QTYPE, record.type), rdata=rdata, ttl=record.ttl)


def _mx(data: str) -> RD:
    priority, host = data.split(" ")
    return MX(host, int(priority))


def _txt(data: str) -> RD:
    text = data.encode(errors="surrogateescape")
    return TXT([text[i : i + 255] for i in range(0, len(text), 255)] or [b""])


def _srv(data: str) -> RD:
    priority, weight, port, target = data.split(" ")
    return SRV(int(priority), int(weight), int(port), target)


def _tlsa(data: str) -> RD:
    usage, selector, kind, digits = data.split(" ")
    return TLSA(int(usage), int(selector), int(kind), bytes.fromhex(digits))


def _sshfp(data: str) -> RD:
    algorithm, kind, digits = data.split(" ")
    return SSHFP(int(algorithm), int(kind), bytes.fromhex(digits))


def _ds(data: str) -> RD:
    tag, algorithm, kind, digits = data.split(" ")
    return DS(int(tag), int(algorithm), int(kind), bytes.fromhex(digits))


def _dname(data: str) -> RD:
    packed = DNSBuffer()
    packed.encode_name_nocompress(DNSLabel(data))
    return RD(bytes(packed.data))


def _caa(data: str) -> RD:
    flags, tag, value = data.split(" ", 2)
    return CAA(int(flags), tag, value.strip('"'))


def _soa(data: str) -> RD:
    server, mailbox, *times = data.split(" ")
    return SOA(server, mailbox, tuple(int(time) for time in times))


_RDATA: dict[str, Callable[[str], RD]] = {
    "A": A,
    "AAAA": AAAA,
    "CAA": _caa,
    "CNAME": CNAME,
    "DNAME": _dname,
    "DS": _ds,
    "MX": _mx,
    "NS": NS,
    "PTR": PTR,
    "SOA": _soa,
    "SRV": _srv,
    "SSHFP": _sshfp,
    "TLSA": _tlsa,
    "TXT": _txt,
}


def _packed(query: DNSRecord, answer: DNSRecord, limit: int | None) -> bytes:
    edns = next((rr for rr in query.ar if rr.rtype == QTYPE.OPT), None)
    if edns is not None:
        answer.add_ar(EDNS0(udp_len=1232))
    wire = answer.pack()
    if limit is None or len(wire) <= max(limit, edns.rclass if edns else 0):
        return wire
    truncated = query.reply(ra=1, aa=answer.header.aa)
    truncated.header.tc = 1
    return truncated.pack()


class _UdpHandler(socketserver.BaseRequestHandler):
    server: "_Udp"

    def handle(self) -> None:
        wire, sock = self.request

        def reply(answer: bytes) -> None:
            with contextlib.suppress(OSError):  # the server has been stopped meanwhile
                sock.sendto(answer, self.client_address)

        self.server.owner.handle(wire, reply, UDP_LIMIT)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: "_Tcp"
    timeout = TCP_IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone, or says nothing for too long
            while len(head := self.rfile.read(2)) == 2:
                wire = self.rfile.read(struct.unpack("!H", head)[0])
                self.answered = False
                self.server.owner.handle(wire, self._reply, None)
                if not self.answered:
                    return

    def _reply(self, answer: bytes) -> None:
        self.answered = True
        self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    max_packet_size = 65535
    owner: NameServer
    ending = False

    def run(self) -> None:
        # Not serve_forever(): a blocking read needs no polling.
        while True:
            request, client = self.get_request()
            if self.ending:
                self.server_close()
                return
            self.process_request(request, client)

    def end(self) -> None:
        self.ending = True
        # It wakes a thread that waits; one that has ended needs no waking.
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", self.server_address)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256
    owner: NameServer
    connections: set[socket.socket]

    def run(self) -> None:
        while True:
            try:
                request, client = self.get_request()
            except OSError:  # `end` has shut the socket
                return
            self.connections.add(request)
            self.process_request(request, client)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self.connections.discard(request)
        super().shutdown_request(request)

    def end(self) -> None:
        for connection in (self.socket, *self.connections):
            with contextlib.suppress(OSError):  # the other side has closed it already
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def _bind(owner: NameServer, address: str, port: int) -> tuple[_Udp, _Tcp]:
    """Both servers on one port; a free UDP port may be taken for TCP, so it may need some tries."""
    for _ in range(BIND_TRIES):
        udp = _Udp((address, port), _UdpHandler)
        try:
            tcp = _Tcp((address, udp.server_address[1]), _TcpHandler)
        except OSError:
            udp.server_close()
            if port:
                raise
            continue
        udp.owner = tcp.owner = owner
        tcp.connections = set()
        with contextlib.suppress(OSError):  # a wish: a system that grants less loses packets earlier
            udp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        return udp, tcp
    raise OSError("no port is free for both UDP and TCP")


def start(lab: "Lab") -> NameServer:
    """Start the name server; Cloudflare's live records of the lab are part of what it knows."""
    server = NameServer(lab)
    server.names.sources.append(lab.cloudflare.state)
    return server
