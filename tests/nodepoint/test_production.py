"""What is fine for a demo and wrong in production: a line each that begins with the setting."""

import io
import logging
import tempfile
from pathlib import Path
from unittest import mock

from django.core import mail
from django.core.checks import ERROR, Tags, run_checks
from django.core.mail import EmailMessage
from django.test import SimpleTestCase, override_settings

from nodepoint.notices.unsent import Backend
from nodepoint.production import deployment
from tests.base import on_one_database
from tests.nodepoint.faulty import faults, read
from tests.nodepoint.test_wrong_settings import GOOD

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is what is tested

PRODUCTION = GOOD | {"ALLOWED_HOSTS": "nodepoint.example.com", "BEHIND_TLS": "true", "NODEPOINT_BIND": ""}


@on_one_database
class DeploymentTests(SimpleTestCase):
    def setUp(self) -> None:
        self.base = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def said(self, **changes: str) -> list[str]:
        return faults(self.base, PRODUCTION | changes, deployment)

    def test_a_production_is_fine(self) -> None:
        self.assertEqual(self.said(), [])
        self.assertEqual(self.said(BEHIND_TLS="", NODEPOINT_BIND="192.168.1.20"), [])

    def test_djangos_own_deployment_checks_have_nothing_to_say_of_it(self) -> None:
        with override_settings(
            SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP",
            ALLOWED_HOSTS=["nodepoint.example.com"],
            BEHIND_TLS=True,
            SESSION_COOKIE_SECURE=True,
            CSRF_COOKIE_SECURE=True,
            SECURE_HSTS_SECONDS=31_536_000,
            SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
            SECURE_HSTS_PRELOAD=True,
        ):
            found = run_checks(tags=[Tags.security], include_deployment_checks=True)
        ours = [message for message in found if (message.id or "").startswith("nodepoint.")]
        left = [message for message in found if message not in ours and not message.is_silenced()]
        self.assertEqual(left, [])

    def test_what_is_wrong_is_one_line_that_begins_with_the_setting(self) -> None:
        table = {
            "SECRET_KEY": {"SECRET_KEY": ""},
            "DATABASE_URL": {"DATABASE_URL": "sqlite:////var/lib/nodepoint/db"},
            "EMAIL_URL": {"EMAIL_URL": ""},
            "STAFF_EMAIL": {"STAFF_EMAIL": ""},
            "DEFAULT_FROM_EMAIL": {"DEFAULT_FROM_EMAIL": "Us <noreply@localhost>"},
            "ALLOWED_HOSTS": {"ALLOWED_HOSTS": "localhost,[::1]"},
            "DEBUG": {"DEBUG": "true"},
            "TRUSTED_PROXIES": {"TRUSTED_PROXIES": "127.0.0.1,0.0.0.0/0"},
            "NODEPOINT_BIND": {"BEHIND_TLS": "false"},
            "BEHIND_TLS": {"NODEPOINT_BIND": "192.168.1.20"},
            "PROXMOX_HOST:": {"PROXMOX_HOST": "127.0.0.1:8006"},
            "NPM_URL:": {"NPM_URL": "http://localhost:81"},
            "SSH_NODE_HOSTS:": {"SSH_NODE_HOSTS": "node1=192.168.1.10,node2=127.0.0.2:22"},
        }
        for name, changes in table.items():
            with self.subTest(name=name):
                (said,) = self.said(**changes)
                self.assertTrue(said.startswith(name), said)
                self.assertNotIn("\n", said)

    def test_the_two_ways_to_reach_it_in_plain_http_are_named(self) -> None:
        for bind in (EVERYWHERE, "::", "9.9.9.9"):
            (said,) = self.said(BEHIND_TLS="false", NODEPOINT_BIND=bind)
            self.assertTrue(said.startswith("NODEPOINT_BIND"), said)
            self.assertIn(bind, said)

    def test_debug_on_a_public_host_is_an_error(self) -> None:
        for hosts in (["api.example.com"], ["*"], ["192.168.1.2"], ["localhost"]):
            with override_settings(DEBUG=True, ALLOWED_HOSTS=hosts):
                errors = [message.id for message in deployment() if message.level >= ERROR]
            self.assertEqual(errors, ["nodepoint.E007"] if hosts != ["localhost"] else [])

    def test_a_data_folder_that_cannot_be_written_to_is_an_error(self) -> None:
        with mock.patch("nodepoint.production.os.access", return_value=False):
            self.assertIn("nodepoint.E009", [message.id for message in deployment()])


@on_one_database
class UnsentTests(SimpleTestCase):
    """Without a mail server nothing of a letter's body stands in a log that is kept."""

    def test_a_letter_is_noted_without_its_body(self) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        log = logging.getLogger("nodepoint.notices")
        log.addHandler(handler)
        self.addCleanup(log.removeHandler, handler)
        with mock.patch("sys.stdout", stream), mock.patch("sys.stderr", stream):
            server = mail.get_connection("nodepoint.notices.unsent.Backend")
            letter = EmailMessage("Your site", "https://a.example/?key=s3cr3t", to=["a@example.com"])
            self.assertEqual(server.send_messages([letter]), 1)
        self.assertIn("a@example.com", stream.getvalue())
        self.assertNotIn("s3cr3t", stream.getvalue())

    def test_it_is_what_the_default_names(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = read(Path(folder), {})
        self.assertEqual(settings.EMAIL_BACKEND, f"{Backend.__module__}.{Backend.__name__}")
