"""The customer's e-mail: sent when the site is live, whatever the mail server does to it."""

from smtplib import SMTPServerDisconnected
from unittest import mock

from django.core import mail
from django.core.mail import EmailMessage
from django.test import override_settings

from tests.sites.base import SiteTestCase

SEND = EmailMessage.send


class CustomerMailTests(SiteTestCase):
    def test_a_mail_server_that_is_away_for_a_while_delays_it(self):
        errors = [ConnectionRefusedError("refused"), SMTPServerDisconnected("gone"), None]

        def send(message: EmailMessage, **options):
            if error := errors.pop(0):
                raise error
            return SEND(message, **options)

        with mock.patch.object(EmailMessage, "send", send):
            site = self.live_site()
        self.assertEqual(len(mail.outbox), 1)
        self.assertEqual(self.job(site).warning, "")

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_a_lasting_failure_is_a_warning_to_staff_and_the_site_stays(self):
        def send(message: EmailMessage, **options):
            if message.to == ["Jane.Doe@example.com"]:
                raise ConnectionRefusedError("refused")
            return SEND(message, **options)

        with mock.patch.object(EmailMessage, "send", send):
            site = self.create()
            self.run_jobs()
        self.assert_live(site)
        self.assertIn("mail server", self.job(site).warning)
        (message,) = mail.outbox
        self.assertEqual(message.to, ["staff@example.com"])
        self.assertIn("1001", message.subject)

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_an_order_that_failed_is_told_to_staff_only(self):
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        self.create()
        self.run_jobs()
        (message,) = mail.outbox
        self.assertEqual(message.to, ["staff@example.com"])
        self.assertIn("Cloudflare refused the request.", message.body)
        self.assertIn("Authentication error", message.body)
