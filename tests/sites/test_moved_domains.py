"""POST /action/setdomain of a name that stands for another site: it moves to who shows that it is his."""

import time
from contextlib import suppress
from datetime import timedelta
from itertools import cycle

from django.core import mail
from django.test import override_settings

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job, JobStep
from sites.connections import npm
from sites.models import CustomDomain, MovedDomain, ReleasedDomain, Site
from tests.sites import test_crashes
from tests.sites.domains import SHOP, DomainTestCase
from tests.sites.faults import HOSTS, PASSING


class MoveCase(DomainTestCase):
    """Two live sites of two customers; the first has the domain, with a certificate, and goes by it."""

    def setUp(self) -> None:
        super().setUp()
        self.other = self.live_site(service_id="1002", email="other@example.com", user_id="8")
        mail.outbox.clear()

    def make_site(self) -> Site:
        return self.live_site(user_id="7")

    def claim(self, service_id: str = "1002"):
        """The other site asks for it, with the record that its refusal names."""
        self.point()
        self.lab.dns.set(f"_nodepoint.{SHOP}", "TXT", [])
        refusal = self.set_domain(service_id=service_id)
        body = self.assert_refused(refusal, 409, "taken", f"_nodepoint.{SHOP}")
        self.assertEqual(body["verification"]["name"], f"_nodepoint.{SHOP}")
        self.prove(refusal)
        return self.set_domain(service_id=service_id, Prefer="wait=0")

    def assert_has_it(self, site: Site, certificate: str = "active") -> None:
        """It stands for this site, and one host leads there."""
        row = CustomDomain.objects.get(domain=SHOP)
        self.assertEqual((row.site_id, row.status, row.certificate), (site.pk, "active", certificate))
        host = self.host_of()
        self.assertEqual((host["forward_host"], host["enabled"]), (site.private_ip, True))
        self.assertEqual(host["meta"]["nodepoint"], site.owner_mark)
        self.assertEqual([host["certificate_id"]], self.certificates_of())
        self.assertTrue(self.served() and host["ssl_forced"])
        self.assertFalse(MovedDomain.objects.exists())
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists(), self.tale(site))

    def job_of(self, site: Site) -> Job:
        return Job.objects.filter(subject=site.key, kind="sites.add_domain").order_by("-created_at").first()


class MoveTests(MoveCase):
    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_it_moves_with_host_and_certificate_and_both_sites_go_by_their_names(self):
        self.add()
        self.site.refresh_from_db()
        self.assertEqual(self.site.serves_as, SHOP)
        before, orders = self.host_of(), self.orders()
        answer = self.claim().json()
        self.assertEqual((answer["domain"], answer["status"], answer["count"]), (SHOP, "pending", 2))
        self.assertNotIn("1001", str(answer))
        self.assertEqual(
            CustomDomain.objects.get(domain=SHOP).site_id, self.site.pk, "until it was looked at"
        )
        self.run_jobs()
        self.assert_has_it(self.other)
        self.assertEqual(self.host_of()["id"], before["id"], "visitors see no gap")
        self.assertEqual((self.certificates_of(), self.orders()), ([before["certificate_id"]], orders))
        for site, name in ((self.site, self.site.hostname), (self.other, SHOP)):
            site.refresh_from_db()
            self.assertEqual(site.serves_as, name, self.tale(site))
        self.assertEqual(self.domains()["quota"], {"used": 0, "allowed": 3, "remaining": 3})
        self.assertEqual(self.domains("1002")["details"][0]["primary"], True)
        self.assert_told()
        with self.subTest("and back, whoever shows it last"):
            self.assertEqual(self.claim("1001").status_code, 200)
            self.run_jobs()
            self.assert_has_it(self.site)

    def assert_told(self) -> None:
        ready = f"{SHOP} leads to your WordPress site"
        told = [message for message in mail.outbox if message.subject != ready]
        letters = {message.to[0]: message for message in told}
        self.assertEqual(len(told), 2, letters)
        owner, staff = letters[self.site.email], letters["staff@example.com"]
        self.assertEqual(owner.subject, f"{SHOP} was moved away from {self.site.hostname}")
        self.assertNotIn("1002", owner.subject + owner.body)
        self.assertNotIn(self.other.hostname, owner.body)
        self.assertEqual(staff.subject, f"[NodePoint] {SHOP} was moved: 1001 to 1002")
        entry = Entry.objects.get(act="sites.domain_moved")
        self.assertEqual((entry.subject, entry.label), (self.site.key, "1001"))
        self.assertEqual(entry.after, {"domain": SHOP, "service_id": "1002"})


class TroubleTests(MoveCase):
    BORDERS = test_crashes.CrashTests.BORDERS

    def away(self, service_id: str) -> None:
        """The site has shown that it is his, and Nginx Proxy Manager is away until its job is given up."""
        self.assertEqual(self.claim(service_id).status_code, 200)
        self.fault("npm", "refuse", "", 100_000)
        self.run_jobs()
        self.clear_faults()
        site = Site.objects.get(live_key=service_id)
        self.assertEqual(self.job_of(site).state, "rolled_back", self.tale(site))
        (details,) = self.domains(service_id)["details"]
        self.assertEqual((details["status"], details["error"]), ("failed", self.job_of(site).error))

    def test_what_is_not_shown_any_more_changes_nothing(self):
        self.add()
        self.claim()
        self.lab.dns.set(f"_nodepoint.{SHOP}", "TXT", [])
        self.run_jobs()
        self.assert_has_it(self.site)
        job = self.job_of(self.other)
        self.assertEqual((job.state, job.callers_fault), ("rolled_back", True))
        self.assertIn("was not shown to be yours", job.error)
        self.assertEqual(self.domains("1002")["domains"], [])
        self.assertFalse([message for message in mail.outbox if "moved" in message.subject])
        with self.subTest("silence is waited for, and so is a name server that comes back"):
            self.claim()
            self.fault("dns", "error", f"QUERY _nodepoint.{SHOP} TXT", count=4)
            self.run_jobs()
            self.assert_has_it(self.other)

    def test_nginx_proxy_manager_is_away(self):
        self.add()
        self.away("1002")
        self.assertEqual(self.domains()["domains"], [], "it was shown to be another's")
        self.set_domain(service_id="1002", Prefer="wait=0")
        self.run_jobs()
        self.assert_has_it(self.other)
        with self.subTest("then it is removed: no host is left that leads to the former site"):
            self.away("1001")
            self.del_domain()
            self.run_jobs()
            self.assertEqual((self.hosts_of(), MovedDomain.objects.count()), ([], 0))
        with self.subTest("then the former site is deleted: its address is given to somebody else"):
            self.add()
            self.away("1002")
            self.delete()
            self.run_jobs()
            self.site.refresh_from_db()
            self.assertEqual((self.site.state, self.hosts_of()), ("deleted", []), self.tale(self.site))
            self.set_domain(service_id="1002", Prefer="wait=0")
            self.run_jobs()
            self.assert_has_it(self.other)

    def test_a_call_that_fails_once_and_a_worker_that_dies(self):
        self.add()
        claimants = cycle((self.other, self.site))
        for kind in PASSING:
            with self.subTest(kind):
                site = next(claimants)
                self.claim(site.service_id)
                for match in (f"GET {HOSTS}", f"PUT {HOSTS}"):
                    self.fault("npm", kind, match, seconds=0.02)
                self.run_jobs()
                self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                self.assert_has_it(site)
        for border in self.BORDERS:
            with self.subTest(border):
                site = next(claimants)
                self.claim(site.service_id)
                killed: set[str] = set()
                with test_crashes.CrashTests._killing(self, border, killed):
                    while Job.objects.filter(state__in=Job.ALIVE).exists():
                        with suppress(test_crashes.Killed):
                            self.run_jobs()
                self.assertLessEqual({"proven", "proxy_host", "certificate_wished"}, killed)
                self.assert_has_it(site)
        self.assertEqual(self.count("npm", f"POST {HOSTS}"), 1 + 1, "its own and the domain's, never again")


class FormerSiteAtWorkTests(MoveCase):
    def assert_moves(self) -> None:
        self.claim()
        self.run_jobs()
        self.assert_has_it(self.other)

    def give_back(self) -> None:
        """As if it had never been anybody's."""
        self.del_domain(service_id="1002")
        self.run_jobs()
        ReleasedDomain.objects.all().delete()
        Job.objects.filter(kind="sites.add_domain").delete()
        self.lab.npm.state.certificates._authority._issued.clear()  # five a week for one name

    def test_it_adds_or_removes_the_domain_at_that_moment(self):
        for calls in (0, 1, 3):
            with self.subTest(added=calls):
                self.accept()
                self.run_calls(calls)
                self.assert_moves()
                self.give_back()
        for calls in (1, 5, 7):
            with self.subTest(removed=calls):
                self.add()
                self.del_domain()
                self.run_calls(calls)
                self.assert_moves()
                self.give_back()

    def test_it_is_suspended_stuck_or_deleted(self):
        self.add()
        self.post("/suspend", {"service_id": "1001"}, Prefer="wait=0")
        self.run_jobs()
        self.assertFalse(self.host_of()["enabled"])
        self.assert_moves()
        self.post("/unsuspend", {"service_id": "1001"}, Prefer="wait=0")
        self.run_jobs()
        self.assert_has_it(self.other)
        self.site.refresh_from_db()
        self.assertEqual(self.site.serves_as, self.site.hostname, "told when it started")
        with self.subTest("stuck: its job is not waited for"):
            self.claim("1001")
            self.run_jobs()
            self.assert_has_it(self.site)
            self.fault("proxmox", "drop_before", "", 100_000)
            self.post("/action/stop", {"service_id": "1001"}, Prefer="wait=0")
            self.run_for(5)
            self.claim()
            self.run_for(20)
            stop, moved_to = self.job(self.site, "sites.stop"), self.host_of()["forward_host"]
            self.clear_faults()
            self.run_jobs()
            self.assertEqual((stop.alive, moved_to), (True, self.other.private_ip))
            self.assert_has_it(self.other)
        with self.subTest("deleted: as far as it got"):
            self.claim("1001")
            self.run_jobs()
            self.delete()
            self.run_calls(4)
            self.assert_moves()
            self.site.refresh_from_db()
            self.assertEqual(self.site.state, "deleted", self.tale(self.site))

    def test_an_order_of_its_certificate_is_waited_for(self):
        row = self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        step = self.order_step(row)
        until = self.clock.time + timedelta(seconds=60)
        JobStep.objects.filter(pk=step.pk).update(held=True, due_at=until)  # a worker is at it
        certificates = self.lab.npm.state.certificates
        with self.lab.lock:
            order = certificates._insert({"provider": "letsencrypt", "domain_names": [SHOP]})
            certificates._runs[order["id"]] = {"id": order["id"]}
        self.claim()
        self.run_for(30)
        self.assertEqual(CustomDomain.objects.get(domain=SHOP).site_id, self.site.pk)
        self.run_for(90)
        self.assertEqual(CustomDomain.objects.get(domain=SHOP).site_id, self.other.pk, "the worker was lost")
        self.assertEqual(self.host_of()["forward_host"], self.site.private_ip, "NPM puts it back as it was")
        with self.lab.lock:
            certificates._runs.clear()
            certificates._issue(order, time.time())
        self.run_jobs()
        self.assert_has_it(self.other)


class OlderReleaseTests(MoveCase):
    """Sites, domains and proxy hosts from before customers and installations were known."""

    def test_they_are_kept_tried_anew_moved_and_removed(self):
        row = self.add()
        Site.objects.update(user_id="")
        host, old = self.host_of(), f"nodepoint:1001:{self.site.pk}"
        npm().update_proxy_host(host["id"], meta={"nodepoint": old})
        CustomDomain.objects.filter(pk=row.pk).update(certificate="failed", proven=False)
        self.add()
        self.assertEqual(self.host_of()["id"], host["id"])
        npm().update_proxy_host(host["id"], meta={"nodepoint": old})
        CustomDomain.objects.update(certificate="active")
        self.claim()
        job = self.job_of(self.other)
        Job.objects.filter(pk=job.pk).update(plan_version=1)
        self.run_jobs()
        self.assert_has_it(self.other)
        self.assertEqual(self.host_of()["id"], host["id"])
        npm().update_proxy_host(host["id"], meta={"nodepoint": f"nodepoint:1002:{self.other.pk}"})
        self.del_domain(service_id="1002")
        self.run_jobs()
        self.assertEqual((self.hosts_of(), CustomDomain.objects.count()), ([], 0))
