"""What a record may be, type by type, before ISPConfig is asked."""

from typing import Any

from django.test import SimpleTestCase

from dns.clients.ispconfig import Record
from dns.errors import BadField, Protected
from dns.records import Entry, held, parse

ZONE, PROXY = "example.com", "203.0.113.10"
LONG = "a" * 63

# type, name, field, content -> whole name, data
GOOD = (
    ("a", "@", "ip", "192.0.2.1", "example.com.", "192.0.2.1"),
    ("A", "www", "ip", " 192.0.2.1 ", "www.example.com.", "192.0.2.1"),
    ("A", "WWW.Example.COM", "ip", "10.0.0.1", "www.example.com.", "10.0.0.1"),
    ("A", "www.example.com.", "content", "192.0.2.1", "www.example.com.", "192.0.2.1"),
    ("A", "example.com", "ip", "192.0.2.1", "example.com.", "192.0.2.1"),
    ("A", "www.other.org", "ip", "192.0.2.1", "www.other.org.example.com.", "192.0.2.1"),
    ("A", "myexample.com", "ip", "192.0.2.1", "myexample.com.example.com.", "192.0.2.1"),
    ("A", "*", "ip", "192.0.2.1", "*.example.com.", "192.0.2.1"),
    ("A", "*.dev", "ip", "192.0.2.1", "*.dev.example.com.", "192.0.2.1"),
    ("A", "žluť", "ip", "192.0.2.1", "xn--lu-yta1h.example.com.", "192.0.2.1"),
    ("A", LONG, "ip", "192.0.2.1", f"{LONG}.example.com.", "192.0.2.1"),
    ("A", "x", "ip", "proxysrv", "x.example.com.", PROXY),
    ("A", "x", "content", "PROXYSRV", "x.example.com.", PROXY),
    ("aaaa", "www", "ip", "2001:DB8::A", "www.example.com.", "2001:db8::a"),
    ("AAAA", "www", "ip", "2001:0db8:0000::1", "www.example.com.", "2001:db8::1"),
    ("cname", "blog", "target", "Target.Example.NET", "blog.example.com.", "target.example.net."),
    ("CNAME", "blog", "target", "target.example.net.", "blog.example.com.", "target.example.net."),
    ("CNAME", "blog", "target", "www", "blog.example.com.", "www.example.com."),
    ("CNAME", "blog", "target", "@", "blog.example.com.", "example.com."),
    (
        "CNAME",
        "_x._domainkey",
        "target",
        "k1._domainkey.m.net",
        "_x._domainkey.example.com.",
        "k1._domainkey.m.net.",
    ),
    ("mx", "@", "exchange", "mail.example.net", "example.com.", "mail.example.net."),
    ("mx", "@", "content", "0 .", "example.com.", "."),
    ("A", "a--b", "ip", "192.0.2.1", "a--b.example.com.", "192.0.2.1"),
    ("A", "XN--LU-YTA1H", "ip", "192.0.2.1", "xn--lu-yta1h.example.com.", "192.0.2.1"),
    ("A", "STRASSE.faß", "ip", "192.0.2.1", "strasse.xn--fa-hia.example.com.", "192.0.2.1"),
    ("CNAME", "x", "target", "žluť.example", "x.example.com.", "xn--lu-yta1h.example."),
    ("ns", "sub", "ns", "ns.other.net", "sub.example.com.", "ns.other.net."),
    ("txt", "_dmarc", "txt", "v=DMARC1; p=none", "_dmarc.example.com.", "v=DMARC1; p=none"),
    ("TXT", "*", "content", "x", "*.example.com.", "x"),
    ("TXT", "t", "txt", '"v=spf1 " "-all"', "t.example.com.", "v=spf1 -all"),
    ("TXT", "t", "txt", 'say "hi" \\ there', "t.example.com.", 'say "hi" \\ there'),
    ("TXT", "t", "txt", "<b>žluť</b> # ; 100%", "t.example.com.", "<b>žluť</b> # ; 100%"),
    ("TXT", "t", "txt", "x" * 4096, "t.example.com.", "x" * 4096),
    ("TXT", "t", "txt", "PROXYSRV", "t.example.com.", "PROXYSRV"),
)

BAD_NAMES = {
    **dict.fromkeys(("A", "AAAA", "MX"), ("_acme", "a_b")),
    "NS": ("*", "*.dev"),
}
ALWAYS_BAD_NAMES = (
    "",
    " ",
    ".",
    ".x",
    "x..y",
    "a b",
    "nl\n.x",
    "a/b",
    "-x",
    "x-",
    "a.*.b",
    "a*",
    LONG + "a",
    "www.other.org.",
    "@.example.com",
    "a@b",
    "\\",
    '"',
    "a;b",
    "ab--cd",
    "r3---sn-x",
    "xn--a",
    "xn--n3h",
    "ａｂ－－ｃｄ",
    "x.ab--cd",
    "☃",
    "\ud800",
    ".".join(["a" * 60] * 5),
    "\u200b",
    "x.example.com..",
)
HOSTS = (
    "",
    "a b.example",
    "192.0.2.1",
    "::1",
    "x..y",
    "-a.example",
    "a;b.example",
    "x.example.\nz IN A",
    "host.12",
    "a" * 64 + ".example",
    "PROXYSRV.1",
    "proxysrv",
    ".",
    "a/b.example",
    "a" * 254,
    "r3---sn-x.example",
    "xn--a.example",
)
BAD_DATA = {
    "A": (
        "",
        "host.example.com",
        "300.1.1.1",
        "203.0.113.010",
        "2001:db8::1",
        "203.0.113.0/24",
        "1.2.3",
        "1",
        "192.0.2.1\nx",
        "PROXYSRV2",
        "192.0.2.1 x",
    ),
    "AAAA": ("", "203.0.113.10", "PROXYSRV", "proxysrv", "fe80::1%eth0", "2001:db8::/64", "::g", "[::1]"),
    "CNAME": HOSTS,
    "MX": (*(host for host in HOSTS if host != "."), "mail_1.example.com"),
    "NS": (*HOSTS, "ns_1.example.com"),
    "TXT": ("", " ", '""', "a\nb", "a\rb", "a\tb\x01", "\x7f", "x" * 4097, "é" * 2049, '"' * 300),
}
FIELDS = {"A": "ip", "AAAA": "ip", "CNAME": "target", "MX": "exchange", "NS": "ns", "TXT": "txt"}
FITTING = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "CNAME": "x.example.net",
    "MX": "m.example.net",
    "NS": "ns.example.net",
    "TXT": "x",
}


def read(type: str, name: str = "x", ttl: int = 3600, priority: int | None = 10, **content: Any) -> Entry:
    """What `parse` makes of it, with a fitting content where none is given."""
    if not content and type.upper() in FIELDS:
        content = {FIELDS[type.upper()]: FITTING[type.upper()]}
    values = {"type": type, "name": name, "ttl": ttl, "priority": priority, **content}
    return parse(values, ZONE, PROXY)


class GoodRecordTests(SimpleTestCase):
    def test_every_form_is_understood(self) -> None:
        for type, name, field, content, whole, data in GOOD:
            with self.subTest(type=type, name=name, content=content[:30]):
                entry = read(type, name, priority=None if field == "content" else 10, **{field: content})
                self.assertEqual((entry.type, entry.name, entry.data), (type.upper(), whole, data))

    def test_what_is_stored_reads_as_what_was_meant(self) -> None:
        for type, name, field, content, *_ in GOOD:
            with self.subTest(type=type, name=name, content=content[:30]):
                entry = read(type, name, priority=None if field == "content" else 10, **{field: content})
                row = Record(id=1, zone_id=1, group_id=1, active=True, **entry.stored("example.com."))
                self.assertEqual(held(row, "example.com.").entry, entry)

    def test_names_fit_what_ispconfig_takes_for_the_type(self) -> None:
        for type, most in (("A", 64), ("AAAA", 64), ("CNAME", 255), ("TXT", 255)):
            stored = read(type, LONG).stored("example.com.")["name"]
            self.assertLessEqual(len(stored), most)

    def test_an_mx_may_say_its_priority_in_the_content(self) -> None:
        entry = read("mx", priority=None, content="20 mail.example.net.")
        self.assertEqual((entry.priority, entry.data), (20, "mail.example.net."))

    def test_rows_that_others_have_stored_are_read_in_their_zone(self) -> None:
        for type, name, data, whole, meant in (
            ("A", "", "192.0.2.1", "example.com.", "192.0.2.1"),
            ("CNAME", "Blog", "target.example.net", "blog.example.com.", "target.example.net.example.com."),
            ("MX", "www.Other.org.", "mail", "www.other.org.", "mail.example.com."),
            ("SRV", "_sip._tcp", "10 5060 sip.x.", "_sip._tcp.example.com.", "10 5060 sip.x."),
            ("ALIAS", "al", "x", "al.example.com.", "x.example.com."),
            ("AAAA", "v6", "2001:0DB8::0001", "v6.example.com.", "2001:db8::1"),
            ("TXT", "t", "\\195\\188ber", "t.example.com.", "über"),
        ):
            row = Record(1, 1, 1, name, type, data, 10, 60, False)
            entry = held(row, "example.com.").entry
            self.assertEqual((entry.name, entry.data), (whole, meant))


class BadRecordTests(SimpleTestCase):
    def refuses(self, field: str, type: str, **values: Any) -> None:
        with self.subTest(type=type, **values), self.assertRaises(BadField) as caught:
            read(type, **values)
        self.assertEqual(list(caught.exception.extra["fields"]), [field])

    def test_names(self) -> None:
        for type in FIELDS:
            for name in (*ALWAYS_BAD_NAMES, *BAD_NAMES.get(type, ())):
                self.refuses("name", type, name=name)

    def test_a_name_that_ispconfig_would_not_take_as_one_of_an_address(self) -> None:
        name = f"{'a' * 40}.{'b' * 40}"
        for type in ("A", "AAAA"):
            self.refuses("name", type, name=name)
        self.assertEqual(read("CNAME", name=name).name, f"{name}.example.com.")

    def test_contents(self) -> None:
        for type, contents in BAD_DATA.items():
            for content in contents:
                self.refuses(FIELDS[type], type, **{FIELDS[type]: content})
                self.refuses("content", type, content=content)

    def test_the_content_is_needed(self) -> None:
        for type, field in FIELDS.items():
            with self.assertRaises(BadField) as caught:
                parse({"type": type, "name": "x", "ttl": 60, "priority": 1, "wrong": "x"}, ZONE, PROXY)
            self.assertEqual(list(caught.exception.extra["fields"]), [field])

    def test_ttl_and_priority(self) -> None:
        for ttl in (0, 59, 86_401, 99_999_999):
            self.refuses("ttl", "A", ttl=ttl)
        for priority in (None, 65_536, 70_000):
            self.refuses("priority", "MX", priority=priority)
        for ttl, priority in ((60, 0), (86_400, 65_535)):
            self.assertEqual((read("MX", ttl=ttl, priority=priority).priority), priority)
        self.assertIsNone(read("A", priority=70_000).priority)

    def test_no_mail_at_all_has_the_priority_0(self) -> None:
        self.assertEqual(read("MX", priority=0, exchange=".").data, ".")
        self.refuses("priority", "MX", priority=10, exchange=".")

    def test_what_begins_with_a_priority_shows_it(self) -> None:
        for type, shown in (("MX", 7), ("SRV", 7), ("NAPTR", 7), ("A", None), ("CAA", None)):
            row = Record(1, 1, 1, "x", type, "10 5060 sip.x.", 7, 60, True)
            self.assertEqual(held(row, "example.com.").entry.priority, shown)

    def test_an_alias_of_itself(self) -> None:
        self.refuses("target", "CNAME", name="x", target="x.example.com")

    def test_types(self) -> None:
        for type in ("", "hinfo", "naptr", "any", "a ; drop"):
            self.refuses("type", type, content="x")
        with self.assertRaises(Protected):
            read("soa", content="x")
