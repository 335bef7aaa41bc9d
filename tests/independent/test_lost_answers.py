"""Calls whose answer is lost while their task goes on: it stands in the list as RUNNING, and is adopted,
however long it runs. Nothing is done twice."""

from functools import partial

from tests.independent.base import IndependentCase


class LostCreation(IndependentCase):
    """The container of an order."""

    def test_a_creation_is_adopted_while_it_runs(self):
        site = self.order()
        self.api.lose(r"POST /nodes/node1/lxc$")
        self.cluster.tasks.hold("vzcreate")
        self.run_for(60)
        self.assertEqual(self.job("sites.provision").state, "running", self.tale())
        self.cluster.tasks.let_go()
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(len(self.cluster.tasks.of("vzcreate")), 1)
        self.assertEqual(list(self.cluster.guests), [site.vmid])

    def test_one_that_wears_its_configuration_already_goes_on_all_the_same(self):
        """In its middle the lock is off for a while, and our mark is there (LXC.pm, "safe config")."""
        site = self.order()
        self.api.lose(r"POST /nodes/node1/lxc$")
        away = partial(self.api.refuse, r"GET /cluster/nextid", "No route to host", 595, count=10_000)
        self.api.before(r"GET /cluster/nextid", away)
        self.run_for(1)
        while "lock" in self.guest(site).config:
            self.run_for(1)
            self.cluster.tasks.settle()
        self.cluster.tasks.hold("vzcreate")
        self.api.traps.clear()
        self.run_for(60)
        self.assertEqual(self.job("sites.provision").steps.get(name="container").state, "running")
        self.cluster.tasks.let_go()
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(len(self.cluster.tasks.of("vzcreate")), 1)

    def test_one_that_the_token_may_not_see_before_it_is_in_its_pool_is_adopted(self):
        self.cluster.permissions.by_pool()
        self.cluster.permissions.revoke("/vms", "VM.Audit")
        site = self.order()
        self.api.lose(r"POST /nodes/node1/lxc$")
        self.cluster.tasks.hold("vzcreate")
        self.run_for(30)
        self.cluster.tasks.let_go()
        self.run_jobs()
        self.assert_live(site)
        self.assertEqual(list(self.cluster.guests), [site.vmid])
        self.assertEqual(len(self.cluster.tasks.of("vzcreate")), 1)


class LostActs(IndependentCase):
    """Of a live site."""

    plan = "basic"

    def test_a_backup_is_adopted(self):
        self.lose_and_hold(r"POST .*/snapshot$", "vzsnapshot", "/action/mkbak")
        self.assertEqual(len(self.guest(self.site).snapshots), 2)

    def test_the_deletion_of_a_backup_is_adopted(self):
        name = self.good("/action/mkbak")["backup"]
        self.lose_and_hold(r"DELETE .*/snapshot/", "vzdelsnapshot", "/action/delbak", bak=name)
        self.assertEqual(list(self.guest(self.site).snapshots), ["initial"])

    def test_a_rollback_is_adopted(self):
        name = self.good("/action/mkbak")["backup"]
        self.lose_and_hold(r"POST .*/rollback$", "vzrollback", "/action/rollback", bak=name)
        self.assertTrue(self.guest(self.site).running)

    def test_a_restart_is_adopted(self):
        self.lose_and_hold(r"POST .*/status/reboot$", "vzreboot", "/action/restart")
        self.assertTrue(self.guest(self.site).running)

    def test_a_resize_whose_answer_was_lost_has_its_effect_once(self):
        self.api.lose(r"PUT .*/resize$")
        self.good("/wp/upgrade/", plan="standard")
        self.assertEqual(self.guest(self.site).disk_gb, 40)
        self.assert_all_succeeded()

    def lose_and_hold(self, call: str, task: str, path: str, **body: str) -> None:
        """The answer is lost, and the task runs for most of a minute more."""
        before = len(self.cluster.tasks.of(task))
        self.api.lose(call)
        self.cluster.tasks.hold(task)
        self.post(path, {"service_id": "1001", **body}, Prefer="respond-async")
        self.run_for(45)
        self.cluster.tasks.let_go()
        self.run_jobs()
        self.assert_all_succeeded()
        self.assertEqual(len(self.cluster.tasks.of(task)) - before, 1)
