"""A host name that is somebody else's, or that does not lead here, is had by who shows that it is his."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone

from dns.models import Customer, Zone
from nodepoint.jobs.models import Job
from sites.models import CustomDomain, ReleasedDomain, Site
from tests.factories import SiteFactory
from tests.sites.domains import PROXY, SHOP, DomainTestCase

SUB = "blog.shop.example.com"
CLOUDFLARE = ["104.21.57.64", "172.67.189.95"]


def held_by(site: Site, domain: str = SHOP, **columns: object) -> CustomDomain:
    """A domain that is served for a site."""
    columns = {"status": "active", "certificate": "active", **columns}
    return CustomDomain.objects.create(site=site, domain=domain, **columns)


def zone_of(user_id: str, name: str = "example.com", **columns: object) -> Zone:
    """A zone of a customer of the DNS product."""
    customer, _ = Customer.objects.get_or_create(user_id=user_id)
    return Zone.objects.create(customer=customer, name=name, name_key=name, state="active", **columns)


class NamesCase(DomainTestCase):
    """With one site that is live in the database alone, of customer 7."""

    def make_site(self) -> Site:
        return SiteFactory(service_id="1001", user_id="7")

    def assert_anothers(self, domain: str = SHOP) -> dict:
        """It leads here, and yet only a proof is good enough."""
        self.point(domain)
        answer = self.set_domain(domain, Prefer="wait=0")
        body = self.assert_refused(answer, 409, "taken", f"_nodepoint.{domain}")
        self.assertEqual(body["verification"]["name"], f"_nodepoint.{domain}")
        self.assertIn(body["verification"]["value"], body["error"])
        self.assertEqual(body["fields"]["domain"], [body["error"]])
        return body

    def assert_free(self, domain: str = SHOP) -> None:
        self.point(domain)
        answer = self.set_domain(domain, Prefer="wait=0")
        self.assertEqual(answer.status_code, 200, answer.content)


class WhoseTests(NamesCase):
    def test_under_another_sites_domain(self):
        held_by(SiteFactory(user_id="8"))
        body = self.assert_anothers(SUB)
        self.assertNotIn("8", body["error"].replace(body["verification"]["value"], ""))

    def test_a_site_of_nobody_in_particular_is_another(self):
        held_by(SiteFactory())
        self.assert_anothers(SUB)

    def test_two_sites_of_nobody_in_particular_are_strangers(self):
        Site.objects.filter(pk=self.site.pk).update(user_id="")
        held_by(SiteFactory())
        self.assert_anothers(SUB)

    def test_under_a_domain_of_this_site_and_of_the_same_customer(self):
        held_by(SiteFactory(user_id="7"))
        held_by(self.site, "other.example.net")
        self.assert_free(SUB)
        Job.objects.all().delete()
        self.assert_free("www.other.example.net")

    def test_above_another_sites_domain(self):
        """Who holds shop.example.com has no say about example.com, whose A record leads here."""
        held_by(SiteFactory(user_id="8"))
        self.assert_free("example.com")

    def test_beside_another_sites_domain(self):
        held_by(SiteFactory(user_id="8"))
        self.assert_free("myshop.example.com")

    def test_only_what_is_served_counts(self):
        for status in ("pending", "failed"):
            held_by(SiteFactory(user_id="8"), f"{status}.example.com", status=status)
            with self.subTest(status):
                self.assert_free(f"www.{status}.example.com")
                Job.objects.all().delete()

    def test_a_zone_of_another_customer_and_names_in_it(self):
        zone_of("8")
        for name in ("example.com", SHOP):
            with self.subTest(name):
                self.assert_anothers(name)

    def test_a_zone_of_the_same_customer(self):
        zone_of("7")
        self.assert_free()

    def test_a_zone_that_is_gone(self):
        zone = zone_of("8")
        Zone.objects.filter(pk=zone.pk).update(name_key=None, state="deleted")
        self.assert_free()

    def test_for_a_day_after_its_release(self):
        held_by(SiteFactory(user_id="8")).release()
        self.assert_anothers()
        ReleasedDomain.objects.update(released_at=timezone.now() - timedelta(hours=24, minutes=1))
        self.assert_free()

    def test_its_own_release_and_that_of_the_same_customer(self):
        held_by(SiteFactory(user_id="7")).release()
        held_by(self.site, "other.example.net").release()
        self.assert_free()
        Job.objects.all().delete()
        self.assert_free("other.example.net")

    def test_what_was_released_is_forgotten_after_a_day(self):
        held_by(self.site).release()
        ReleasedDomain.objects.update(released_at=timezone.now() - timedelta(hours=25))
        held_by(self.site, "other.example.net").release()
        self.assertEqual(list(ReleasedDomain.objects.values_list("domain", flat=True)), ["other.example.net"])


class ProofTests(NamesCase):
    def setUp(self) -> None:
        super().setUp()
        held_by(SiteFactory(user_id="8"), "example.com")

    def test_it_is_accepted_with_the_record_that_the_refusal_names(self):
        self.assert_anothers()
        self.prove(self.set_domain())
        answer = self.set_domain(Prefer="wait=0")
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertTrue(CustomDomain.objects.get(domain=SHOP).proven)

    def test_the_value_is_the_same_at_each_request_and_another_for_each_service_and_name(self):
        value = self.assert_anothers()["verification"]["value"]
        self.assertEqual(self.assert_anothers()["verification"]["value"], value)
        self.assertRegex(value, r"^nodepoint-[a-z2-7]{24}$")
        others = {self.assert_anothers(SUB)["verification"]["value"]}
        self.site = SiteFactory(service_id="1002", user_id="7")
        others.add(self.set_domain(service_id="1002").json()["verification"]["value"])
        for setting, other in (("SECRET_KEY", "another"), ("INSTALLATION_ID", "other")):
            with override_settings(**{setting: other}):
                others.add(self.assert_anothers()["verification"]["value"])
        self.assertEqual(len(others - {value}), 4)

    def test_another_services_record_proves_nothing(self):
        SiteFactory(service_id="1002", user_id="9")
        self.point()
        self.prove(self.set_domain(service_id="1002"))
        self.assert_anothers()

    def test_among_several_records_through_an_alias_and_in_quotes(self):
        asked = self.assert_anothers()["verification"]
        self.lab.dns.set(asked["name"], "CNAME", ["proofs.example.net"])
        for texts in (["v=spf1 -all", asked["value"]], [f'"{asked["value"]}"']):
            self.lab.dns.set("proofs.example.net", "TXT", texts)
            with self.subTest(texts):
                self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)
                CustomDomain.objects.filter(domain=SHOP).delete()
                Job.objects.all().delete()

    def test_no_answer_is_told_as_such(self):
        self.point()
        self.prove(self.set_domain())
        self.fault("dns", "error", f"QUERY _nodepoint.{SHOP} TXT", count=50)
        self.assert_refused(self.set_domain(), 409, "taken", "gave no answer")

    def test_what_is_reserved_is_not_had_by_any_proof(self):
        for name in ("other.nodepoint.eu", "co.uk"):
            body = self.assert_refused(self.set_domain(name, verify="txt"), 409, "taken")
            self.assertNotIn("verification", body)

    def test_an_unknown_way_to_verify_is_400(self):
        self.assert_refused(self.set_domain(verify="mail"), 400, "validation", "verify")

    def test_a_name_too_long_for_its_record(self):
        name = f"{'.'.join(['a' * 59] * 4)}.example.com"
        self.point(name)
        self.assert_refused(self.set_domain(name), 409, "taken")


class ElsewhereTests(NamesCase):
    def setUp(self) -> None:
        super().setUp()
        self.point(SHOP, *CLOUDFLARE)
        self.lab.dns.set(SHOP, "AAAA", ["2606:4700::1"])

    def test_behind_a_cdn_it_takes_the_record(self):
        answer = self.set_domain()
        body = self.assert_refused(
            answer,
            400,
            "validation",
            "leads to 104.21.57.64 and 172.67.189.95. Please set one A record for it with the address"
            f" {PROXY}, and nothing else; at Cloudflare, switch the proxy (orange cloud) off for it.",
        )
        self.assertNotIn("alone", body["error"])
        self.prove(answer)
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)

    def test_the_record_alone_is_asked_for_where_that_is_wished(self):
        answer = self.set_domain(verify="txt")
        body = self.assert_refused(answer, 400, "validation", f"TXT record for _nodepoint.{SHOP}")
        self.assertNotIn("leads to", body["error"])
        self.prove(answer)
        self.calls.clear()
        self.assertEqual(self.set_domain(verify="txt", Prefer="wait=0").status_code, 200)
        asked = [call for system, call in self.calls if system == "dns"]
        self.assertFalse([call for call in asked if call.endswith((" A", " AAAA"))], asked)

    def test_no_answer_about_the_record_is_told_as_such(self):
        self.fault("dns", "error", f"QUERY _nodepoint.{SHOP} TXT", count=50)
        self.assert_refused(self.set_domain(verify="txt"), 400, "validation", "gave no answer")

    def test_a_caa_record_is_not_got_round(self):
        self.prove(self.set_domain(verify="txt"))
        self.lab.dns.set(SHOP, "CAA", ['0 issue "digicert.com"'])
        body = self.assert_refused(self.set_domain(verify="txt"), 400, "validation", "CAA record")
        self.assertNotIn("verification", body)


class StepTests(DomainTestCase):
    """The job looks once more before it makes the host."""

    def test_a_record_that_is_gone_by_then_ends_it(self):
        self.point(SHOP, *CLOUDFLARE)
        answer = self.set_domain()
        self.prove(answer)
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)
        self.lab.dns.set(answer.json()["verification"]["name"], "TXT", [])
        self.run_jobs()
        (details,) = self.domains()["details"]
        self.assertEqual(details["status"], "failed", self.tale(self.site))
        self.assertIn("was not shown to be yours", details["error"])
        self.assertEqual(self.hosts_of(), [])

    def test_who_has_become_anothers_by_then_needs_the_record(self):
        self.accept()
        held_by(SiteFactory(), "example.com")
        self.run_jobs()
        self.assertEqual(self.domains()["details"][0]["status"], "failed")
        self.assertEqual(self.hosts_of(), [])

    def test_no_answer_is_waited_for_and_the_certificate_is_ordered_behind_a_cdn(self):
        self.point(SHOP, *CLOUDFLARE)
        self.prove(self.set_domain())
        self.assertEqual(self.set_domain(Prefer="wait=0").status_code, 200)
        self.fault("dns", "error", f"QUERY _nodepoint.{SHOP} TXT", count=4)
        self.lab.npm.state.certificates._authority._points_here = lambda name: True
        self.run_jobs()
        (details,) = self.domains()["details"]
        self.assertEqual(
            (details["status"], details["certificate"]), ("active", "active"), self.tale(self.site)
        )
        self.assertIsNone(details["problem"])

    def test_a_crash_after_the_look_makes_one_host(self):
        self.accept()
        self.run_until(self.site, "proven", "sites.add_domain", state="done")
        self.fault("npm", "drop_after", "POST /api/nginx/proxy-hosts")
        self.run_jobs()
        self.assertEqual(len(self.hosts_of()), 1)


class ProblemTests(NamesCase):
    def details(self) -> dict:
        return self.domains()["details"][0]

    def test_why_it_does_not_lead_here_now(self):
        held_by(self.site)
        self.point()
        self.assertIsNone(self.details()["problem"])
        self.point(SHOP, "198.51.100.77")
        self.assertIn("leads to 198.51.100.77", self.details()["problem"])
        self.lab.dns.set(SHOP, "A", [])
        self.assertIn("does not exist", self.details()["problem"])

    def test_no_answer_is_no_problem(self):
        held_by(self.site)
        self.point(SHOP, "198.51.100.77")
        self.fault("dns", "error", f"QUERY {SHOP}", count=50)
        self.assertIsNone(self.details()["problem"])

    def test_the_first_that_is_served_with_a_certificate_is_primary(self):
        held_by(self.site, "first.example.com", certificate="failed")
        held_by(self.site, "second.example.com")
        held_by(self.site, "third.example.com")
        found = [entry["primary"] for entry in self.domains()["details"]]
        self.assertEqual(found, [False, True, False])


class OrderTests(DomainTestCase):
    def make_site(self) -> Site:
        return SiteFactory()

    def test_the_customer_is_kept_on_the_site(self):
        for given, kept in (("12345678901234567890", "12345678901234567890"), (42, "42"), (None, "")):
            with self.subTest(given):
                site = self.create(service_id=f"U{kept}", user_id=given)
                self.assertEqual(site.user_id, kept)

    def test_what_is_no_customer_is_400(self):
        for given in ("", "x", "1" * 21, -1, 1.5, True, ["7"]):
            with self.subTest(given):
                answer = self.order(service_id="1", user_id=given)
                self.assertEqual((answer.status_code, answer.json()["code"]), (400, "validation"))
                self.assertIn("user_id", answer.json()["fields"])
