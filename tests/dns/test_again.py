"""Zones and records whose job ended badly: asked for again from the page of the job, by the customers' own
services."""

from collections.abc import Iterable
from datetime import timedelta
from unittest import mock

from django.contrib.messages import get_messages

from dns import services
from dns.clients.ispconfig import next_serial
from dns.connections import ispconfig
from dns.errors import NameTaken, RecordExists, UnknownRecord, UnknownZone
from dns.models import Customer, Zone
from dns.records import Entry
from nodepoint.audit import models as audit
from nodepoint.board import troubles
from nodepoint.jobs import queue, steering
from nodepoint.jobs.models import Job
from nodepoint.jobs.testing import MovedClock, run_until_idle
from tests.dns.base import DnsTestCase, said
from tests.dns.test_add_zone import DEFAULTS
from tests.staff.base import make_staff

RECORD = {"type": "txt", "name": "shop", "ttl": 60, "txt": 'a "quoted" text; with ü'}


class AgainCase(DnsTestCase):
    """An operator, and ISPConfig refusing functions to our remote user."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("olga", "operator"))
        self.denied = self.lab.ispconfig.sessions.denied

    def fails(self, path: str, denied: str, **body) -> Job:
        """A call whose job ends badly, because one function is denied."""
        self.denied.add(denied)
        self.assertEqual(self.refused(500, "infrastructure", path, **body), "ISPConfig refused the request.")
        self.denied.clear()
        job = self.newest()
        self.assertIn(job.state, Job.ENDED_BADLY)
        self.assertIn(job, troubles.unsettled())
        return job

    def newest(self) -> Job:
        return Job.objects.filter(kind__startswith="dns.").order_by("-created_at")[0]

    def press(self, job: Job):
        """Ask for a job again, whatever its page offers."""
        return self.client.post(f"/admin/jobs/job/{job.pk}/act/ask_again/", {"reason": "denied by mistake"})

    def offered(self, job: Job) -> bool:
        return steering.moves(Job.objects.get(pk=job.pk)).again

    def goes_on(self) -> Job:
        """The deletion of example.com, which ISPConfig keeps from its end."""
        body = {"user_id": 42, "domain": "example.com"}
        self.post("/customdomain/delete/zone", body, Prefer="wait=0")
        self.run_a_minute()
        job = self.newest()
        self.assertEqual((job.kind, job.alive), ("dns.delete_zone", True))
        return job

    def run_a_minute(self) -> None:
        """What waits for ISPConfig would be called for ever."""
        clock = MovedClock()
        run_until_idle(clock, until=clock.now() + timedelta(minutes=1))

    def again(self, job: Job, left: Iterable[Job] = ()) -> Job:
        """It is offered, once, ends well, and nothing but what is named is left on the board."""
        self.assertContains(self.client.get(f"/admin/jobs/job/{job.pk}/change/"), "/act/ask_again/")
        answer = self.press(job)
        new = self.newest()
        self.assertNotEqual(new.pk, job.pk)
        self.assertEqual(answer["Location"], f"/admin/jobs/job/{new.pk}/change/")
        self.assertFalse(self.offered(job))
        self.run_jobs()
        new.refresh_from_db()
        self.assertEqual((new.kind, new.state, new.actor), (job.kind, Job.State.SUCCEEDED, "staff olga"))
        self.assertEqual(new.data, job.data)
        self.assertEqual(audit.Entry.objects.get(job_id=new.pk, act=job.kind).reason, "denied by mistake")
        self.assertEqual(troubles.unsettled(), list(left))
        self.assertFalse(self.offered(job))
        self.assertFalse(self.offered(new))
        return new

    def not_again(self, job: Job) -> str:
        """The sentence that refuses it; no job was made."""
        before = Job.objects.count()
        answer = self.press(job)
        self.assertEqual(answer["Location"], f"/admin/jobs/job/{job.pk}/change/")
        self.assertEqual(Job.objects.count(), before)
        *_, message = get_messages(answer.wsgi_request)  # those before it were not shown yet
        return str(message)

    def in_zone(self) -> dict[str, dict]:
        """The text records of the zone by their id."""
        records = self.zone("example.com")["records"]
        return {id: record for id, record in records.items() if record["type"] == "TXT"}


class ZoneTests(AgainCase):
    def failed(self) -> Job:
        self.delegate("example.com")
        return self.fails("add/zone", "dns_a_add", domain="example.com", email="jane@example.net")

    def test_a_zone_that_was_undone_is_made_under_a_row_of_its_own(self) -> None:
        job = self.failed()
        new = self.again(job)
        self.assertNotEqual(new.subject, job.subject)
        self.assertEqual(said(self.zone("example.com")), set(DEFAULTS))
        self.assertEqual(Customer.objects.get().email, "jane@example.net")
        states = list(Zone.objects.order_by("pk").values_list("state", flat=True))
        self.assertEqual(states, [Zone.State.FAILED, Zone.State.ACTIVE])

    def test_one_that_fails_again_is_asked_for_at_its_latest(self) -> None:
        first = self.failed()
        self.denied.add("dns_a_add")
        self.press(first)
        self.run_jobs()
        self.denied.clear()
        second = self.newest()
        self.assertEqual(troubles.unsettled(), [second])
        self.assertEqual(self.not_again(first), steering.NOT_NOW)
        self.again(second)

    def test_not_once_the_customer_has_added_it_himself(self) -> None:
        job = self.failed()
        self.done("add/zone", domain="example.com")
        self.assertEqual(troubles.unsettled(), [])
        self.assertEqual(self.not_again(job), steering.NOT_NOW)
        self.done("delete/zone", domain="example.com")
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_not_once_it_is_somebody_elses_which_settles_nothing(self) -> None:
        job = self.failed()
        self.done("add/zone", user=43, domain="example.com")
        self.assertEqual(self.not_again(job), steering.NOT_NOW)
        self.assertEqual(troubles.unsettled(), [job])
        self.done("delete/zone", user=43, domain="example.com")
        self.again(job)

    def test_the_guards_decide_as_they_did_for_the_customer(self) -> None:
        job = self.failed()
        self.delegate("example.com", servers=["ns1.elsewhere.net"])
        self.assertIn("ns1.elsewhere.net", self.not_again(job))
        self.delegate("example.com")
        with mock.patch.object(services, "MOST_ZONES", 0):
            self.assertIn("0 zones", self.not_again(job))
        self.add_zone("shop.example.com", user=43)
        self.assertEqual(self.not_again(job), NameTaken().sentence)
        self.assertEqual(Zone.objects.exclude(state=Zone.State.FAILED).count(), 1)

    def test_ispconfig_being_away_is_said(self) -> None:
        job = self.failed()
        self.fault("ispconfig", "refuse", count=50)
        self.assertIn("ISPConfig", self.not_again(job))
        self.clear_faults()
        self.again(job)

    def test_a_repair(self) -> None:
        self.add_zone("example.com")
        zone = Zone.objects.get()
        ispconfig().set_zone_active(zone.ispconfig_id, False, next_serial(0))
        self.denied.add("dns_zone_update")
        services.repair_zone(zone)
        self.run_jobs()
        self.denied.clear()
        self.again(self.newest())
        self.assertEqual(self.in_panel("example.com")["active"], "Y")

    def test_a_deletion_never_fails(self) -> None:
        self.add_zone("example.com")
        self.denied.add("dns_zone_delete")
        job = self.goes_on()
        self.denied.clear()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_a_deletion_goes_on_without_what_it_is_kept_from(self) -> None:
        self.add_zone("example.com")
        self.denied.update({"dns_zone_update", "dns_a_delete"})
        job = self.goes_on()
        for step in ("unpublished", "emptied"):
            self.assertEqual(job.steps.get(name=step).state, "waiting")
            path = f"/admin/jobs/job/{job.pk}/act/skip/"
            self.client.post(path, {"step": step, "reason": "the panel refuses it for good"})
            self.run_a_minute()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)
        self.assertIn("The zone is served until it is deleted.", job.warning)
        self.assertIsNone(self.in_panel("example.com"))
        self.assertEqual(self.zones(), {})
        self.assertEqual(Zone.objects.get().state, Zone.State.DELETED)


class RecordTests(AgainCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone("example.com")["id"]

    def add(self) -> str:
        self.done("add/record", zone_id=self.zone_id, **RECORD)
        (id,) = self.in_zone()
        return id

    def failed_add(self) -> Job:
        return self.fails("add/record", "dns_txt_add", zone_id=self.zone_id, **RECORD)

    def test_one_that_was_to_be_added(self) -> None:
        self.again(self.failed_add())
        (record,) = self.in_zone().values()
        self.assertEqual((record["name"], record["data"]), ("shop.example.com.", RECORD["txt"]))

    def test_one_of_each_type_says_what_was_asked_for(self) -> None:
        types = {"a": "proxysrv", "aaaa": "2001:DB8::1", "cname": "@", "mx": "10 mail", "ns": "ns1.x.net"}
        for number, (type, content) in enumerate(types.items()):
            with self.subTest(type=type):
                record = {"type": type, "name": f"n{number}", "content": content, "ttl": 600}
                before = said(self.zone("example.com"))
                self.again(self.fails("add/record", f"dns_{type}_add", zone_id=self.zone_id, **record))
                (made,) = said(self.zone("example.com")) - before
                self.done("add/record", zone_id=self.zone_id, **{**record, "name": f"m{number}"})
                (other,) = {s for s in said(self.zone("example.com")) - before if s != made}
                self.assertEqual((made[0], made[2]), (other[0], other[2]))

    def test_one_that_was_to_be_changed(self) -> None:
        id = self.add()
        changed = {**RECORD, "txt": "new"}
        self.again(self.fails("update/record", "dns_txt_update", zone_id=self.zone_id, rc_id=id, **changed))
        self.assertEqual({key: r["data"] for key, r in self.in_zone().items()}, {id: "new"})

    def test_one_that_was_to_be_deleted(self) -> None:
        id = self.add()
        self.again(self.fails("delete/record", "dns_a_delete", zone_id=self.zone_id, rc_id=id))
        self.assertEqual(self.in_zone(), {})

    def test_each_of_many_by_itself(self) -> None:
        """A function was denied for a while: what else was done in the zone makes up for none of them."""
        texts = ("one", "two", "three")
        jobs = [
            self.fails("add/record", "dns_txt_add", zone_id=self.zone_id, **{**RECORD, "txt": text})
            for text in texts
        ]
        self.done("add/record", zone_id=self.zone_id, type="a", name="x", ttl=60, ip="192.0.2.1")
        self.assertEqual(troubles.unsettled(), jobs[::-1])
        self.again(jobs[0], left=[jobs[2], jobs[1]])
        self.done("add/record", zone_id=self.zone_id, **{**RECORD, "txt": "two", "ttl": 120})
        self.assertEqual(self.not_again(jobs[1]), steering.NOT_NOW)
        self.assertEqual(troubles.unsettled(), [jobs[2]])
        self.again(jobs[2])
        self.assertEqual({record["data"] for record in self.in_zone().values()}, set(texts))

    def test_not_once_the_customer_wants_the_record_otherwise(self) -> None:
        id = self.add()
        old = self.fails("delete/record", "dns_a_delete", zone_id=self.zone_id, rc_id=id)
        self.done("update/record", zone_id=self.zone_id, rc_id=id, **{**RECORD, "txt": "kept after all"})
        self.assertEqual(troubles.unsettled(), [])
        self.assertEqual(self.not_again(old), steering.NOT_NOW)

    def test_not_in_a_zone_that_goes_or_is_gone(self) -> None:
        job = self.failed_add()
        self.denied.add("dns_zone_delete")
        self.goes_on()
        self.assertEqual(self.not_again(job), steering.NOT_NOW)
        self.assertEqual(troubles.unsettled(), [])
        self.denied.clear()
        self.run_jobs()
        self.assertEqual(self.not_again(job), steering.NOT_NOW)
        self.assertEqual(troubles.unsettled(), [])
        self.add_zone("example.com")
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_what_the_rules_refuse_by_now_is_refused_in_their_words(self) -> None:
        job = self.failed_add()
        entry = Entry(**job.data["entry"])  # somebody has added the same in the panel
        client = Customer.objects.get().client_id
        ispconfig().create_record(client, int(self.zone_id), **entry.stored("example.com."))
        self.assertEqual(self.not_again(job), RecordExists().sentence)
        self.assertEqual(len(self.in_zone()), 1)

    def test_of_what_is_gone_nothing_is_changed(self) -> None:
        id = self.add()
        values = {**RECORD, "txt": "new"}
        job = self.fails("update/record", "dns_txt_update", zone_id=self.zone_id, rc_id=id, **values)
        ispconfig().delete_record(int(id))  # in the panel
        self.assertEqual(self.not_again(job), UnknownRecord().sentence)

    def test_not_while_the_zone_is_another_clients_in_the_panel(self) -> None:
        job = self.failed_add()
        Customer.objects.update(client_id=99, group_id=99)
        self.assertEqual(self.not_again(job), UnknownZone().sentence)

    def test_what_ended_well_or_goes_on_is_not_asked_for(self) -> None:
        self.add()
        self.assertEqual(self.not_again(self.newest()), steering.NOT_NOW)
        zone = Zone.objects.get()
        job = services.repair_zone(zone)
        self.assertEqual(self.not_again(job), steering.NOT_NOW)

    def test_what_staff_took_back_can_be_asked_for(self) -> None:
        id = self.add()
        job = services.delete_record("42", int(self.zone_id), int(id))
        queue.cancel(job.subject)
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.CANCELLED)
        self.again(job)
        self.assertEqual(self.in_zone(), {})

    def test_support_sees_it_and_cannot(self) -> None:
        job = self.failed_add()
        self.client.force_login(make_staff("sam", "support"))
        page = self.client.get(f"/admin/jobs/job/{job.pk}/change/")
        self.assertEqual(page.status_code, 200)
        self.assertNotContains(page, "/act/ask_again/")
        before = Job.objects.count()
        self.assertEqual(self.press(job).status_code, 403)
        self.assertEqual(Job.objects.count(), before)
