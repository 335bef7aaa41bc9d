"""nginx as WordPress and its plugins expect it: large heads, closed folders, files that browsers keep."""

import requests

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

ROOT = "/var/www/wordpress"
UPLOADS = "wp-content/uploads"
# Paid downloads, backups and logs as plugins leave them behind, and what only their .htaccess closes.
KEPT_FROM_VISITORS = (
    f"{UPLOADS}/woocommerce_uploads/2026/book.zip",
    f"{UPLOADS}/wc-logs/fatal.txt",
    f"{UPLOADS}/gravity_forms/1-ab/cv.pdf",
    f"{UPLOADS}/wpcf7_uploads/x/cv.pdf",
    f"{UPLOADS}/wpallimport/files/x.xml",
    f"{UPLOADS}/backwpup-4f/log.txt",
    "wp-content/updraft/db.gz",
    "wp-content/ai1wm-backups/site.zip",
    "wp-content/wpvividbackups/site.zip",
    "wp-content/backups-dup-lite/site.zip",
    "site.wpress",
    "site.daf",
    "dump.sql",
    "dump.sql.gz",
    "dump.sql.tar.bz2",
    f"{UPLOADS}/debug.log",
    ".env",
    ".git/config",
)
BY_HTACCESS = f'{UPLOADS}/nöbody\'s "knows" {{it}};/deep/x.zip'
OPEN_AGAIN = f"{UPLOADS}/edd/2026/cover.jpg"
CLOSED_BESIDE = f"{UPLOADS}/edd/2026/book.zip"
BUT_MEDIA = "deny from all\n<FilesMatch '\\.(jpg|png)$'>\nAllow from all\n</FilesMatch>\n"
TYPES = {
    "x.mjs": "javascript",
    "x.wasm": "application/wasm",
    "x.avif": "image/avif",
    "x.webmanifest": "application/manifest+json",
}
SCRIPT = "/wp-includes/js/jquery/jquery.min.js"
# As class-wc-download-handler.php does it where SERVER_SOFTWARE says nginx: below its working folder.
SELLS = (
    "<?php if (!stristr(getenv('SERVER_SOFTWARE'), 'nginx')) { exit('no nginx'); }"
    "header('Content-Type: application/zip');"
    "header('Content-Disposition: attachment; filename=\"book.zip\"');"
    f"header('X-Accel-Redirect: /{UPLOADS}/woocommerce_uploads/2026/book.zip');"
)


def setUpModule() -> None:
    base.required()


class WebTestCase(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def put(self, path: str, text: str = "KEPT\n") -> None:
        """A file below WordPress's folder, the site's own, until the end of the test class."""
        code = 'install -d "${1%/*}"; cat >"$1"; chown -R www-data: "$(dirname "$1")"'
        put = self.container.run("bash", "-ec", code, "-", f"{ROOT}/{path}", stdin=text)
        self.assertEqual(put.exit_code, 0, put)
        top = "/".join(path.split("/")[:3]) if path.startswith("wp-content") else path.split("/")[0]
        self.addCleanup(self.container.run, "rm", "-rf", f"{ROOT}/{top}")


class HeadTests(WebTestCase):
    def test_heads_of_32_kb_pass_both_ways(self):
        self.put(
            "probe.php",
            "<?php header('Link: ' . str_repeat('x', 32000)); echo strlen($_SERVER['HTTP_COOKIE']);",
        )
        answer = self.container.visit("/probe.php", headers={"Cookie": "a=" + "x" * 32000})
        self.assertEqual((answer.status_code, answer.text), (200, "32002"))
        self.assertEqual(len(answer.headers["Link"]), 32000)

    def test_php_is_told_of_one_name_and_of_https(self):
        self.put(
            "probe.php",
            "<?php foreach (['HTTP_HOST', 'SERVER_NAME', 'SERVER_PORT', 'HTTPS'] as $name) "
            "{ echo $_SERVER[$name], ' '; }",
        )
        name = self.container.site.hostname
        answer = self.container.visit("/probe.php", host=f"{name}:8080")
        self.assertEqual(answer.text, f"{name} {name} 443 on ")

    def test_a_range_is_for_php_to_answer(self):
        self.put(
            "wp-content/mu-plugins/range.php",
            "<?php if (isset($_GET['np_range'])) { exit($_SERVER['HTTP_RANGE'] ?? 'none'); }",
        )
        answer = self.container.visit("/?np_range", headers={"Range": "bytes=5-"})
        self.assertEqual(answer.text, "bytes=5-")


class ClosedTests(WebTestCase):
    def scan(self) -> None:
        """As the timer does; nginx's new workers come a moment later."""
        self.container.shell("systemctl start nodepoint-denied.service; sleep 1")

    def test_what_only_apache_would_have_closed(self):
        for path in KEPT_FROM_VISITORS:
            self.put(path)
        for folder, rules in (
            (BY_HTACCESS.rsplit("/", 2)[0], "Require all denied\n"),
            (f"{UPLOADS}/edd", BUT_MEDIA),
        ):
            self.put(f"{folder}/.htaccess", rules)
        for path in (BY_HTACCESS, OPEN_AGAIN, CLOSED_BESIDE):
            self.put(path)
        self.container.shell("systemctl is-active nodepoint-denied.timer")
        self.scan()
        for path in (*KEPT_FROM_VISITORS, BY_HTACCESS, CLOSED_BESIDE):
            with self.subTest(path):
                answer = self.container.visit(f"/{requests.utils.quote(path)}")
                self.assertIn(answer.status_code, (403, 404))
                self.assertNotIn("KEPT", answer.text)
        self.assertEqual(self.container.visit(f"/{OPEN_AGAIN}").text, "KEPT\n")

    def test_a_folder_is_open_again_without_its_htaccess(self):
        self.put(f"{UPLOADS}/once/.htaccess", "deny from all\n")
        self.put(f"{UPLOADS}/once/x.txt")
        for wanted in (404, 200):
            self.scan()
            self.assertEqual(self.container.visit(f"/{UPLOADS}/once/x.txt").status_code, wanted)
            self.container.run("rm", "-f", f"{ROOT}/{UPLOADS}/once/.htaccess")

    def test_a_plugin_hands_out_what_is_closed(self):
        self.put(f"{UPLOADS}/woocommerce_uploads/2026/book.zip", "PAID")
        self.put("sells.php", SELLS)
        answer = self.container.visit("/sells.php")
        self.assertEqual((answer.status_code, answer.text), (200, "PAID"))
        self.assertEqual(answer.headers["Content-Disposition"], 'attachment; filename="book.zip"')
        part = self.container.visit("/sells.php", headers={"Range": "bytes=2-"})
        self.assertEqual((part.status_code, part.text), (206, "ID"))


class FileTests(WebTestCase):
    def test_scripts_and_styles_are_compressed(self):
        for wanted in ("gzip", "br"):
            answer = self.container.visit(SCRIPT, headers={"Accept-Encoding": wanted}, stream=True)
            self.assertEqual(answer.headers.get("Content-Encoding"), wanted)
            self.assertLess(len(answer.raw.read()), 40_000)
            self.assertIn("Accept-Encoding", answer.headers["Vary"])

    def test_a_file_with_a_version_is_kept_for_good_and_any_other_for_a_day(self):
        versioned = self.container.visit(f"{SCRIPT}?ver=3.7.1").headers["Cache-Control"]
        self.assertEqual(versioned, "public, max-age=31536000, immutable")
        self.assertEqual(self.container.visit(SCRIPT).headers["Cache-Control"], "public, max-age=86400")
        missing = self.container.visit(f"{SCRIPT}x.js?ver=1")
        self.assertEqual(missing.status_code, 404)
        self.assertNotIn("immutable", missing.headers.get("Cache-Control", ""))

    def test_types_that_browsers_insist_on(self):
        for name, kind in TYPES.items():
            self.put(f"{UPLOADS}/{name}")
            answer = self.container.visit(f"/{UPLOADS}/{name}")
            self.assertIn(kind, answer.headers["Content-Type"], name)

    def test_uploads_wait_on_the_disk_and_not_in_memory(self):
        self.put(
            "probe.php", "<?php echo ini_get('upload_tmp_dir'), ' ', is_writable(ini_get('upload_tmp_dir'));"
        )
        self.assertEqual(self.container.visit("/probe.php").text, "/var/tmp 1")


class OptionTests(WebTestCase):
    """What a customer may choose. One run of the script each way."""

    def test_xmlrpc_and_the_size_of_uploads_are_his_to_choose(self):
        self.assertEqual(self.container.visit("/xmlrpc.php", method="POST").status_code, 403)
        self.addCleanup(self.container.install)
        self.addCleanup(setattr, self.container, "site", self.container.site)
        self.container.site = base.order(sites.PLAIN)
        self.container.site.xmlrpc, self.container.site.upload_mb = True, 150
        self.container.site.page_cache = False
        self.assertEqual(self.container.install()[-1], "done 0")
        body = "<methodCall><methodName>demo.sayHello</methodName></methodCall>"
        answer = self.container.visit("/xmlrpc.php?for=jetpack", method="POST", data=body)
        self.assertIn("Hello!", answer.text)
        answers = [self.container.visit("/xmlrpc.php", client="198.51.100.97").status_code for _ in range(60)]
        self.assertIn(429, answers, "nobody guesses passwords there either")
        self.put("probe.php", "<?php echo strlen(file_get_contents($_FILES['f']['tmp_name']));")
        size = 140 * 2**20
        files = {"f": b"x" * size}
        self.assertEqual(self.container.visit("/probe.php", method="POST", files=files).text, str(size))
        self.assertNotIn("X-Page-Cache", self.container.visit("/", cached=True).headers)
        self.assertEqual(self.container.run("test", "-e", "/run/nodepoint-pages").exit_code, 1)
