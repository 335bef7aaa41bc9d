"""Kindnesses of the simulated ISPConfig and of BIND behind it."""

from typing import Any
from unittest import mock

from lab.ispconfig import idn, master, tables, zonefile
from lab.ispconfig.serverpart import Loaded, Served, ServerPart
from lab.ispconfig.sessions import Sessions
from lab.ispconfig.state import Panel
from tests.lab.kindnesses import Kindness, instead, wrapped


def _codec(domain: str) -> str | None:
    """Python's own codec: IDNA 2003."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return None


def _kept(to_ascii: Any) -> Any:
    return lambda domain: to_ascii(domain) or domain.lower()


def _without_the_bad(read: Any) -> Any:
    """Only what is bad is left out."""

    def lenient(origin: str, file: str, head: Any, lines: Any) -> Any:
        good: list[bytes] = []
        for line in lines:
            if not isinstance(read(origin, file, head, [_NS, *good, line]), master.Refused):
                good.append(line)
        return read(origin, file, head, good)

    return lenient


_PARSED, _TOKENS = master._parsed.__wrapped__, master._tokens  # without the cache, which would know better


def _quotes_kept(origin: str, default: int, line: bytes) -> master.Rr:
    def whole(data: bytes) -> Any:
        quoted = data.strip().startswith(b'"')
        return [data.strip().removeprefix(b'"').removesuffix(b'"')] if quoted else _TOKENS(data)

    with mock.patch.object(master, "_tokens", whole):
        return _PARSED(origin, default, line)


_NS = b"@ 60 NS ns1.nodepoint.eu."


def _own_type_only(delete: Any, self: Panel, type: str, primary_id: Any, update_serial: Any) -> int:
    row = self.records.row(int(primary_id)) or {}
    return delete(self, type, primary_id, update_serial) if row.get("type") == type else 0


def _flat(at: Any, self: Served, name: str) -> list[Any]:
    zone = self._server.zone_of(name)
    return zone.by_name.get(name, []) if zone else []


def _with_zones(delete: Any, self: Panel, client_id: Any) -> int:
    groups = [row["groupid"] for row in self.groups.where(client_id=client_id)]
    for zone in list(self.zones.rows()):
        if zone["sys_groupid"] in groups:
            self.dns_zone_delete(zone["id"])
    return delete(self, client_id)


def _logged(set_status: Any, self: Panel, primary_id: Any, status: Any) -> int:
    affected = set_status(self, primary_id, status)
    self.server.changed("dns_soa", int(primary_id), "u", primary_id)
    return affected


def _parent_first(self: ServerPart, name: str) -> Loaded | None:
    found = [zone for zone in self._loaded.values() if f".{name}".endswith(f".{zone.origin}")]
    return min(found, key=lambda zone: len(zone.origin), default=None)


def _all_rights(check: Any, self: Sessions, session: Any, function: str) -> None:
    check(self, session, "login")


SERVED = "test_ispconfig_bind.ServedTests"
KINDNESSES = (
    Kindness(
        "names are converted as by Python's codec",
        "test_ispconfig_bind.NameTests.test_names_become_what_php_makes_of_them",
        instead(idn, "to_ascii", _codec),
    ),
    Kindness(
        "a name with `--` in third and fourth place is kept",
        f"{SERVED}.test_a_name_that_php_does_not_take_lands_on_the_domain_itself",
        instead(idn, "to_ascii", _kept(idn.to_ascii)),
    ),
    Kindness(
        "the tables hold every character",
        f"{SERVED}.test_the_tables_know_three_bytes_of_a_character",
        instead(tables, "_text", lambda value: value if value is None else str(value)),
    ),
    Kindness(
        "only the bad record of a zone is left out",
        f"{SERVED}.test_one_bad_record_keeps_the_old_zone_and_says_so_in_the_log",
        instead(master, "read", _without_the_bad(master.read)),
    ),
    Kindness(
        "a CNAME may stand beside other data",
        "test_ispconfig_bind.CheckTests.test_one_bad_record_spoils_the_zone",
        instead(master, "_clash", lambda last, beside: ""),
    ),
    Kindness(
        "an ALIAS is no CNAME",
        "test_ispconfig_bind.CheckTests.test_one_bad_record_spoils_the_zone",
        instead(zonefile, "RENDERED_AS", {"ALIAS": "TXT"}),
    ),
    Kindness(
        "a deletion looks at the type",
        f"{SERVED}.test_a_row_of_any_type_goes_with_the_rights_for_a",
        wrapped(Panel, "record_delete", _own_type_only),
    ),
    Kindness(
        "what is below a delegation or a DNAME is answered",
        f"{SERVED}.test_what_is_below_a_delegation_a_dname_or_a_deeper_zone_is_not_answered",
        wrapped(Served, "at", _flat),
    ),
    Kindness(
        "a deeper zone leaves the names below it to the one above",
        f"{SERVED}.test_what_is_below_a_delegation_a_dname_or_a_deeper_zone_is_not_answered",
        instead(ServerPart, "zone_of", _parent_first),
    ),
    Kindness(
        "each record is served with its own TTL",
        f"{SERVED}.test_a_set_has_the_ttl_of_its_first_record",
        instead(master, "_sets", list),
    ),
    Kindness(
        "outer quotes of a text are part of it",
        f"{SERVED}.test_outer_quotes_vanish_and_what_follows_a_semicolon_with_them",
        instead(master, "_parsed", _quotes_kept),
    ),
    Kindness(
        "the zones of a client go with him",
        f"{SERVED}.test_zones_of_a_client_that_is_gone_stand_and_are_served",
        wrapped(Panel, "client_delete", _with_zones),
    ),
    Kindness(
        "a changed status reaches the name servers",
        f"{SERVED}.test_a_set_status_reaches_no_name_server",
        wrapped(Panel, "dns_zone_set_status", _logged),
    ),
    Kindness(
        "changes are live without the cron job",
        f"{SERVED}.test_without_its_cron_job_nothing_goes_live",
        instead(Served, "stopped", False),
    ),
    Kindness(
        "the remote user may call everything",
        "test_ispconfig.SessionTests.test_sessions_end_and_permissions_are_asked_for",
        wrapped(Sessions, "check", _all_rights),
    ),
)
