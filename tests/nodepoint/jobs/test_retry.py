"""Back-off, the meaning of errors, and the times of looks: pure decisions, as tables."""

from itertools import pairwise
from unittest import TestCase, mock

from nodepoint.clients import errors
from nodepoint.jobs import retry
from nodepoint.jobs.call import BETWEEN_LOOKS, SHORTEST_LOOK, is_awaited, next_look
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.retry import BAD_ANSWERS, LONGEST_ASKED, SURPRISES, decide, pause
from tests.nodepoint.jobs.base import EngineTestCase, S

ANY = 99  # tries


class PauseTests(TestCase):
    def test_pauses_double_up_to_the_longest(self) -> None:
        with mock.patch("random.random", return_value=0.0):
            pauses = [pause(tries) for tries in range(7)]
            self.assertEqual(pauses, [1, 2, 4, 8, 15, 15, 15])
            self.assertEqual(pause(10**6), 15)
            self.assertEqual(pause(ANY, retry.LONGEST_UNDO_PAUSE), 60)

    def test_chance_shortens_a_pause_by_a_fifth_at_most(self) -> None:
        drawn = {pause(3) for _ in range(200)}
        self.assertGreater(len(drawn), 100)
        self.assertGreaterEqual(min(drawn), 0.8 * 8)
        self.assertLessEqual(max(drawn), 8)


class DecideTests(TestCase):
    # error, tries before, in a job that never gives up, expected
    TABLE = (
        (errors.Unreachable("npm"), 0, False, Retry),
        (errors.Unreachable("npm"), ANY, False, Retry),
        (errors.TimedOut("npm"), ANY, False, Retry),
        (errors.Busy("npm"), ANY, False, Retry),
        (errors.Refused("npm"), 0, False, Fail),
        (errors.Refused("npm"), ANY, True, Retry),
        (errors.NotFound("npm"), 0, False, Fail),
        (errors.NotFound("npm"), 0, True, Retry),
        (errors.Conflict("npm"), 0, False, Fail),
        (errors.Conflict("npm"), 0, True, Retry),
        (errors.BadAnswer("npm"), 0, False, Retry),
        (errors.BadAnswer("npm"), BAD_ANSWERS - 2, False, Retry),
        (errors.BadAnswer("npm"), BAD_ANSWERS - 1, False, Fail),
        (errors.BadAnswer("npm"), ANY, True, Retry),
        (KeyError("x"), 0, False, Retry),
        (KeyError("x"), SURPRISES - 2, False, Retry),
        (KeyError("x"), SURPRISES - 1, False, Fail),
        (KeyError("x"), ANY, True, Retry),
    )

    def test_every_error_has_its_meaning(self) -> None:
        for error, tries, endless, expected in self.TABLE:
            with self.subTest(error=error, tries=tries, endless=endless):
                self.assertIs(type(decide(error, tries, endless)), expected)

    def test_customers_read_the_sentence_and_staff_the_vendors_words(self) -> None:
        outcome = decide(errors.Refused("cloudflare", "code 9109"), 0, False)
        self.assertEqual((outcome.error, outcome.detail), ("Cloudflare refused the request.", "code 9109"))

    def test_a_fault_of_ours_shows_customers_nothing_of_it(self) -> None:
        outcome = decide(KeyError("secret"), 0, False)
        self.assertEqual(outcome.error, "Something went wrong on our side.")
        self.assertEqual(outcome.detail, "KeyError: 'secret'")

    def test_a_pause_the_vendor_asks_for_is_kept_within_reason(self) -> None:
        asked = ((None, None), (7.0, 7.0), (0, None), (-5, None), (10**9, LONGEST_ASKED))
        asked += ((float("nan"), None), (float("inf"), LONGEST_ASKED))
        for seconds, expected in asked:
            with self.subTest(seconds=seconds):
                self.assertEqual(decide(errors.Busy("npm", "", seconds), 0, False).seconds, expected)


class NextLookTests(TestCase):
    # elapsed, usual, expected seconds until the next look
    TABLE = (
        (0, 10, 7.0),  # 70 % of the usual time
        (0, 100, 70.0),
        (4, 10, 3.0),
        (7, 10, 3.0),  # when the end is expected
        (8, 10, 2.0),
        (70, 100, 3.0),  # but never more than 3 s after the one before
        (99.5, 100, 0.5),
        (100, 100, 1.5),  # then closely
        (110, 100, 3.0),
        (102, 100, 1.5),
        (105, 100, 1.75),
        (200, 100, 3.0),
        (0, 0.05, 0.1),  # not more often than every 0.1 s
        (2, 0.05, 0.6825),
        (0, None, 0.3),  # without experience: soon, and after as long again
        (0.3, None, 0.3),
        (0.6, None, 0.6),
        (1.2, None, 0.3),
        (10, None, 0.6),
        (1000, None, 3.0),
    )

    def test_looks_follow_the_usual_time(self) -> None:
        for elapsed, usual, expected in self.TABLE:
            with self.subTest(elapsed=elapsed, usual=usual):
                self.assertAlmostEqual(next_look(elapsed, usual), expected)

    def test_an_end_is_awaited_until_it_is_well_over_its_time(self) -> None:
        for elapsed, usual, expected in (
            (0.1, 10, True),
            (12.4, 10, True),
            (12.5, 10, False),
            (1.1, 0.1, True),
            (1.2, 0.1, False),
            (0.9, None, True),
            (1.0, None, False),
        ):
            with self.subTest(elapsed=elapsed, usual=usual):
                self.assertEqual(is_awaited(elapsed, usual), expected)

    def test_an_awaited_end_costs_few_looks_however_late_it_is(self) -> None:
        for usual in (None, 0.05, 0.5, 3, 10, 75):
            elapsed, looks = 0.0, 0
            while is_awaited(elapsed, usual):
                elapsed, looks = elapsed + next_look(elapsed, usual), looks + 1
            self.assertLessEqual(looks, 12 + 0.3 * (usual or 0) / BETWEEN_LOOKS, usual)

    def test_no_pause_but_the_first_is_longer_than_three_seconds(self) -> None:
        for usual in (None, 0.3, 5, 45, 600):
            elapsed = next_look(0, usual)
            for _ in range(200):
                wait = next_look(elapsed, usual)
                self.assertTrue(SHORTEST_LOOK <= wait <= BETWEEN_LOOKS, (usual, elapsed, wait))
                elapsed += wait

    def test_work_that_takes_as_long_as_usual_costs_few_looks_and_little_time(self) -> None:
        for usual in (5, 10, 45, 75):
            elapsed, looks = 0.0, 0
            while elapsed < usual:
                elapsed, looks = elapsed + next_look(elapsed, usual), looks + 1
            self.assertLessEqual(looks, 2 + 0.3 * usual / BETWEEN_LOOKS + 2)
            self.assertLessEqual(elapsed - usual, 0.05 * usual + 0.2)


class RetriedStepTests(EngineTestCase):
    """What the engine makes of these decisions."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch("random.random", return_value=0.0))

    def test_a_retry_backs_off_and_ends_well(self) -> None:
        away = errors.Unreachable("npm", "connection refused")
        step = self.step("a", away, away, away, Done())
        self.flow(step)
        self.submit()
        self.run_jobs()
        times = [call.now for call in step.run.calls]
        pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
        self.assertEqual(pauses, [1, 2, 4])
        row = self.row("a")
        self.assertEqual((row.state, row.error, row.detail), (S.DONE, "", ""))

    def test_an_outage_uses_up_nothing_of_the_patience_with_other_faults(self) -> None:
        away, theirs, ours = errors.Unreachable("npm"), errors.BadAnswer("npm"), KeyError("x")
        for fault, most in ((theirs, BAD_ANSWERS), (ours, SURPRISES)):
            for faults, state in ((most - 1, Job.State.SUCCEEDED), (most, Job.State.FAILED)):
                with self.subTest(fault=fault, faults=faults):
                    name = f"test.{type(fault).__name__}.{faults}"
                    self.flow(self.step("a", *[away] * 20, *[fault] * faults, Done()), name=name)
                    job = self.submit(name, f"{name}:1")
                    self.run_jobs()
                    job.refresh_from_db()
                    self.assertEqual(job.state, state)

    def test_kinds_of_faults_are_counted_apart_and_from_the_steps_last_word_on(self) -> None:
        theirs, ours = errors.BadAnswer("npm"), KeyError("x")
        some = [*[theirs] * (BAD_ANSWERS - 1), *[ours] * (SURPRISES - 1)]
        self.flow(self.step("a", *some, Retry(error="No."), *some, Wait(seconds=1), *some, Done()))
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, self.row("a").data), (Job.State.SUCCEEDED, {}))

    def test_a_step_between_two_tries_says_why(self) -> None:
        self.flow(self.step("a", errors.Unreachable("npm", "connection refused")))
        job = self.submit()
        self.call("a")
        row = self.row("a")
        self.assertEqual((row.state, row.tries), (S.WAITING, 1))
        self.assertEqual(row.error, "Nginx Proxy Manager could not be reached.")
        self.assertEqual(row.detail, "connection refused")
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.WAITING)

    def test_a_look_that_succeeds_starts_the_back_off_anew(self) -> None:
        away = errors.Unreachable("npm")
        self.flow(self.step("a", away, away, Wait(seconds=1), away, Done()))
        self.submit()
        for tries in (1, 2, 0, 1):
            self.call("a")
            self.assertEqual(self.row("a").tries, tries)
            self.clock.time = self.row("a").due_at

    def test_the_state_of_the_job_follows_its_branches(self) -> None:
        away = Retry(error="The node is away.")
        self.flow(
            self.step("a", away, away, Wait(seconds=60)), self.step("b", Wait(seconds=60), away, Done())
        )
        job = self.submit()

        def state_after(name: str) -> str:
            self.clock.time = max(self.clock.time, self.row(name).due_at)
            self.call(name)
            job.refresh_from_db()
            return job.state

        self.assertEqual([state_after("a"), state_after("b")], ["running", "running"])
        self.assertEqual([state_after("a"), state_after("b")], ["running", "waiting"])
        self.assertEqual(state_after("a"), "running")

    def test_a_failure_ends_the_job_with_its_words(self) -> None:
        self.flow(self.step("a", Fail(error="No.", detail="code 17")), self.step("b", after=("a",)))
        job = self.submit()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.error, job.detail), (Job.State.FAILED, "No.", "a: code 17"))
        self.assertEqual(self.journal, ["a"])
        self.assertEqual(self.states(job)["b"], S.SKIPPED)
