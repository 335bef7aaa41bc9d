"""A second name server of customers' zones with copies of its own, as an outside secondary has them.

It fetches a zone only where its serial is later (RFC 1982) than that of its copy, and goes on serving the
copy of a zone that the first one has no more. Run with two BIND 9.18.49 (Debian 12), a refresh asked for with
rndc after each change of the first: a lower serial is logged, "serial number (1) received from primary
127.0.0.1#15353 < ours (2)", and the old content served; a zone that is gone is REFUSED to the second, which
serves the old content; with the first higher serial comes the new one.
"""

import socket
import threading
from typing import TYPE_CHECKING

from dnslib import QTYPE, RCODE, DNSError, DNSRecord

from lab.ispconfig.serverpart import Loaded
from lab.nameserver import rr

if TYPE_CHECKING:
    from lab import Lab

ADDRESS = "127.0.0.2"


class Secondary:
    """Answers on 127.0.0.2 and the port of the lab's DNS, over UDP, and looks for a new serial before each
    answer, as a NOTIFY makes it do. `name` leads there from now on."""

    def __init__(self, lab: "Lab", name: str = "ns2.nodepoint.eu") -> None:
        self._lab = lab
        self._copies: dict[str, Loaded] = {}
        self.log: list[str] = []
        """What BIND would log of serials that it did not take."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, lab.dns.port))
        lab.dns.set(name, "A", [ADDRESS])
        self._thread = threading.Thread(target=self._run, name="lab-dns-secondary", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (ADDRESS, self._lab.dns.port))
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                return
            try:
                query = DNSRecord.parse(wire)
            except DNSError:  # no question
                continue
            self._socket.sendto(self._answer(query).pack(), client)

    def _answer(self, query: DNSRecord) -> DNSRecord:
        name = str(query.q.qname).rstrip(".").lower()
        with self._lab.lock:
            self._refresh(name)
        zone = self._zone_of(name)
        answer = query.reply(ra=0, aa=int(zone is not None))
        if zone is None:
            answer.header.rcode = RCODE.REFUSED
            return answer
        if name not in zone.by_name:
            answer.header.rcode = RCODE.NXDOMAIN
        for record in zone.by_name.get(name, []):
            if QTYPE[query.q.qtype] == record.type:
                answer.add_answer(rr(record))
        return answer

    def _refresh(self, name: str) -> None:
        """Take the zone of that name from the first server where its serial is later."""
        there = self._lab.ispconfig.served.zone(name)
        if there is None:
            return
        ours = self._copies.get(there.origin)
        if ours is None or _is_later(there.serial, ours.serial):
            self._copies[there.origin] = there
        elif there.serial != ours.serial:
            words = f"serial number ({there.serial}) received from primary < ours ({ours.serial})"
            self.log.append(f"zone {there.origin}/IN: {words}")

    def _zone_of(self, name: str) -> Loaded | None:
        while name and name not in self._copies:
            name = name.partition(".")[2]
        return self._copies.get(name)


def _is_later(serial: int, other: int) -> bool:
    """Serials go round (RFC 1982, section 3.2)."""
    return 0 < (serial - other) % 2**32 < 2**31
