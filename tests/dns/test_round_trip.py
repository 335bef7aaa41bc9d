"""Any zone that customers can have is given out as a file that BIND takes, and read again as the same."""

import string
import subprocess
import tempfile
from pathlib import Path

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from dns import planning, records, rules, zonefile
from dns.clients.ispconfig import Record, Soa
from dns.errors import BadField
from dns.live import LiveZone
from dns.planning import ADD, KEEP, Wish
from dns.records import Entry, held
from nodepoint.api.errors import ApiError

ZONE, PROXY = "example.com", "203.0.113.10"
CHECKZONE = Path("/usr/bin/named-checkzone")
SOA = Soa("ns1.nodepoint.eu.", "hostmaster.nodepoint.eu.", 7200, 540, 604800, 3600, 3600)
NS = Entry("NS", f"{ZONE}.", "ns1.nodepoint.eu.", 3600)

label = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
name = st.one_of(st.just("@"), label, st.tuples(label, label).map(".".join), st.just("*.wild"))
host = st.tuples(label, label).map(lambda two: f"{two[0]}.{two[1]}.example.")
number = st.integers(0, 65_535)
digits = st.text("0123456789abcdef", min_size=64, max_size=64)
text = st.text(
    st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from('"\\;()@$'), min_size=1, max_size=400
)
content = st.one_of(
    st.tuples(st.just("A"), name, st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), name, st.ip_addresses(v=6).map(str)),
    st.tuples(st.just("CNAME"), name, host),
    st.tuples(st.just("MX"), name, st.tuples(number, host).map(lambda two: f"{two[0]} {two[1]}")),
    st.tuples(st.just("NS"), label, host),
    st.tuples(st.just("TXT"), name, text),
    st.tuples(
        st.just("SRV"),
        label.map("_{}._tcp".format),
        st.tuples(number, number, number, host).map(lambda four: " ".join(map(str, four))),
    ),
    st.tuples(st.just("CAA"), name, host.map(lambda ca: f'0 issue "{ca.rstrip(".")}"')),
    st.tuples(st.just("TLSA"), label.map("_443._tcp.{}".format), digits.map("3 1 1 {}".format)),
    st.tuples(st.just("SSHFP"), name, digits.map("4 2 {}".format)),
)


def zone(found: list[tuple[str, str, str]], ttl: int) -> LiveZone:
    """What of these may stand together, as ISPConfig stores it."""
    standing = rules.Standing(f"{ZONE}.", [NS])
    for type, name, said in found:
        try:
            entry = records.parse({"type": type, "name": name, "content": said, "ttl": ttl}, ZONE, PROXY)
            standing.may_come(entry)
        except (BadField, ApiError):
            continue
        standing.add(entry)
    rows = [
        Record(id=id, zone_id=1, group_id=1, active=True, **entry.stored(f"{ZONE}."))
        for id, entry in enumerate(standing.all(), 1)
    ]
    return LiveZone(1, ZONE, True, 2026113001, tuple(held(row, f"{ZONE}.") for row in rows), soa=SOA)


class RoundTripTests(SimpleTestCase):
    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(st.lists(content, max_size=25), st.integers(60, 86_400))
    def test_a_zone_is_read_from_its_own_file(self, found: list[tuple[str, str, str]], ttl: int) -> None:
        live = zone(found, ttl)
        text = zonefile.write(live)
        lines = zonefile.read(text, ZONE, PROXY)
        entries = {held.entry for held in live.records} - {NS}
        self.assertEqual({line.entry for line in lines if line.entry}, entries)
        self.assertEqual([line.reason for line in lines if not line.entry and not line.ours], [])
        wishes = [Wish(ADD, line.entry) for line in lines if line.entry]
        self.assertLessEqual({line.act for line in planning.plan(wishes, live, planning.REPLACE)}, {KEEP})
        empty = LiveZone(2, ZONE, True, 1, (held(Record(1, 2, 1, **_row(NS)), f"{ZONE}."),))
        self.assertLessEqual({line.act for line in planning.plan(wishes, empty, planning.REPLACE)}, {ADD})

    @settings(max_examples=15, deadline=None, database=None, derandomize=True)
    @given(st.lists(content, max_size=25), st.integers(60, 86_400))
    def test_bind_takes_the_file(self, found: list[tuple[str, str, str]], ttl: int) -> None:
        if not CHECKZONE.exists():
            self.skipTest("named-checkzone is not installed")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(zonefile.write(zone(found, ttl)))
            file.flush()
            said = subprocess.run([CHECKZONE, ZONE, file.name], capture_output=True, text=True, check=False)
        self.assertEqual(said.returncode, 0, said.stdout)


def _row(entry: Entry) -> dict:
    return {**entry.stored(f"{ZONE}."), "active": True}
