"""Every call of another system is counted by what it asked for and how it ended, over the wire."""

import os
import unittest

from nodepoint.clients import counting
from nodepoint.clients.counting import observed, operation
from nodepoint.clients.errors import (
    BadAnswer,
    Busy,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from sites.clients.cloudflare import Cloudflare
from sites.clients.proxmox import Proxmox
from tests.clients.base import LabTestCase

ENDS = {
    Unreachable: "unreachable",
    TimedOut: "timed_out",
    Refused: "refused",
    NotFound: "missing",
    Conflict: "conflict",
    Busy: "busy",
    BadAnswer: "failed",
}
ASKED = {
    (
        "get",
        "nodes",
        "pve",
        "lxc",
        900,
        "snapshot",
        "initial",
        "rollback",
    ): "GET nodes/*/lxc/*/snapshot/*/rollback",
    ("GET", "nodes", "status", "lxc", 900, "status", "current"): "GET nodes/*/lxc/*/status/current",
    ("POST", "cluster", "ha", "resources"): "POST cluster/ha/resources",
    ("DELETE", "cluster", "ha", "resources", "ct:900"): "DELETE cluster/ha/resources/*",
    (
        "GET",
        "nodes",
        "a",
        "tasks",
        "UPID:a:0:0:0:vzcreate:900:u@pam:",
        "status",
    ): "GET nodes/*/tasks/*/status",
    ("PUT", "nginx", "proxy-hosts", 17, "enable"): "PUT nginx/proxy-hosts/*/enable",
    ("GET", ""): "GET *",
}


def counted() -> dict[tuple[str, str, str], int]:
    """Calls by system, operation and outcome since the last time."""
    found: dict[tuple[str, str, str], int] = {}
    for (*key, _), (calls, _) in counting.taken().items():
        found[tuple(key)] = found.get(tuple(key), 0) + calls
    return found


class CountingTests(unittest.TestCase):
    def setUp(self) -> None:
        counting.taken()

    def test_names_of_things_are_left_out(self) -> None:
        for segments, expected in ASKED.items():
            with self.subTest(expected):
                self.assertEqual(operation(*segments), expected)

    def test_each_end_has_its_word(self) -> None:
        self.assertEqual(set(ENDS), set(ClientError.__subclasses__()))
        for error in ENDS:
            with self.assertRaises(error), observed("npm", "x"):
                raise error("npm")
        with self.assertRaises(ZeroDivisionError), observed("npm", "x"):
            raise ZeroDivisionError
        with observed("npm", "x"):
            pass
        self.assertEqual(counted(), {("npm", "x", word): 1 for word in (*ENDS.values(), "broken", "ok")})

    def test_durations_fall_into_the_bucket_of_their_bound(self) -> None:
        for seconds in (0.0, 0.05, 0.06, 500.0):
            counting.add("npm", "x", "ok", seconds)
        found = {bucket: calls for (*_, bucket), (calls, _) in counting.taken().items()}
        self.assertEqual(found, {0: 2, 1: 1, len(counting.BUCKETS): 1})

    def test_what_could_not_be_written_is_added_to_what_came_since(self) -> None:
        counting.add("npm", "x", "ok", 1.0)
        unwritten = counting.taken()
        counting.add("npm", "x", "ok", 1.0)
        counting.give_back(unwritten)
        self.assertEqual([*counting.taken().values()], [[2, 2.0]])

    def test_no_number_of_names_makes_more_than_so_many(self) -> None:
        for number in range(counting.MOST + 5):
            counting.add("npm", str(number), "ok", 0.0)
        found = counted()
        self.assertEqual((len(found), found["npm", counting.OTHERS, "ok"]), (counting.MOST + 1, 5))

    def test_a_forked_child_begins_with_nothing(self) -> None:
        counting.add("npm", "x", "ok", 0.0)
        child = os.fork()
        if not child:
            os._exit(len(counting.taken()))
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertEqual(len(counted()), 1)


class OverTheWireTests(LabTestCase):
    def test_calls_are_counted_once_each_by_their_ends(self) -> None:
        cloudflare: Cloudflare = self.cloudflare()
        proxmox: Proxmox = self.proxmox()
        counting.taken()
        made = cloudflare.create_record("A", "counted.nodepoint.eu", "203.0.113.10")
        cloudflare.delete_record(made.id)
        cloudflare.delete_record(made.id)
        proxmox.nodes()
        with self.assertRaises(NotFound):
            proxmox.config("node1", 999)
        expected = {
            ("cloudflare", "POST dns_records", "ok"): 1,
            ("cloudflare", "DELETE dns_records/*", "ok"): 1,
            ("cloudflare", "DELETE dns_records/*", "missing"): 1,
            ("proxmox", "GET nodes", "ok"): 1,
            ("proxmox", "GET nodes/*/lxc/*/config", "missing"): 1,
        }
        self.assertEqual(counted(), expected)
