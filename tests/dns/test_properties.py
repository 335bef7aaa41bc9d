"""Labels and texts from all of Unicode: what is asked for, what ISPConfig stores, and what is served are one
and the same, or nothing was accepted.

The short form runs always; `DNS_NAMES=2000 script/test --sqlite-only tests.dns.test_properties` tries that
many of each.
"""

import os
from typing import Any

from django.test import SimpleTestCase
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dns import naming, txt
from dns.clients.ispconfig import rows
from dns.errors import BadField
from dns.records import Entry, held, parse
from lab.ispconfig import idn, master, zonefile
from lab.ispconfig.state import Panel
from lab.store import Store
from tests.dns.matrix import FIELDS, GOOD

ZONE, PROXY = "example.com", "203.0.113.10"
PROFILE = settings(
    max_examples=int(os.environ.get("DNS_NAMES", "150")),
    deadline=None,
    database=None,
    derandomize="DNS_NAMES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
SIGNS = st.characters(exclude_categories=())  # lone surrogates, unassigned and private characters, too
USUAL = st.sampled_from("abxn01-_*.é￮-。ß\u200d")
PUNYCODE = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-"), max_size=8).map("xn--{}".format)
LABELS = st.one_of(st.text(SIGNS, min_size=1, max_size=6), st.text(USUAL, min_size=1, max_size=8), PUNYCODE)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
TEXTS = st.one_of(
    st.text(SIGNS, max_size=300),
    st.builds(
        lambda length, sign, tail: sign * length + tail,
        st.integers(245, 260),
        st.sampled_from('aé€😀"\\'),
        st.text(SIGNS, max_size=4),
    ),
)
RECORD = {"server_id": 1, "zone": 1, "ttl": 300, "active": "Y", "stamp": "2026-01-01 00:00:00", "aux": 10}


class FakeLab:
    """As much of a lab as a panel needs."""

    store = Store(None)


class PropertyTests(SimpleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.panel = Panel(FakeLab())  # type: ignore[arg-type]

    def entry(self, type: str, name: str, content: str) -> Entry | None:
        """What was asked for; None where it is refused, in a sentence."""
        values = {"type": type, "name": name, "ttl": 300, "priority": 10, FIELDS[type]: content}
        try:
            return parse(values, ZONE, PROXY)
        except BadField as error:
            self.assertTrue(error.sentence.endswith("."))
            self.assertNotIn("<", error.sentence)
            return None

    def check(self, entry: Entry) -> None:
        """Stored, read back, rendered and read by BIND, it says what was asked for."""
        stored = entry.stored(f"{ZONE}.")
        values = self.panel._record_values(entry.type, {**RECORD, **stored, "aux": stored["priority"]}, {})
        row = {**{name: str(value) for name, value in values.items()}, "id": "1", "sys_groupid": "1"}
        row["data"] = _utf8mb3(row["data"])
        self.assertEqual(held(rows.record(row), f"{ZONE}.").entry, entry)
        zone = {"ttl": "300", "ns": "ns1.x.", "mbox": "h.x.", "serial": "1", "refresh": "60"}
        head = zonefile.head({**zone, "retry": "60", "expire": "60", "minimum": "60"})
        own = [b"@ 300 NS ns1.nodepoint.eu.", zonefile.line(row)]
        found = master.read(f"{ZONE}.", "zone", head, own)
        self.assertNotIsInstance(found, master.Refused)
        self.assertEqual([_said(rr) for rr in found if rr.type == entry.type][-1], _meant(entry))

    def test_names(self) -> None:
        @PROFILE
        @given(st.sampled_from(sorted(GOOD)), NAMES)
        @example("A", "ab--cd")
        @example("CNAME", "xn--a")
        @example("TXT", "\ud800")
        def check(type: str, name: str) -> None:
            entry = self.entry(type, name, GOOD[type])
            if entry is not None:
                self.assertEqual(idn.encoded(entry.name), entry.name)
                self.check(entry)

        check()

    def test_hosts(self) -> None:
        @PROFILE
        @given(st.sampled_from(("CNAME", "MX", "NS")), NAMES)
        def check(type: str, host: str) -> None:
            entry = self.entry(type, "x", f"{host}.example")
            if entry is not None:
                self.check(entry)

        check()

    def test_texts(self) -> None:
        @PROFILE
        @given(TEXTS)
        @example("a" * 252 + "😀")
        @example('"' * 600)
        def check(text: str) -> None:
            entry = self.entry("TXT", "x", text)
            if entry is not None:
                self.assertEqual(entry.data, txt.clean(text))
                self.check(entry)

        check()

    def test_zones(self) -> None:
        @PROFILE
        @given(NAMES)
        def check(name: str) -> None:
            try:
                zone = naming.domain(f"{name}.example")
            except naming.BadName:
                return
            self.assertEqual(idn.encoded(f"{zone}."), f"{zone}.")

        check()


def _utf8mb3(text: str) -> str:
    return "".join(sign if sign <= "\uffff" else "????" for sign in text)


def _said(rr: master.Rr) -> tuple[str, Any]:
    return rr.name, rr.data


def _meant(entry: Entry) -> tuple[str, Any]:
    data = entry.data if entry.type in ("A", "AAAA", "TXT") else entry.data.rstrip(".")
    return entry.name, f"{entry.priority} {data}" if entry.type == "MX" else data
