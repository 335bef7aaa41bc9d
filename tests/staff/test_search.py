"""One search box: sites, domains, zones, customers, support keys, jobs, by how they begin."""

from django.utils import timezone

from dns.models import Customer, Zone
from nodepoint.board import search
from nodepoint.jobs import transitions
from nodepoint.jobs.models import Job
from nodepoint.notices.models import STAFF
from sites.flows.notices import SITE_LIVE
from sites.models import Site
from support import services as support
from tests.factories import SiteFactory
from tests.staff.base import make_staff
from tests.staff.operations import BoardTestCase, make_job

PAGE = "/admin/board/systemstate/search/"


class SearchTestCase(BoardTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = SiteFactory(
            service_id="WP-77",
            email="Jane.Doe@example.com",
            subdomain="janedoe",
            private_ip="192.168.1.123",
            vmid=977,
        )
        SiteFactory(service_id="WP-8", subdomain="other", private_ip="192.168.1.20", vmid=9771)
        self.domain = self.site.custom_domains.create(domain="shop.example.org")
        customer = Customer.objects.create(user_id="4711", email="zoe@example.net")
        self.zone = Zone.objects.create(customer=customer, name="zoe.example", name_key="zoe.example")
        self.key = support.create_support_key(
            service_id="WP-77", email="jane@example.com", firstname="Jane", lastname="Doe", actor="x"
        )

    def find(self, text: str) -> set[str]:
        """The titles that the page shows; that of the page it leads to where the text means one thing."""
        hits = search.hits(self.user, text)
        answer = self.client.get(PAGE, {"s": text})
        if answer.status_code == 302:
            hits = [hit for hit in hits if hit.url == answer.headers["Location"]]
            self.assertEqual(len(hits), 1, "it leads to what is found")
        else:
            self.assertEqual(answer.status_code, 200)
            self.assertNotEqual(len(hits), 1, "what is found alone is opened")
        return {hit.title for hit in hits}

    def opened(self, text: str) -> str | None:
        """The page that a text leads to at once."""
        return self.client.get(PAGE, {"s": text}).headers.get("Location")


class SearchTests(SearchTestCase):
    def test_a_site_is_found_by_everything_it_is_known_by(self) -> None:
        for text in (
            "WP-77",
            "jane.doe@example.com",
            "janedoe",
            "janedoe.nodepoint.eu",
            "https://janedoe.nodepoint.eu/wp-admin/?x=1",
            "192.168.1.123",
            "977",
            "shop.example.org",
            "  WP-77 ",
        ):
            self.assertIn("WP-77", self.find(text), text)
            self.assertNotIn("WP-8", self.find(text), text)

    def test_beginnings_are_enough(self) -> None:
        for text in ("WP-", "192.168.1.1"):
            self.assertIn("WP-77", self.find(text), text)
        self.assertEqual({"WP-77", "WP-8"} - self.find("WP-"), set())

    def test_what_bears_the_very_name_is_opened_though_other_names_begin_so(self) -> None:
        page = f"/admin/sites/site/{self.site.pk}/change/"
        other = SiteFactory(
            service_id="WP-771",
            email="jane.doe@example.com.au",
            subdomain="janedoe2",
            private_ip="192.168.1.12",
            vmid=978,
        )
        for text in ("janedoe", "JaneDoe", "Jane.Doe@example.com"):
            self.assertEqual(self.opened(text), page, text)
            self.assertGreater(len(search.hits(self.user, text)), 1, text)
        self.assertEqual(self.opened("192.168.1.12"), f"/admin/sites/site/{other.pk}/change/")
        self.assertIsNone(self.opened("192.168.1.1"), "three begin so, none is called so")

    def test_what_bears_the_very_name_is_found_whatever_else_begins_so(self) -> None:
        for number in range(search.EACH + 2):
            SiteFactory(
                service_id=f"WP-8-{number}",
                email=f"jane.doe@example.com{number}",
                subdomain=f"janedoe{number}",
                private_ip=f"192.168.1.2{number:02}",
                vmid=2000 + number,
            ).custom_domains.create(domain=f"shop.example.org{number}")
            customer = Customer.objects.create(user_id=f"8{number}", email=f"zoe@example.net{number}")
            Zone.objects.create(
                customer=customer, name=f"zoe.example{number}", name_key=f"zoe.example{number}"
            )
            support.create_support_key(
                service_id=f"WP-77{number}",
                email="jane@example.org",
                firstname="Jane",
                lastname="Doe",
                actor="x",
            )
        for text in ("janedoe", "jane.doe@example.com"):
            self.assertEqual(self.find(text), {"WP-77"}, text)
        self.assertEqual(self.find("192.168.1.20"), {"WP-8"})
        self.assertEqual(self.find("zoe.example"), {"zoe.example"})
        for text, titles in (
            ("WP-77", {"WP-77", self.key.support_key}),
            ("shop.example.org", {"shop.example.org", "WP-77"}),
            ("zoe@example.net", {"User 4711", "zoe.example"}),
        ):
            self.assertLessEqual(titles, self.find(text), text)

    def test_several_that_bear_the_very_name_are_a_choice(self) -> None:
        Customer.objects.create(user_id="977", email="other@example.net")
        self.assertIsNone(self.opened("977"), "a VMID, and a user's id")
        self.assertEqual(self.find("977"), {"WP-77", "User 977"})
        self.assertEqual(self.find("WP-77"), {"WP-77", self.key.support_key})

    def test_what_a_site_does_not_have_is_no_name_of_it(self) -> None:
        held = {"vmid": None, "subdomain": None, "private_ip": None, "live_key": None}
        none = SiteFactory(service_id="none", state=Site.State.DELETED, **held)
        SiteFactory(service_id="none-2", state=Site.State.DELETED, **held)
        self.assertEqual(self.opened("none"), f"/admin/sites/site/{none.pk}/change/")

    def test_domains_zones_customers_and_keys_are_found(self) -> None:
        self.assertIn("shop.example.org", self.find("shop.ex"))
        self.assertIn("zoe.example", self.find("zoe.ex"))
        self.assertIn("zoe.example", self.find("www.zoe.example"))
        self.assertEqual(self.find("4711"), {"zoe.example", "User 4711"})
        self.assertEqual(self.find(self.key.support_key), {self.key.support_key})
        self.assertIn(self.key.support_key, self.find("doe"))

    def test_a_job_is_found_by_its_id_and_its_request(self) -> None:
        job = make_job(self.site.key, request_id="request-of-the-portal")
        self.assertEqual(self.find(job.pk[:12]), {str(job)})
        self.assertEqual(self.find("request-of-the-portal"), {str(job)})

    def test_nothing_is_said_as_nothing(self) -> None:
        self.assertContains(self.client.get(PAGE, {"s": "nobody"}), "Nothing begins with")
        self.assertEqual(self.find("x"), set(), "one letter is no search")
        self.assertEqual(self.find("%_"), set())

    def test_what_was_typed_is_shown_and_never_run(self) -> None:
        page = self.client.get(PAGE, {"s": "<script>alert(1)</script>"})
        self.assertNotContains(page, "<script>alert(1)")

    def test_nobody_finds_what_he_may_not_see(self) -> None:
        user = make_staff("nobody")
        self.assertEqual(search.hits(user, "WP-77"), [])

    def test_the_box_of_the_theme_finds_the_same(self) -> None:
        page = self.client.get("/admin/search/", {"s": "WP-77", "extended": "1"})
        self.assertContains(page, "WP-77")
        self.assertContains(page, f"/admin/sites/site/{self.site.pk}/change/")


class ListSearchTests(SearchTestCase):
    def listed(self, path: str, text: str) -> list[str]:
        page = self.client.get(path, {"q": text})
        self.assertEqual(page.status_code, 200)
        return [str(row) for row in page.context["cl"].result_list]

    def test_the_list_of_sites_finds_by_support_key_too(self) -> None:
        for text in ("WP-77", "jane.doe", "shop.example", "977", "192.168.1.123", self.key.support_key):
            self.assertEqual(self.listed("/admin/sites/site/", text), ["WP-77"], text)
        self.assertEqual(self.listed("/admin/sites/site/", "nobody"), [])

    def test_the_list_of_jobs_finds_by_whatever_the_site_is_known_by(self) -> None:
        job = make_job(self.site.key, request_id="r-1")
        of_domain = make_job(self.domain.key, "sites.certificate")
        of_zone = make_job(self.zone.key, "dns.create_zone", data={"zone": "zoe.example"})
        path = "/admin/jobs/job/"
        for text in ("WP-77", "jane.doe", "janedoe.nodepoint.eu", "977", self.key.support_key, "r-1", job.pk):
            self.assertEqual(self.listed(path, text), [str(job)], text)
        self.assertEqual(set(self.listed(path, "shop.example.org")), {str(job), str(of_domain)})
        self.assertEqual(self.listed(path, "zoe.example"), [str(of_zone)])
        self.assertEqual(Job.objects.count(), 3)

    def test_domains_zones_and_customers_have_their_own(self) -> None:
        self.assertEqual(self.listed("/admin/sites/customdomain/", "shop."), ["shop.example.org"])
        self.assertEqual(self.listed("/admin/sites/customdomain/", "WP-77"), ["shop.example.org"])
        self.assertEqual(self.listed("/admin/dns/zone/", "4711"), ["zoe.example"])
        self.assertEqual(self.listed("/admin/dns/customer/", "zoe.exa"), ["4711"])

    def test_the_list_of_jobs_finds_the_emails_about_it(self) -> None:
        zone = make_job(self.zone.key, "dns.create_zone", data={"zone": "zoe.example"})
        order = make_job(self.site.key, "sites.provision", data={"service_id": "WP-77"})
        other = make_job("sites.site:0", "sites.provision", data={"service_id": "other"})
        for job, kind in ((order, SITE_LIVE), (other, SITE_LIVE), (zone, STAFF)):
            transitions.notify(kind, job, timezone.now(), says="failed" if kind == STAFF else "")
        transitions.tell_staff(
            Job.objects.get(kind=SITE_LIVE, data__service_id="WP-77"), "failed", timezone.now()
        )
        ready, to_staff = "E-mail to the customer: site ready: WP-77", "E-mail to staff: WP-77"
        for text in ("WP-77", "jane.doe@example.com", "shop.example"):
            self.assertLessEqual(
                {str(order), ready, to_staff}, set(self.listed("/admin/jobs/job/", text)), text
            )
        self.assertEqual(
            set(self.listed("/admin/jobs/job/", "zoe.example")), {str(zone), "E-mail to staff: zoe.example"}
        )
