"""From an empty container to a verified site, by the product's console and script."""

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, title

SECRETS = ("/var/lib/nodepoint/database", "/var/www/wordpress/wp-config.php", "/etc/msmtprc")


def setUpModule() -> None:
    base.required(short=True)


class InstallTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.observed = sites.plain()
        cls.container = cls.observed.container

    def test_every_phase_is_done(self):
        names = [line.split()[1] for line in self.container.lines[:-1]]
        wanted = ["packages", "wordpress", "system", "database", "configuration", "installation", "web"]
        self.assertEqual(names, [*wanted, "verification"])

    def test_the_site_answers_under_its_own_name(self):
        answer = self.container.visit("/")
        self.assertEqual((answer.status_code, title(answer)), (200, "site903.nodepoint.eu"))
        self.assertIn("https://site903.nodepoint.eu/wp-includes/", answer.text)
        for path in ("/hello-world/", "/category/uncategorized/", "/feed/", "/wp-json/"):
            self.assertEqual(self.container.visit(path).status_code, 200, path)
        self.assertEqual(self.container.visit("/nothing-here/").status_code, 404)

    def test_every_other_name_leads_to_it(self):
        for name in ("shop.example.com", "evil.example", "10.77.0.103"):
            for path in ("/", "/wp-admin/", "/wp-login.php?action=lostpassword", "/a/b/?c=d"):
                with self.subTest(name + path):
                    answer = self.container.visit(path, host=name)
                    wanted = f"https://site903.nodepoint.eu{path}"
                    self.assertEqual((answer.status_code, answer.headers["Location"]), (301, wanted))

    def test_nobody_met_an_installer_while_it_was_made(self):
        pages = self.observed.pages
        self.assertIn((200, "", "site903.nodepoint.eu"), pages, "the visits went on to the end")
        for status, location, heading in set(pages):
            with self.subTest(status=status, location=location, title=heading):
                self.assertNotIn("install", location + heading.lower())
                self.assertNotIn("setup-config", location)

    def test_nobody_meets_an_installer_where_the_tables_are_gone(self):
        self._move_tables("wordpress", "aside")
        # What is cached would hide it: pages, and that WordPress is installed.
        self.container.shell("systemctl restart redis-server; find /run/nodepoint-pages -type f -delete")
        try:
            self.assertIn("install.php", self.container.visit("/").headers.get("Location", ""))
            for page in ("install", "setup-config"):
                self.assertEqual(self.container.visit(f"/wp-admin/{page}.php").status_code, 403)
        finally:
            self._move_tables("aside", "wordpress")
        self.assertEqual(self.container.visit("/").status_code, 200)

    def _move_tables(self, source: str, target: str) -> None:
        self.container.shell(
            f"mariadb -e 'CREATE DATABASE IF NOT EXISTS {target}'\n"
            f"for table in $(mariadb -BN -e 'SHOW TABLES' {source}); do\n"
            f'mariadb -e "RENAME TABLE {source}.$table TO {target}.$table"; done\n'
        )

    def test_no_secret_was_an_argument_of_a_process(self):
        seen = self.observed.arguments
        self.assertTrue(any("/run/nodepoint/install.sh phase" in line for line in seen), "it looked")
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        salt = self.container.shell(
            "grep -o \"SALT', '[0-9a-f]*\" /var/www/wordpress/wp-config.php | cut -c9-"
        )
        for secret in (password, *salt.split(), base.SMTP_PASSWORD, base.SMTP_URL, "p%40ss"):
            self.assertEqual([line for line in seen if secret in line], [])

    def test_no_secret_is_in_a_log(self):
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        for secret in (password, base.SMTP_PASSWORD, "p%40ss"):
            found = self.container.run(
                "grep", "-rlF", "--", secret, "/var/log", "/var/lib/nodepoint", "/tmp", "/run", "/etc"
            )
            self.assertLessEqual(
                set(found.stdout.split()), {"/var/lib/nodepoint/database", "/etc/msmtprc"}, found
            )
            journal = self.container.run("journalctl", "--no-pager", "--quiet")
            self.assertNotIn(secret, journal.stdout)

    def test_a_secret_is_only_root_s_or_php_s_to_read(self):
        modes = self.container.run("stat", "-c", "%a %U:%G", *SECRETS).stdout.splitlines()
        self.assertEqual(modes, ["600 root:root", "640 www-data:www-data", "640 root:www-data"])

    def test_a_repeat_changes_nothing(self):
        files = (*SECRETS, "/etc/nginx/sites-available/default", "/etc/hosts", "/etc/cron.d/wordpress")
        before = self.container.run("sha256sum", *files).stdout
        self.container.shell("mariadb wordpress -e \"UPDATE wp_posts SET post_title = 'Kept' WHERE ID = 1\"")
        pids = "systemctl show -P MainPID mariadb nginx"
        server = self.container.shell(pids)
        lines = self.container.install()
        self.assertEqual(lines[-1], "done 0")
        self.assertEqual(self.container.run("sha256sum", *files).stdout, before)
        self.assertEqual(self.container.shell(pids), server, "neither the database nor nginx was restarted")
        self.assertIn("Kept", self.container.visit("/").text)

    def test_a_repeat_brings_the_pages_of_categories_to_a_site_made_without(self):
        rules = """a:1:{s:7:"nope/?$";s:9:"index.php";}"""
        change = f"UPDATE wp_options SET option_value = '{rules}' WHERE option_name = 'rewrite_rules';"  # noqa: S608
        self.container.shell(f"mariadb wordpress <<'END'\n{change}\nEND\n")
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.container.visit("/category/uncategorized/").status_code, 200)

    def test_a_repeat_leaves_what_the_customer_has_made_of_it(self):
        named = "UPDATE wp_options SET option_value = '{}' WHERE option_name = 'blogname'"
        self.container.shell(f'mariadb wordpress -e "{named.format("My shop")}"')
        plugin = "/var/www/wordpress/wp-content/mu-plugins"
        self.container.shell(
            f"install -d {plugin}; echo '<?php http_response_code(500); exit;' >{plugin}/broken.php"
        )
        try:
            self.assertEqual(self.container.visit("/").status_code, 500)
            self.assertEqual(self.container.install()[-1], "done 0")
        finally:
            self.container.shell(
                f'rm {plugin}/broken.php; mariadb wordpress -e "{named.format("site903.nodepoint.eu")}"'
            )
        self.assertEqual(self.container.visit("/").status_code, 200)

    def test_it_comes_back_after_a_stop(self):
        self.container.pct("stop")
        self.container.pct("start")
        self.container.shell("for i in {1..100}; do curl -sf localhost/healthz && break; sleep 0.2; done")
        self.container.shell("systemctl start mariadb")
        self.assertEqual(self.container.visit("/").status_code, 200)
        # Proxmox VE has written its section of /etc/hosts anew.
        own = self.container.run("getent", "hosts", "site903.nodepoint.eu").stdout
        self.assertEqual(own.split()[:1], ["127.0.0.1"])
        self.assertEqual(self.container.install()[-1], "done 0")


class ParameterTests(ContainerTestCase):
    def test_a_bad_one_is_refused_and_leaves_no_trace(self):
        container = base.Container(sites.SPARE, base.order(sites.SPARE))
        container.create(base.plain_template())
        try:
            good = container.script()
            for old, new in (
                ("PART=all", "PART=most"),
                ("MEMORY=2048", "MEMORY=lots"),
                ("CRON_MINUTE=1", "CRON_MINUTE='*'"),
                (f"PROXY_IPS={base.GATEWAY}", "PROXY_IPS='1.2.3.4; }'"),
                ("SITE_HOSTNAME=site906.nodepoint.eu", "SITE_HOSTNAME='a b'"),
            ):
                with self.subTest(new):
                    self.assertIn(old, good)
                    output = container.start_install(good.replace(old, new, 1))
                    self.assertEqual((output.exit_code, output.stdout), (64, ""))
            self.assertEqual(container.run("test", "-e", "/var/lib/nodepoint").exit_code, 1)
        finally:
            container.destroy()
