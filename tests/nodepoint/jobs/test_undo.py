"""What a job that fails leaves behind: nothing."""

from nodepoint.clients import errors
from nodepoint.jobs import engine, timeline
from nodepoint.jobs.engine import LEASE
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.retry import LONGEST_UNDO_PAUSE
from tests.nodepoint.jobs.base import EngineTestCase, S

NO = Fail(error="No.", detail="code 17")


class UndoTests(EngineTestCase):
    def end(self, job: Job) -> Job:
        """Run the job to its end."""
        self.run_jobs()
        job.refresh_from_db()
        return job

    def test_what_was_made_is_undone_last_first(self) -> None:
        self.flow(
            self.step("a", undo=Done()),
            self.step("b", undo=Done(), after=("a",)),
            self.step("c", NO, undo=Done(), after=("b",)),
        )
        job = self.end(self.submit())
        self.assertEqual(self.journal, ["a", "b", "c", "undo c", "undo b", "undo a"])
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertEqual((job.error, job.detail), ("No.", "c: code 17"))
        self.assertEqual(set(self.states(job).values()), {S.UNDONE})
        self.assertIsNone(job.active_key)

    def test_the_failed_step_itself_is_undone_too(self) -> None:
        """It may have had its effect before it failed."""
        self.flow(self.step("a", NO, undo=Done()))
        self.end(self.submit())
        self.assertEqual(self.journal, ["a", "undo a"])

    def test_a_failed_step_that_has_nothing_to_undo_still_says_what_went_wrong(self) -> None:
        self.flow(self.step("a", undo=Done()), self.step("b", NO, after=("a",)))
        job = self.end(self.submit())
        self.assertEqual(self.states(job), {"a": S.UNDONE, "b": S.FAILED})
        self.assertEqual((job.state, self.row("b").error), (Job.State.ROLLED_BACK, "No."))

    def test_only_what_was_begun_is_undone(self) -> None:
        self.flow(
            self.step("a", NO, undo=Done()),
            self.step("due", undo=Done()),  # its turn had come, but nobody called it yet
            self.step("later", undo=Done(), after=("due",)),
        )
        job = self.submit()
        self.call("a")
        self.end(job)
        self.assertEqual(self.journal, ["a", "undo a"])
        self.assertEqual(self.states(job), {"a": S.UNDONE, "due": S.SKIPPED, "later": S.SKIPPED})

    def test_a_step_whose_worker_died_counts_as_begun(self) -> None:
        self.flow(self.step("a", SystemExit(), undo=Done()), self.step("b", NO))
        job = self.submit()
        with self.assertRaises(SystemExit):
            self.call("a")
        self.call("b")
        self.end(job)
        self.assertEqual(self.journal, ["a", "b", "undo a"])

    def test_steps_without_undo_are_passed_over(self) -> None:
        self.flow(self.step("a", undo=Done()), self.step("b", after=("a",)), self.step("c", NO, after=("b",)))
        job = self.end(self.submit())
        self.assertEqual(self.journal, ["a", "b", "c", "undo a"])
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        states = {line.row.name: line.state for line in timeline.of(job).steps}
        self.assertEqual(states, {"a": "Undone", "b": "Nothing to undo", "c": "Failed"})

    def test_a_flow_without_any_undo_has_failed(self) -> None:
        self.flow(self.step("a"), self.step("b", NO, after=("a",)))
        self.assertEqual(self.end(self.submit()).state, Job.State.FAILED)

    def test_an_undo_can_take_several_calls_and_remembers_between_them(self) -> None:
        undo = (Wait(ref="UPID:2", seconds=5, data={"x": 1}), Wait(seconds=5), Done())
        step = self.step("a", Done(ref="UPID:1", data={"old": 1}), undo=undo)
        self.flow(step, self.step("b", NO, after=("a",)))
        self.end(self.submit())
        seen = [(call.ref, call.step.data) for call in step.undo.calls]
        self.assertEqual(seen[0], ("", {"undoes": "UPID:1"}))
        self.assertEqual(seen[1:], [("UPID:2", {"undoes": "UPID:1", "x": 1})] * 2)

    def test_what_a_step_failed_with_stays_readable_once_it_is_undone(self) -> None:
        undo = (
            Retry(error="Not now.", detail="595"),
            Wait(ref="UPID:2", seconds=5),
            Done(note="It was gone."),
        )
        self.flow(
            self.step("a", undo=Done()),
            self.step("b", Fail(error="No.", detail="403"), undo=undo, after=("a",)),
        )
        job = self.submit()
        self.call("a"), self.call("b")
        self.call("b")
        self.assertEqual(self.said(job, "b"), ("undoing", "Not now.", "595"))
        job = self.end(job)
        self.assertEqual(self.said(job, "a"), ("undone", "", ""))
        self.assertEqual(self.said(job, "b"), ("undone", "No.", "403\nIt was gone."))
        states = {line.row.name: (line.state, line.colour) for line in timeline.of(job).steps}
        self.assertEqual(states, {"a": ("Undone", "default"), "b": ("Failed, undone", "danger")})

    def said(self, job: Job, name: str) -> tuple[str, str, str]:
        step = job.steps.get(name=name)
        return step.state, step.error, step.detail

    def test_facts_of_an_undo_are_written(self) -> None:
        plan = self.make_plan()
        self.flow(self.step("a", NO, undo=Done(facts={"cores": 7})), subject="sites.Plan")
        self.end(self.submit(subject=f"sites.plan:{plan.pk}"))
        plan.refresh_from_db()
        self.assertEqual(plan.cores, 7)

    def test_the_first_failure_is_the_one_that_is_told(self) -> None:
        self.flow(self.step("a", Fail(error="First.")), self.step("b", Fail(error="Second.")))
        job = self.submit()
        held = self.claim("b")
        self.call("a")
        engine.execute(held, self.clock)
        self.assertEqual(self.end(job).error, "First.")


class StubbornUndoTests(EngineTestCase):
    """An undo never gives up: what is left behind costs money, or is somebody else's address tomorrow."""

    def begin(self, *undo) -> Job:
        self.flow(self.step("a", undo=undo), self.step("b", NO, after=("a",)))
        job = self.submit()
        self.call("a")
        self.call("b")
        return job

    def run_on(self, job: Job, failures: int) -> None:
        begun = self.clock.now()
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertEqual(self.journal.count("undo a"), failures + 1)
        # It backs off: the first pauses take a minute together, the others one each.
        self.assertGreater(self.seconds_since(begun), (failures - 7) * LONGEST_UNDO_PAUSE * 0.8)

    def test_errors_of_the_system_are_survived(self) -> None:
        self.run_on(self.begin(*[errors.Unreachable("npm")] * 30, Done()), 30)

    def test_so_are_permanent_ones(self) -> None:
        self.run_on(self.begin(*[errors.Refused("npm")] * 30, Done()), 30)

    def test_so_are_our_own_faults(self) -> None:
        self.run_on(self.begin(*[KeyError("x")] * 30, Done()), 30)

    def test_an_undo_that_says_never_is_asked_again_all_the_same(self) -> None:
        self.run_on(self.begin(*[NO] * 30, Done()), 30)

    def test_an_undo_that_waits_for_its_next_try_says_why(self) -> None:
        job = self.begin(NO)
        self.call("a")
        row = self.row("a")
        self.assertEqual((row.state, row.error, row.detail, row.tries), (S.UNDOING, "No.", "code 17", 1))
        job.refresh_from_db()
        self.assertEqual((job.state, job.active_key), (Job.State.ROLLING_BACK, self.subject))

    def test_an_undo_whose_worker_dies_is_taken_up_again(self) -> None:
        job = self.begin(*[SystemExit()] * 20, Done())
        for _ in range(20):
            with self.assertRaises(SystemExit):
                self.call("a")
            self.clock.move(LEASE)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)


class LateBranchTests(EngineTestCase):
    """One branch fails while another is being called: its result is waited for, and then undone."""

    def setUp(self) -> None:
        super().setUp()
        self.late = self.step("late", Done(ref="made", facts={"cores": 5}), undo=Done())
        self.flow(
            self.step("early", undo=Done()),
            self.late,
            self.step("bad", NO, undo=Done(), after=("early",)),
            self.step("after", undo=Done(), after=("late",)),
            subject="sites.Plan",
        )
        self.plan = self.make_plan()
        self.job = self.submit(subject=f"sites.plan:{self.plan.pk}")
        self.call("early")

    def fail_the_other(self) -> None:
        self.call("bad")
        self.job.refresh_from_db()
        self.assertEqual(self.job.state, Job.State.ROLLING_BACK)

    def test_nothing_is_undone_before_its_result_is_there(self) -> None:
        held = self.claim("late")
        self.fail_the_other()
        self.assertFalse(self.job.steps.filter(due_at__lte=self.clock.now()).exists())
        engine.execute(held, self.clock)
        self.run_jobs()

        self.assertEqual(self.journal, ["early", "bad", "late", "undo bad", "undo late", "undo early"])
        self.assertEqual(self.late.undo.calls[0].step.data, {"undoes": "made"})
        self.plan.refresh_from_db()
        self.assertEqual(self.plan.cores, 5)
        self.assertEqual(self.states(self.job)["after"], S.SKIPPED)

    def test_a_late_branch_that_waits_is_not_called_forward_again(self) -> None:
        self.late.run.outcomes = (Wait(seconds=5, ref="UPID:1"),)
        held = self.claim("late")
        self.fail_the_other()
        engine.execute(held, self.clock)
        self.run_jobs()
        self.assertEqual(self.journal.count("late"), 1)
        self.assertEqual(self.late.undo.calls[0].step.data, {"undoes": "UPID:1"})

    def test_a_branch_between_two_looks_is_undone_without_another_one(self) -> None:
        self.late.run.outcomes = (Wait(seconds=5), Done())
        self.call("late")
        self.fail_the_other()
        self.run_jobs()
        self.assertEqual(self.journal.count("late"), 1)
        self.assertIn("undo late", self.journal)

    def test_a_branch_whose_worker_died_holds_up_the_undo_until_its_lease_is_over(self) -> None:
        self.claim("late")
        self.fail_the_other()
        self.run_jobs()
        self.job.refresh_from_db()
        self.assertEqual(self.job.state, Job.State.ROLLED_BACK)
        self.assertEqual(self.journal, ["early", "bad", "undo bad", "undo late", "undo early"])

    def test_a_late_branch_that_fails_too_changes_nothing(self) -> None:
        self.late.run.outcomes = (Fail(error="Late."),)
        held = self.claim("late")
        self.fail_the_other()
        engine.execute(held, self.clock)
        self.run_jobs()
        self.job.refresh_from_db()
        self.assertEqual((self.job.state, self.job.error), (Job.State.ROLLED_BACK, "No."))

    def test_a_branch_that_waits_for_its_next_try_is_not_tried_again(self) -> None:
        self.late.run.outcomes = (Retry(seconds=1), Done())
        self.call("late")
        self.fail_the_other()
        self.assertEqual(self.row("late").due_at, None)
        self.run_jobs()
        self.assertEqual(self.journal.count("late"), 1)
