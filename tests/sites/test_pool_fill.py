"""How containers are made ready: as many as POOL_SIZE says, of today's template, and behind orders."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.jobs.models import Job
from nodepoint.notices.models import STAFF
from sites import marks
from sites.models import Plan, Spare
from sites.pool import ends, refill
from tests.base import on_one_database
from tests.sites.pool import PoolCase


@on_one_database
class FillTests(PoolCase):
    def test_a_ready_one_runs_at_the_smallest_size_without_a_secret_and_is_nobody_elses(self) -> None:
        spare = self.spare()
        config, guest = self.config(spare.vmid), self.guest(spare.vmid)
        smallest = Plan.objects.get(name="basic")
        self.assertEqual((int(config["memory"]), int(config["cores"])), (smallest.memory_mb, smallest.cores))
        self.assertEqual((config["hostname"], config["tags"]), (spare.hostname, "nodepoint-pool"))
        self.assertEqual(marks.carried(config["description"]), spare.owner_mark)
        self.assertNotEqual(str(config.get("onboot", 0)), "1")
        self.assertEqual(self.container(spare.vmid)["status"], "running")
        self.assertTrue(self.lab.proxmox.cluster.containers[spare.vmid].firewall_options["enable"])
        self.assertFalse(
            guest["site"] or "secret" in guest or guest["files"].keys() & {"/etc/wordpress-primary-domain"}
        )
        self.assertEqual(guest["spare"], spare.build_id)
        self.assertEqual((self.count("cloudflare"), self.count("npm")), (0, 0))
        with override_settings(POOL_SIZE=0):  # an order does not get its place
            site = self.ordered()
        self.assertNotIn(site.vmid, (None, spare.vmid))
        self.assertNotEqual(site.private_ip, spare.private_ip)

    def test_none_is_made_without_a_pool(self) -> None:
        with override_settings(POOL_SIZE=0):
            self.assertEqual(refill.top_up(), 0)
        self.assertFalse(Spare.objects.exists())

    @override_settings(POOL_SIZE=3, PROXMOX_HOME_NODE="")
    def test_those_in_the_making_count_however_slow_they_are(self) -> None:
        self.assertEqual((refill.top_up(), refill.top_up()), (2, 0))
        Spare.objects.update(created_at=self.clock.time - timedelta(hours=5))
        self.assertEqual(refill.top_up(), 0)
        self.fill()
        self.assertEqual((len(self.ready()), Spare.objects.count()), (3, 3))
        self.assertEqual(sorted(spare.node for spare in self.ready()), ["node1", "node2", "node3"])

    def test_orders_go_first(self) -> None:
        with override_settings(POOL_SIZE=0):
            site = self.create()
        self.run_calls(2)
        refill.top_up()
        job = Job.objects.get(kind=refill.FILL)
        self.run_until(site, "container", state="done")
        self.assertEqual((job.steps.get(name="quiet").state, job.state), ("running", "running"))
        self.assertFalse(Spare.objects.exclude(node="").exists())
        self.run_jobs()
        self.assertEqual(len(self.ready()), 1)

    def test_a_storage_that_is_nearly_full_is_left_to_orders(self) -> None:
        node = {"name": "node1", "online": True, "disk_used": 900.0, "disk_total": 1000.0}
        full = [{**node, "name": name} for name in ("node1", "node2", "node3")]
        findings.note("nodes", {"nodes": full})
        self.assertEqual(refill.top_up(), 0)
        self.assertIn("nearly full", refill.look().why)
        findings.note("nodes", {"nodes": [*full[:1], {**node, "name": "node2", "disk_used": 1.0}, *full[2:]]})
        self.fill()
        self.assertEqual([spare.node for spare in self.ready()], ["node2"])

    def test_nodes_that_are_away_or_in_maintenance_get_none(self) -> None:
        node = {"online": True, "disk_used": 1.0, "disk_total": 1000.0}
        self.control("node", node="node2", up=False)  # what the cluster says now goes before the last look
        seen = [
            {**node, "name": "node1", "maintenance": True},
            {**node, "name": "node2"},
            {**node, "name": "node3"},
        ]
        findings.note("nodes", {"nodes": seen})
        with override_settings(POOL_SIZE=2):
            self.fill()
        self.assertEqual([spare.node for spare in self.ready()], ["node3", "node3"])

    def test_the_last_addresses_are_left_to_orders(self) -> None:
        with override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.105"):
            self.fill()
            self.assertEqual(len(self.ready()), 1)
            with override_settings(POOL_SIZE=2):
                self.fill()
            self.assertEqual(len(self.ready()), 1)


@on_one_database
class FailureTests(PoolCase):
    def fail_once(self) -> Spare:
        self.fault("ssh", "error", "INSTALL 900 database", 3)
        self.fill()
        return Spare.objects.first()

    def test_a_failure_leaves_nothing_is_told_once_and_tried_again_later_and_later(self) -> None:
        spare = self.fail_once()
        self.assertEqual((spare.state, spare.vmid, spare.private_ip), ("failed", None, None))
        self.assert_nothing_left()
        self.assertIn("WordPress could not be installed.", refill.look().why)
        told = Job.objects.filter(kind=STAFF).count()
        self.assertEqual(told, 1)
        self.assertEqual(refill.top_up(), 0)
        self.later(minutes=6)
        self.fail_once()
        self.later(minutes=6)
        self.assertEqual((Spare.objects.filter(state="failed").count(), refill.top_up()), (2, 0))
        self.later(minutes=6)
        self.fill()
        self.assertEqual(len(self.ready()), 1)
        self.assertEqual(Job.objects.filter(kind=STAFF).count(), told)
        self.assertEqual(refill.look().failures, 0)

    def test_a_container_that_will_not_be_sealed_is_never_ready(self) -> None:
        self.fault("ssh", "error", "bash -s spare", 10_000)
        refill.top_up()
        self.run_for(3600)
        self.assertEqual(self.ready(), [])
        self.clear_faults()
        self.run_jobs()
        self.assertEqual([spare.state for spare in Spare.objects.all()], ["failed"])
        self.assert_nothing_left()


@on_one_database
class DrainTests(PoolCase):
    size = 2

    def states(self) -> dict[str, int]:
        states = list(Spare.objects.values_list("state", flat=True))
        return {state: states.count(state) for state in sorted(set(states))}

    def test_a_smaller_pool_gives_up_the_youngest(self) -> None:
        self.fill()
        oldest = min(self.ready(), key=lambda spare: spare.ready_at)
        with override_settings(POOL_SIZE=1):
            self.fill()
            self.assertEqual(self.ready(), [oldest])
        with override_settings(POOL_SIZE=0):
            self.fill()
        self.assertEqual(self.states(), {"gone": 2})
        self.assertFalse(Spare.objects.exclude(vmid=None, private_ip=None).exists())
        self.assert_nothing_left()

    def test_a_pool_that_gets_smaller_while_one_is_built(self) -> None:
        refill.top_up()
        self.run_calls(12)
        with override_settings(POOL_SIZE=1):
            self.fill()
            self.assertEqual(self.states(), {"gone": 1, "ready": 1})
        with override_settings(POOL_SIZE=0):
            self.fill()
        self.assert_nothing_left()

    def test_a_new_template_replaces_them(self) -> None:
        self.fill()
        old = {spare.build_id for spare in self.ready()}
        Spare.objects.update(template="local:vztmpl/older.tar.zst")
        self.fill()
        self.assertEqual(self.states(), {"gone": 2, "ready": 2})
        self.assertFalse(old & {spare.build_id for spare in self.ready()})
        self.assertEqual({spare.template for spare in self.ready()}, {self.lab.settings["PROXMOX_TEMPLATE"]})

    def test_one_at_a_time_is_replaced_when_it_is_old(self) -> None:
        self.fill()
        Spare.objects.update(ready_at=timezone.now() - timedelta(days=8))
        refill.top_up()
        self.assertEqual(self.states(), {"building": 1, "draining": 1, "ready": 1})
        self.fill()
        self.assertEqual(self.states()["ready"], 2)

    def test_what_lost_its_mark_is_not_destroyed_and_keeps_its_place(self) -> None:
        self.fill()
        spare = self.ready()[0]
        self.lab.proxmox.cluster.containers[spare.vmid].config["description"] = "mine now"
        ends.destroy(spare, "a test")
        self.run_for(600)
        spare.refresh_from_db()
        self.assertEqual((spare.state, self.container(spare.vmid)["status"]), ("draining", "running"))
        self.assertIsNotNone(spare.private_ip)
        self.lab.proxmox.cluster.containers[spare.vmid].config["description"] = spare.owner_mark
        self.run_jobs()
        spare.refresh_from_db()
        self.assertEqual((spare.state, spare.vmid), ("gone", None))
