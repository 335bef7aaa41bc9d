"""The site's name: switched by the same script, there and back, while everything runs on."""

import requests

from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, title

SHOP = "shop.example.com"
ACTION = "/wp-admin/admin-post.php?action=nodepoint_login"
# What a switch has no part in.
SAME = (
    "sha256sum /var/www/wordpress/wp-config.php; stat -c '%a %U:%G %Y' /var/www/wordpress/wp-config.php\n"
    "systemctl show -P MainPID mariadb nginx $(basename /lib/systemd/system/php*-fpm.service)"
)
ADDRESSES = "SELECT option_value FROM wp_options WHERE option_name IN ('home', 'siteurl')"


def setUpModule() -> None:
    base.required()


class PrimaryDomainTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.own = cls.container.site.hostname
        cls.addClassCleanup(cls.container.install, cls.container.script(cls.own))

    def link(self, act: str) -> str:
        output = self.container.run("bash", "-s", act, stdin=install.access_script(self.container.site))
        self.assertEqual(output.exit_code, 0, output)
        return output.stdout.strip().removeprefix("link ")

    def test_there_and_back(self):
        before = self.container.shell(SAME)
        for name, other in ((SHOP, self.own), (self.own, SHOP)):
            with self.subTest(name):
                self.assertEqual(self.container.install(self.container.script(name))[-1], "done 0")
                self.assert_goes_by(name, other)
                self.assert_links_lead_to(name)
        self.assertEqual(self.container.shell(SAME), before, "nothing was written or restarted")

    def assert_goes_by(self, name: str, other: str) -> None:
        self.assertEqual(self.container.shell("cat /etc/wordpress-primary-domain"), f"{name}\n")
        self.assertEqual(
            self.container.shell(f'mariadb wordpress -BN -e "{ADDRESSES}"').split(), [f"https://{name}"] * 2
        )
        front = self.container.visit("/", host=name)
        self.assertEqual((front.status_code, title(front)), (200, self.own))
        self.assertIn(f"https://{name}/wp-includes/", front.text)
        self.assertNotIn(f"//{other}/", front.text)
        away = self.container.visit("/a/b/?c=d", host=other)
        self.assertEqual((away.status_code, away.headers["Location"]), (301, f"https://{name}/a/b/?c=d"))
        self.assertEqual(away.headers["Cache-Control"], "no-cache")
        hosts = self.container.shell("grep '^127.0.0.1.*# nodepoint$' /etc/hosts")
        self.assertEqual(hosts, f"127.0.0.1 {name} # nodepoint\n")

    def assert_links_lead_to(self, name: str) -> None:
        address, token = self.link("login").split("#")
        self.assertEqual(address, f"https://{name}{ACTION}")
        browser, form = requests.Session(), {"nodepoint_token": token}
        answer = self.container.visit(ACTION, host=name, session=browser, method="POST", data=form)
        self.assertEqual(answer.headers["Location"], f"https://{name}/wp-admin/")
        self.assertIn("Dashboard", title(self.container.visit("/wp-admin/", host=name, session=browser)))
        password = self.link("password")
        self.assertTrue(password.startswith(f"https://{name}/wp-login.php?action=rp&key="), password)
        visitor = requests.Session()
        self.container.visit(password.removeprefix(f"https://{name}"), host=name, session=visitor)
        page = self.container.visit("/wp-login.php?action=rp", host=name, session=visitor)
        self.assertIn('name="pass1"', page.text)

    def test_one_that_is_no_name_is_refused(self):
        for name in ("Shop.example.com", "shop.example.com/x", "a b", "-x", "shop.example.com\nx"):
            output = self.container.start_install(self.container.script(name))
            self.assertEqual((output.exit_code, output.stdout), (64, ""), name)
        self.assertEqual(self.container.shell("cat /etc/wordpress-primary-domain"), f"{self.own}\n")
