"""A container that others have made, with a web server in it: it keeps what it has."""

from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

FOREIGN = 66
PAGE = "<title>Somebody else's</title>\n"
SITE = "server { listen 80 default_server; root /var/www/html; }\n"
# Every file with its modes, owners and times, and what dpkg knows.
ALL = (
    "find /etc /root /usr /var/lib /var/www /var/cache -xdev -printf '%p %m %u:%g %s %T@ %C@\\n' | sort\n"
    "systemctl show -P MainPID nginx ssh.socket; systemctl is-enabled ssh.service || true"
)


def setUpModule() -> None:
    base.required()


class ForeignTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = base.Container(sites.SPARE, base.order(sites.SPARE))
        cls.container.create(base.plain_template())
        cls.addClassCleanup(cls.container.destroy)
        cls.container.run(
            *("sh", "-c", "apt-get -qq update && apt-get -qq -y --no-install-recommends install nginx-light"),
            timeout=base.LONGEST,
        )
        cls.container.run("tee", "/etc/nginx/sites-available/default", stdin=SITE)
        cls.container.run("tee", "/var/www/html/index.html", stdin=PAGE)
        cls.container.shell("systemctl restart nginx")

    def test_it_is_left_as_it_is(self):
        before = self.container.shell(ALL)
        self.assertIn("/etc/nginx/sites-available/default ", before)
        for domain in ("", "shop.example.com"):
            output = self.container.start_install(self.container.script(domain))
            self.assertEqual((output.exit_code, output.stdout), (FOREIGN, ""), output)
            self.assertIn("not of our making", output.stderr)
        self.assertEqual(self.container.shell(ALL).splitlines(), before.splitlines())
        self.assertEqual(self.container.run("test", "-e", "/var/lib/nodepoint").exit_code, 1)
        self.assertEqual(self.container.visit("/").text, PAGE)

    def test_no_golden_template_is_made_of_it_either(self):
        output = self.container.run("bash", "-s", "seal", stdin=install.seal_script("test-build"))
        self.assertEqual((output.exit_code, output.stderr.strip()), (FOREIGN, "the base is not there"))
        self.container.run("rm", "-r", "/var/lib/nodepoint")  # its lock
        self.assertEqual(self.container.visit("/").text, PAGE)
