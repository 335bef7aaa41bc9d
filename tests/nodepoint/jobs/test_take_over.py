"""`take_over`: a lifecycle job goes before one that is only held up, and leaves alone one that gets ahead."""

from unittest import mock

from nodepoint.jobs import engine, queue
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Retry, Wait
from nodepoint.jobs.registry import GivesWay
from tests.nodepoint.jobs.base import KIND, EngineTestCase, ThreadsTestCase

STATE = Job.State
AWAY = Retry(error="Away.", seconds=60)


class TakeOverTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("swept"), name="test.sweep", deadline=None)

    def held_up(self, gives_way: GivesWay, *outcomes, **options) -> Job:
        """A job that has been called once and found its system away."""
        step = self.step("a", *(outcomes or (AWAY, Done())), **options)
        self.flow(step, self.step("b", after=("a",)), name="test.long", gives_way=gives_way)
        job = self.submit("test.long", data={"wish": 1}, actor="token")
        self.call("a")
        self.clock.move(1)
        return job

    def states_of_jobs(self) -> list[str]:
        jobs = Job.objects.exclude(kind="notices.staff").order_by("created_at")
        return list(jobs.values_list("state", flat=True))

    def test_one_that_gives_way_is_dropped(self) -> None:
        job = self.held_up(GivesWay.DROPPED)
        new = self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING])
        self.assertEqual(set(self.states(job).values()), {JobStep.State.CANCELLED})
        self.assertEqual(Job.objects.get(active_key=self.subject), new)

    def test_one_that_must_not_be_lost_is_carried_out_afterwards(self) -> None:
        job = self.held_up(GivesWay.RESUMED)
        new = self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING, STATE.QUEUED])
        again = Job.objects.exclude(pk__in=[job.pk, new.pk]).get()
        self.assertEqual((again.kind, again.data, again.actor), ("test.long", {"wish": 1}, "token"))
        job.refresh_from_db()
        self.assertIn(again.pk, job.error)
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.SUCCEEDED, STATE.SUCCEEDED])
        self.assertEqual(self.journal, ["a", "swept", "a", "b"])

    def test_one_that_never_gives_way_is_queued_behind(self) -> None:
        self.held_up(GivesWay.NEVER)
        self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.WAITING, STATE.QUEUED])
        self.run_jobs()
        self.assertEqual(self.journal, ["a", "a", "b", "swept"])

    def test_one_that_gets_ahead_is_queued_behind(self) -> None:
        self.held_up(GivesWay.DROPPED, Wait(seconds=60), Done())
        self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.RUNNING, STATE.QUEUED])

    def test_an_undo_is_finished_first(self) -> None:
        self.held_up(GivesWay.DROPPED, Fail(error="No."), undo=(AWAY, Done()))
        self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.ROLLING_BACK, STATE.QUEUED])
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.ROLLED_BACK, STATE.SUCCEEDED])

    def test_a_call_that_goes_on_is_waited_for(self) -> None:
        self.held_up(GivesWay.DROPPED)
        self.clock.move(60)
        held = self.claim("a")
        self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.WAITING, STATE.QUEUED])
        engine.execute(held, self.clock)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING])

    def test_who_stood_in_line_before_goes_first(self) -> None:
        self.held_up(GivesWay.DROPPED)
        self.submit("test.sweep")
        self.clock.move(1)
        self.submit("test.sweep", take_over=True)
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.RUNNING, STATE.QUEUED])
        self.run_jobs()
        self.assertEqual(self.states_of_jobs(), [STATE.CANCELLED, STATE.SUCCEEDED, STATE.SUCCEEDED])

    def test_it_is_taken_over_once(self) -> None:
        self.held_up(GivesWay.RESUMED)
        self.clock.move(60)
        held = self.claim("a")
        for _ in range(2):
            self.submit("test.sweep", take_over=True)
            self.clock.move(1)
        engine.execute(held, self.clock)
        self.run_jobs()
        self.assertEqual(self.states_of_jobs().count(STATE.SUCCEEDED), 3)
        self.assertEqual(Job.objects.filter(kind="test.long").count(), 2)


class WholeTests(ThreadsTestCase):
    """Several submit for one subject at once, each inside a transaction of its own that writes more."""

    THREADS = 6

    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a"))
        self.enterContext(mock.patch("nodepoint.jobs.queue.kick"))

    def test_none_is_lost_however_they_cross(self) -> None:
        # Downwards: MariaDB's deadlock needs a key that is the first of its index.
        for number in reversed(range(10)):
            subject = f"thing:{number}"

            def work(subject: str = subject) -> Job:
                queue.lock(subject)
                return queue.submit(KIND, subject)

            jobs = self.together(lambda _, work=work: queue.whole(work), self.THREADS)
            self.assertEqual(len({job.pk for job in jobs}), self.THREADS)
            states = Job.objects.filter(subject=subject).values_list("state", flat=True)
            self.assertEqual(sorted(states), [STATE.QUEUED] * (self.THREADS - 1) + [STATE.RUNNING])

    def test_where_some_are_taken_back_the_others_go_on(self) -> None:
        class TakenBack(Exception):
            pass

        for number in reversed(range(10)):
            subject = f"thing:{number}"

            def work(thread: int, subject: str = subject) -> Job:
                job = queue.submit(KIND, subject)
                if thread % 2:
                    raise TakenBack
                return job

            def act(thread: int, work=work) -> Job | None:
                try:
                    return queue.whole(lambda: work(thread))
                except TakenBack:
                    return None

            jobs = [job for job in self.together(act, self.THREADS) if job]
            self.assertEqual(len(jobs), self.THREADS // 2)
            self.assertEqual(Job.objects.filter(subject=subject).count(), len(jobs))
            self.assertEqual(Job.objects.filter(subject=subject, state=STATE.RUNNING).count(), 1)
