"""What our own name servers serve: the serial of each zone at each of them, asked of themselves.

The panel says what should be published. Whether it is, only the name servers know: a zone that
`named-checkzone` refuses, a server part that does not run, or a secondary that gets no transfers leave an
older state in place, and no call of the panel fails.
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from nodepoint.clients.deadline import end_of, left_until
from nodepoint.resolver import Resolver, Status, serial

TRY_SECONDS = 1.2  # for one question, which is sent twice
SILENCES = 3  # in a row, after which a server is not asked any more in this look
AT_ONCE = 16  # questions under way

Serials = dict[str, int | None]
"""By server; None: it answers, and does not serve the zone. One that does not answer is not there."""


class Nameservers:
    """Our name servers by their `hosts`, asked on `port`."""

    def __init__(self, hosts: Sequence[str], resolver: Resolver, port: int = 53) -> None:
        self._hosts = [host.strip().rstrip(".").lower() for host in hosts]
        self._resolver, self._port = resolver, port

    def serials(self, zones: Iterable[str], seconds: float) -> dict[str, Serials]:
        """What each server says of each of these zones (ASCII, no last dot), all within `seconds`. Zones of
        which nobody could be asked in time are left out. Never raises for what the network does."""
        end = end_of(seconds)
        found: dict[str, Serials] = {}
        servers = [_Server(host, self._address(host), self._port, end) for host in self._hosts]
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="serials") as pool:
            asked = [(zone, one, pool.submit(one.serial, zone)) for zone in zones for one in servers]
            for zone, one, said in asked:
                known, value = said.result()
                if known:
                    found.setdefault(zone, {})[one.host] = value
        return found

    def silent(self, zone: str, seconds: float) -> list[str]:
        """The servers that do not answer a question for this zone at all."""
        heard = self.serials([zone], seconds).get(zone, {})
        return [host for host in self._hosts if host not in heard]

    def _address(self, host: str) -> str:
        return next(iter(self._resolver.lookup(host, "A").records), "")


class _Server:
    """One server during one look. It is given up after some silences in a row: thousands of questions to a
    server that is away would take the time of those that can be answered."""

    def __init__(self, host: str, address: str, port: int, end: float) -> None:
        self.host, self._address, self._port, self._end = host, address, port, end
        self._lock, self._silences = threading.Lock(), 0 if address else SILENCES

    def serial(self, zone: str) -> tuple[bool, int | None]:
        """Whether it answered, and with which serial."""
        left = left_until(self._end)
        if not left or self._silences >= SILENCES:
            return False, None
        answer = serial(zone, self._address, self._port, min(TRY_SECONDS, left))
        silent = answer.status is Status.FAILED
        with self._lock:
            self._silences = self._silences + 1 if silent else 0
        return not silent, int(answer.records[0]) if answer.records else None
