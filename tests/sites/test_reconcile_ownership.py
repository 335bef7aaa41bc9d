"""What the comparison says of things that are not ours any more, another installation's, or of rows that are
gone, and what nobody but a person may have removed."""

from datetime import timedelta
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from lab.proxmox import readings
from nodepoint.board.models import Finding
from nodepoint.clients.errors import Conflict
from nodepoint.jobs.models import Job
from sites import guests, orphans
from sites.connections import npm, proxmox
from sites.models import Site
from tests.base import on_one_database
from tests.sites.base import foreign_record
from tests.sites.test_reconcile import NAME, ReconcileTestCase
from tests.staff.base import make_staff

ELSEWHERE = "nodepoint:elsewhere:1001:1"
POOL = "nodepoint"


@on_one_database
class ForeignTests(ReconcileTestCase):
    def annotate(self, description: str) -> None:
        proxmox().set_config(self.site.node, self.site.vmid, description=description)

    def test_a_mark_that_somebody_took_away_is_seen_though_name_and_tag_are_as_ever(self) -> None:
        self.annotate("mine now")
        (finding,) = self.assert_found(("foreign", "proxmox", "container 900", False))
        self.assertEqual(finding.detail, "janedoe without our mark")

    def test_notes_around_the_mark_are_no_difference(self) -> None:
        self.annotate(f"Ask Bob\n{self.site.owner_mark}\nmoved in May")
        self.assert_found()

    def test_what_another_installation_has_on_our_names_and_numbers_says_so(self) -> None:
        self.annotate(ELSEWHERE)
        foreign_record(NAME, type="AAAA", content="2001:db8::7", comment=ELSEWHERE)
        npm().create_proxy_host(["x.example"], self.site.private_ip, meta={"nodepoint": ELSEWHERE})
        findings = self.found()
        self.assertEqual({finding.kind for finding in findings}, {"foreign"})
        self.assertEqual(len(findings), 3)
        for finding in findings:
            self.assertIn(f"with the mark of another installation ({ELSEWHERE})", finding.detail)

    def test_what_it_has_elsewhere_is_no_concern_of_ours(self) -> None:
        foreign_record("other.nodepoint.eu", comment=ELSEWHERE)
        npm().create_proxy_host(["other.example"], "192.168.1.7", meta={"nodepoint": ELSEWHERE})
        self.assert_found()

    def test_a_container_with_our_tag_and_no_mark_may_have_been_ours(self) -> None:
        self.end(self.site, days=2)
        self.annotate("mine now")
        findings = [finding for finding in self.found() if finding.system == "proxmox"]
        self.assertEqual([(finding.kind, finding.orphan) for finding in findings], [("foreign", None)])
        self.assertIn("it may have been ours", findings[0].detail)

    def test_a_deleted_site_that_keeps_an_address_is_listed_until_it_is_released(self) -> None:
        self.annotate("mine now")
        self.delete()
        self.run_jobs()
        self.settle()
        (finding,) = self.assert_found(("foreign", "proxmox", "container 900", False))
        self.assertIn(
            "Address 192.168.1.100, VMID and name of 1001, which has ended, stay reserved", finding.detail
        )
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[900]
        (finding,) = self.assert_found(("differs", "proxmox", "container 900", False))
        self.assertIn("release the site", finding.detail)

    def test_what_no_list_shows_and_is_there_is_not_missing(self) -> None:
        shown = readings.resources
        hidden = lambda cluster, type: [g for g in shown(cluster, type) if g.get("vmid") != 900]  # noqa: E731
        with mock.patch.object(readings, "resources", hidden):
            (finding,) = self.assert_found(("differs", "proxmox", "container 900", False))
        self.assertIn("not shown to our token", finding.detail)

    def test_marks_are_read_of_some_at_a_time_and_of_what_is_known_again(self) -> None:
        with mock.patch.object(guests, "CONFIGURATIONS", 1):
            other = self.live_site(service_id="2", email="b@example.com")
            self.settle()
            for site in (self.site, other):
                proxmox().set_config(site.node, site.vmid, description="mine now")
            found = set()
            now = timezone.now()
            for hours in range(2):
                with mock.patch.object(guests.timezone, "now", return_value=now + timedelta(hours=hours)):
                    (finding,) = self.found()
                found.add(finding.owner.pk)
            self.assertEqual(found, {self.site.pk, other.pk})
            for site in (self.site, other):
                thing = {"look": "reconcile", "system": "proxmox", "subject": site.key, "kind": "foreign"}
                Finding.objects.create(digest=site.key, thing=f"container {site.vmid}", **thing)
            self.assertEqual(len(self.found()), 2)


@on_one_database
class UnprovenTests(ReconcileTestCase):
    """The rows of live sites are gone, as after the database came back from an older dump."""

    def setUp(self) -> None:
        super().setUp()
        self.marks = self.site.owner_mark
        Job.objects.all().delete()
        self.site.delete()
        self.client.force_login(make_staff("olga", "operator"))

    def stop_all(self) -> None:
        proxmox().stop("node1", 900)
        for host in npm().proxy_hosts():
            npm().disable_proxy_host(host.id)

    def test_fix_removes_none_of_it(self) -> None:
        self.stop_all()
        before = self.leftovers()
        text, closing = self.reconcile("--fix", "--yes", "--force")
        self.assertEqual(closing, "Left as they are: 3.", text)
        self.assertIn("no proof that it is dead", text)
        self.assertNotIn("--fix removes it", text)
        self.assertEqual(self.leftovers(), before)

    def test_what_is_in_use_is_not_even_offered(self) -> None:
        offered = {finding.system for finding in self.found() if finding.orphan}
        self.assertEqual(offered, {"cloudflare"}, "a record does not say whether it is used")

    def test_nor_removed_when_it_came_into_use_after_the_look(self) -> None:
        self.stop_all()
        findings = self.found()
        self.assertEqual(len([finding for finding in findings if finding.orphan]), 3)
        proxmox().start("node1", 900)
        for host in npm().proxy_hosts():
            npm().enable_proxy_host(host.id)
        before = self.leftovers()
        for finding in findings:
            with self.assertRaisesRegex(Conflict, "in use"):
                orphans.remove(finding.orphan, finding.mark)
        self.assertEqual(self.leftovers(), before)

    def test_a_person_removes_it_one_by_one_and_not_in_bulk(self) -> None:
        self.stop_all()
        self.compare_by_job()
        rows = list(Finding.objects.filter(kind="orphan"))
        self.assertEqual(len(rows), 3)
        chosen = {"action": "put_right", "_selected_action": [row.pk for row in rows], "select_across": "0"}
        self.client.post("/admin/board/finding/", {**chosen, "confirmed": "1", "reason": ""})
        self.run_jobs()
        self.assertFalse(Job.objects.filter(kind="board.remove_orphan").exists())
        page = self.client.get(f"/admin/board/finding/{rows[0].pk}/act/put_right/")
        self.assertContains(page, "no row of ours says that it is dead")
        for row in sorted(rows, key=lambda row: row.system == "proxmox"):
            self.client.post(f"/admin/board/finding/{row.pk}/act/put_right/", {"reason": "an old demo"})
        self.run_jobs()
        self.assert_nothing_left()

    def compare_by_job(self) -> None:
        self.client.post("/admin/board/finding/compare_now/")
        self.run_jobs()

    def test_marks_of_before_installations_were_told_apart_prove_as_little(self) -> None:
        ended = timezone.now() - timedelta(days=3)
        site = Site.objects.create(
            service_id="5",
            email="x@example.com",
            public_ip="203.0.113.10",
            plan=self.site.plan,
            state="deleted",
            ended_at=ended,
        )
        foreign_record("old.nodepoint.eu", comment=f"nodepoint:5:{site.pk}")
        foreign_record("new.nodepoint.eu", comment=site.owner_mark)
        found = {f.thing.split()[1]: f.unproven for f in self.found() if f.owner == site}
        self.assertEqual(found, {"old.nodepoint.eu": True, "new.nodepoint.eu": False})


@override_settings(PROXMOX_POOL=POOL)
@on_one_database
class DriftTests(ReconcileTestCase):
    def repaired(self) -> None:
        self.assertEqual(self.reconcile("--fix", "--yes")[1], "")
        self.run_jobs()
        self.assertEqual(self.job(self.site, "sites.repair").state, "succeeded", self.tale(self.site))
        self.settle()
        self.assert_found()

    def test_a_new_container_is_in_the_pool(self) -> None:
        self.assertEqual(self.container(900)["pool"], POOL)
        self.assert_found()

    def test_a_host_name_that_was_changed_by_hand_is_put_right(self) -> None:
        proxmox().set_config(self.site.node, 900, hostname="bobs-test")
        (finding,) = self.assert_found(("differs", "proxmox", "container 900", True))
        self.assertEqual(finding.detail, "host name bobs-test instead of janedoe")
        self.repaired()
        self.assertEqual(self.container(900)["name"], "janedoe")

    def test_a_container_that_left_the_pool_joins_it_again(self) -> None:
        proxmox()._put("pools", poolid=POOL, vms=900, delete=True)
        (finding,) = self.assert_found(("differs", "proxmox", "container 900", True))
        self.assertEqual(finding.detail, "not in the pool nodepoint")
        self.repaired()
        self.assertEqual(self.container(900)["pool"], POOL)

    def test_one_that_somebody_put_into_another_pool_stays_there(self) -> None:
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[900].pool = "other"
        self.assert_found()
        proxmox().set_config(self.site.node, 900, memory=512)
        self.repaired()
        self.assertEqual(self.container(900)["pool"], "other")
