"""A whole site packed inside a real container, fetched once in parts, and taken in by another site."""

import io
import re
import tarfile
import time

from sites import answers, install
from tests.containers import base, sites, test_import
from tests.containers.base import ContainerTestCase

TOKEN = "0123456789abcdef" * 4
PATH = f"/nodepoint-export/{TOKEN}.tar.gz"
PICTURE = "/var/www/wordpress/wp-content/uploads/own.png"
DECOY = "/var/www/wordpress/wp-content/uploads/much-larger.sql"


def setUpModule() -> None:
    base.required()


class ExportTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container, cls.other = sites.plain().container, sites.golden()
        cls.container.write(PICTURE, "picture" * 1000)
        cls.container.write(DECOY, "INSERT INTO nothing;\n" * 200_000)
        cls.container.php("wp_insert_post(['post_title' => 'Kept 😀', 'post_status' => 'publish']);")
        cls.container.shell("mariadb wordpress -e 'CREATE VIEW broken AS SELECT * FROM wp_posts'")
        cls.addClassCleanup(
            cls.container.shell, f"rm -f {PICTURE} {DECOY}; mariadb wordpress -e 'DROP VIEW broken'"
        )

    number = 0

    def run_script(self, act: str, container=None, **given: str) -> answers.ContentEnd:
        ExportTests.number += 1
        container, run = container or self.container, f"run{self.number}"
        script = install.content_script(run, new=container.site.hostname, **given)
        output = container.run("bash", "-s", act, stdin=script)
        self.assertEqual(output.stdout, "started\n", output)
        limit = time.monotonic() + 300
        while time.monotonic() < limit:
            if end := answers.end_of_content(container.run("cat", install.CONTENT_STATUS_FILE), run):
                return end
            time.sleep(0.3)
        raise AssertionError(container.run("tail", "/var/lib/nodepoint/content.log").stdout)

    def said(self, act: str, **given: str) -> str:
        script = install.content_script("look", new=self.container.site.hostname, **given)
        output = self.container.run("bash", "-s", act, stdin=script)
        self.assertEqual(output.exit_code, 0, output)
        return output.stdout

    def exported(self) -> int:
        """Its size in bytes."""
        end = self.run_script("export", token=TOKEN)
        log = self.container.run("tail", "-n", "20", "/var/lib/nodepoint/content.log").stdout
        self.assertEqual(end.trouble, "", log)
        return end.found["size"]

    def part(self, first: int, last: int):
        answer = self.container.visit(PATH, headers={"Range": f"bytes={first}-{last}"})
        self.assertEqual(answer.status_code, 206, answer.headers)
        return answer

    def assert_gone(self, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while (answer := self.container.visit(PATH)).status_code == 200 and time.monotonic() < end:
            time.sleep(0.3)
        self.assertEqual(answer.status_code, 404)
        left = "ls -d /var/www/nodepoint-export /etc/nginx/site-offers /etc/systemd/system/nodepoint-offer.*"
        until = time.monotonic() + seconds
        while self.container.run("sh", "-c", left).stdout and time.monotonic() < until:
            time.sleep(0.3)
        self.assertEqual(self.container.run("sh", "-c", left).stdout, "")
        self.assertEqual(self.said("offer", token=TOKEN), "offer none\n")

    def test_it_is_fetched_once_in_parts_and_taken_in_by_another_site(self):
        needed, free = map(int, re.findall(r"\d+", self.said("room")))
        size = self.exported()
        self.assertTrue(size < needed < free, (size, needed, free))
        self.assertEqual(self.said("offer", token=TOKEN).split()[1], str(size))
        half = size // 2
        first = self.part(0, half)
        self.assertIn("noindex", first.headers["X-Robots-Tag"])
        self.assertIn("no-store", first.headers["Cache-Control"])
        self.part(0, half)  # what was sent twice is no second half
        self.assertEqual(self.said("offer", token=TOKEN).split()[1], str(size))
        self.assertEqual(self.container.visit("/nodepoint-export/").status_code, 404)
        data = first.content + self.part(half + 1, size - 1).content
        self.assertEqual(len(data), size)
        self.assert_gone()
        self.assert_holds_no_secret(data)
        self.assert_taken_in(data)

    def assert_holds_no_secret(self, data: bytes) -> None:
        config = self.container.shell("cat /var/www/wordpress/wp-config.php")
        secrets = re.findall(r"_(?:KEY|SALT)', '([^']+)'", config)
        secrets.append(self.container.shell("cat /var/lib/nodepoint/database").strip())
        self.assertEqual(len(secrets), 9)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            names = archive.getnames()
            config = archive.extractfile("wordpress/wp-config.php").read().decode()
            dump = archive.extractfile("nodepoint-export.sql.gz").read()
        self.assertIn("$table_prefix = 'wp_'", config)
        self.assertIn("wordpress/wp-content/uploads/own.png", names)
        self.assertIn("wordpress/wp-load.php", names)
        self.assertEqual(dump[:2], b"\x1f\x8b")
        for secret in secrets:
            self.assertNotIn(secret, config)

    def assert_taken_in(self, data: bytes) -> None:
        """By the very script that imports."""
        with test_import.served_to(self.other) as server:
            server.offered["/export"] = data
            url = f"https://{test_import.HOST}:{test_import.PORT}/export"
            end = self.run_script("import", self.other, url=url, size=len(data))
        log = self.other.run("tail", "-n", "20", "/var/lib/nodepoint/content.log").stdout
        self.assertEqual(end.trouble, "", log)
        self.assertIn("Kept", self.other.visit("/?s=Kept").text)
        self.assertEqual(self.other.run("cat", PICTURE).stdout, "picture" * 1000)
        self.assertEqual(self.other.visit("/wp-login.php").status_code, 200)
        self.assertNotIn(self.container.site.hostname, self.other.visit("/").text)

    def test_it_goes_after_a_day_by_itself_and_what_a_killed_one_left_goes_too(self):
        self.exported()
        self.assertEqual(self.container.visit(PATH, method="HEAD").status_code, 200)
        self.container.shell(
            "read -r token bytes made </var/lib/nodepoint/offer\n"
            'echo "$token $bytes $((made - 86400))" >/var/lib/nodepoint/offer\n'
            "systemctl start nodepoint-offer.service"
        )
        self.assert_gone()
        script = install.content_script("killed", new=self.container.site.hostname, token=TOKEN)
        self.container.run("bash", "-s", "export", stdin=script)
        self.container.shell(
            "until ls /var/www/nodepoint-export/*.gz /var/www/nodepoint-export/killed 2>/dev/null >&2 ||"
            " [ -s /var/www/nodepoint-export/killed ]; do sleep 0.05; done\n"
            "pkill -KILL -s $(cat /var/lib/nodepoint/content.pid); sleep 0.5\n"
            "systemctl start nodepoint-offer.service"
        )
        self.assert_gone()

    def test_a_site_of_an_earlier_release_gets_a_place_for_it(self):
        site = "/etc/nginx/sites-available/default"
        self.container.shell(f"sed -i '/site-offers/d' {site} && systemctl reload nginx")
        self.exported()
        self.assertEqual(len(self.container.visit(PATH).content) > 1000, True)
        self.assert_gone()

    def test_one_that_is_taken_back_leaves_nothing(self):
        self.exported()
        self.assertEqual(self.run_script("withdraw").trouble, "")
        self.assert_gone()

    def test_a_disk_without_room_says_how_much_it_lacks(self):
        self.container.shell("df --output=avail -B1 /var/www | tail -n 1 >/root/free")
        script = install.content_script("tight", new=self.container.site.hostname, token=TOKEN)
        script = script.replace("RESERVE=$((128 << 20))", "RESERVE=$((1 << 45))", 1)
        self.container.run("bash", "-s", "export", stdin=script)
        limit = time.monotonic() + 60
        end = None
        while not end and time.monotonic() < limit:
            end = answers.end_of_content(self.container.run("cat", install.CONTENT_STATUS_FILE), "tight")
            time.sleep(0.3)
        self.assertTrue(end.no_room, end)
        self.assertGreater(end.missing_mb, 1 << 20)
        self.assert_gone()
