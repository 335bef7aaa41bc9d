"""Addresses in the content of a real site, replaced by the script that the product sends."""

import time

from sites import answers, install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

OLD = "www.shop.customer.example"
PICTURE = f"https://{OLD}/wp-content/uploads/2026/11/pic.png"
BROKEN = f'a:1:{{s:3:"url";s:5:"{PICTURE}";}}'
BEGIN = r"""<?php
define('WP_INSTALLING', true);
$_SERVER += ['HTTP_HOST' => 'x', 'REQUEST_METHOD' => 'GET', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
$_SERVER += ['HTTP_X_FORWARDED_PROTO' => 'https'];
chdir('/var/www/wordpress');
require '/var/www/wordpress/wp-load.php';
global $wpdb;
"""
# As the customer's own WordPress would write it; the class is known to nobody.
CONTENT = r"""
$picture = 'PICTURE';
wp_insert_post([
    'ID' => 0, 'post_title' => 'Second', 'post_name' => 'second', 'post_status' => 'publish',
    'guid' => 'https://OLD/?p=77', 'post_content' => "<img src=\"$picture\"/> 😀 http://OLD/ö and OLD",
]);
$widget = ['title' => '😀', 'text' => "<img src='$picture'>", 'more' => serialize([$picture])];
update_option('widget_text', [2 => $widget, '_multiwidget' => 1]);
update_option('json', wp_json_encode(['url' => $picture]));
update_option('big', ['text' => str_repeat('é', 5 << 19) . $picture], false);
$length = strlen($picture);
$alien = "O:9:\"Gone\\Shop\":1:{s:3:\"url\";s:$length:\"$picture\";}";
foreach (['broken' => 'BROKEN', 'alien' => $alien] as $name => $value) {
    $wpdb->insert($wpdb->options, ['option_name' => $name, 'option_value' => $value]);
}
wp_cache_flush();
"""
LOOK = r"""
$widget = get_option('widget_text')[2];
$big = get_option('big')['text'];
$raw = fn($name) => $wpdb->get_row("SELECT * FROM $wpdb->options WHERE option_name = '$name'")->option_value;
$post = $wpdb->get_row("SELECT * FROM $wpdb->posts WHERE post_name = 'second'");
foreach ([
    $widget['title'], $widget['text'], unserialize($widget['more'])[0], json_decode(get_option('json'))->url,
    substr($big, 5 << 20), strlen($big), $post->post_content, $post->guid, $raw('broken'), $raw('alien'),
] as $line) {
    echo $line, "\n";
}
"""


def setUpModule() -> None:
    base.required()


class ContentTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.new = cls.container.site.hostname

    def php(self, program: str) -> list[str]:
        for word, value in (("PICTURE", PICTURE), ("OLD", OLD), ("BROKEN", BROKEN)):
            program = program.replace(word, value)
        output = self.container.run("runuser", "-u", "www-data", "php", stdin=BEGIN + program)
        self.assertEqual((output.exit_code, output.stderr), (0, ""))
        return output.stdout.splitlines()

    def start(self, run: str, act: str = "replace") -> str:
        script = install.content_script(run, OLD, self.new)
        output = self.container.run("bash", "-s", act, stdin=script)
        return output.stdout or f"exit code {output.exit_code}"

    def end(self, run: str) -> answers.ContentEnd:
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            if end := answers.end_of_content(self.container.run("cat", install.CONTENT_STATUS_FILE), run):
                return end
            time.sleep(0.2)
        raise AssertionError(self.container.run("tail", "/var/lib/nodepoint/content.log").stdout)

    def test_the_content_bears_the_new_name_and_stays_whole(self):
        self.php(CONTENT)
        before = self.php(LOOK)
        self.assertEqual(self.start("dry", "count"), "started\n")
        counted = self.end("dry")
        self.assertEqual((counted.trouble, counted.found["left"]), ("", 1))
        self.assertEqual(self.php(LOOK), before)
        self.assertEqual(self.start("one"), "started\n")
        self.assertIn(self.start("one"), ("at work\n", "started\n"), "at work, or done")
        self.assertEqual(self.end("one"), counted)
        self.assertEqual(self.start("one"), "started\n")
        self.assertEqual(self.end("one"), counted, "not done twice")
        *expected, _, _, alien = (line.replace(f"//{OLD}", f"//{self.new}") for line in before)
        expected[5] = str(int(before[5]) + len(self.new) - len(OLD))
        alien = alien.replace(f"s:{len(PICTURE)}:", f"s:{len(PICTURE) + len(self.new) - len(OLD)}:")
        self.assertEqual(self.php(LOOK), [*expected, before[7], BROKEN, alien])
        page = self.container.visit("/second/")
        self.assertIn(f'src="{PICTURE.replace(OLD, self.new)}"', page.text)
        self.assertIn(f"ö and {OLD}", page.text)
        self.start("two")
        self.assertEqual(self.end("two").found, {"tables": 0, "changes": 0, "left": 1})

    def test_it_runs_as_the_site_and_leaves_nothing_behind(self):
        self.start("three")
        self.end("three")
        left = "ls -d /run/nodepoint-content /var/lib/nodepoint/content.sh 2>/dev/null || true"
        self.assertEqual(self.container.shell(left), "")
        log = self.container.shell("cat /var/lib/nodepoint/content.log")
        self.assertNotIn(self.container.shell("cat /var/lib/nodepoint/database"), log)

    def test_a_database_that_is_down_is_a_reason(self):
        self.container.shell("systemctl stop mariadb")
        self.addCleanup(self.container.shell, "systemctl start mariadb")
        self.start("four")
        end = self.end("four")
        self.assertRegex(end.trouble, r"failed addresses 70 .*No such file")
        self.assertFalse(end.useless)

    def test_bad_parameters_change_nothing(self):
        for run, old in (("", OLD), ("x;y", OLD), ("five", "a b"), ("five", "$(reboot)"), ("five", "")):
            output = self.container.run(
                "bash", "-s", "replace", stdin=install.content_script(run, old, self.new)
            )
            self.assertEqual(output.exit_code, 64)
        output = self.container.run("bash", "-s", "run", stdin=install.content_script("five", OLD, self.new))
        self.assertEqual(output.exit_code, 64)
