"""Verification: what does not work is never taken for a site."""

import time

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, title

DEFAULT_SITE = """server {
    listen 80 default_server;
    root /var/www/html;
    index index.nginx-debian.html;
}
"""
SITE = "/etc/nginx/sites-available/default"


def setUpModule() -> None:
    base.required()


class StatesTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def verdicts(self, anew: bool) -> list[str]:
        """The script's verification alone, as for a new site or as for one that is in use already."""
        script = self.container.script()
        only = script.replace("\nBASE=(", "\nBASE=() OTHERS=(", 1).replace(
            "\nSITE=(", "\nSITE=(verification) MORE=("
        )
        self.container.run("mv", "/var/lib/nodepoint/verified", "/var/lib/nodepoint/kept")
        if not anew:
            self.container.run("touch", "/var/lib/nodepoint/verified")
        try:
            return self.container.install(only)
        finally:
            self.container.run("mv", "/var/lib/nodepoint/kept", "/var/lib/nodepoint/verified")

    def assert_bad(self, what: str) -> None:
        for anew in (True, False):
            lines = self.verdicts(anew)
            self.assertEqual(lines[-1], "done 78")
            self.assertRegex(lines[-2], "^failed verification 78 .*" + what)

    def test_a_good_one(self):
        for anew in (True, False):
            self.assertEqual(self.verdicts(anew)[-1], "done 0")

    def test_no_wp_config(self):
        self.container.shell("mv /var/www/wordpress/wp-config.php /root/")
        self.addCleanup(self.container.shell, "mv /root/wp-config.php /var/www/wordpress/")
        answer = self.container.visit("/")
        self.assertEqual(answer.status_code, 302)
        self.assertIn("setup-config.php", answer.headers["Location"])
        self.assert_bad("setup-config.php")

    def test_the_database_is_down(self):
        self.container.shell("systemctl stop mariadb")
        self.addCleanup(self.container.shell, "systemctl start mariadb")
        answer = self.container.visit("/")
        self.assertEqual((answer.status_code, title(answer)), (500, "Database Error"))
        self.assert_bad("Database Error")

    def test_php_is_down(self):
        unit = self.container.shell("basename /lib/systemd/system/php*-fpm.service").strip()
        self.container.shell(f"systemctl stop {unit}")
        self.addCleanup(self.container.shell, f"systemctl start {unit}")
        self.assertEqual(self.container.visit("/").status_code, 502)
        self.assert_bad("502")

    def test_nginx_s_own_page(self):
        self.container.shell(f"cp {SITE} /root/site")
        self.container.run("tee", SITE, stdin=DEFAULT_SITE)
        self.addCleanup(self.container.shell, f"cp /root/site {SITE}; systemctl restart nginx")
        self.container.shell("systemctl restart nginx")
        answer = self.container.visit("/")
        self.assertEqual((answer.status_code, title(answer)), (200, "Welcome to nginx!"))
        self.assert_bad("Welcome to nginx")

    def test_an_open_installer(self):
        self.container.shell(
            "mariadb -e 'CREATE DATABASE empty'; sed -i.bak \"s/'DB_NAME', 'wordpress'/'DB_NAME', 'empty'/\""
            ' /var/www/wordpress/wp-config.php; mariadb -e "GRANT ALL ON empty.* TO wordpress@localhost"'
        )
        self.addCleanup(
            self.container.shell,
            "cd /var/www/wordpress; cat wp-config.php.bak >wp-config.php; rm wp-config.php.bak",
        )
        time.sleep(2.5)  # opcache looks every two seconds for what has changed
        self.assertIn("install.php", self.container.visit("/").headers["Location"])
        self.assert_bad("install.php")
