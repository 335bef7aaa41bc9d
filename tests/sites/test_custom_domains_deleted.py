"""Deleting a site removes all of its custom domains, whatever is being done to them."""

from nodepoint.jobs.models import Job
from sites.connections import npm
from sites.models import CustomDomain, Site
from tests.sites.domains import SHOP, DomainTestCase
from tests.sites.faults import CERTIFICATES, HOSTS

WWW = "www.example.com"


class SiteWithDomainsDeletedTests(DomainTestCase):
    """All sites are one customer's: nobody else gets a name on the day of its release."""

    def live_site(self, **changes):
        return super().live_site(user_id="7", **changes)

    def assert_deleted(self) -> None:
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED, self.tale(self.site))
        self.assert_nothing_left()
        self.assertFalse(CustomDomain.objects.exists())
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())

    def test_all_of_them(self):
        for name in (SHOP, WWW):
            self.add(name)
        self.calls.clear()
        self.delete()
        self.run_jobs()
        self.assert_deleted()
        for name in (SHOP, WWW):
            self.assertEqual((self.hosts_of(name), self.certificates_of(name)), ([], []))
        order = [what for _, what in self.calls if what.startswith("DELETE")]
        self.assertIn("/dns_records/", order[0])
        self.assertIn("/lxc/", order[-1])

    def test_at_every_moment_of_an_addition(self):
        for count in range(20):
            name = f"d{count}"
            self.site = self.live_site(service_id=name, email=f"{name}@example.com")
            self.accept(SHOP, name)
            idle = self.run_calls(count) < count
            with self.subTest(calls=count):
                self.delete(name)
                self.run_jobs()
                self.site.refresh_from_db()
                self.assertEqual(self.site.state, Site.State.DELETED, self.tale(self.site))
                self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []))
                self.assertFalse(CustomDomain.objects.exists())
                self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())
            if idle:
                break
        self.assertGreater(count, 3)
        self.assertLess(count, 19, "the last moment was not reached")

    def test_while_a_certificate_rests_between_two_tries(self):
        self.accept()
        self.point(SHOP, "198.51.100.7")
        self.run_for(60)
        self.delete()
        self.run_jobs()
        self.assert_deleted()
        self.assertEqual(Job.objects.get(kind="sites.certificate").state, "cancelled")

    def test_while_it_is_suspended(self):
        self.add()
        self.post("/suspend", {"service_id": "1001"}, Prefer="wait=0")
        self.run_jobs()
        self.delete()
        self.run_jobs()
        self.assert_deleted()

    def test_whatever_fails_for_however_long(self):
        for match in (f"DELETE {HOSTS}/2", f"GET {CERTIFICATES}", f"DELETE {CERTIFICATES}"):
            with self.subTest(match):
                self.site = self.live_site(service_id=match[:3], email=f"{len(match)}@example.com")
                domain = self.add(SHOP, match[:3])
                match = match.replace("/2", f"/{domain.proxy_host_id}")
                self.fault("npm", "refuse", match, 100_000)
                self.delete(self.site.service_id)
                self.run_for(300)
                job = self.job(self.site, "sites.terminate")
                self.assertEqual(job.state, "waiting", self.tale(self.site))
                self.assert_readable(job.steps.get(state="waiting").error)
                self.clear_faults()
                self.run_jobs()
                self.site.refresh_from_db()
                self.assertEqual(self.site.state, Site.State.DELETED, self.tale(self.site))
                self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []))

    def test_foreign_hosts_stay(self):
        CustomDomain.objects.create(site=self.site, domain=SHOP, status="failed")
        theirs = npm().create_proxy_host([SHOP], "192.168.1.77", meta={"made_by": "hand"})
        self.delete()
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED, self.tale(self.site))
        self.assertEqual(self.host_of()["id"], theirs.id)

    def test_its_names_are_free_afterwards(self):
        self.add()
        self.delete()
        self.run_jobs()
        self.live_site(service_id="1002", email="other@example.com")
        self.assertEqual(self.add(SHOP, "1002").status, "active")
