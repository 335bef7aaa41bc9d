"""The scripts beside the install script: what they are handed, and that half of one does nothing."""

import base64
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from django.test import SimpleTestCase

from sites import install
from tests.base import on_one_database
from tests.sites.test_install_script import HOSTILE, MARK, bash, site


def plugin(email: str, folder: str) -> bytes:
    """The must-use plugin as the script would write it for an order with this address."""
    script = install.access_script(site(email=email))
    only = script.replace('{ main "$@" </dev/null; }', "plugin")
    written = bash(only, "-s", folder=folder)
    assert written.returncode == 0, written.stderr
    return written.stdout


@on_one_database
class ParameterTests(SimpleTestCase):
    def test_an_address_is_nothing_but_data(self):
        for value in filter(None, HOSTILE):
            with self.subTest(value=value), tempfile.TemporaryDirectory() as folder:
                checked = bash(install.access_script(site(email=value)), "-n")
                self.assertEqual((checked.returncode, checked.stderr), (0, b""))
                text = plugin(value, folder)
                self.assertEqual(list(Path(folder).iterdir()), [], "a command was run")
                line = text.splitlines()[1].decode()
                encoded = line.removeprefix("const NODEPOINT_EMAIL = '").partition("'")[0]
                self.assertEqual(base64.b64decode(encoded).decode(), value)
                self.assertNotIn(MARK.encode(), text)

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_the_plugin_is_good_php(self):
        with tempfile.TemporaryDirectory() as folder:
            text = plugin("o'neil@example.com", folder)
            checked = subprocess.run(["php", "-l"], input=text, capture_output=True, check=False, timeout=20)
        self.assertEqual(checked.returncode, 0, checked.stdout)

    @unittest.skipUnless(shutil.which("php"), "php is not installed")
    def test_the_page_does_not_wait_for_wp_admin_s_look_for_updates(self):
        with tempfile.TemporaryDirectory() as folder:
            text = plugin("jane@example.com", folder)
        # WordPress's part of it: what it has to do before any page of wp-admin.
        before = b"""<?php
define('ABSPATH', '/');
$todo = ['_maybe_update_core', '_maybe_update_plugins', '_maybe_update_themes', 'wp_admin_headers'];
$_REQUEST['action'] = $argv[1];
function add_action($hook, $name) {}
function remove_action($hook, $name) {
    global $todo;
    $todo = $hook === 'admin_init' ? array_diff($todo, [$name]) : $todo;
}
register_shutdown_function(function () { echo count($GLOBALS['todo']); });
?>"""
        for action, left in (("nodepoint_login", b"1"), ("another", b"4"), ("", b"4")):
            ran = subprocess.run(
                ["php", "--", action], input=before + text, capture_output=True, check=False, timeout=20
            )
            self.assertEqual((ran.returncode, ran.stdout.strip()), (0, left), ran.stderr)

    def test_only_known_acts_are_done(self):
        for act in ("", "root", "login;password", "--", "password login"):
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
        for name, script in (("access", install.access_script(site())), ("seal", install.seal_script("ab"))):
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
        scripts = {"access": install.access_script(site()), "seal": install.seal_script("ab")}
        for name, script in scripts.items():
            checked = subprocess.run(
                ["shellcheck", "-"], input=script.encode(), capture_output=True, check=False, timeout=60
            )
            self.assertEqual((checked.returncode, checked.stdout), (0, b""), name)
