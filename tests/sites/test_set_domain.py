"""POST /action/setdomain: a customer's host name leads to the site."""

import time
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs.models import Job
from sites import pointing
from sites.connections import npm
from sites.models import CustomDomain, Site
from tests.factories import SiteFactory
from tests.sites.domains import PROXY, SHOP, DomainTestCase


class SetDomainTests(DomainTestCase):
    def test_a_host_of_its_own_leads_to_the_container_with_a_certificate_of_its_own(self):
        self.point()
        answer = self.set_domain(Prefer="wait=0").json()
        self.assertEqual((answer["domain"], answer["status"], answer["count"]), (SHOP, "pending", 2))
        self.assertEqual((answer["state"], answer["job"]["kind"]), ("running", "sites.add_domain"))
        self.run_jobs()
        host = self.host_of()
        self.assertEqual((host["forward_host"], host["forward_port"]), (self.site.private_ip, 80))
        self.assertTrue(host["ssl_forced"] and host["http2_support"] and host["allow_websocket_upgrade"])
        self.assertTrue(host["block_exploits"])
        self.assertFalse(host["caching_enabled"])
        self.assertEqual(host["meta"]["nodepoint"], self.site.owner_mark)
        self.assertEqual([host["certificate_id"]], self.certificates_of())
        self.assertEqual(npm().certificate(host["certificate_id"]).domain_names, {SHOP})
        self.assertEqual(
            self.domains(),
            {
                "success": True,
                "domains": [SHOP],
                "count": 2,
                "quota": {"used": 1, "allowed": 3, "remaining": 2},
                "details": [
                    {
                        "domain": SHOP,
                        "status": "active",
                        "certificate": "active",
                        "error": None,
                        "primary": True,
                        "problem": None,
                    }
                ],
                "replace": [{"from": "janedoe.nodepoint.eu", "to": SHOP}],
            },
        )

    def test_it_is_served_by_http_before_the_certificate_is_there(self):
        self.accept()
        self.run_until(self.site, "proxy_host", "sites.add_domain", state="done")
        self.assertTrue(self.served())
        self.assertEqual(self.host_of()["certificate_id"], 0)
        self.assertEqual(self.domains()["details"][0]["status"], "active")
        self.run_calls(1)
        self.assertEqual(self.domains()["details"][0]["certificate"], "pending")

    def test_the_order_of_the_certificate_blocks_no_other_action(self):
        self.accept()
        while self.job(self.site, "sites.add_domain").alive:
            self.run_calls(1)
        self.assertTrue(Job.objects.get(kind="sites.certificate").alive)
        self.assertEqual(self.set_domain("www.example.com").status_code, 400, "not busy")

    def test_who_waits_gets_the_result(self):
        domain = self.add()
        job = self.job(self.site, "sites.add_domain")
        self.assertEqual((job.state, domain.status), ("succeeded", "active"), self.tale(self.site))

    def test_an_alias_that_leads_to_the_proxy_is_as_good(self):
        self.lab.dns.set("www.example.com", "CNAME", ["lb.example.net"])
        self.point("lb.example.net")
        self.assertEqual(self.set_domain("www.example.com", Prefer="wait=0").status_code, 200)

    def test_names_are_taken_in_the_form_of_dns(self):
        for given, name in (
            (" Shop.Example.COM. ", SHOP),
            ("Bücher.example", "xn--bcher-kva.example"),
            ("straße。example", "xn--strae-oqa.example"),
        ):
            self.point(name)
            with self.subTest(given):
                answer = self.set_domain(given, Prefer="wait=0")
                self.assertEqual(answer.json().get("domain"), name, answer.content)
                self.run_jobs()
                self.assertEqual(self.host_of(name)["domain_names"], [name])

    def test_all_host_names_stand_in_the_status(self):
        self.add()
        body = self.get("/status?service_id=1001").json()
        self.assertEqual(body["domains"], [self.site.hostname, SHOP])
        self.assertEqual(body["quota"]["domains"], {"used": 1, "allowed": 3, "remaining": 2})

    def test_while_traffic_is_off_the_host_is_made_switched_off(self):
        self.toggle(enabled=False)
        self.run_jobs()
        domain = self.add()
        self.assertEqual((domain.status, domain.certificate), ("active", "active"), self.tale(self.site))
        self.assertFalse(self.host_of()["enabled"] or self.served())

    def test_a_failed_one_is_tried_anew(self):
        domain = self.accept()
        CustomDomain.objects.update(status="failed", error="It was so.")
        self.run_jobs()
        CustomDomain.objects.update(status="failed", certificate="none", error="It was so.")
        answer = self.set_domain(Prefer="wait=0").json()
        self.assertEqual((answer["status"], answer["count"]), ("pending", 2))
        self.run_jobs()
        domain.refresh_from_db()
        self.assertEqual((domain.status, domain.certificate, domain.error), ("active", "active", ""))
        self.assertEqual(len(self.certificates_of()), 1)

    def test_a_failed_one_whose_certificate_is_gone_gets_another(self):
        domain = self.add()
        npm().delete_proxy_host(domain.proxy_host_id)
        npm().delete_certificate(domain.certificate_id)
        CustomDomain.objects.update(status="failed", error="It could not be removed.")
        again = self.add()
        self.assertEqual((again.status, again.certificate), ("active", "active"), self.tale(self.site))
        self.assertNotEqual(again.certificate_id, domain.certificate_id)
        self.assertEqual(self.certificates_of(), [again.certificate_id])

    def test_remote_calls_and_queries_do_not_grow_with_the_number_of_sites(self):
        self.point()
        for site in SiteFactory.create_batch(20):
            CustomDomain.objects.create(site=site, domain=f"{site.subdomain}.example.net")
        with CaptureQueriesContext(connection) as queries:
            self.set_domain(Prefer="wait=0")
        self.assertLessEqual(len(queries), 39)
        self.run_jobs()
        self.assertLessEqual(self.counts()["npm"], 9, self.calls)
        with CaptureQueriesContext(connection) as queries:
            self.domains()
        self.assertLessEqual(len(queries), 3, queries.captured_queries)


class RefusalTests(DomainTestCase):
    def make_site(self) -> Site:
        return SiteFactory(service_id="1001")

    def tearDown(self) -> None:
        self.assertEqual(CustomDomain.objects.exclude(domain="standing.example.com").count(), 0)
        self.assertFalse(Job.objects.filter(kind="sites.add_domain").exists())
        self.assertEqual(self.count("npm"), 0, "nothing was touched")
        super().tearDown()

    def test_missing_and_malformed_names(self):
        for domain in (
            "",
            None,
            17,
            [SHOP],
            "localhost",
            "*.example.com",
            "_dmarc.example.com",
            "a b.example.com",
            "https://shop.example.com/",
            "shop.example.com:80",
            "-a.example.com",
            "192.0.2.1",
            "a..example.com",
            "x" * 64 + ".example.com",
            ".".join(["a" * 60] * 5) + ".example.com",
            "shop.example.com\nx",
            "'; drop table sites_site; --.com",
        ):
            with self.subTest(domain):
                answer = self.set_domain(domain)
                self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation"))
                self.assertIn("domain", answer.json()["fields"])
        self.assertEqual(self.post("/action/setdomain", {"service_id": "1001"}).status_code, 400)
        self.assertEqual(self.count("dns"), 0, "nothing to ask for")

    def test_an_unknown_service(self):
        self.assert_refused(self.set_domain(service_id="4711"), 404, "not_found")

    def test_public_suffixes_and_names_of_the_platform(self):
        for domain in ("com", "co.uk", "github.io", "nodepoint.eu", "other.nodepoint.eu", "a.b.nodepoint.eu"):
            with self.subTest(domain):
                if "." in domain:
                    self.assert_refused(self.set_domain(domain), 409, "taken", domain)
        self.assert_refused(self.set_domain(self.site.hostname), 409, "taken")

    def test_names_of_any_site_this_one_included(self):
        self.point("standing.example.com")
        for site in (SiteFactory(), self.site):
            CustomDomain.objects.update_or_create(
                domain="standing.example.com", defaults={"site": site, "status": "active"}
            )
            with self.subTest(site.service_id):
                body = self.assert_refused(self.set_domain("Standing.example.com"), 409, "taken")
                self.assertNotIn(site.service_id, body["error"])

    def test_another_sites_failed_name(self):
        """Whoever has it once: it leads here for whichever site that stands for it."""
        for status in ("failed", "pending"):
            CustomDomain.objects.update_or_create(
                domain="standing.example.com", defaults={"site": SiteFactory(), "status": status}
            )
            self.point("standing.example.com")
            with self.subTest(status):
                body = self.assert_refused(self.set_domain("standing.example.com"), 409, "taken")
                self.assertEqual(body["verification"]["name"], "_nodepoint.standing.example.com")

    def test_one_more_than_the_plan_or_staff_allow(self):
        CustomDomain.objects.create(site=self.site, domain="standing.example.com", status="failed")
        self.site.domain_quota = 1
        self.site.save()
        self.point()
        self.assert_refused(self.set_domain(), 409, "quota_exceeded", "1")
        self.assertEqual(self.domains()["count"], 0)

    def test_a_site_that_is_not_there_yet_or_not_any_more(self):
        for site in (SiteFactory(provisioning=True), SiteFactory(deleting=True)):
            with self.subTest(site.state):
                self.assert_refused(self.set_domain(service_id=site.service_id), 409, "wrong_state")
        for site in (SiteFactory(deleted=True),):
            self.assert_refused(self.set_domain(service_id=site.service_id), 404, "not_found")

    def test_a_suspended_site(self):
        site = SiteFactory(suspended_at="2026-01-01T00:00:00Z")
        answer = self.set_domain(service_id=site.service_id)
        self.assert_refused(answer, 401, "service_suspended")
        self.assertNotIn("WWW-Authenticate", answer.headers)
        self.assertEqual(self.domains(site.service_id)["domains"], [])

    def test_while_another_job_of_the_site_runs(self):
        self.point()
        self.toggle()
        self.calls.clear()
        self.assert_refused(self.set_domain(), 409, "busy", "Switch traffic")
        self.assertEqual(self.count("dns"), 0)
        self.assert_refused(self.del_domain(), 404, "not_found")


class DnsTests(DomainTestCase):
    """The sentence says what was found and what to set."""

    def make_site(self) -> Site:
        return SiteFactory(service_id="1001")

    def refused(self, *words: str, name: str = SHOP) -> None:
        answer = self.set_domain(name)
        body = self.assert_refused(answer, 400, "validation", *words)
        self.assertEqual(body["fields"]["domain"], [body["error"]])
        self.assertFalse(CustomDomain.objects.exists())

    def test_no_such_name(self):
        self.refused("does not exist", PROXY)

    def test_no_address(self):
        self.lab.dns.set(SHOP, "TXT", ["hello"])
        self.refused("has no A record", PROXY)

    def test_another_address(self):
        self.point(SHOP, "198.51.100.7")
        self.refused(
            f"{SHOP} leads to 198.51.100.7. Please set one A record for it with the address {PROXY}, and"
            " nothing else; at Cloudflare, switch the proxy (orange cloud) off for it."
        )

    def test_another_address_through_an_alias(self):
        self.lab.dns.set(SHOP, "CNAME", ["lb.example.net"])
        self.point("lb.example.net", "198.51.100.7")
        self.refused("198.51.100.7 through its alias lb.example.net")

    def test_an_alias_that_leads_nowhere(self):
        self.lab.dns.set(SHOP, "CNAME", ["lb.example.net"])
        self.refused("does not exist", PROXY)

    def test_several_addresses(self):
        self.point(SHOP, PROXY, "198.51.100.7")
        self.refused(
            "leads to 198.51.100.7 and 203.0.113.10. Please set one A record for it with the address"
            f" {PROXY}, and nothing else"
        )

    def test_an_aaaa_record(self):
        self.point()
        self.lab.dns.set(SHOP, "AAAA", ["2001:db8::1"])
        self.refused("has an AAAA record: 2001:db8::1", "remove it")

    def test_an_aaaa_record_behind_an_alias(self):
        self.lab.dns.set(SHOP, "CNAME", ["lb.example.net"])
        self.point("lb.example.net")
        self.lab.dns.set("lb.example.net", "AAAA", ["2001:db8::1"])
        self.refused("through its alias lb.example.net: 2001:db8::1")

    def test_a_caa_record_of_a_name_above_that_permits_others_only(self):
        self.point()
        self.lab.dns.set("example.com", "CAA", ['0 issue "digicert.com"', '0 iodef "mailto:a@example.com"'])
        self.refused("CAA record of example.com permits digicert.com only", '0 issue "letsencrypt.org"')

    def test_a_caa_record_that_permits_nobody(self):
        self.point()
        self.lab.dns.set(SHOP, "CAA", ['0 issue ";"'])
        self.refused("permits nobody")

    def test_caa_records_that_permit_it(self):
        for records in (
            ['0 issue "letsencrypt.org"', '0 issue "digicert.com"'],
            ['0 issue "LetsEncrypt.org; validationmethods=dns-01,http-01"'],
            ['0 issuewild "digicert.com"'],
            ['0 iodef "mailto:a@example.com"'],
        ):
            name = f"caa{len(records[0])}.example.com"
            self.point(name)
            self.lab.dns.set(name, "CAA", records)
            with self.subTest(records):
                answer = self.set_domain(name, Prefer="wait=0")
                self.assertEqual(answer.status_code, 200, answer.content)
                CustomDomain.objects.all().delete()
                Job.objects.filter(kind="sites.add_domain").delete()

    def test_caa_records_that_forbid_its_way_of_checking(self):
        self.point()
        for record in ('0 issue "letsencrypt.org; validationmethods=dns-01"', '128 tbs "unknown"'):
            self.lab.dns.set(SHOP, "CAA", [record])
            with self.subTest(record):
                self.refused("CAA record")

    def test_the_nearest_caa_record_counts_alone(self):
        self.point()
        self.lab.dns.set("example.com", "CAA", ['0 issue "digicert.com"'])
        self.lab.dns.set(SHOP, "CAA", ['0 issue "letsencrypt.org"'])
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)

    def test_no_answer(self):
        self.point()
        self.fault("dns", "error", f"QUERY {SHOP} A", count=50)
        self.refused("gave no answer")

    @mock.patch.multiple(pointing, SECONDS=1.0, QUESTION_SECONDS=0.6)
    def test_silence_is_answered_in_time_whatever_was_asked(self):
        self.point()
        for type in ("A", "AAAA", "CAA"):
            self.fault("dns", "hang", f"QUERY {SHOP} {type}", count=50)
            begun = time.monotonic()
            answer = self.set_domain(Prefer="wait=0")
            self.assertLess(time.monotonic() - begun, 1.9)
            self.clear_faults()
            with self.subTest(type):
                if type == "CAA":  # the order tells
                    self.assertEqual(answer.status_code, 200, answer.content)
                else:
                    self.assert_refused(answer, 400, "validation", "gave no answer")

    def test_hostile_names_in_dns_reach_the_sentence_as_question_marks(self):
        self.lab.dns.set(SHOP, "CNAME", ['<script>"x.example.net'])
        self.lab.dns.set('<script>"x.example.net', "A", ["198.51.100.7"])
        answer = self.set_domain()
        self.assertEqual(answer.status_code, 400)
        self.assertNotIn("<", answer.json()["error"])
        self.assertIn("alias ?script?", answer.json()["error"])
