"""Two clients at the same moment: exactly one wins, the quota holds."""

import time

from django.test import Client

from dns.models import Zone
from nodepoint.jobs import engine
from nodepoint.jobs.models import Job
from sites.models import CustomDomain, MovedDomain
from tests.factories import SiteFactory
from tests.sites.base import SiteTransactionTestCase, at_once
from tests.sites.domains import SHOP, DomainMixin


class AtOnceTests(DomainMixin, SiteTransactionTestCase):
    def ask(self, path: str, service_id: str, **body):
        """A call from a thread that waits for no job."""
        headers = self.headers(Prefer="wait=0")
        body = {"service_id": service_id, **body}
        return lambda: Client().post(path, body, content_type="application/json", headers=headers)

    def codes(self, answers) -> list[tuple[int, str]]:
        return sorted((answer.status_code, answer.json().get("code", "")) for answer in answers)

    def test_one_name_for_two_sites(self):
        for service_id in ("1001", "1002"):
            self.live_site(service_id=service_id, email=f"{service_id}@example.com")
        self.point()
        answers = at_once([self.ask("/action/setdomain", one, domain=SHOP) for one in ("1001", "1002")] * 2)
        found = self.codes(answers)
        self.assertEqual([status for status, _ in found], [200, 409, 409, 409], found)
        self.assertEqual(CustomDomain.objects.count(), 1)
        self.assertEqual(Job.objects.filter(kind="sites.add_domain").count(), 1)
        self.run_jobs()
        self.assertEqual(len(self.hosts_of()), 1)

    def test_two_who_have_shown_that_it_is_theirs_and_each_twice(self):
        CustomDomain.objects.create(site=SiteFactory(user_id="9"), domain=SHOP, status="active")
        sites = {}
        for service_id in ("1001", "1002"):
            sites[service_id] = self.live_site(
                service_id=service_id, email=f"{service_id}@example.com", user_id=service_id
            )
        self.point()
        asked = [self.set_domain(service_id=one).json()["verification"] for one in sites]
        self.lab.dns.set(asked[0]["name"], "TXT", [one["value"] for one in asked])
        answers = at_once([self.ask("/action/setdomain", one, domain=SHOP) for one in sites] * 2)
        self.assertEqual(self.codes(answers), [(200, ""), (200, ""), (409, "busy"), (409, "busy")])
        self.assertEqual(CustomDomain.objects.get().site.user_id, "9")
        at_once([self.work_off] * 3)
        self.run_jobs()
        row = CustomDomain.objects.get()
        self.assertIn(row.site.service_id, sites)
        self.assertEqual(self.host_of()["forward_host"], row.site.private_ip)
        self.assertEqual((row.status, MovedDomain.objects.count()), ("active", 0))

    def work_off(self) -> None:
        """Call steps as a runner does, until both additions are over or wait for something."""
        clock, until = engine.WallClock(), time.monotonic() + 3
        adding = Job.objects.filter(kind="sites.add_domain", state__in=Job.ALIVE)
        while time.monotonic() < until and adding.exists():
            for claim in engine.claim_due(clock.now(), 1):
                engine.execute(claim, clock)
            time.sleep(0.01)

    def test_a_domain_and_a_zone_of_another_customer(self):
        """Both may be accepted; their jobs look again, and one of them gives way."""
        self.live_site(user_id="7")
        name = "example.com"
        self.point(name)
        self.lab.dns.set(name, "NS", ["ns1.nodepoint.eu", "ns2.nodepoint.eu"])
        headers = self.headers(Prefer="wait=0", Accept="application/json")

        def zone():
            body = {"user_id": 8, "domain": name}
            return Client().post(
                "/customdomain/add/zone", body, content_type="application/json", headers=headers
            )

        answers = at_once([self.ask("/action/setdomain", "1001", domain=name), zone])
        self.assertIn(200, [answer.status_code for answer in answers])
        self.run_jobs()
        served = CustomDomain.objects.filter(domain=name, status="active").exists()
        zoned = Zone.objects.filter(name_key=name, state="active").exists()
        self.assertEqual(served + zoned, 1, (served, zoned))
        if served:
            self.assertEqual(self.state()["ispconfig"]["zones"], [])

    def test_many_names_for_one_site_with_one_place_left(self):
        site = self.live_site()
        site.domain_quota = 1
        site.save()
        names = [f"shop{number}.example.com" for number in range(4)]
        for name in names:
            self.point(name)
        answers = at_once([self.ask("/action/setdomain", "1001", domain=name) for name in names])
        found = self.codes(answers)
        self.assertEqual([status for status, _ in found].count(200), 1, found)
        # Two calls of a service may wait for DNS at once; further ones are told to come again.
        self.assertLessEqual({code for _, code in found}, {"", "busy", "quota_exceeded", "rate_limited"})
        self.run_jobs()
        self.assertEqual(CustomDomain.objects.count(), 1)
        self.assertEqual(self.domains()["quota"], {"used": 1, "allowed": 1, "remaining": 0})

    def test_removing_one_twice(self):
        self.live_site()
        self.add()
        answers = at_once([self.ask("/action/deldomain", "1001", domain=SHOP)] * 3)
        self.assertEqual(self.codes(answers), [(200, ""), (409, "busy"), (409, "busy")])
        self.run_jobs()
        self.assertFalse(CustomDomain.objects.exists())

    def test_adding_one_while_the_site_is_deleted(self):
        site = self.live_site()
        self.point()
        calls = [self.ask("/action/setdomain", "1001", domain=SHOP), self.ask("/delete-site", "1001")]
        answers = {answer.request["PATH_INFO"]: answer for answer in at_once(calls)}
        self.assertEqual(answers["/delete-site"].status_code, 200)
        self.assertIn(answers["/action/setdomain"].status_code, (200, 409))
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "deleted", self.tale(site))
        self.assertEqual(self.hosts_of(), [])
        self.assertFalse(CustomDomain.objects.exists())

    def test_toggling_twice(self):
        site = self.live_site()
        answers = at_once([self.ask("/action/toggle", "1001")] * 3)
        self.assertEqual(self.codes(answers), [(200, ""), (409, "busy"), (409, "busy")])
        self.run_jobs()
        site.refresh_from_db()
        self.assertFalse(site.proxy_enabled)
