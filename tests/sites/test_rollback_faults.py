"""rollback: each of its calls fails once, and for good; killed at each border of each call."""

from sites.flows import RESET, ROLLBACK
from tests.sites import test_crashes
from tests.sites.backups import RollbackCase
from tests.sites.faults import PASSING

LXC = "/api2/json/nodes/node1/lxc/900"


class FaultTests(RollbackCase):
    """Each remote call of a rollback fails once, and for good."""

    CALLS = (
        f"GET {LXC}/config",
        f"GET {LXC}/snapshot",
        "GET /api2/json/nodes/node1/storage/",
        f"POST {LXC}/snapshot",
        ":vzsnapshot:",
        "GET /api2/json/cluster/ha/resources",
        "/rollback",
        ":vzrollback:",
        f"GET {LXC}/status/current",
        "/status/start",
        ":vzstart:",
    )

    def test_every_step_has_been_thought_of(self):
        names = [
            "possible",
            "newer_gone",
            "before",
            "let_go",
            "rolled_back",
            "configured",
            "powered",
            "tuned",
        ]
        self.assertEqual(list(ROLLBACK.by_name), names)
        self.assertEqual(list(RESET.by_name), [*names, "verified"])

    def test_once(self):
        name = self.backup()
        for kind in PASSING:
            with self.subTest(kind):
                self.write("now")
                for match in self.CALLS:
                    if kind != "drop_after" or not match.startswith(":"):
                        self.fault("proxmox", kind, match, seconds=0.02)
                self.done("/action/rollback", bak=name)
                self.assertEqual(self.lab.faults.view(), [], "these faults met nothing")
                self.verify("then")

    def test_for_good_before_anything_is_lost(self):
        name = self.backup()
        for match in self.CALLS[:7]:
            with self.subTest(call=match):
                self.fault("proxmox", "refuse", match, count=1000)
                self.begun("/action/rollback", bak=name)
                self.run_for(900)
                self.clear_faults()
                self.run_jobs()
                job = self.site_jobs("sites.rollback").first()
                self.assertIn(job.state, ("failed", "rolled_back"))
                self.assert_readable(job.error)
                self.verify("now")

    def test_for_good_afterwards_it_is_carried_on_until_it_is_whole(self):
        name = self.backup()
        entry = self.lab.proxmox.cluster.containers[900].snapshots[name]["config"]
        entry["memory"] = 512
        for match in (f"PUT {LXC}/config", "/status/start"):
            with self.subTest(call=match):
                self.write("now")
                self.fault("proxmox", "refuse", match, count=10_000)
                self.begun("/action/rollback", bak=name)
                self.run_for(900)
                job = self.site_jobs("sites.rollback").first()
                self.assertEqual(job.state, "rolling_back", self.tale(self.site))
                self.assert_readable(job.error)
                self.clear_faults()
                self.run_jobs()
                job.refresh_from_db()
                self.assertEqual(job.state, "rolled_back")
                self.verify("then")

    def test_a_node_that_goes_away_in_the_middle(self):
        name = self.backup()
        for step in ("before", "rolled_back"):
            with self.subTest(step):
                self.write("now")
                self._node_away(name, step)
                self.verify("then")
                self.assertEqual(
                    (self.kept("before"), self.snapshots()), ("now", ["initial", name, "before"])
                )

    def _node_away(self, name: str, step: str) -> None:
        self.control("speed", factor=0.01)
        self.begun("/action/rollback", bak=name)
        for _ in range(60):
            if self.site_jobs("sites.rollback").first().steps.get(name=step).ref:
                break
            self.run_calls(1)
        self.control("node", node="node1", up=False)
        self.run_for(120)
        self.control("speed", factor=0)
        self.control("node", node="node1", up=True)
        self.lab.world.settle()
        self.lab.proxmox.cluster.containers[900].config.pop("lock", None)  # as staff would, by `pct unlock`
        self.run_jobs()


class CrashTests(RollbackCase):
    """Killed once at each border of each call of each step."""

    BORDERS = test_crashes.CrashTests.BORDERS
    _killing = test_crashes.CrashTests._killing
    _survive = test_crashes.CrashTests._survive

    def test_a_backup_a_reset_and_a_deletion(self):
        for border in self.BORDERS:
            with self.subTest(border):
                self.write("then")
                name = self.begun("/action/mkbak")["backup"]
                self._survive(border)
                self.write("now")
                self.begun("/action/rollback", bak=name)
                killed = self._survive(border)
                self.assertEqual(killed, set(ROLLBACK.by_name))
                self.verify("then")
                self.assertEqual(self.snapshots(), ["initial", name, "before"])
                self.assertEqual(self.kept("before"), "now")
                self.begun("/action/delbak", bak=name)
                self._survive(border)
                self.assertEqual((self.snapshots(), self.names()), (["initial", "before"], ["before"]))
