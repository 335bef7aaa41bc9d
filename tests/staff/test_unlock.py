"""A lock that a dead task has left is taken off from the page of the site; the job goes on."""

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites.connections import proxmox
from sites.models import Site
from sites.services.legality import Facts, legal_acts
from tests.staff.overrides import OverridesCase


class UnlockTests(OverridesCase):
    def lock(self, site: Site, kind: str = "backup") -> None:
        """As a task leaves it that died with its node."""
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].config["lock"] = kind

    def waiting(self) -> Site:
        """A site whose deletion waits for such a lock."""
        site = self.live_site()
        self.lock(site)
        self.delete()
        self.run_for(120)
        self.assertEqual(self.job(site, "sites.terminate").state, Job.State.WAITING, self.tale(site))
        site.refresh_from_db()
        return site

    def press(self, site: Site):
        return self.client.post(f"/admin/sites/site/{site.pk}/act/unlock/", {"reason": "node1 was reset"})

    def test_the_job_that_waited_for_it_goes_on(self) -> None:
        site = self.waiting()
        self.assertEqual(legal_acts(Facts(site)), {"unlock"})
        self.assertContains(self.client.get(f"/admin/sites/site/{site.pk}/change/"), "Unlock the container")
        self.press(site)
        entry = Entry.objects.get(act="sites.unlock")
        self.assertEqual(
            (entry.reason, entry.before["lock"], entry.actor), ("node1 was reset", "backup", "anna")
        )
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "deleted", self.tale(site))
        self.assert_nothing_left()

    def test_what_is_left_of_a_creation_is_removed_by_the_undo(self) -> None:
        self.control("speed", factor=1.0)
        site = self.create()
        self.run_calls(2)  # the place, and the creation is begun
        self.control("node", node="node1", up=False)
        self.control("node", node="node1", up=True)
        self.control("speed", factor=0.0)
        self.run_for(2400)
        job = self.job(site)
        self.assertEqual(job.state, Job.State.ROLLING_BACK, self.tale(site))
        self.assertIn("unlock", legal_acts(Facts(site)), self.tale(site))
        self.press(site)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "failed", self.tale(site))
        self.assert_nothing_left()

    def test_not_while_a_task_is_at_work(self) -> None:
        site = self.waiting()
        self.control("speed", factor=1.0)
        with self.lab.lock:
            container = self.lab.proxmox.cluster.containers[site.vmid]
            container.config.pop("lock")
        proxmox().create_snapshot(container.node, site.vmid, "theirs", "by hand")
        self.press(site)
        self.assertEqual(self.config(site.vmid).get("lock"), "snapshot")
        self.assertFalse(Entry.objects.filter(act="sites.unlock").exists())

    def test_not_where_no_job_waits_for_a_lock(self) -> None:
        site = self.live_site()
        self.lock(site)
        self.assertNotIn("unlock", legal_acts(Facts(site)))
        self.press(site)
        self.assertEqual(self.config(site.vmid)["lock"], "backup")

    def test_nor_a_container_that_is_not_ours(self) -> None:
        site = self.waiting()
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid].config["description"] = "somebody else's"
        self.press(site)
        self.assertEqual(self.config(site.vmid)["lock"], "backup")
