"""The control calls: state in the contract's shape, and refusals of what makes no sense."""

from tests.lab.cluster import ClusterCase


class StateTests(ClusterCase):
    def test_a_container_is_shown_with_the_fields_that_tests_rely_on(self) -> None:
        ct = self.create(start=True, hostname="demo", tags="site", description="mark")
        ct.firewall.options.put(enable=1)
        self.done(ct.snapshot.post(snapname="initial"))
        self.api.cluster.ha.resources.post(sid="ct:900")
        state = self.control("GET", "state").json()
        [container] = state["proxmox"]["containers"]
        expected = {
            "vmid": 900,
            "name": "demo",
            "node": "node1",
            "status": "running",
            "ip": "192.168.1.100/24",
            "memory": 2048,
            "disk": 20,
            "tags": "site",
            "description": "mark",
            "snapshots": ["initial"],
            "lock": "",
            "ha": "started",
        }
        self.assertEqual(expected, {name: container[name] for name in expected})
        self.assertEqual({"options": {"enable": 1}, "rules": []}, container["firewall"])
        self.assertEqual(["ct:900"], [resource["sid"] for resource in state["proxmox"]["ha"]])
        self.assertIn("vzcreate", [task["type"] for task in state["proxmox"]["tasks"]])

    def test_every_system_has_its_part_and_a_count_of_requests(self) -> None:
        before = self.control("GET", "state").json()["requests"]["proxmox"]
        self.api.version.get()
        state = self.control("GET", "state").json()
        self.assertEqual(before + 1, state["requests"]["proxmox"])
        self.assertEqual({"records"}, set(state["cloudflare"]))
        self.assertEqual({"proxy_hosts", "certificates"}, set(state["npm"]))

    def test_containers_being_made_and_destroyed_are_listed(self) -> None:
        self.lab.clock.factor = 1
        self.fork_create()
        [container] = self.control("GET", "state").json()["proxmox"]["containers"]
        self.assertEqual((900, "create"), (container["vmid"], container["lock"]))


class RefusalTests(ClusterCase):
    def test_calls_that_make_no_sense_are_400_with_a_sentence(self) -> None:
        refused = (
            ("faults", {"system": "proxmox"}, "kind is missing."),
            ("faults", {"system": "proxmox", "kind": "error", "times": 2}, "unknown field 'times'"),
            ("faults", {"system": "moon", "kind": "error"}, "unknown system 'moon'"),
            ("faults", ["error"], "the body must be a JSON object."),
            ("node", {"node": "node9", "up": True}, "unknown node 'node9'"),
            ("node", {"node": ["node1"], "up": True}, "unknown node"),
            ("node", {"node": "node1", "up": "no"}, "up must be true or false."),
            ("dns", {"name": "", "type": "A"}, "name must be a host name."),
            ("dns", {"name": "a.example", "type": "SPF"}, "type must be one of"),
            (
                "dns",
                {"name": "a.example", "type": "A", "values": "192.0.2.1"},
                "values must be a list of texts.",
            ),
            ("dns", {"name": "a.example", "type": "A", "values": ["here"]}, "here"),
            ("speed", {"factor": -1}, "factor must be a number from 0 to 100."),
            ("speed", {"factor": True}, "factor must be a number"),
        )
        for path, body, text in refused:
            with self.subTest(f"{path} {body}"):
                answer = self.control("POST", path, body)
                self.assertEqual(400, answer.status_code)
                self.assertIn(text, answer.json()["error"])

    def test_a_body_that_is_no_json_is_400(self) -> None:
        self.assertIn("the body is no JSON", self.control("POST", "speed").json()["error"])

    def test_an_unknown_call_is_404_and_lists_the_calls(self) -> None:
        answer = self.control("GET", "nothing")
        self.assertEqual(404, answer.status_code)
        self.assertIn("POST /_lab/faults", answer.json()["error"])

    def test_a_trailing_slash_is_fine(self) -> None:
        self.assertEqual(200, self.control("GET", "state/").status_code)
