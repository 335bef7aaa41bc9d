"""System checks: what is missing or malformed is named in one line, and only where it is asked for."""

import os
import subprocess
import sys
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from unittest import mock

import certifi
from django.core.checks import run_checks
from django.test import SimpleTestCase, override_settings

from nodepoint import checks, shapes
from tests.base import on_one_database
from tests.nodepoint.faulty import ssh_files

ROOT = Path(__file__).resolve().parents[2]
FILE = str(ROOT / "manage.py")
GOOD = {
    "BASE_DOMAIN": "nodepoint.eu",
    "PROXY_IP": "203.0.113.10",
    "PROXY_LAN_IPS": ["192.168.1.5"],
    "PROXY_CHECK_ADDRESS": "",
    "PROXY_CHECK_HTTP_ADDRESS": "",
    "NAMESERVERS": ["ns1.nodepoint.eu", "ns2.nodepoint.eu."],
    "DNS_RESOLVERS": ["127.0.0.1:5353", "9.9.9.9"],
    "SITE_NETWORK": "192.168.1.0/24",
    "SITE_IP_RANGE": "192.168.1.100-192.168.1.253",
    "SITE_GATEWAY": "192.168.1.1",
    "SITE_NAMESERVERS": ["192.168.1.1"],
    "SITE_SMTP_URL": "",
    "PROXMOX_HOST": "192.168.1.10:8006",
    "PROXMOX_USER": "api@pam",
    "PROXMOX_TOKEN_NAME": "nodepoint",
    "PROXMOX_TOKEN_VALUE": "secret",
    "PROXMOX_VERIFY_TLS": "true",
    "PROXMOX_NODES": ["node1", "node2"],
    "PROXMOX_HOME_NODE": "",
    "PROXMOX_STORAGE": "global-lvm",
    "PROXMOX_TEMPLATE": "local:vztmpl/debian-12.tar.zst",
    "PROXMOX_BRIDGE": "vmbr1",
    "SSH_USER": "root",
    "SSH_NODE_HOSTS": ["node1=192.168.1.10", "node2=192.168.1.11:2222"],
    "WORDPRESS_URL": "https://wordpress.org/latest.tar.gz",
    "CLOUDFLARE_API_URL": "https://api.cloudflare.com/client/v4",
    "CLOUDFLARE_API_TOKEN": "secret",
    "CLOUDFLARE_ZONE_ID": "0123",
    "NPM_URL": "http://192.168.1.5:81",
    "NPM_EMAIL": "api@example.com",
    "NPM_PASSWORD": "secret",
    "NPM_CERTIFICATE": "3",
    "LETSENCRYPT_EMAIL": "",
    "ISPCONFIG_URL": "https://192.168.1.7:8080",
    "ISPCONFIG_USER": "nodepoint",
    "ISPCONFIG_PASSWORD": "secret",
    "ISPCONFIG_VERIFY_TLS": "true",
    "DNS_HOSTMASTER": "hostmaster@nodepoint.eu",
    "STAFF_EMAIL": [],
}


@on_one_database
class InfrastructureTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.good = GOOD | ssh_files(folder)

    def found(self, **changes) -> list[str]:
        with override_settings(**{**self.good, **changes}):
            return [message.msg for message in checks.infrastructure()]

    def test_a_complete_configuration_is_fine(self) -> None:
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(NPM_CERTIFICATE="letsencrypt", LETSENCRYPT_EMAIL="a@example.com"), [])
        self.assertEqual(self.found(PROXMOX_VERIFY_TLS=certifi.where(), PROXMOX_HOME_NODE="node2"), [])
        self.assertEqual(self.found(SITE_SMTP_URL="smtp+tls://u:p@192.168.1.6:587"), [])

    def test_each_required_setting_is_missed_by_name(self) -> None:
        for name in checks.REQUIRED:
            with self.subTest(name=name):
                messages = self.found(**{name: type(self.good[name])()})
                self.assertEqual(len(messages), 1)
                self.assertRegex(messages[0], rf"\A{name} is missing: it should be [^\n]+\.\Z")

    def test_settings_that_contradict_each_other_are_named(self) -> None:
        table = {
            "SITE_IP_RANGE": {"SITE_IP_RANGE": "192.168.1.100-192.168.2.1"},
            "SITE_GATEWAY": {"SITE_GATEWAY": "192.168.2.1"},
            "SSH_NODE_HOSTS": {"SSH_NODE_HOSTS": ["node1=192.168.1.10"]},
            "PROXMOX_HOME_NODE": {"PROXMOX_HOME_NODE": "node3"},
            "LETSENCRYPT_EMAIL": {"NPM_CERTIFICATE": "letsencrypt"},
        }
        for name, changes in table.items():
            with self.subTest(name=name):
                (message,) = self.found(**changes)
                self.assertTrue(message.startswith(name), message)

    def test_only_deployment_checks_and_the_check_command_ask_for_infrastructure(self) -> None:
        with override_settings(**{**self.good, "PROXMOX_HOST": ""}):
            asked = run_checks(tags=["infrastructure"], include_deployment_checks=True)
            implicit = run_checks(databases=[])
        self.assertEqual([message.msg.split()[0] for message in asked], ["PROXMOX_HOST"])
        self.assertFalse([message for message in implicit if message.id == "nodepoint.E001"])


@on_one_database
class CommandTests(SimpleTestCase):
    def manage(self, *words: str) -> subprocess.CompletedProcess:
        names = [*checks.REQUIRED, *checks.OPTIONAL, "DATABASE_URL"]
        environment = {name: value for name, value in os.environ.items() if name not in names}
        with tempfile.TemporaryDirectory() as data:
            settings = {
                "NODEPOINT_DATA": data,
                "DJANGO_SETTINGS_MODULE": "nodepoint.settings",
                "SITE_NETWORK": "x",
            }
            command = [sys.executable, FILE, *words]
            return subprocess.run(
                command, env={**environment, **settings}, capture_output=True, text=True, timeout=60
            )

    def test_check_reports_what_is_wrong_and_other_commands_run_without_it(self) -> None:
        done = self.manage("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("PROXMOX_HOST is missing", done.stderr)
        self.assertIn("SITE_NETWORK is malformed", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        done = self.manage("migrate", "--plan", "--verbosity=0")
        self.assertEqual((done.returncode, "nodepoint.E" in done.stderr), (0, False), done.stderr)


@on_one_database
class ProjectTests(SimpleTestCase):
    def ids(self) -> list[str]:
        return [message.id for message in checks.project()]

    def test_this_project_is_fine(self) -> None:
        self.assertEqual(self.ids(), [])

    def test_a_library_that_hides_an_app_is_found(self) -> None:
        stranger = ModuleSpec("dns", None, origin="/usr/lib/python3/dist-packages/dns/__init__.py")
        with mock.patch.object(checks, "find_spec", return_value=stranger):
            self.assertEqual(set(self.ids()), {"nodepoint.E004"})

    def test_the_sites_app_of_django_is_found(self) -> None:
        with mock.patch.object(checks.settings, "INSTALLED_APPS", ["django.contrib.sites"]):
            self.assertEqual(self.ids(), ["nodepoint.E005"])

    @override_settings(Q_CLUSTER={"timeout": 60, "retry": 60})
    def test_a_queue_that_runs_tasks_twice_is_found(self) -> None:
        self.assertEqual(self.ids(), ["nodepoint.E006"])


@on_one_database
class ShapeTests(SimpleTestCase):
    def test_servers_may_have_a_port(self) -> None:
        table = {
            "host": ("host", None),
            "10.0.0.1:22": ("10.0.0.1", 22),
            "[::1]:53": ("::1", 53),
            "[::1]": ("::1", None),
        }
        for text, expected in table.items():
            self.assertEqual(shapes.server(text), expected)

    def test_nodes_are_read(self) -> None:
        expected = {"node1": ("10.0.0.1", None), "node2": ("host", 2222)}
        self.assertEqual(shapes.node_hosts("node1=10.0.0.1, node2=host:2222"), expected)
