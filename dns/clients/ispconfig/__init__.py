"""ISPConfig: clients, zones and records. It guards nothing: a remote user may change everything, so whose a
thing is, and whether it stands in the way of another, is decided by the caller."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from dns.clients.ispconfig.faults import SYSTEM
from dns.clients.ispconfig.session import Session
from nodepoint.clients.errors import BadAnswer

PAGE = 20_000  # rows of a list; about 7 MB
TIMES = {"refresh": 7200, "retry": 540, "expire": 604800, "minimum": 3600, "ttl": 3600}  # seconds, of a zone
MOST_ZONES, MOST_RECORDS = 1000, 100_000  # the panel's own limits; they bind the customer there, not the API

Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Client:
    """A client: the owner of zones. `customer_no` holds our owner mark."""

    id: int
    customer_no: str
    username: str


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

    `ttl` in seconds; `priority` is meant for MX only.
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


@dataclass(frozen=True)
class FailedChange:
    """A row of the change log that the server part could not apply. `zone_id` where it is about a zone
    itself; `error`: what the server's own tools said, in several lines."""

    zone_id: int | None
    error: str

    def is_about(self, zone: Zone) -> bool:
        """Whether it concerns the zone: by its id, or by its name in named-checkzone's last line."""
        return self.zone_id == zone.id or f"zone {zone.origin.rstrip('.')}/IN:" in self.error


class Ispconfig:
    """The panel at `url`, as a remote user; new zones are put on the DNS server `server_id`."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        server_id: int,
        verify: bool | str = True,
        timeout: float = 20.0,
    ) -> None:
        self._session = Session(url, username, password, verify, timeout)
        self._server = server_id

    def verify(self) -> None:
        """Logs in and looks for a zone that cannot be there: `Refused` when credentials or permissions are
        missing."""
        self.find_zone("health.invalid.")

    # Clients

    def find_clients(self, customer_no: str) -> list[Client]:
        """The clients with this customer number, oldest first: more than one is possible, no index forbids
        it."""
        rows = self._rows("client_get", client_id={"customer_no": customer_no})
        found = [_made(_client, row) for row in rows]
        return sorted((c for c in found if c.customer_no == customer_no), key=lambda client: client.id)

    def create_client(self, customer_no: str, username: str, name: str, email: str) -> int:
        """Makes a client for DNS only, with a password that nobody knows; its id. `Conflict` when number or
        name is taken."""
        params = {
            "customer_no": customer_no,
            "username": username,
            "contact_name": name,
            "email": email,
            "password": f"{secrets.token_urlsafe(24)}aA1!",
            "language": "en",
            "usertheme": "default",
            "web_php_options": "no",
            "ssh_chroot": "no",
            "limit_cron_type": "url",
            "limit_dns_zone": MOST_ZONES,
            "limit_dns_record": MOST_RECORDS,
            "default_dnsserver": self._server,
            "dns_servers": str(self._server),
            "locked": "n",
            "canceled": "n",
        }
        return _id("client_add", self._session.call("client_add", reseller_id=0, params=params))

    def client_group(self, client_id: int) -> int:
        """The group that owns what belongs to the client. `NotFound` when there is no such client, or it is
        only half made."""
        return _id("client_get_groupid", self._session.read("client_get_groupid", client_id=client_id))

    # Zones

    def find_zone(self, origin: str) -> Zone | None:
        """The zone of exactly this name, with its last dot; None when the panel has none."""
        found = [z for z in self._zones({"origin": origin}) if z.origin == origin]
        return found[0] if found else None

    def zones_below(self, origin: str) -> list[Zone]:
        """The zones whose names end in this one (with its last dot). It must be a checked name: `%` would
        widen the search."""
        return [zone for zone in self._zones({"origin": f"%.{origin}"}) if zone.origin.endswith(f".{origin}")]

    def zones(self) -> list[Zone]:
        """All zones of the panel, whoever owns them."""
        return self._zones({"origin": "%"})

    def zones_of(self, group_id: int) -> list[Zone]:
        """All zones of a client's group."""
        return self._zones({"sys_groupid": group_id})

    def create_zone(self, client_id: int, origin: str, ns: str, mbox: str, serial: int) -> int:
        """Makes a zone that is not served yet; its id. Names with their last dot. `Conflict` when anybody has
        it, `NotFound` when the client is gone."""
        params = {
            "server_id": self._server,
            "origin": origin,
            "ns": ns,
            "mbox": mbox,
            "serial": serial,
            **TIMES,
            "active": "N",
            "xfer": "",
            "also_notify": "",
            "update_acl": "",
            "dnssec_wanted": "N",
        }
        return _id("dns_zone_add", self._session.call("dns_zone_add", client_id=client_id, params=params))

    def set_zone_active(self, zone_id: int, active: bool, serial: int) -> None:
        """Has a zone served, or not any more. A client_id of 0 keeps the owner."""
        params = {"active": "Y" if active else "N", "serial": serial}
        self._session.call("dns_zone_update", client_id=0, primary_id=int(zone_id), params=params)

    def failed_changes(self, since: datetime) -> list[FailedChange]:
        """Changes since then that the server part could not apply, the newest first. `Refused` without the
        Server functions."""
        rows = self._session.read("sys_datalog_get_by_tstamp", tstamp=int(since.timestamp())) or []
        if not isinstance(rows, list):
            raise BadAnswer(SYSTEM, "sys_datalog_get_by_tstamp: no list")
        return [_made(_failed_change, row) for row in rows if row.get("error")]

    def pending_changes(self) -> int:
        """How many changes the server parts have not applied yet. `Refused` without the Monitor functions."""
        count = self._session.read("monitor_jobqueue_count", server_id=0)
        if not str(count).isdecimal():
            raise BadAnswer(SYSTEM, f"monitor_jobqueue_count: no number: {count!r}")
        return int(count)

    def delete_zone(self, zone_id: int) -> None:
        """Deletes a zone; one that is gone is fine. Its records stay: delete them before."""
        self._session.call("dns_zone_delete", primary_id=int(zone_id))

    # Records

    def records_of(self, group_id: int) -> list[Record]:
        """All records of a client's group, in all zones, also in some that are gone."""
        rows = self._rows("dns_a_get", primary_id={"sys_groupid": group_id})
        return [_made(_record, row) for row in rows]

    def zone_records(self, zone_id: int) -> list[Record]:
        """All records of one zone, whoever made them, active or not."""
        rows = self._list("dns_rr_get_all_by_zone", zone_id=int(zone_id))
        return [_made(_record, row) for row in rows]

    def has_record(self, type: str, record_id: int) -> bool:
        """Whether there is a record of that id. `Refused` where the functions for the type are not
        permitted."""
        return self._session.read(f"dns_{type.lower()}_get", primary_id=int(record_id)) is not None

    def create_record(self, client_id: int, zone_id: int, raise_serial: bool = True, **fields: Any) -> int:
        """Makes a record of `type, name, data, ttl, priority`; its id. Pass the zone's owner: another would
        take the zone over."""
        params = {**self._params(zone_id, **fields), "serial": 0}
        function = f"dns_{fields['type'].lower()}_add"
        return _id(
            function,
            self._session.call(function, client_id=client_id, params=params, update_serial=raise_serial),
        )

    def update_record(self, client_id: int, zone_id: int, record_id: int, **fields: Any) -> None:
        """Changes a record to `type, name, data, ttl, priority`; the type has to be the one it has."""
        self._session.call(
            f"dns_{fields['type'].lower()}_update",
            client_id=client_id,
            primary_id=int(record_id),
            params=self._params(zone_id, **fields),
            update_serial=True,
        )

    def delete_record(self, record_id: int, type: str, raise_serial: bool = True) -> None:
        """Deletes a record that was just read: with a serial to raise, one that is gone ends in
        `BadAnswer`."""
        self._session.call(
            f"dns_{type.lower()}_delete", primary_id=int(record_id), update_serial=raise_serial
        )

    def _params(
        self, zone_id: int, *, type: str, name: str, data: str, ttl: int, priority: int
    ) -> dict[str, Any]:
        return {
            "server_id": self._server,
            "zone": int(zone_id),
            "name": name,
            "type": type,
            "data": data,
            "aux": priority,
            "ttl": ttl,
            "active": "Y",
            "stamp": time.strftime("%Y-%m-%d %H:%M:%S"),
        }

    def _zones(self, filter: Row) -> list[Zone]:
        return [_made(_zone, row) for row in self._rows("dns_zone_get", primary_id=filter)]

    def _rows(self, function: str, **filters: Row) -> list[Row]:
        """All rows that match; page by page, since no function gives a count."""
        ((argument, filter),) = filters.items()
        rows: list[Row] = []
        while True:
            page = {**filter, "#OFFSET#": len(rows), "#LIMIT#": PAGE}
            found = self._list(function, **{argument: page})
            rows += found
            if len(found) < PAGE:
                return rows

    def _list(self, function: str, **arguments: Any) -> list[Row]:
        found = self._session.read(function, **arguments)
        if not isinstance(found, list):
            raise BadAnswer(SYSTEM, f"{function}: no list")
        return found


def first_serial() -> int:
    """The serial of a zone that is made today: YYYYMMDD01."""
    return int(time.strftime("%Y%m%d")) * 100 + 1


def next_serial(serial: int) -> int:
    """The serial after this one, as the panel counts: today's first one, or one more."""
    return max(first_serial(), serial + 1)


def _id(function: str, value: Any) -> int:
    try:
        id = int(value)
    except (TypeError, ValueError):
        id = 0
    if id <= 0:
        raise BadAnswer(SYSTEM, f"{function}: no id: {value!r}")
    return id


def _made(make: Callable[[Row], T], row: Row) -> T:
    try:
        return make(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadAnswer(SYSTEM, f"not a row that was asked for: {error!r}") from error


def _client(row: Row) -> Client:
    return Client(int(row["client_id"]), row["customer_no"], row["username"])


def _zone(row: Row) -> Zone:
    return Zone(
        id=int(row["id"]),
        origin=row["origin"].lower(),
        group_id=int(row["sys_groupid"]),
        active=row["active"] == "Y",
        serial=int(row["serial"]),
        signed=_signed(row),
        xfer=row.get("xfer") or "",
        also_notify=row.get("also_notify") or "",
    )


def _signed(row: Row) -> bool | None:
    if row.get("dnssec_wanted") != "Y":
        return False
    return True if row.get("dnssec_initialized") == "Y" else None


def _failed_change(row: Row) -> FailedChange:
    column, _, id = row["dbidx"].partition(":")
    is_zone = row["dbtable"] == "dns_soa" and column == "id"
    return FailedChange(int(id) if is_zone else None, row["error"])


def _record(row: Row) -> Record:
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
    )
