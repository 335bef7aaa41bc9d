"""A site is live when WordPress answers with its front page, not when something answers."""

import contextlib
import re
import socket
import threading
from unittest import mock

from django.test import SimpleTestCase, override_settings

from nodepoint.clients.errors import Unreachable
from sites import connections
from sites.clients.website import MOST, NOT_SERVED, Page, Website
from tests.base import on_one_database
from tests.sites.base import SiteTestCase
from tests.sites.domains import SHOP

# How a server answers in each state, and what staff read.
STATES = {
    "config": "no wp-config.php",
    "installer": "not installed",
    "database": "500 Database Error",
    "php": "502 Bad Gateway",
    "nginx": "no page of WordPress: Welcome to nginx!",
    "moved": "it leads to https://elsewhere.example/",
}


@on_one_database
class VerificationTests(SiteTestCase):
    def at_verification(self):
        """A site whose WordPress has just been installed."""
        site = self.create()
        self.run_until(site, "wordpress", state="done")
        return site

    def test_every_broken_state_keeps_the_site_from_going_live(self):
        site = self.at_verification()
        for trouble, words in STATES.items():
            with self.subTest(trouble):
                self.lab.guest.break_site(site.vmid, trouble)
                self.run_for(20)
                step = self.step(site, "verified")
                self.assertRegex(step.detail, f"^inside: .*{words}")
                self.assertEqual(step.error, "WordPress does not answer as it should.")
                site.refresh_from_db()
                self.assertEqual(site.state, "provisioning")
        self.lab.guest.break_site(site.vmid, "")
        self.run_jobs()
        self.assert_live(site)

    def test_one_that_stays_broken_is_undone(self):
        site = self.at_verification()
        self.lab.guest.break_site(site.vmid, "config")
        self.run_jobs()
        self.assert_undone(site)
        self.assertIn("no wp-config.php", self.job(site).detail)

    def test_a_name_that_the_proxy_refuses_at_the_handshake_is_told_as_that(self):
        site = self.at_verification()
        with mock.patch.object(self.lab.npm.state.nginx, "route", return_value=None):
            self.run_for(20)
        step = self.step(site, "verified")
        self.assertEqual(step.error, "WordPress does not answer through Nginx Proxy Manager yet.")
        self.assertIn("proxy: no TLS for this name", step.detail)
        self.run_jobs()
        self.assert_live(site)

    def test_a_proxy_that_is_not_there_is_told_as_that(self):
        site = self.at_verification()
        with override_settings(PROXY_CHECK_ADDRESS="127.0.0.1:1"):
            connections.forget()
            self.run_for(20)
        connections.forget()
        self.assertEqual(self.step(site, "verified").error, "Nginx Proxy Manager could not be reached.")
        self.run_jobs()
        self.assert_live(site)

    def test_the_proxys_own_page_is_not_the_site(self):
        site = self.at_verification()
        congratulations = Page(200, "", "<title>Default Site</title><h1>Congratulations!</h1>")
        with mock.patch.object(Website, "front_page", return_value=congratulations):
            self.run_for(30)
        step = self.step(site, "verified")
        self.assertIn("proxy: 200, but no page of WordPress: Default Site", step.detail)
        self.run_jobs()
        self.assert_live(site)


@on_one_database
class FrontTests(SiteTestCase):
    """A look through the proxy opens TLS by the site's name, which is all that its front lets in."""

    def test_an_order_goes_live_through_it_and_is_off_it_when_switched_off(self):
        self.live_site()
        self.assertTrue(connections.website().serves("janedoe.nodepoint.eu"))
        self.assertEqual(connections.website().front_page("janedoe.nodepoint.eu").trouble(), "")
        self.post("/action/toggle", {"service_id": "1001", "enabled": False}, Prefer="respond-async")
        self.run_jobs()
        self.assertFalse(connections.website().serves("janedoe.nodepoint.eu"))
        self.assertIs(connections.website().front_page("janedoe.nodepoint.eu"), NOT_SERVED)

    def test_what_is_no_answer_of_the_proxy_is_not_taken_for_one(self):
        for address in ("127.0.0.1:1", self.lab.settings["NPM_URL"].removeprefix("http://")):
            with self.subTest(address), self.assertRaises(Unreachable):
                Website(address, timeout=2).serves("janedoe.nodepoint.eu")


@on_one_database
class PlainTests(SimpleTestCase):
    """A name that the proxy serves without TLS is told from one that gets its default site, whichever of
    NPM's staff have chosen (backend/templates/default.conf)."""

    DEFAULTS = (
        "HTTP/1.1 200 OK\r\n\r\n<title>Default Site</title>",
        "HTTP/1.1 404 Not Found\r\n\r\n<title>404 Not Found</title>",
        "HTTP/1.1 301 Moved Permanently\r\nLocation: https://elsewhere.example/\r\n\r\n",
        "HTTP/1.1 301 Moved Permanently\r\nLocation: https://{host}/\r\n\r\n",
        "",  # 444: the connection is closed
    )
    OURS = (
        "HTTP/1.1 200 OK\r\n\r\n<title>Jane's shop</title>",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n<title>502 Bad Gateway</title>",
        "HTTP/1.1 301 Moved Permanently\r\nLocation: https://janedoe.nodepoint.eu/\r\n\r\n",
    )

    def setUp(self):
        self.default = self.ours = ""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        threading.Thread(target=self.serve, daemon=True).start()
        self.website = Website("127.0.0.1:1", f"127.0.0.1:{self.server.getsockname()[1]}", timeout=5)

    def serve(self):
        with contextlib.suppress(OSError):  # closed at the end of the test
            while True:
                connection, _ = self.server.accept()
                with connection:
                    host = re.search(rb"Host: (\S+)", connection.recv(4096))[1].decode()
                    answer = self.ours if host == SHOP else self.default
                    connection.sendall(answer.format(host=host).encode())

    def test_it_is_served_where_it_is_answered_otherwise_than_a_name_that_nobody_has(self):
        for default in self.DEFAULTS:
            for ours in (*self.OURS, default):
                with self.subTest(default=default, ours=ours):
                    self.default, self.ours = default, ours
                    self.assertEqual(self.website.serves_plainly(SHOP), ours != default)

    def test_what_is_no_web_server_and_what_is_not_known_is_not_taken_for_an_answer(self):
        self.ours = "SSH-2.0-OpenSSH_9.2p1\r\n"
        with self.assertRaises(Unreachable):
            self.website.serves_plainly(SHOP)
        self.assertIsNone(Website("127.0.0.1:8443").serves_plainly(SHOP))

    def test_beside_port_443_it_is_port_80(self):
        with mock.patch("socket.create_connection", side_effect=OSError("no")) as connect:
            for address, plain, wanted in (
                ("192.168.1.5", "", ("192.168.1.5", 80)),
                ("192.168.1.5:443", "", ("192.168.1.5", 80)),
                ("[::1]:8443", "[::1]:8080", ("::1", 8080)),
            ):
                with self.subTest(address), self.assertRaises(Unreachable):
                    Website(address, plain).serves_plainly(SHOP)
                self.assertEqual(connect.call_args.args[0], wanted)


@on_one_database
class PageTests(SimpleTestCase):
    def trouble(self, answer: str) -> str:
        return Page.read(answer).trouble()

    def test_a_front_page_is_good(self):
        for head, body in (
            ("HTTP/1.1 200 OK\r\nContent-Type: text/html", "<link href='/wp-includes/x.css'>"),
            ('HTTP/1.1 200 OK\r\nLINK: <https://a.example/wp-json/>; rel="https://api.w.org/"', ""),
            ("HTTP/2 200", "<TITLE>a</TITLE>/wp-content/"),
        ):
            with self.subTest(head):
                self.assertEqual(self.trouble(f"{head}\r\n\r\n{body}"), "")

    def test_all_else_is_not(self):
        redirect = "HTTP/1.1 302 Found\r\nLocation: https://a.example/wp-admin/"
        for answer, words in (
            (f"{redirect}setup-config.php\r\n\r\n", "no wp-config.php"),
            (f"{redirect}setup-config.php?step=1\r\n\r\n", "no wp-config.php"),
            (f"{redirect}install.php\r\n\r\n", "not installed"),
            (f"{redirect}\r\n\r\n/wp-includes/", "302, it leads to"),
            ("HTTP/1.1 500 Error\r\n\r\n<title>Database\n Error</title>/wp-includes/", "500 Database Error"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
            ("HTTP/1.1 200 OK\r\n\r\n", "no title"),
            ("HTTP/1.1 200 OK\r\n\r\n<title>Welcome to nginx!</title>", "Welcome to nginx!"),
            (f"HTTP/1.1 200 OK\r\n\r\n{'x' * MOST}/wp-includes/", "no title"),
        ):
            with self.subTest(answer[:90]):
                self.assertIn(words, self.trouble(answer))

    def test_what_is_no_answer_is_told(self):
        for answer in ("", "curl: (7)", "\r\n\r\n"):
            with self.assertRaisesRegex(ValueError, "no answer of a web server"):
                Page.read(answer)
