"""What becomes of a ready container while it waits, and of what no row knows."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone

from nodepoint.jobs.models import Job
from nodepoint.reconcile import Kind
from sites import orphans, watch
from sites.models import Spare
from sites.pool import board, ends
from sites.reconcile import compare
from tests.base import on_one_database
from tests.sites.base import make_foreign
from tests.sites.pool import PoolCase


@on_one_database
class LookTests(PoolCase):
    def look(self) -> None:
        """The periodic look, and what it has begun. It goes by the real time, behind which the moved clock
        has left what is ready."""
        Spare.objects.filter(state="ready").update(ready_at=timezone.now() - timedelta(hours=1))
        watch.look()
        with override_settings(POOL_SIZE=0):
            self.run_for(600)

    def spoiled(self, **config: str | int) -> Spare:
        spare = self.spare()
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[spare.vmid].config.update(config)
        self.look()
        spare.refresh_from_db()
        return spare

    def test_one_that_is_as_it_was_left_stays(self) -> None:
        spare = self.spare()
        self.look()
        self.assertEqual(self.ready(), [spare])

    def test_one_that_is_gone_is_no_more_and_another_is_made(self) -> None:
        spare = self.spare()
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[spare.vmid]
        self.look()
        spare.refresh_from_db()
        self.assertEqual((spare.state, spare.vmid, spare.private_ip), ("gone", None, None))
        self.fill()
        self.assertEqual(len(self.ready()), 1)

    def test_one_that_somebody_has_stopped_or_edited_is_destroyed(self) -> None:
        for change in (
            {"hostname": "mine"},
            {"memory": 512},
            {"cores": 7},
            {"net0": "name=eth0,ip=dhcp"},
        ):
            with self.subTest(change):
                spare = self.spoiled(**change)
                self.assertEqual((spare.state, spare.vmid), ("gone", None), spare.reason)
                self.assertTrue(spare.reason)
        spare = self.spare()
        self.lab.proxmox.cluster.containers[spare.vmid].running = False
        self.look()
        self.assertEqual(Spare.objects.get(pk=spare.pk).reason, "Somebody has stopped it.")
        self.assert_nothing_left()

    def test_one_whose_mark_was_taken_away_is_nobodys_to_destroy(self) -> None:
        spare = self.spoiled(description="mine now")
        self.assertEqual((spare.state, self.container(spare.vmid)["status"]), ("draining", "running"))
        self.assertIsNotNone(spare.private_ip)
        self.assertEqual(self.ready(), [])

    def test_one_that_was_moved_is_followed(self) -> None:
        spare = self.spare()
        self.lab.proxmox.cluster.containers[spare.vmid].node = "node3"
        self.look()
        spare.refresh_from_db()
        self.assertEqual((spare.state, spare.node), ("ready", "node3"))

    def test_a_lock_and_a_node_that_is_away_prove_nothing(self) -> None:
        spare = self.spoiled(lock="backup")
        self.assertEqual(spare.state, "ready")
        self.control("node", node=spare.node, up=False)
        self.look()
        self.assertEqual(Spare.objects.get().state, "ready")

    def test_nodes_in_maintenance_are_known(self) -> None:
        spare = self.spare()
        self.control("node", node=spare.node, maintenance=True)
        watch.look()
        self.assertEqual(self.create().claimed, "")

    def test_its_address_counts_as_held(self) -> None:
        free = watch.addresses()[1]
        self.spare()
        self.assertEqual(watch.addresses()[1], free - 1)


@on_one_database
class LeftOverTests(PoolCase):
    def left_over(self) -> list:
        return [one for one in compare().findings if one.kind is Kind.ORPHAN]

    def test_one_that_waits_is_no_orphan(self) -> None:
        self.spare()
        self.assertEqual(compare().findings, [])

    def test_one_without_a_row_is_listed_and_can_be_removed(self) -> None:
        spare = self.spare()
        Spare.objects.all().delete()
        (found,) = self.left_over()
        self.assertEqual((found.thing, found.unproven), (f"container {spare.vmid}", True))
        orphans.remove(found.orphan, found.mark)
        self.assert_nothing_left()

    def test_one_whose_row_has_ended_is_removed_with_all_others(self) -> None:
        spare = self.spare()
        Spare.objects.update(state="gone", vmid=None, private_ip=None)
        (found,) = self.left_over()
        self.assertEqual((found.thing, found.unproven), (f"container {spare.vmid}", False))

    def test_a_copy_of_one_that_stands_is_listed_and_left_alone(self) -> None:
        spare = self.spare()
        make_foreign(self, 990, description=spare.owner_mark, tags="nodepoint-pool")
        (found,) = self.left_over()
        self.assertEqual((found.thing, found.orphan), ("container 990", None))

    def test_the_board_says_how_full_it_is_and_why_it_is_short(self) -> None:
        self.assertEqual(board.line(), "0 of 1 ready")
        self.fault("ssh", "error", "INSTALL 900 database", 3)
        self.fill()
        (group,) = board.short()
        self.assertIn("0 of 1 ready", group.troubles[0].title)
        self.assertIn("WordPress could not be installed.", group.troubles[0].detail)
        self.assertIn("WordPress could not be installed.", board.complaint())
        failed = Job.objects.get(kind="sites.pool_fill")
        self.assertEqual(board.other_tries({failed.subject, "sites.site:1"}), {failed.subject})
        self.later(hours=1)
        self.fill()
        self.assertEqual((board.line(), list(board.short()), board.complaint()), ("1 of 1 ready", [], ""))

    def test_one_that_an_order_has_cannot_be_destroyed(self) -> None:
        spare = self.spare()
        self.create()
        self.assertIsNone(ends.destroy(Spare.objects.get(pk=spare.pk), "a test"))
