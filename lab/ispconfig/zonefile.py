"""Zone files, as the panel's server writes them for BIND, and what public DNS then answers."""

import re
from collections.abc import Iterable
from typing import Any

from lab.ispconfig.state import Panel
from lab.names import Record

CHUNK = 255  # bytes of the stored text that go into one string of a TXT record


def render(zone: dict[str, Any], records: Iterable[dict[str, Any]]) -> bytes:
    """The zone file. Inactive records are left out; the texts of TXT records get their quotes here."""
    times = " ".join(zone[name] for name in ("serial", "refresh", "retry", "expire", "minimum"))
    lines = [
        f"$ORIGIN {zone['origin']}",
        f"$TTL {zone['ttl']}",
        f"@ IN SOA {zone['ns']} {zone['mbox']} ({times})",
    ]
    content = "\n".join(lines).encode() + b"\n"
    for record in records:
        if record["active"] == "Y":
            head = f"{record['name'] or '@'} {record['ttl']} IN {record['type']} "
            content += head.encode() + _data(record) + b"\n"
    return content


def _data(record: dict[str, Any]) -> bytes:
    data = record["data"].encode()
    if record["type"] == "TXT":
        return b" ".join(b'"%s"' % data[i : i + CHUNK] for i in range(0, len(data), CHUNK))
    return f"{record['aux']} {record['data']}".encode() if record["type"] == "MX" else data


def faults(zone: dict[str, Any], records: Iterable[dict[str, Any]]) -> list[str]:
    """What named-checkzone 9.18 says of the zone's file where it refuses it; nothing where it loads.

    Seen: no NS at the apex, a CNAME beside other data, two CNAMEs of one name (reference, ISPConfig 7). An
    ALIAS is written as a CNAME (server/conf/bind_pri.domain.master:26).
    """
    origin = zone["origin"].rstrip(".").lower()
    kinds: dict[str, list[str]] = {}
    for row in records:
        if row["active"] == "Y":
            kind = "CNAME" if row["type"] == "ALIAS" else row["type"]
            kinds.setdefault(_absolute(row["name"], zone["origin"]), []).append(kind)
    said = []
    for name, types in kinds.items():
        aliases = types.count("CNAME")
        others = len(types) - aliases + (name == origin)
        if aliases and others:
            said.append(f"dns_master_load: pri.{origin}: {name}: CNAME and other data")
        elif aliases > 1:
            said.append(f"dns_master_load: pri.{origin}: {name}: multiple RRs of singleton type")
    if "NS" not in kinds.get(origin, []):
        said.append(f"zone {origin}/IN: has no NS records")
    return [*said, f"zone {origin}/IN: not loaded due to errors."] if said else []


class Served:
    """The records of all active zones, as a source of the lab's public DNS. Use it inside the lab's lock.

    Each zone is a snapshot of when its file was taken last. A file that named-checkzone refuses leaves the
    one before in place, and its words go into the change log
    (server/plugins-available/bind_plugin.inc.php:337-355, datalogError). A zone without records is skipped.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._version = -1
        self._by_name: dict[str, list[Record]] = {}
        self._zones: dict[str, list[Record]] = {}
        self.stopped = False
        """True: the server part does not run, and whatever changes is not published."""

    def at(self, name: str) -> list[Record]:
        """The records of exactly this name (lower case)."""
        return self._current().get(name, [])

    def names(self) -> Iterable[str]:
        """All names that have records."""
        return self._current()

    def _current(self) -> dict[str, list[Record]]:
        if self._version != self._panel.version and not self.stopped:
            self._version = self._panel.version
            self._zones = dict(self._taken())
            self._by_name = {}
            for record in (record for records in self._zones.values() for record in records):
                self._by_name.setdefault(record.name, []).append(record)
        return self._by_name

    def _taken(self) -> Iterable[tuple[str, list[Record]]]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in self._panel.records.rows():
            rows.setdefault(row["zone"], []).append(row)
        for zone in self._panel.zones.rows():
            origin, held = zone["origin"], rows.get(zone["id"], [])
            if zone["active"] != "Y" or not held:
                continue
            if words := faults(zone, held):
                self._panel.log_fault(zone["id"], "\n".join(words))
                if origin in self._zones:
                    yield origin, self._zones[origin]
                continue
            public = [_public(row, origin) for row in held if row["active"] == "Y" and row["type"] in _PUBLIC]
            yield origin, [_soa(zone), *public]


def _soa(zone: dict[str, Any]) -> Record:
    hosts = f"{zone['ns'].rstrip('.')} {zone['mbox'].rstrip('.')}"
    times = " ".join(zone[name] for name in ("serial", "refresh", "retry", "expire", "minimum"))
    return Record(zone["origin"].rstrip(".").lower(), "SOA", f"{hosts} {times}", int(zone["ttl"]))


_PUBLIC = ("A", "AAAA", "CNAME", "MX", "NS", "TXT")


def _public(row: dict[str, Any], origin: str) -> Record:
    data = row["data"]
    if row["type"] == "TXT":
        data = re.sub(
            r"\\(\d{3}|.)", lambda found: chr(int(found[1])) if len(found[1]) == 3 else found[1], data
        )
    elif row["type"] in ("CNAME", "MX", "NS"):
        data = _absolute(data, origin)
        data = f"{row['aux']} {data}" if row["type"] == "MX" else data
    return Record(_absolute(row["name"], origin), row["type"], data, int(row["ttl"]))


def _absolute(name: str, origin: str) -> str:
    full = name if name.endswith(".") else f"{name}.{origin}".removeprefix(".")
    return full.rstrip(".").lower()
