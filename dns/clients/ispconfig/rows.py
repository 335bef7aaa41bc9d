"""Rows of ISPConfig's tables, read: every value is a text or null there. What does not fit what was asked for
is `BadAnswer`, so that a panel that ignores a filter, or is of another version, gives nobody another's."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from dns.clients.ispconfig.faults import SYSTEM
from nodepoint.clients.errors import BadAnswer

Row = Mapping[str, Any]
_DS = re.compile(r"\bIN\s+DS\s+(\d+)\s+(\d+)\s+(\d+)\s+([0-9A-Fa-f \t]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Client:
    """A client: the owner of zones. `customer_no` holds our owner mark."""

    id: int
    customer_no: str
    username: str


@dataclass(frozen=True)
class Soa:
    """What stands in a zone's SOA beside its serial: names with their last dot, times in seconds; `ttl` is
    the zone file's default."""

    ns: str
    mbox: str
    refresh: int
    retry: int
    expire: int
    minimum: int
    ttl: int


@dataclass(frozen=True)
class Zone:
    """A zone. `origin` ends in a dot; `group_id` says whose it is. `signed`: with DNSSEC; None where that is
    wanted and there are no keys yet. `xfer`, `also_notify`: addresses with commas between, as stored."""

    id: int
    origin: str
    group_id: int
    active: bool
    serial: int
    signed: bool | None = False
    xfer: str = ""
    also_notify: str = ""
    soa: Soa | None = None
    ds: tuple[str, ...] = ()
    """What belongs into the zone above, once there are keys: `<key tag> <algorithm> <digest type> <hex>`."""

    @property
    def published_serials(self) -> tuple[int, ...]:
        """The serials with which it may be served once all is published: a zone is signed with `-N
        increment`, one above its own (ISPConfig, server/plugins-available/bind_plugin.inc.php:174)."""
        return {True: (self.serial + 1,), None: (self.serial, self.serial + 1)}.get(
            self.signed, (self.serial,)
        )


@dataclass(frozen=True)
class Record:
    """A record as it is stored: names and targets without a last dot are relative to the zone, `""` is its
    apex, TXT data is escaped.

    `ttl` in seconds; `priority` is what MX, SRV and NAPTR begin with. `mark`: a number of ours that neither
    the panel nor BIND looks at (column `serial`), 0 for none.
    """

    id: int
    zone_id: int
    group_id: int
    name: str
    type: str
    data: str
    priority: int
    ttl: int
    active: bool
    mark: int = 0

    def fields(self) -> dict[str, Any]:
        """What it says, as `create_record` and `update_record` take it."""
        names = ("type", "name", "data", "ttl", "priority", "active")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class FailedChange:
    """A row of the change log that the server part could not apply. `zone_id` where it is about a zone
    itself; `error`: what the server's own tools said, in several lines."""

    zone_id: int | None
    error: str

    def is_about(self, zone: Zone) -> bool:
        """Whether it concerns the zone: by its id, or by its name in named-checkzone's last line."""
        return self.zone_id == zone.id or f"zone {zone.origin.rstrip('.')}/IN:" in self.error


Kept = TypeVar("Kept", Client, Zone, Record, FailedChange)


def made(make: Callable[[Row], Kept], row: Any) -> Kept:
    """A row as what it stands for."""
    try:
        return make(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a row that was asked for: {error!r}") from error


def one(make: Callable[[Row], Kept], row: Any, id: int) -> Kept | None:
    """The row of this id; None where there is none."""
    if row is None:
        return None
    found = made(make, row)
    if isinstance(found, FailedChange) or found.id != id:
        raise BadAnswer(SYSTEM, f"asked for {id}, got something else")
    return found


def some(make: Callable[[Row], Kept], rows: Iterable[Any], **columns: int) -> list[Kept]:
    """Rows, each once (pages have no order that would keep one from coming twice), all with these values."""
    found: dict[str, Kept] = {}
    for row in rows:
        item = made(make, row)
        for name, value in columns.items():
            if getattr(item, name) != value:
                raise BadAnswer(SYSTEM, f"asked for {name} {value}, got {getattr(item, name)}")
        found[str(getattr(item, "id", len(found)))] = item
    return list(found.values())


def client(row: Row) -> Client:
    """A row of `client`."""
    return Client(int(row["client_id"]), row["customer_no"], row["username"])


def zone(row: Row) -> Zone:
    """A row of `dns_soa`."""
    return Zone(
        id=int(row["id"]),
        origin=row["origin"].lower(),
        group_id=int(row["sys_groupid"]),
        active=row["active"] == "Y",
        serial=int(row["serial"]),
        signed=_signed(row),
        xfer=row.get("xfer") or "",
        also_notify=row.get("also_notify") or "",
        soa=_soa(row),
        ds=tuple(_ds(row.get("dnssec_info") or "")),
    )


def _ds(info: str) -> Iterator[str]:
    """The DS records in what the server part writes of a zone's keys: the lines of dnssec-signzone's dsset
    file (bind_plugin.inc.php:172)."""
    for tag, algorithm, kind, digits in _DS.findall(info):
        yield f"{tag} {algorithm} {kind} {''.join(digits.split()).lower()}"


def _soa(row: Row) -> Soa | None:
    if "mbox" not in row:
        return None
    times = (int(row[name]) for name in ("refresh", "retry", "expire", "minimum", "ttl"))
    return Soa(row["ns"], row["mbox"], *times)


def _signed(row: Row) -> bool | None:
    if row.get("dnssec_wanted") != "Y":
        return False
    return True if row.get("dnssec_initialized") == "Y" else None


def failed_change(row: Row) -> FailedChange:
    """A row of `sys_datalog` that has an error."""
    column, _, id = row["dbidx"].partition(":")
    is_zone = row["dbtable"] == "dns_soa" and column == "id"
    return FailedChange(int(id) if is_zone else None, row["error"])


def record(row: Row) -> Record:
    """A row of `dns_rr`."""
    return Record(
        id=int(row["id"]),
        zone_id=int(row["zone"]),
        group_id=int(row["sys_groupid"]),
        name=row["name"] or "",
        type=row["type"] or "",
        data=row["data"] or "",
        priority=int(row["aux"]),
        ttl=int(row["ttl"]),
        active=row["active"] == "Y",
        mark=int(row.get("serial") or 0),
    )
