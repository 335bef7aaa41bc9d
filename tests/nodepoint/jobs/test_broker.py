"""The queue of wake-up calls in the database: asked when somebody has rung, and else seldom."""

import tempfile
from pathlib import Path
from unittest import mock

from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs.broker import LOOK_SECONDS, DatabaseQueue


class BellTests(TestCase):
    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(override_settings(NODEPOINT_DATA=Path(folder)))
        self.time = 1000.0
        self.enterContext(mock.patch("nodepoint.jobs.broker.time.monotonic", lambda: self.time))
        self.slept = self.enterContext(mock.patch("nodepoint.jobs.broker.time.sleep"))
        self.enterContext(mock.patch("django_q.brokers.orm.sleep"))
        self.queue = DatabaseQueue(list_key="nodepoint")

    def put(self, task: str) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            DatabaseQueue(list_key="nodepoint").enqueue(task)

    def taken(self) -> tuple[list[str], int]:
        """What is taken now, and how many queries that took."""
        with CaptureQueriesContext(connection) as asked:
            found = self.queue.dequeue() or []
        return [task for _, task in found], len(asked)

    def test_an_idle_queue_is_asked_twice_a_second(self) -> None:
        self.assertEqual([self.taken() for _ in range(3)], [([], 1), ([], 0), ([], 0)])
        self.assertEqual(self.slept.call_count, 2)
        self.time += LOOK_SECONDS
        self.assertEqual([self.taken() for _ in range(2)], [([], 1), ([], 0)])

    def test_what_is_put_in_on_this_host_is_found_at_once(self) -> None:
        self.taken()
        self.put("a")
        self.put("b")
        self.assertEqual([self.taken()[0] for _ in range(3)], [["a"], ["b"], []])
        self.assertEqual(self.taken(), ([], 0))

    def test_what_came_from_elsewhere_is_found_at_the_next_look(self) -> None:
        self.taken()
        with mock.patch("nodepoint.jobs.broker._ring"):
            self.put("a")
        self.assertEqual(self.taken(), ([], 0))
        self.time += LOOK_SECONDS
        self.assertEqual(self.taken()[0], ["a"])

    def test_without_a_place_for_the_bell_it_is_looked_all_the_same(self) -> None:
        with override_settings(NODEPOINT_DATA=Path("/proc/none")):
            self.put("a")
            self.assertEqual(self.taken()[0], ["a"])
