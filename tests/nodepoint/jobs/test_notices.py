"""E-mail to staff about jobs, and the alarm about those that do not end."""

from datetime import timedelta
from email import message_from_bytes, policy
from unittest import mock

from django.core import mail
from django.test import override_settings

from nodepoint.jobs import queue, tasks
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Retry
from nodepoint.notices.models import STAFF, Notice
from tests.nodepoint.jobs.base import EngineTestCase

NO = Fail(error="No.", detail="code 17")


@override_settings(STAFF_EMAIL=["staff@example.com", "boss@example.com"])
class NoticeTests(EngineTestCase):
    def failing(self, **options) -> Job:
        self.flow(self.step("a", NO), **options)
        return self.submit(data={"service_id": "1001"})

    def test_a_job_that_failed_is_told_with_what_the_system_said(self) -> None:
        job = self.failing()
        self.run_jobs()
        (message,) = mail.outbox
        self.assertEqual(message.to, ["staff@example.com", "boss@example.com"])
        self.assertEqual(message.subject, "[NodePoint] Test things did not succeed: 1001")
        for part in ("No.", "a: code 17", "Doing a: failed (code 17)", job.pk):
            self.assertIn(part, message.body)

    def test_a_failure_is_told_once_and_before_an_undo_that_may_take_long(self) -> None:
        self.flow(self.step("a", NO, undo=(Retry(seconds=60), Done())))
        self.submit()
        self.run_jobs(until=self.clock.now() + timedelta(seconds=30))
        self.assertEqual(len(mail.outbox), 1)
        self.run_jobs()
        self.assertEqual(len(mail.outbox), 1)

    def test_a_warning_is_told(self) -> None:
        self.flow(self.step("a", NO, spares_the_job=True))
        self.submit()
        self.run_jobs()
        (message,) = mail.outbox
        self.assertEqual(message.subject, "[NodePoint] Test things succeeded with a warning: thing:1")
        for part in ("Doing a: No.", "Doing a: failed (code 17)"):
            self.assertIn(part, message.body)

    def test_success_and_cancelling_are_not_told(self) -> None:
        self.flow(self.step("a"))
        self.submit()
        self.run_jobs()
        self.submit()
        self.submit(cancel=True)
        self.run_jobs()
        self.assertEqual(mail.outbox, [])

    def test_what_a_customer_wrote_stays_in_its_line(self) -> None:
        hostile = "1\r\nBcc: victim@example.com\r\n\r\nBuy!\x00\u2028Subject: x\x85"
        self.flow(self.step("a", Fail(error=hostile, detail=hostile)))
        self.submit(data={"service_id": hostile})
        self.run_jobs()
        (message,) = mail.outbox
        sent = message_from_bytes(message.message().as_bytes(), policy=policy.default)
        self.assertEqual((sent.get_all("Bcc"), len(sent.get_all("Subject"))), (None, 1))
        self.assertEqual(message.recipients(), ["staff@example.com", "boss@example.com"])
        self.assertIn("did not succeed: 1 Bcc: victim@example.com Buy!", sent["Subject"])

    def test_a_mail_server_that_is_away_loses_no_notice(self) -> None:
        self.failing()
        with mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError("away")):
            self.run_jobs(until=self.clock.now() + timedelta(minutes=10))
        self.assertEqual(Job.objects.get(kind="notices.staff").state, Job.State.WAITING)
        self.run_jobs()
        self.assertEqual(len(mail.outbox), 1)

    def test_a_notice_that_cannot_be_sent_causes_no_other(self) -> None:
        self.failing()
        with mock.patch("django.core.mail.EmailMessage.send", side_effect=ValueError("broken")):
            self.run_jobs()
        notice = Job.objects.get(kind="notices.staff")
        self.assertEqual(notice.state, Job.State.FAILED)

    def test_without_an_address_nobody_is_told(self) -> None:
        self.failing()
        with override_settings(STAFF_EMAIL=[]):
            self.run_jobs()
        self.assertEqual(mail.outbox, [])
        self.assertEqual(Job.objects.get(kind="notices.staff").state, Job.State.SUCCEEDED)


@override_settings(STAFF_EMAIL=["staff@example.com"])
class AlarmTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.flow(self.step("a", Retry(error="Away.", seconds=600)), deadline=None, alarm_after=3600)
        self.job = self.submit()

    def alarm(self, minutes: int) -> int:
        """Call the task so many minutes after the job was submitted, then send what it wrote."""
        now = self.job.created_at + timedelta(minutes=minutes)
        with mock.patch("django.utils.timezone.now", return_value=now), self.captureOnCommitCallbacks():
            told = tasks.alarm()
        self.clock.time = now
        self.run_jobs(until=now)
        return told

    def test_staff_are_told_once_when_a_job_does_not_end(self) -> None:
        self.assertEqual([self.alarm(minutes) for minutes in (59, 61, 62, 6000)], [0, 1, 0, 0])
        (message,) = mail.outbox
        self.assertEqual(message.subject, "[NodePoint] Test things is still not finished: thing:1")

    def test_an_alarm_that_comes_when_the_job_has_ended_is_dropped(self) -> None:
        with mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError("away")):
            self.alarm(61)
        Job.objects.filter(pk=self.job.pk).update(state=Job.State.SUCCEEDED)
        JobStep.objects.filter(job=self.job).update(state=JobStep.State.DONE, due_at=None)
        self.run_jobs()
        self.assertEqual(mail.outbox, [])
        self.assertIn("has ended meanwhile", JobStep.objects.get(name="mail_sent").detail)

    def test_jobs_that_ended_and_notices_raise_no_alarm(self) -> None:
        Job.objects.filter(pk=self.job.pk).update(state=Job.State.SUCCEEDED)
        JobStep.objects.filter(job=self.job).update(state=JobStep.State.DONE, due_at=None)
        queue.submit(STAFF, Notice.objects.create(pk="1", kind=STAFF, says="late").key, data={"job": "x"})
        self.assertEqual(self.alarm(60 * 24 * 30), 0)

    def test_queued_and_undone_jobs_do(self) -> None:
        self.submit()
        Job.objects.filter(pk=self.job.pk).update(state=Job.State.ROLLING_BACK)
        self.assertEqual(self.alarm(61), 2)

    def test_the_alarm_wakes_a_runner(self) -> None:
        with mock.patch("nodepoint.jobs.queue.kick") as kick:
            self.alarm(59)
            kick.assert_not_called()
            self.alarm(61)
            kick.assert_called_once_with()
