"""A node is emptied: our sites on it are moved in turn, and what is not ours stays."""

from django.test import override_settings

from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites.models import ClusterNode, Placement, Site, Spare
from sites.placement import drain, places
from sites.placement.moves import MOVE
from sites.services import nodes
from sites.watch import look
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import make_foreign
from tests.sites.pool import PoolCase


@on_one_database
class DrainCase(ActsMixin, PoolCase):
    size = 0

    def setUp(self) -> None:
        super().setUp()
        self.node = ClusterNode.objects.create(name="node1")

    def site(self, service_id: str, **more: str) -> Site:
        return self.live_site(service_id=service_id, email=f"{service_id}@example.com", **more)

    def drain(self, batch: int = 2) -> Job:
        """All of it, and what comes of it."""
        job = nodes.drain_node(self.node, batch=batch, actor="staff anna")
        self.run_jobs()
        job.refresh_from_db()
        return job

    def where(self, site: Site) -> tuple[str, str]:
        """Its node, as the row and the lab have it, and whether it runs."""
        site.refresh_from_db()
        container = self.container(site.vmid)
        self.assertEqual(site.node, container["node"], self.tale(site))
        return site.node, container["status"]

    def told(self, job: Job) -> str:
        return f"{job.error} {job.detail} {job.warning} {job.steps.get().detail}"

    def moves(self) -> list[Job]:
        return list(Job.objects.filter(kind=MOVE).order_by("created_at"))


class DrainTests(DrainCase):
    def test_sites_go_by_turns_each_as_it_was_and_strangers_stay(self) -> None:
        running, stopped, managed = self.site("a"), self.site("b"), self.site("c", plan="premium")
        self.act("/action/stop", "b")
        make_foreign(self, 5000)
        self.run_calls(1)
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[5000].node = "node1"
        job = self.drain()
        self.assertEqual(job.state, "succeeded", self.told(job))
        self.assertEqual(self.where(running)[1], "running")
        self.assertEqual(self.where(stopped)[1], "stopped")
        self.assertEqual(self.where(managed)[1], "running")
        self.assertNotIn("node1", {site.node for site in Site.objects.all()})
        self.assertEqual(self.container(5000)["node"], "node1")
        self.assertIn("3 moved, 0 failed.", self.told(job))
        self.assertIn("Of others, left alone:", self.told(job))
        self.assertIn("Templates on its local storage: local:vztmpl/", self.told(job))
        tasks = [task["type"] for task in self.state()["proxmox"]["tasks"]]
        self.assertEqual((tasks.count("hamigrate"), tasks.count("vzmigrate")), (1, 3))
        self.node.refresh_from_db()
        self.assertEqual(self.node.closed_note, "It is being drained.")
        self.assertFalse(Placement.objects.filter(open=True).exists())
        self.assertNotEqual(self.site("d").node, "node1", "it takes no new sites")

    def test_no_more_than_the_batch_at_once_and_customers_are_not_refused(self) -> None:
        for name in "abc":
            self.site(name)
        nodes.drain_node(self.node, batch=1)
        with self.assertRaises(JobRefused):
            nodes.drain_node(self.node)
        most = 0
        while nodes.draining(self.node):
            self.run_calls(1)
            most = max(most, Job.objects.filter(kind=MOVE, state__in=Job.ALIVE).count())
            if most and not Job.objects.filter(kind="sites.backup").exists():
                self.assertEqual(self.ask("/action/mkbak", "a").status_code, 200)
        self.run_jobs()
        self.assertEqual((most, Job.objects.get(kind="sites.backup").state), (1, "succeeded"))
        self.assertFalse(drain.sites_on("node1").exists())

    def test_it_is_stopped_after_those_on_their_way_and_begun_anew(self) -> None:
        for name in "abc":
            self.site(name)
        job = nodes.drain_node(self.node, batch=1)
        while not self.moves():
            self.run_calls(1)
        nodes.stop_draining(self.node, actor="staff anna")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, "succeeded")
        self.assertIn("Stopped. 1 moved, 0 failed. Still there: b, c.", self.told(job))
        self.drain()
        self.assertFalse(drain.sites_on("node1").exists())

    def test_a_failed_move_does_not_end_it_and_is_asked_for_again(self) -> None:
        first, second = self.site("a"), self.site("b")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[first.vmid].stubborn = True
        job = self.drain(batch=1)
        self.assertEqual(job.state, "succeeded")
        self.assertIn("1 moved, 1 failed. Still there: a.", self.told(job))
        self.assertEqual((self.where(first), self.where(second)[0] != "node1"), (("node1", "running"), True))
        move = self.job(first, MOVE)
        self.assertEqual(move.error, "The site could not be moved to another node.")
        self.assertIn("container did not stop", move.detail)
        ended = sum(task["type"] == "vzmigrate" for task in self.state()["proxmox"]["tasks"])
        self.assertEqual(ended, 2, "no customer's site is ended again and again")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[first.vmid].stubborn = False
        nodes.move_site(first, "node1", actor="staff anna")
        self.run_jobs()
        self.assertNotEqual(self.where(first)[0], "node1")

    def test_where_no_other_node_can_take_one_it_waits_and_says_why_of_each(self) -> None:
        site = self.site("a")
        for name in ("node2", "node3"):
            nodes.close_node(ClusterNode.objects.create(name=name), note="new disks", actor="staff anna")
        job = nodes.drain_node(self.node)
        self.run_for(300)
        job.refresh_from_db()
        self.assertEqual(job.state, "waiting")
        self.assertIn("node2 takes no new sites (new disks)", job.steps.get().detail)
        nodes.open_node(ClusterNode.objects.get(name="node3"), actor="staff anna")
        self.run_jobs()
        self.assertEqual(self.where(site), ("node3", "running"))

    def test_a_locked_one_is_waited_for(self) -> None:
        site = self.site("a")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].config["lock"] = "backup"
        nodes.drain_node(self.node)
        self.run_for(600)
        self.assertEqual(self.step(site, "moved", MOVE).state, "waiting")
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[site.vmid].config["lock"]
        self.run_jobs()
        self.assertNotEqual(self.where(site)[0], "node1")

    @override_settings(POOL_SIZE=2)
    def test_ready_containers_are_made_elsewhere(self) -> None:
        self.fill()
        self.assertEqual({spare.node for spare in self.ready()}, {"node1"})
        self.drain()
        self.fill()
        self.assertEqual({spare.node for spare in self.ready()} & {"node1"}, set())
        self.assertEqual(Spare.objects.filter(reason=drain.SPARE_GOES, state="gone").count(), 2)

    def test_a_local_disk_goes_to_the_storage_of_that_name(self) -> None:
        with override_settings(PROXMOX_STORAGE="local-zfs"):
            site = self.site("a")
            self.drain()
        self.assertNotEqual(self.where(site)[0], "node1")

    def test_one_that_its_snapshots_hold_is_not_even_ended(self) -> None:
        with override_settings(PROXMOX_STORAGE="thin"):
            site = self.site("a")
            job = self.drain()
        self.assertEqual(self.where(site), ("node1", "running"))
        self.assertIn("0 moved, 1 failed.", self.told(job))
        self.assertIn("Its snapshots (initial) cannot leave thin", self.job(site, MOVE).detail)
        tasks = [task["type"] for task in self.state()["proxmox"]["tasks"]]
        self.assertNotIn("vzmigrate", tasks, "Proxmox VE would have found out after ending the site")

    def test_one_that_was_moved_meanwhile_is_not_moved_again(self) -> None:
        site = self.site("a")
        nodes.drain_node(self.node)
        while not self.moves():
            self.run_calls(1)
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].node = "node3"
        self.run_jobs()
        self.assertEqual(self.where(site), ("node3", "running"))
        self.assertFalse(any(task["type"] == "vzmigrate" for task in self.state()["proxmox"]["tasks"]))

    def test_the_periodic_look_follows_what_others_have_moved(self) -> None:
        site = self.site("a")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].node = "node2"
        look()
        site.refresh_from_db()
        self.assertEqual(site.node, "node2")


class FaultTests(DrainCase):
    """Each call of a move may fail, or lose its answer."""

    def test_calls_that_fail_once(self) -> None:
        for number, (kind, match) in enumerate(
            (
                ("drop_after", "/migrate"),
                ("drop_before", "/migrate"),
                ("error", "/migrate"),
                ("drop_before", ":vzmigrate:"),
                ("drop_before", "GET /api2/json/nodes/node1/storage"),
            )
        ):
            with self.subTest(kind=kind, match=match):
                ClusterNode.objects.update(closed_at=None)
                site = self.site(f"s{number}")
                self.assertEqual(site.node, "node1")
                self.fault("proxmox", kind, match, seconds=0.02)
                self.drain()
                self.assertEqual(self.lab.faults.view(), [], "it met nothing")
                self.assertEqual(self.where(site)[1], "running")
                self.assertNotEqual(site.node, "node1", self.tale(site))
        moved = [task["type"] for task in self.state()["proxmox"]["tasks"]].count("vzmigrate")
        self.assertEqual(moved, 5, "none was moved twice")

    def test_an_ha_manager_that_lets_it_be_is_told_to_staff(self) -> None:
        site = self.site("a", plan="premium")
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].stubborn = True
        self.assertIn("0 moved, 1 failed. Still there: a.", self.told(self.drain()))
        self.assertIn("The HA manager has left it on node1", self.job(site, MOVE).detail)
        self.assertEqual(self.where(site), ("node1", "running"))

    def test_a_deletion_goes_before_a_move(self) -> None:
        site = self.site("a")
        nodes.drain_node(self.node)
        while not self.moves():
            self.run_calls(1)
        self.delete("a")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, self.moves()[0].state), ("deleted", "cancelled"))
        self.assert_nothing_left()

    def test_a_place_that_a_job_has_reserved_which_is_over_is_free_again(self) -> None:
        site = self.site("a")
        places.place(site, places.Wish(2048, 20))
        self.assertTrue(Placement.objects.get(subject=site.key).open)
        look()
        self.assertFalse(Placement.objects.get(subject=site.key).open)
