"""Lists and figures: nodes, storages, templates, task lists and logs."""

from tests.lab.cluster import ClusterCase


class ReadingTests(ClusterCase):
    def test_every_reading_call_answers(self) -> None:
        self.create(start=True)
        self.done(self.ct().snapshot.post(snapname="initial"))
        ct = "/nodes/node1/lxc/900"
        for path in (
            *("/cluster/status", "/cluster/resources", "/cluster/tasks", "/cluster/ha/status/current"),
            *("/pools", "/nodes", "/nodes/node1/status", "/nodes/node1/storage", "/nodes/node1/lxc"),
            *(ct, f"{ct}/snapshot/initial", f"{ct}/snapshot/initial/config"),
        ):
            with self.subTest(path):
                answer = self.raw("GET", path)
                self.assertEqual(200, answer.status_code)
                self.assertTrue(answer.json()["data"])

    def test_storages_say_what_they_hold(self) -> None:
        before = self.api.nodes("node1").storage("global-lvm").status.get()
        self.create()
        after = self.api.nodes("node1").storage("global-lvm").status.get()
        self.assertEqual(20 * 1024**3, before["avail"] - after["avail"])
        shared = {s["storage"]: s["shared"] for s in self.api.nodes("node1").storage.get(content="rootdir")}
        self.assertEqual(
            {"global-lvm", "ceph", "share"}, {name for name, is_shared in shared.items() if is_shared}
        )
        self.refused(500, "storage 'none' does not exist", self.api.nodes("node1").storage("none").status.get)

    def test_templates_are_content_of_local(self) -> None:
        found = self.api.nodes("node1").storage("local").content.get(content="vztmpl")
        self.assertIn(self.lab.settings["PROXMOX_TEMPLATE"], [entry["volid"] for entry in found])

    def test_tasks_are_found_by_container_type_and_time(self) -> None:
        self.create(start=True)
        self.create(901)
        tasks = self.api.nodes("node1").tasks
        self.assertEqual(["vzstart", "vzcreate"], [task["type"] for task in tasks.get(vmid=900)])
        self.assertEqual(2, len(tasks.get(typefilter="vzcreate")))
        self.assertEqual([], tasks.get(since=2_000_000_000))
        self.assertEqual(1, len(tasks.get(limit=1)))
        self.assertEqual([], tasks.get(source="active"))
        self.assertEqual([], self.api.nodes("node2").tasks.get(source="all"))

    def test_a_running_task_is_listed_as_running_in_capitals(self) -> None:
        """pve-manager 9.2.11, PVE/API2/Tasks.pm:233; its own status is ``running`` in small letters."""
        self.lab.clock.factor = 1
        upid = self.fork_create()
        tasks = self.api.nodes("node1").tasks
        for source in ("active", "all"):
            with self.subTest(source):
                (entry,) = tasks.get(source=source, vmid=900)
                self.assertEqual((upid, "RUNNING"), (entry["upid"], entry["status"]))
                self.assertNotIn("endtime", entry)
        self.assertEqual([], tasks.get(vmid=900))
        self.assertEqual("running", tasks(upid).status.get()["status"])
        self.assertNotIn("status", self.api.cluster.tasks.get()[0])

    def test_failed_tasks_are_found_by_errors(self) -> None:
        self.create()
        self.exitstatus(self.ct().snapshot("none").delete())
        self.assertEqual(["vzdelsnapshot"], [t["type"] for t in self.api.nodes("node1").tasks.get(errors=1)])

    def test_the_log_ends_in_the_result(self) -> None:
        upid = self.fork_create()
        self.exitstatus(upid)
        self.assertEqual("TASK OK", self.api.nodes("node1").tasks(upid).log.get()[-1]["t"])
