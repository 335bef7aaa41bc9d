"""What customers and staff have done with zones and records."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dns import services as dns_services
from dns.connections import ispconfig
from dns.models import Zone
from tests.staff.deed import BY, Deed

if TYPE_CHECKING:
    from tests.staff.test_every_fault import EveryFaultCase as Case

ZONE, OURS = "example.com", ["ns1.nodepoint.eu", "ns2.nodepoint.eu"]


def _delegated(case: "Case") -> None:
    case.lab.dns.set(ZONE, "NS", OURS)


def _a_zone(case: "Case") -> None:
    _delegated(case)
    _call("add/zone", domain=ZONE)(case)
    case.run_jobs()
    _record("add", name="old", txt="as it was")(case)
    case.run_jobs()


def _call(path: str, **body: object) -> Callable[["Case"], object]:
    headers = {"Prefer": "respond-async", "Accept": "application/json"}
    return lambda case: case.post(f"/customdomain/{path}", {"user_id": 42, **body}, **headers)


def _record(act: str, **body: object) -> Callable[["Case"], object]:
    def do(case: "Case") -> object:
        given = {"type": "txt", "ttl": 60, **body} if act != "delete" else {}
        number = {} if act == "add" else {"rc_id": _number(case)}
        zone = {"zone_id": Zone.objects.get(state="active").ispconfig_id}
        return _call(f"{act}/record", **given, **number, **zone)(case)

    return do


def _records(case: "Case") -> dict[str, dict]:
    """The TXT records that ISPConfig holds, by their text."""
    zones = case.state()["ispconfig"]["zones"]
    return {one["data"].strip('"'): one for zone in zones for one in zone["records"] if one["type"] == "TXT"}


def _a_zone_with_two(case: "Case") -> None:
    _a_zone(case)
    _record("add", name="gone", txt="goes")(case)
    case.run_jobs()


def _bulk(case: "Case") -> object:
    """One record of each kind: added, changed, deleted."""
    held = _records(case)
    text = {"type": "txt", "ttl": 60}
    changes = [
        {"act": "add", "name": "new", "txt": "new", **text},
        {"act": "change", "rc_id": held["as it was"]["id"], "name": "old", "txt": "changed", **text},
        {"act": "delete", "rc_id": held["goes"]["id"]},
    ]
    return _call("bulk", zone_id=Zone.objects.get(state="active").ispconfig_id, changes=changes)(case)


def _sign(case: "Case") -> object:
    return _call("dnssec", zone_id=Zone.objects.get(state="active").ispconfig_id, enabled=True)(case)


def _is_signed(case: "Case") -> None:
    (zone,) = case.state()["ispconfig"]["zones"]
    case.assertEqual((zone["dnssec_wanted"], zone["dnssec_initialized"]), ("Y", "Y"))


def _number(case: "Case") -> int:
    return int(_records(case)["as it was"]["id"])


def _says(*texts: str) -> Callable[["Case"], None]:
    def stands(case: "Case") -> None:
        (zone,) = case.state()["ispconfig"]["zones"]
        case.assertEqual((zone["origin"], zone["active"]), (f"{ZONE}.", "Y"))
        case.assertEqual(set(_records(case)), set(texts))
        case.assertEqual(Zone.objects.get(name_key=ZONE).state, "active")

    return stands


def _with_a_zone_that_is_not_served(case: "Case") -> None:
    _a_zone(case)
    ispconfig().set_zone_active(Zone.objects.get().ispconfig_id, False, 2026112601)


def _repair_zone(case: "Case") -> None:
    dns_services.repair_zone(Zone.objects.get(), **BY)


def _no_zone(case: "Case") -> None:
    case.assertEqual(case.state()["ispconfig"]["zones"], [])
    case.assertFalse(Zone.objects.exclude(name_key=None).exists())


ZONE_DEEDS = {
    "add zone": Deed(_delegated, _call("add/zone", domain=ZONE), _says()),
    "delete zone": Deed(_a_zone, _call("delete/zone", domain=ZONE), _no_zone),
    "repair zone": Deed(_with_a_zone_that_is_not_served, _repair_zone, _says("as it was")),
    "add record": Deed(_a_zone, _record("add", name="new", txt="new"), _says("as it was", "new")),
    "change record": Deed(_a_zone, _record("update", name="old", txt="new"), _says("new")),
    "delete record": Deed(_a_zone, _record("delete"), _says()),
    "sign zone": Deed(_a_zone, _sign, _is_signed),
    "change records": Deed(_a_zone_with_two, _bulk, _says("new", "changed")),
}
