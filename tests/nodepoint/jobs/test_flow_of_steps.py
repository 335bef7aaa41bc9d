"""In which order the steps of a job are called, and what of their outcomes is kept."""

from itertools import chain

from nodepoint.jobs import engine
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Wait
from tests.nodepoint.jobs.base import EngineTestCase, S, ThreadsTestCase


class ChainTests(EngineTestCase):
    def test_a_chain_is_called_in_its_order(self) -> None:
        self.flow(self.step("a"), self.step("b", after=("a",)), self.step("c", after=("b",)))
        job = self.submit()
        self.run_jobs()

        self.assertEqual(self.journal, ["a", "b", "c"])
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)
        self.assertIsNone(job.active_key)
        self.assertIsNotNone(job.finished_at)

    def test_all_steps_are_there_from_the_start(self) -> None:
        self.flow(self.step("a"), self.step("b", after=("a",)))
        job = self.submit()
        self.assertEqual(self.states(job), {"a": S.RUNNING, "b": S.PENDING})
        self.assertEqual([step.position for step in job.steps.all()], [0, 1])
        self.assertIsNone(self.row("b").due_at)

    def test_a_step_that_ends_makes_the_next_one_due_at_once(self) -> None:
        self.flow(self.step("a"), self.step("b", after=("a",)))
        self.submit()
        self.assertEqual(self.call("a"), [self.row("b").pk])
        self.assertLessEqual(self.row("b").due_at, self.clock.now())

    def test_a_job_that_began_before_a_step_was_added_goes_on_in_its_order(self) -> None:
        self.flow(self.step("a"), self.step("new", after=("a",)), self.step("c", after=("new",)))
        job = self.submit()
        job.steps.filter(name="new").delete()  # as in the rows of an earlier release
        self.run_jobs()
        self.assertEqual(self.journal, ["a", "c"])
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.SUCCEEDED)

    def test_a_flow_without_steps_is_over_at_once(self) -> None:
        self.flow()
        self.assertEqual(self.submit().state, Job.State.SUCCEEDED)


class DiamondTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(
            self.step("begin"),
            self.step("left", Wait(seconds=10), Done(), after=("begin",)),
            self.step("right", after=("begin",)),
            self.step("join", after=("left", "right")),
        )
        self.job = self.submit()

    def test_branches_run_side_by_side_and_the_join_once(self) -> None:
        self.run_jobs()
        self.assertEqual(self.journal, ["begin", "left", "right", "left", "join"])

    def test_the_join_waits_for_the_last_branch(self) -> None:
        self.call("begin")
        self.assertEqual(self.call("right"), [])
        self.assertEqual(self.states(self.job)["join"], S.PENDING)

    def test_a_job_can_be_held_up_in_one_branch_and_still_run(self) -> None:
        self.run_jobs(until=self.clock.now())
        self.job.refresh_from_db()
        self.assertEqual(self.job.state, Job.State.RUNNING)


class SameMomentTests(ThreadsTestCase):
    """Branches that end in the same moment must see one another: else nobody, or everybody, starts the
    join."""

    BRANCHES = 6

    def test_the_join_of_branches_that_end_together_is_called_once(self) -> None:
        names = [f"branch{number}" for number in range(self.BRANCHES)]
        self.flow(*(self.step(name) for name in names), self.step("join", after=tuple(names)))
        for number in range(5):
            job = self.submit(subject=f"thing:{number}")
            self.clock.move(1)
            ids = [step.pk for step in job.steps.all()]
            released = self.together(lambda number: self.execute(ids[number]), self.BRANCHES)  # noqa: B023
            self.assertEqual(sorted(chain(*released)), [ids[-1]])
            self.assertEqual(self.execute(ids[-1]), [])
            job.refresh_from_db()
            self.assertEqual(job.state, Job.State.SUCCEEDED)
        self.assertEqual(self.journal.count("join"), 5)

    def execute(self, step_id: int) -> list[int]:
        return engine.execute(engine.claim(step_id, self.clock.now()), self.clock)


class KeptTests(EngineTestCase):
    """What outcomes carry."""

    def test_facts_are_written_to_the_subject(self) -> None:
        plan = self.make_plan()
        self.flow(self.step("a", Done(facts={"memory_mb": 4096, "cores": 3})), subject="sites.Plan")
        self.submit(subject=f"sites.plan:{plan.pk}")
        self.run_jobs()
        plan.refresh_from_db()
        self.assertEqual((plan.memory_mb, plan.cores, plan.disk_gb), (4096, 3, 5))

    def test_the_subject_is_read_afresh_for_each_call(self) -> None:
        plan = self.make_plan()
        seen = self.step("a", Wait(seconds=1, facts={"memory_mb": 700}), Done())
        self.flow(seen, subject="sites.Plan")
        self.submit(subject=f"sites.plan:{plan.pk}")
        self.run_jobs()
        self.assertEqual([call.subject.memory_mb for call in seen.run.calls], [512, 700])

    def test_ref_and_data_are_kept_from_call_to_call(self) -> None:
        step = self.step(
            "a", Wait(ref="UPID:1", data={"x": 1}), Wait(data={"y": 2}), Wait(ref=""), Done(data={"x": 3})
        )
        self.flow(step)
        self.submit()
        self.run_jobs()
        kept = [(call.ref, call.step.data) for call in step.run.calls]
        self.assertEqual(
            kept, [("", {}), ("UPID:1", {"x": 1}), ("UPID:1", {"x": 1, "y": 2}), ("", {"x": 1, "y": 2})]
        )
        self.assertEqual(self.row("a").data, {"x": 3, "y": 2})

    def test_a_ref_that_is_too_long_for_its_column_is_cut(self) -> None:
        self.flow(self.step("a", Done(ref="x" * 400)))
        self.submit()
        self.run_jobs()
        self.assertEqual(self.row("a").ref, "x" * 255)

    def test_a_note_of_success_is_for_staff(self) -> None:
        self.flow(self.step("a", Done(note="It was there already.")))
        self.submit()
        self.run_jobs()
        self.assertEqual((self.row("a").detail, self.row("a").error), ("It was there already.", ""))

    def test_facts_that_the_database_refuses_are_the_steps_failure(self) -> None:
        """Another row has the value: what was made is undone, at once and not after leases have run out."""
        plan, begun = self.make_plan(), self.clock.now()
        taken = {"name": "basic"}
        self.flow(
            self.step("a", undo=Done()), self.step("b", Done(facts=taken), after=("a",)), subject="sites.Plan"
        )
        job = self.submit(subject=f"sites.plan:{plan.pk}")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, Job.State.ROLLED_BACK)
        self.assertIn("IntegrityError", job.detail)
        self.assertEqual(self.journal[-1], "undo a")
        self.assertLess(self.seconds_since(begun), 15)


class MeasuredTests(EngineTestCase):
    """What a step took."""

    def take(self, seconds: float) -> Done:
        self.clock.move(seconds)
        return Done()

    def test_a_step_of_one_call_took_as_long_as_its_call(self) -> None:
        self.flow(self.step("a", lambda call: self.take(7)))
        self.submit()
        self.run_jobs()
        self.assertEqual(self.row("a").work_seconds, 7)
        self.assertEqual(self.row("a").seconds, 7)

    def test_remote_work_is_measured_from_its_beginning(self) -> None:
        def begin(call):
            self.clock.move(2)
            return call.begun("UPID:1")

        step = self.step("a", begin, Wait(seconds=40), lambda call: self.take(1))
        self.flow(step)
        self.submit()
        self.run_jobs()
        # Not the 2 s that it took to order it: the work begins when the other side has answered. The last
        # look, 40.3 s later, came long after the one before: the work ended close before it.
        self.assertAlmostEqual(self.row("a").work_seconds, 0.97 * 40.3, places=2)
        self.assertAlmostEqual(self.row("a").seconds, 43.3, places=1)

    def test_remote_work_ended_between_two_looks(self) -> None:
        def begin(call):
            return call.begun("UPID:1")

        self.flow(self.step("a", begin, Wait(seconds=39), Wait(seconds=2), Done()))
        self.submit()
        self.run_jobs()
        # The looks came 0.3 (nobody knows how long it takes), 39.3 and 41.3 s after its beginning.
        self.assertAlmostEqual(self.row("a").work_seconds, 40.3, places=2)
