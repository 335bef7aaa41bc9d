"""A runner that hands its slice back wakes the next one for what is due soon, not only for what is due."""

from unittest import mock

from nodepoint.jobs import queue, runner, tasks
from nodepoint.jobs.outcomes import Wait
from tests.nodepoint.jobs.base import EngineTestCase


class KickAheadTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a", Wait(seconds=10)))
        self.submit()
        self.call("a")
        self.kick = self.enterContext(mock.patch.object(queue, "kick"))

    def test_what_is_due_later_is_left_to_the_watch(self) -> None:
        queue.kick_if_due()
        self.kick.assert_not_called()

    def test_the_end_of_a_slice_looks_ahead_for_the_length_of_one(self) -> None:
        with mock.patch.object(runner, "of_this_process"):
            tasks.run()
        self.kick.assert_called_once_with()
