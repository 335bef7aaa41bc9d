"""Jobs that staff take back, give up or ask for again: where it is legal, and what follows."""

from nodepoint.audit import origin
from nodepoint.audit.models import Entry
from nodepoint.jobs import engine, registry, steering
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Wait
from nodepoint.jobs.registry import Limit
from tests.nodepoint.jobs.base import ThreadsTestCase
from tests.staff.steering import NEVER, NOT_YET, S, SteeringTestCase


class CancelTests(SteeringTestCase):
    def test_what_was_made_is_undone_last_first(self) -> None:
        self.flow(
            self.step("a", undo=Done()),
            self.step("b", undo=Done(), after=("a",)),
            self.step("c", NOT_YET, undo=Done(), after=("b",)),
            self.step("d", after=("c",)),
        )
        job = self.submit()
        for name in ("a", "b", "c"):
            self.call(name)
        steering.cancel(job.pk, "wrong order")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)
        self.assertEqual(self.journal, ["a", "b", "c", "undo c", "undo b", "undo a"])
        self.assertEqual(job.error, steering.CANCELLED)
        self.assertEqual(job.detail, "Cancelled by staff: wrong order")
        self.assertEqual(self.states(job)["d"], S.SKIPPED)

    def test_a_step_that_is_being_called_is_undone_once_it_is_back(self) -> None:
        self.flow(self.step("a", Done(ref="made late"), undo=Done()), self.step("b", after=("a",)))
        job = self.submit()
        held = self.claim("a")
        steering.cancel(job.pk, "wrong order")
        self.assertEqual(self.state(job), Job.State.ROLLING_BACK)
        self.assertEqual((self.row("a").held, self.due()), (True, []))  # no undo beside the call
        engine.execute(held, self.clock)
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)
        self.assertEqual(self.journal[-1], "undo a")
        self.assertNotIn("b", self.journal)

    def test_where_nothing_is_undone_the_job_ends_at_its_next_safe_point(self) -> None:
        self.flow(self.step("a", Wait(), Wait()), self.step("b", after=("a",)))
        job = self.submit()
        self.call("a")
        self.clock.move(2)
        held = self.claim("a")
        steering.cancel(job.pk, "not wanted")
        self.assertEqual(self.state(job), Job.State.RUNNING)
        self.assertEqual(self.legal(job), {})
        self.refuse(steering.cancel, job.pk, "twice")
        engine.execute(held, self.clock)
        self.assertEqual(self.state(job), Job.State.CANCELLED)
        self.assertEqual(job.error, steering.CANCELLED)
        self.assertEqual(self.states(job), {"a": S.CANCELLED, "b": S.CANCELLED})

    def test_one_in_line_is_dropped_and_the_line_goes_on(self) -> None:
        self.flow(self.step("a"))
        first, second, third = self.submit(), self.submit(), self.submit()
        steering.cancel(second.pk, "asked for twice")
        self.assertEqual(self.state(second), Job.State.CANCELLED)
        self.run_jobs()
        self.assertEqual([self.state(first), self.state(third)], [Job.State.SUCCEEDED] * 2)

    def test_what_is_carried_out_whatever_happens_is_not_taken_back(self) -> None:
        self.flow(self.step("a", NOT_YET, undo=Done()), deadline=None)
        job = self.submit()
        self.call("a")
        self.assertEqual(self.legal(job), {"retry": ["a"]})
        self.refuse(steering.cancel, job.pk, "please")
        self.refuse(steering.give_up, job.pk, "please")

    def test_not_once_nothing_can_fail_any_more(self) -> None:
        self.flow(self.step("a", undo=Done()), self.step("b", NOT_YET, after=("a",), spares_the_job=True))
        job = self.submit()
        self.call("a")
        self.call("b")
        self.assertEqual(self.legal(job), {"give_up": ["job"], "retry": ["b"]})
        self.refuse(steering.cancel, job.pk, "please")

    def test_an_undo_is_finished(self) -> None:
        self.flow(self.step("a", undo=NOT_YET), self.step("b", NEVER, after=("a",)))
        job = self.submit()
        for name in ("a", "b", "a"):
            self.call(name)
        self.refuse(steering.cancel, job.pk, "please")
        self.refuse(steering.give_up, job.pk, "please")


class GiveUpTests(SteeringTestCase):
    def test_a_waiting_step_fails_now_and_the_job_is_undone(self) -> None:
        self.flow(self.step("a", undo=Done()), self.step("b", NOT_YET, undo=Done(), after=("a",)))
        job = self.submit()
        self.call("a")
        self.call("b")
        steering.give_up(job.pk, "the node is scrap")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.ROLLED_BACK)
        self.assertEqual(job.error, "Proxmox VE is away.")
        self.assertEqual(job.detail, "b: Given up by staff: the node is scrap. HTTP 595")
        self.assertTrue(Job.objects.filter(kind="notices.staff").exists())

    def test_what_spares_the_job_leaves_a_warning_and_the_rest_goes_on(self) -> None:
        self.flow(self.step("a", NOT_YET, spares_the_job=True), self.step("b", after=("a",)), deadline=None)
        job = self.submit()
        self.call("a")
        steering.give_up(job.pk, "no mail today")
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)
        self.assertEqual(job.warning, "Doing a: Proxmox VE is away.")
        self.assertIn("b", self.journal)

    def test_a_step_that_is_being_called_decides_itself(self) -> None:
        self.flow(self.step("a", NOT_YET, Done()))
        job = self.submit()
        self.call("a")
        self.clock.move(61)
        held = self.claim("a")
        self.assertEqual(self.refuse(steering.give_up, job.pk, "now"), steering.BEING_CALLED)
        engine.execute(held, self.clock)
        self.assertEqual(self.state(job), Job.State.SUCCEEDED)

    def test_time_in_line_for_a_free_slot_is_not_given_up(self) -> None:
        limit = Limit("lane", lambda: 1, until_done=True)
        self.flow(self.step("a", Wait(seconds=900), limits=(limit,)))
        first, second = self.submit(), self.submit(subject="thing:2")
        self.call("a", first)
        self.call("a", second)
        self.assertEqual(self.row("a", second).awaits, "lane")
        self.assertEqual(self.legal(second), {"cancel": ["job"]})


class AgainTests(SteeringTestCase):
    def make(self, legal: bool = True) -> Job:
        self.flow(self.step("a", NEVER))
        steering.asked_again_by(
            "test.flow", lambda job: legal, lambda job, actor: self.submit(data=job.data, actor=actor)
        )
        self.addCleanup(steering._again.pop, "test.flow")
        job = self.submit(data={"x": 1})
        self.run_jobs()
        self.assertEqual(self.state(job), Job.State.FAILED)
        return job

    def test_what_ended_badly_is_asked_for_by_the_service_that_was_asked_before(self) -> None:
        job = self.make()
        self.clock.move(1)
        again = steering.ask_again(job.pk, "staff anna")
        self.assertEqual((again.data, again.actor), ({"x": 1}, "staff anna"))
        self.assertEqual(self.state(job), Job.State.FAILED)

    def test_once(self) -> None:
        job = self.make()
        self.clock.move(1)
        steering.ask_again(job.pk, "staff anna")
        self.assertEqual(self.legal(job), {})
        self.refuse(steering.ask_again, job.pk, "staff anna")

    def test_not_where_the_guards_would_refuse(self) -> None:
        job = self.make(legal=False)
        self.refuse(steering.ask_again, job.pk, "staff anna")

    def test_not_what_nobody_knows_how_to_ask_for(self) -> None:
        self.flow(self.step("a", NEVER))
        job = self.submit()
        self.run_jobs()
        self.assertEqual(self.legal(job), {})
        self.refuse(steering.ask_again, job.pk, "staff anna")


class TraceTests(SteeringTestCase):
    def test_every_move_stands_in_the_log_of_acts(self) -> None:
        self.flow(
            self.step("a", NOT_YET, if_skipped="There is no a."),
            self.step("b", NOT_YET),
            self.step("c", NOT_YET),
        )
        job = self.submit(data={"service_id": "1001"})
        other = self.submit(subject="thing:2", data={"service_id": "1002"})
        for name in "abc":
            self.call(name, job)
            self.call(name, other)
        with origin.acting_as(origin.Origin("staff", "anna", "192.0.2.7")), origin.because("why not"):
            steering.retry(job.pk, "b")
            steering.skip(job.pk, "a", "why not")
            steering.give_up(job.pk, "why not")
            steering.cancel(other.pk, "why not")
        entries = list(
            Entry.objects.filter(act__startswith="jobs.").exclude(act="notices.staff").order_by("pk")
        )
        self.assertEqual(
            [(e.act, e.subject, e.label, e.job_id, e.reason, e.actor, e.address) for e in entries],
            [
                (f"jobs.{act}", job.subject, job.data["service_id"], job.pk, "why not", "anna", "192.0.2.7")
                for act, job in (("retry", job), ("skip", job), ("give_up", job), ("cancel", other))
            ],
        )

    def test_a_job_of_another_release_is_left_alone(self) -> None:
        self.flow(self.step("a", NOT_YET))
        job = self.submit()
        self.call("a")
        Job.objects.filter(pk=job.pk).update(kind="gone.flow")
        self.assertEqual(self.legal(job), {})
        for move, more in ((steering.retry, ("a",)), (steering.cancel, ("x",)), (steering.give_up, ("x",))):
            self.refuse(move, job.pk, *more)
        JobStep.objects.filter(job=job).delete()  # as of a flow without steps, or a row that others wrote
        self.assertEqual(self.legal(job), {})


class AtOnceTests(ThreadsTestCase):
    """Several members of staff, and runners beside them, at the same moment."""

    def moved(self, *moves) -> list[str]:
        """What came of these moves, made at once: `done`, or `refused`."""

        def work(number: int) -> str:
            try:
                moves[number]()
            except MoveRefused:
                return "refused"
            return "done"

        return sorted(self.together(work, len(moves)))

    def waiting(self, *steps) -> Job:
        self.flow(*(steps or (self.step("a", NOT_YET, Done(), undo=Done()),)))
        job = self.submit()
        self.call("a")
        return job

    def test_one_cancels(self) -> None:
        job = self.waiting()
        found = self.moved(*[lambda: steering.cancel(job.pk, "x")] * 3)
        self.assertEqual(found, ["done", "refused", "refused"])
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, self.journal.count("undo a")), (Job.State.ROLLED_BACK, 1))

    def test_one_revives(self) -> None:
        step = self.step("a", NEVER, Done(), spares_the_job=True)
        self.flow(step, stands=lambda subject: True)
        job = self.submit()
        self.run_jobs()
        found = self.moved(*[lambda: steering.retry(job.pk, "a")] * 3)
        self.assertEqual(found, ["done", "refused", "refused"])
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, len(step.run.calls)), (Job.State.SUCCEEDED, 2))

    def test_cancelling_and_giving_up_cross_without_harm(self) -> None:
        job = self.waiting()
        found = self.moved(
            lambda: steering.cancel(job.pk, "x"),
            lambda: steering.give_up(job.pk, "x"),
            lambda: steering.retry(job.pk, "a"),
        )
        self.assertIn("done", found)
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, self.states(job)), (Job.State.ROLLED_BACK, {"a": S.UNDONE}))

    def test_a_runner_that_takes_the_step_up_wins_or_loses_as_a_whole(self) -> None:
        for _ in range(4):
            step = self.step("a", NOT_YET, Done())
            registry._flows.pop("test.flow", None)
            self.flow(step)
            job = self.submit(subject=f"thing:{self.clock.now().timestamp()}")
            self.call("a", job)
            self.clock.move(61)
            row, now = self.row("a", job), self.clock.now()
            claims = []

            def claim(row=row, now=now, claims=claims) -> None:
                if held := engine.claim(row.pk, now):
                    claims.append(held)

            self.moved(claim, lambda job=job: steering.give_up(job.pk, "x"))
            for held in claims:
                engine.execute(held, self.clock)
            self.run_jobs()
            job.refresh_from_db()
            ended = job.state, len(step.run.calls)
            self.assertIn(ended, [(Job.State.SUCCEEDED, 2), (Job.State.FAILED, 1)])
