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


class Served:
    """The records of all active zones, as a source of the lab's public DNS. Use it inside the lab's lock."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._version = -1
        self._by_name: dict[str, list[Record]] = {}

    def at(self, name: str) -> list[Record]:
        """The records of exactly this name (lower case)."""
        return self._current().get(name, [])

    def names(self) -> Iterable[str]:
        """All names that have records."""
        return self._current()

    def _current(self) -> dict[str, list[Record]]:
        if self._version != self._panel.version:
            self._version = self._panel.version
            self._by_name = {}
            zones = {zone["id"]: zone["origin"] for zone in self._panel.zones.rows() if zone["active"] == "Y"}
            for row in self._panel.records.rows():
                if row["active"] == "Y" and row["zone"] in zones and row["type"] in _PUBLIC:
                    record = _public(row, zones[row["zone"]])
                    self._by_name.setdefault(record.name, []).append(record)
        return self._by_name


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
