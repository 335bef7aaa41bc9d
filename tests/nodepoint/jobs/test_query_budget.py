"""What a call of a step costs the database. A rise is a decision, not an accident: most calls are looks, and
they are many."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from nodepoint.jobs import engine, experience, limits
from nodepoint.jobs.outcomes import Done, Retry, Wait
from nodepoint.jobs.registry import Limit
from tests.nodepoint.jobs.base import SLACK, EngineTestCase

LANE = Limit("lane", lambda: 1)
KEPT = Limit("kept", lambda: 1, until_done=True)


class QueryBudgetTests(EngineTestCase):
    def cost(self, name: str = "a") -> int:
        """Statements of one claim and call, transaction control left out."""
        experience.of("test.flow")  # read twice a minute, not at each call
        with CaptureQueriesContext(connection) as queries:
            self.call(name)
        control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
        return len([query for query in queries if not query["sql"].startswith(control)])

    def prepare(self, *outcomes, calls: int = 0, **options) -> None:
        """A step that has been called so often."""
        self.flow(self.step("a", *outcomes, **options), self.step("b", after=("a",)))
        self.submit()
        for _ in range(calls):
            self.call("a")
            self.clock.time = self.row("a").due_at

    def assert_costs(self, most: int) -> None:
        self.assertLessEqual(self.cost() - 1, most)  # the test's own look at the row is not counted

    def test_a_look(self) -> None:
        """Claim (2), the job's row, the step's."""
        self.prepare(Wait(seconds=1), calls=1)
        self.assert_costs(4)

    def test_a_look_under_a_limit_of_the_remote_work(self) -> None:
        """And the slot: renewed before the call, kept after it."""
        self.prepare(Wait(seconds=1), calls=1, limits=(KEPT,))
        self.assert_costs(6)

    def test_a_look_under_a_lane(self) -> None:
        """And the slot: taken, given back, the next in line."""
        self.prepare(Wait(seconds=1), calls=1, limits=(LANE,))
        self.assert_costs(7)

    def test_a_failed_try(self) -> None:
        self.prepare(Retry(error="Away."), calls=1)
        self.assert_costs(5)

    def test_a_step_that_is_done_and_releases_the_next(self) -> None:
        self.prepare(Done())
        self.assert_costs(6)

    def test_a_step_in_line(self) -> None:
        """Nothing follows from it for the job."""
        self.prepare(Done(), limits=(LANE,))
        limits.take("lane", 1, "somebody", self.clock.now(), 60)
        self.call("a")
        self.clock.move(engine.LIMIT_PAUSE)
        self.assert_costs(6)

    def test_asking_for_due_steps(self) -> None:
        """One query in vain; with steps that are due one more, and one for each. Where rows are locked four
        more, for however many."""
        with self.assertNumQueries(1):
            self.assertEqual(list(engine.claim_due(self.clock.now(), 5)), [])
        self.flow(self.step("a"), self.step("b"))
        self.submit()
        self.clock.time += SLACK
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(len(list(engine.claim_due(self.clock.now(), 5))), 2)
        statements = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        locks = connection.features.has_select_for_update_skip_locked
        self.assertEqual(len(statements), 5 if locks else 4, "\n".join(statements))

    def test_submitting(self) -> None:
        self.flow(*(self.step(name) for name in "abcdefghijklm"))
        experience.of("test.flow")
        with CaptureQueriesContext(connection) as queries:
            self.submit()
        statements = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        self.assertLessEqual(len(statements), 7, "\n".join(statements))  # one is the log of acts
