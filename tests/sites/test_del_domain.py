"""POST /action/deldomain: the host goes, then its certificate, then the name is free."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs.models import Job
from sites.connections import npm
from sites.models import CustomDomain
from tests.factories import SiteFactory
from tests.sites.domains import SHOP, DomainTestCase


class DelDomainTests(DomainTestCase):
    def assert_gone(self) -> None:
        self.assertEqual((self.hosts_of(), self.certificates_of()), ([], []), self.tale(self.site))
        self.assertFalse(CustomDomain.objects.exists(), self.tale(self.site))
        self.assertFalse(Job.objects.filter(state__in=Job.ALIVE).exists())

    def test_host_certificate_and_row_are_gone_and_the_quota_is_free(self):
        self.add()
        self.calls.clear()
        answer = self.del_domain().json()
        self.assertEqual((answer["domain"], answer["job"]["kind"]), (SHOP, "sites.remove_domain"))
        self.run_jobs()
        self.assert_gone()
        self.assertEqual(self.domains()["count"], 3)
        gone = [what.split("/")[3] for system, what in self.calls if system == "npm" and "DELETE" in what]
        self.assertEqual(gone, ["proxy-hosts", "certificates"])
        self.assertEqual(len(self.hosts_of(self.site.hostname)), 1, "the site's own host stays")

    def make_site(self):
        return self.live_site(user_id="7")

    def test_the_name_can_be_taken_by_another_site_of_the_customer_afterwards(self):
        other = self.live_site(service_id="1002", email="other@example.com", user_id=7)
        self.add()
        self.assert_refused(self.set_domain(service_id="1002"), 409, "taken", "another of your sites")
        self.del_domain()
        self.run_jobs()
        self.add(SHOP, "1002")
        self.assertEqual(self.host_of()["forward_host"], other.private_ip)

    def test_other_domains_of_the_site_stay(self):
        self.add("www.example.com")
        self.add()
        self.del_domain()
        self.run_jobs()
        self.assertEqual(self.domains()["domains"], ["www.example.com"])
        self.assertTrue(self.host_of("www.example.com")["ssl_forced"])

    def test_names_are_taken_in_the_form_of_dns(self):
        self.add("xn--bcher-kva.example")
        self.assertEqual(self.del_domain("Bücher.Example.").json()["domain"], "xn--bcher-kva.example")

    def test_one_whose_certificate_rests_between_two_tries(self):
        self.accept()
        self.point(SHOP, "198.51.100.7")
        self.run_for(60)
        self.del_domain()
        self.run_jobs()
        self.assert_gone()
        self.assertEqual(Job.objects.get(kind="sites.certificate").state, "cancelled")

    def test_at_every_moment_of_its_addition(self):
        for count in range(12):
            domain = self.accept()
            self.run_calls(count)
            answer = self.del_domain()
            if self.job(self.site, "sites.add_domain").alive:
                self.assert_refused(answer, 409, "busy")
                self.run_jobs()
                self.del_domain()
            with self.subTest(calls=count):
                self.run_jobs()
                self.assert_gone()
                self.assertFalse(Job.objects.filter(subject=domain.key, state="succeeded", pk="x").exists())
            Job.objects.filter(kind="sites.add_domain").delete()

    def test_a_foreign_host_and_a_foreign_certificate_stay(self):
        domain = CustomDomain.objects.create(site=self.site, domain=SHOP, status="failed")
        theirs = npm().create_proxy_host([SHOP], "192.168.1.77", meta={"made_by": "hand"})
        with self.lab.lock:
            certificates = self.lab.npm.state.certificates
            certificate = certificates.install([SHOP], 90)
            certificates._rows[certificate]["created_on"] = "2026-01-01 00:00:00"
        self.del_domain()
        self.run_jobs()
        self.assertFalse(CustomDomain.objects.filter(pk=domain.pk).exists())
        self.assertEqual((self.host_of()["id"], self.certificates_of()), (theirs.id, [certificate]))

    def test_budgets(self):
        self.add()
        self.calls.clear()
        with CaptureQueriesContext(connection) as queries:
            self.del_domain()
        self.assertLessEqual(len(queries), 32)
        self.run_jobs()
        self.assertLessEqual(self.counts()["npm"], 5, self.calls)


class RefusalTests(DomainTestCase):
    def make_site(self):
        return SiteFactory(service_id="1001")

    def test_unknown_and_other_sites_names(self):
        CustomDomain.objects.create(site=SiteFactory(), domain=SHOP)
        for domain in (SHOP, "never.example.com", self.site.hostname):
            with self.subTest(domain):
                self.assert_refused(self.del_domain(domain), 404, "not_found")
        self.assertTrue(CustomDomain.objects.filter(domain=SHOP).exists())

    def test_malformed_ones(self):
        for domain in ("", None, 5, "nonsense", "*.example.com"):
            with self.subTest(domain):
                self.assert_refused(self.del_domain(domain), 400, "validation")
        self.assertEqual(self.post("/action/deldomain", {"service_id": "1001"}).status_code, 400)

    def test_suspended_unknown_or_unfinished_sites(self):
        suspended = SiteFactory(suspended_at="2026-01-01T00:00:00Z")
        CustomDomain.objects.create(site=suspended, domain=SHOP)
        self.assert_refused(self.del_domain(SHOP, suspended.service_id), 401, "service_suspended")
        self.assert_refused(self.del_domain(SHOP, "never"), 404, "not_found")
        self.assert_refused(
            self.del_domain(SHOP, SiteFactory(provisioning=True).service_id), 409, "wrong_state"
        )
        self.assertFalse(Job.objects.exists())

    def test_while_another_job_of_the_site_runs(self):
        CustomDomain.objects.create(site=self.site, domain=SHOP)
        self.toggle()
        self.assert_refused(self.del_domain(), 409, "busy", "Switch traffic")

    def test_get_domain_of_unknown_sites_and_without_a_service(self):
        self.assertEqual(self.get("/action/getdomain?service_id=never").status_code, 404)
        self.assertEqual(self.get("/action/getdomain").status_code, 400)
        self.assertEqual(
            self.domains(),
            {
                "success": True,
                "domains": [],
                "count": 3,
                "quota": {"used": 0, "allowed": 3, "remaining": 3},
                "details": [],
                "replace": [],
            },
        )
