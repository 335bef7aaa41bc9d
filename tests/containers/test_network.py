"""A network of sites, made by WordPress's own pages: in folders, and under names of their own."""

import re
from html import unescape

from sites import install
from tests.containers import base, sites
from tests.containers.base import WORDPRESS, ContainerTestCase, title
from tests.containers.plugins import Administrator

IN_FOLDERS, BY_NAMES = 921, 922
CONFIG = f"{WORDPRESS}/wp-config.php"
STOP = "/* That's all, stop editing!"
SHARED = (
    # below a site's folder; what it answers
    ("wp-includes/js/jquery/jquery.min.js?ver=3.7.1", 200),
    ("wp-content/themes/twentytwentyfive/style.css", 200),
    ("wp-login.php", 200),
    ("wp-json/", 200),
    ("wp-admin/", 302),
    ("wp-admin", 301),
    ("nothing.php", 404),
    ("wp-content/nothing.css", 404),
    ("wp-config.php", 403),
    ("xmlrpc.php", 403),
    ("wp-admin/install.php", 403),
    ("wp-content/uploads/x.php", 403),
    ("wp-content/uploads/woocommerce_uploads/x.txt", 404),
    ("wp-content/uploads/sites/2/woocommerce_uploads/x.txt", 404),
    ("wp-content/uploads/sites/2/seen.txt", 200),
    ("wp-content/uploads/sites/2/closed/x.txt", 404),
)

UPLOADED = (
    "x.php",
    "woocommerce_uploads/x.txt",
    "sites/2/woocommerce_uploads/x.txt",
    "sites/2/closed/x.txt",
    "sites/2/seen.txt",
)


def setUpModule() -> None:
    base.required()


class NetworkTestCase(ContainerTestCase):
    vmid: int

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = base.made(cls.vmid, sites.golden_template())
        cls.addClassCleanup(cls.container.destroy)
        cls.name = cls.container.site.hostname

    def configure(self, constants: str) -> None:
        """What WordPress asks for: text in wp-config.php, before the line that says so."""
        code = f"$text = file_get_contents('{CONFIG}'); $new = stream_get_contents(STDIN);"
        code += f'file_put_contents("{CONFIG}", str_replace("{STOP}", "$new\\n{STOP}", $text));'
        command = ("setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups")
        done = self.container.run(*command, "php", "-r", code, stdin=constants)
        self.assertEqual((done.exit_code, done.stderr), (0, ""))
        self.container.shell(base.NOTICED)

    def make_network(self, **choice: str) -> None:
        self.configure("define( 'WP_ALLOW_MULTISITE', true );")
        page = Administrator(self.container).press("network.php", "submit", **choice)
        wanted = re.findall(r"<textarea[^>]*>([^<]*MULTISITE[^<]*)", page.text)
        self.assertTrue(wanted, page.text)
        self.configure(unescape(wanted[0]))

    def due(self, blog: int) -> str:
        """What is due at a site of the network in ten seconds less than now, and when it still waits."""
        return self.container.php(
            f"switch_to_blog({blog}); wp_schedule_single_event(time() - 10, 'np_network');"
            " echo wp_next_scheduled('np_network') ? 'waits' : 'done';"
        )

    def assert_tasks_are_done(self, blog: int) -> None:
        self.assertEqual(self.due(blog), "waits")
        self.container.run_cron()
        told = "echo wp_next_scheduled('np_network') ? 'waits' : 'done';"
        self.assertEqual(self.container.php(f"switch_to_blog({blog}); {told}"), "done")

    def asked(self, path: str, host: str = "") -> tuple[str, str]:
        """What the page cache says, and the page's title."""
        answer = self.container.visit(path, host=host, cached=True)
        return answer.headers.get("X-Page-Cache", "none"), title(answer)

    def assert_the_rest_goes_on(self) -> None:
        """Our own scripts, with a network in the container."""
        self.assertEqual(self.container.install()[-1], "done 0")
        look = self.container.run("bash", "-s", "health", stdin=install.health_script())
        self.assertIn("\nanswered yes\n", look.stdout)
        self.assertRegex(self.container.access("password").stdout, f"^link https://{self.name}/wp-login.php")
        self.assertEqual(self.container.access("safemode", "on").stdout, "safemode on\n")
        self.assertIn("Safe mode:", Administrator(self.container).get("network/plugins.php").text)
        self.assertEqual(self.container.access("safemode", "off").stdout, "safemode off\n")


class FolderTests(NetworkTestCase):
    vmid = IN_FOLDERS

    def test_a_network_in_folders(self):
        self.make_network(subdomain_install="0")
        admin = Administrator(self.container)
        new = {"blog[domain]": "second", "blog[title]": "The second", "blog[email]": "two@example.com"}
        page = admin.press("network/site-new.php", "add-site", **new)
        self.assertIn("Site added", page.text)
        self.assertEqual(title(self.container.visit("/second/")), "The second")
        self.assertIn("The second", title(admin.get("/second/wp-admin/")))
        self.assertIn("Add", title(admin.get("/second/wp-admin/post-new.php")))
        self.assert_what_is_shared_is_found_below()
        self.assert_pages_are_kept_apart()
        self.assert_tasks_are_done(2)
        self.assert_the_rest_goes_on()
        self.assertEqual(title(self.container.visit("/second/")), "The second")

    def assert_what_is_shared_is_found_below(self) -> None:
        uploads = f"{WORDPRESS}/wp-content/uploads"
        for path in UPLOADED:
            self.container.write(f"{uploads}/{path}", "KEPT")
        self.container.write(f"{uploads}/sites/2/closed/.htaccess", "deny from all")
        self.container.shell("bash /usr/share/nodepoint/denied.sh; sleep 1")
        for path, status in SHARED:
            answer = self.container.visit(f"/second/{path}", client=f"198.51.100.{len(path)}")
            self.assertEqual(answer.status_code, status, path)
            if status in (301, 302):
                self.assertRegex(answer.headers["Location"], "^(https://[^/]+)?/second/wp-")
        kept = self.container.visit("/second/wp-includes/js/jquery/jquery.min.js?ver=1").headers
        self.assertEqual(kept["Cache-Control"], "public, max-age=31536000, immutable")
        guesses = [
            self.container.visit("/second/wp-login.php", client="198.51.100.96").status_code
            for _ in range(20)
        ]
        self.assertIn(429, guesses)

    def assert_pages_are_kept_apart(self) -> None:
        for path, name in (("/second/", "The second"), ("/", self.name)):
            self.assertEqual([self.asked(path) for _ in range(2)], [("MISS", name), ("HIT", name)])
        post = "['post_title' => 'New there', 'post_status' => 'publish']"
        self.container.php(f"switch_to_blog(2); wp_insert_post({post});")
        self.assertEqual(self.asked("/second/")[0], "MISS")
        self.assertIn("New there", self.container.visit("/second/", cached=True).text)


class NameTests(NetworkTestCase):
    vmid = BY_NAMES

    def test_a_network_of_names(self):
        self.make_network(subdomain_install="1")
        other = f"second.{self.name}"
        admin = Administrator(self.container)
        new = {"blog[domain]": "second", "blog[title]": "The second", "blog[email]": "two@example.com"}
        self.assertIn("Site added", admin.press("network/site-new.php", "add-site", **new).text)
        self.container.visit("/", host=other)  # the first one changes things
        for host, name in ((other, "The second"), (self.name, self.name)):
            self.assertEqual([self.asked("/", host) for _ in range(2)], [("MISS", name), ("HIT", name)])
        away = self.container.visit("/", host="stranger.example", cached=True)
        self.assertEqual(away.status_code, 302)
        self.assertIn(self.name, away.headers["Location"])
        self.assertEqual(self.container.visit("/x/wp-login.php").status_code, 404, "no folders here")
        self.assertEqual(self.container.visit("/wp-login.php", host=other).status_code, 200)
        self.assert_tasks_are_done(2)
        self.assert_the_rest_goes_on()
