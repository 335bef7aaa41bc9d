"""A site taken over from an archive that is fetched by https, with breaks; and archives that are no good."""

import contextlib
import gzip
import io
import ssl
import subprocess
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from sites import answers, install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

HOST, PORT = "files.example.org", 8443
OLD = "www.old.example"
PHP_HEAD = b"<?php\n"
PAGE = f"<img src='https://{OLD}/a.png'>"
DUMP = """-- MySQL dump 10.13
/*!40101 SET NAMES utf8mb4 */;
CREATE DATABASE /*!32312 IF NOT EXISTS*/ `theirs`;
USE `theirs`;
DROP TABLE IF EXISTS `shop_options`;
CREATE TABLE `shop_options` (
  `option_id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `option_name` varchar(191) COLLATE utf8mb4_0900_ai_ci DEFAULT NULL,
  `option_value` longtext,
  PRIMARY KEY (`option_id`), UNIQUE KEY `option_name` (`option_name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO `shop_options` (option_name, option_value) VALUES ('siteurl', 'https://OLD'), ('home', 'https://OLD');
INSERT INTO `shop_options` (option_name, option_value) VALUES ('blogname', 'Imported 😀');
INSERT INTO `shop_options` (option_name, option_value) VALUES ('page', "PAGE");
CREATE TABLE `shop_posts` (`ID` bigint NOT NULL PRIMARY KEY);
CREATE TABLE `shop_users` (`ID` bigint NOT NULL PRIMARY KEY);
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER t BEFORE INSERT ON shop_users
 FOR EACH ROW SET NEW.ID = NEW.ID */;
""".replace("OLD", OLD).replace("PAGE", PAGE)
LOAD = b"CREATE TABLE t (a text);LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t;"
# Answers without WordPress's tables, which a dump of a few lines does not have.
INDEX = b"""<?php
require 'wp-config.php';
$db = mysqli_connect('localhost', DB_USER, DB_PASSWORD, DB_NAME, 0, '/run/mysqld/mysqld.sock');
$row = $db->query("SELECT option_value FROM {$table_prefix}options
    WHERE option_name = 'page'")->fetch_row();
echo '<title>Imported</title>', $row[0];
"""


def tree(**more: bytes | None) -> dict[str, bytes]:
    """The files of an archive, by their paths; None: without it."""
    files = {
        "backup/db/dump.sql.gz": gzip.compress(DUMP.encode()),
        "backup/site/index.php": INDEX,
        "backup/site/wp-load.php": PHP_HEAD,
        "backup/site/wp-settings.php": PHP_HEAD,
        "backup/site/wp-admin/index.php": PHP_HEAD,
        "backup/site/wp-includes/version.php": PHP_HEAD,
        "backup/site/wp-content/uploads/pic.txt": b"picture" * 400_000,
        "backup/site/wp-content/object-cache.php": b"<?php nothing_of_this_host();",
        "backup/site/wp-config.php": b"<?php define('DB_NAME', 'theirs');",
        "backup/site/.user.ini": b"auto_prepend_file = /home/theirs/waf.php",
    }
    return {path: data for path, data in {**files, **more}.items() if data is not None}


def tar(files: dict[str, bytes], *odd: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for entry in odd:
            archive.addfile(entry)
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def odd(name: str, type: bytes, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = type, target
    return entry


class Archives(ThreadingHTTPServer):
    """Serves `offered` by https. Under /broken/ each answer ends after a third of the whole."""

    daemon_threads = True
    offered: dict[str, bytes]
    ranges: list[str]

    def __init__(self, address: tuple[str, int], certificate: Path, key: Path) -> None:
        super().__init__(address, _Handler)
        self.offered, self.ranges = {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Archives

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        data = self.server.offered.get(self.path)
        if data is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        begin, end = int(first or 0), min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end - begin + 1))
        self.end_headers()
        if self.path.startswith("/broken/"):
            end = min(end, begin + len(data) // 3)
        self.wfile.write(data[begin : end + 1])

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


def setUpModule() -> None:
    base.required()


@contextlib.contextmanager
def served_to(container: base.Container) -> Iterator[Archives]:
    """A server that this container knows by `HOST`, and whose certificate it trusts."""
    with TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate"), Path(folder, "key")
        subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2"]
        options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        files = ["-keyout", str(key), "-out", str(certificate)]
        command = ["openssl", "req", "-x509", *options, *subject, *files]
        subprocess.run(command, check=True, capture_output=True)
        server = base.node().on_network(Archives, (base.GATEWAY, PORT), certificate, key)
        trusted = "/usr/local/share/ca-certificates/test.crt"
        container.run("sh", "-c", f"cat >{trusted} && update-ca-certificates", stdin=certificate.read_text())
        container.shell(f"echo '{base.GATEWAY} {HOST}' >>/etc/hosts")
        try:
            yield server
        finally:
            server.shutdown()
            server.server_close()


class ImportTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.new = cls.container.site.hostname
        cls.server = cls.enterClassContext(served_to(cls.container))
        cls.container.shell(
            "cp -a /var/www/wordpress /root/wordpress; mariadb-dump wordpress >/root/wordpress.sql"
        )
        cls.addClassCleanup(
            cls.container.shell,
            "rm -rf /var/www/wordpress; mv /root/wordpress /var/www/wordpress\n"
            "mariadb -e 'DROP DATABASE wordpress; CREATE DATABASE wordpress'\n"
            "mariadb wordpress </root/wordpress.sql",
        )

    number = 0

    def offer(self, data: bytes, path: str = "/site") -> str:
        self.server.offered[path] = data
        return f"https://{HOST}:{PORT}{path}"

    def script(self, run: str, url: str, size: int = -1) -> str:
        return install.content_script(run, new=self.new, url=url, size=size)

    def imported(self, url: str, size: int = -1) -> answers.ContentEnd:
        ImportTests.number += 1
        run = f"import{self.number}"
        output = self.container.run("bash", "-s", "import", stdin=self.script(run, url, size))
        self.assertEqual(output.stdout, "started\n", output)
        limit = time.monotonic() + 300
        while time.monotonic() < limit:
            if end := answers.end_of_content(self.container.run("cat", install.CONTENT_STATUS_FILE), run):
                return end
            time.sleep(0.3)
        raise AssertionError(self.container.run("tail", "/var/lib/nodepoint/content.log").stdout)

    def assert_imported(self, end: answers.ContentEnd) -> None:
        log = self.container.run("tail", "-n", "20", "/var/lib/nodepoint/content.log").stdout
        self.assertEqual((end.trouble, end.found), ("", {"tables": 1, "changes": 3, "left": 0}), log)
        self.assertIn(f"https://{self.new}/a.png", self.container.visit("/").text)
        left = self.container.shell("ls -A /var/www/wordpress /var/www /var/www/wordpress/wp-content")
        for name in (".user.ini", "object-cache.php", "nodepoint-"):
            self.assertNotIn(name, left)
        self.assertNotIn("theirs", self.container.shell("cat /var/www/wordpress/wp-config.php"))
        self.assertEqual(
            self.container.shell(
                "find /var/www/wordpress ! -user www-data; mariadb -BNe 'SHOW DATABASES' | grep _; true"
            ),
            "information_schema\nperformance_schema\n",
        )

    def assert_as_before(self, before: str) -> None:
        self.assertEqual(self.container.shell(self.STATE), before)

    STATE = (
        "ls -A /var/www/wordpress; mariadb wordpress -BNe 'SHOW TABLES'\n"
        "ls -A /var/www | grep -v nodepoint-; true"
    )

    def test_an_archive_that_breaks_off_is_gone_on_with_and_put_in_place(self):
        data = tar(tree(), odd("backup/site/wp-content/link", tarfile.SYMTYPE, "/etc"))
        url = self.offer(data, "/broken/site")
        looked = self.container.run("bash", "-s", "look", stdin=self.script("look", url))
        self.assertRegex(looked.stdout, rf"^look {len(data)} [0-9]+\n$")
        self.server.ranges.clear()
        self.assert_imported(self.imported(url, len(data)))
        self.assertGreaterEqual(len(self.server.ranges), 3)
        self.assertRegex(self.server.ranges[-1], r"^bytes=[1-9]\d+-$", "it went on where it broke off")
        self.assertIn(
            "wp-content/uploads", self.container.shell("ls -d /var/www/wordpress/wp-content/uploads")
        )

    def test_a_zip_does_as_well(self):
        self.assert_imported(self.imported(self.offer(zipped(tree()))))

    def test_what_is_no_good_changes_nothing(self):
        before = self.container.shell(self.STATE)
        for says, data in (
            ("not a tar", b"<html>" * 1000),
            ("no folder wp-content", tar({"a.sql": DUMP.encode()})),
            ("no dump", tar({"site/wp-content/x": b""})),
            ("odd", tar(tree(), odd("fifo", tarfile.FIFOTYPE))),
            ("odd", tar(tree(), odd("null", tarfile.CHRTYPE))),
            ("leads out", zipped({**tree(), "../../evil.php": b""})),
            ("syntax", tar(tree(**{"backup/db/dump.sql.gz": None, "x.sql": b"SELECT 1 FROM;"}))),
            (
                "(?i)sandbox|denied|syntax|unknown",
                tar(tree(**{"backup/db/dump.sql.gz": None, "x.sql": b"source /etc/passwd\n"})),
            ),
            (
                "(?i)sandbox|disallowed|syntax|unknown",
                tar(tree(**{"backup/db/dump.sql.gz": None, "x.sql": b"\\! touch /tmp/owned\n"})),
            ),
            (
                "denied",
                tar(tree(**{"backup/db/dump.sql.gz": None, "x.sql": b"DELETE FROM wordpress.wp_options;"})),
            ),
            (
                "(?i)denied|disabled|not allowed",
                tar(
                    tree(
                        **{
                            "backup/db/dump.sql.gz": None,
                            "x.sql": LOAD,
                        }
                    )
                ),
            ),
            (
                "does not hold",
                tar(tree(**{"backup/db/dump.sql.gz": None, "x.sql": b"CREATE TABLE x (a int);"})),
            ),
            ("front page", tar(tree(**{"backup/site/index.php": b"<?php call_nothing();"}))),
        ):
            with self.subTest(says):
                end = self.imported(self.offer(data))
                self.assertRegex(end.trouble, says)
                self.assertTrue(end.useless)
                self.assert_as_before(before)
        self.assertEqual(self.container.run("test", "-e", "/tmp/owned").exit_code, 1)

    def test_what_does_not_fit_ends_before_it_is_unpacked(self):
        before = self.container.shell(self.STATE)
        end = self.imported(self.offer(b"x" * 1000), 1 << 45)
        self.assertTrue(end.no_room, end)
        bomb = tarfile.TarInfo("big")
        bomb.size = 1 << 45
        end = self.imported(self.offer(bomb.tobuf(tarfile.GNU_FORMAT)))
        self.assertTrue(end.no_room, end)
        self.assert_as_before(before)

    def test_only_https_is_followed(self):
        before = self.container.shell(self.STATE)
        for target in ("http://10.77.0.1/x", "file:///etc/passwd"):
            end = self.imported(f"https://{HOST}:{PORT}/to/{target}")
            self.assertTrue(end.useless, end)
        looked = self.container.run(
            "bash", "-s", "look", stdin=self.script("look", f"https://{HOST}:{PORT}/none")
        )
        self.assertEqual((looked.exit_code, "404" in looked.stderr), (71, True))
        self.assert_as_before(before)

    def test_one_that_is_taken_back_in_its_middle_ends_and_is_undone(self):
        before = self.container.shell(self.STATE)
        slow = tree(**{"backup/site/index.php": b"<?php sleep(20);"})
        run, url = "killed", self.offer(tar(slow))
        self.container.run("bash", "-s", "import", stdin=self.script(run, url))
        self.container.shell(
            "cd /var/www; until [ -e nodepoint-former ] && [ ! -e nodepoint-new ]; do sleep 0.1; done"
        )
        self.container.run("bash", "-s", "back", stdin=self.script("killedback", url))
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            if end := answers.end_of_content(
                self.container.run("cat", install.CONTENT_STATUS_FILE), "killedback"
            ):
                break
            time.sleep(0.3)
        self.assertEqual(end.trouble, "")
        self.assert_as_before(before)
        self.assertNotIn("nodepoint-", self.container.shell("ls -A /var/www"))
