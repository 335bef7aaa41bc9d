"""The customer's e-mail: sent when the site is live, with a link to set the password that stands nowhere
else."""

import io
import json
import logging
import re
import time
from smtplib import SMTPDataError, SMTPServerDisconnected
from unittest import mock

from django.core import mail, serializers
from django.core.mail import EmailMessage
from django.test import override_settings

from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import Notice
from sites import access
from sites.models import Site
from tests.base import LabTestCase
from tests.sites.base import ORDER, SiteTestCase
from tests.visitor import visit

SEND = EmailMessage.send
LINK = re.compile(r"https://\S+action=rp\S+")


def links(message: EmailMessage) -> list[str]:
    """The links in an e-mail that set a password."""
    return LINK.findall(message.body)


class MailCase(SiteTestCase):
    def told(self, site: Site, kind: str = "notices.site_live") -> JobStep:
        """The step of the notice's own job."""
        return JobStep.objects.get(job__subject=Notice.objects.get(kind=kind, about=site.key).key)

    def give_up(self, site: Site) -> None:
        """Let the days go by in which the notice is tried."""
        self.run_for(600)
        self.assertEqual(self.told(site).state, JobStep.State.WAITING)
        self.clock.move(5 * 24 * 3600)
        self.run_jobs()


class CustomerMailTests(MailCase):
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
            self.give_up(site)
        self.assert_live(site)
        self.assertEqual(self.job(site).warning, "")
        self.assertIn("mail server", self.told(site).error)
        (message,) = mail.outbox
        self.assertEqual(message.to, ["staff@example.com"])
        self.assertIn("1001", message.subject)

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_of_an_order_that_failed_staff_read_why_and_the_customer_once_that_it_takes_longer(self):
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        for _ in range(2):  # staff ask for it again
            self.create()
            self.run_jobs()
        to_staff, to_customer, again = mail.outbox
        self.assertEqual((to_staff.to, again.to), (["staff@example.com"],) * 2)
        self.assertIn("Cloudflare refused the request.", to_staff.body)
        self.assertIn("Authentication error", to_staff.body)
        self.assertEqual(to_customer.to, ["Jane.Doe@example.com"])
        self.assertIn("not ready yet", to_customer.subject)
        self.assertNotIn("Cloudflare", to_customer.body)

    def test_of_an_order_that_was_taken_back_nobody_is_told(self):
        site = self.create()
        self.run_until(site, "container", state="done")
        self.delete()
        self.run_jobs()
        self.assertEqual((Site.objects.get(pk=site.pk).state, mail.outbox), ("deleted", []))


class PasswordLinkTests(MailCase):
    def opened(self, url: str) -> str:
        """What a visitor sees who follows the link through the proxy."""
        address, verify = self.lab.settings["PROXY_CHECK_ADDRESS"], str(self.lab.keys.authority_file)
        return visit(address, url, verify=verify).text

    def test_the_link_sets_the_password(self):
        self.live_site()
        (message,) = mail.outbox
        (link,) = links(message)
        self.assertTrue(link.startswith("https://janedoe.nodepoint.eu/wp-login.php?action=rp&key="), link)
        self.assertIn("login=Jane.Doe%40example.com", link)
        self.assertIn("Enter your new password", self.opened(link))
        self.assertIn("customer portal has a button", message.body)

    def test_a_reset_brings_a_new_one(self):
        self.live_site()
        self.post("/action/reset", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        first, second = (links(message)[0] for message in mail.outbox)
        self.assertNotEqual(first, second)
        self.assertIn("appears to be invalid", self.opened(first))
        self.assertIn("Enter your new password", self.opened(second))

    def test_no_mail_goes_out_until_there_is_a_link(self):
        site = self.create()
        self.run_until(site, "snapshot", state="done")
        self.lab.guest.break_site(site.vmid, "database")
        self.run_for(60)
        step = self.told(site)
        self.assertEqual((mail.outbox, step.state), ([], "waiting"))
        self.assertIn("gave no link", step.error)
        self.lab.guest.break_site(site.vmid, "")
        self.run_jobs()
        self.assertEqual(len(links(mail.outbox[0])), 1)
        self.assertEqual(self.job(site).warning, "")

    @override_settings(STAFF_EMAIL=["staff@example.com"])
    def test_a_link_that_never_comes_is_told_to_staff_and_not_to_the_customer(self):
        with mock.patch.object(access, "password_link", side_effect=access.NoLink("exit code 70")):
            site = self.create()
            self.give_up(site)
        self.assert_live(site)
        self.assertIn("gave no link", self.told(site).error)
        self.assertEqual([message.to for message in mail.outbox], [["staff@example.com"]])

    def test_a_container_that_is_off_is_waited_for(self):
        site = self.create()
        self.run_until(site, "snapshot", state="done")
        with self.lab.lock:
            cluster = self.lab.proxmox.cluster
            cluster.power.halt(cluster.containers[site.vmid], time.time())
        self.run_for(30)
        self.assertIn("does not run", self.told(site).detail)
        with self.lab.lock:
            cluster.power.fork_start(cluster.containers[site.vmid], "root@pam", time.time())
        self.run_jobs()
        self.assertEqual(len(links(mail.outbox[0])), 1)

    def test_of_a_site_that_is_meant_to_be_off_the_mail_says_so(self):
        site = self.create()
        self.run_until(site, "snapshot", state="done")
        Site.objects.update(suspended_at=site.created_at)
        self.run_jobs()
        (message,) = mail.outbox
        self.assertEqual(links(message), [])
        self.assertIn("switched off at the moment", message.body)
        self.assertIn("site is off", self.told(site).detail)

    def test_an_address_cannot_add_a_header(self):
        site = self.create()
        Site.objects.update(email="jane@example.com\nBcc: all@example.com")
        self.give_up(site)
        site.refresh_from_db()
        self.assertEqual((site.state, mail.outbox), ("live", []))


class SecrecyTests(LabTestCase):
    def test_the_link_is_in_no_row_and_no_log(self):
        stream = io.StringIO()
        handler, root = logging.StreamHandler(stream), logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        refused: list[str] = []

        def send(message: EmailMessage, **options):
            if not refused:  # a server that repeats what it refuses
                refused.append(links(message)[0])
                raise SMTPDataError(454, message.body.encode())
            return SEND(message, **options)

        try:
            with mock.patch.object(EmailMessage, "send", send):
                self.post("/create-site", ORDER)
                self.run_jobs()
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        self.assertEqual(len(mail.outbox), 1)
        self.assertIn("mail_sent", stream.getvalue())
        rows = serializers.serialize(
            "json", [*Job.objects.all(), *JobStep.objects.all(), *Site.objects.all(), *Notice.objects.all()]
        )
        for link in [*refused, *links(mail.outbox[0])]:
            key = re.search(r"key=(\w+)", link)[1]
            for place in (stream.getvalue(), rows, json.dumps(self.state())):
                self.assertNotIn(key, place)
