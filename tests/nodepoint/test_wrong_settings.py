"""Every setting × bad values: each is one line that names it, and shows nothing of what may be a secret.

A setting without a row here fails.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase

from nodepoint.checks import infrastructure
from nodepoint.env import WRONG_SETTINGS
from nodepoint.management.commands import demo
from tests.base import on_one_database
from tests.nodepoint.faulty import faults, read, ssh_files
from tests.nodepoint.test_settings import ROOT, settings

SECRET = "s3cr3t"  # in every bad value that may hold one; no refusal shows it
# What a production might be: its files are made by the tests.
GOOD = {
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "nodepoint.example.com,.example.org,[::1],*",
    "DATABASE_URL": "mysql://np:p%2F%23%3F%40%25@db.example.com:3306/nodepoint",
    "QUEUE_BROKER": "redis://:p%2Fw@redis.example.com:6379/1",
    "EMAIL_URL": "smtp+tls://u:p%23@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "Example Hosting <noreply@example.com>",
    "STAFF_EMAIL": "staff@example.com, night@example.com",
    "TIME_ZONE": "Europe/Berlin",
    "LOG_LEVEL": "warning",
    "NODEPOINT_BIND": "::1",
    "DNS_HOSTMASTER": "hostmaster@example.com",
    "PROXY_IP": "203.0.113.10",
    "PROXY_LAN_IPS": "192.168.1.5",
    "SITE_GATEWAY": "192.168.1.1",
    "SITE_NAMESERVERS": "192.168.1.1,9.9.9.9",
    "PROXMOX_HOST": "192.168.1.10",
    "PROXMOX_TOKEN_NAME": "nodepoint",
    "PROXMOX_TOKEN_VALUE": "0b7c0c2e-1111-2222-3333-444455556666",
    "PROXMOX_TEMPLATE": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst",
    "PROXMOX_POOL": "hosting/sites",
    "SSH_NODE_HOSTS": "node1=192.168.1.10,node2=192.168.1.11:2222",
    "CLOUDFLARE_API_TOKEN": "secret",
    "CLOUDFLARE_ZONE_ID": "0123",
    "NPM_URL": "http://192.168.1.5:81",
    "NPM_EMAIL": "api@example.com",
    "NPM_PASSWORD": "a # b $ c",
    "LETSENCRYPT_EMAIL": "certificates@example.com",
    "ISPCONFIG_URL": "https://panel.example.com:8080",
    "ISPCONFIG_USER": "nodepoint",
    "ISPCONFIG_PASSWORD": "secret",
}
NUMBERS = ["many", "1.5", "-1", "1e3"]
SWITCHES = ["maybe", "2"]
ADDRESSES = ["proxy", "203.0.113", "203.0.113.10/24", "::1"]
URLS = ["panel.example.com", "ftp://panel.example.com", "http://:81", "http://h:99999", "http://a b"]
MAILBOXES = ["staff", "staff@", "a@b@c", "@example.com"]
NAMES = ["a b", "node!", "ä"]
WORDS = [f"{SECRET} x", f"{SECRET}\tx", f"{SECRET}ä"]
LINES = [f"{SECRET}\nx", f"{SECRET}\x1b[2J"]
BAD: dict[str, list[str]] = {
    "NODEPOINT_DATA": ["{file}", "{file}/var", "/proc/nodepoint"],
    "NODEPOINT_PORT": [*NUMBERS, "0", "65536", "80:80"],
    "NODEPOINT_BIND": ["localhost", "0.0.0.0:8080", "[::1]", "192.168.1.300"],
    "INSTALLATION_ID": ["eu:1", "a" * 25, "-", "ä"],
    "DEBUG": SWITCHES,
    "ALLOWED_HOSTS": ["https://nodepoint.example.com", "nodepoint.example.com:443", "a b", "::1"],
    "BEHIND_TLS": SWITCHES,
    "TRUSTED_PROXIES": ["proxy", "127.0.0.1:80", "10.0.0.1/8"],
    "DATABASE_URL": [
        "nodepoint",
        "postgres://np@h/nodepoint",
        f"mysql://np:{SECRET}@db.example.com",
        f"mysql://np:{SECRET}@db.example.com/",
        f"mysql://np:{SECRET}/x@db.example.com/nodepoint",
        f"mysql://np:1/{SECRET}@db.example.com/nodepoint",
        f"mysql://np:{SECRET}?x@db.example.com/nodepoint",
        f"mysql://np:1?{SECRET}@db.example.com/nodepoint",
        f"mysql://np:{SECRET}[x@db.example.com/nodepoint",
        f"mysql://np:{SECRET}@db.example.com:port/nodepoint",
        f"mysql://np:{SECRET}@db.example.com:99999/nodepoint",
        f"mysql://np:{SECRET}@db.example.com/nodepoint?pool=4",
        "mysql:///nodepoint",
        "sqlite://var/nodepoint.sqlite3",
    ],
    "STAFF_TWO_FACTOR": ["yes", "never"],
    "STAFF_SESSION_HOURS": [*NUMBERS, "0", "100000"],
    "TIME_ZONE": ["Berlin", "Europe", "Europe/Atlantis", "/etc/localtime", "../UTC", "+01:00"],
    "LOG_LEVEL": ["verbose", "20", "TRACE"],
    "EMAIL_URL": [
        "mail.example.com",
        "http://mail.example.com",
        f"smtp://u:{SECRET}@",
        f"smtp://u:{SECRET}/x@mail.example.com:587",
        f"smtp://u:1/{SECRET}@mail.example.com:587",
        f"smtp+tls://u:{SECRET}#x@mail.example.com:587",
        f"smtp+tls://u:1#{SECRET}@mail.example.com:587",
        f"smtp+tls://u:1?{SECRET}@mail.example.com:587",
        f"smtp://u:{SECRET}@mail.example.com:mail",
    ],
    "DEFAULT_FROM_EMAIL": ["NodePoint", "NodePoint <noreply>", "a@example.com\nBcc: b@example.com"],
    "STAFF_EMAIL": MAILBOXES,
    "NOTICE_WEBHOOK_URL": [*URLS, f"http://example.com/{SECRET}", f"http://9.9.9.9/{SECRET}"],
    "NOTICE_WEBHOOK_SECRET": [SECRET, f"whsec_{SECRET}", "whsec_c2hvcnQ=", "A" * 44, f"whsec_{'A' * 100}"],
    "API_WAIT_SECONDS": [*NUMBERS, "21"],
    "WEB_PROCESSES": [*NUMBERS, "0", "65"],
    "WEB_THREADS": [*NUMBERS, "1", "257"],
    "JOB_RUNNERS": [*NUMBERS, "0", "65"],
    "JOB_THREADS": [*NUMBERS, "0", "257"],
    "JOB_STALL_SECONDS": [*NUMBERS, "4", "3601"],
    "QUEUE_BROKER": [
        "redis",
        "orm2",
        "http://redis.example.com",
        "redis://",
        "redis://redis.example.com/zero",
        "redis://redis.example.com:port/0",
        "redis://redis.example.com:99999/0",
        f"redis://:{SECRET}/x@redis.example.com:6379/0",
        f"redis://:1/{SECRET}@redis.example.com:6379/0",
        f"redis://:{SECRET}#x@redis.example.com:6379/0",
        f"redis://:1#{SECRET}@redis.example.com:6379/0",
        f"redis://:{SECRET}@redis.example.com:6379/0?colour=red",
    ],
    "BASE_DOMAIN": ["nodepoint", "a b.eu", "-a.eu", "a..eu"],
    "PROXY_IP": ADDRESSES,
    "PROXY_LAN_IPS": [f"192.168.1.5,{address}" for address in ADDRESSES],
    "PROXY_CHECK_ADDRESS": ["https://192.168.1.5", "192.168.1.5:https", "a b"],
    "PROXY_CHECK_HTTP_ADDRESS": ["http://192.168.1.5", "192.168.1.5:http", "a b"],
    "NAMESERVERS": ["ns1", "ns1.nodepoint.eu,ns2", "ns1 .nodepoint.eu"],
    "DNS_RESOLVERS": ["9.9.9.9:dns", "9.9.9.9:", "a b"],
    "DNS_PORT": [*NUMBERS, "0", "65536"],
    "DNS_XFER": ["all", "192.0.2.53/33", "ns2.example.com"],
    "DNS_ALSO_NOTIFY": ["ns2.example.com", "192.0.2.0/24"],
    "DNS_HOSTMASTER": ["hostmaster", "first.last@example.com", "hostmaster@localhost"],
    "SITE_NETWORK": ["192.168.1.0", "192.168.1.1/24", "192.168.1.0/33"],
    "SITE_IP_RANGE": ["192.168.1.100", "192.168.1.253-192.168.1.100", "a-b", "192.168.1.100-192.168.2.1"],
    "SITE_GATEWAY": [*ADDRESSES, "192.168.2.1"],
    "SITE_NAMESERVERS": ADDRESSES,
    "SITE_SMTP_URL": ["mail.example.com", "http://mail.example.com", "smtp://", f"smtp://u:{SECRET}/x@h:587"],
    "CLOSED_NETWORKS": ["10.0.0.0", "10.0.0.1/8", "10.0.0.0/8,fe80::", "lan"],
    "VMID_START": [*NUMBERS, "99", "1000000000"],
    "PROXMOX_HOST": ["https://192.168.1.10", "192.168.1.10:99999", "user@host", "192.168.1.10/api2", ":8006"],
    "PROXMOX_USER": ["api", "@pam"],
    "PROXMOX_TOKEN_NAME": ["api@pam!nodepoint", "a b", "1"],
    "PROXMOX_TOKEN_VALUE": WORDS,
    "PROXMOX_VERIFY_TLS": ["maybe", "/nowhere/ca.pem", "{file}"],
    "PROXMOX_NODES": [*NAMES, "node1.example.com", "-a"],
    "PROXMOX_HOME_NODE": [*NAMES, "node3"],
    "PROXMOX_STORAGE": [*NAMES, "1lvm"],
    "PROXMOX_TEMPLATE": ["debian.tar.zst", "local:"],
    "PROXMOX_POOL": [*NAMES, "/a", "a/b/c/d"],
    "PROXMOX_BRIDGE": NAMES,
    "PROXMOX_CONCURRENCY": [*NUMBERS, "0"],
    "PROXMOX_CREATES": [*NUMBERS, "0"],
    "POOL_SIZE": [*NUMBERS, "1001"],
    "ARCHIVE_STORAGE": [*NAMES, "1nas"],
    "ARCHIVE_HOUR": [*NUMBERS, "24"],
    "KEEP_DAYS": [*NUMBERS, "3651"],
    "SSH_USER": ["a b", "ä"],
    "SSH_KEY_FILE": ["/nowhere/key", "{folder}", "{file}", "{public}", "{locked}"],
    "SSH_KNOWN_HOSTS": ["/nowhere/known_hosts", "{folder}", "{file}"],
    "SSH_NODE_HOSTS": ["192.168.1.10", "=192.168.1.10", "node1=192.168.1.10:x", "node1=192.168.1.10"],
    "WORDPRESS_URL": URLS,
    "CLOUDFLARE_API_URL": URLS,
    "CLOUDFLARE_API_TOKEN": WORDS,
    "CLOUDFLARE_ZONE_ID": WORDS,
    "NPM_URL": URLS,
    "NPM_EMAIL": MAILBOXES,
    "NPM_PASSWORD": LINES,
    "NPM_CERTIFICATE": ["yes", "0", "-1", "1.5"],
    "LETSENCRYPT_EMAIL": MAILBOXES,
    "ISPCONFIG_URL": URLS,
    "ISPCONFIG_USER": LINES,
    "ISPCONFIG_PASSWORD": LINES,
    "ISPCONFIG_SERVER_ID": [*NUMBERS, "0"],
    "ISPCONFIG_VERIFY_TLS": ["maybe", "/nowhere/ca.pem", "{file}"],
    "LAB_SPEED": ["fast", "-1", "inf", "nan"],
}
ANY = {"SECRET_KEY"}  # whatever stands there is a key; `check --deploy` says when it is too short


@on_one_database
class WrongSettingTests(SimpleTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.good = GOOD | ssh_files(cls.folder)
        (cls.folder / "file").write_text("rubbish\n")
        cls.places = {name: str(cls.folder / name) for name in ("file", "public", "locked")}
        cls.places["folder"] = str(cls.folder)

    def found(self, **changes: str) -> list[str]:
        return faults(self.folder, self.good | changes, infrastructure)

    def test_a_complete_production_is_fine(self) -> None:
        self.assertEqual(self.found(), [])

    def test_passwords_of_any_signs_arrive_where_they_are_written_right(self) -> None:
        config = read(self.folder, self.good).DATABASES["default"]
        self.assertEqual((config["HOST"], config["PASSWORD"]), ("db.example.com", "p/#?@%"))
        # Not written right, but without a doubt:
        for password in (f"{SECRET}#x", f"1#{SECRET}", f"{SECRET}@x", f"{SECRET}%x"):
            url = f"mysql://np:{password}@db.example.com/nodepoint"
            config = read(self.folder, self.good | {"DATABASE_URL": url}).DATABASES["default"]
            self.assertEqual((config["HOST"], config["PASSWORD"]), ("db.example.com", password))

    def test_each_setting_has_its_bad_values(self) -> None:
        self.assertEqual(set(BAD) | ANY, set(settings()))

    def test_each_bad_value_is_one_line_that_names_its_setting(self) -> None:
        for name, values in BAD.items():
            for value in (value.format(**self.places) for value in values if name != "LAB_SPEED"):
                with self.subTest(name=name, value=value):
                    # the key would be made in the data folder, which is where a wrong one is noticed first
                    found = self.found(**{name: value, **({"SECRET_KEY": ""} if "DATA" in name else {})})
                    self.assertEqual(len(found), 1, found)
                    self.assertRegex(found[0], rf"\A{name}\b[^\n]+\.\Z")
                    self.assertNotIn(SECRET, found[0])

    def test_a_bad_speed_of_the_demo_is_one_line_too(self) -> None:
        for value in BAD["LAB_SPEED"]:
            refused = self.assertRaisesRegex(demo.DemoFailed, r"\ALAB_SPEED must be [^\n]+\.\Z")
            with self.subTest(value=value), mock.patch.dict(os.environ, LAB_SPEED=value), refused:
                demo.lab_speed()

    def test_a_setting_in_a_file_is_refused_under_its_name(self) -> None:
        (self.folder / "binary").write_bytes(b"\xff\xfe\x00")
        for file in ("/nowhere/x", str(self.folder), str(self.folder / "binary")):
            with self.subTest(file=file):
                (said,) = self.found(NPM_PASSWORD="", NPM_PASSWORD_FILE=file)
                self.assertRegex(said, r"\ANPM_PASSWORD_FILE cannot be read: [^\n]+\.\Z")

    def test_a_line_of_the_file_that_is_none_is_named_by_its_number(self) -> None:
        base = self.folder / "code"
        base.mkdir()
        for line in (f"NPM_PASSWORD = {SECRET}", f"NPM-PASSWORD={SECRET}", f" NPM_PASSWORD={SECRET}", SECRET):
            with self.subTest(line=line):
                (base / ".env").write_text(f"# what we have\n\nexport DEBUG=false\n{line}\n")
                (said,) = faults(base, self.good, infrastructure)
                self.assertRegex(said, r"\.env: line 4 is malformed: it should be NAME=value, [^\n]+\.\Z")
                self.assertNotIn(SECRET, said)
        (base / ".env").write_bytes(b"NPM_PASSWORD=\xff\n")
        self.assertRegex(faults(base, self.good)[0], r"\.env cannot be read: it is no text\.\Z")


@on_one_database
class ExitTests(SimpleTestCase):
    """Real processes: what systemd and a person at a terminal see."""

    def manage(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as data:
            env = {"PATH": os.environ["PATH"], "NODEPOINT_DATA": data, **environment}
            command = [sys.executable, str(ROOT / "manage.py"), *words]
            return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)

    def test_a_malformed_setting_is_one_line_and_an_exit_code_of_its_own(self) -> None:
        done = self.manage("serve", TIME_ZONE="Berlin")
        self.assertEqual(done.returncode, WRONG_SETTINGS)
        self.assertEqual(
            done.stderr,
            "nodepoint: TIME_ZONE is malformed: it should be a time zone, such as Europe/Berlin.\n",
        )

    def test_missing_settings_stop_serve_and_worker_in_the_same_way(self) -> None:
        for command in ("serve", "worker"):
            done = self.manage(command)
            self.assertEqual(done.returncode, WRONG_SETTINGS, done.stderr)
            self.assertIn("PROXMOX_HOST is missing", done.stderr)
            self.assertNotIn("Traceback", done.stderr)
