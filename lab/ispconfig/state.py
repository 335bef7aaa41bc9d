"""The panel's functions for clients and DNS, as permissive as 3.2.12: nobody checks owners or conflicts."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lab.ispconfig import forms, idn
from lab.ispconfig.serverpart import ServerPart
from lab.ispconfig.tables import Fault, Row, Table

if TYPE_CHECKING:
    from lab import Lab

BREAK = "<br />\r\n"
PERMISSIONS = {"sys_perm_user": "riud", "sys_perm_group": "riud", "sys_perm_other": ""}
ADMIN = ("1", "1")
RACE_SECONDS = 0.002
"""Between a client's uniqueness check and its insertion; no index backs it: parallel calls make several."""

CLIENT_COLUMNS = {
    **dict.fromkeys(
        ("company_name", "contact_firstname", "contact_name", "customer_no", "street", "zip"), ""
    ),
    **dict.fromkeys(
        ("city", "state", "country", "telephone", "email", "notes", "dns_servers", "usertheme"), ""
    ),
    **dict.fromkeys(("limit_dns_zone", "limit_dns_slave_zone", "limit_dns_record", "default_dnsserver"), "0"),
    **dict.fromkeys(
        ("username", "password", "language", "web_php_options", "ssh_chroot", "limit_cron_type"), ""
    ),
    **dict.fromkeys(("locked", "canceled", "can_use_api"), "n"),
    "parent_client_id": "0",
}
SOA_COLUMNS = (
    "server_id",
    "origin",
    "ns",
    "mbox",
    "serial",
    "refresh",
    "retry",
    "expire",
    "minimum",
    "ttl",
    "active",
)
SOA_MORE = {
    "xfer": "",
    "also_notify": "",
    "update_acl": "",
    "dnssec_wanted": "N",
    "dnssec_algo": "",  # a field that is not sent is stored empty (tform_base.inc.php, _encode)
}
SOA_OWN = {"dnssec_initialized": "N", "dnssec_last_signed": "0", "dnssec_info": "", "rendered_zone": None}
RR_COLUMNS = ("server_id", "zone", "name", "type", "data", "aux", "ttl", "active", "stamp", "serial")


class NoSuchZone(Exception):
    """A serial was to be raised in a zone that is not there: an HTML page, after what was done before."""


class Panel:
    """Clients, zones and records. Public methods of the API's names take the API's arguments."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        store = lab.store
        self.clients = Table(store, "client", "client_id", 1)
        self.users = Table(store, "sys_user", "userid", 2)  # 1 is the panel's own admin
        self.groups = Table(store, "sys_group", "groupid", 2)
        self.zones = Table(store, "dns_soa")
        self.records = Table(store, "dns_rr", first=1001)
        self.server = ServerPart(store, self.zones, self.records)
        self.alters: Callable[[Row], Row] | None = None
        """What a panel that nobody has seen yet makes of a record before it stores it."""

    def empty(self) -> None:
        """Take everything away, as if the panel were new; ids go on."""
        for table in (self.clients, self.users, self.groups, self.records):
            table.clear()
        for zone in list(self.zones.rows()):
            self.dns_zone_delete(zone["id"])

    # Clients

    def client_get(self, client_id: Any) -> Any:
        """A row, or rows."""
        return self.clients.get(client_id)

    def client_get_by_customer_no(self, customer_no: Any) -> Row:
        """A row."""
        if not customer_no:
            raise Fault("There was no customer number specified.")
        found = self.clients.where(customer_no=customer_no)
        if not found:
            raise Fault("There is no user account for this customer number.")
        return found[0]

    def client_get_groupid(self, client_id: Any) -> int:
        """The group of a client."""
        groups = self.groups.where(client_id=client_id)
        if not groups:
            raise Fault("There is no group for this client ID.")
        return int(groups[0]["groupid"])

    def client_get_all(self) -> list[str] | bool:
        """All ids; False when there is none."""
        return [row["client_id"] for row in self.clients.rows()] or False

    def client_add(self, reseller_id: Any, params: Any) -> str:
        """A client with its panel user and its group."""
        params = _object(params)
        with self._lab.lock:
            self._check_client(params)
        self._lab.sleep(RACE_SECONDS)
        with self._lab.lock:
            if not params.get("limit_cron_type"):
                raise Fault(
                    f"Data truncated for column 'limit_cron_type' at row 1 {_insert('client', params)}"
                )
            own = {name: params.get(name, default) for name, default in CLIENT_COLUMNS.items()}
            own |= {"email": str(params["email"]).lower(), "password": f"$6${secrets.token_hex(8)}$"}
            own |= {"sys_userid": "1", "sys_groupid": "1", **PERMISSIONS, "created_at": int(time.time())}
            client = self.clients.add(own | {"id_rsa": f"-----BEGIN {secrets.token_hex(8)}", "ssh_rsa": ""})
            group = self.groups.add({"name": params["username"], "client_id": client})
            self.users.add(
                {"username": params["username"], "default_group": group, "groups": group, "client_id": client}
            )
        return str(client)

    def _check_client(self, params: Mapping[str, Any]) -> None:
        errors = forms.client_errors(params)
        number = params.get("customer_no")
        if number and self.clients.where(customer_no=number):
            errors.append("customer_no_error_unique")
        message = "".join(error + BREAK for error in errors)
        name = str(params.get("username") or "")
        if name and (name == "admin" or self.users.where(username=name)):
            message += "username_error_unique<br>\r\nDuplicate username<br />"
        if message:
            raise Fault(message)
        if forms.weak(str(params.get("password") or "")):
            raise Fault(
                "The chosen password does not match the security guidelines. It has to be at least 8 chars "
                'in length and have a strength of "Good".'
            )

    def client_delete(self, client_id: Any) -> int:
        """Removes client, user and group; zones and records stay, owned by a group that is gone."""
        id = forms.number(client_id)
        for table, key in ((self.users, "userid"), (self.groups, "groupid")):
            for row in table.where(client_id=id):
                table.delete(int(row[key]))
        return self.clients.delete(id)

    # Zones

    def dns_zone_get(self, primary_id: Any) -> Any:
        """A row, or rows."""
        return self.zones.get(primary_id)

    def dns_zone_get_by_user(self, client_id: Any, server_id: Any) -> Any:
        """`id` and `origin` of a client's zones; False without a server."""
        if not server_id:
            return False
        groups = [row["groupid"] for row in self.groups.where(client_id=client_id)]
        found = [row for row in self.zones.where(server_id=server_id) if row["sys_groupid"] in groups]
        return [{"id": row["id"], "origin": row["origin"]} for row in found]

    def dns_zone_add(self, client_id: Any, params: Any) -> str:
        """A zone; without `active` it is none that is served."""
        params = _object(params)
        user, group = self._owner(client_id)
        values = self._zone_values(params, {"active": "N", "serial": 0, **SOA_MORE})
        values |= {"sys_userid": user, "sys_groupid": group, **PERMISSIONS, **SOA_OWN}
        id = self.zones.add(values)
        self.server.changed("dns_soa", id, "i", id)
        self.server.run()
        return str(id)

    def dns_zone_update(self, client_id: Any, primary_id: Any, params: Any) -> int:
        """Merges; a client_id moves the zone to that client."""
        id = forms.number(primary_id)
        values = self._zone_values(_object(params), self.zones.row(id) or {}, id)
        if forms.number(client_id):
            values["sys_userid"], values["sys_groupid"] = self._owner(client_id)
        affected = self.zones.update(id, values)
        if affected:
            self.server.changed("dns_soa", id, "u", id)
            self.server.run()
        return affected

    def dns_zone_set_status(self, primary_id: Any, status: Any) -> int:
        """Changes the table only; the name servers never hear of it."""
        if status not in ("active", "inactive"):
            raise Fault("The status is not available")
        return self.zones.update(forms.number(primary_id), {"active": "Y" if status == "active" else "N"})

    def dns_zone_delete(self, primary_id: Any) -> int:
        """Removes the zone's row; its records stay."""
        if primary_id is None:
            raise Fault(
                "You have an error in your SQL syntax; check the manual near 'AND 1' DELETE FROM dns_soa"
            )
        id = forms.number(primary_id)
        affected = self.zones.delete(id)
        if affected:
            self.server.changed("dns_soa", id, "d", id)
            self.server.run()
        return affected

    def _zone_values(self, params: Mapping[str, Any], old: Mapping[str, Any], id: int = 0) -> Row:
        merged = {name: params.get(name, old.get(name)) for name in (*SOA_COLUMNS, *SOA_MORE)}
        for name in ("origin", "ns", "mbox"):
            merged[name] = idn.encoded(str(merged[name] or "")).lower()
        errors = forms.zone_errors(merged)
        if merged["origin"] and any(
            int(row["id"]) != id for row in self.zones.where(origin=merged["origin"])
        ):
            errors.append("origin_error_unique")
        if errors:
            raise Fault("".join(error + BREAK for error in errors))
        for name in ("serial", "refresh", "retry", "expire", "minimum", "ttl", "server_id"):
            merged[name] = forms.number(merged[name])
        for name in ("active", "dnssec_wanted"):
            merged[name] = _flag(merged[name])
        return merged

    # Records

    def dns_rr_get_all_by_zone(self, zone_id: Any) -> list[Row]:
        """All rows of one zone, of any type and owner."""
        return self.records.where(zone=zone_id) if isinstance(zone_id, int | str) else []

    def record_get(self, type: str, primary_id: Any) -> Any:
        """A row, or rows, of any type."""
        return self.records.get(primary_id)

    def record_add(self, type: str, client_id: Any, params: Any, update_serial: Any) -> str:
        """A record of whatever type `params` say, in whatever zone. Written first, then the serial."""
        params = _object(params)
        user, group = self._owner(client_id)
        values = self._record_values(type, params, {"active": "N", "aux": 0, "serial": 0, "zone": 0})
        if not values["type"] or not values["stamp"]:
            column = "stamp" if values["type"] else "type"
            raise Fault(f"Data truncated for column '{column}' at row 1 {_insert('dns_rr', values)}")
        id = self.records.add({**values, "sys_userid": user, "sys_groupid": group, **PERMISSIONS})
        self.server.changed("dns_rr", id, "i", values["zone"])
        if update_serial:
            self._raise_serial(values["zone"], client_id)
            self.server.run()
        return str(id)

    def record_update(
        self, type: str, client_id: Any, primary_id: Any, params: Any, update_serial: Any
    ) -> int:
        """Merges, by the form of the function's type; a client_id takes record and zone over."""
        id, params = forms.number(primary_id), _object(params)
        values = self._record_values(type, params, self.records.row(id) or {})
        if forms.number(client_id):
            values["sys_userid"], values["sys_groupid"] = self._owner(client_id)
        affected = self.records.update(id, values)
        if affected:
            self.server.changed("dns_rr", id, "u", values["zone"])
        if update_serial:
            self._raise_serial(params.get("zone"), client_id)
            self.server.run()
        return affected

    def record_delete(self, type: str, primary_id: Any, update_serial: Any) -> int:
        """Deletes a row of any type and owner; here the serial comes first."""
        if primary_id is None:
            raise Fault(
                "You have an error in your SQL syntax; check the manual near 'AND 1' DELETE FROM dns_rr"
            )
        id = forms.number(primary_id)
        if id == 0 and "-" not in str(primary_id):
            raise Fault("The ID has to be > 0 or -1.")
        row = self.records.row(id) or {}
        if update_serial:
            self._raise_serial(row.get("zone"), 0)
        affected = self.records.delete(id)
        if affected:
            self.server.changed("dns_rr", id, "d", row["zone"])
        if update_serial:
            self.server.run()
        return affected

    def _record_values(self, type: str, params: Mapping[str, Any], old: Mapping[str, Any]) -> Row:
        merged = {name: params.get(name, old.get(name)) for name in RR_COLUMNS}
        if type not in forms.UNCONVERTED:
            merged["name"] = idn.encoded(str(merged["name"] or "")).lower()
        if type in forms.TARGETS:
            merged["data"] = idn.encoded(str(merged["data"] or "")).lower()
        if errors := forms.record_errors(type, merged):
            raise Fault("".join(error + BREAK for error in errors))
        if merged["server_id"] is None or merged["name"] is None:
            raise Fault(f"Column 'server_id' cannot be null {_insert('dns_rr', merged)}")
        for name in ("aux", "ttl", "zone", "serial", "server_id"):
            merged[name] = forms.number(merged[name])
        merged["active"] = _flag(merged["active"])
        return self.alters(merged) if self.alters else merged

    def _raise_serial(self, zone: Any, client_id: Any) -> None:
        row = self.zones.row(forms.number(zone))
        if row is None:
            raise NoSuchZone
        today = int(time.strftime("%Y%m%d"))
        serial = int(row["serial"])
        values: Row = {"serial": serial + 1 if serial // 100 >= today else today * 100 + 1}
        if forms.number(client_id):
            values["sys_userid"], values["sys_groupid"] = self._owner(client_id)
        id = int(row["id"])
        self.zones.update(id, values)
        self.server.changed("dns_soa", id, "u", id)

    # The change log

    def sys_datalog_get_by_tstamp(self, tstamp: Any) -> list[Row] | None:
        """The changes since then, the newest first, with what named-checkzone said.

        Source: interface/lib/classes/remote.d/admin.inc.php:276 (3.2.5+).
        """
        self.server.run()
        since = forms.number(tstamp)
        if not since:
            return None
        return [_shown(row) for row in reversed(list(self.server.log.rows())) if int(row["tstamp"]) >= since]

    def sys_datalog_get(self, datalog_id: Any, newer: Any) -> list[Row]:
        """One change, or it and all newer ones. Source: as above, line 294."""
        self.server.run()
        id = forms.number(datalog_id)
        if not id:
            raise Fault("The ID passed to the function must be > 0")
        found = [row for row in self.server.log.rows() if int(row["datalog_id"]) >= id]
        return [_shown(row) for row in reversed(found if newer is True else found[:1])]

    def monitor_jobqueue_count(self, server_id: Any) -> str:
        """How many changes the server part has not worked off."""
        self.server.run()
        return str(len(self.server.waiting))

    def _owner(self, client_id: Any) -> tuple[str, str]:
        """User and group of a client; 0 or nothing is the admin."""
        id = forms.number(client_id)
        if not id:
            return ADMIN
        users = self.users.where(client_id=id)
        if not users:
            raise Fault(f"Invalid client_id {id}")
        return users[0]["userid"], users[0]["default_group"]


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "_zone"}


def _object(params: Any) -> dict[str, Any]:
    return params if isinstance(params, dict) else {}


def _flag(value: Any) -> str:
    return "Y" if isinstance(value, str) and value.upper() == "Y" else "N"


def _insert(table: str, values: Mapping[str, Any]) -> str:
    """The complete statement, which a database fault puts into its message."""
    return f"INSERT INTO `{table}` VALUES ({', '.join(repr(value) for value in values.values())})"  # noqa: S608 - a text
