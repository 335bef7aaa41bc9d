"""Zone files, as the panel's server part writes them for BIND.

Source: server/conf/bind_pri.domain.master and `bind_plugin::soa_update`,
server/plugins-available/bind_plugin.inc.php:259 (3.2.5+; run with MariaDB and BIND 9.18.49).
"""

from collections.abc import Iterable, Mapping

CHUNK = 255  # bytes of the stored text that go into one string of a TXT record, wherever that cuts
WITH_AUX = ("MX", "NAPTR", "SRV")
RENDERED_AS = {"ALIAS": "CNAME"}
IN_TEMPLATE = {
    *("A", "AAAA", "ALIAS", "CAA", "CNAME", "DNAME", "DS", "HINFO", "LOC", "MX", "NAPTR", "NS"),
    *("PTR", "RP", "SRV", "SSHFP", "TLSA", "TXT"),
}
"""Rows of any other type (DNSKEY, NULL) are stored and never written."""

Row = Mapping[str, str | None]


def render(zone: Row, records: Iterable[Row]) -> bytes:
    """The zone file: one line for the SOA, one for each active row."""
    return b"".join(line + b"\n" for line in (*head(zone), *(line(row) for row in written(records))))


def head(zone: Row) -> tuple[bytes, bytes]:
    """The default TTL and the SOA."""
    times = " ".join(str(zone[name]) for name in ("serial", "refresh", "retry", "expire", "minimum"))
    return f"$TTL {zone['ttl']}".encode(), f"@ IN SOA {zone['ns']} {zone['mbox']} ( {times} )".encode()


def written(records: Iterable[Row]) -> list[Row]:
    """The rows that come into the file."""
    return [row for row in records if row["active"] == "Y" and row["type"] in IN_TEMPLATE]


def line(row: Row) -> bytes:
    """One record. A name of nothing is the zone itself, a TTL of 0 the zone's."""
    type = str(row["type"])
    ttl = "" if row["ttl"] == "0" else row["ttl"]
    start = f"{row['name'] or '@'} {ttl} {RENDERED_AS.get(type, type)} "
    return start.encode() + _data(row)


def _data(row: Row) -> bytes:
    data = str(row["data"]).encode()
    if row["type"] == "TXT":
        return b'"%s"' % b'" "'.join(data[i : i + CHUNK] for i in range(0, max(len(data), 1), CHUNK))
    return b"%s %s" % (str(row["aux"]).encode(), data) if row["type"] in WITH_AUX else data
