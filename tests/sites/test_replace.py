"""Replacing a host name in a site's content: guards, the snapshot for safety, what is answered, and faults.
What is done inside is told by `test_addresses` and `tests/containers/test_content.py`."""

from nodepoint.jobs.models import Job
from sites.models import CustomDomain
from tests.sites.backups import BackupsCase
from tests.sites.faults import PASSING

OLD, NEW, SHOP = "www.customer.example", "janedoe.nodepoint.eu", "shop.example.com"
NAMES = {"from": OLD, "to": NEW}


class ReplaceCase(BackupsCase):
    def setUp(self) -> None:
        super().setUp()
        self.tables["wp_posts"][:] = [
            f"<img src='https://{OLD}/a.png'> http://{OLD}",
            f"//{OLD}.evil.test {OLD}",
        ]

    @property
    def tables(self) -> dict[str, list[str]]:
        return self.lab.guest._guests[900]["tables"]

    def shop(self, **values) -> CustomDomain:
        state = {"status": "active", "certificate": "active", **values}
        return CustomDomain.objects.create(site=self.site, domain=SHOP, **state)

    def offers(self) -> list[dict[str, str]]:
        return self.get("/action/getdomain?service_id=1001").json()["replace"]


class ReplaceTests(ReplaceCase):
    def test_addresses_bear_the_new_name_after_a_snapshot_for_safety(self):
        before = list(self.tables["wp_posts"])
        answer = self.done("/action/replace", **NAMES)
        self.assertEqual(answer, {"success": True, "tables": 1, "changes": 2, "left": 0})
        self.assertEqual(self.tables["wp_posts"][0], before[0].replace(OLD, NEW))
        self.assertEqual(self.tables["wp_posts"][1], before[1])
        self.assertEqual(self.snapshots(), ["initial", "before"])
        self.assertEqual(self.snapshot("before")["tables"]["wp_posts"], before)
        self.assertTrue(self.snapshot("before")["consistent"])
        (kept,) = self.getbak()["backups"]
        self.assertEqual((kept["name"], kept["kind"], kept["status"]), ("before", "safety", "ready"))
        self.assertEqual(self.getbak()["quota"], "0/2")
        self.assertEqual(self.done("/action/replace", **NAMES)["changes"], 0)
        self.done("/action/rollback", bak="before")
        self.assertNotEqual(self.tables["wp_posts"], before, "of the second time")

    def test_the_one_snapshot_is_replaced_counts_for_nobody_and_can_be_gone_back_to(self):
        before = list(self.tables["wp_posts"])
        for _ in range(2):
            self.done("/action/mkbak")
            self.tables["wp_posts"][:] = before
            self.done("/action/replace", **NAMES)
            self.assertEqual(self.snapshots()[-1], "before")
        self.assertEqual(self.snapshots(), ["initial", self.today(1), self.today(2), "before"])
        listed = [(b["name"], b["kind"]) for b in self.getbak()["backups"]]
        backups = [(self.today(number), "customer") for number in (2, 1)]
        self.assertEqual(listed, [("before", "safety"), *backups])
        self.assertEqual(self.getbak()["used"], 2)
        self.assertEqual(self.get("/status?service_id=1001").json()["backups"]["used"], 2)
        self.done("/action/rollback", bak="before")
        self.assertEqual(self.tables["wp_posts"], before)
        self.done("/action/delbak", bak="before")
        self.assertEqual(self.snapshots(), ["initial", self.today(1), self.today(2)])

    def test_a_dry_run_counts_and_changes_nothing(self):
        before = {name: list(texts) for name, texts in self.tables.items()}
        answer = self.done("/action/replace", **NAMES, dry_run=True)
        self.assertEqual(answer, {"success": True, "tables": 1, "changes": 2, "left": 0})
        self.assertEqual((self.tables, self.snapshots()), (before, ["initial"]))
        self.assertEqual(self.offers(), [])

    def test_what_is_not_known_yet_is_null(self):
        answer = self.begun("/action/replace", **NAMES)
        self.assertEqual((answer["state"], answer["changes"]), ("running", None))
        self.refused("/action/replace", 409, "busy", **NAMES)
        self.run_jobs()
        job = self.get(f"/jobs/{answer['job']['id']}").json()["job"]
        self.assertEqual([step["state"] for step in job["steps"]], ["done", "done"])

    def test_bad_names_change_nothing(self):
        self.shop(status="pending")
        for bad in ({"from": "x"}, {"from": "https://a.example/"}, {"from": "10.0.0.1"}, {"from": None}):
            self.assertEqual(
                list(self.refused("/action/replace", 400, "validation", **{**NAMES, **bad})["fields"]),
                ["from"],
            )
        for bad in ("elsewhere.example", "a b", "*.example.com", SHOP, ["x"]):
            answer = self.refused("/action/replace", 400, "validation", **{**NAMES, "to": bad})
            self.assertEqual(list(answer["fields"]), ["to"])
        self.refused("/action/replace", 400, "validation", **{"from": NEW.upper() + ".", "to": NEW})
        self.refused("/action/replace", 400, "validation", **NAMES, dry_run="perhaps")
        self.done("/action/stop")
        self.refused("/action/replace", 409, "wrong_state", **NAMES)
        self.done("/suspend")
        self.refused("/action/replace", 401, "service_suspended", **NAMES)
        self.assertEqual(self.snapshots(), ["initial"])

    def test_it_is_offered_once_the_name_has_changed_and_until_it_is_done(self):
        self.assertEqual(self.offers(), [])
        row = self.shop()
        self.done("/action/restart")
        self.assertEqual(self.offers(), [{"from": NEW, "to": SHOP}])
        self.done("/action/replace", **{"from": NEW, "to": SHOP})
        self.assertEqual((self.offers(), self.tables["wp_options"]), ([], [f"https://{SHOP}"] * 2))
        row.delete()
        self.done("/action/restart")
        self.assertEqual(self.offers(), [{"from": SHOP, "to": NEW}])


class StorageTests(ReplaceCase):
    storage = "local-zfs"

    def test_the_snapshot_for_safety_stands_in_no_backups_way(self):
        self.done("/action/mkbak")
        self.done("/action/replace", **NAMES)
        self.done("/action/rollback", bak=self.today(1))
        self.assertEqual(self.snapshots(), ["initial", self.today(1)])
        self.assertEqual(self.names(), [self.today(1)])


class FaultTests(ReplaceCase):
    def given_up(self, job_kind: str = "sites.replace_addresses") -> Job:
        job = self.site_jobs(job_kind).first()
        self.assertEqual(job.state, Job.State.FAILED, self.tale(self.site))
        self.assert_readable(job.error)
        return job

    def test_faults_that_pass_in_every_call_and_the_addresses_are_counted_all_the_same(self):
        calls = (
            "/config",
            "GET /api2/json/nodes/node1/lxc/900/snapshot",
            "POST",
            ":vzsnapshot:",
            "bash -s replace",
            "content.status",
        )
        before = list(self.tables["wp_posts"])
        for kind in PASSING:
            self.tables["wp_posts"][:] = before
            for call in calls:
                system = "ssh" if "bash" in call or "content" in call else "proxmox"
                self.fault(system, kind, call, seconds=0.02)
            answer = self.done("/action/replace", **NAMES)
            self.assertEqual(answer["changes"], 2, (kind, self.tale(self.site)))
            self.assertEqual(self.snapshots(), ["initial", "before"])
            self.clear_faults()

    def test_a_script_that_fails_or_is_killed_is_run_again(self):
        for kind in ("error", "drop_before"):
            self.fault("ssh", kind, "CONTENT", count=2)
            self.done("/action/replace", **NAMES)
        self.fault("ssh", "error", "CONTENT", count=3)
        self.done("/action/replace", 500, **NAMES)
        self.assertIn("went wrong", self.given_up().detail)

    def test_what_would_fail_again_is_not_tried_again(self):
        self.fault("ssh", "refuse", "CONTENT")
        self.done("/action/replace", 500, **NAMES)
        self.assertIn("which tables", self.given_up().detail)
        self.assertEqual(self.count("ssh", "bash -s replace"), 1)

    def test_a_storage_that_takes_no_snapshots_is_no_obstacle(self):
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[900].config["rootfs"] = "local:900/vm-900-disk-0.raw,size=20G"
        self.assertEqual(self.done("/action/replace", **NAMES)["changes"], 2)
        step = self.site_jobs("sites.replace_addresses").first().steps.get(name="before")
        self.assertIn("no snapshot to go back to", step.detail)
        self.assertEqual(self.getbak()["backups"], [])

    def test_a_snapshot_of_others_with_this_name_is_left_alone_and_nothing_is_changed(self):
        self.foreign_snapshot("before")
        self.done("/action/replace", 500, **NAMES)
        self.assertIn("another snapshot", self.given_up().error)
        self.assertIn(f"https://{OLD}/", self.tables["wp_posts"][0])

    def test_a_container_that_we_have_not_made_is_left_alone(self):
        self.lab.guest._guests[900]["site"] = False
        self.done("/action/replace", 500, **NAMES, dry_run=True)
        self.assertIn("not made by us", self.given_up("sites.count_addresses").error)
