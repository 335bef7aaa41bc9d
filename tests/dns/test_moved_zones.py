"""Zones that staff have moved to another client in the panel, or whose client or which themselves they have
deleted there: each call shows them, works on them, or says why not. None says Success with nothing done."""

from dns.models import Customer, Zone
from nodepoint.jobs.models import Job, JobStep
from tests.base import on_one_database
from tests.dns.base import DnsTestCase, said

NAME = "example.com"
RECORD = {"type": "a", "name": "x", "ttl": 300, "ip": "192.0.2.9"}
GONE, ADMIN, OTHER = "deleted", "the admin's", "another customer's"


@on_one_database
class MovedZoneTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = int(self.add_zone(NAME)["id"])
        self.add_zone("other.org", user=43)
        self.rc_id = next(
            id for id, record in self.zone(NAME)["records"].items() if record["name"].startswith("www")
        )

    def by_staff(self, whose: str) -> None:
        """What staff do in the panel."""
        panel = self.lab.ispconfig.panel
        with self.lab.lock:
            if whose == GONE:
                for row in list(panel.records.where(zone=self.zone_id)):
                    panel.record_delete("A", int(row["id"]), False)
                panel.dns_zone_delete(self.zone_id)
            elif whose == ADMIN:
                panel.zones.update(self.zone_id, {"sys_userid": "1", "sys_groupid": "1"})
            else:
                client = Customer.objects.get(user_id="43").client_id
                panel.dns_zone_update(client, self.zone_id, {})

    def answer(self, path: str, user: int = 42) -> tuple[int, str]:
        body = {
            "getdata": {},
            "add/record": {"zone_id": self.zone_id, **RECORD},
            "update/record": {"zone_id": self.zone_id, "rc_id": self.rc_id, **RECORD},
            "delete/record": {"zone_id": self.zone_id, "rc_id": self.rc_id},
            "delete/zone": {"domain": NAME},
            "add/zone": {"domain": NAME},
        }[path]
        answer = self.call(path, user=user, **body)
        return answer.status_code, answer.json().get("code", "")

    def held(self) -> set[tuple[str, str]]:
        zone = self.in_panel(NAME)
        return {(row["type"], row["name"]) for row in zone["records"]} if zone else set()

    def test_for_who_had_it(self) -> None:
        table = {
            ADMIN: {
                **dict.fromkeys(
                    ("add/record", "update/record", "delete/record", "delete/zone"), (404, "not_found")
                ),
                "add/zone": (409, "taken"),
            },
            GONE: {
                **dict.fromkeys(("add/record", "update/record", "delete/record"), (404, "not_found")),
                "add/zone": (200, ""),
                "delete/zone": (200, ""),
            },
        }
        table[OTHER] = table[ADMIN]
        for whose, answers in table.items():
            for path, wanted in answers.items():
                with self.subTest(whose=whose, path=path):
                    self.by_staff(whose)
                    before = self.held()
                    self.assertNotIn(NAME, self.zones())
                    self.assertEqual(self.answer(path), wanted)
                    if wanted[0] != 200:
                        self.assertEqual(self.held(), before, "nothing was done")
                        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())
                    elif path == "add/zone":
                        self.assertIn(NAME, self.zones())
                    self.anew()

    def anew(self) -> None:
        """The zone as it was in the beginning."""
        Zone.objects.filter(name=NAME).delete()
        panel = self.lab.ispconfig.panel
        with self.lab.lock:
            for zone in panel.zones.where(origin=f"{NAME}."):
                for row in list(panel.records.where(zone=zone["id"])):
                    panel.record_delete("A", int(row["id"]), False)
                panel.dns_zone_delete(zone["id"])
        self.zone_id = int(self.add_zone(NAME)["id"])
        www = (i for i, r in self.zone(NAME)["records"].items() if r["name"].startswith("www"))
        self.rc_id = next(www)

    def test_for_who_has_it_now(self) -> None:
        before = said(self.zone(NAME))
        self.by_staff(OTHER)
        self.assertEqual(said(self.zone(NAME, user=43)), before, "with the records that it left behind")
        for path, wanted in (
            ("add/zone", (409, "exists")),
            ("add/record", (200, "")),
            ("delete/record", (200, "")),
            ("delete/zone", (200, "")),
        ):
            self.assertEqual(self.answer(path, user=43), wanted, path)
        self.assertIsNone(self.in_panel(NAME))
        self.assertEqual(set(self.zones(43)), {"other.org"})

    def test_its_first_call_may_be_a_writing_one(self) -> None:
        self.by_staff(OTHER)
        self.assertEqual(self.answer("update/record", user=43), (200, ""))
        self.assertIn(("A", "x.example.com."), self.held())
        self.assertEqual(Zone.objects.get(name=NAME).customer.user_id, "43")

    def test_a_deletion_that_could_not_look_leaves_the_zone_alone(self) -> None:
        self.by_staff(ADMIN)
        self.fault("ispconfig", "refuse", match="dns_zone_get")
        self.assertEqual(self.answer("delete/zone"), (200, ""))
        self.assertIsNotNone(self.in_panel(NAME))
        step = Job.objects.get(kind="dns.delete_zone").steps.get(name="unpublished")
        self.assertIn("left alone", step.detail)

    def test_a_customer_whose_client_was_deleted_goes_on(self) -> None:
        before = said(self.zone(NAME))
        panel = self.lab.ispconfig.panel
        with self.lab.lock:
            panel.client_delete(Customer.objects.get(user_id="42").client_id)
        self.assertEqual(said(self.zone(NAME)), before, "it is shown")
        self.assertEqual(self.answer("add/record"), (200, ""))
        self.assertEqual(self.answer("delete/record"), (200, ""))
        www = ("A", "www.example.com.", "203.0.113.10")
        self.assertEqual(said(self.zone(NAME)), (before - {www}) | {("A", "x.example.com.", "192.0.2.9")})
        self.add_zone("second.org")
        self.assertEqual(set(self.zones()), {NAME, "second.org"})
        self.assertEqual(self.answer("delete/zone"), (200, ""))
        self.assertEqual(set(self.zones()), {"second.org"})

    def test_his_next_zone_takes_the_first_along(self) -> None:
        with self.lab.lock:
            self.lab.ispconfig.panel.client_delete(Customer.objects.get(user_id="42").client_id)
        self.add_zone("second.org")
        self.assertEqual(set(self.zones()), {NAME, "second.org"})
        groups = {self.in_panel(name)["sys_groupid"] for name in (NAME, "second.org")}
        self.assertEqual(groups, {str(Customer.objects.get(user_id="42").group_id)})

    def test_one_that_is_deleted_while_a_zone_is_made_is_made_anew(self) -> None:
        self.delegate("second.org")
        body = {"user_id": 42, "domain": "second.org"}
        self.post("/customdomain/add/zone", body, Accept="application/json", Prefer="respond-async")
        with self.assertRaisesRegex(AssertionError, "idle"):
            self.run_jobs(most=1)  # his client was looked up
        self.assertEqual(JobStep.objects.get(job__state="running", name="owner").state, "done")
        with self.lab.lock:
            self.lab.ispconfig.panel.client_delete(Customer.objects.get(user_id="42").client_id)
        self.run_jobs()
        self.assertEqual(set(self.zones()), {NAME, "second.org"})


@on_one_database
class OwnDoingTests(DnsTestCase):
    """What is refused because of what was asked for is told to who asked, and to nobody else."""

    def test_a_double_click_is_no_mail_to_staff_and_no_trouble(self) -> None:
        from nodepoint.board import troubles

        zone_id = int(self.add_zone(NAME)["id"])
        body = {"user_id": 42, "zone_id": zone_id, **RECORD}
        for _ in range(2):  # both are accepted before either is carried out
            self.post("/customdomain/add/record", body, Accept="*/*", Prefer="wait=0")
        self.run_jobs()
        states = Job.objects.filter(kind="dns.add_record").values_list("state", "callers_fault")
        self.assertEqual(sorted(states), [("failed", True), ("succeeded", False)])
        self.assertFalse(Job.objects.filter(kind="notices.staff").exists())
        self.assertEqual(troubles.unsettled(), [])

    def test_a_zone_that_vanishes_meanwhile_is_told(self) -> None:
        zone_id = int(self.add_zone(NAME)["id"])
        body = {"user_id": 42, "zone_id": zone_id, **RECORD}
        self.post("/customdomain/add/record", body, Accept="*/*", Prefer="wait=0")
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_delete(zone_id)
        self.run_jobs()
        self.assertTrue(Job.objects.filter(kind="notices.staff").exists())


@on_one_database
class NameTests(DnsTestCase):
    def test_an_idn_name_finds_the_longest_zone_in_either_form(self) -> None:
        self.add_zone("xn--lu-yta1h.example")
        self.add_zone("sub.xn--lu-yta1h.example")
        for name, zone in (
            ("www.žluť.example", "xn--lu-yta1h.example"),
            ("WWW2.ŽLUŤ.example.", "xn--lu-yta1h.example"),
            ("a.xn--lu-yta1h.example", "xn--lu-yta1h.example"),
            ("*.sub.žluť.example", "sub.xn--lu-yta1h.example"),
        ):
            with self.subTest(name):
                record = self.done("add/record", type="a", name=name, ttl=300, ip="192.0.2.9")["record"]
                self.assertTrue(record["name"].endswith(f"{zone}."))
                self.assertIn(record["id"], self.zone(zone)["records"])
        sentence = self.refused(
            400, "validation", "add/record", type="a", name="a.\u2603\ufe0f.x", ttl=300, ip="192.0.2.9"
        )
        self.assertIn("no domain name can have", sentence)

    def test_a_zone_that_others_have_made_is_found_by_name(self) -> None:
        self.add_zone("first.org")
        client = Customer.objects.get(user_id="42").client_id
        params = dict(self.lab.ispconfig.panel.zones.row(1)) | {"origin": "panel.org."}
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_add(client, params)
        self.done("add/record", type="a", name="www.panel.org", ttl=300, ip="192.0.2.9")

    def test_priorities_of_all_types_that_have_one(self) -> None:
        zone_id = int(self.add_zone(NAME)["id"])
        params = {"server_id": 1, "zone": zone_id, "ttl": 300, "active": "Y", "stamp": "2026-01-01 00:00:00"}
        params |= {
            "name": "_sip._tcp",
            "type": "SRV",
            "data": "5 5060 sip.example.com.",
            "aux": 7,
            "serial": 0,
        }
        with self.lab.lock:
            self.lab.ispconfig.panel.record_add(
                "CNAME", Customer.objects.get().client_id, {**params, "data": "a.b."}, False
            )
        shown = {r["type"]: r["priority"] for r in self.zone(NAME)["records"].values()}
        self.assertEqual(shown, {"A": None, "NS": None, "SRV": 7})
