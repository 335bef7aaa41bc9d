"""When ISPConfig fails, hangs or loses its answer, and when a worker dies in the middle."""

import itertools
import time
from unittest import mock

from dns import lookup, services, views
from dns.clients.ispconfig import Ispconfig
from dns.models import Zone
from nodepoint.board import troubles
from nodepoint.clients.errors import Conflict, Unreachable
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import DnsTestCase, said
from tests.dns.test_add_zone import DEFAULTS

WRITES = ("client_add", "dns_zone_add", "dns_ns_add", "dns_a_add", "dns_zone_update")
READS = ("login", "client_get", "client_get_groupid", "dns_zone_get", "dns_rr_get_all_by_zone")
REMOVALS = ("dns_zone_update", "dns_a_delete", "dns_zone_get", "dns_zone_delete")
KINDS = ("error", "drop_before", "drop_after")
METHODS = ("create_client", "create_zone", "create_record", "set_zone_active", "delete_record", "delete_zone")


class Killed(BaseException):
    """What a SIGKILL is to a step: no exception that it could catch."""


@on_one_database
class FaultTests(DnsTestCase):
    def order(self, **body) -> None:
        """add/zone, answered at once."""
        path = "/customdomain/add/zone"
        answer = self.post(path, {"user_id": 42, **body}, Accept="application/json", Prefer="respond-async")
        self.assertEqual(answer.status_code, 200, answer.content)

    def assert_whole(self, name: str) -> None:
        """The zone is served with exactly its records, and there is one client and one zone."""
        self.assertEqual(
            said(self.zone(name)), {(t, n.replace("example.com", name), d) for t, n, d in DEFAULTS}
        )
        self.assertEqual(len(self.in_panel(name)["records"]), 4)
        panel = self.panel()
        self.assertEqual((len(panel["clients"]), len(panel["zones"])), (1, 1))
        self.assertEqual(Zone.objects.get(name=name).state, Zone.State.ACTIVE)

    def test_a_zone_is_made_whole_whichever_call_fails(self) -> None:
        for number, (kind, function) in enumerate(itertools.product(KINDS, READS + WRITES)):
            with self.subTest(kind=kind, function=function):
                name = f"n{number}.com"
                self.delegate(name)
                self.order(domain=name)
                if function == "login":
                    self.lab.ispconfig.sessions.expire()
                self.fault("ispconfig", kind, match=function)
                self.run_jobs()
                self.clear_faults()
                self.assert_whole(name)
                self.done("delete/zone", domain=name)
                self.forget_customer()

    def forget_customer(self) -> None:
        """So that the next zone begins with the customer again."""
        Zone.objects.all().delete()
        services.Customer.objects.all().delete()
        panel = self.lab.ispconfig.panel
        with self.lab.lock:
            panel.client_delete(panel.client_get_all()[0])

    def test_a_zone_is_made_whole_wherever_its_worker_dies(self) -> None:
        for number, (method, after) in enumerate(itertools.product(METHODS[:4], (False, True))):
            with self.subTest(method=method, after=after):
                name = f"n{number}.com"
                self.delegate(name)
                self.order(domain=name)
                self.run_with_death_in(method, after)
                self.assert_whole(name)
                self.done("delete/zone", domain=name)
                self.forget_customer()

    def run_with_death_in(self, method: str, after: bool) -> None:
        """Run the jobs; the first call of a client's method kills its worker, before or after its effect."""
        real, calls = getattr(Ispconfig, method), itertools.count()

        def deadly(*args, **options):
            if next(calls):
                return real(*args, **options)
            if after:
                real(*args, **options)
            raise Killed

        with mock.patch.object(Ispconfig, method, deadly):
            with self.assertRaises(Killed):
                self.run_jobs()
            self.run_jobs()

    def test_a_zone_is_deleted_whichever_call_fails(self) -> None:
        for number, (kind, function) in enumerate(itertools.product(KINDS, REMOVALS)):
            with self.subTest(kind=kind, function=function):
                name = f"n{number}.com"
                self.add_zone(name)
                self.fault("ispconfig", kind, match=function, count=2)
                self.done("delete/zone", domain=name)
                self.clear_faults()
                self.assert_gone()

    def test_a_zone_is_deleted_wherever_the_worker_dies(self) -> None:
        for number, (method, after) in enumerate(itertools.product(METHODS[3:], (False, True))):
            with self.subTest(method=method, after=after):
                name = f"n{number}.com"
                self.add_zone(name)
                body = {"user_id": 42, "domain": name}
                self.post("/customdomain/delete/zone", body, Prefer="wait=0")
                self.run_with_death_in(method, after)
                self.assert_gone()

    def assert_gone(self) -> None:
        self.assertEqual(self.panel()["zones"], [])
        self.assertEqual(len(list(self.lab.ispconfig.panel.records.rows())), 0)

    def test_a_record_is_written_once_whichever_call_fails(self) -> None:
        id = self.add_zone("example.com")["id"]
        for number, (kind, function) in enumerate(itertools.product(KINDS, ("dns_txt_add", "dns_rr_get"))):
            name, record = f"n{number}", {"zone_id": id, "type": "txt", "ttl": 60}
            with self.subTest(kind=kind, function=function):
                self.post(
                    "/customdomain/add/record",
                    {"user_id": 42, **record, "name": name, "txt": "x"},
                    Prefer="wait=0",
                )
                self.fault("ispconfig", kind, match=function)
                self.run_jobs()
                self.clear_faults()
                found = [
                    r for r in self.zone("example.com")["records"].values() if r["name"].startswith(name)
                ]
                self.assertEqual(len(found), 1)
                rc_id = found[0]["id"]
                self.fault("ispconfig", kind, match="dns_txt_update")
                self.done("update/record", **record, rc_id=rc_id, name=name, txt="y")
                self.assertEqual(self.zone("example.com")["records"][rc_id]["data"], "y")
                self.clear_faults()
                self.fault("ispconfig", kind, match="dns_a_delete")
                self.done("delete/record", zone_id=id, rc_id=rc_id)
                self.assertNotIn(rc_id, self.zone("example.com")["records"])
                self.clear_faults()

    def test_what_can_never_work_is_undone_and_staff_are_told(self) -> None:
        self.delegate("example.com")
        self.lab.ispconfig.sessions.denied.add("dns_a_add")
        sentence = self.refused(500, "infrastructure", "add/zone", domain="example.com")
        self.assertEqual(sentence, "ISPConfig refused the request.")
        self.assert_gone()
        self.assertEqual(self.zones(), {})
        self.assertTrue(Job.objects.filter(kind="notices.staff").exists())
        self.lab.ispconfig.sessions.denied.clear()
        self.add_zone("example.com")

    def test_one_that_a_lost_call_made_is_no_other_customers_however_often_it_failed_before(self) -> None:
        self.delegate("example.com")
        self.order(domain="example.com")
        create, calls = Ispconfig.create_zone, itertools.count()

        def lost(*arguments, **more):
            match next(calls):
                case 0:
                    raise Unreachable("ispconfig")
                case 1:  # an earlier call has its effect only now
                    create(*arguments, **more)
                    raise Conflict("ispconfig", "origin_error_unique")
            return create(*arguments, **more)

        with mock.patch.object(Ispconfig, "create_zone", lost):
            self.run_jobs()
        self.assert_whole("example.com")

    def test_a_foreign_zone_that_turns_up_meanwhile_is_left_alone_and_no_matter_for_staff(self) -> None:
        self.delegate("example.com")
        self.order(domain="example.com")
        zone = {
            "server_id": 1,
            "origin": "example.com.",
            "ns": "ns1.x.net.",
            "mbox": "h.x.net.",
            "active": "Y",
        }
        times = dict.fromkeys(("refresh", "retry", "expire", "minimum", "ttl"), 3600)
        with self.lab.lock:
            self.lab.ispconfig.panel.dns_zone_add(0, zone | times)
        self.run_jobs()
        self.assertEqual(self.in_panel("example.com")["sys_groupid"], "1")
        self.assertEqual(Zone.objects.get().state, Zone.State.FAILED)
        self.assertTrue(Job.objects.get(kind="dns.create_zone").callers_fault)
        self.assertFalse(Job.objects.filter(kind="notices.staff").exists())
        self.assertEqual(troubles.unsettled(), [])

    def test_the_system_at_fault_is_named(self) -> None:
        self.add_zone("example.com")
        for kind, sentence in (
            ("error", "ISPConfig failed with an internal error."),
            ("refuse", "ISPConfig refused the request."),
        ):
            self.fault("ispconfig", kind, match="dns_zone_get")
            self.assertEqual(self.refused(500, "infrastructure", "getdata"), sentence)
        self.fault("ispconfig", "drop_before", match="dns_zone_get")
        self.assertEqual(set(self.zones()), {"example.com"}, "a dropped reading is read again")

    def test_no_call_takes_longer_than_its_caller_waits(self) -> None:
        self.add_zone("example.com")
        self.assertLess(lookup.READ_SECONDS, 8)
        self.assertLess(services.GUARD_SECONDS, views.ANSWER_WITHIN)
        self.assertLess(lookup.LOOK_SECONDS * 2, views.ANSWER_WITHIN)
        self.assertLess(views.ANSWER_WITHIN, 15)
        self.enterContext(mock.patch.multiple(lookup, READ_SECONDS=0.5, LOOK_SECONDS=0.5))
        self.fault("ispconfig", "hang", seconds=30)
        begun = time.monotonic()
        self.assertEqual(self.refused(500, "infrastructure", "getdata"), "ISPConfig did not answer in time.")
        self.assertLess(time.monotonic() - begun, 1.0)

    def test_what_could_not_be_looked_at_in_time_goes_on_in_the_job(self) -> None:
        id = self.add_zone("example.com")["id"]
        self.delegate("example.org")
        self.enterContext(mock.patch.object(lookup, "LOOK_SECONDS", 0.5))
        record = {"zone_id": id, "type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}
        for path, body in (
            ("add/record", record),
            ("add/record", record),
            ("delete/record", {"zone_id": id, "rc_id": 1003}),
            ("delete/record", {"zone_id": id, "rc_id": 1001}),
            ("update/record", {**record, "rc_id": 1004, "type": "txt", "txt": "x"}),
            ("add/zone", {"domain": "example.org"}),
        ):
            self.fault("ispconfig", "hang", seconds=30)
            begun = time.monotonic()
            body = {"user_id": 42, **body}
            answer = self.post(f"/customdomain/{path}", body, Accept="*/*", Prefer="wait=0")
            self.assertEqual((answer.status_code, answer.json()["state"]), (200, "running"), answer.content)
            self.assertLess(time.monotonic() - begun, 1.0)
        self.run_jobs()
        self.assertEqual(set(self.zones()), {"example.com", "example.org"})
        said = sorted((r["type"], r["name"]) for r in self.zone("example.com")["records"].values())
        ns = ("NS", "example.com.")
        self.assertEqual(said, [("A", "www.example.com."), ("A", "x.example.com."), ns, ns])
