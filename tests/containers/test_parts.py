"""What a site is made of: sizes, firewall, web server, cron, mail."""

import contextlib
import socketserver
import threading
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase
from tests.containers.node import GATEWAY

ROOT = "/var/www/wordpress"
LIMITS = ("memory_limit", "upload_max_filesize", "post_max_size")


def setUpModule() -> None:
    base.required()


class PartsTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def php(self, code: str) -> str:
        """What PHP says to a visitor, by way of nginx and PHP-FPM."""
        self.container.run("tee", f"{ROOT}/probe.php", stdin=f"<?php {code}")
        try:
            return self.container.visit("/probe.php").text
        finally:
            self.container.run("rm", f"{ROOT}/probe.php")

    def sizes(self) -> list[str]:
        """InnoDB's pool, connections, children of PHP-FPM, and PHP's limits, as they are in force."""
        database = self.container.shell(
            "mariadb -BN -e 'SELECT @@innodb_buffer_pool_size DIV 1048576, @@max_connections'"
        )
        children = self.container.shell("grep -h max_children /etc/php/*/fpm/pool.d/www.conf").split()[-1]
        limits = self.php(f"foreach ({list(LIMITS)!r} as $name) {{ echo ini_get($name), ' '; }}")
        # The memory that is there: PHP only tells what was asked for, in a pool in vain.
        shared = self.container.shell(
            "unit=$(basename /lib/systemd/system/php*-fpm.service)\n"
            "awk '$2 == \"rw-s\" {print $1}' /proc/$(systemctl show -P MainPID $unit)/maps"
        )
        ranges = [[int(end, 16) for end in line.split("-")] for line in shared.split()]
        megabytes = max(end - begin for begin, end in ranges) // 2**20
        return [*database.split(), children, *limits.split(), str(megabytes)]

    def test_a_plan_change_sizes_everything_anew_while_the_database_runs_on(self):
        small = ["512", "32", "12", "256M", "128M", "128M", "128"]
        large = ["1024", "44", "24", "256M", "128M", "128M", "256"]
        self.assertEqual(self.sizes(), small)
        same = "systemctl show -P MainPID mariadb; sha256sum /var/www/wordpress/wp-config.php"
        before = self.container.shell(same)
        self.addCleanup(setattr, self.container, "site", self.container.site)
        self.container.site = base.order(sites.PLAIN, memory_mb=4096)
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.sizes(), large)
        self.assertEqual(self.container.shell(same), before)
        self.assertEqual(self.container.visit("/").status_code, 200)
        self.container.site = base.order(sites.PLAIN)
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.sizes(), small)

    def test_memory_runs_out_for_php_before_the_database(self):
        adjustments = self.container.shell(
            "for unit in $(basename /lib/systemd/system/php*-fpm.service) mariadb\n"
            "do cat /proc/$(systemctl show -P MainPID $unit)/oom_score_adj; done"
        )
        self.assertEqual(adjustments.split(), ["300", "0"])

    def test_only_the_proxy_is_let_in_and_only_to_port_80(self):
        def knock(source: str, port: int) -> int:
            url = f"http://10.77.0.103:{port}/healthz"
            curl = ["curl", "-s", "-o", "/dev/null", "--max-time", "2", "--interface", source, url]
            return base.node().run(*curl, check=False).returncode

        base.node().run("ip", "address", "add", "10.77.0.2/24", "dev", "vmbr1")
        self.assertEqual(knock(GATEWAY, 80), 0)
        self.assertEqual(knock("10.77.0.2", 80), 28, "another address waits in vain")
        for port in (22, 443, 3306):
            self.assertEqual(knock(GATEWAY, port), 28)

    def test_nothing_else_listens(self):
        listening = self.container.shell("ss -Hltn | awk '{print $4}' | sort -u").split()
        self.assertEqual(listening, ["0.0.0.0:80", "127.0.0.1:3306", "127.0.0.1:443"])

    def test_what_is_not_for_visitors(self):
        self.container.shell(
            f"cd {ROOT}; install -d wp-content/uploads/a .git; touch dump.sql .git/config wp-config.php~\n"
            "for name in x.php a/x.PHP x.phtml; do echo '<?=\"RAN\", 42;' >wp-content/uploads/$name; done\n"
            "mkdir -p .well-known; echo 42 >.well-known/x; echo 42 >wp-content/uploads/x.txt"
        )
        for path in (
            "/wp-config.php",
            "/.git/config",
            "/dump.sql",
            "/wp-config.php~",
            "/readme.html",
            "/xmlrpc.php",
        ):
            self.assertEqual(self.container.visit(path).status_code, 403, path)
        for name in ("x.php", "a/x.PHP", "x.phtml", "x.php/y"):
            answer = self.container.visit(f"/wp-content/uploads/{name}")
            self.assertFalse("RAN42" in answer.text or "<?=" in answer.text, name)
            self.assertNotEqual(answer.status_code, 200, name)
        for path in ("/.well-known/x", "/wp-content/uploads/x.txt"):
            self.assertEqual(self.container.visit(path).text, "42\n", path)

    def test_guessing_passwords_is_slowed_down_for_the_guesser_only(self):
        guesses = [
            self.container.visit("/wp-login.php", client="198.51.100.99").status_code for _ in range(20)
        ]
        self.assertIn(429, guesses)
        self.assertEqual(guesses[0], 200)
        self.assertEqual(self.container.visit("/wp-login.php", client="198.51.100.98").status_code, 200)

    def test_uploads_may_be_as_large_as_php_takes_them(self):
        code = "echo strlen(file_get_contents($_FILES['f']['tmp_name']));"
        self.container.run("tee", f"{ROOT}/probe.php", stdin=f"<?php {code}")
        self.addCleanup(self.container.run, "rm", f"{ROOT}/probe.php")
        size = 100 * 2**20
        answer = self.container.visit("/probe.php", method="POST", files={"f": b"x" * size})
        self.assertEqual(answer.text, str(size))

    def test_plain_http_at_the_proxy_is_no_endless_redirect(self):
        answer = self.container.visit("/wp-login.php")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("secure", answer.headers["Set-Cookie"].lower())

    def test_the_site_reaches_itself_and_verifies_that_it_does(self):
        self.assertEqual(
            self.php(
                "require 'wp-load.php'; echo wp_remote_retrieve_response_code(wp_remote_get(home_url('/')));"
            ),
            "200",
        )

    def test_cron_does_what_is_due(self):
        line = self.container.shell("cat /etc/cron.d/wordpress").strip()
        self.assertRegex(line, r"^3-59/5 \* \* \* \* www-data timeout 240 php /usr/share/nodepoint/cron.php ")
        due = "wp_schedule_single_event(time() - 5, 'np_test'); echo wp_next_scheduled('np_test');"
        self.assertTrue(self.php(f"require 'wp-load.php'; {due}").isdigit())
        self.container.run_cron()
        self.assertEqual(
            self.php("require 'wp-load.php'; echo wp_next_scheduled('np_test') ?: 'done';"), "done"
        )

    def test_mail_goes_through_the_relay_with_its_odd_password(self):
        with relay() as got:
            sent = self.php("require 'wp-load.php'; var_dump(wp_mail('jane@example.com', 'Hello', 'World'));")
            self.assertIn("bool(true)", sent)
        self.assertEqual(got["login"], f"\0{base.SMTP_USER}\0{base.SMTP_PASSWORD}")
        self.assertIn("Subject: Hello", got["text"])
        self.assertIn("wordpress@site903.nodepoint.eu", got["from"])

    def test_the_machine_keeps_itself_in_order(self):
        self.assertEqual(
            self.container.run("systemctl", "is-enabled", "ssh.service").stdout.strip(), "masked"
        )
        periodic = self.container.run("apt-config", "dump", "APT::Periodic::Unattended-Upgrade").stdout
        self.assertIn('"1"', periodic)
        journal = self.container.run("systemd-analyze", "cat-config", "systemd/journald.conf").stdout
        self.assertIn("\nSystemMaxUse=100M", journal)
        users = self.container.shell("mariadb -BN -e \"SELECT User FROM mysql.user WHERE User = ''\"")
        self.assertEqual(users, "")


@contextlib.contextmanager
def relay() -> Iterator[dict[str, str]]:
    """A mail relay on the node that wants a login; what it got."""
    got: dict[str, str] = {}

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 relay")
            for raw in self.rfile:
                line = raw.decode().strip()
                word = line.split()[0].upper() if line else ""
                if word == "EHLO":
                    self.say("250-relay\r\n250 AUTH PLAIN")
                elif word == "AUTH":
                    got["login"] = b64decode(line.split()[2]).decode()
                    self.say("235 welcome")
                elif word == "MAIL":
                    got["from"] = line
                    self.say("250 good" if "login" in got else "530 log in first")
                elif word == "DATA":
                    self.say("354 go on")
                    got["text"] = "".join(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                    self.say("250 taken")
                elif word == "QUIT":
                    return self.say("221 bye")
                else:
                    self.say("250 good")
            return None

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    make: Any = base.node().on_network
    with make(socketserver.TCPServer, (GATEWAY, base.RELAY_PORT), Session) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield got
        finally:
            server.shutdown()
            thread.join()
