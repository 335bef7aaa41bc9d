"""What becomes of a zone when much is asked of it at once, before anything is done."""

from django.test import SimpleTestCase

from dns import planning, records
from dns.clients.ispconfig import Record
from dns.errors import ChangesRefused
from dns.live import LiveZone
from dns.planning import ADD, CHANGE, DELETE, KEEP, REFUSE, Line, Wish
from dns.records import Entry, held

ZONE = "example.com"
ROWS = (
    ("NS", "", "ns1.nodepoint.eu.", 0, True),
    ("A", "", "203.0.113.10", 0, True),
    ("A", "www", "203.0.113.10", 0, True),
    ("MX", "", "mail.example.net.", 10, True),
    ("TXT", "", "one", 0, True),
    ("TXT", "", "two", 0, True),
    ("HINFO", "", "a b", 0, True),
    ("A", "off", "192.0.2.1", 0, False),
)


def zone(rows: tuple = ROWS, deeper: tuple[str, ...] = ()) -> LiveZone:
    found = [
        held(Record(id, 1, 1, name, type, data, aux, 300, active), f"{ZONE}.")
        for id, (type, name, data, aux, active) in enumerate(rows, 1)
    ]
    return LiveZone(1, ZONE, True, 1, tuple(found), deeper=deeper)


def entry(text: str, ttl: int = 300) -> Entry:
    type, name, content = text.split(" ", 2)
    values = {"type": type, "name": name, "content": content, "ttl": ttl}
    return records.parse(values, ZONE, "203.0.113.10")


def brief(lines: list[Line]) -> list[str]:
    return [
        " ".join(filter(None, (line.act, str(line.id or ""), line.after.data if line.after else "")))
        for line in lines
    ]


class FileTests(SimpleTestCase):
    def plan(self, mode: str, *texts: str, ttl: int = 300) -> list[Line]:
        return planning.plan([Wish(ADD, entry(text, ttl)) for text in texts], zone(), mode)

    def test_add_leaves_what_is_there(self) -> None:
        lines = self.plan("add", "A www PROXYSRV", "TXT @ three", "A new 192.0.2.1", "A new 192.0.2.1")
        self.assertEqual(
            brief(lines), ["keep 3 203.0.113.10", "add three", "add 192.0.2.1", "keep 192.0.2.1"]
        )
        self.assertEqual([line.reason for line in lines], [planning.THERE, "", "", planning.TWICE])

    def test_replace_changes_deletes_and_leaves_ours_and_what_only_staff_make(self) -> None:
        lines = self.plan("replace", "A @ 192.0.2.7", "TXT @ one", "TXT @ three", "A new 192.0.2.1")
        self.assertEqual(
            brief(lines),
            ["change 2 192.0.2.7", "keep 5 one", "change 6 three", "add 192.0.2.1", "delete 3", "delete 4"],
        )

    def test_a_set_has_one_ttl(self) -> None:
        lines = self.plan("add", "TXT @ three", ttl=900)
        self.assertEqual(brief(lines), ["add three", "change 5 one", "change 6 two"])
        self.assertEqual({line.after.ttl for line in lines}, {900})
        self.assertEqual(lines[1].reason, planning.ONE_TTL)
        lines = self.plan("add", "TXT @ one", ttl=900)
        self.assertEqual(brief(lines), ["change 5 one", "change 6 two"])

    def test_conflicts_are_refused_with_the_rules_own_words(self) -> None:
        lines = self.plan("add", "CNAME www x.example.net", "CNAME @ x.example.net", "A new 192.0.2.1")
        self.assertEqual([line.act for line in lines], [REFUSE, REFUSE, ADD])
        self.assertIn("one CNAME and nothing else", lines[0].reason)
        self.assertIn("PROXYSRV", lines[1].reason)

    def test_a_cname_takes_the_place_of_what_goes(self) -> None:
        lines = self.plan("replace", "CNAME www x.example.net")
        self.assertEqual([(line.act, line.id) for line in lines][:1], [(ADD, None)])
        self.assertIn((DELETE, 3), [(line.act, line.id) for line in lines])

    def test_the_501st_record_is_refused(self) -> None:
        wishes = [Wish(ADD, entry(f"A h{number} 192.0.2.1")) for number in range(500)]
        lines = planning.plan(wishes, zone(), "add")
        self.assertEqual([line.act for line in lines].count(REFUSE), len(ROWS))


class WishTests(SimpleTestCase):
    def test_what_is_refused_leaves_what_it_meant_as_it_is(self) -> None:
        lines = planning.plan(
            [
                Wish(DELETE, id=4),
                Wish(DELETE, id=4),
                Wish(DELETE, id=99),
                Wish(DELETE, id=1),
                Wish(CHANGE, entry("A @ 192.0.2.1"), 5),
                Wish(CHANGE, entry("CNAME www x.example.net"), 3),
                Wish(ADD, entry("NS @ ns.other.net")),
                Wish(ADD, entry("A www 192.0.2.2")),
            ],
            zone(),
        )
        self.assertEqual([line.act for line in lines], [DELETE, *[REFUSE] * 6, ADD])

    def test_a_refusal_can_make_others_impossible(self) -> None:
        lines = planning.plan(
            [Wish(CHANGE, entry("MX www 10 m.example.net"), 3), Wish(ADD, entry("CNAME www x.example.net"))],
            zone(),
        )
        self.assertEqual([line.act for line in lines], [REFUSE, REFUSE])

    def test_what_was_changed_since_is_not_undone(self) -> None:
        for expect, act in ((entry("A www 203.0.113.10"), CHANGE), (entry("A www 192.0.2.5"), REFUSE)):
            wish = Wish(CHANGE, entry("A www 192.0.2.9"), 3, expect)
            self.assertEqual(planning.plan([wish], zone())[0].act, act)
        found = planning.plan([Wish(DELETE, id=77, expect=entry("A www 203.0.113.10"))], zone())
        self.assertEqual((found[0].act, found[0].id), (DELETE, 3))

    def test_a_zone_below_counts(self) -> None:
        lines = planning.plan([Wish(ADD, entry("A x.sub 192.0.2.1"))], zone(deeper=("sub.example.com.",)))
        self.assertEqual(lines[0].act, REFUSE)

    def test_plans_and_wishes_are_written_down_as_they_are(self) -> None:
        wishes = [Wish(CHANGE, entry("A www 192.0.2.9"), 3, entry("A www 203.0.113.10"), 7, "x")]
        self.assertEqual([Wish.of(wish.plain()) for wish in wishes], wishes)
        lines = planning.plan([*wishes, Wish(DELETE, id=4), Wish(KEEP, reason="ours", place=1)], zone())
        self.assertEqual([Line.of(line.plain()) for line in lines], lines)
        self.assertEqual(lines[0].row["data"], "203.0.113.10")

    def test_one_refusal_refuses_all(self) -> None:
        lines = planning.plan([Wish(DELETE, id=4), Wish(DELETE, id=99, place=2)], zone())
        with self.assertRaises(ChangesRefused) as caught:
            planning.refuse_any(lines)
        self.assertIn("line 2: There is no such record", caught.exception.sentence)
        self.assertEqual([line["act"] for line in caught.exception.extra["changes"]], ["delete", "refuse"])
