"""Zone files as they come from elsewhere: what each line is taken as, or why it is not."""

import subprocess
import tempfile
from pathlib import Path

from django.test import SimpleTestCase

from dns import zonefile, zonelines
from dns.clients.ispconfig import Record, Soa
from dns.live import LiveZone
from dns.records import held

ZONE = "example.com"
BIND = """\
$TTL 1h ; an hour
$ORIGIN example.com.
@       IN SOA ns1.old.net. admin.example.com. ( 2026010101 ; serial
                1d 2h 4w 300 )
        NS      ns1.old.net.
        NS      ns2.old.net.
www     300 IN A 192.0.2.1
        IN 1h30m AAAA 2001:db8::1
        MX      10 mail
@       MX      20 mail.other.net.
        TXT     "v=spf1 " "include:_spf.other.net ~all"
_dmarc  TXT     v=DMARC1\\;p=none
k1._domainkey TXT ( "v=DKIM1; k=rsa; "
                    "p=MIGf" ) ; in two
\\042.dev CNAME www
$ORIGIN sub
a       A       192.0.2.2
_sip._tcp SRV   1 2 5060 a
@       CAA     0 issue "letsencrypt.org; validationmethods=dns-01"
"""
BIND_RECORDS = [
    ("A", "www.example.com.", "192.0.2.1", 300, None),
    ("AAAA", "www.example.com.", "2001:db8::1", 5400, None),
    ("MX", "www.example.com.", "mail.example.com.", 3600, 10),
    ("MX", "example.com.", "mail.other.net.", 3600, 20),
    ("TXT", "example.com.", "v=spf1 include:_spf.other.net ~all", 3600, None),
    ("TXT", "_dmarc.example.com.", "v=DMARC1;p=none", 3600, None),
    ("TXT", "k1._domainkey.example.com.", "v=DKIM1; k=rsa; p=MIGf", 3600, None),
    ("CNAME", "*.dev.example.com.", "www.example.com.", 3600, None),
    ("A", "a.sub.example.com.", "192.0.2.2", 3600, None),
    ("SRV", "_sip._tcp.sub.example.com.", "2 5060 a.sub.example.com.", 3600, 1),
    ("CAA", "sub.example.com.", '0 issue "letsencrypt.org; validationmethods=dns-01"', 3600, None),
]
CLOUDFLARE = """\
;;
;; Domain:     example.com.
;; Exported:   2026-11-30 12:00:00
;;
;; SOA Record
example.com\t3600\tIN\tSOA\tada.ns.cloudflare.com. dns.cloudflare.com. 2051 10000 2400 604800 3600

;; NS Records
example.com.\t86400\tIN\tNS\tada.ns.cloudflare.com.

;; A Records
example.com.\t1\tIN\tA\t192.0.2.1 ; cf_tags=cf-proxied:true
;; TXT Records
example.com.\t300\tIN\tTXT\t"a\\"b"
"""
# One line each, and a word of the reason why it cannot be taken.
REFUSED = (
    ("$INCLUDE /etc/passwd", "cannot be included"),
    ("$GENERATE 1-9 h$ A 192.0.2.$", "cannot be read"),
    ("$TTL", "cannot be read"),
    ("x CH A 192.0.2.1", "class CH"),
    ("x 300", "no type"),
    (" A 192.0.2.1", "no name"),
    ("x A", "no content"),
    ("x A 300.1.1.1", "IPv4"),
    ("x A 192.0.2.1 192.0.2.2", "IPv4"),
    ("x.other.org. A 192.0.2.1", "not inside"),
    ("x\\.y A 192.0.2.1", "such characters"),
    ('x TXT "open', "quotation mark"),
    ("x TXT ( a", "parenthesis"),
    ('x TXT "\\252"', "UTF-8"),
    ("x TXT f\udcfcr", "UTF-8"),
    ("b\udcfccher A 192.0.2.1", "letters"),
    ('"x" A 192.0.2.1', "quotes"),
    ("x TYPE65534 \\# 0", "types"),
    ("x HINFO a b", "types"),
    ("x MX mail", "priority"),
)


class ReadTests(SimpleTestCase):
    def read(self, text: str) -> list[zonefile.Line]:
        return zonefile.read(text, ZONE, "203.0.113.10")

    def test_a_file_of_bind(self) -> None:
        lines = self.read(BIND)
        self.assertEqual([line.number for line in lines if line.ours], [3, 5, 6])
        self.assertEqual([line.reason for line in lines if not line.entry and not line.ours], [])
        found = [line.entry for line in lines if line.entry]
        self.assertEqual([(e.type, e.name, e.data, e.ttl, e.priority) for e in found], BIND_RECORDS)

    def test_an_export_of_cloudflare(self) -> None:
        *ours, a, txt = self.read(CLOUDFLARE)
        self.assertEqual([line.ours for line in ours], [True, True])
        self.assertEqual((a.entry.ttl, a.note), (300, "Its TTL of 1 seconds is taken as 300."))
        self.assertEqual(txt.entry.data, 'a"b')

    def test_what_cannot_be_taken_is_told_and_keeps_nothing_else_from_being_read(self) -> None:
        for text, reason in REFUSED:
            with self.subTest(text):
                lines = self.read(f"{text}\ny 60 A 192.0.2.9\n" if "(" not in text else text)
                self.assertIn(reason, lines[0].reason)
                self.assertIsNone(lines[0].entry)
                lines[0].text.encode()
                if "(" not in text:
                    self.assertEqual((lines[1].number, lines[1].entry.data), (2, "192.0.2.9"))

    def test_what_signing_makes_is_passed_over(self) -> None:
        for text in ("x RRSIG A 13 3 1", "@ DNSKEY 257 3 13 ab", "x NSEC3PARAM 1 0 0 -"):
            self.assertTrue(self.read(text)[0].ours)

    def test_without_a_ttl_the_last_one_counts_else_the_soa_s_minimum(self) -> None:
        soa = "@ SOA a. b. 1 2 3 4 900\n"
        for text, ttl in (
            ("x A 192.0.2.1", 3600),
            (f"{soa}x A 192.0.2.1", 900),
            ("y 120 A 192.0.2.1\nx A 192.0.2.1", 120),
            ("$TTL 2d\ny 120 A 192.0.2.1\nx A 192.0.2.1", 86_400),
            ("x 0 A 192.0.2.1", 60),
        ):
            with self.subTest(text):
                self.assertEqual(self.read(text)[-1].entry.ttl, ttl)

    def test_huge_files_come_to_an_end(self) -> None:
        for text, reason in (
            ("x A 192.0.2.1\n" * 350_000, "more than"),
            ("(" * 5_000_000, "too long"),
            ('"' * 5_000_000, "too long"),
            ("; x\n" * 1_250_000, "too long"),
            (f"x TXT {'y ' * zonelines.LONGEST_LINE}", "too long"),
        ):
            lines = self.read(text)
            self.assertLessEqual(len(lines), zonefile.MOST + 1)
            self.assertIn(reason, lines[-1].reason)


class WriteTests(SimpleTestCase):
    def zone(self, *rows: tuple) -> LiveZone:
        soa = Soa("ns1.nodepoint.eu.", "hostmaster.nodepoint.eu.", 7200, 540, 604800, 3600, 3600)
        found = [
            held(Record(id, 1, 1, name, type, data, aux, ttl, active), f"{ZONE}.")
            for id, (name, type, data, aux, ttl, active) in enumerate(rows, 1)
        ]
        return LiveZone(1, ZONE, True, 2026113001, tuple(found), soa=soa)

    def test_what_is_published_stands_there_and_what_is_not_is_a_comment(self) -> None:
        text = zonefile.write(
            self.zone(
                ("www", "ALIAS", "x.example.net.", 0, 60, True),
                ("", "NS", "ns1.nodepoint.eu.", 0, 3600, True),
                ("x", "TXT", "über " + 'a\\"' + "y" * 300, 0, 60, True),
                ("off", "A", "192.0.2.1", 0, 60, False),
                ("k", "DNSKEY", "257 3 13 ab", 0, 60, True),
                ("h", "HINFO", "a\nb 60 IN A 192.0.2.66", 0, 60, True),
                ("_sip._tcp", "SRV", "1 5060 sip", 5, 60, True),
            )
        )
        self.assertIn("example.com. IN SOA ns1.nodepoint.eu. hostmaster.nodepoint.eu. 2026113001 7200", text)
        self.assertIn("\nwww.example.com. 60 IN CNAME x.example.net.\n", text)
        self.assertIn("\n_sip._tcp.example.com. 60 IN SRV 5 1 5060 sip.example.com.\n", text)
        self.assertIn('"\\195\\188ber a\\"yyy', text)
        for name in ("off", "k", "h"):
            self.assertIn(f"\n; not published: {name}.example.com. 60 IN", text)
        self.assertTrue(text.isascii())
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            if Path("/usr/bin/named-checkzone").exists():
                asked = ["/usr/bin/named-checkzone", ZONE, file.name]
                said = subprocess.run(asked, capture_output=True, text=True, check=False)
                self.assertEqual(said.returncode, 0, said.stdout)
        lines = zonefile.read(text, ZONE, "203.0.113.10")
        self.assertEqual([line.entry.type for line in lines if line.entry], ["SRV", "CNAME", "TXT"])
