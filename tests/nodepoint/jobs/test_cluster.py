"""The worker command's watch: what it takes for a stall, and what it does then."""

import os
import signal
from datetime import timedelta
from unittest import mock

from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from nodepoint.jobs import broker, cluster, limits, queue
from nodepoint.jobs.models import JobStep
from tests.nodepoint.jobs.base import EngineTestCase


@override_settings(JOB_STALL_SECONDS=60, JOB_RUNNERS=2, JOB_THREADS=3)
class StallTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a"))

    def make(self, count: int, **ages: float | bool) -> None:
        """So many steps that have been `due_at` and `claimed_at` so many seconds ago."""
        now = timezone.now()
        for number in range(count):
            job = self.submit(subject=f"thing:{ages}:{number}"[:64])
            values = {
                name: now - timedelta(seconds=age) if name.endswith("_at") else age
                for name, age in ages.items()
            }
            JobStep.objects.filter(job=job).update(**values)

    def test_an_empty_queue_is_no_stall(self) -> None:
        self.assertFalse(cluster.stalled())

    def test_a_step_that_nobody_claims_is_one(self) -> None:
        self.make(1, due_at=59)
        self.assertFalse(cluster.stalled())
        self.make(1, due_at=61)
        self.assertTrue(cluster.stalled())

    def test_steps_that_wait_are_none(self) -> None:
        self.make(1, due_at=-600)
        self.assertFalse(cluster.stalled())

    def test_overload_is_none_while_steps_are_claimed(self) -> None:
        self.make(5, due_at=600)
        self.make(1, due_at=-10, claimed_at=59)
        self.assertFalse(cluster.stalled())
        JobStep.objects.exclude(claimed_at=None).update(claimed_at=timezone.now() - timedelta(seconds=61))
        self.assertTrue(cluster.stalled())

    def test_overload_is_none_while_all_threads_are_in_long_calls(self) -> None:
        self.make(5, due_at=600)
        self.make(6, due_at=-10, claimed_at=100, held=True)
        self.assertFalse(cluster.stalled())
        JobStep.objects.filter(held=True, pk=JobStep.objects.filter(held=True).first().pk).update(held=False)
        self.assertTrue(cluster.stalled())

    def test_threads_that_hang_without_a_heartbeat_are_one(self) -> None:
        self.make(6, due_at=600, claimed_at=700, held=True)
        self.assertTrue(cluster.stalled())


@override_settings(JOB_STALL_SECONDS=60)
class WatchTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.time = 1000.0
        self.enterContext(mock.patch("nodepoint.jobs.cluster.time.monotonic", lambda: self.time))
        self.enterContext(
            mock.patch.object(cluster, "close_old_connections")
        )  # the test's transaction is open
        self.end_group = self.enterContext(mock.patch.object(cluster, "end_group"))
        self.stalled = self.enterContext(mock.patch.object(cluster, "stalled", return_value=True))
        self.kick_if_due = self.enterContext(mock.patch.object(queue, "kick_if_due"))
        self.watch = cluster.Watch()

    def ended(self, seconds: float) -> bool:
        """Look after so many more seconds; whether the group was ended by it."""
        self.time += seconds
        self.end_group.reset_mock()
        self.watch.look()
        return self.end_group.called

    def test_a_stall_ends_the_group(self) -> None:
        self.assertTrue(self.ended(61))
        self.end_group.assert_called_once_with(1)

    def test_what_was_due_before_the_start_is_not_judged_at_once(self) -> None:
        """Else a worker that starts after an hour's pause would end itself at its first look, and so would
        the next one."""
        self.assertEqual([self.ended(seconds) for seconds in (1, 30, 28, 2)], [False, False, False, True])

    def test_a_database_that_was_away_is_no_stall(self) -> None:
        self.time += 3600
        self.stalled.side_effect = OperationalError("gone away")
        self.assertFalse(self.ended(1))
        self.stalled.side_effect = None
        self.assertEqual([self.ended(seconds) for seconds in (1, 58, 2)], [False, False, True])

    def test_a_broker_that_was_away_is_no_stall(self) -> None:
        self.time += 3600
        self.kick_if_due.side_effect = ConnectionError("redis has an error of its own")
        with mock.patch.object(broker, "fault", return_value="ConnectionError"):
            self.assertFalse(self.ended(1))
        self.assertEqual(limits.taken(queue.WORKER, timezone.now()), 1)  # the worker itself is up
        self.kick_if_due.side_effect = None
        self.assertEqual([self.ended(seconds) for seconds in (1, 58, 2)], [False, False, True])

    def test_what_nobody_expected_is_no_fault_of_the_broker(self) -> None:
        self.kick_if_due.side_effect = KeyError("a defect of ours")
        with self.assertRaises(KeyError):
            self.watch.look()

    def test_whatever_ends_the_watch_ends_the_group(self) -> None:
        """Else the children would live on unwatched, and the supervisor would see a living process."""
        with (
            mock.patch.object(cluster, "WatchedCluster") as started,
            mock.patch.object(cluster, "_plan_housekeeping"),
            mock.patch.object(cluster.os, "setpgrp"),
            mock.patch.object(cluster.time, "sleep"),
            mock.patch.object(cluster.Watch, "look", side_effect=KeyError("anything")),
        ):
            started.return_value.sentinel.is_alive.return_value = True
            cluster.run()
        self.end_group.assert_called_once_with(1)

    def test_every_look_wakes_runners_and_says_that_the_worker_is_up(self) -> None:
        self.ended(1)
        self.kick_if_due.assert_called_once_with()
        self.assertEqual(limits.taken(queue.WORKER, timezone.now()), 1)
        self.assertEqual(limits.taken(queue.WORKER, timezone.now() + timedelta(seconds=10)), 0)


class GroupTests(EngineTestCase):
    def test_the_whole_group_ends(self) -> None:
        """Tried in a child that leads a group of its own, with a grandchild in it."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.setpgrp()
            os.close(reader)
            if os.fork() == 0:
                signal.pause()  # the grandchild keeps the pipe open as long as it lives
            cluster.end_group(3)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)
        self.assertEqual(os.read(reader, 1), b"")
        os.close(reader)


class HousekeepingTests(EngineTestCase):
    def test_its_schedules_are_made_once(self) -> None:
        for _ in range(3):
            cluster._plan_housekeeping()
        ours = Schedule.objects.filter(func__in=cluster.HOUSEKEEPING)
        found = {schedule.func: (schedule.minutes, schedule.repeats) for schedule in ours}
        self.assertEqual(ours.count(), len(cluster.HOUSEKEEPING))
        self.assertEqual(found, {func: (minutes, -1) for func, minutes in cluster.HOUSEKEEPING.items()})

    def test_what_it_calls_exists(self) -> None:
        for func in cluster.HOUSEKEEPING:
            self.assertTrue(callable(import_string(func)))

    def test_a_changed_interval_is_taken_over(self) -> None:
        cluster._plan_housekeeping()
        Schedule.objects.update(minutes=999)
        cluster._plan_housekeeping()
        self.assertFalse(Schedule.objects.filter(minutes=999).exists())
