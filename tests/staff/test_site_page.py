"""The page of a site: everything about it, moving by itself, at a fixed cost."""

import re
from datetime import timedelta
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from nodepoint.jobs.models import Job
from sites import live
from sites.models import ClusterReading, CustomDomain, Site
from tests.factories import SiteFactory
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

COST = 17  # queries, however much there is to show


class PageCase(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(live, "KEPT", timedelta(hours=1)))  # until it is read anew
        self.client.force_login(make_staff("anna", "operator"))

    def page(self, site: Site, tail: str = "change"):
        return self.client.get(f"/admin/sites/site/{site.pk}/{tail}/")

    def text(self, site: Site) -> str:
        """The page in words."""
        body = self.page(site).content.decode()
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())

    def parts(self, site: Site) -> dict:
        answer = self.page(site, "live")
        self.assertEqual(answer.status_code, 200)
        return answer.json()


class ContentTests(PageCase):
    def test_everything_about_a_live_site(self) -> None:
        site = self.live_site()
        self.act("/action/mkbak")
        live.forget()
        text = self.text(site)
        for shown in (
            "Service 1001",
            "janedoe.nodepoint.eu",
            "Container 900 on node1",
            "Private address 192.168.1.100",
            "basic 2048 MB, 20 GB, 2 cores",
            "Backups 1 of 2",
            "Domains 0 of 3",
            "Customer’s wish running, traffic on",
            "Proxmox VE was read",
            f"Mark: {site.owner_mark}",
            site.backups.get().name,
            "Make backup",
            "Create site",
            "E-mail to the customer: site ready",
        ):
            self.assertIn(shown, text)

    def test_links_lead_into_the_systems_themselves(self) -> None:
        site = self.live_site()
        with override_settings(PROXMOX_HOST="pve.example.com", NPM_URL="http://192.168.1.5:81/"):
            page = self.page(site)
        self.assertContains(page, 'href="https://pve.example.com:8006/#v1:0:=lxc%2F900"')
        self.assertContains(page, 'href="http://192.168.1.5:81/nginx/proxy"')

    def test_certificates_of_all_host_names(self) -> None:
        site = self.live_site()
        rows = {
            "a.example.org": ("active", "active", ""),
            "b.example.org": ("failed", "failed", "No A record."),
        }
        for name, (status, certificate, error) in rows.items():
            CustomDomain.objects.create(
                site=site, domain=name, status=status, certificate=certificate, error=error
            )
        hosts = self.parts(site)["parts"]["hosts"]
        for shown in ("a.example.org", "b.example.org", "No A record.", "shared"):
            self.assertIn(shown, hosts)
        self.assertIn("act/retry_domain/?domain=b.example.org", hosts)
        self.assertNotIn("act/retry_domain/?domain=a.example.org", hosts)
        self.assertIn("act/remove_domain/?domain=a.example.org", hosts)

    def test_a_cluster_that_does_not_answer_is_said_and_keeps_nobody_waiting(self) -> None:
        site = self.live_site()
        self.page(site)
        hour_ago = timezone.now() - timedelta(hours=1)
        ClusterReading.objects.update(error="away", taken_at=hour_ago)
        live.forget()
        text = self.text(site)
        self.assertIn("Proxmox VE does not answer. This is its last word, 60 min old.", text)
        self.assertIn("unknown", text)

    def test_what_is_not_as_it_should_be_stands_at_the_top(self) -> None:
        site = self.live_site()
        hour_ago = timezone.now() - timedelta(hours=1)
        Site.objects.filter(pk=site.pk).update(wanted_power="stopped", power_verified_at=hour_ago)
        self.page(site)
        self.assertIn("It is running and should be stopped.", self.text(site))

    def test_a_failed_order_says_why_in_both_languages(self) -> None:
        site = self.create()
        self.fault("npm", "error", count=100_000)
        self.run_for(400)
        self.clear_faults()
        self.run_jobs()
        text = self.text(site)
        self.assertIn("Customers read: Nginx Proxy Manager failed with an internal error.", text)
        self.assertIn("The system said: proxy_host: ", text)
        self.assertIn("Order again", text)

    def test_quotas_that_staff_have_overruled_or_that_are_exceeded(self) -> None:
        site = self.live_site()
        Site.objects.filter(pk=site.pk).update(domain_quota=0)
        CustomDomain.objects.create(site=site, domain="a.example.org", status="active")
        self.assertIn("Domains 1 of 0: more than allowed overruled by staff", self.text(site))

    def test_what_customers_wrote_is_no_markup(self) -> None:
        site = SiteFactory(email="a@example.com")
        hostile = "<script>alert(1)</script>"
        CustomDomain.objects.create(site=site, domain="a.example.org", status="failed", error=hostile)
        Job.objects.create(
            kind="sites.start", subject=site.key, state="failed", error=hostile, detail=hostile
        )
        for tail in ("change", "live"):
            body = self.page(site, tail).content.decode()
            self.assertNotIn("<script>alert", body)
            self.assertIn("&lt;script&gt;alert(1)", body)

    def test_no_script_or_style_stands_in_the_page(self) -> None:
        site = self.live_site()
        for part in self.parts(site)["parts"].values():
            self.assertNotRegex(part, r"<script|<style|\sstyle=|\son[a-z]+=")

    def test_nobody_adds_changes_or_deletes_a_row_by_hand(self) -> None:
        site = self.live_site()
        for path in ("/admin/sites/site/add/", f"/admin/sites/site/{site.pk}/delete/"):
            self.assertEqual(self.client.post(path, {"post": "yes"}).status_code, 403, path)
        self.client.post(f"/admin/sites/site/{site.pk}/change/", {"vmid": "1", "state": "failed"})
        site.refresh_from_db()
        self.assertEqual((site.vmid, site.state), (900, "live"))

    def test_a_site_that_is_not_there_is_not_found(self) -> None:
        for key in ("999", "x"):
            self.assertEqual(self.client.get(f"/admin/sites/site/{key}/change/").status_code, 404)
            self.assertEqual(self.client.get(f"/admin/sites/site/{key}/live/").status_code, 403)


class MovingTests(PageCase):
    """What the page looks at every two seconds."""

    def test_it_looks_often_while_a_job_runs_and_seldom_else(self) -> None:
        site = self.create()
        moving = self.parts(site)
        self.assertEqual(moving["again"], 2)
        self.assertIn("<progress", moving["parts"]["job"])
        self.assertEqual(moving["say"], "Create site: Making sure that the address is free.")
        self.run_jobs()
        live.forget()
        resting = self.parts(site)
        self.assertEqual(resting["again"], 10)
        self.assertNotIn("<progress", resting["parts"]["job"])
        self.assertEqual(resting["say"], "The site is running. Create site: Succeeded.")

    def test_a_first_look_shows_what_the_page_shows(self) -> None:
        site = self.live_site()
        body = self.page(site).content.decode()
        for name, part in self.parts(site)["parts"].items():
            same = re.sub(r"[\d.]+ (s|min)\b", "", part)
            self.assertIn(same.strip(), re.sub(r"[\d.]+ (s|min)\b", "", body), name)

    def test_the_sentence_changes_with_the_step_alone(self) -> None:
        site = self.create()
        self.run_calls(1)
        self.assertEqual(self.parts(site)["say"], "Create site: Creating the container.")
        self.run_calls(1)
        self.assertEqual(self.parts(site)["say"], "Create site: Creating the container.")
        self.run_until(site, "wordpress", state="running")
        self.assertEqual(self.parts(site)["say"], "Create site: Installing WordPress.")

    def test_buttons_follow_the_state(self) -> None:
        site = self.create()
        self.assertNotIn("act/stop/", self.parts(site)["parts"]["acts"])
        self.run_jobs()
        live.forget()
        ClusterReading.objects.update(tried_at=None)
        self.assertIn("act/stop/", self.parts(site)["parts"]["acts"])

    def test_it_is_not_kept_by_browsers(self) -> None:
        self.assertIn("no-store", self.page(self.live_site(), "live")["Cache-Control"])


class CostTests(PageCase):
    def cost(self, site: Site) -> None:
        for tail in ("change", "live"):
            self.page(site, tail)
            with self.subTest(tail=tail), self.assertNumQueries(COST):
                self.page(site, tail)

    def test_much_costs_as_little_as_nothing(self) -> None:
        site = self.live_site()
        self.cost(site)
        for number in range(12):
            CustomDomain.objects.create(site=site, domain=f"{number}.example.org", status="active")
            site.backups.create(name=f"B{number}", state="ready", job_id="x")
            Job.objects.create(kind="sites.start", subject=site.key, state="failed", error="x")
        self.cost(site)
