"""Whatever is broken: the refusal names it, safe mode lets the administrator in, and all comes back."""

import requests

from tests.containers import base, sites
from tests.containers.base import WORDPRESS, ContainerTestCase, title

CONTENT = f"{WORDPRESS}/wp-content"
FATAL = "<?php call_nothing();"
BAD = "<?php /* Plugin Name: Bad */ add_action('init', function () { call_nothing(); });"
GOOD = "<?php /* Plugin Name: Good */ add_action('send_headers', fn() => header('X-Good: yes'));"
DUE = "wp_schedule_single_event(time() - 10, 'np_safe');"
SEEN_AS = (
    # what is broken, with what, how the refusal names it
    (f"{CONTENT}/plugins/bad/bad.php", BAD, "plugin bad"),
    (f"{CONTENT}/themes/broken/functions.php", FATAL, "theme broken"),
    (f"{CONTENT}/mu-plugins/broken.php", FATAL, "must-use broken.php"),
    (f"{CONTENT}/object-cache.php", FATAL, "drop-in object-cache.php"),
    (f"{CONTENT}/db.php", "<?php this is no php;", "drop-in db.php"),
    (f"{WORDPRESS}/.maintenance", "<?php $upgrading = time();", "maintenance .maintenance"),
)


def setUpModule() -> None:
    base.required(short=True)


class SafeModeTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        cls.addClassCleanup(cls.container.access, "safemode", "off")
        cls.container.write(f"{CONTENT}/plugins/good/good.php", GOOD)
        cls.container.write(f"{CONTENT}/themes/broken/style.css", "/* Theme Name: Broken */")
        cls.container.write(f"{CONTENT}/themes/broken/index.php", "<?php wp_head(); echo 'its own look';")
        cls.addClassCleanup(cls.container.php, "deactivate_plugins(['good/good.php', 'bad/bad.php']);")
        cls.addClassCleanup(cls.container.php, "switch_theme('twentytwentyfive');")
        cls.container.php("activate_plugin('good/good.php'); switch_theme('broken');")
        cls.container.php("update_option('active_plugins', ['bad/bad.php', 'good/good.php']);")

    def answer(self, *act: str) -> tuple[int, str]:
        output = self.container.access(*act)
        return output.exit_code, output.stdout

    def assert_whole(self) -> None:
        front = self.container.visit("/")
        self.assertEqual((front.status_code, front.headers.get("X-Good")), (200, "yes"))
        self.assertIn("its own look", front.text)

    def assert_safe(self) -> requests.Session:
        front = self.container.visit("/")
        self.assertEqual((front.status_code, front.headers.get("X-Good")), (200, None))
        self.assertNotIn("its own look", front.text)
        browser = self.container.entered()
        page = self.container.visit("/wp-admin/plugins.php", session=browser)
        self.assertIn("Plugins", title(page))
        self.assertIn("Safe mode:", page.text)
        return browser

    def assert_found_and_left_out(self, path: str, code: str, name: str) -> None:
        self.container.write(path, code)
        self.container.shell(base.NOTICED)  # opcache's look
        self.assertIn(self.container.visit("/wp-login.php").status_code, (500, 503))
        for act in ("login", "password"):
            self.assertEqual(self.answer(act), (70, f"failed {name}\n"))
        self.assertEqual(self.answer("safemode", "on"), (0, "safemode on\n"))
        self.assert_safe()
        self.assertEqual(self.answer("password")[0], 0)
        self.container.shell(f"rm {path}")
        self.assertEqual(self.answer("safemode", "off"), (0, "safemode off\n"))
        self.container.shell(base.NOTICED)
        self.assert_whole()

    def test_a_broken_plugin_is_found_and_left_out(self):
        self.assert_found_and_left_out(*SEEN_AS[0])

    @base.long_form
    def test_so_is_whatever_else_is_broken(self):
        for path, code, name in SEEN_AS[1:]:
            with self.subTest(name):
                self.assert_found_and_left_out(path, code, name)

    @base.long_form
    def test_what_is_done_in_it_lasts_and_nothing_else_changes(self):
        self.container.write(f"{CONTENT}/plugins/bad/bad.php", BAD)
        self.assertEqual(self.answer("safemode", "on")[0], 0)
        self.container.shell(f"rm -rf {CONTENT}/uploads/was-due")
        before = self.container.php(
            "echo serialize([get_option('active_plugins'), get_option('stylesheet')]);"
        )
        self.container.php(DUE)
        browser = self.assert_safe()
        self.container.shell(
            f"setpriv --reuid www-data --regid www-data --clear-groups php {WORDPRESS}/wp-cron.php"
        )
        self.assertEqual(
            self.container.php("echo serialize([get_option('active_plugins'), get_option('stylesheet')]);"),
            before,
        )
        page = self.container.visit("/wp-admin/plugins.php", session=browser).text
        link = next(
            part for part in page.split('href="') if "action=deactivate&amp;plugin=bad%2Fbad.php" in part
        )
        address = link.partition('"')[0].replace("&amp;", "&")
        self.container.visit(f"/wp-admin/{address}", session=browser)
        self.assertEqual(self.container.php("echo implode(get_option('active_plugins'));"), "good/good.php")
        self.assertEqual(self.answer("safemode", "off")[0], 0)
        self.assertEqual(
            self.container.php("echo (int) (bool) wp_next_scheduled('np_safe');"), "1", "it waits"
        )
        self.assert_whole()
        self.container.php("update_option('active_plugins', ['bad/bad.php', 'good/good.php']);")
        self.container.shell(f"rm -r {CONTENT}/plugins/bad")

    @base.long_form
    def test_without_a_default_theme_there_is_a_plain_one(self):
        themes = f"{CONTENT}/themes"
        self.container.shell(f"install -d /srv/themes; mv {themes}/twenty* /srv/themes/")
        self.addCleanup(self.container.shell, f"mv /srv/themes/* {themes}/")
        self.assertEqual(self.answer("safemode", "on")[0], 0)
        self.addCleanup(self.container.access, "safemode", "off")
        # WordPress remembers where themes are, for half an hour.
        self.container.php("search_theme_directories(true);")
        self.assert_safe()
        front = self.container.visit("/")
        self.assertEqual(title(front), self.container.site.hostname)
        self.assertIn("Welcome to WordPress", front.text)

    def kept(self) -> list[str]:
        """What the page cache says of two visits."""
        return [self.container.visit("/", cached=True).headers["X-Page-Cache"] for _ in range(2)]

    @base.long_form
    def test_neither_cache_brings_anything_over_from_one_side_to_the_other(self):
        option = "update_option('np_side', '{}', false); echo get_option('np_side');"
        self.assertEqual(self.container.php(option.format("before")), "before")
        self.kept()
        drop_in = f"{CONTENT}/object-cache.php"
        self.container.write(drop_in, FATAL)
        self.addCleanup(self.container.run, "rm", "-f", drop_in)
        self.container.shell(base.NOTICED)
        self.assertEqual(self.kept(), ["HIT", "HIT"], "visitors do not notice yet")
        self.assertEqual(self.answer("login"), (70, "failed drop-in object-cache.php\n"))
        for side in ("first", "second"):
            self.assertEqual(self.answer("safemode", "on")[0], 0)
            self.assertEqual(self.kept(), ["MISS", "MISS"])
            self.assert_safe()
            self.assertEqual(self.container.php(option.format(side)), side)
            self.container.run("rm", "-f", drop_in)
            self.assertEqual(self.answer("safemode", "off")[0], 0)
            self.container.shell(base.NOTICED)
            own = "echo get_option('np_side'), ' ', get_class($GLOBALS['wp_object_cache']);"
            self.assertEqual(self.container.php(own), f"{side} NodePoint\\Objects\\Cache")
            self.assertEqual(self.kept(), ["MISS", "HIT"])
            self.assert_whole()

    def test_where_it_does_not_help_it_is_not_turned_on(self):
        config = f"{WORDPRESS}/wp-config.php"
        self.container.shell(f"cp -a {config} /srv/configuration; echo 'broken(' >>{config}; {base.NOTICED}")
        self.addCleanup(self.container.shell, f"mv -T /srv/configuration {config}; {base.NOTICED}")
        self.assertEqual(self.answer("safemode", "on"), (70, "failed configuration wp-config.php\n"))
        flags = self.container.run("ls", "/etc/nodepoint/safemode", "/run/nodepoint-safemode")
        self.assertEqual(flags.stdout, "")

    def test_what_it_does_not_know(self):
        for act in (("safemode",), ("safemode", "perhaps"), ("both",), ()):
            self.assertEqual(self.answer(*act), (64, ""), act)
