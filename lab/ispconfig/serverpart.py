"""The panel's server part: works off the change log, writes zone files, has BIND load what is valid.

On a real server cron starts it once a minute; here it runs when a call is done, and before anybody looks.
Source: server/server.php, `bind_plugin::soa_update` and `write_named_conf` (3.2.5+), run with BIND 9.18.49.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.ispconfig import master, signing, zonefile
from lab.ispconfig.tables import Row, Table
from lab.names import Record
from lab.store import Store

FOLDER = "/etc/bind"
SILENT = ("HINFO", "LOC", "NAPTR", "RP")
"""Types that are checked and loaded, but that the lab's name server does not answer."""
ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A zone as BIND has it: whole names without the last dot."""

    origin: str
    serial: int
    by_name: dict[str, list[Record]]
    cuts: frozenset[str]
    renamed: dict[str, str]
    """Owners of DNAMEs, and where they lead."""


class ServerPart:
    """Use it inside the lab's lock. `stopped`: cron does not start it any more; what was written stays."""

    def __init__(self, store: Store, zones: Table, records: Table) -> None:
        self._store, self._zones, self._records = store, zones, records
        self.log = Table(store, "sys_datalog", "datalog_id")
        """The change log."""
        self.stopped = False
        done = int(store.load("ispconfig_updated").get("1", 0))
        self.waiting: list[Row] = [row for row in self.log.rows() if int(row["datalog_id"]) > done]
        """The changes that it has not worked off, oldest first."""
        self._files: dict[str, Row] = store.load("ispconfig_zonefile")
        self._loaded: dict[str, Loaded] = {}
        self._active: set[str] = set(store.load("ispconfig_named_conf").get("zones", []))
        for origin in self._active & set(self._files):
            self._load(origin)

    def changed(self, table: str, id: int, action: str, zone: Any) -> None:
        """Have a change worked off later. `action`: i, u or d; `zone`: the id of the zone it belongs to."""
        idx = "id:" if table == "dns_rr" and action == "i" else f"id:{id}"
        row = self.log.add(
            {
                "server_id": 1,
                "dbtable": table,
                "dbidx": idx,
                "action": action,
                "tstamp": int(time.time()),
                "user": ADMIN,
                "data": "",
                "status": "ok",
                "error": None,
                "_zone": zone,
            }
        )
        self.waiting.append(self.log.row(row) or {})

    def run(self) -> None:
        """Work off what waits: each zone that changed is written whole, and checked."""
        if self.stopped or not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        rows_of: dict[str, list[Row]] = {}
        for row in waiting:
            rows_of.setdefault(str(row["_zone"]), []).append(row)
        for zone_id, rows in rows_of.items():
            zone = self._zones.row(int(zone_id or 0))
            if zone is None:
                self._forget(zone_id)
            elif refused := self._write(zone):
                for row in rows:
                    self.log.update(int(row["datalog_id"]), {"error": "\n".join(refused.lines)})
        self._configure()
        self._store.save("ispconfig_updated", "1", int(waiting[-1]["datalog_id"]))

    def zone_of(self, name: str) -> Loaded | None:
        """The deepest zone that is served for a name (lower case, no last dot)."""
        while name:
            if (found := self._loaded.get(f"{name}.")) is not None:
                return found
            name = name.partition(".")[2]
        return None

    def names(self) -> Iterator[str]:
        """All names that have records in a zone that is served."""
        for zone in self._loaded.values():
            yield from zone.by_name

    def _write(self, zone: Row) -> master.Refused | None:
        """Write a zone's file, unless it is refused: then the old one stays."""
        origin = str(zone["origin"])
        rows = zonefile.written(self._records.where(zone=zone["id"]))
        head, lines = zonefile.head(zone), [zonefile.line(row) for row in rows]
        found = master.read(origin, f"{FOLDER}/pri.{origin.removesuffix('.')}", head, lines)
        if isinstance(found, master.Refused):
            return found
        for other, kept in list(self._files.items()):
            if kept["id"] == zone["id"] and other != origin:
                self._forget(zone["id"])
        texts = [line.decode(errors="surrogateescape") for line in (*head, *lines)]
        self._files[origin] = {"id": zone["id"], "lines": texts}
        self._store.save("ispconfig_zonefile", origin, self._files[origin])
        self._sign(zone)
        if origin in self._loaded:
            self._loaded[origin] = _loaded(origin, found, self._is_signed(zone))
        return None

    def _sign(self, zone: Row) -> None:
        """Make keys for a zone that has none yet. They stay when it is not to be signed any more."""
        if zone["dnssec_wanted"] != "Y" or not signing.wanted(str(zone["dnssec_algo"])):
            return
        facts = {"dnssec_initialized": "Y", "dnssec_last_signed": int(time.time())}
        if zone["dnssec_initialized"] != "Y":
            facts["dnssec_info"] = signing.info(str(zone["origin"]))
        self._zones.update(int(str(zone["id"])), facts)

    def _is_signed(self, zone: Row) -> bool:
        return zone["dnssec_wanted"] == "Y" and zone["dnssec_initialized"] == "Y"

    def _forget(self, zone_id: str) -> None:
        for origin in [origin for origin, kept in self._files.items() if str(kept["id"]) == str(zone_id)]:
            del self._files[origin]
            self._store.delete("ispconfig_zonefile", origin)

    def _configure(self) -> None:
        """Have BIND serve the active zones that have a file."""
        self._active = {
            str(zone["origin"]) for zone in self._zones.rows() if zone["active"] == "Y"
        } & self._files.keys()
        self._store.save("ispconfig_named_conf", "zones", sorted(self._active))
        for origin in [origin for origin in self._loaded if origin not in self._active]:
            del self._loaded[origin]
        for origin in self._active - self._loaded.keys():
            self._load(origin)

    def _load(self, origin: str) -> None:
        lines = [line.encode(errors="surrogateescape") for line in self._files[origin]["lines"]]
        found = master.read(origin, "", lines[:2], lines[2:])
        if not isinstance(found, master.Refused):
            zone = self._zones.row(int(self._files[origin]["id"]))
            self._loaded[origin] = _loaded(origin, found, zone is not None and self._is_signed(zone))


def _loaded(origin: str, found: list[master.Rr], signed: bool) -> Loaded:
    """`signed`: what is served is the signed copy, one serial above the zone's own."""
    by_name: dict[str, list[Record]] = {}
    for rr in found:
        if rr.type in SILENT:
            by_name.setdefault(rr.name.rstrip("."), [])
            continue
        data = _one_above(rr.data) if signed and rr.type == "SOA" else rr.data
        record = Record(rr.name.rstrip("."), rr.type, data, rr.ttl)
        by_name.setdefault(record.name, []).append(record)
    soa = next(rr for rr in found if rr.type == "SOA")
    apex = origin.rstrip(".")
    return Loaded(
        origin=apex,
        serial=int(soa.data.split()[2]) + signed,
        by_name=by_name,
        cuts=frozenset(rr.name.rstrip(".") for rr in found if rr.type == "NS" and rr.name != origin),
        renamed={rr.name.rstrip("."): rr.data for rr in found if rr.type == "DNAME"},
    )


def _one_above(soa: str) -> str:
    words = soa.split()
    return " ".join([*words[:2], str(int(words[2]) + 1), *words[3:]])


class Served:
    """What BIND answers, as a source of the lab's public DNS. Use it inside the lab's lock."""

    def __init__(self, server: ServerPart) -> None:
        self._server = server

    @property
    def stopped(self) -> bool:
        """True: the server part does not run, and whatever changes is not published."""
        return self._server.stopped

    @stopped.setter
    def stopped(self, value: bool) -> None:
        self._server.stopped = value

    def zone(self, name: str) -> Loaded | None:
        """The deepest zone that is served for a name (lower case, no last dot)."""
        self._server.run()
        return self._server.zone_of(name)

    def at(self, name: str) -> list[Record]:
        """The records of exactly this name (lower case), of the deepest zone that has it: at a delegation of
        that zone only its name servers, below it none; below a DNAME the one CNAME that follows from it."""
        zone = self.zone(name)
        if zone is None:
            return []
        above = _between(name, zone.origin)
        for ancestor in reversed(above):
            if ancestor in zone.cuts:
                return []
            if (to := zone.renamed.get(ancestor)) is not None:
                moved = f"{name.removesuffix(ancestor)}{to}"
                return [Record(name, "CNAME", moved, _ttl_of(zone, ancestor))]
        records = zone.by_name.get(name, [])
        kept = ("NS", "DS") if name in zone.cuts else None
        return [record for record in records if kept is None or record.type in kept]

    def names(self) -> Iterable[str]:
        """All names that have records."""
        self._server.run()
        return self._server.names()


def _between(name: str, origin: str) -> list[str]:
    """The names above a name down from its zone, the zone's own first; none for the zone itself."""
    above = []
    while name != origin:
        name = name.partition(".")[2]
        above.insert(0, name)
    return above[::-1]


def _ttl_of(zone: Loaded, owner: str) -> int:
    return next(record.ttl for record in zone.by_name[owner] if record.type == "DNAME")
