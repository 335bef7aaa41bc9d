"""POST /customdomain/add/zone of a domain that somebody else's site answers to."""

from datetime import timedelta

from django.utils import timezone

from dns import belonging
from dns.models import ShownDomain, Zone
from nodepoint.api.errors import from_job
from nodepoint.jobs.models import Job
from sites.models import CustomDomain
from tests.dns.base import DnsTestCase
from tests.factories import SiteFactory

SHOP = "shop.example.com"


class NamesOfSitesTests(DnsTestCase):
    def site_at(self, user_id: str = "", domain: str = SHOP) -> CustomDomain:
        """A site's domain that is served."""
        site = SiteFactory(user_id=user_id)
        return CustomDomain.objects.create(site=site, domain=domain, status="active")

    def refused_with_proof(self, domain: str) -> dict:
        answer = self.call("add/zone", domain=domain)
        body = answer.json()
        self.assertEqual((answer.status_code, body["code"]), (409, "taken"), body)
        self.assertEqual(body["verification"]["name"], f"_nodepoint.{domain}")
        self.assertIn(body["verification"]["value"], body["error"])
        self.assertFalse(Zone.objects.exists())
        return body["verification"]

    def test_of_above_and_below_anothers_site_only_with_the_record(self) -> None:
        self.site_at("43")
        for name in (SHOP, "example.com", f"blog.{SHOP}"):
            with self.subTest(name):
                self.delegate(name)
                asked = self.refused_with_proof(name)
                self.lab.dns.set(asked["name"], "TXT", ["something else", asked["value"]])
                self.done("add/zone", domain=name)
                self.done("delete/zone", domain=name)
                Zone.objects.all().delete()

    def test_a_site_of_nobody_in_particular_is_anothers(self) -> None:
        self.site_at()
        self.delegate("example.com")
        self.assertNotIn("S", self.refused_with_proof("example.com")["value"])

    def test_the_customers_own_site_is_none(self) -> None:
        self.site_at("42")
        self.add_zone("example.com")

    def test_a_name_beside_it_and_one_that_is_not_served(self) -> None:
        self.site_at("43", "myexample.com")
        row = self.site_at("43")
        CustomDomain.objects.filter(pk=row.pk).update(status="failed")
        self.add_zone("example.com")

    def test_a_record_that_was_seen_before_the_domain_came_here_counts_for_a_week(self) -> None:
        """Once it is delegated here there is no zone yet to hold the record."""
        self.site_at("43")
        asked = self.refused_with_proof("example.com")
        self.lab.dns.set(asked["name"], "TXT", [asked["value"]])
        self.refused(400, "validation", "add/zone", domain="example.com")  # not delegated yet
        self.lab.dns.set(asked["name"], "TXT", [])
        self.delegate("example.com")
        ShownDomain.objects.update(seen_at=timezone.now() - timedelta(days=7, minutes=1))
        self.refused_with_proof("example.com")
        ShownDomain.objects.update(seen_at=timezone.now() - timedelta(days=6))
        self.done("add/zone", domain="example.com")

    def test_anothers_record_proves_nothing(self) -> None:
        self.site_at("43")
        self.delegate("example.com")
        asked = self.call("add/zone", user=44, domain="example.com").json()["verification"]
        self.lab.dns.set(asked["name"], "TXT", [asked["value"]])
        self.refused_with_proof("example.com")

    def test_no_answer_about_it_is_told_as_such(self) -> None:
        self.site_at("43")
        self.delegate("example.com")
        self.fault("dns", "error", "QUERY _nodepoint.example.com TXT", count=50)
        self.assertIn("gave no answer", self.refused(409, "taken", "add/zone", domain="example.com"))

    def accepted(self) -> Job:
        """A zone that was asked for while its name was free; its job has yet to run."""
        self.delegate("example.com")
        headers = {"Accept": "application/json", "Prefer": "respond-async"}
        answer = self.post("/customdomain/add/zone", {"user_id": 42, "domain": "example.com"}, **headers)
        self.assertEqual(answer.status_code, 200, answer.content)
        return Job.objects.filter(kind="dns.create_zone").latest("created_at")

    def test_the_job_looks_again_at_what_was_free_when_it_was_asked_for(self) -> None:
        job = self.accepted()
        row = self.site_at("43")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.callers_fault), ("rolled_back", True))
        refusal = from_job(job)
        self.assertEqual((refusal.status_code, refusal.error_code), (409, "taken"))
        self.assertEqual(refusal.extra["verification"]["name"], "_nodepoint.example.com")
        self.assertEqual(
            (self.panel()["zones"], Zone.objects.filter(name_key="example.com").count()), ([], 0)
        )
        row.delete()
        with self.subTest("what was shown meanwhile is the customer's"):
            job = self.accepted()
            self.site_at("43")
            proof = belonging.proof("42", "example.com")
            self.lab.dns.set(proof.name, "TXT", [proof.value])
            self.fault("dns", "error", f"QUERY {proof.name} TXT", count=4)
            self.run_jobs()
            self.assertTrue(Zone.objects.filter(name_key="example.com", state="active").exists())

    def test_the_job_waits_for_what_is_just_being_added_to_a_site(self) -> None:
        row = self.site_at("43")
        for status, zones in (("active", 0), ("failed", 1)):
            CustomDomain.objects.update(status="pending")
            job = self.accepted()
            self.run_jobs(until=timezone.now() + timedelta(seconds=30))
            job.refresh_from_db()
            self.assertTrue(job.alive)
            CustomDomain.objects.filter(pk=row.pk).update(status=status)
            self.run_jobs()
            with self.subTest(status):
                self.assertEqual(Zone.objects.filter(name_key="example.com", state="active").count(), zones)

    def test_in_plain_text_the_sentence_holds_the_record(self) -> None:
        self.site_at("43")
        answer = self.call("add/zone", accept=None, domain="example.com")
        self.assertEqual(answer.status_code, 409)
        self.assertIn("_nodepoint.example.com with the value nodepoint-", answer.content.decode())
