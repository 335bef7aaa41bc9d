"""Notices over the wire: what a mail server can do to them, and that each is sent once."""

import os
import socket
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from django.test import override_settings

from lab.keys import Keys
from nodepoint.board import platform, troubles
from nodepoint.jobs import steering, transitions
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Fail
from nodepoint.notices import letters, sending, smtp
from nodepoint.notices.letters import Contents, Mail
from nodepoint.notices.models import STAFF, Notice, Preferences
from tests.nodepoint.jobs.base import EngineTestCase
from tests.nodepoint.notices.server import MailServer

DJANGOS = "django.core.mail.backends.smtp.EmailBackend"


class WireCase(EngineTestCase):
    staff = ["staff@example.com"]

    def setUp(self) -> None:
        super().setUp()
        self.server = self.enterContext(MailServer())
        self.at(self.server.port)

    def at(self, port: int) -> None:
        """Have the mail server looked for at this port."""
        settings = {"EMAIL_BACKEND": DJANGOS, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}
        people = {"STAFF_EMAIL": self.staff, "DEFAULT_FROM_EMAIL": "NodePoint <n@nodepoint.eu>"}
        self.enterContext(override_settings(**settings, **people))

    def failing(self) -> Job:
        """A notice about a job that did not succeed."""
        self.flow(self.step("a", Fail(error="No.", detail="code 17")))
        self.submit(data={"service_id": "1001"})
        self.run_for(1)
        return Job.objects.get(kind=STAFF)

    def run_for(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        self.run_jobs(until=end, most=5000)
        self.clock.time = max(self.clock.time, end)

    def sending(self) -> JobStep:
        return JobStep.objects.get(name="mail_sent")


class SendingTests(WireCase):
    def test_it_is_sent_once_with_an_id_of_its_own(self) -> None:
        notice = self.failing()
        (message,) = self.server.taken
        row = Notice.objects.get()
        self.assertEqual(message["Message-ID"], f"<{row.pk}@nodepoint.eu>")
        self.assertEqual((row.sent_to, row.handed_at, row.doubts), ("staff@example.com", None, 0))
        self.assertEqual(notice.subject, row.key)
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.SUCCEEDED)

    def test_a_server_that_is_away_for_a_day_gets_it_when_it_is_back(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.at(closed.getsockname()[1])
            self.failing()
            self.run_for(3600)
            self.assertLess(self.sending().calls, 15)
            self.clock.move(23 * 3600)
            self.run_for(1)
        self.assertEqual(self.server.taken, [])
        self.assertEqual(len(troubles.unsent(self.clock.now())), 1)
        self.at(self.server.port)
        self.run_for(1000)
        self.assertEqual(len(self.server.taken), 1)
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)

    def test_after_days_it_is_given_up_and_can_be_asked_for_again(self) -> None:
        self.server.answers["MAIL"] = b"451 later\r\n"
        notice = self.failing()
        self.clock.move(3 * 24 * 3600)
        self.run_for(1)
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.WAITING)
        self.clock.move(24 * 3600)
        self.run_for(1)
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.FAILED)
        self.assertIn("451 later", self.sending().detail)
        self.server.answers.clear()
        with mock.patch("django.utils.timezone.now", self.clock.now):
            steering.ask_again(notice.pk, "staff x")
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)
        self.assertFalse(steering.moves(notice).again)

    def test_a_refused_recipient_fails_at_once_with_the_servers_words(self) -> None:
        self.server.answers["RCPT"] = b"550 5.1.1 nobody of that name\r\n"
        notice = self.failing()
        notice.refresh_from_db()
        self.assertEqual(notice.state, Job.State.FAILED)
        self.assertIn("staff@example.com: 550 5.1.1 nobody of that name", notice.detail)
        self.assertEqual(self.sending().calls, 1)

    def test_a_refused_message_fails_at_once_and_one_put_off_comes_later(self) -> None:
        self.server.answers["message"] = b"451 4.7.1 greylisted\r\n"
        self.failing()
        self.assertEqual(self.sending().state, JobStep.State.WAITING)
        self.assertIn("greylisted", self.sending().detail)
        self.server.answers["message"] = b"554 5.7.1 no\r\n"
        self.run_for(60)
        self.assertEqual(self.sending().state, JobStep.State.FAILED)
        self.assertEqual(self.server.taken, [])

    def test_a_server_that_is_gone_after_the_message_gets_it_again_under_the_same_id(self) -> None:
        self.server.answers["message"] = None
        self.failing()
        self.assertEqual(Notice.objects.get().doubts, 1)
        self.server.answers.clear()
        self.run_jobs()
        first, second = self.server.taken
        self.assertEqual(first["Message-ID"], second["Message-ID"])
        self.assertIn("twice", self.sending().detail)

    def test_a_bad_farewell_sends_nothing_twice(self) -> None:
        self.server.answers["QUIT"] = None
        self.failing()
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)
        self.assertEqual(self.sending().calls, 1)

    def test_a_worker_that_dies_after_sending_sends_nothing_twice(self) -> None:
        notice = self.failing()
        JobStep.objects.filter(job=notice).update(state="running", due_at=self.clock.now(), finished_at=None)
        Job.objects.filter(pk=notice.pk).update(state="running", finished_at=None)
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)

    def test_what_another_worker_hands_over_is_left_alone(self) -> None:
        self.flow(self.step("a", Fail(error="No.")))
        self.submit()
        self.call("a")
        row = Notice.objects.get()
        self.assertTrue(row.hand(self.clock.now(), self.clock.now() - timedelta(seconds=60)))
        self.call("mail_sent")
        self.assertEqual(self.server.taken, [])
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)

    def test_a_server_that_drips_is_cut_off_and_not_asked_by_others(self) -> None:
        with mock.patch.object(smtp, "ALL", 0.2), mock.patch.object(smtp, "EACH", 30):
            self.server.answers["greeting"] = b"220-"  # and no more
            self.failing()
            self.assertEqual(self.server.connections, 1)
            self.submit("test.flow", "thing:2")
            self.run_for(5)
        self.assertEqual(self.server.connections, 1)
        self.server.answers.clear()
        self.run_jobs()
        self.assertEqual(len(self.server.taken), 2)


class LetInTests(WireCase):
    """STARTTLS and login: what is wrong is one sentence, nothing is sent in clear, and it comes once that is
    mended."""

    def waits(self, *said: str) -> None:
        """Nothing was taken, and the step says why."""
        step = self.sending()
        self.assertEqual((self.server.taken, step.state), ([], JobStep.State.WAITING))
        for words in said:
            self.assertIn(words, f"{step.error} {step.detail}")
        self.assertNotIn("s3cr3t", f"{step.error} {step.detail} {step.data}")

    def test_a_wrong_login_is_waited_for(self) -> None:
        self.server.answers = {
            "EHLO": b"250-here\r\n250 AUTH PLAIN\r\n",
            "AUTH": b"535 5.7.8 not with this password\r\n",
        }
        with override_settings(EMAIL_HOST_USER="mailer", EMAIL_HOST_PASSWORD="s3cr3t"):
            self.failing()
            self.waits("refused the user name or password of EMAIL_URL", "535 5.7.8 not with this password")
            self.server.answers["AUTH"] = b"235 welcome\r\n"
            self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)

    def test_without_starttls_nothing_is_sent_in_clear(self) -> None:
        with override_settings(EMAIL_USE_TLS=True):
            self.failing()
        self.waits("offers no STARTTLS")

    def test_a_certificate_that_nobody_vouches_for_is_refused_and_a_good_one_taken(self) -> None:
        keys = Keys(Path(self.enterContext(TemporaryDirectory())), "127.0.0.1")
        self.server.tls = keys.tls
        self.server.answers["EHLO"] = b"250-here\r\n250 STARTTLS\r\n"
        with override_settings(EMAIL_USE_TLS=True):
            self.failing()
            self.waits("certificate is not trusted")
            with mock.patch.dict(os.environ, SSL_CERT_FILE=str(keys.ca_file)):
                self.run_jobs()
        self.assertEqual((len(self.server.taken), self.server.secured), (1, 1))

    def test_tls_from_the_beginning_at_a_server_that_speaks_none(self) -> None:
        with override_settings(EMAIL_USE_SSL=True):
            self.failing()
        self.waits("does not speak TLS")


class SomeRecipientsTests(WireCase):
    staff = ["ann@example.com", "bob@example.com", "eve@example.com"]

    def on_board(self) -> str:
        """What the board says of it."""
        with mock.patch("django.utils.timezone.now", self.clock.now):
            (group,) = platform.mails()
        (trouble,) = group.troubles
        return f"{trouble.title} | {trouble.detail}"

    def test_who_is_put_off_gets_it_later_and_the_others_once(self) -> None:
        self.server.refuses["bob@example.com"] = b"451 4.7.1 greylisted\r\n"
        notice = self.failing()
        self.assertEqual(self.server.envelopes, [["ann@example.com", "eve@example.com"]])
        row = Notice.objects.get()
        self.assertEqual((row.has, row.sent_at, row.handed_at), (self.server.envelopes[0], None, None))
        self.run_for(700)
        said = self.on_board()
        self.assertIn("E-mail to staff has not reached everybody: 1001", said)
        self.assertIn("bob@example.com: 451 4.7.1 greylisted", said)
        self.server.refuses.clear()
        self.run_jobs()
        self.assertEqual(self.server.envelopes[1:], [["bob@example.com"]])
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.SUCCEEDED)
        row.refresh_from_db()
        self.assertEqual((sorted(row.has), row.sent_at), (self.staff, self.clock.now()))

    def test_who_is_refused_for_good_is_told_and_asked_about_again_by_himself(self) -> None:
        self.server.refuses = {"bob@example.com": b"550 no\r\n", "eve@example.com": b"452 full\r\n"}
        notice = self.failing()
        self.run_for(100)
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.WAITING)
        del self.server.refuses["eve@example.com"]
        self.run_jobs()
        self.assertEqual(Job.objects.get(pk=notice.pk).state, Job.State.FAILED)
        self.assertEqual(self.server.envelopes, [["ann@example.com"], ["eve@example.com"]])
        self.assertIn("bob@example.com: 550 no", self.on_board())
        self.server.refuses.clear()
        with mock.patch("django.utils.timezone.now", self.clock.now):
            steering.ask_again(notice.pk, "staff x")
        self.run_jobs()
        self.assertEqual(self.server.envelopes[2:], [["bob@example.com"]])
        self.assertFalse(steering.moves(notice).again)
        self.assertEqual(troubles.unsent(self.clock.now()).count(), 0)

    def test_a_server_that_breaks_off_among_the_recipients_has_told_nobody(self) -> None:
        self.server.refuses["bob@example.com"] = b"421 too many\r\n"
        self.failing()
        self.assertEqual((self.server.taken, Notice.objects.get().has), ([], []))
        self.server.refuses.clear()
        self.run_jobs()
        self.assertEqual(self.server.envelopes, [self.staff])

    def test_who_is_no_staff_any_more_is_waited_for_no_longer(self) -> None:
        self.server.refuses["bob@example.com"] = b"451 later\r\n"
        self.failing()
        with override_settings(STAFF_EMAIL=["ann@example.com", "eve@example.com"]):
            self.run_jobs()
        self.assertEqual(len(self.server.taken), 1)
        self.assertIsNotNone(Notice.objects.get().sent_at)


class CustomersMailTests(WireCase):
    """A letter to a customer as a mail server gets it."""

    def test_it_is_plain_and_html_in_the_operators_name_whatever_stands_in_it(self) -> None:
        said = "مرحبا 你好 <b>x</b>\r\nBcc: all@example.com " + "w" * 250
        usual = letters.mails()[0]
        sample = {**usual.sample, "name": said, "email": said}
        contents = Contents("jane@example.com", sample)
        mail = Mail("notices.test", "Test", "now", usual.template, sample)
        with mock.patch.dict(letters._mails), mock.patch.dict(sending._kinds):
            letters.register(mail, lambda row: None, lambda row: contents)
            Preferences.objects.update(language="de", contact="help@example.com")
            with override_settings(DEFAULT_FROM_EMAIL='"Köln Hosting, Inc." <n@example.com>'):
                transitions.tell(mail.kind, "thing:1", self.clock.now(), {})
                self.run_jobs()
        self.assertEqual(self.server.envelopes, [["jane@example.com"]], self.sending().detail)
        (message,) = self.server.taken
        read = message_from_bytes(message.as_bytes(), policy=policy.default)
        self.assertEqual(read.get_content_type(), "multipart/alternative")
        self.assertEqual([part.get_content_type() for part in read.iter_parts()], ["text/plain", "text/html"])
        self.assertEqual(str(read["From"]), '"Köln Hosting, Inc." <n@example.com>')
        self.assertEqual((read["To"], read["Reply-To"]), ("jane@example.com", "help@example.com"))
        self.assertIsNone(read["Bcc"])
        self.assertTrue(message.as_bytes().isascii(), "for servers without 8BITMIME")
        self.assertEqual(read["Auto-Submitted"], "auto-generated")
        plain = " ".join(read.get_body(("plain",)).get_content().split())
        self.assertIn("你好 <b>x</b> Bcc: all@example.com", plain)
        self.assertIn("你好 &lt;b&gt;x&lt;/b&gt;", read.get_body(("html",)).get_content())
        self.assertEqual(Notice.objects.get().recipient, "jane@example.com")
