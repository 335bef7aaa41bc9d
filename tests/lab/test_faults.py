"""Failures to order, seen at the Proxmox API; and the durations of calls."""

import time

import requests

from lab.faults import BadFault, Faults
from tests.lab.cluster import ClusterCase

START = "/nodes/node1/lxc/900/status/start"


class FaultTests(ClusterCase):
    def setUp(self) -> None:
        super().setUp()
        self.create()

    def order(self, kind: str, **more: object) -> None:
        body = {"system": "proxmox", "kind": kind, "match": "/status/start", "seconds": 0.2, **more}
        self.assertEqual(200, self.control("POST", "faults", body).status_code)

    def started(self) -> bool:
        return self.ct().status.current.get()["status"] == "running"

    def test_answers_in_the_vendors_form_have_no_effect(self) -> None:
        for kind, status, text in (
            ("error", 500, "ipcc_send_rec[1] failed: Connection refused"),
            ("refuse", 403, "Permission check failed (/vms/900, VM.PowerMgmt)"),
        ):
            with self.subTest(kind):
                self.order(kind)
                self.refused(status, text, self.ct().status.start.post)
                self.assertFalse(self.started())

    def test_dropped_calls_have_their_effect_only_when_dropped_after(self) -> None:
        for kind, effect in (("drop_before", False), ("hang", False), ("drop_after", True)):
            with self.subTest(kind):
                self.order(kind)
                with self.assertRaises(requests.ConnectionError):
                    self.raw("POST", START)
                self.assertEqual(effect, self.started())

    def test_a_slow_call_is_normal_but_late(self) -> None:
        self.order("slow")
        begin = time.monotonic()
        self.assertEqual(200, self.raw("POST", START).status_code)
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)
        self.assertTrue(self.started())

    def test_only_matching_calls_and_only_as_many_as_ordered(self) -> None:
        self.order("error", count=2)
        self.assertFalse(self.started())
        for expected in (500, 500, 200):
            self.assertEqual(expected, self.raw("POST", START).status_code)

    def test_orders_are_listed_and_cleared(self) -> None:
        self.order("error", count=3)
        [listed] = self.control("GET", "faults").json()["faults"]
        self.assertEqual(("proxmox", "error", 3), (listed["system"], listed["kind"], listed["count"]))
        self.assertEqual({"faults": []}, self.control("DELETE", "faults").json())
        self.assertEqual(200, self.raw("POST", START).status_code)

    def test_orders_that_make_no_sense_are_refused(self) -> None:
        faults = Faults()
        for values in (
            ("nowhere", "error"), ("npm", "explode"), ("npm", "error", 0), ("npm", "error", True),
            ("npm", "error", "2"), ("npm", "error", 1, 5), ("npm", "error", 1, "", -1),
            ("npm", "error", 1, "", "5"),
        ):  # fmt: skip
            with self.subTest(values), self.assertRaises(BadFault):
                faults.add(*values)
        self.assertEqual([], faults.view())


class DurationTests(ClusterCase):
    speed = 1.0

    def test_calls_take_their_time_by_the_factor(self) -> None:
        for method, path, seconds in (
            ("GET", "/version", 0.05),
            ("POST", "/nodes/node1/lxc/900/status/stop", 0.2),
        ):
            with self.subTest(path):
                begin = time.monotonic()
                self.raw(method, path)
                self.assertGreaterEqual(time.monotonic() - begin, seconds)

    def test_the_factor_changes_at_run_time(self) -> None:
        self.assertEqual({"factor": 0.0}, self.control("POST", "speed", {"factor": 0}).json())
        self.create()
        self.assertEqual("stopped", self.ct().status.current.get()["status"])

    def test_jitter_spreads_durations_around_their_value(self) -> None:
        clock = self.lab.clock
        self.assertEqual({7.0}, {clock.seconds("start") for _ in range(20)})
        clock.jitter = 0.2
        spread = [clock.seconds("start") for _ in range(200)]
        self.assertGreater(len(set(spread)), 100)
        self.assertTrue(all(7 * 0.8 <= seconds <= 7 * 1.2 for seconds in spread))
