"""A container that waits for an order holds no secret, and becomes a site like any other in seconds."""

import re
import time

from sites import install
from sites.models import Spare
from tests.containers import base, sites
from tests.containers.base import WORDPRESS, Container, ContainerTestCase, title

MOST = 0.35  # of the way from the golden template to the verified site
FIRST, SECOND = 911, 912
NEUTRAL = "spare"
SECRETS = {
    "password of the database": "cat /var/lib/nodepoint/database",
    "salts": f"grep -E '_(KEY|SALT)' {WORDPRESS}/wp-config.php",
    "machine id": "cat /etc/machine-id",
    "key of the loopback": "cat /etc/nginx/loopback.key",
    "password of the administrator": "mariadb -BN wordpress -e 'SELECT user_pass FROM wp_users'",
    "password of the account": "mariadb -BN mysql -e \"SELECT JSON_VALUE(Priv, '$.authentication_string')"
    " FROM global_priv WHERE User = 'wordpress'\"",
}
# In the order of the lines, but for what is another one in every site.
DUMP = "mariadb-dump --skip-comments --skip-extended-insert --order-by-primary wordpress"
DATES = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\b1[789]\d{8}\b|\b[0-9a-f]{32,64}\b|\$wp\$[^']*|![0-9a-f]{64}"
)
PASSING = re.compile(
    r"'(?:_site)?_transient_|'cron'|'rewrite_rules'|'session_tokens'|'recently_|AUTO_INCREMENT="
)


def setUpModule() -> None:
    base.required()


def waiting(vmid: int, template) -> Container:
    """A container as the pool has it made, sealed."""
    spare = Spare(build_id=f"{vmid:08x}", memory_mb=2048, vmid=vmid)
    container = Container(vmid, base.order(vmid, name=spare.hostname))
    container.create(template)
    lines = container.install(install.spare_script(spare))
    if lines[-1] != "done 0":
        raise AssertionError(lines)
    sealed = container.run("bash", "-s", "spare", stdin=install.sparing_script(spare.build_id))
    if (sealed.exit_code, sealed.stdout) != (0, "sealed\n"):
        raise AssertionError(sealed)
    return container


def claimed(container: Container, memory_mb: int = 2048) -> list[str]:
    """The lines that the script prints with which an order makes it its own."""
    container.site = base.order(container.vmid, memory_mb)
    begun = time.monotonic()
    said = container.run("bash", "-s", "install", stdin=install.claim_script(container.site))
    container.seconds = time.monotonic() - begun
    container.lines = said.stdout.splitlines()
    if container.lines[:1] != ["started"] or container.lines[-1:] != ["done 0"]:
        raise AssertionError(
            f"{said}\n{container.run('tail', '-n', '20', '/run/nodepoint/install.log').stdout}"
        )
    return container.lines


class PoolTests(ContainerTestCase):
    """One life of two containers: they wait, and are claimed."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        template = sites.golden_template()
        cls.ordinary = sites.golden()
        cls.first, cls.second = waiting(FIRST, template), waiting(SECOND, template)
        for container in (cls.first, cls.second):
            cls.addClassCleanup(container.destroy)
        cls.at_rest = [cls.resting(container) for container in (cls.first, cls.second)]
        claimed(cls.first)
        claimed(cls.second, 4096)
        cls.tables = [cls.rows(one) for one in (cls.first, cls.ordinary)]  # before anybody logs in

    @classmethod
    def resting(cls, container: Container) -> dict[str, str]:
        """What can be had of it while it waits."""
        found = {
            what: container.run("sh", "-c", f"{how} 2>/dev/null").stdout for what, how in SECRETS.items()
        }
        answer = container.visit("/", host="spare.invalid")
        installer = container.visit("/wp-admin/install.php", host="spare.invalid")
        found["answers"] = f"{answer.status_code} {installer.status_code}"
        found["cron"] = container.run("cat", "/etc/cron.d/wordpress").stdout
        again = container.run("bash", "-s", "spare", stdin=install.sparing_script("again"))
        found["again"] = f"{again.exit_code} {again.stdout}"
        full = container.run("bash", "-s", "install", stdin=install.seal_script("not-a-template"))
        found["as a template"] = str(full.exit_code)
        return found

    def test_it_takes_a_third_of_the_time_at_most(self) -> None:
        for container in (self.first, self.second):
            ratio = container.seconds / self.ordinary.seconds
            print(  # noqa: T201 - what this test is for
                f"\nclaimed {container.seconds:.2f} s, golden {self.ordinary.seconds:.2f} s, {ratio:.2f};"
                f" {' '.join(container.lines)}"
            )
        # With a larger plan, of which PHP and MariaDB have to be told, it is more.
        self.assertLessEqual(self.first.seconds / self.ordinary.seconds, MOST)

    def test_while_it_waits_it_holds_no_secret_and_shows_nobody_anything(self) -> None:
        for found in self.at_rest:
            self.assertEqual((found["answers"], found["cron"], found["again"]), ("503 503", "", "0 sealed\n"))
            self.assertEqual(found["as a template"], "73")
            for name in ("password of the database", "salts", "key of the loopback"):
                self.assertEqual(found[name], "", name)
            self.assertEqual(found["password of the administrator"], "!\n")

    def test_no_secret_is_shared_or_was_there_before(self) -> None:
        for what, how in SECRETS.items():
            now = [one.shell(how) for one in (self.first, self.second, self.ordinary)]
            self.assertTrue(all(found.strip() for found in now), what)
            self.assertEqual(len(set(now)), 3, what)
            self.assertTrue(set(now).isdisjoint(found[what] for found in self.at_rest), what)

    def test_a_session_of_one_is_none_at_the_other(self) -> None:
        browser = self.first.entered()
        self.assertIn("200", str(self.first.visit("/wp-admin/", session=browser).status_code))
        mine, theirs = (
            {cookie.name.rpartition("_")[0]: cookie for cookie in session.cookies}
            for session in (browser, self.second.entered())
        )
        self.assertIn("wordpress_logged_in", mine.keys() & theirs.keys())
        cookies = "; ".join(f"{one.name}={mine[kind].value}" for kind, one in theirs.items() if kind in mine)
        answer = self.second.visit("/wp-admin/", headers={"Cookie": cookies})
        self.assertEqual(answer.status_code, 302)
        self.assertIn("wp-login.php", answer.headers["Location"])

    def test_it_is_a_site_like_any_other(self) -> None:
        for container in (self.first, self.second):
            name = container.site.hostname
            answer = container.visit("/")
            self.assertEqual((answer.status_code, title(answer)), (200, name))
            self.assertEqual(container.shell("hostname").strip(), container.site.subdomain)
            self.assertNotIn(NEUTRAL, container.shell(DUMP))
            for path in (
                "/etc/hosts",
                "/etc/hostname",
                "/etc/wordpress-primary-domain",
                "/etc/cron.d/wordpress",
            ):
                self.assertNotIn(NEUTRAL, container.shell(f"cat {path}"), path)
            self.assertIn(container.site.email, container.shell(DUMP).replace("\\'", "'"))

    def test_its_tables_are_those_of_a_site_that_was_made_in_one_go(self) -> None:
        mine, ordinary = self.tables
        self.assertEqual(mine - ordinary, set())
        self.assertEqual(ordinary - mine, set())

    @classmethod
    def rows(cls, container: Container) -> set[str]:
        """Its tables, without names, dates, and what passes."""
        text = container.shell(DUMP).replace(container.site.hostname, "NAME")
        text = text.replace(container.site.subdomain, "SITE").replace(str(container.vmid), "N")
        lines = [DATES.sub("?", line) for line in text.splitlines() if not PASSING.search(line)]
        return {
            re.sub(r"^(INSERT INTO `wp_(?:options|usermeta)` VALUES\s*\()\d+", r"\1", line) for line in lines
        }

    def test_the_larger_plan_is_what_it_is_tuned_for(self) -> None:
        pool = "mariadb -BN -e 'SELECT @@innodb_buffer_pool_size DIV 1048576'"
        self.assertEqual((self.first.shell(pool), self.second.shell(pool)), ("512\n", "1024\n"))

    def test_what_is_no_spare_is_left_alone(self) -> None:
        before = self.ordinary.shell("cat /var/lib/nodepoint/database")
        scripts = {install.claim_script(self.ordinary.site): 69, install.sparing_script("x"): 66}
        for script, code in scripts.items():
            self.assertEqual(self.ordinary.run("bash", "-s", "-", stdin=script).exit_code, code)
        self.assertEqual(self.ordinary.shell("cat /var/lib/nodepoint/database"), before)

    def test_a_second_run_changes_nothing(self) -> None:
        before = {what: self.first.shell(how) for what, how in SECRETS.items()}
        claimed(self.first)
        self.assertEqual({what: self.first.shell(how) for what, how in SECRETS.items()}, before)
        sealed = self.first.run("bash", "-s", "spare", stdin=install.sparing_script("again"))
        self.assertEqual(sealed.exit_code, 66)
