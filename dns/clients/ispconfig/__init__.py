"""ISPConfig: clients, zones and records. It guards nothing: a remote user may change everything, so whose a
thing is, and whether it stands in the way of another, is decided by the caller."""

import secrets
import time
from datetime import datetime
from typing import Any

from dns.clients.ispconfig import rows
from dns.clients.ispconfig.faults import SYSTEM
from dns.clients.ispconfig.rows import Client, FailedChange, Record, Row, Soa, Zone
from dns.clients.ispconfig.session import Session
from nodepoint.clients.errors import BadAnswer

PAGE = 20_000  # rows of a list; about 7 MB
TIMES = {"refresh": 7200, "retry": 540, "expire": 604800, "minimum": 3600, "ttl": 3600}  # seconds, of a zone
ALGORITHM = "ECDSAP256SHA256"  # of the two that ISPConfig knows the one that is not outdated (RFC 8624)
MOST_ZONES, MOST_RECORDS = 1000, 100_000  # the panel's own limits; they bind the customer there, not the API

__all__ = ["Client", "FailedChange", "Ispconfig", "Record", "Soa", "Zone", "first_serial", "next_serial"]


class Ispconfig:
    """The panel at `url`, as a remote user; new zones are put on the DNS server `server_id`. `calls`: under
    way at once."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        server_id: int,
        verify: bool | str = True,
        timeout: float = 20.0,
        calls: int = 6,
    ) -> None:
        self._session = Session(url, username, password, verify, timeout, calls)
        self._server = server_id

    def verify(self) -> None:
        """Logs in and looks for a zone that cannot be there: `Refused` when credentials or permissions are
        missing."""
        self.find_zone("health.invalid.")

    # Clients

    def find_clients(self, ending: str) -> list[Client]:
        """The clients whose customer number ends so, oldest first: more than one of the same number is
        possible, no index forbids it. It must be a checked text: `%` and `_` would widen the search."""
        wanted = {"customer_no": f"%{ending}"}  # LIKE (interface/lib/classes/remoting_lib.inc.php:253)
        found = rows.some(rows.client, self._rows("client_get", client_id=wanted))
        return sorted((c for c in found if c.customer_no.endswith(ending)), key=lambda client: client.id)

    def clients_numbered(self, begin: str) -> list[Client]:
        """The clients whose customer number begins so, as `find_clients`."""
        found = rows.some(rows.client, self._rows("client_get", client_id={"customer_no": f"{begin}%"}))
        return sorted((c for c in found if c.customer_no.startswith(begin)), key=lambda client: client.id)

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
        found = self._rows("dns_zone_get", primary_id={"sys_groupid": group_id})
        return rows.some(rows.zone, found, group_id=group_id)

    def create_zone(
        self,
        client_id: int,
        origin: str,
        ns: str,
        mbox: str,
        serial: int,
        xfer: str = "",
        also_notify: str = "",
    ) -> int:
        """Makes a zone that is not served yet; its id. Names with their last dot. `xfer`, `also_notify`:
        addresses with commas between. `Conflict` when anybody has it, `NotFound` when the client is gone."""
        params = {
            "server_id": self._server,
            "origin": origin,
            "ns": ns,
            "mbox": mbox,
            "serial": serial,
            **TIMES,
            "active": "N",
            "xfer": xfer,
            "also_notify": also_notify,
            "update_acl": "",
            "dnssec_wanted": "N",
            "dnssec_algo": ALGORITHM,
        }
        return _id("dns_zone_add", self._session.call("dns_zone_add", client_id=client_id, params=params))

    def zone(self, zone_id: int) -> Zone | None:
        """One zone, whoever owns it; None when it is gone."""
        found = self._session.read("dns_zone_get", primary_id=int(zone_id))
        return rows.one(rows.zone, found, zone_id)

    def set_zone_active(self, zone_id: int, active: bool, serial: int, **transfers: str) -> None:
        """Has a zone served, or not any more. `transfers`: `xfer`, `also_notify`, where they change. A
        client_id of 0 keeps the owner."""
        params = {"active": "Y" if active else "N", "serial": serial, **transfers}
        self._session.call("dns_zone_update", client_id=0, primary_id=int(zone_id), params=params)

    def set_dnssec(self, zone_id: int, wanted: bool, serial: int) -> None:
        """Has a zone signed, or not any more; the server part makes keys where there are none. The algorithm
        is sent along: a zone that was made without one has none, and so would get no keys."""
        params: dict[str, Any] = {"dnssec_wanted": "Y" if wanted else "N", "serial": serial}
        if wanted:
            params["dnssec_algo"] = ALGORITHM
        self._session.call("dns_zone_update", client_id=0, primary_id=int(zone_id), params=params)

    def move_zone(self, zone_id: int, client_id: int, serial: int) -> None:
        """Gives a zone to a client. Its records stay whose they were."""
        self._session.call(
            "dns_zone_update", client_id=int(client_id), primary_id=int(zone_id), params={"serial": serial}
        )

    def failed_changes(self, since: datetime) -> list[FailedChange]:
        """Changes since then that the server part could not apply, the newest first. `Refused` without the
        Server functions."""
        found = self._session.read("sys_datalog_get_by_tstamp", tstamp=int(since.timestamp())) or []
        if not isinstance(found, list):
            raise BadAnswer(SYSTEM, "sys_datalog_get_by_tstamp: no list")
        return rows.some(rows.failed_change, (row for row in found if row.get("error")))

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
        found = self._rows("dns_a_get", primary_id={"sys_groupid": group_id})
        return rows.some(rows.record, found, group_id=group_id)

    def zone_records(self, zone_id: int) -> list[Record]:
        """All records of one zone, whoever made them, active or not."""
        found = self._list("dns_rr_get_all_by_zone", zone_id=int(zone_id))
        return rows.some(rows.record, found, zone_id=int(zone_id))

    def has_record(self, type: str, record_id: int) -> bool:
        """Whether there is a record of that id. `Refused` where the functions for the type are not
        permitted."""
        return self._session.read(f"dns_{type.lower()}_get", primary_id=int(record_id)) is not None

    def record(self, record_id: int) -> Record | None:
        """One record of any type and zone; None when it is gone."""
        found = self._session.read("dns_a_get", primary_id=int(record_id))
        return rows.one(rows.record, found, record_id)

    def create_record(
        self, client_id: int, zone_id: int, raise_serial: bool = True, mark: int = 0, **fields: Any
    ) -> int:
        """Makes a record of `type, name, data, ttl, priority`, and of `active` where it is not to be served;
        its id. Pass the zone's owner: another would take the zone over. ISPConfig may store something else
        than it was sent: read it back."""
        params = {**self._params(zone_id, **fields), "serial": mark}
        function = f"dns_{fields['type'].lower()}_add"
        return _id(
            function,
            self._session.call(function, client_id=client_id, params=params, update_serial=raise_serial),
        )

    def update_record(
        self, client_id: int, zone_id: int, record_id: int, raise_serial: bool = True, **fields: Any
    ) -> None:
        """Changes a record to what `create_record` takes; the type has to be the one it has."""
        self._session.call(
            f"dns_{fields['type'].lower()}_update",
            client_id=client_id,
            primary_id=int(record_id),
            params=self._params(zone_id, **fields),
            update_serial=raise_serial,
        )

    def set_ttl(self, zone_id: int, record_id: int, type: str, ttl: int) -> None:
        """Changes a record's `ttl` (seconds) and nothing else. A client_id of 0 keeps the owner."""
        params = {"zone": int(zone_id), "ttl": ttl}
        function = f"dns_{type.lower()}_update"
        self._session.call(
            function, client_id=0, primary_id=int(record_id), params=params, update_serial=True
        )

    def delete_record(self, record_id: int, raise_serial: bool = True) -> None:
        """Deletes a record of any type that was just read: with a serial to raise, one that is gone ends in
        `BadAnswer`.

        One function deletes rows of every type with the rights for A records; DNSKEY and NULL have none of
        their own (3.2.12p1, interface/lib/classes/remote.d/dns.inc.php).
        """
        self._session.call("dns_a_delete", primary_id=int(record_id), update_serial=raise_serial)

    def _params(
        self, zone_id: int, *, type: str, name: str, data: str, ttl: int, priority: int, active: bool = True
    ) -> dict[str, Any]:
        return {
            "server_id": self._server,
            "zone": int(zone_id),
            "name": name,
            "type": type,
            "data": data,
            "aux": priority,
            "ttl": ttl,
            "active": "Y" if active else "N",
            "stamp": time.strftime("%Y-%m-%d %H:%M:%S"),
        }

    def _zones(self, filter: Row) -> list[Zone]:
        return rows.some(rows.zone, self._rows("dns_zone_get", primary_id=filter))

    def _rows(self, function: str, **filters: Row) -> list[Row]:
        """All rows that match; page by page, since no function gives a count."""
        ((argument, filter),) = filters.items()
        found: list[Row] = []
        while True:
            page = self._list(function, **{argument: {**filter, "#OFFSET#": len(found), "#LIMIT#": PAGE}})
            found += page
            if len(page) < PAGE:
                return found

    def _list(self, function: str, **arguments: Any) -> list[Row]:
        found = self._session.read(function, **arguments)
        if not isinstance(found, list):
            raise BadAnswer(SYSTEM, f"{function}: no list")
        return found


def first_serial() -> int:
    """The serial of a zone that is made now: YYYYMMDD and the quarter of the day's hours, 00 to 95. So one
    that is deleted and made again later that day does not begin below what secondaries still hold."""
    now = time.localtime()
    return int(time.strftime("%Y%m%d", now)) * 100 + (now.tm_hour * 60 + now.tm_min) // 15


def next_serial(serial: int) -> int:
    """The serial after this one: today's, or one more, as the panel counts. After 99 it runs into the date,
    as it does there."""
    return max(first_serial(), serial + 1)


def _id(function: str, value: Any) -> int:
    try:
        id = 0 if isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        id = 0
    if id <= 0:
        raise BadAnswer(SYSTEM, f"{function}: no id: {value!r}")
    return id
