"""Restoring an archive: in place, with one whole site at any time; refusals, faults, an order, a try."""

from unittest import mock

from django.db import transaction

from nodepoint.jobs import transitions
from nodepoint.jobs.models import Job
from sites.admin.forms import RestoreForm
from sites.archives.rows import Archive
from sites.connections import proxmox
from sites.flows.restore import RESTORE
from sites.models import Site
from sites.reconcile import compare
from sites.services import restores
from sites.services.legality import Facts, legal_acts
from tests.sites.restores import STORAGE, ArchivedCase

LXC = "/api2/json/nodes/node1/lxc"


class RestoreTests(ArchivedCase):
    def test_the_site_is_that_of_the_archive_with_names_address_and_plan_of_now(self):
        self.done("/wp/upgrade", plan="standard")
        answer = self.begun("/action/restore", archive=self.archive.name)
        self.assertEqual((answer["state"], answer["job"]["kind"]), ("running", "sites.restore"))
        self.refused("/action/restore", 409, "busy", archive=self.archive.name)
        self.run_jobs()
        self.assert_one_whole_site("old")
        site = Site.objects.get(pk=self.site.pk)
        self.assertEqual(
            (site.private_ip, site.hostname, site.serves_as, site.tuned_for_mb),
            (self.site.private_ip, self.site.hostname, self.site.hostname, 4096),
        )
        config = self.config(site.vmid)
        self.assertEqual((config["memory"], config["onboot"]), (4096, 1))
        self.assertEqual(self.container(site.vmid)["snapshots"], ["initial"])
        self.assertIsNotNone(Archive.objects.get().verified_at)
        self.assertEqual(list(compare().findings), [])
        self.assertEqual(self.get("/status?service_id=1001").json()["status"], "running")

    def test_staff_are_offered_it_where_there_is_an_archive(self):
        self.assertIn("restore_archive", legal_acts(Facts(self.site)))
        form = RestoreForm(subject=self.site)
        self.assertEqual([name for name, _ in form.fields["archive"].choices], [self.archive.name])
        Archive.objects.update(state=Archive.State.DELETED)
        self.assertNotIn("restore_archive", legal_acts(Facts(self.site)))

    def test_who_waits_is_told_the_status(self):
        answer = self.done("/action/restore", archive=self.archive.name)
        self.assertEqual(answer["status"], "running")

    def test_a_site_under_ha_has_it_afterwards(self):
        self.done("/wp/upgrade", plan="premium")
        self.restored()
        self.assertEqual([ha["sid"] for ha in self.state()["proxmox"]["ha"]], [f"ct:{self.vmid}"])
        self.assert_one_whole_site("old")

    def test_a_stopped_site_stays_stopped(self):
        self.done("/action/stop")
        self.restored()
        self.assertEqual((self.container(self.vmid)["status"], self.noted()), ("stopped", "old"))

    def test_a_site_whose_container_is_gone_has_one_again(self):
        self.lose(900)
        self.restored()
        self.assert_one_whole_site("old")

    def lose(self, vmid: int) -> None:
        node = self.container(vmid)["node"]
        proxmox().stop(node, vmid)
        proxmox().delete_container(node, vmid)

    def test_on_another_node_where_the_sites_own_is_away(self):
        self.lose(900)
        Site.objects.filter(pk=self.site.pk).update(node="node1")
        self.control("node", node="node1", up=False)
        self.restored()
        self.assertEqual(self.container(self.vmid)["node"], "node2")
        self.assert_one_whole_site("old")


class RefusalTests(ArchivedCase):
    def test_what_is_not_the_sites_own_is_not_there(self):
        other = self.live_site(service_id="1002", email="other@example.com", plan="basic")
        theirs = self.archived(other)
        for name in (theirs.name, "ARC01012020-aaaaaa", "../x"):
            self.refused("/action/restore", 404, "not_found", archive=name)
        Archive.objects.filter(pk=self.archive.pk).update(state=Archive.State.DELETED)
        self.refused("/action/restore", 404, "not_found", archive=self.archive.name)

    def test_a_site_that_is_larger_than_the_plan_is_refused_with_what_is_missing(self):
        Archive.objects.filter(pk=self.archive.pk).update(disk_gb=40)
        answer = self.refused("/action/restore", 409, "disk_too_small", archive=self.archive.name)
        self.assertIn("20 GB are missing", answer["error"])

    def test_a_suspended_service_is_refused(self):
        self.ask("/suspend")
        self.run_jobs()
        self.refused("/action/restore", 401, "service_suspended", archive=self.archive.name)

    def test_one_that_was_deleted_by_hand_is_said_to_be_gone_and_known_as_missing(self):
        path = ("nodes", "node1", "storage", STORAGE, "content", *self.archive.volid.split("/"))
        proxmox()._delete(*path)
        self.assertIn("not there any more", self.restored("rolled_back").error)
        self.assertEqual(Archive.objects.get().state, Archive.State.MISSING)
        self.assert_one_whole_site("new")

    def test_one_that_carries_another_mark_is_left_alone(self):
        for mark in ("", "nodepoint:elsewhere12345678:1001:1"):
            with mock.patch("sites.steps.second.mark_in", return_value=mark):
                self.assertIn("something else", self.restored("rolled_back").error)
            self.assert_one_whole_site("new")

    def test_a_storage_without_room_is_told_before_anything_is_made(self):
        self.control("storage", storage="global-lvm", free=10)
        self.assertIn("no room", self.restored("rolled_back").error)
        self.assert_one_whole_site("new")


class InterruptedTests(ArchivedCase):
    """However it ends, the site is the old one or the new one, and nothing else of it stands."""

    def test_an_archive_that_cannot_be_unpacked_leaves_the_site_as_it_is(self):
        self.fault("proxmox", "error", ":vzrestore:", count=20)
        before = self.container(900)["snapshots"]
        self.restored("rolled_back")
        self.assert_one_whole_site("new")
        self.assertEqual((self.vmid, self.container(900)["snapshots"]), (900, before))

    def test_a_site_that_does_not_answer_brings_the_former_one_back_with_its_backups(self):
        self.done("/action/mkbak")
        before = self.container(900)["snapshots"]
        with mock.patch("sites.steps.wordpress.wrong_inside", return_value="500: Database Error"):
            self.begun("/action/restore", archive=self.archive.name)
            self.run_for(30 * 60)
        self.run_jobs()
        job = self.site_jobs("sites.restore").first()
        self.assertEqual(job.state, "rolled_back", self.tale(self.site))
        self.assert_one_whole_site("new")
        self.assertEqual((self.vmid, self.container(900)["snapshots"]), (900, before))

    def test_each_call_that_loses_its_answer_or_fails_once_changes_nothing_about_the_end(self):
        self.restored()
        calls = sorted({(system, call) for system, call in self.calls if not call.startswith("GET")})
        self.assertGreater(len(calls), 8)
        for system, call in calls:
            for kind in ("drop_after", "error"):
                with self.subTest(call=call, kind=kind):
                    self.note("new")
                    match = call.replace(str(self.vmid), "")  # the VMIDs change with every restore
                    self.fault(system, kind, match.rpartition("/")[2] or match)
                    self.begun("/action/restore", archive=self.archive.name)
                    self.run_jobs()
                    self.clear_faults()
                    state = self.site_jobs("sites.restore").first().state
                    self.assert_one_whole_site({"succeeded": "old", "rolled_back": "new"}[state])

    def test_given_up_after_any_step_it_ends_in_one_whole_site(self):
        names = [step.name for step in RESTORE.steps]
        for name in names[: names.index("former_gone")]:
            with self.subTest(name):
                self.note("new")
                vmid = self.vmid
                self.begun("/action/restore", archive=self.archive.name)
                self.go_on_until_done(name)
                self.give_up()
                self.run_jobs()
                self.assert_one_whole_site("new")
                self.assertEqual(self.vmid, vmid)

    def test_a_deletion_after_any_step_leaves_nothing(self):
        for name in ("placed", "unpacked", "exchanged", "powered"):
            with self.subTest(name):
                if not Site.objects.filter(state=Site.State.LIVE).exists():
                    self.site = self.live_site(plan=self.plan)
                    self.note("old")
                    self.archive = self.archived(self.site)
                self.begun("/action/restore", archive=self.archive.name)
                self.go_on_until_done(name)
                self.delete()
                self.run_jobs()
                self.assertEqual(self.state()["proxmox"]["containers"], [], self.tale(self.site))
                self.assertEqual(Site.objects.filter(other_vmid__isnull=False).count(), 0)

    def latest(self) -> Job:
        return self.site_jobs("sites.restore").first()

    def go_on_until_done(self, name: str) -> None:
        while self.latest().steps.get(name=name).state not in ("done", "skipped"):
            self.assertTrue(self.run_calls(1), self.tale(self.site))

    def give_up(self) -> None:
        with transaction.atomic():
            job = transitions.lock(self.latest().pk)
            transitions.turn_back(
                job, list(job.steps.all()), "It was given up.", "by a test", self.clock.time
            )


class OrderTests(ArchivedCase):
    def reordered(self, status: int = 200, **changes):
        order = {"service_id": "2001", "plan": "basic", "archive": self.archive.name, **changes}
        answer = self.order(**order)
        self.assertEqual(answer.status_code, status, answer.content)
        return answer.json()

    def test_a_deleted_site_comes_back_on_another_node_with_the_same_pages(self):
        tables = dict(self.lab.guest._guests[900]["tables"])
        self.delete()
        self.run_jobs()
        self.control("node", node="node1", up=False)
        self.reordered(service_id="1001")
        self.run_jobs()
        self.site = Site.objects.get(live_key="1001")
        self.assert_one_whole_site("old")
        self.assertEqual(self.container(self.site.vmid)["node"], "node2")
        self.assertEqual(self.lab.guest._guests[self.site.vmid]["tables"], tables)
        self.assertEqual(self.site.serves_as, self.site.hostname)

    def test_only_its_own_customer_gets_it(self):
        for changes in (
            {"email": "stranger@example.com"},
            {"archive": "ARC01012020-aaaaaa"},
        ):
            self.assertEqual(self.reordered(404, **changes)["code"], "not_found")
        Site.objects.filter(pk=self.site.pk).update(user_id="7")
        self.assertEqual(self.reordered(404, user_id="8")["code"], "not_found")
        self.assertEqual(self.reordered(user_id="7", email="elsewhere@example.com")["status"], "provisioning")

    def test_an_archive_that_cannot_be_unpacked_undoes_the_order(self):
        self.fault("proxmox", "error", ":vzrestore:", count=20)
        self.reordered()
        self.run_jobs()
        self.assertEqual(Site.objects.get(service_id="2001").state, Site.State.FAILED)
        self.assertEqual([c["vmid"] for c in self.state()["proxmox"]["containers"]], [900])


class DrillTests(ArchivedCase):
    def drilled(self) -> Job | None:
        restores.try_next()
        self.run_jobs()
        return self.site_jobs("sites.drill").first()

    def test_an_archive_is_tried_apart_from_everything_and_leaves_nothing(self):
        self.begun_drill()
        self.run_until(self.site, "started", "sites.drill", state="done")
        other = Site.objects.get(pk=self.site.pk).other_vmid
        seen = proxmox().config("node1", other)
        self.assertEqual(seen.net0.get("link_down"), "1")
        self.assertFalse(seen.onboot)
        self.run_jobs()
        self.assertEqual(self.site_jobs("sites.drill").first().state, "succeeded", self.tale(self.site))
        self.assertIsNotNone(Archive.objects.get().verified_at)
        self.assert_one_whole_site("new")
        self.assertEqual(self.vmid, 900)

    def begun_drill(self) -> None:
        self.assertIsNotNone(restores.try_next())
        self.assertIsNone(restores.try_next(), "one at a time")

    def test_one_that_does_not_answer_is_told_and_leaves_nothing(self):
        self.lab.guest._guests[900]["trouble"] = "database"
        self.archive.delete()
        self.archive = self.archived(self.site)
        self.lab.guest._guests[900]["trouble"] = ""
        self.begun_drill()
        self.run_for(20 * 60)
        self.run_jobs()
        job = self.site_jobs("sites.drill").first()
        self.assertEqual(job.state, "rolled_back", self.tale(self.site))
        self.assertIn("does not answer", job.error)
        self.assertIsNone(Archive.objects.get().verified_at)
        self.assert_one_whole_site("new")

    def test_sites_have_their_turns(self):
        other = self.live_site(service_id="1002", email="other@example.com", plan="basic")
        self.archived(other)
        turns = []
        for _ in range(3):
            self.drilled()
            turns.append(Job.objects.filter(kind="sites.drill").latest("created_at").subject)
        self.assertEqual(turns, [self.site.key, other.key, self.site.key])

    def test_without_archives_and_without_a_storage_for_them_nothing_is_tried(self):
        Archive.objects.all().delete()
        self.assertIsNone(self.drilled())
