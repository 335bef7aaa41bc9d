"""The lab as Proxmox VE 8.4: what the published schemas of 8.4 and 9.2 say differently."""

import lab
from tests.lab.cluster import ClusterCase


class OldReleaseTests(ClusterCase):
    def setUp(self) -> None:
        self.lab = lab.start(proxmox_release="8.4")
        self.addCleanup(self.lab.stop)
        self.api = self.connect()

    def test_it_says_so(self) -> None:
        self.assertEqual("8.4", self.api.version.get()["release"])

    def test_parameters_that_came_with_9_are_unknown(self) -> None:
        self.create()
        unknown = {
            "ha-managed": (
                self.api.nodes("node1").lxc.post,
                {"vmid": 901, "ostemplate": "local:vztmpl/x"},
                1,
            ),
            "env": (self.ct().config.put, {}, "A=b"),
            "failback": (self.api.cluster.ha.resources.post, {"sid": "ct:900"}, 1),
        }
        for name, (call, values, value) in unknown.items():
            with self.subTest(name):
                error = self.refused(400, "Parameter verification failed.", call, **{**values, name: value})
                self.assertIn("not defined in schema", error.errors[name])
        net = "name=eth0,bridge=vmbr1,host-managed=1"
        self.assertIn("net0", self.refused(400, "", self.ct().config.put, net0=net).errors)

    def test_there_are_groups_and_no_rules(self) -> None:
        self.assertEqual([], self.api.cluster.ha.groups.get())
        self.assertEqual(501, self.raw("GET", "/cluster/ha/rules").status_code)

    def test_nobody_warns_of_missing_nesting(self) -> None:
        self.done(self.fork_create(features="nesting=0"))

    def test_the_life_of_a_container_is_the_same(self) -> None:
        ct = self.create(start=True, pool="nodepoint", tags="b;a", description="mark")
        self.done(ct.snapshot.post(snapname="initial"))
        self.api.cluster.ha.resources.post(sid="ct:900")
        self.assertEqual("started", self.service()["state"])
        self.api.cluster.ha.resources("ct:900").delete()
        self.done(ct.status.stop.post())
        self.done(ct.delete(purge=1))
