"""What staff do where the usual way is barred, and what stands in their way."""

from nodepoint.audit.models import Entry
from nodepoint.jobs import steering
from nodepoint.jobs.models import Job
from sites.models import CustomDomain, Platform, Site
from sites.services import overrides
from tests.factories import SiteFactory
from tests.sites.base import make_foreign
from tests.staff.overrides import BY, OverridesCase


class OverruleTests(OverridesCase):
    NOTHING = {"backup_quota": None, "domain_quota": None, "high_availability": None}

    def test_quotas_count_at_once(self) -> None:
        site = self.live_site()
        job = overrides.overrule(site, **self.NOTHING | {"backup_quota": 7, "domain_quota": 0}, **BY)
        self.assertIsNone(job)
        site.refresh_from_db()
        self.assertEqual((site.backups_allowed, site.domains_allowed), (7, 0))
        entry = self.entry(site)
        self.assertEqual(entry.act, "sites.overrule")
        self.assertEqual((entry.before["backup_quota"], entry.after["backup_quota"]), (None, 7))

    def test_back_to_what_the_plan_says(self) -> None:
        site = self.live_site()
        overrides.overrule(site, **self.NOTHING | {"backup_quota": 7}, **BY)
        overrides.overrule(site, **self.NOTHING, **BY)
        site.refresh_from_db()
        self.assertEqual(site.backups_allowed, site.plan.backups)

    def test_high_availability_is_switched_by_a_job(self) -> None:
        site = self.live_site()
        self.assertIsNone(self.places(site)["ha"])
        job = overrides.overrule(site, **self.NOTHING | {"high_availability": True}, **BY)
        self.assertEqual(job.kind, "sites.upgrade")
        self.run_jobs()
        self.assertEqual(self.places(site)["ha"], "started")
        overrides.overrule(site, **self.NOTHING | {"high_availability": False}, **BY)
        self.run_jobs()
        self.assertIsNone(self.places(site)["ha"])

    def test_what_a_job_wrote_meanwhile_stays(self) -> None:
        site = self.live_site()
        Site.objects.filter(pk=site.pk).update(node="node3")
        overrides.overrule(site, **self.NOTHING | {"backup_quota": 7}, **BY)
        site.refresh_from_db()
        self.assertEqual((site.node, site.backup_quota), ("node3", 7))

    def test_by_the_page(self) -> None:
        site = self.live_site()
        form = {"backup_quota": "7", "domain_quota": "", "high_availability": "off", "reason": "a gift"}
        self.client.post(f"/admin/sites/site/{site.pk}/act/overrule/", form)
        site.refresh_from_db()
        self.assertEqual((site.backup_quota, site.domain_quota, site.high_availability), (7, None, False))
        self.assertEqual((self.entry(site).reason, self.entry(site).actor), ("a gift", "anna"))
        page = self.client.get(f"/admin/sites/site/{site.pk}/act/overrule/")
        self.assertContains(page, 'value="7"')
        self.assertContains(page, '<option value="off" selected>')

    def test_not_of_a_site_that_is_being_deleted(self) -> None:
        site = self.live_site()
        self.delete()
        self.refused(overrides.overrule, site, **self.NOTHING, **BY)


class ForceTests(OverridesCase):
    def test_an_ended_site_keeps_what_it_holds_and_frees_its_service(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        overrides.force_state(site, "failed", **BY)
        site.refresh_from_db()
        self.assertEqual((site.state, site.live_key), ("failed", None))
        self.assertEqual((site.vmid, site.subdomain), (900, "janedoe"))
        new = self.create()
        self.assertNotIn((new.vmid, new.private_ip), [(site.vmid, site.private_ip)])
        self.assertEqual(
            (self.entry(site).before, self.entry(site).after), ({"state": "live"}, {"state": "failed"})
        )

    def test_not_while_its_container_stands(self) -> None:
        site = self.live_site()
        self.read_anew()
        for state in ("failed", "deleted"):
            self.assertIn("Have the site deleted", self.refused(overrides.force_state, site, state, **BY))

    def test_a_site_that_works_whatever_its_job_found(self) -> None:
        site = self.live_site()
        Site.objects.filter(pk=site.pk).update(state="provisioning", live_at=None)
        overrides.force_state(site, "live", **BY)
        site.refresh_from_db()
        self.assertEqual(site.state, "live")
        self.assertIsNotNone(site.live_at)

    def test_not_while_a_job_works_on_it(self) -> None:
        site = self.create()
        self.assertIn("still running", self.refused(overrides.force_state, site, "live", **BY))

    def test_not_an_ended_one_nor_to_the_same(self) -> None:
        site = self.live_site()
        self.refused(overrides.force_state, site, "live", **BY)
        self.refused(overrides.force_state, site, "provisioning", **BY)
        ended = SiteFactory(failed=True)
        self.refused(overrides.force_state, ended, "live", **BY)


class ReleaseTests(OverridesCase):
    def test_what_an_ended_site_holds_is_free_again(self) -> None:
        site = self.live_site()
        held = site.vmid, site.private_ip, site.subdomain
        CustomDomain.objects.create(site=site, domain="www.example.org", status="active")
        self.lose_container(site)
        overrides.force_state(site, "deleted", **BY)
        overrides.release(site, **BY)
        site.refresh_from_db()
        self.assertEqual((site.vmid, site.private_ip, site.subdomain), (None, None, None))
        self.assertFalse(CustomDomain.objects.exists())
        self.assertEqual(self.entry(site).before["private_ip"], held[1])
        new = self.create()
        self.assertEqual((new.vmid, new.private_ip, new.subdomain), held)

    def test_not_of_a_site_that_stands(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        self.refused(overrides.release, site, **BY)

    def test_not_while_its_vmid_is_in_use_or_nobody_can_tell(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        overrides.force_state(site, "failed", **BY)
        self.stale()
        self.assertIn("does not answer", self.refused(overrides.release, site, **BY))
        make_foreign(self, site.vmid)
        self.read_anew()
        self.assertIn("stands in the cluster", self.refused(overrides.release, site, **BY))

    def test_once(self) -> None:
        site = SiteFactory(failed=True)
        self.refused(overrides.release, site, **BY)


class OrderAgainTests(OverridesCase):
    def failed(self) -> Site:
        site = self.create(plan="standard")
        self.run_until(site, "container", state="done")
        steering.cancel(self.job(site).pk, "test")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "failed")
        return site

    def test_the_same_order_becomes_a_new_site(self) -> None:
        old = self.failed()
        Site.objects.filter(pk=old.pk).update(backup_quota=9)
        answer = self.client.post(f"/admin/sites/site/{old.pk}/act/order_again/", {"reason": "node was away"})
        new = Site.objects.get(live_key="1001")
        self.assertEqual(answer["Location"], f"/admin/sites/site/{new.pk}/change/")
        self.assertNotEqual(new.pk, old.pk)
        self.assertEqual((new.email, new.plan.name, new.backup_quota), (old.email, "standard", 9))
        self.run_jobs()
        self.assert_live(new)

    def test_once(self) -> None:
        old = self.failed()
        overrides.order_again(old, **BY)
        self.refused(overrides.order_again, old, **BY)
        self.assertEqual(Site.objects.count(), 2)

    def test_not_what_stands(self) -> None:
        self.refused(overrides.order_again, self.live_site(), **BY)

    def test_a_job_that_was_rolled_back_leads_there_too(self) -> None:
        old = self.failed()
        job = self.job(old)
        answer = self.client.post(f"/admin/jobs/job/{job.pk}/act/ask_again/", {"reason": ""})
        new = Job.objects.filter(kind="sites.provision").first()
        self.assertEqual(answer["Location"], f"/admin/jobs/job/{new.pk}/change/")
        self.assertNotEqual(new.subject, old.key)

    def test_a_failed_order_is_closed(self) -> None:
        old = self.failed()
        overrides.close_order(old, **BY)
        old.refresh_from_db()
        self.assertEqual(old.state, "deleted")
        self.refused(overrides.close_order, old, **BY)


class PauseTests(OverridesCase):
    def test_new_orders_are_refused_and_taken_again(self) -> None:
        overrides.pause_orders(**BY, reason="cluster upgrade")
        body = self.assert_refused(self.order(), 409, "no_capacity")
        self.assertEqual(body["error"], "New orders are paused for maintenance.")
        self.assertFalse(Site.objects.exists())
        overrides.resume_orders(**BY)
        self.create()

    def test_a_repeat_of_a_standing_order_is_answered_as_ever(self) -> None:
        self.live_site()
        overrides.pause_orders(**BY, reason="x")
        self.assert_refused(self.order(), 409, "exists")

    def test_standing_sites_and_accepted_orders_go_on(self) -> None:
        site = self.create()
        overrides.pause_orders(**BY, reason="x")
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(self.act("/action/stop").status_code, 200)

    def test_twice_is_written_down_once(self) -> None:
        for _ in range(2):
            overrides.pause_orders(**BY, reason="x")
        self.assertEqual(Entry.objects.filter(act="sites.pause_orders").count(), 1)
        for _ in range(2):
            overrides.resume_orders(**BY)
        self.assertEqual(Entry.objects.filter(act="sites.resume_orders").count(), 1)

    def test_by_the_page(self) -> None:
        page = "/admin/sites/platform/1/"
        self.assertRedirects(self.client.get("/admin/sites/platform/"), f"{page}change/")
        self.assertContains(
            self.client.post(f"{page}act/pause_orders/", {"reason": ""}), "This field is required."
        )
        self.client.post(f"{page}act/pause_orders/", {"reason": "cluster upgrade"})
        shown = self.client.get(f"{page}change/")
        for text in ("cluster upgrade", "staff anna", "Take new orders"):
            self.assertContains(shown, text)
        self.client.post(f"{page}act/resume_orders/", {})
        self.assertIsNone(Platform.current().orders_paused_at)

    def test_the_board_says_so(self) -> None:
        self.assertNotContains(self.client.get("/admin/"), "New orders are paused")
        overrides.pause_orders(**BY, reason="cluster upgrade")
        board = self.client.get("/admin/")
        self.assertContains(board, "New orders are paused")
        self.assertContains(board, "cluster upgrade")

    def test_where_the_row_was_lost(self) -> None:
        Platform.objects.all().delete()
        self.create()
        overrides.pause_orders(**BY, reason="x")
        self.assertIsNotNone(Platform.current().orders_paused_at)
