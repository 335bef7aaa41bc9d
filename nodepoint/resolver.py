"""Questions to DNS resolvers, with a deadline. Asked anew each time: what customers correct counts at
once."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

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
    mail.example". `reason`: why it failed, for staff.
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
        """The answer for `name` (any case, IDNA in ASCII) and a `type` of A, AAAA, CNAME, MX, NS, SOA or
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
    "CNAME": lambda data: _name(data.cname),
    "NS": lambda data: _name(data.nsdname),
    "MX": lambda data: f"{data.priority} {_name(data.exchange)}",
    "SOA": lambda data: f"{_name(data.mname)} {_name(data.rname)} {data.serial}",
    "TXT": lambda data: data.data.decode("utf-8", "replace"),
}
