"""What differs from the systems: found every hour, shown, and put right without a shell."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from nodepoint import reconcile
from nodepoint.audit.models import Entry
from nodepoint.board import drift, findings, tasks
from nodepoint.board.findings import Found
from nodepoint.board.models import Finding, Reading
from nodepoint.clients.errors import Conflict
from nodepoint.jobs.models import Job
from sites import watch
from sites.clients.npm import Certificate
from sites.connections import cloudflare, proxmox
from sites.models import Site
from sites.placement import reading
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

LIST = "/admin/board/finding/"


class DriftTestCase(SiteTestCase):
    """A site that is live, and an operator."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("olga", "operator"))
        self.site = self.live_site()
        Job.objects.update(finished_at=timezone.now() - timedelta(minutes=5))  # or it counts as restless

    def compare(self) -> list[Finding]:
        """Compare by the job, as the workers do every hour."""
        tasks.compare()
        self.run_jobs()
        return list(Finding.objects.filter(look=drift.LOOK).order_by("pk"))

    def lose_the_record(self) -> None:
        """Somebody deletes the site's DNS record."""
        (record,) = cloudflare().find_records(self.site.hostname)
        cloudflare().delete_record(record.id)

    def put_right(self, *rows: Finding, **data: str):
        """Choose rows in the list and answer the question with yes."""
        chosen = {"action": "put_right", "_selected_action": [row.pk for row in rows], "select_across": "0"}
        return self.client.post(LIST, {**chosen, "confirmed": "1", "reason": "", **data}, follow=True)


class CompareTests(DriftTestCase):
    def test_a_platform_without_differences_has_no_findings(self) -> None:
        self.assertEqual(self.compare(), [])
        self.assertEqual(Reading.objects.get(name=drift.LOOK).data["unread"], {})

    def test_a_difference_is_kept_until_it_is_gone(self) -> None:
        self.lose_the_record()
        (row,) = self.compare()
        self.assertEqual((row.kind, row.system, row.subject), ("missing", "cloudflare", self.site.key))
        first = row.first_seen
        (again,) = self.compare()
        self.assertEqual((again.pk, again.first_seen), (row.pk, first))
        self.assertGreater(again.last_seen, first)
        self.assertIn(self.site.service_id, self.client.get(LIST).content.decode())

    def test_a_system_that_is_away_takes_nothing_back(self) -> None:
        self.lose_the_record()
        self.compare()
        self.fault("cloudflare", "refuse", count=1000)
        self.assertEqual(len(self.compare()), 1)
        self.assertContains(self.client.get(LIST), "Cloudflare could not be read.")

    def test_no_two_comparisons_run_at_once(self) -> None:
        self.assertEqual(tasks.compare(), tasks.compare())
        self.assertEqual(Job.objects.filter(kind="board.compare").count(), 1)

    def test_an_operator_has_it_done_now_and_support_cannot(self) -> None:
        answer = self.client.post(f"{LIST}compare_now/")
        job = Job.objects.get(kind="board.compare")
        self.assertRedirects(answer, f"/admin/jobs/job/{job.pk}/change/", fetch_redirect_response=False)
        self.client.force_login(make_staff("sam", "support"))
        self.assertEqual(self.client.post(f"{LIST}compare_now/").status_code, 403)


class PutRightTests(DriftTestCase):
    def test_an_operator_has_a_difference_repaired(self) -> None:
        self.lose_the_record()
        (row,) = self.compare()
        self.assertContains(self.put_right(row), "1 being put right")
        self.run_jobs()
        (record,) = cloudflare().find_records(self.site.hostname)
        self.assertEqual(record.comment, self.site.owner_mark)
        Job.objects.update(finished_at=timezone.now() - timedelta(minutes=5))
        self.assertEqual(self.compare(), [])

    def test_it_is_asked_before_anything_is_done(self) -> None:
        self.lose_the_record()
        (row,) = self.compare()
        chosen = {"action": "put_right", "_selected_action": [row.pk], "select_across": "0"}
        page = self.client.post(LIST, chosen)
        self.assertContains(page, "What differs is made again")
        self.assertContains(page, f'name="_selected_action" value="{row.pk}"')
        self.assertFalse(Job.objects.filter(kind="sites.repair").exists())

    def test_what_is_busy_already_is_told(self) -> None:
        self.lose_the_record()
        (row,) = self.compare()
        self.put_right(row)
        self.assertContains(self.put_right(row), "something else goes on there")

    def orphan(self) -> Finding:
        """A record that carries the mark of a site that ended long ago."""
        ended = timezone.now() - timedelta(days=3)
        gone = SiteFactory(deleted=True, ended_at=ended)
        cloudflare().create_record("A", "gone.nodepoint.eu", "203.0.113.9", comment=gone.owner_mark)
        (row,) = self.compare()
        self.assertEqual((row.kind, row.mendable), ("orphan", True))
        return row

    def test_an_operator_has_what_is_left_over_removed(self) -> None:
        self.put_right(self.orphan())
        self.run_jobs()
        self.assertEqual(cloudflare().find_records("gone.nodepoint.eu"), [])
        self.assertFalse(Finding.objects.exists())
        self.assertEqual(Job.objects.get(kind="board.remove_orphan").state, "succeeded")

    def test_what_has_been_taken_into_use_meanwhile_stays(self) -> None:
        row = self.orphan()
        self.put_right(row)
        (record,) = cloudflare().find_records("gone.nodepoint.eu")
        cloudflare().update_record(record.id, comment="by hand now")
        self.run_jobs()
        self.assertEqual(len(cloudflare().find_records("gone.nodepoint.eu")), 1)

    def test_nothing_is_removed_while_the_system_cannot_be_read(self) -> None:
        row = self.orphan()
        self.put_right(row)
        self.fault("cloudflare", "error", count=4)
        self.run_calls(1)
        self.assertEqual(Job.objects.get(kind="board.remove_orphan").state, "waiting")
        self.clear_faults()
        self.run_jobs()
        self.assertEqual(cloudflare().find_records("gone.nodepoint.eu"), [])
        self.assertEqual(Job.objects.get(kind="board.remove_orphan").state, "succeeded")

    def test_support_is_not_offered_it_and_cannot_do_it(self) -> None:
        self.lose_the_record()
        (row,) = self.compare()
        self.client.force_login(make_staff("sam", "support"))
        self.assertNotContains(self.client.get(LIST), "Put right")
        self.put_right(row)
        self.run_jobs()
        self.assertEqual(cloudflare().find_records(self.site.hostname), [])


class LeaveTests(DriftTestCase):
    def act(self, row: Finding, name: str, reason: str = "two cores are enough for him"):
        return self.client.post(f"{LIST}{row.pk}/act/{name}/", {"reason": reason}, follow=True)

    def test_what_is_meant_to_be_so_is_off_the_board_until_it_differs_otherwise(self) -> None:
        proxmox().set_config(self.site.node, self.site.vmid, cores=1)
        (row,) = self.compare()
        self.assertContains(self.act(row, "leave", ""), "This field is required")
        self.assertContains(self.act(row, "leave"), "It is off the board.")
        (row,) = self.compare()
        self.assertEqual((row.left_by, row.left_reason), ("staff olga", "two cores are enough for him"))
        self.assertFalse(findings.standing().exists())
        self.assertEqual(Entry.objects.filter(act="board.leave").count(), 1)
        proxmox().set_config(self.site.node, self.site.vmid, memory=512)
        (row,) = self.compare()
        self.assertEqual((row.left_at, findings.standing().count()), (None, 1))

    def test_it_is_put_on_the_board_again_and_support_may_do_neither(self) -> None:
        proxmox().set_config(self.site.node, self.site.vmid, cores=1)
        (row,) = self.compare()
        self.act(row, "leave")
        self.client.force_login(make_staff("sam", "support"))
        self.assertEqual(self.act(row, "take_up").status_code, 403)
        self.client.force_login(make_staff("otto", "operator"))
        self.act(row, "take_up")
        self.assertEqual(findings.standing().count(), 1)


class KeepTests(DriftTestCase):
    def found(self, count: int, system: str = "npm") -> list[Found]:
        return [Found("differs", system, f"host {number}") for number in range(count)]

    def test_too_many_are_counted_and_the_first_ones_kept(self) -> None:
        with mock.patch.object(findings, "MOST", 5):
            self.assertEqual(findings.keep("x", self.found(9)), 9)
        self.assertEqual(Finding.objects.count(), 5)

    def test_looks_do_not_touch_each_others_findings(self) -> None:
        findings.keep("x", self.found(3))
        findings.keep("y", self.found(2))
        findings.keep("x", [])
        self.assertEqual(Finding.objects.count(), 2)

    def test_what_a_side_does_not_know_any_more_is_not_put_right(self) -> None:
        row = Finding(look="x", kind="differs", mendable=True, data={"app": "gone", "act": "repair"})
        self.assertIsNone(drift.put_right(row, "x"))

    def test_a_finding_of_a_row_that_is_gone_is_left_alone(self) -> None:
        row = Finding(
            kind="differs", subject="sites.site:99999", mendable=True, data={"app": "sites", "act": "repair"}
        )
        self.assertIsNone(drift.put_right(row, "x"))

    def test_every_side_can_be_told_by_its_app(self) -> None:
        self.assertEqual(sorted(drift._app(side) for side in reconcile.sides()), ["dns", "sites"])

    def test_a_removal_that_is_refused_fails_and_says_so(self) -> None:
        side = mock.Mock(remove=mock.Mock(side_effect=Conflict("npm", "it does not carry the mark")))
        side.compare.__module__ = "other.reconcile"
        one = reconcile.Finding(reconcile.Kind.ORPHAN, "npm", "proxy host 1", "", orphan=object(), mark="m")
        side.compare.return_value = reconcile.Report([one])
        with mock.patch.object(drift, "sides", return_value=[side]), self.assertRaises(Conflict):
            drift.remove("other", drift._found(side, one).digest(drift.LOOK))


class WatchTests(DriftTestCase):
    def suspend(self, power: str = "stopped") -> None:
        """By our rows alone: the container runs on."""
        long_ago = timezone.now() - timedelta(minutes=10)
        Site.objects.update(suspended_at=long_ago, power=power, power_verified_at=long_ago)

    def look(self) -> list[Finding]:
        watch.look()
        return list(Finding.objects.filter(look=watch.LOOK))

    def test_it_reads_how_full_the_nodes_are(self) -> None:
        self.look()
        nodes = {node["name"]: node for node in Reading.objects.get(name=reading.NODES).data["nodes"]}
        node = nodes[self.site.node]
        self.assertEqual((node["memory_held"], node["cores_held"], node["disk_held"]), (2.0, 2.0, 20.0))
        self.assertGreater(node["memory_total"], node["memory_held"])
        self.assertGreater(node["disk_total"], 0)

    def test_a_node_that_is_away_is_no_reason_to_stop(self) -> None:
        self.control("node", node="node2", up=False)
        self.look()
        nodes = {node["name"]: node for node in Reading.objects.get(name=reading.NODES).data["nodes"]}
        self.assertEqual((nodes["node2"]["online"], nodes["node2"]["disk_total"]), (False, 0.0))

    def test_a_suspended_site_that_runs_is_found_and_its_cure_takes_it_away(self) -> None:
        self.suspend()
        (row,) = self.look()
        self.assertEqual((row.kind, row.subject, row.label), ("runs", self.site.key, self.site.service_id))
        listed = self.client.get("/admin/sites/site/?attention=suspended_running").context["cl"]
        self.assertEqual([site.pk for site in listed.result_list], [self.site.pk])
        Site.objects.update(power="stopped", power_verified_at=timezone.now())
        self.assertEqual(self.look(), [], "a job of ours has verified it later than the reading")

    def test_a_suspension_of_this_moment_is_not_reported(self) -> None:
        self.suspend()
        Site.objects.update(suspended_at=timezone.now())
        self.assertEqual(self.look(), [])

    def test_while_proxmox_is_away_the_findings_stay(self) -> None:
        self.suspend()
        self.look()
        self.fault("proxmox", "refuse", count=100)
        self.assertEqual(len(self.look()), 1)

    def seen(self) -> list[tuple[str, str, str]]:
        """What the two-minute look keeps of containers."""
        watch.look()
        rows = Finding.objects.filter(look=drift.LOOK).order_by("pk")
        return [(row.kind, row.thing, row.detail) for row in rows]

    def test_what_one_look_knows_the_board_says_and_takes_back(self) -> None:
        self.assertEqual(self.seen(), [])
        thing = f"container {self.site.vmid}"
        proxmox().stop(self.site.node, self.site.vmid)
        self.assertEqual(self.seen(), [("differs", thing, "stopped instead of running")])
        self.assertContains(self.client.get("/admin/"), "stopped instead of running")
        self.assertEqual(len(self.compare()), 1, "the comparison keeps the same row")
        proxmox().start(self.site.node, self.site.vmid)
        self.assertEqual(self.seen(), [])
        del self.lab.proxmox.cluster.containers[self.site.vmid]
        (row,) = self.seen()
        self.assertEqual(row[:2], ("missing", thing))
        self.assertContains(self.client.get("/admin/"), "Things that are gone")

    def test_a_container_that_was_moved_is_followed(self) -> None:
        Site.objects.update(node="node9")
        self.assertEqual(self.seen(), [])
        self.assertEqual(Site.objects.get().node, self.site.node)

    def test_what_a_job_works_on_is_not_judged_and_its_findings_stay(self) -> None:
        proxmox().stop(self.site.node, self.site.vmid)
        before = self.seen()
        Job.objects.update(finished_at=timezone.now())
        proxmox().set_config(self.site.node, self.site.vmid, cores=1)
        self.assertEqual(self.seen(), before)

    def test_a_suspended_site_that_runs_is_told_once(self) -> None:
        self.suspend()
        self.assertEqual((len(self.look()), self.seen()), (1, []))

    def test_a_node_that_is_away_takes_nothing_back(self) -> None:
        proxmox().stop(self.site.node, self.site.vmid)
        before = self.seen()
        self.control("node", node=self.site.node, up=False)
        self.assertEqual(self.seen(), before)

    def certificate(self, number: int, days: float, ordered_days_ago: float = 80) -> Certificate:
        now = timezone.now()
        began, ends = now - timedelta(days=ordered_days_ago), now + timedelta(days=days)
        return Certificate(number, "letsencrypt", "", frozenset(), began, ends)

    def test_certificates_of_ours_that_end_soon_are_found(self) -> None:
        Site.objects.update(certificate_id=7)
        other = SiteFactory(certificate_id=8)
        other.custom_domains.create(domain="shop.example.org", certificate_id=9)
        given = [self.certificate(7, 13), self.certificate(8, 15), self.certificate(9, -1)]
        given += [self.certificate(99, 1), self.certificate(8, 0.01, ordered_days_ago=0)]
        with self.settings(NPM_CERTIFICATE="99"):
            found = list(watch.ending(given, timezone.now()))
        things = [one.thing for one in found]
        self.assertEqual(
            things,
            [
                "the shared certificate for *.nodepoint.eu",
                f"certificate of {self.site.hostname}",
                "certificate of shop.example.org",
            ],
        )
        self.assertIn("certificate 9", found[2].detail)
