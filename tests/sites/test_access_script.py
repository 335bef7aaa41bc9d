"""The scripts beside the install script: what they are handed, and that half of one does nothing."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from django.test import SimpleTestCase

from sites import install
from tests.base import on_one_database
from tests.sites.test_install_script import HOSTILE, bash, site

PHP = Path(install.__file__).parent
PLATFORM = ("prepend.php", "safemode.php", "login.php", "theme.php", "pages.php", "objects.php", "cron.php")


def scripts() -> dict[str, str]:
    """All of them, by name."""
    return {
        "access": install.access_script(site()),
        "seal": install.seal_script("ab"),
        "health": install.health_script(),
        "update": install.update_script("a1", "wordpress"),
    }


@on_one_database
class ParameterTests(SimpleTestCase):
    def test_an_address_is_nothing_but_data(self):
        for value in filter(None, HOSTILE):
            with self.subTest(value=value), tempfile.TemporaryDirectory() as folder:
                checked = bash(install.access_script(site(email=value)), "-n")
                self.assertEqual((checked.returncode, checked.stderr), (0, b""))
                said = install.access_script(site(email=value)).replace(
                    '{ main "$@" </dev/null; }', 'printf %s "$ADMIN_EMAIL"'
                )
                self.assertEqual(bash(said, "-s", folder=folder).stdout.decode(), value)
                self.assertEqual(list(Path(folder).iterdir()), [], "a command was run")

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_what_php_is_given_to_run_first_is_good_php_and_the_scripts_place_it_as_it_stands(self):
        script, access = install.script(site(), "jane.nodepoint.eu"), install.access_script(site())
        for name in PLATFORM:
            text = PHP.joinpath(name).read_text()
            self.assertIn(text, script)
            self.assertIn(text, access)
            checked = subprocess.run(["php", "-l", PHP / name], capture_output=True, check=False, timeout=20)
            self.assertEqual(checked.returncode, 0, checked.stdout)

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_the_page_does_not_wait_for_wp_admin_s_look_for_updates(self):
        # WordPress's part of it: what it has to do before any page of wp-admin.
        before = b"""<?php
$todo = ['_maybe_update_core', '_maybe_update_plugins', '_maybe_update_themes', 'wp_admin_headers'];
$_REQUEST['action'] = $argv[1];
function remove_action($hook, $name) {
    global $todo;
    $todo = $hook === 'admin_init' ? array_diff($todo, [$name]) : $todo;
}
foreach ($wp_filter['muplugins_loaded'] as $hooks) { foreach ($hooks as $hook) { $hook['function'](); } }
echo count($todo);
"""
        first = f"auto_prepend_file={PHP / 'prepend.php'}"
        for action, left in (("nodepoint_login", b"1"), ("another", b"4"), ("", b"4")):
            ran = subprocess.run(
                ["php", "-d", first, "--", action], input=before, capture_output=True, check=False, timeout=20
            )
            self.assertEqual((ran.returncode, ran.stdout.strip()), (0, left), ran.stderr)

    def test_only_known_acts_are_done(self):
        for act in ("", "root", "login;password", "--", "password login", "safemode", "safemode on"):
            with self.subTest(act):
                ended = bash(install.access_script(site()), "-s", act)
                self.assertEqual((ended.returncode, ended.stdout), (64, b""))
        for build_id in ("", "A B", "x'; touch y", "a" * 33):
            with self.subTest(build_id):
                ended = bash(install.seal_script(build_id), "-s", "seal")
                self.assertEqual((ended.returncode, ended.stdout), (64, b""))

    def test_a_template_is_handed_nothing_of_a_site(self):
        script = install.base_script(2048)
        for line in ("PART=base", "ADMIN_EMAIL=nobody@template.invalid", "SMTP_URL=''", "MEMORY=2048"):
            self.assertIn(f"\n{line}\n", script)


@on_one_database
class CutOffTests(SimpleTestCase):
    def test_a_script_that_arrives_in_part_is_never_run(self):
        for name, script in scripts().items():
            whole = script.replace("main() {", "main() { echo REACHED; exit 0", 1).encode()
            self.assertIn(b"REACHED", bash(whole, "-s", "login").stdout, "whole, it is run")
            end = len(whole.rstrip())
            last_line = whole.rstrip().rindex(b"\n")
            for place in [*range(0, last_line, 331), *range(last_line - 3, end)]:
                with self.subTest(script=name, place=place):
                    self.assertNotIn(b"REACHED", bash(whole[:place], "-s", "login").stdout)


@unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
@on_one_database
class ShellcheckTests(SimpleTestCase):
    def test_nothing_is_found(self):
        for name, script in scripts().items():
            checked = subprocess.run(
                ["shellcheck", "-"], input=script.encode(), capture_output=True, check=False, timeout=60
            )
            self.assertEqual((checked.returncode, checked.stdout), (0, b""), name)
