"""The links that let a customer in, used over HTTP as a browser would."""

import requests

from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, title

ACTION = "/wp-admin/admin-post.php?action=nodepoint_login"
LOOKED_LATELY = "DELETE FROM wp_options WHERE option_name LIKE '%site_transient_update_%'"


def setUpModule() -> None:
    base.required(short=True)


class AccessTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def link(self, act: str) -> str:
        output = self.container.run("bash", "-s", act, stdin=install.access_script(self.container.site))
        self.assertEqual(output.exit_code, 0, output)
        return output.stdout.strip().removeprefix("link ")

    def token(self) -> str:
        address, token = self.link("login").split("#")
        self.assertEqual(address, f"https://{self.container.site.hostname}{ACTION}")
        return token

    def redeem(self, token: str) -> tuple[requests.Response, requests.Session]:
        browser = requests.Session()
        form = {"nodepoint_token": token}
        return self.container.visit(ACTION, session=browser, method="POST", data=form), browser

    def test_a_login_link_leads_into_wp_admin_once(self):
        token = self.token()
        for _ in range(2):  # whoever only looks does not use it up
            self.assertIn("nodepoint_token", self.container.visit(ACTION).text)
        answer, browser = self.redeem(token)
        self.assertEqual(answer.headers["Location"], f"https://{self.container.site.hostname}/wp-admin/")
        admin = self.container.visit("/wp-admin/", session=browser)
        self.assertEqual(admin.status_code, 200)
        self.assertIn("Dashboard", title(admin))
        profile = self.container.visit("/wp-admin/profile.php", session=browser).text
        self.assertIn("o&#039;neil+903@example.com", profile)
        answer, browser = self.redeem(token)
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.container.visit("/wp-admin/", session=browser).status_code, 302)

    def test_not_after_five_minutes(self):
        for when in ("301 seconds ago", "1 hour"):  # of a clock that has been put back
            token = self.token()
            self.container.shell(f"touch -d '{when}' /run/nodepoint-login/*")
            self.assertEqual(self.redeem(token)[0].status_code, 403, when)

    def test_a_guess_opens_nothing(self):
        self.token()
        for guess in ("", "0" * 64, "../../etc/passwd", "0" * 63 + "\n"):
            self.assertEqual(self.redeem(guess)[0].status_code, 403, guess)

    def test_no_update_is_looked_for_before_the_page_that_takes_the_token(self):
        plugin, asked = "/var/www/wordpress/wp-content/mu-plugins/asked.php", "/run/asked"
        forget = f'install -d -o www-data {asked}; rm -f {asked}/*; mariadb wordpress -e "{LOOKED_LATELY}"'
        code = f"file_put_contents('{asked}/' . md5($url), $url); return new WP_Error('slow');"
        self.container.shell(f"install -d -o www-data -g www-data {plugin.rpartition('/')[0]}")
        self.container.run(
            *("tee", plugin),
            stdin=f"<?php add_filter('pre_http_request', function ($a, $b, $url) {{ {code} }}, 10, 3);",
        )
        self.addCleanup(self.container.shell, f"rm -r {plugin} {asked}")
        self.container.shell(forget)
        self.container.visit("/wp-admin/admin-post.php?action=another")
        self.assertIn("update-check", self.container.shell(f"cat {asked}/*"), "wp-admin does look")
        self.container.shell(forget)
        answer, _ = self.redeem(self.token())
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(self.container.shell(f"ls {asked}"), "")

    def test_no_token_is_in_a_log(self):
        token = self.token()
        self.redeem(token)
        found = self.container.run("grep", "-rlF", token, "/var/log", "/var/lib/nodepoint", "/run", "/tmp")
        self.assertEqual((found.exit_code, found.stdout), (1, ""))
        self.assertNotIn(token, self.container.run("journalctl", "--no-pager").stdout)

    def test_a_password_link_that_is_refused_leaves_the_one_before_as_it_was(self):
        path = self.link("password").removeprefix(f"https://{self.container.site.hostname}")
        plugin = "/var/www/wordpress/wp-content/mu-plugins/broken.php"
        self.container.write(plugin, "<?php add_action('login_init', fn() => call_nothing());")
        try:
            refused = self.container.access("password")
        finally:
            self.container.run("rm", plugin)
        self.assertEqual((refused.exit_code, refused.stdout), (70, "failed must-use broken.php\n"))
        browser = requests.Session()
        self.container.visit(path, session=browser)
        page = self.container.visit("/wp-login.php?action=rp", session=browser)
        self.assertIn('name="pass1"', page.text)

    def test_a_password_link_lets_a_password_be_set_and_its_key_is_in_no_log(self):
        link = self.link("password")
        path = link.removeprefix(f"https://{self.container.site.hostname}")
        browser = requests.Session()
        answer = self.container.visit(path, session=browser)
        self.assertEqual(answer.status_code, 302)
        page = self.container.visit("/wp-login.php?action=rp", session=browser)
        self.assertIn('name="pass1"', page.text)
        key = path.split("key=")[1].split("&")[0]
        form = {"pass1": "a long pass phrase", "pass2": "a long pass phrase", "rp_key": key}
        page = self.container.visit(
            "/wp-login.php?action=resetpass", session=browser, method="POST", data=form
        )
        self.assertIn("Your password has been reset", page.text)
        self.assertEqual(self.container.run("grep", "-rlF", key, "/var/log").stdout, "")
        login = {"log": self.container.site.email, "pwd": "a long pass phrase", "testcookie": "1"}
        visitor = requests.Session()
        visitor.cookies.set("wordpress_test_cookie", "WP Cookie check")
        answer = self.container.visit("/wp-login.php", session=visitor, method="POST", data=login)
        self.assertEqual(answer.headers.get("Location"), f"https://{self.container.site.hostname}/wp-admin/")
