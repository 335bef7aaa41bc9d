"""docs/operations/trouble.md: each sentence that it quotes is said when that trouble is caused."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import DisallowedHost
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory, override_settings

from dns import connections as dns_connections
from dns.steps import record
from lab.proxmox.state.access import PRIVILEGES
from nodepoint import schema
from nodepoint.api import health
from nodepoint.api.models import Token
from nodepoint.checks import infrastructure
from nodepoint.clients.errors import ClientError, Unreachable
from nodepoint.jobs.models import Job, JobStep
from nodepoint.management.local import NotToBeHad, listen
from sites import connections
from sites.clients.console import Console
from sites.models import Occupancy, Site
from sites.services import overrides
from tests.base import on_one_database
from tests.nodepoint.faulty import faults, ssh_files
from tests.sites.base import SiteTestCase

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "trouble.md"
QUOTED = re.compile(r"“([^”]+)”")


@on_one_database
class TroubleTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_each_sentence_of_the_page_is_said(self) -> None:
        quoted = QUOTED.findall(PAGE.read_text())
        causes = self.causes()
        self.assertEqual(sorted(causes), sorted(quoted))
        for sentence in quoted:
            with self.subTest(sentence), transaction.atomic():
                said = causes[sentence]()
                words = ".*".join(map(re.escape, sentence.replace("8080", "…").split("…")))
                self.assertRegex(" ".join(said.split()), words)
                transaction.set_rollback(True)

    def causes(self) -> dict[str, Callable[[], str]]:
        """By sentence: what causes the trouble and gives what is said then."""
        return {
            "NODEPOINT_PORT must be a whole number": lambda: str(
                faults(self.folder, {"NODEPOINT_PORT": "x"}, infrastructure)
            ),
            "The database belongs to a newer release: it has …": self.newer,
            "DATABASE_URL leads to a database with tables of something else.": self.somebody_elses,
            "Port 8080 is in use; NODEPOINT_PORT names another one.": self.taken_port,
            "The request could not be understood.": lambda: self.by_another_name("/health"),
            "Not understood": lambda: self.by_another_name("/admin/login/"),
            "You may need to add …": self.logged_of_another_name,
            "This name failed to log in too often from your address.": self.locked_out,
            "A valid token is needed": lambda: self.client.get("/status?service_id=1").content.decode(),
            "This service is suspended.": self.suspended,
            "Too many requests with this token.": self.too_often,
            "The service is not available at the moment.": self.without_database,
            "No worker is running": lambda: self.doctor("workers"),
            "New orders are paused for maintenance.": self.paused,
            "Something of this service stands already.": self.lost_row,
            "The token lacks …": self.without_rights,
            "Switch the firewall of the cluster on": self.without_firewall,
            "not found in known_hosts": lambda: self.strange_host(""),
            "Host key … does not match": lambda: self.strange_host(self.another_key()),
            "The login failure limit has been reached.": self.guessed,
            "It was written, and could not be read back.": self.unseen,
            "There is no free address for another site at the moment.": self.full,
            "The disk of this server is full.": self.full_disk,
        }

    def newer(self) -> str:
        MigrationRecorder.Migration.objects.create(app="sites", name="9999_tomorrow")
        return self.refused_by_schema()

    def somebody_elses(self) -> str:
        with mock.patch.object(connection.introspection, "table_names", return_value=["wp_posts"]):
            return self.refused_by_schema()

    def refused_by_schema(self) -> str:
        with self.assertRaises(schema.Refused) as caught:
            schema.refuse_others(connection)
        return str(caught.exception)

    def taken_port(self) -> str:
        with listen("127.0.0.1", 0) as held, self.assertRaises(NotToBeHad) as caught:
            listen("127.0.0.1", held.getsockname()[1])
        return str(caught.exception)

    def by_another_name(self, path: str) -> str:
        answer = self.client.get(path, headers={"host": "other.example"})
        self.assertEqual(answer.status_code, 400)
        return answer.content.decode()

    def logged_of_another_name(self) -> str:
        with self.assertRaises(DisallowedHost) as caught:
            RequestFactory().get("/", headers={"host": "other.example"}).get_host()
        return str(caught.exception)

    def locked_out(self) -> str:
        get_user_model().objects.create_user("staff", password="right", is_staff=True)
        for _ in range(settings.AXES_FAILURE_LIMIT + 1):
            answer = self.client.post("/admin/login/", {"username": "staff", "password": "wrong"})
        return answer.content.decode()

    def suspended(self) -> str:
        site = self.live_site(service_id="suspended", email="suspended@example.com")
        self.post("/suspend", {"service_id": site.service_id}, Prefer="respond-async")
        self.run_jobs()
        answer = self.post("/action/start", {"service_id": site.service_id})
        self.assertEqual(answer.status_code, 401)
        return answer.content.decode()

    def too_often(self) -> str:
        _, secret = Token.issue("hasty", ["sites"], rate_per_minute=1)
        for _ in range(2):
            answer = self.client.get("/plans", headers={"Authorization": f"Bearer {secret}"})
        self.assertEqual(answer.status_code, 429)
        return answer.content.decode()

    def without_database(self) -> str:
        def gone(*_: object) -> None:
            raise OperationalError("gone")

        with connection.execute_wrapper(gone):
            answer = self.get("/plans")
        self.assertEqual(answer.status_code, 503)
        return answer.content.decode()

    def doctor(self, line: str) -> str:
        out = StringIO()
        with self.assertRaises(CommandError):
            call_command("doctor", only=[line], stdout=out)
        return out.getvalue()

    def without_rights(self) -> str:
        self.control("rights", rights={"/": [name for name in PRIVILEGES if name != "VM.Snapshot"]})
        self.addCleanup(self.control, "rights", rights={"/": list(PRIVILEGES)})
        return self.doctor("proxmox")

    def without_firewall(self) -> str:
        with mock.patch.object(connections.proxmox(), "cluster_firewall", return_value=False):
            return self.doctor("proxmox")

    def paused(self) -> str:
        overrides.pause_orders(actor="tests", reason="x")
        return self.order().content.decode()

    def lost_row(self) -> str:
        site = self.live_site(service_id="lost", email="lost@example.com")
        Site.objects.filter(pk=site.pk).delete()
        Occupancy.objects.all().delete()
        site = self.create(service_id="lost", email="another@example.com")
        self.run_for(30)
        return self.step(site, "place").error

    def strange_host(self, known: str) -> str:
        node, _, address = settings.SSH_NODE_HOSTS[0].partition("=")
        host, _, port = address.partition(":")
        (self.folder / "known").write_text(known and f"[{host}]:{port} {known}\n")
        key, hosts = settings.SSH_KEY_FILE, {node: (host, int(port))}
        console = Console(hosts, settings.SSH_USER, key, str(self.folder / "known"))
        with contextlib.closing(console), self.assertRaises(ClientError) as caught:
            console.connect(node)
        return caught.exception.vendor

    def another_key(self) -> str:
        ssh_files(self.folder)
        return (self.folder / "known_hosts").read_text().partition(" ")[2].strip()

    def guessed(self) -> str:
        with override_settings(ISPCONFIG_PASSWORD="wrong"):
            for client in self.clients():
                with self.assertRaises(ClientError) as caught:
                    client.verify()
        self.lab.ispconfig.sessions.failures = 0
        return caught.exception.vendor

    def clients(self) -> Iterator[dns_connections.Ispconfig]:
        for _ in range(11):
            yield dns_connections._panel()

    def unseen(self) -> str:
        call = mock.Mock(step=JobStep(job=Job(), data={}))
        return record._unseen(call, Unreachable("ispconfig")).error

    @override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.100")
    def full(self) -> str:
        self.create()
        return self.order(service_id="2", email="b@example.com").content.decode()

    def full_disk(self) -> str:
        with mock.patch.object(health, "free_mb", return_value=0):
            answer = self.client.get("/health")
        self.assertEqual(answer.status_code, 503)
        return answer.content.decode()
