"""What an earlier release left: notices to staff without a row, and e-mails that were steps of other jobs."""

from importlib import import_module

from django.core import mail
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

from nodepoint.jobs import registry, transitions
from nodepoint.jobs.models import Job, JobStep, new_id
from nodepoint.notices.models import STAFF, Notice
from tests.nodepoint.jobs.base import EngineTestCase

FORMER = "jobs.notice"
S = JobStep.State


@override_settings(STAFF_EMAIL=["staff@example.com"])
class FormerNoticesTests(EngineTestCase):
    """Migration 0002_jobs."""

    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a"))
        self.cause = self.submit(data={"service_id": "1001"})
        self.run_jobs()

    def former(self, state: str, about: str = "failed", subject: str = "", **values) -> Job:
        """A notice as the earlier release wrote it, with its one step."""
        now, ended = self.clock.now(), state in ("succeeded", "failed")
        job = Job.objects.create(
            kind=FORMER,
            subject=subject or f"notice:{new_id()}",
            state=state,
            data={"job": self.cause.pk, "about": about},
            created_at=now,
            finished_at=now if ended else None,
            **values,
        )
        if not ended:
            Job.objects.filter(pk=job.pk).update(active_key=job.subject, started_at=now)
        state = {"succeeded": S.DONE, "failed": S.FAILED}.get(state, S.WAITING)
        JobStep.objects.create(
            job=job, position=0, name="mail_sent", title="x", state=state, due_at=None if ended else now
        )
        self.clock.move(1)
        return job

    def migrate(self) -> None:
        """Run it with the models as they were then."""
        state = MigrationLoader(connection).project_state(
            [("notices", "0001_initial"), ("jobs", "0004_callers_fault")]
        )
        import_module("nodepoint.notices.migrations.0002_jobs").rows_for_old_notices(state.apps, None)

    def test_each_gets_its_row_and_what_was_sent_is_not_sent_again(self) -> None:
        sent, late, failed = self.former("succeeded"), self.former("succeeded", "late"), self.former("failed")
        again = self.former("succeeded", subject=failed.subject)
        lost = self.former("failed", "warning")
        Job.objects.filter(pk=lost.pk).update(data={"job": "gone", "about": "warning"})
        self.migrate()
        self.assertEqual(set(Job.objects.exclude(pk=self.cause.pk).values_list("kind", flat=True)), {STAFF})
        rows = {row.key: row for row in Notice.objects.all()}
        self.assertEqual(set(rows), {sent.subject, late.subject, failed.subject, lost.subject})
        self.assertEqual(rows[sent.subject].sent_at, sent.finished_at)
        self.assertEqual(rows[failed.subject].sent_at, again.finished_at, "the repetition succeeded")
        self.assertEqual((rows[late.subject].says, rows[sent.subject].says), ("late", "failed"))
        for key, about, cause in (
            (sent.subject, self.cause.subject, self.cause.pk),
            (lost.subject, "", "gone"),
        ):
            row = rows[key]
            self.assertEqual((row.kind, row.about, row.cause), (STAFF, about, cause))
        self.run_jobs()
        self.assertEqual(mail.outbox, [])

    def test_one_that_was_on_its_way_is_sent_once(self) -> None:
        waiting = self.former("waiting")
        self.migrate()
        self.assertEqual(self.run_jobs(), 1)
        (message,) = mail.outbox
        self.assertIn("did not succeed: 1001", message.subject)
        row = Notice.objects.get()
        self.assertEqual((row.key, row.has), (waiting.subject, ["staff@example.com"]))
        self.assertEqual(Job.objects.get(pk=waiting.pk).state, "succeeded")

    def test_without_any_there_is_nothing_to_do(self) -> None:
        self.migrate()
        self.assertEqual(Notice.objects.count(), 0)


class FormerStepTests(EngineTestCase):
    """Jobs that were running when their step that sent an e-mail became a notice."""

    def begun(self, state: str, **values) -> Job:
        """A job of the earlier release, whose first step is done and whose second is in that state."""
        former = registry.former_step("told", "Sending the e-mail", "a")
        self.flow(self.step("a"), former=(former,), tells=STAFF, version=2)
        job = self.submit(data={"service_id": "1001"})
        Job.objects.filter(pk=job.pk).update(plan_version=1)
        JobStep.objects.create(
            job=job, position=1, name="told", title="Sending the e-mail", state=state, **values
        )
        return job

    def told(self, job: Job) -> tuple[str, str, int]:
        """Run it; its state, that of its former step, and how many notices were made."""
        self.run_jobs()
        job.refresh_from_db()
        return job.state, self.states(job)["told"], Notice.objects.count()

    def test_one_that_had_not_begun_is_passed_over_for_the_notice(self) -> None:
        self.assertEqual(self.told(self.begun(S.PENDING)), ("succeeded", "skipped", 1))

    def test_one_that_waited_for_the_mail_server_is_done_with(self) -> None:
        job = self.begun(
            S.WAITING, due_at=self.clock.now(), error="away", tries=3, claimed_at=self.clock.now()
        )
        self.assertEqual(self.told(job), ("succeeded", "done", 1))

    def test_one_that_was_sent_is_not_told_again(self) -> None:
        job = self.begun(S.DONE, ref="jane@example.com", claimed_at=self.clock.now())
        self.assertEqual(self.told(job), ("succeeded", "done", 0))

    def test_an_undo_passes_it_over(self) -> None:
        job = self.begun(S.WAITING, due_at=self.clock.now(), claimed_at=self.clock.now())
        with self.subTest("turned back"):
            transitions.turn_back(
                transitions.lock(job.pk), list(job.steps.all()), "No.", "x", self.clock.now()
            )
        self.assertEqual(self.told(job)[::2], ("failed", 0))
