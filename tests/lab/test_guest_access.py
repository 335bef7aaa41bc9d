"""The links that let an administrator in, and the ways in which a WordPress can be broken."""

import re

from lab.server import Response
from lab.wordpress import TROUBLES
from tests.lab.test_guest import GuestCase

ACCESS = b"#!/bin/bash\n# lab: access\nmain() { :; }\n"
INSTALL = b"""#!/bin/bash
# lab: install status=/root/install.status
SITE_HOSTNAME=demo.nodepoint.eu
ADMIN_EMAIL='o'"'"'neil@example.com'
main() { :; }
"""
PAGE = "/wp-admin/admin-post.php"
ACTION = "action=nodepoint_login"


class SiteCase(GuestCase):
    def setUp(self) -> None:
        super().setUp()
        self.create(start=True, hostname="demo")

    def visit(self, path: str, **more: object) -> Response:
        answer = self.lab.world.site_answer("192.168.1.100", "demo.nodepoint.eu", path, {}, **more)
        self.assertIsNotNone(answer)
        return answer

    def installed(self) -> None:
        self.assertEqual(0, self.run_in("bash", "-s", "install", stdin=INSTALL)[0])
        self.assertEqual("done 0", self.status()[-1])

    def act(self, *words: str) -> tuple[int, bytes, bytes]:
        return self.run_in("bash", "-s", *words, stdin=ACCESS)

    def link(self, act: str) -> str:
        code, out, _ = self.act(act)
        self.assertEqual(0, code)
        return out.decode().removeprefix("link ").rstrip("\n")


class AccessTests(SiteCase):
    def redeem(self, token: str) -> Response:
        return self.visit(PAGE, query=ACTION, method="POST", body=f"nodepoint_token={token}".encode())

    def test_there_is_no_link_into_what_is_not_there(self) -> None:
        self.assertEqual((70, b""), self.run_in("bash", "-s", "login", stdin=ACCESS)[:2])
        self.installed()
        self.assertEqual((64, b""), self.run_in("bash", "-s", "both", stdin=ACCESS)[:2])
        self.assertEqual(200, self.visit(PAGE, query=ACTION).status)

    def test_a_login_link_lets_one_in(self) -> None:
        self.installed()
        url, _, token = self.link("login").partition("#")
        self.assertEqual(f"https://demo.nodepoint.eu{PAGE}?{ACTION}", url)
        self.assertIn(b"nodepoint_token", self.visit(PAGE, query=ACTION).payload())
        entered = self.redeem(token)
        self.assertEqual(
            (302, "http://demo.nodepoint.eu/wp-admin/"), (entered.status, entered.headers["Location"])
        )
        self.assertEqual(403, self.redeem(token).status)
        cookie = entered.headers["Set-Cookie"].partition(";")[0]
        inside = self.lab.world.site_answer(
            "192.168.1.100", "demo.nodepoint.eu", "/wp-admin/", {"cookie": cookie}
        )
        self.assertIn(b"Dashboard", inside.payload())
        self.assertEqual(302, self.visit("/wp-admin/").status)

    def test_a_link_is_gone_with_the_containers_power_and_in_no_snapshot(self) -> None:
        self.installed()
        before, after = self.link("login"), ""
        self.done(self.ct().snapshot.post(snapname="one"))
        self.done(self.ct().status.reboot.post())
        self.assertEqual(403, self.redeem(before.partition("#")[2]).status)
        after = self.link("login")
        self.done(self.ct().snapshot("one").rollback.post(start=1))
        self.lab.world.settle()
        for link in (before, after):
            self.assertEqual(403, self.redeem(link.partition("#")[2]).status)

    def test_a_password_link_is_void_when_there_is_a_newer_one(self) -> None:
        self.installed()
        first, second = self.link("password"), self.link("password")
        self.assertTrue(first.endswith("&login=o%27neil%40example.com"), first)
        for link, text in ((first, b"appears to be invalid"), (second, b"Enter your new password")):
            path, _, query = link.removeprefix("https://demo.nodepoint.eu").partition("?")
            self.assertIn(text, self.visit(path, query=query).payload())


class TroubleTests(SiteCase):
    def test_every_state_answers_as_a_real_one(self) -> None:
        self.installed()
        said = {"plugin": b"failed plugin bad\n", "database": b"failed database -\n"}
        troubles = {"config", "installer", "database", "php", "nginx", "moved", "plugin"}
        for trouble, status, text in (
            ("config", 302, "/wp-admin/setup-config.php"),
            ("installer", 302, "/wp-admin/install.php"),
            ("database", 500, "<title>Database Error</title>"),
            ("php", 502, "502 Bad Gateway"),
            ("nginx", 200, "Welcome to nginx!"),
            ("moved", 302, "https://elsewhere.example/"),
            ("plugin", 500, "WordPress &rsaquo; Error"),
        ):
            with self.subTest(trouble):
                self.lab.guest.break_site(900, trouble)
                answer = self.visit("/")
                shown = answer.headers.get("Location", "") + answer.payload().decode()
                self.assertEqual(status, answer.status)
                self.assertIn(text, shown)
                self.assertEqual((70, said.get(trouble, b"")), self.act("login")[:2])
        self.assertEqual(set(TROUBLES), troubles)
        self.assertEqual(200, self.visit("/healthz").status, "the container itself is up")
        with self.assertRaises(ValueError):
            self.lab.guest.break_site(900, "gremlins")

    def test_safe_mode_helps_against_a_plugin_and_nothing_else(self) -> None:
        self.installed()
        self.lab.guest.break_site(900, "plugin")
        self.assertEqual((0, b"safemode on\n", b""), self.act("safemode", "on"))
        self.assertEqual((0, 200), (self.act("login")[0], self.visit("/").status))
        self.assertEqual((0, b"safemode off\n", b""), self.act("safemode", "off"))
        self.assertEqual((70, 500), (self.act("login")[0], self.visit("/").status))
        self.lab.guest.break_site(900, "database")
        self.assertEqual((70, b"failed database -\n"), self.act("safemode", "on")[:2])
        self.lab.guest.break_site(900, "plugin")
        self.assertEqual(500, self.visit("/").status, "nothing was turned on")
        self.assertEqual(64, self.act("safemode", "perhaps")[0])

    def test_another_run_of_the_script_mends_it(self) -> None:
        self.installed()
        self.lab.guest.break_site(900, "php")
        self.installed()
        self.assertEqual(200, self.visit("/").status)

    def test_the_front_page_can_be_told_from_any_other(self) -> None:
        self.installed()
        answer = self.visit("/")
        self.assertRegex(answer.payload().decode(), "/wp-includes/")
        self.assertTrue(re.search("api.w.org", answer.headers["Link"]))
