"""Plugins that cache pages, the real ones, beside the platform's own caches: set up by their pages, and gone
again."""

import re

from sites import install
from tests.containers import base, plugins, sites
from tests.containers.base import WORDPRESS, ContainerTestCase
from tests.containers.plugins import Administrator

SUPER_CACHE, W3_TOTAL_CACHE = 924, 925
CONTENT = f"{WORDPRESS}/wp-content"
CACHED_LATELY = f"find {CONTENT}/cache -type f -exec touch -d '1 minute ago' {{}} +; {base.NOTICED}"


def setUpModule() -> None:
    base.required()


class PluginTestCase(ContainerTestCase):
    vmid: int
    plugin: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = cls.plugin.split("/")[0]
        plugins.given(folder)
        cls.container = base.made(cls.vmid, sites.golden_template())
        cls.addClassCleanup(cls.container.destroy)
        plugins.put(cls.container, folder)
        cls.configuration = cls.container.shell(f"cat {WORDPRESS}/wp-config.php")

    def setUp(self) -> None:
        self.admin = Administrator(self.container)

    def kept(self) -> str:
        """What the platform's page cache says of the front page."""
        answer = self.container.visit("/", cached=True)
        self.assertEqual(answer.status_code, 200)
        return answer.headers.get("X-Page-Cache", "none")

    def assert_a_post_is_seen_at_once(self, name: str) -> None:
        self.container.shell(CACHED_LATELY)  # W3 Total Cache shows a page of less than 30 s once more
        self.admin.publish(name)
        for cached in (True, False):
            self.assertIn(name, self.container.visit("/", cached=cached).text)

    def assert_the_platform_goes_on(self) -> None:
        away = self.container.visit("/x", host="old.example")
        name = self.container.site.hostname
        self.assertEqual((away.status_code, away.headers["Location"]), (301, f"https://{name}/x"))
        self.assertEqual(self.container.install()[-1], "done 0")
        look = self.container.run("bash", "-s", "health", stdin=install.health_script()).stdout
        self.assertIn("\nanswered yes\n", look)
        self.assertNotIn("critical", look)
        self.assertEqual(self.container.access("safemode", "on").stdout, "safemode on\n")
        self.assertIn("Safe mode:", Administrator(self.container).get("plugins.php").text)
        self.assertEqual(self.container.access("safemode", "off").stdout, "safemode off\n")

    def assert_all_is_as_before(self) -> None:
        """What a plugin leaves of its own folders is its own business."""
        self.admin.deactivate(self.plugin)
        self.container.shell(base.NOTICED)
        own = self.container.php("echo get_class($GLOBALS['wp_object_cache']);")
        self.assertEqual(own, "NodePoint\\Objects\\Cache")
        after = self.container.shell(f"cat {WORDPRESS}/wp-config.php")
        self.assertEqual(after.split(), self.configuration.split())
        self.assertEqual(self.container.php("echo implode(' ', array_keys(get_dropins()));"), "")
        self.container.visit("/", cached=True)
        self.assertEqual(self.kept(), "HIT")


class SuperCacheTests(PluginTestCase):
    vmid = SUPER_CACHE
    plugin = "wp-super-cache/wp-cache.php"

    def test_wp_super_cache(self):
        self.admin.activate(self.plugin)
        settings = "options-general.php?page=wpsupercache&tab=easy"
        self.admin.press(settings, "wp_cache_easy_on", wp_cache_easy_on="1")
        self.container.shell(base.NOTICED)
        self.container.visit("/")
        self.container.shell(f"echo theirs >>{CONTENT}/cache/supercache/*/index-https.html")
        self.assertTrue(self.container.visit("/").text.endswith("theirs\n"))
        self.container.shell(f"rm {CONTENT}/cache/supercache/*/index-https.html")
        self.assertEqual([self.kept() for _ in range(2)][1], "HIT")
        self.assert_a_post_is_seen_at_once("Fresh words")
        self.assert_the_platform_goes_on()
        self.assert_all_is_as_before()


class TotalCacheTests(PluginTestCase):
    vmid = W3_TOTAL_CACHE
    plugin = "w3-total-cache/w3-total-cache.php"

    def test_w3_total_cache(self):
        self.admin.activate(self.plugin)
        self.container.php("update_site_option('w3tc_setupguide_completed', time());")
        parts = ("pgcache", "objectcache", "dbcache", "minify", "browsercache", "lazyload")
        settings = {f"{part}__enabled": "1" for part in parts}
        page = self.admin.press("admin.php?page=w3tc_general", "w3tc_save_options", **settings)
        self.assertIn("Plugin configuration successfully updated", page.text)
        self.container.shell(base.NOTICED)
        self.assertIn("Page Caching using Disk: Enhanced", self.container.visit("/").text)
        theirs = self.container.php("echo get_class($GLOBALS['wp_object_cache']);")
        self.assertEqual(theirs, "W3TC\\ObjectCache_WpObjectCache")
        self.assert_what_is_minified_is_there()
        self.assert_a_post_is_seen_at_once("Fresh words")
        self.assert_it_is_emptied_by_their_button()
        for path in (
            "nginx.conf",
            f"wp-content/plugins/{self.plugin.split('/')[0]}/ini/config-db-sample.php",
        ):
            self.container.shell("bash /usr/share/nodepoint/denied.sh; sleep 1")
            self.assertIn(self.container.visit(f"/{path}").status_code, (403, 404), path)
        self.assert_the_platform_goes_on()
        self.assert_all_is_as_before()
        self.assertEqual(self.container.php(f"var_dump(delete_plugins(['{self.plugin}']));"), "bool(true)\n")
        self.assertEqual(self.container.visit("/").status_code, 200)

    def assert_what_is_minified_is_there(self) -> None:
        """Made when it is asked for, where Apache and their nginx.conf would lead it to WordPress."""
        found = re.findall(r"/wp-content/cache/minify/[^\"']*\.css", self.container.visit("/").text)
        self.assertTrue(found)
        for _ in range(2):
            answer = self.container.visit(found[0])
            self.assertEqual(answer.status_code, 200)
            self.assertIn("text/css", answer.headers["Content-Type"])

    def assert_it_is_emptied_by_their_button(self) -> None:
        self.container.shell(f"rm -rf {CONTENT}/cache/page_enhanced/*")
        self.container.php("do_action('nodepoint_forget_pages');")
        for wanted in ("MISS", "HIT"):
            self.assertEqual(self.kept(), wanted)
        self.admin.click("index.php", "w3tc_flush_all")
        self.assertEqual(self.kept(), "MISS")
