"""Every act in every state of a site: what is offered is what the services accept."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from nodepoint.jobs import steering
from sites.admin.acts import ACTS
from sites.models import CustomDomain, Site
from sites.services import overrides
from sites.services.legality import RULES, Facts, legal_acts
from tests.factories import SiteFactory
from tests.staff.acts import GOOD, ActsCase

# Accepted although not offered: the site is so already, so that nothing changes.
REPEATS = {
    "running": {"safe_mode_off", "start", "traffic_on", "unsuspend"},
    "stopped": {"stop", "restart", "traffic_on", "unsuspend"},
    "without traffic": {"safe_mode_off", "start", "traffic_off", "unsuspend"},
    "suspended": {"suspend"},
    "busy": {"unsuspend"},
    "full": {"safe_mode_off", "start", "traffic_on", "unsuspend"},
    "with a failed domain": {"safe_mode_off", "start", "traffic_on", "unsuspend"},
    "provisioning": {"unsuspend"},
    "being undone": {"unsuspend"},
    "gone": {"safe_mode_off", "traffic_on", "unsuspend"},
    "deleting": {"delete"},
}


class TableTests(ActsCase):
    """Every act in every state."""

    def running(self) -> Site:
        site = self.live_site()
        self.act("/action/mkbak")
        return site

    def stopped(self) -> Site:
        site = self.live_site()
        self.act("/action/stop")
        return site

    def without_traffic(self) -> Site:
        site = self.live_site()
        self.act("/action/toggle")
        return site

    def suspended(self) -> Site:
        site = self.live_site()
        self.act("/suspend")
        return site

    def busy(self) -> Site:
        site = self.live_site()
        self.act("/action/mkbak")
        self.ask("/action/mkbak")
        return site

    def full(self) -> Site:
        site = self.live_site()
        for _ in range(site.backups_allowed):
            self.act("/action/mkbak")
        for number in range(site.domains_allowed):
            CustomDomain.objects.create(site=site, domain=f"{number}.example.com", status="active")
        return site

    def with_a_failed_domain(self) -> Site:
        site = self.live_site()
        CustomDomain.objects.create(site=site, domain=GOOD, status="failed")
        return site

    def provisioning(self) -> Site:
        return self.create()

    def being_undone(self) -> Site:
        site = self.create()
        self.fault("cloudflare", "error", "DELETE", 1000)
        self.run_until(site, "container", state="done")
        job = self.job(site)
        steering.cancel(job.pk, "test")
        return site

    def failed(self) -> Site:
        site = self.create()
        self.run_until(site, "container", state="done")
        steering.cancel(self.job(site).pk, "test")
        self.run_jobs()
        return site

    def failed_and_ordered_again(self) -> Site:
        site = self.failed()
        self.create()
        return site

    def gone(self) -> Site:
        site = self.live_site()
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[site.vmid]
        Site.objects.filter(pk=site.pk).update(
            live_at=timezone.now() - timedelta(hours=1), power_verified_at=timezone.now() - timedelta(hours=1)
        )
        return site

    def deleting(self) -> Site:
        site = self.live_site()
        self.delete()
        return site

    def deleted(self) -> Site:
        site = self.live_site()
        self.delete()
        self.run_jobs()
        return site

    def ended_and_holding(self) -> Site:
        return SiteFactory(
            state=Site.State.FAILED,
            live_key=None,
            created_at=timezone.now() - timedelta(hours=1),
            live_at=None,
        )

    def check(self, state: str, make: Callable[[], Site], expected: str) -> None:
        site = make()
        self.read_anew()
        site.refresh_from_db()
        offered = set(legal_acts(Facts(site)))
        self.assertEqual(offered, set(expected.split()), f"{state}: {self.tale(site)}")
        for act in RULES:
            taken, said = self.accepted(site, act)
            repeat = act in REPEATS.get(state, set())
            self.assertEqual(taken, act in offered or repeat, f"{act} while {state}: {said}")

    REST = "login options safe_mode_on repair reset import replace suspend upgrade overrule owner delete"

    def test_running(self) -> None:
        expected = f"stop restart back_up roll_back delete_backup traffic_off add_domain {self.REST}"
        self.check("running", self.running, expected)

    def test_stopped(self) -> None:
        inside = {"login", "import", "replace", "safe_mode_on"}
        rest = " ".join(act for act in self.REST.split() if act not in inside)
        self.check("stopped", self.stopped, f"start back_up traffic_off add_domain {rest}")

    def test_without_traffic(self) -> None:
        expected = f"stop restart back_up traffic_on add_domain {self.REST}"
        self.check("without traffic", self.without_traffic, expected)

    def test_suspended(self) -> None:
        self.check("suspended", self.suspended, "unsuspend upgrade repair overrule owner delete")

    def test_busy(self) -> None:
        self.check("busy", self.busy, "login suspend upgrade overrule owner delete")

    def test_full(self) -> None:
        expected = f"stop restart roll_back delete_backup remove_domain traffic_off {self.REST}"
        self.check("full", self.full, expected)

    def test_with_a_failed_domain(self) -> None:
        expected = f"stop restart back_up traffic_off add_domain retry_domain remove_domain {self.REST}"
        self.check("with a failed domain", self.with_a_failed_domain, expected)

    def test_provisioning(self) -> None:
        self.check("provisioning", self.provisioning, "suspend upgrade overrule owner delete")

    def test_being_undone(self) -> None:
        self.check("being undone", self.being_undone, "suspend upgrade overrule owner delete")

    def test_failed(self) -> None:
        self.check("failed", self.failed, "order_again close")

    def test_failed_and_ordered_again(self) -> None:
        self.check("failed and ordered again", self.failed_and_ordered_again, "close")

    def test_failed_while_orders_are_paused(self) -> None:
        def paused() -> Site:
            overrides.pause_orders(actor="staff anna", reason="maintenance")
            return site

        site = self.failed()
        self.check("failed while orders are paused", paused, "close")

    def test_gone(self) -> None:
        expected = "start stop restart back_up traffic_off add_domain reset repair replace unlink options"
        self.check(
            "gone", self.gone, f"{expected} safe_mode_on suspend upgrade overrule owner force_state delete"
        )

    def test_deleting(self) -> None:
        self.check("deleting", self.deleting, "")

    def test_deleted(self) -> None:
        self.check("deleted", self.deleted, "")

    def test_ended_and_holding(self) -> None:
        self.check("ended and holding", self.ended_and_holding, "order_again close release")

    def test_every_act_has_a_rule(self) -> None:
        self.assertEqual([act.name for act in ACTS if act.name not in RULES], [])
        self.assertEqual(set(RULES) - {act.name for act in ACTS}, set())
