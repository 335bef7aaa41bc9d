"""Submitting jobs: one runs per subject, others queue in their order, and some take over."""

from datetime import timedelta
from unittest import mock

from django.db import connection, transaction
from django.test import override_settings
from django_q.models import OrmQ

from nodepoint.jobs import engine, limits, queue
from nodepoint.jobs.errors import JobRefused, UnknownFlow
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from tests.nodepoint.jobs.base import KIND, EngineTestCase, S, ThreadsTestCase

STATE = Job.State


class SubmitTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a", undo=Done()), self.step("b", after=("a",)))

    def state(self, job: Job) -> str:
        job.refresh_from_db()
        return job.state

    def test_a_job_keeps_what_it_was_asked_for(self) -> None:
        job = self.submit(data={"plan": "basic"}, actor="token portal")
        job.refresh_from_db()
        self.assertEqual((job.data, job.actor, job.kind), ({"plan": "basic"}, "token portal", KIND))
        self.assertRegex(job.pk, r"\A[0-9a-f]{32}\Z")
        self.assertEqual(job.deadline_at, job.started_at + timedelta(hours=1))

    def test_nobody_is_refused_because_of_a_job_that_is_only_waited_for(self) -> None:
        self.flow(self.step("w"), name="test.waited_for", waited_for=True)
        self.submit("test.waited_for")
        first = self.submit(queue=False)
        self.assertEqual(self.state(first), STATE.QUEUED)
        with self.assertRaises(JobRefused) as caught:
            self.submit(queue=False)
        self.assertEqual(caught.exception.running, first, "but of what stands in line behind it")
        self.run_jobs()
        self.assertEqual(self.state(first), STATE.SUCCEEDED)

    def test_an_unknown_flow_is_an_error_and_leaves_no_job(self) -> None:
        with self.assertRaises(UnknownFlow):
            self.submit("test.nothing")
        self.assertFalse(Job.objects.exists())

    def test_a_job_is_gone_with_the_transaction_that_submitted_it(self) -> None:
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            self.submit()
            raise ZeroDivisionError
        self.assertFalse(JobStep.objects.exists())

    def test_jobs_of_one_subject_run_one_after_the_other_in_their_order(self) -> None:
        jobs = [self.submit(data={"number": number}) for number in range(4)]
        self.assertEqual([self.state(job) for job in jobs], [STATE.RUNNING] + [STATE.QUEUED] * 3)
        self.assertEqual([job.active_key for job in jobs], [self.subject, None, None, None])
        self.run_jobs()
        self.assertEqual([self.state(job) for job in jobs], [STATE.SUCCEEDED] * 4)
        ends = [job.finished_at for job in jobs]
        self.assertEqual(ends, sorted(ends))
        starts = [job.started_at for job in jobs]
        self.assertTrue(all(start >= end for start, end in zip(starts[1:], ends, strict=False)))

    def test_jobs_of_other_subjects_run_beside_it(self) -> None:
        self.assertEqual([self.submit(subject=f"thing:{n}").state for n in range(3)], [STATE.RUNNING] * 3)

    def test_subjects_differ_by_case(self) -> None:
        self.assertEqual(
            [self.submit(subject=subject).state for subject in ("x:a", "x:A")], [STATE.RUNNING] * 2
        )

    def test_the_next_one_starts_however_the_first_ended(self) -> None:
        self.flow(self.step("bad", Fail(error="No."), undo=Done()), name="test.bad")
        for kind in (KIND, "test.bad"):
            first, second = self.submit(kind), self.submit()
            self.run_jobs()
            self.assertFalse(first.alive and self.state(first) in Job.ALIVE)
            self.assertEqual(self.state(second), STATE.SUCCEEDED)

    def test_the_deadline_of_a_queued_job_begins_when_it_starts(self) -> None:
        self.flow(self.step("slow", Wait(seconds=3000), Done()), name="test.slow")
        self.submit("test.slow")
        second = self.submit()
        self.assertIsNone(second.deadline_at)
        self.run_jobs()
        self.assertEqual(self.state(second), STATE.SUCCEEDED)
        self.assertEqual(second.deadline_at - second.started_at, timedelta(hours=1))

    def test_who_does_not_want_to_queue_is_refused(self) -> None:
        running = self.submit()
        with self.assertRaises(JobRefused) as refused:
            self.submit(queue=False)
        self.assertEqual(refused.exception.running, running)
        self.assertEqual(str(refused.exception), "Test things is still running.")
        self.assertEqual(Job.objects.count(), 1)

    def test_an_undo_that_goes_on_refuses_too(self) -> None:
        Job.objects.filter(pk=self.submit().pk).update(state=STATE.ROLLING_BACK)
        with self.assertRaises(JobRefused):
            self.submit(queue=False)

    def test_after_the_end_nobody_is_refused(self) -> None:
        self.submit()
        self.run_jobs()
        self.assertEqual(self.submit(queue=False).state, STATE.RUNNING)

    def test_the_commit_wakes_a_runner(self) -> None:
        with mock.patch("nodepoint.jobs.queue.kick") as kick, self.captureOnCommitCallbacks(execute=True):
            self.submit()
            kick.assert_not_called()
        kick.assert_called_once_with()

    def test_waiting_ends_with_the_job_or_with_its_time(self) -> None:
        job = self.submit()
        self.assertEqual(queue.wait_for(job.pk, 0.05, pause=0.01).state, STATE.RUNNING)
        self.run_jobs()
        with mock.patch("time.sleep") as sleep:
            self.assertEqual(queue.wait_for(job.pk, 100).state, STATE.SUCCEEDED)
        sleep.assert_not_called()


class TakeOverTests(EngineTestCase):
    """`cancel`: the new job takes the place of what runs and of what is queued."""

    def setUp(self) -> None:
        super().setUp()
        self.flow(
            self.step("a", Wait(seconds=60), undo=Done()), self.step("b", after=("a",)), name="test.long"
        )
        self.flow(self.step("swept"), name="test.sweep", deadline=None)

    def states_of_jobs(self) -> list[str]:
        return list(
            Job.objects.exclude(kind="notices.staff").order_by("created_at").values_list("state", flat=True)
        )

    def test_a_job_between_two_calls_is_cancelled_at_once(self) -> None:
        job = self.submit("test.long")
        self.call("a")
        self.clock.move(1)
        new = self.submit("test.sweep", cancel=True)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING])
        self.assertEqual(set(self.states(job).values()), {S.CANCELLED})
        self.assertEqual(Job.objects.get(active_key=self.subject), new)

    def test_a_step_that_is_being_called_is_waited_for(self) -> None:
        self.submit("test.long")
        held = self.claim("a")
        self.clock.move(1)
        self.submit("test.sweep", cancel=True)
        self.assertEqual(self.states_of_jobs(), [STATE.RUNNING, STATE.QUEUED])
        engine.execute(held, self.clock)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING])

    def test_queued_jobs_are_dropped(self) -> None:
        first = self.submit("test.long")
        self.claim("a")
        self.clock.move(1)
        dropped = self.submit("test.long")
        self.clock.move(1)
        self.submit("test.sweep", cancel=True)
        self.assertEqual(self.states_of_jobs(), [STATE.RUNNING, STATE.CANCELLED, STATE.QUEUED])
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.CANCELLED, STATE.SUCCEEDED])
        self.assertEqual(set(self.states(dropped).values()), {S.CANCELLED})
        dropped.refresh_from_db()
        self.assertIsNotNone(dropped.finished_at)
        self.assertEqual(self.states(first)["b"], S.CANCELLED)

    def test_an_undo_is_finished_first(self) -> None:
        self.flow(self.step("x", Fail(error="No."), undo=(Retry(seconds=60), Done())), name="test.bad")
        self.submit("test.bad")
        self.call("x")
        self.clock.move(1)
        self.submit("test.sweep", cancel=True)
        self.assertEqual(self.states_of_jobs(), [STATE.ROLLING_BACK, STATE.QUEUED])
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.ROLLED_BACK, STATE.SUCCEEDED])
        self.assertEqual(self.journal, ["x", "undo x", "undo x", "swept"])

    def test_the_last_one_that_takes_over_wins(self) -> None:
        self.submit("test.long")
        self.claim("a")
        for _ in range(3):
            self.clock.move(1)
            self.submit("test.sweep", cancel=True)
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED] * 3 + [STATE.SUCCEEDED])

    def test_a_failure_of_the_last_call_does_not_start_an_undo(self) -> None:
        """Whoever takes over is made for it: a deletion finds what is there by itself."""
        self.flow(self.step("x", Fail(error="No."), undo=Done()), name="test.bad")
        self.submit("test.bad")
        held = self.claim("x")
        self.clock.move(1)
        self.submit("test.sweep", cancel=True)
        engine.execute(held, self.clock)
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.SUCCEEDED])
        self.assertEqual(self.journal, ["x", "swept"])

    def test_with_nothing_to_cancel_it_just_runs(self) -> None:
        self.assertEqual(self.submit("test.sweep", cancel=True).state, STATE.RUNNING)


class KickTests(EngineTestCase):
    """A message to django-q2, as long as a seat is free for a runner."""

    def test_a_kick_is_a_message_unless_all_seats_are_taken(self) -> None:
        with override_settings(JOB_RUNNERS=2):
            for taken, messages in ((0, 1), (1, 2), (2, 2)):
                if taken:
                    limits.take(queue.SEAT, 2, f"runner{taken}", self.clock.now(), 60)
                queue.kick()
                self.assertEqual(OrmQ.objects.count(), messages)

    def test_each_worker_command_that_is_up_has_as_many_seats(self) -> None:
        with override_settings(JOB_RUNNERS=1):
            for name in ("host-1", "host-2"):
                limits.take(queue.WORKER, 64, name, self.clock.now(), 60)
                queue.take_seat(f"runner of {name}", name, self.clock.now(), 60)
                queue.kick()
            self.assertEqual(OrmQ.objects.count(), 0)
            queue.give_seat_back("runner of host-1", "host-1")
            queue.kick()
            self.assertEqual(OrmQ.objects.count(), 1)

    def test_nobody_is_woken_when_nothing_is_due(self) -> None:
        self.flow(self.step("a", Wait(seconds=60)))
        with mock.patch("nodepoint.jobs.queue.kick") as kick:
            queue.kick_if_due()
            self.submit()
            self.clock.move(0.01)
            self.call("a")
            queue.kick_if_due()
            kick.assert_not_called()
            JobStep.objects.update(due_at=self.clock.now() - timedelta(seconds=1))
            queue.kick_if_due()
        kick.assert_called_once_with()

    def test_the_age_of_the_oldest_due_step_is_known(self) -> None:
        self.assertEqual(queue.oldest_due_seconds(), 0.0)
        self.flow(self.step("a"))
        self.submit()
        JobStep.objects.update(due_at=self.clock.now() - timedelta(seconds=50))
        self.assertAlmostEqual(queue.oldest_due_seconds(), 50, delta=5)


class SameMomentTests(ThreadsTestCase):
    """Several submit for one subject at once."""

    THREADS = 6

    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a"))
        self.enterContext(mock.patch("nodepoint.jobs.queue.kick"))

    def submit_together(self, subject: str, **options) -> list[Job | Exception]:
        def submit(_: int) -> Job | Exception:
            try:
                return queue.submit(KIND, subject, **options)
            except JobRefused as refused:
                return refused

        return self.together(submit, self.THREADS)

    def test_one_runs_and_none_is_lost(self) -> None:
        for number in range(6):
            self.submit_together(f"thing:{number}")
            states = Job.objects.filter(subject=f"thing:{number}").values_list("state", flat=True)
            self.assertEqual(sorted(states), [STATE.QUEUED] * (self.THREADS - 1) + [STATE.RUNNING])
        self.clock.move(5)
        self.run_jobs()
        self.assertEqual(Job.objects.filter(state=STATE.SUCCEEDED).count(), 6 * self.THREADS)

    def test_of_those_that_do_not_queue_one_gets_through(self) -> None:
        for number in range(6):
            answers = self.submit_together(f"thing:{number}", queue=False)
            self.assertEqual(sum(isinstance(answer, Job) for answer in answers), 1)
            self.assertEqual(Job.objects.filter(subject=f"thing:{number}").count(), 1)

    def test_a_job_that_ends_while_another_is_submitted_does_not_leave_it_behind(self) -> None:
        for number in range(10):
            subject = f"thing:{number}"
            first = queue.submit(KIND, subject)
            claim = engine.claim(first.steps.get().pk, first.started_at)
            clock = self.clock

            def act(thread: int, claim=claim, subject=subject, clock=clock) -> None:
                if thread == 0:
                    engine.execute(claim, clock)
                else:
                    queue.submit(KIND, subject)

            self.together(act, 3)
            states = sorted(Job.objects.filter(subject=subject).values_list("state", flat=True))
            self.assertEqual(states, [STATE.QUEUED, STATE.RUNNING, STATE.SUCCEEDED])

    def test_many_that_take_over_at_once_leave_one(self) -> None:
        for number in range(4):
            subject = f"thing:{number}"
            self.submit_together(subject, cancel=True)
            alive = Job.objects.filter(subject=subject, state__in=Job.ALIVE)
            self.assertEqual([job.state for job in alive], [STATE.RUNNING])
            self.assertEqual(Job.objects.filter(subject=subject).count(), self.THREADS)

    def test_the_databases_are_what_they_should_be(self) -> None:
        if connection.vendor == "mysql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@tx_isolation")
                self.assertEqual(cursor.fetchone()[0], "READ-COMMITTED")
        else:
            self.assertNotIn("memory", str(connection.settings_dict["NAME"]))
