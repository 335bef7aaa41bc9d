"""The database comes back from a dump: what is younger is found by its marks and adopted, nothing is given
out twice, nothing is removed until staff release it."""

from datetime import timedelta
from io import StringIO
from typing import Any

from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.utils import timezone

from nodepoint.clients import breaker
from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.connections import proxmox
from sites.enforcement import enforce_suspensions
from sites.models import Backup, CustomDomain, Plan, Platform, Site
from tests.base import on_one_database
from tests.dumps import Dump
from tests.sites.base import SiteTestCase, SiteTransactionTestCase, make_foreign
from tests.sites.domains import SHOP, DomainMixin

PLACE = ("vmid", "private_ip", "subdomain")


class RestoredMixin(DomainMixin):
    def restored(self, *words: str) -> str:
        """What the command prints, and what it closes with."""
        out = StringIO()
        try:
            call_command("restored", *words, stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error}"
        return out.getvalue()

    def standing(self) -> dict[str, Any]:
        """All that stands in the systems, whatever it is doing."""
        state = self.state()
        parts = {"proxmox": ("containers", "ha"), "cloudflare": ("records",), "npm": ("proxy_hosts",)}
        return {f"{system} {name}": state[system][name] for system, names in parts.items() for name in names}

    def act(self, path: str, service_id: str, **body: Any) -> None:
        """A call that has to be done at the end."""
        self.clock.time = self.clock.now()
        answer = self.post(path, {"service_id": service_id, **body}, Prefer="respond-async")
        self.assertEqual(answer.status_code, 200, answer.content)
        self.run_jobs()

    def places(self) -> dict[str, tuple]:
        """Where every live site is."""
        rows = Site.objects.filter(state=Site.State.LIVE)
        return {
            site.service_id: (site.pk, site.node, *(getattr(site, name) for name in PLACE)) for site in rows
        }


class RestoredTests(RestoredMixin, SiteTransactionTestCase):
    def test_five_orders_a_deletion_and_another_plan_after_the_dump(self) -> None:
        for number in (1, 2):
            self.live_site(service_id=f"old{number}", email=f"old{number}@example.com")
        dump = Dump()
        self.delete("old1")
        self.run_jobs()
        self.act("/wp/upgrade/", "old2", plan="standard")
        for number in range(5):
            plan = "premium" if number == 4 else "basic"
            self.live_site(service_id=f"new{number}", email=f"new{number}@example.com", plan=plan)
        self.add(SHOP, "new0")
        self.act("/action/mkbak", "new1")
        self.act("/suspend", "new2")
        places, stood = self.places(), self.standing()
        backup = Backup.objects.get(state=Backup.State.READY)
        dump.restore()
        self.assertEqual(set(self.places()), {"old1", "old2"})

        said = self.restored()
        self.assertEqual(self.places(), places, said)
        self.assertEqual(self.standing(), stood, "nothing is written to any system")
        self.assertEqual(Site.objects.get(service_id="old2").plan.name, "standard")
        self.assertEqual(Site.objects.get(service_id="old1").state, Site.State.DELETED, said)
        sites = {site.service_id: site for site in Site.objects.all()}
        self.assertEqual(
            [sites[f"new{number}"].plan.name for number in range(5)], ["basic"] * 4 + ["premium"]
        )
        self.assertTrue(sites["new2"].suspended)
        self.assertIsNone(sites["new4"].high_availability, "as the plan says")
        domain = CustomDomain.objects.get(domain=SHOP)
        self.assertEqual((domain.site, domain.serves), (sites["new0"], True))
        again = Backup.objects.get(state=Backup.State.READY)
        self.assertEqual((again.site.service_id, again.name), ("new1", backup.name))
        self.assertEqual(said.count("tell them on its page"), 5, said)
        self.assertIn("adopted", said)

        refused = self.order(service_id="next", email="new3@example.com")
        self.assertEqual((refused.status_code, refused.json()["code"]), (409, "no_capacity"))
        self.assertIn("Nothing new", self.restored())
        self.assertEqual(self.places(), places)
        self.assertIn("Released", self.restored("--release"))
        self.assertIn("No restored database waits", self.restored("--release"))

        site = self.live_site(service_id="next", email="new3@example.com")
        for place in places.values():
            self.assertTrue({site.vmid, site.private_ip, site.subdomain}.isdisjoint(place))
        self.assertGreater(site.pk, max(place[0] for place in places.values()))
        out = StringIO()
        call_command("reconcile", stdout=out)
        self.assertIn("; 0 found", out.getvalue())
        for service_id in [*places, "next"]:
            self.delete(service_id)
        self.run_jobs()
        self.assert_nothing_left()


class RestoredCase(RestoredMixin, SiteTestCase):
    """The rows go back to a savepoint: for them that is a dump that came back."""

    def dump(self) -> None:
        self.saved = transaction.savepoint()

    def come_back(self) -> None:
        transaction.savepoint_rollback(self.saved)

    def row(self, pk: int, service_id: str) -> dict[str, Any]:
        plan = Plan.objects.get(name="basic")
        named = {"service_id": service_id, "live_key": service_id, "public_ip": "203.0.113.10"}
        return {"pk": pk, **named, "email": f"{service_id}@example.com", "plan": plan}

    def unchanged(self) -> tuple:
        """What a command that was refused must leave alone."""
        sites = list(Site.objects.order_by("pk").values())
        jobs = list(Job.objects.order_by("pk").values("pk", "state", "active_key"))
        return sites, jobs, Restoration.objects.count(), Platform.current().orders_paused_at


class JobsOfTheDumpTests(RestoredCase):
    def test_an_order_at_work_that_ended_meanwhile_is_neither_repeated_nor_undone(self) -> None:
        site = self.create()
        self.run_until(site, "started", state="done")
        self.dump()
        self.run_jobs()
        self.add(SHOP)
        self.come_back()
        stood, letters = self.standing(), len(mail.outbox)
        site.refresh_from_db()
        self.assertEqual(site.state, Site.State.PROVISIONING)
        said = self.restored()
        site.refresh_from_db()
        self.assertEqual((site.state, self.job(site).state), ("live", "succeeded"), self.tale(site))
        self.assertEqual(site.email, "Jane.Doe@example.com")
        self.assertNotIn("tell them on its page", said)
        self.assertEqual(CustomDomain.objects.get().domain, SHOP)
        self.restored("--release")
        self.calls.clear()
        self.run_for(3600)
        self.assertEqual((self.standing(), len(mail.outbox)), (stood, letters))

    def test_an_order_that_is_not_whole_rests_and_goes_on_after_the_release_whatever_the_time(self) -> None:
        site = self.create()
        self.run_until(site, "container", state="done")
        said = self.restored()
        self.assertIn("The order goes on after the release", said)
        self.assertIn("its making had not come to its end", said)
        self.assertEqual(self.job(site).state, Job.State.WAITING)
        self.assertEqual(self.get("/status?service_id=1001").json()["job"]["state"], "waiting")
        self.clock.time = timezone.now()
        self.run_for(300)
        self.assertFalse(self.job(site).steps.filter(name="started", state="done").exists())
        Job.objects.update(deadline_at=timezone.now())  # half an hour has long passed
        Restoration.objects.update(dumped_at=timezone.now() - timedelta(hours=1))
        self.restored("--release")
        self.clock.time = timezone.now()
        self.run_jobs()
        self.assert_live(site)

    def test_a_rollback_at_work_is_not_carried_out_again(self) -> None:
        site = self.live_site()
        self.act("/action/mkbak", "1001")
        name = Backup.objects.get().name
        self.post("/action/rollback", {"service_id": "1001", "bak": name}, Prefer="respond-async")
        self.dump()
        self.run_jobs()
        self.come_back()
        self.calls.clear()
        self.assertIn("Not carried out again", self.restored())
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.count("proxmox", "/rollback"), 0)
        job = self.job(site, "sites.rollback")
        self.assertEqual((job.state, job.active_key), (Job.State.CANCELLED, None))
        self.assertEqual(
            self.post("/action/stop", {"service_id": "1001"}, Prefer="respond-async").status_code, 200
        )

    def test_a_deletion_that_was_done_meanwhile_is_not_done_to_who_came_after(self) -> None:
        site = self.live_site()
        self.delete()
        self.dump()
        self.run_jobs()
        self.live_site(service_id="after", email="after@example.com")
        self.come_back()
        stood = self.standing()
        said = self.restored()
        site.refresh_from_db()
        self.assertEqual(
            (site.state, self.job(site, "sites.terminate").state), ("deleted", "succeeded"), said
        )
        self.assertEqual(Site.objects.get(live_key="after").vmid, 900)
        self.restored("--release")
        self.run_jobs()
        self.assertEqual(self.standing(), stood)

    def test_a_third_plan_is_kept_and_the_change_before_it_is_void(self) -> None:
        site = self.live_site()
        self.post("/wp/upgrade/", {"service_id": "1001", "plan": "standard"}, Prefer="respond-async")
        self.dump()
        self.run_jobs()
        self.act("/wp/upgrade/", "1001", plan="premium")
        self.come_back()
        self.restored()
        self.restored("--release")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.plan.name, self.container(900)["memory"]), ("premium", 8192))

    def test_who_paid_meanwhile_is_not_stopped_and_who_did_not_is_not_started(self) -> None:
        for service_id in ("paid", "unpaid"):
            self.live_site(service_id=service_id, email=f"{service_id}@example.com")
        self.act("/suspend", "paid")
        self.dump()
        self.act("/unsuspend", "paid")
        self.act("/suspend", "unpaid")
        self.come_back()
        self.restored()
        suspended = {site.service_id: site.suspended for site in Site.objects.all()}
        self.assertEqual(suspended, {"paid": False, "unpaid": True})
        Site.objects.update(suspended_at=timezone.now() - timedelta(days=1))
        self.assertEqual(enforce_suspensions(), 0, "rows may be older than an unsuspension")


@on_one_database
class HeldTests(RestoredCase):
    """What waits until staff have looked."""

    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()
        self.dump()
        self.live_site(service_id="new", email="new@example.com")
        self.come_back()
        self.restored()

    def test_a_deletion_waits_for_the_release_and_is_carried_through_then(self) -> None:
        stood = self.standing()
        self.assertEqual(self.delete().json()["status"], "deleting")
        self.run_for(3600)
        self.assertEqual(self.standing(), stood)
        self.restored("--release")
        self.run_jobs()
        self.site.refresh_from_db()
        self.assertEqual(self.site.state, Site.State.DELETED)

    def test_nothing_is_put_right_or_removed(self) -> None:
        proxmox().set_config("node1", 900, memory=1024)
        Site.objects.filter(service_id="new").delete()
        stood = self.standing()
        said = StringIO()
        with self.assertRaisesRegex(CommandError, "restored --release"):
            call_command("reconcile", "--fix", "--yes", stdout=said)
        self.assertEqual(self.standing(), stood)


@on_one_database
class FoundTests(RestoredCase):
    def test_a_database_that_knows_everything_is_left_alone(self) -> None:
        self.live_site()
        before = self.unchanged()
        for _ in range(2):
            self.assertIn("it is no older copy. Nothing was changed", self.restored())
        self.assertEqual(self.unchanged(), before)

    def test_an_order_at_work_on_a_running_platform_is_no_sign_of_a_dump(self) -> None:
        site = self.create()
        self.run_until(site, "container", state="done")
        limits.take(queue.WORKER, 1, "worker", timezone.now(), 60)
        before = self.unchanged()
        self.assertIn("it is no older copy", self.restored())
        self.assertEqual(self.unchanged(), before)

    def test_a_site_that_is_gone_is_listed_and_not_made_again(self) -> None:
        site = self.live_site()
        self.dump()
        self.delete()
        self.run_jobs()
        self.come_back()
        said = self.restored()
        self.assertRegex(said, "missing +proxmox +site 1001 +Nothing of it stands anywhere")
        self.restored("--release")
        self.run_jobs()
        self.assert_nothing_left()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), (Site.State.LIVE, 900))

    def test_what_cannot_be_adopted_is_listed_with_the_reason(self) -> None:
        self.live_site(service_id="old", email="old@example.com")
        self.dump()
        dhcp = self.live_site(service_id="dhcp", email="dhcp@example.com")
        half = self.create(service_id="half", email="half@example.com")
        self.run_until(half, "container", state="done")
        proxmox().set_config(dhcp.node, dhcp.vmid, net0={"name": "eth0", "bridge": "vmbr1", "ip": "dhcp"})
        self.come_back()
        make_foreign(self, 950)
        said = self.restored()
        self.assertIn("its making had not come to its end", said)
        self.assertIn("its address is none that a site can have: dhcp", said)
        self.assertNotIn("950", said)
        self.assertEqual(Site.objects.count(), 1)

    def test_a_number_that_another_service_has_by_now_is_listed(self) -> None:
        self.live_site(service_id="old", email="old@example.com")
        self.dump()
        younger = self.live_site(service_id="young", email="young@example.com")
        self.come_back()
        Site.objects.create(**self.row(younger.pk, "hasty"))
        self.assertIn(f"Number {younger.pk} is that of hasty in the database", self.restored())

    def test_a_system_that_does_not_answer_leaves_all_as_it_was(self) -> None:
        self.live_site()
        Site.objects.all().delete()
        before = self.unchanged()
        for system in ("proxmox", "cloudflare", "npm", "ispconfig"):
            with self.subTest(system):
                self.fault(system, "refuse", count=50)
                self.assertIn("Not everything could be read", self.restored())
                self.clear_faults()
                self.assertEqual(self.unchanged(), before)

    def test_a_node_that_is_away_hides_its_containers_and_nothing_more(self) -> None:
        self.live_site(service_id="old", email="old@example.com")
        self.dump()
        self.live_site(service_id="new", email="new@example.com")
        self.come_back()
        self.control("node", node="node1", up=False)
        said = self.restored()
        self.assertEqual(said.count("run this again when its node is back"), 2, said)
        self.assertEqual(Site.objects.get().state, Site.State.LIVE)
        self.control("node", node="node1", up=True)
        breaker.forget()  # as another process, which the command is
        self.assertIn("adopted", self.restored())


@on_one_database
class OthersDatabaseTests(RestoredCase):
    """One sentence each, nothing changed."""

    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()

    def refused(self, words: str) -> None:
        before = self.unchanged()
        said = self.restored()
        self.assertRegex(said, words)
        self.assertIn("Nothing was changed", said)
        self.assertEqual(self.unchanged(), before)

    @override_settings(INSTALLATION_ID="other")
    def test_the_database_of_another_installation(self) -> None:
        self.refused("is that of the installation other, and its containers carry nodepoint:")

    def test_a_database_with_another_past(self) -> None:
        Site.objects.update(service_id="theirs", live_key="theirs")
        self.refused("None of the 1 sites in the database stands anywhere")

    def test_an_older_and_a_newer_schema_and_none(self) -> None:
        applied = MigrationRecorder.Migration.objects
        applied.create(app="sites", name="9999_tomorrow")
        self.refused("newer release, which knows sites.9999_tomorrow: install that one")
        applied.filter(app="sites", name="9999_tomorrow").delete()
        applied.filter(app="sites").latest("name").delete()
        self.refused("older release: run `manage.py migrate` first")
        applied.filter(app="nodepoint").delete()
        self.refused("holds no tables of NodePoint")
