"""Which folders are closed to visitors because a plugin's `.htaccess` says so, and how nginx is told."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from django.test import SimpleTestCase

from tests.base import on_one_database

CLOSED = "{ internal; if ($site_part) { return 404; } }\n"
INSTALL = Path(__file__).parents[2] / "sites" / "install"
DENY = "deny from all"
BOTH = (
    "<IfModule mod_authz_core.c>\nRequire all denied\n</IfModule>\n"
    "<IfModule !mod_authz_core.c>\nOrder Deny,Allow\nDeny from all\n</IfModule>"
)
BUT_MEDIA = (
    "Options -Indexes\n{}\n<FilesMatch '\\.(jpg|png)$'>\nOrder Allow,Deny\nAllow from all\n</FilesMatch>"
)
BUT_SOME = DENY + '\n<FilesMatch "^(form|x(-y)?)\\.js$">\nRequire all granted\n</FilesMatch>'
REWRITE = "RewriteEngine on\nRewriteRule ^ - [L,F]"
REFERRED = "RewriteEngine on\nRewriteCond %{HTTP_REFERER} !x\nRewriteRule .* - [F]"


def found(files: dict[str, str]) -> list[tuple[str, ...]]:
    """What denied.pl says of a site with these folders: (folder, kind, words)."""
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for folder, text in files.items():
            path = Path(name + folder, ".htaccess")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            paths.append(f"{path}\0")
        perl = ["perl", str(INSTALL / "denied.pl"), name]
        said = subprocess.run(perl, input="".join(paths).encode(), capture_output=True, check=True)
    words = said.stdout.decode().split("\0")[:-1]
    return list(zip(words[::3], words[1::3], words[2::3], strict=True))


def told(said: bytes, most: int = 400) -> str:
    """What denied.sh makes of an answer, for nginx."""
    script = f". {INSTALL}/denied.sh >/dev/null 2>&1\nMOST_DENIED={most}\nsaid_denied"
    return subprocess.run(["bash", "-c", script], input=said, capture_output=True, check=True).stdout.decode()


@on_one_database
@unittest.skipUnless(shutil.which("perl"), "perl is not installed")
class ScanTests(SimpleTestCase):
    def test_what_closes_a_folder(self):
        for text in (
            DENY,
            "Deny from All\r\n",
            BOTH,
            REWRITE,
            "<Files *>\ndeny from all\n</Files>",
            "# x\n" + DENY,
        ):
            with self.subTest(text):
                self.assertEqual(found({"/wp-content/a": text}), [("/wp-content/a", "all", "")])

    def test_what_does_not(self):
        never = (
            "",
            "/wp-content",
            "/wp-content/uploads",
            "/wp-content/plugins",
            "/wp-admin",
            "/wp-includes/js",
        )
        self.assertEqual(found(dict.fromkeys(never, DENY)), [], "the site would be gone")
        for text in (
            "Options -Indexes",
            f"# {DENY}",
            REFERRED,
            "<If true>\ndeny from all\n</If>",
            "allow from all",
        ):
            with self.subTest(text):
                self.assertEqual(found({"/wp-content/a": text}), [])

    def test_exceptions_stay_open(self):
        folder = "/wp-content/uploads/edd"
        self.assertEqual(found({folder: BUT_MEDIA.format(DENY)}), [(folder, "except", ".jpg .png")])
        ((_, kind, words),) = found({"/wp-content/plugins/x": BUT_SOME})
        self.assertEqual(kind, "except")
        self.assertLessEqual({".js", ".css", ".png"}, set(words.split()), "not understood: what pages need")

    def test_files_alone(self):
        text = "".join(
            f"<{section}>\n{DENY}\n</{section.split()[0]}>\n"
            for section in ("Files xmlrpc.php", "FilesMatch '\\.(log|jpe?g|php)$'")
        )
        self.assertEqual(found({"": text}), [("", "only", ".jpeg .jpg .log xmlrpc.php")])

    def test_a_link_is_not_read(self):
        with tempfile.TemporaryDirectory() as name:
            Path(name, "secret").write_text(DENY)
            Path(name, "a").mkdir()
            Path(name, "a", ".htaccess").symlink_to(Path(name, "secret"))
            perl = ["perl", str(INSTALL / "denied.pl"), name]
            path = f"{name}/a/.htaccess\0".encode()
            said = subprocess.run(perl, input=path, capture_output=True, check=True)
        self.assertEqual(said.stdout, b"")


@on_one_database
@unittest.skipUnless(shutil.which("perl"), "perl is not installed")
class WordsForNginxTests(SimpleTestCase):
    def test_a_name_is_nothing_but_a_name(self):
        said = b'/a"; } location / { deny all; } $x\\ \n\xc3\xbc\0all\0\0'
        line = told(said)
        self.assertRegex(line, r'\Alocation ~ "\^/[A-Za-z0-9/_\\-]+/" ' + re.escape(CLOSED) + r"\Z")
        self.assertIn(r"\x22\x3b", line)
        self.assertIn(r"\x0a\xc3\xbc", line)

    def test_words_of_another_form_are_left_out(self):
        self.assertEqual(
            told(b"/a\0except\0.jpg a|b .* x.php\0"),
            f'location ~ "^/a/(?!(?:.*/)?(?:[^/]+\\x2ejpg|x\\x2ephp)$)" {CLOSED}',
        )
        self.assertEqual(told(b"/a\0only\0a|b (\0"), "")

    def test_half_an_answer_is_none(self):
        for said in (b"", b"/a\0all", b"/a\0all\0", b"a\0all\0\0", b"/" + b"x" * 600 + b"\0all\0\0"):
            self.assertEqual(told(said), "", said)

    def test_there_is_an_end_to_them(self):
        said = b"".join(b"/wp-content/%d\0all\0\0" % number for number in range(30))
        self.assertEqual(len(told(said, most=20).splitlines()), 20)
