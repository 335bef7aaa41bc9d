"""A domain is looked at for life: one that leads elsewhere for too long is not the site's name any more, and
comes back by itself."""

from datetime import datetime, timedelta

from django.core import mail
from django.test import override_settings
from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from nodepoint.notices.models import Notice
from sites import domain_watch
from sites.models import CustomDomain, Site
from tests.base import on_one_database
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.sites.domains import SHOP, DomainMixin, DomainTestCase

OWN = "janedoe.nodepoint.eu"
OTHER = "other.example.net"
STRANGER = "198.51.100.77"
STAFF = ["staff@example.com"]


class LooksMixin:
    """Hours that pass, with a look in each."""

    now: datetime

    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()

    def hours(self, count: int) -> None:
        """One look at the end of each."""
        for _ in range(count):
            self.now += timedelta(hours=1, minutes=1)
            domain_watch.look(self.now)

    def row(self, name: str = SHOP) -> CustomDomain:
        return CustomDomain.objects.get(domain=name)

    def assert_status(self, status: str, name: str = SHOP) -> None:
        row = self.row(name)
        self.assertEqual((row.status, row.lapsed_at is not None), (status, status == "failed"), vars(row))


@override_settings(STAFF_EMAIL=STAFF)
@on_one_database
class LapsedDomainTests(LooksMixin, ActsMixin, DomainTestCase):
    """Whole lives, with everything that follows."""

    def inside(self) -> str:
        with self.lab.lock:
            return self.lab.guest._guests[900]["files"]["/etc/wordpress-primary-domain"].strip()

    def login_name(self) -> str:
        return self.act("/action/login").json()["url"].split("/")[2]

    def details(self) -> dict:
        (details,) = self.domains()["details"]
        return details

    def assert_primary(self, name: str) -> None:
        self.assertEqual((self.inside(), self.get("/status?service_id=1001").json()["primary"]), (name, name))

    def test_a_lapsed_domain_does_not_take_the_site_along_and_comes_back(self):
        self.add()
        mail.outbox.clear()
        self.assert_primary(SHOP)
        self.point(SHOP, STRANGER)
        self.assertEqual(self.login_name(), OWN, "no token for a stranger, from the first moment")
        self.assertIn(STRANGER, self.details()["problem"])
        self.hours(6)
        self.run_jobs()
        self.assert_status("active")
        self.assert_primary(SHOP)
        self.hours(1)
        self.run_jobs()
        details = self.details()
        self.assertEqual((details["status"], details["primary"]), ("failed", False))
        self.assertIn("has not led here since", details["error"])
        self.assertIn(STRANGER, details["problem"])
        self.assert_primary(OWN)
        self.assertEqual(self.login_name(), OWN)
        self.assertTrue(self.served(), "its host waits for it")
        customer, staff = sorted(mail.outbox, key=lambda message: message.to == STAFF)
        self.assertEqual((customer.to, staff.to), (["Jane.Doe@example.com"], STAFF))
        self.assertIn(f"https://{OWN}", customer.body)
        self.assertIn(STRANGER, customer.body)
        self.assertIn("1001", staff.subject)
        self.hours(8)
        self.run_jobs()
        self.assertEqual(len(mail.outbox), 2, "told once")
        self.point()
        before = self.orders()
        self.hours(1)
        self.run_jobs()
        details = self.details()
        self.assertEqual(
            (
                details["status"],
                details["certificate"],
                details["error"],
                details["problem"],
                details["primary"],
            ),
            ("active", "active", None, None, True),
        )
        self.assert_primary(SHOP)
        self.assertEqual((self.orders(), len(mail.outbox)), (before, 3), "the same certificate")
        self.assertIn(f"{SHOP} leads to your WordPress site", mail.outbox[2].subject)
        self.assertEqual(
            list(Entry.objects.filter(act__startswith="sites.domain_").values_list("act", flat=True)),
            ["sites.domain_came_back", "sites.domain_lapsed"],
        )

    def test_another_domain_takes_its_place_and_a_chosen_name_gets_it_back(self):
        self.add()
        self.add(OTHER)
        self.assertEqual(self.act("/action/primary", domain=OTHER).json()["primary"], OTHER)
        self.assert_primary(OTHER)
        self.lab.dns.set(OTHER, "A", [])
        self.hours(8)
        self.run_jobs()
        self.assert_status("failed", OTHER)
        self.assert_primary(SHOP)
        self.point(OTHER)
        self.hours(1)
        self.run_jobs()
        self.assert_primary(OTHER)

    def test_a_certificate_that_ended_meanwhile_is_ordered_anew(self):
        self.add()
        self.point(SHOP, STRANGER)
        self.hours(8)
        self.run_jobs()
        (old,) = self.certificates_of()
        with self.lab.lock:
            self.lab.npm.state.certificates._rows[old]["expires_on"] = "2020-01-01 00:00:00"
        self.point()
        self.hours(1)
        self.assertEqual(self.details()["certificate"], "pending")
        self.run_jobs()
        self.assertEqual((self.details()["certificate"], self.details()["primary"]), ("active", True))
        self.assertEqual(self.host_of()["certificate_id"], max(self.certificates_of()))
        self.assertGreater(max(self.certificates_of()), old)
        self.del_domain()
        self.run_jobs()
        self.assertEqual(self.certificates_of(), [], "the old one too")

    def test_while_it_is_lapsed_it_can_be_removed_or_asked_for_again(self):
        self.add()
        self.point(SHOP, STRANGER)
        self.hours(8)
        self.run_jobs()
        self.assertIn(STRANGER, self.assert_refused(self.set_domain(), 400, "validation")["error"])
        self.point()
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)
        self.hours(1)  # a look in the middle of it
        self.run_jobs()
        self.assert_status("active")
        self.assert_primary(SHOP)
        self.point(SHOP, STRANGER)
        self.hours(8)
        self.run_jobs()
        self.del_domain()
        self.point()
        self.hours(1)
        self.run_jobs()
        self.assertFalse(CustomDomain.objects.exists())
        self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []))
        self.assert_primary(OWN)

    def test_a_suspended_site_is_told_when_it_is_started(self):
        self.add()
        self.act("/suspend")
        self.point(SHOP, STRANGER)
        self.hours(8)
        self.run_jobs()
        self.assert_status("failed")
        self.assertEqual(self.inside(), SHOP)
        self.act("/unsuspend")
        self.run_jobs()
        self.assert_primary(OWN)


class EvidenceTests(LooksMixin, DomainMixin, SiteTestCase):
    """What counts as evidence: a site by its row alone."""

    def setUp(self) -> None:
        super().setUp()
        self.site = SiteFactory(service_id="1001", subdomain="janedoe", serves_as=SHOP)
        self.point(OWN)
        self.point(SHOP, STRANGER)
        self.domain = self.hold()

    def hold(self, name: str = SHOP, **values) -> CustomDomain:
        values = {"site": self.site, "status": "active", "certificate": "active", **values}
        return CustomDomain.objects.create(domain=name, **values)

    def test_no_answer_counts_for_nothing_and_takes_nothing_back(self):
        self.hours(2)
        self.fault("dns", "error", "", count=10_000)
        self.hours(24)
        self.assert_status("active")
        self.clear_faults()
        self.hours(1)
        self.assert_status("failed")
        self.fault("dns", "error", "", count=10_000)
        self.hours(3)
        self.assert_status("failed")

    def test_looks_that_were_missed_are_none(self):
        self.hours(1)
        self.now += timedelta(hours=30)
        domain_watch.look(self.now)
        self.assert_status("active")
        self.hours(1)
        self.assert_status("failed")

    def test_one_good_look_begins_the_count_anew(self):
        self.hours(6)
        self.point()
        self.hours(1)
        self.point(SHOP, STRANGER)
        self.hours(6)
        self.assert_status("active")
        self.assertEqual(self.row().astray_looks, 6)

    def test_resolvers_that_do_not_know_the_platforms_own_name_are_not_believed(self):
        self.point(OWN, STRANGER)
        self.hours(10)
        self.assertEqual((self.row().status, self.row().astray_looks), ("active", 0))

    def test_one_behind_a_cdn_stands_while_its_record_stands(self):
        CustomDomain.objects.update(proven=True)
        proof = domain_watch.belonging.proof(self.site, SHOP)
        self.lab.dns.set(proof.name, "TXT", [proof.value])
        self.hours(8)
        self.assert_status("active")
        self.fault("dns", "error", "TXT", count=10_000)
        self.lab.dns.set(proof.name, "TXT", [])
        self.hours(8)
        self.assert_status("active")
        self.clear_faults()
        self.hours(7)
        self.assert_status("failed")

    def test_a_site_that_goes_away_or_a_job_about_the_domain_is_left_alone(self):
        self.hours(6)
        job = Job.objects.create(
            subject=self.site.key, kind="sites.remove_domain", data={"domain": SHOP}, state="running"
        )
        self.hours(1)
        self.assert_status("active")
        job.delete()
        Site.objects.update(deletion_requested_at=timezone.now())
        self.hours(1)
        self.assert_status("active")
        Site.objects.update(deletion_requested_at=None)
        self.hours(1)
        self.assert_status("failed")

    def test_one_that_was_never_set_up_is_not_looked_at(self):
        CustomDomain.objects.update(status="failed")
        self.assertEqual(domain_watch.look(self.now), 0)

    def test_it_is_told_once_a_day_though_it_comes_and_goes(self):
        noon = self.now.replace(hour=12)
        for _ in range(2):
            self.now = noon
            CustomDomain.objects.update(status="active", lapsed_at=None, astray_since=None, looked_at=None)
            self.hours(7)
            self.assert_status("failed")
        self.assertEqual(Notice.objects.filter(kind="notices.domain_lapsed").count(), 1)

    def test_a_letter_about_what_is_over_is_not_sent(self):
        self.hours(7)
        CustomDomain.objects.update(status="active", lapsed_at=None)
        self.run_jobs()
        self.assertEqual(mail.outbox, [])

    def test_many_domains_are_shared_out_over_the_hour(self):
        CustomDomain.objects.bulk_create(
            CustomDomain(site=self.site, domain=f"d{n}.example.com", status="active") for n in range(1199)
        )
        first = domain_watch.due(self.now)
        self.assertEqual(len(first), 30, "one and a half times what an even share is")
        CustomDomain.objects.update(looked_at=self.now - timedelta(minutes=59))
        self.assertEqual(domain_watch.due(self.now), [])
        longest = CustomDomain.objects.get(domain="d7.example.com")
        CustomDomain.objects.filter(pk=longest.pk).update(looked_at=self.now - timedelta(hours=2))
        self.assertEqual(domain_watch.due(self.now), [longest])
        with self.assertNumQueries(2):
            domain_watch.due(self.now)


@on_one_database
class ChosenNameTests(ActsMixin, DomainTestCase):
    """POST /action/primary."""

    def choose(self, name: str, **more):
        return self.act("/action/primary", domain=name, **more)

    def test_each_name_of_the_site_can_be_chosen(self):
        self.add()
        self.add(OTHER)
        for name in (OTHER, OWN, SHOP):
            answer = self.choose(name)
            self.assert_answer(answer, primary=name)
            self.assertEqual(Site.objects.get().serves_as, name)
            self.assertEqual(
                [d["domain"] for d in self.domains()["details"] if d["primary"]], [name][: name != OWN]
            )
        before = self.count("ssh", "bash -s install")
        self.assert_answer(self.choose(" Shop.Example.COM. "), primary=SHOP)
        self.assertEqual(self.count("ssh", "bash -s install"), before, "nothing to be done")
        self.choose(OTHER)
        self.del_domain(OTHER)
        self.run_jobs()
        self.assertEqual(Site.objects.get().serves_as, SHOP)

    def test_what_is_refused(self):
        self.add()
        self.assert_refused(self.choose("www.stranger.example"), 404, "not_found")
        self.assert_refused(self.choose("no name"), 400, "validation")
        CustomDomain.objects.create(site=self.site, domain=OTHER, status="active", certificate="pending")
        self.assertIn(OTHER, self.assert_refused(self.choose(OTHER), 409, "wrong_state")["error"])
        self.point(SHOP, STRANGER)
        self.assertIn(STRANGER, self.assert_refused(self.choose(SHOP), 400, "validation")["error"])
        self.fault("dns", "error", f"QUERY {SHOP}", count=20)
        self.assertIn("no answer", self.assert_refused(self.choose(SHOP), 400, "validation")["error"])
        self.clear_faults()
        self.point()
        self.ask("/action/mkbak")
        self.assert_refused(self.choose(SHOP), 409, "busy")
        self.run_jobs()
        self.act("/suspend")
        self.assert_refused(self.choose(SHOP), 401, "service_suspended")
        self.assertEqual(Site.objects.get().chosen_name, "")

    def test_a_stopped_site_is_told_when_it_starts(self):
        self.add()
        self.act("/action/stop")
        self.assert_answer(self.choose(OWN), primary=OWN)
        self.assertEqual(Site.objects.get().serves_as, SHOP)
        self.act("/action/start")
        self.assertEqual(Site.objects.get().serves_as, OWN)
