"""The install script: nothing that anybody writes can break out of it, and half of it does nothing.

What it does in a container is tested in tests/containers."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from django.test import SimpleTestCase, override_settings

from sites import install
from sites.models import Plan, Site
from tests.base import on_one_database

MARK = "BROKEN_OUT"
NAME = "jane.nodepoint.eu"
HOSTILE = [
    "plain@example.com",
    "o'neil@example.com",
    f"x'; touch {MARK}; '@example.com",
    f'x"; touch {MARK}; "@example.com',
    f"$(touch {MARK})@example.com",
    f"`touch {MARK}`@example.com",
    f"${{IFS}}$(touch {MARK})",
    f"a\ntouch {MARK}\n",
    f"a\r\ntouch {MARK}",
    f"a\\'; touch {MARK} #",
    f"\n# parameters\ntouch {MARK}\n",
    f"*?[]{{}}~!#&|<>;() touch {MARK}",
    f"END\ntouch {MARK}\nEND",
    "ünïcödé@example.com \u202e",
    "-n",
    "",
]


def site(email: str = "jane@example.com") -> Site:
    """An order that is in no database."""
    plan = Plan(name="basic", memory_mb=2048, disk_gb=20, cores=2, backups=2, domains=3)
    return Site(service_id="1", email=email, plan=plan, vmid=903, subdomain="jane", public_ip="203.0.113.10")


def bash(
    script: str | bytes, *arguments: str, folder: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run bash with a script on its standard input, as the container does."""
    script = script.encode() if isinstance(script, str) else script
    return subprocess.run(
        ["/bin/bash", *arguments], input=script, capture_output=True, cwd=folder, timeout=20, check=False
    )


@override_settings(PROXY_LAN_IPS=["192.168.1.5", "192.168.1.6"], BASE_DOMAIN="nodepoint.eu")
@on_one_database
class ParameterTests(SimpleTestCase):
    def _assignments(self, script: str) -> str:
        """The part of the script that does nothing but assign."""
        begin = script.index("SITE_HOSTNAME=")
        return script[begin : script.index("\nSTATE=/var/lib/nodepoint\n")]

    def test_bash_reads_every_value_as_it_was_given(self):
        for value in HOSTILE:
            with self.subTest(value=value), override_settings(SITE_SMTP_URL=value, WORDPRESS_URL=value):
                order = site(email=value)
                names = list(install.parameters(order))
                said = " ".join(f'"${name}"' for name in names)
                script = f"{self._assignments(install.script(order, NAME))}\nprintf '%s\\0' {said}\n"
                with tempfile.TemporaryDirectory() as folder:
                    output = bash(script, "-s", folder=folder)
                    self.assertEqual(list(Path(folder).iterdir()), [], "a command was run")
                values = output.stdout.decode().split("\0")[:-1]
                self.assertEqual((output.returncode, output.stderr), (0, b""))
                wanted = [str(given) for given in install.parameters(order).values()]
                self.assertEqual(values, wanted)

    def test_the_whole_script_is_good_bash_whatever_is_in_it(self):
        for value in HOSTILE:
            with self.subTest(value=value), override_settings(SITE_SMTP_URL=value):
                checked = bash(install.script(site(email=value), NAME), "-n")
                self.assertEqual((checked.returncode, checked.stderr), (0, b""))

    def test_what_a_site_is_given(self):
        given = install.parameters(site())
        self.assertEqual(given["SITE_HOSTNAME"], "jane.nodepoint.eu")
        self.assertEqual((given["MEMORY"], given["PROXY_IPS"]), (2048, "192.168.1.5 192.168.1.6"))

    def test_no_argument_and_no_exported_variable_holds_a_parameter(self):
        script = install.script(site(), NAME)
        secrets = re.compile(r"^.*(?:bash -c|export|setpriv|php|curl|mariadb).*SMTP_URL.*$", re.MULTILINE)
        self.assertEqual(secrets.findall(script), [])
        self.assertIn('bash "$RUN/install.sh" phase', script)

    def test_bad_parameters_end_it_before_it_does_anything(self):
        for old, new in (
            ("SITE_HOSTNAME=jane.nodepoint.eu", "SITE_HOSTNAME='a b'"),
            ("MEMORY=2048", "MEMORY=lots"),
            ("ADMIN_EMAIL=jane@example.com", "ADMIN_EMAIL="),
            ("ADMIN_EMAIL=jane@example.com", "ADMIN_EMAIL=$'a\\nb'"),
            ("PART=all", "PART=most"),
            ("CRON_MINUTE=3", "CRON_MINUTE=9"),
            ("PROXY_IPS='192.168.1.5 192.168.1.6'", "PROXY_IPS='1.2.3.4; accept'"),
            ("SITE_HOSTNAME=jane.nodepoint.eu", "SITE_HOSTNAME=-jane"),
            ("STAY=0", "STAY=99"),
            ("XMLRPC=no", "XMLRPC=maybe"),
            ("UPLOAD_MB=128", "UPLOAD_MB=0"),
            ("UPLOAD_MB=128", "UPLOAD_MB='128m; }'"),
            ("MEMORY_LIMIT_MB=0", "MEMORY_LIMIT_MB=-1"),
            ("MEMORY_LIMIT_MB=0", "MEMORY_LIMIT_MB=$'64\\n'"),
            ("PAGE_CACHE=yes", "PAGE_CACHE=1"),
            ("FIREWALL_IN='", 'FIREWALL_IN=\'} include "x" '),
        ):
            with self.subTest(new):
                script = install.script(site(), NAME)
                self.assertIn(old, script)
                script = script.replace(old, new, 1).replace(
                    "    install -d -m 700", "    echo REACHED; exit 1 #", 1
                )
                ended = bash(script, "-s", "install")
                self.assertEqual((ended.returncode, ended.stdout), (64, b""))


@on_one_database
class CutOffTests(SimpleTestCase):
    def test_a_script_that_arrives_in_part_is_never_run(self):
        script = install.script(site(), NAME).replace("main() {", "main() { echo REACHED; exit 0", 1).encode()
        self.assertIn(b"REACHED", bash(script, "-s", "install").stdout, "whole, it is run")
        end = len(script.rstrip())
        last_line = script.rstrip().rindex(b"\n")
        places = [*range(0, last_line, 331), *range(last_line - 3, end)]
        for place in places:
            with self.subTest(place=place, before=script[max(0, place - 20) : place]):
                self.assertNotIn(b"REACHED", bash(script[:place], "-s", "install").stdout)


@on_one_database
class FunctionTests(SimpleTestCase):
    """Parts of the script that can be called by themselves."""

    def call(self, command: str, **variables: object) -> str:
        head = install.script(site(), NAME).rpartition("# In braces")[0]
        given = "".join(f"{name}={value}\n" for name, value in variables.items())
        ended = bash(f"{head}\n{given}\nset -Eeuo pipefail\n{command}\n", "-s")
        self.assertEqual((ended.returncode, ended.stderr), (0, b""))
        return ended.stdout.decode()

    def test_sizes_follow_the_memory(self):
        keys = ("pm.max_children", "memory_limit", "opcache.memory_consumption")
        for memory, children, limit, opcache, pool in (
            (512, "3", "128M", "64", "128M"),
            (1024, "6", "256M", "64", "256M"),
            (2048, "12", "256M", "128", "512M"),
            (3072, "18", "256M", "128", "768M"),
            (4096, "24", "256M", "256", "1024M"),
            (8192, "50", "512M", "256", "2048M"),
            (16384, "100", "512M", "256", "4096M"),
        ):
            with self.subTest(memory):
                text = self.call("php_pool; php_options", MEMORY=memory)
                lines = dict(re.findall(r"^([\w.]+) = (\S+)$", text, re.MULTILINE))
                self.assertEqual(tuple(lines[key] for key in keys), (children, limit, opcache))
                stubs = "database_options() { echo $1M $2; }; place() { cat >&3; }; systemctl() { :; }"
                said = self.call(f"{stubs}; tune_database 3>&1", MEMORY=memory)
                self.assertEqual(said.split(), [pool, str(int(children) + 20)])

    def test_a_relay_s_address_is_taken_apart(self):
        for url, wanted in (
            ("smtp://10.0.0.5", {"host 10.0.0.5", "port 25"}),
            ("smtp://10.0.0.5:26/", {"host 10.0.0.5", "port 26"}),
            ("smtp+tls://m.example.com", {"port 587", "tls on", "tls_starttls on"}),
            ("smtps://m.example.com", {"port 465", "tls on", "tls_starttls off"}),
            (
                r"smtp+tls://u%40x:p%3A%2F%40%25%22%27%5Cn@m.example.com:2525",
                {"host m.example.com", "port 2525", 'user "u@x"', 'password "p:/@%"\'\\n"'},
            ),
        ):
            with self.subTest(url):
                text = self.call("msmtp_options", SMTP_URL=f"'{url}'", SITE_HOSTNAME="jane.nodepoint.eu")
                self.assertLessEqual(wanted, set(text.splitlines()))
                self.assertEqual("auth plain" in text, "u%40x" in url)

    def test_each_phase_has_its_own_exit_code(self):
        each = 'for name in "${BASE[@]}" "${SITE[@]}"; do'
        codes = self.call(f'{each} declare -F "phase_$name" >/dev/null; code_of "$name"; done').split()
        self.assertEqual(len(set(codes)), 8)
        self.assertNotIn(str(install.BUSY), codes)
        self.assertTrue(all(70 <= int(code) <= 78 for code in codes))

    @override_settings(
        PROXY_LAN_IPS=["192.168.1.5", "fd00::5"],
        SITE_GATEWAY="192.168.1.1",
        SITE_NAMESERVERS=["192.168.1.2", "fd00::53"],
        SITE_SMTP_URL="smtps://10.1.2.3",
        SITE_NETWORK="192.168.1.0/24",
        CLOSED_NETWORKS=["10.0.0.0/8", "10.5.0.0/16", "192.168.1.0/24", "fe80::/10"],
    )
    def test_the_firewall_says_the_same_as_that_of_proxmox(self):
        given = install.parameters(site())
        values = {name: f"'{given[name]}'" for name in ("FIREWALL_IN", "FIREWALL_OUT")}
        text = self.call("firewall", **values)
        incoming, outgoing = text.split("chain output")
        self.assertIn("policy drop", incoming)
        self.assertIn(
            "ip saddr { 192.168.1.5 } tcp dport 80 accept; ip6 saddr { fd00::5 } tcp dport 80 accept\n",
            incoming,
        )
        order = (
            "ip daddr { 192.168.1.1 } accept",
            "ip daddr { 192.168.1.2 } udp dport 53 accept",
            "ip daddr { 192.168.1.2 } tcp dport 53 accept",
            "ip6 daddr { fd00::53 } udp dport 53 accept",
            "ip6 daddr { fd00::53 } tcp dport 53 accept",
            "ip daddr { 10.1.2.3 } tcp dport 465 accept",
            "ip daddr { 10.0.0.0/8, 192.168.1.0/24 } drop",
            "ip6 daddr { fe80::/10 } drop",
        )
        self.assertIn("; ".join(order), outgoing)

    @override_settings(PROXY_LAN_IPS=[])
    def test_without_a_proxy_nobody_is_let_in(self):
        self.assertEqual(install.parameters(site())["FIREWALL_IN"], "")


@on_one_database
class StyleTests(SimpleTestCase):
    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck_finds_nothing(self):
        scripts = {
            "wordpress": install.script(site(), NAME),
            "access": install.access_script(site()),
            "seal": install.seal_script("a"),
            "database": install.database_script(),
        }
        for name, script in scripts.items():
            with self.subTest(name):
                command = ["shellcheck", "--shell=bash", "--exclude=SC1091", "-"]
                found = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
                self.assertEqual(found.stdout, "")
