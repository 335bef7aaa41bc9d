"""The page cache and the object cache: what they keep, for whom, and what they forget."""

import threading
import time

import requests

from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

ROOT = "/var/www/wordpress"
AS_SITE = ("setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups")
LOGIN = "/wp-admin/admin-post.php?action=nodepoint_login"
PAGES = "/run/nodepoint-pages"
# Pages of a plugin, each with a trait of its own. They stand where themes do.
PLUGIN = """<?php
add_filter('pre_handle_404', fn($done) => $done || str_starts_with($_SERVER['REQUEST_URI'], '/np-'));
add_action('template_redirect', function () {
    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    if (!str_starts_with($path, '/np-')) {
        return;
    }
    status_header(200);
    echo str_repeat('.', 300), microtime(true), ' ', $_SERVER['HTTP_HOST'], ' ', $_SERVER['REQUEST_URI'], ' ',
        $_SERVER['HTTP_X_FORWARDED_HOST'] ?? '', ' ', $_SERVER['REQUEST_METHOD'], ' ', $_COOKIE['np'] ?? '';
    match ($path) {
        '/np-constant/' => define('DONOTCACHEPAGE', true),
        '/np-cookie/' => setcookie('np', 'x'),
        '/np-private/' => header('Cache-Control: private, max-age=600'),
        '/np-session/' => session_start(['use_cookies' => false]),
        '/np-short/' => header('Cache-Control: public, max-age=1'),
        '/np-slow/' => sleep(2),
        '/np-error/' => status_header(500),
        default => null,
    };
    exit;
}, 5);
"""


def setUpModule() -> None:
    base.required()


class CacheTestCase(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container
        plugin = f"{ROOT}/wp-content/mu-plugins/np.php"
        cls.container.shell(f"install -d -o www-data -g www-data {ROOT}/wp-content/mu-plugins")
        cls.container.run("tee", plugin, stdin=PLUGIN)
        cls.addClassCleanup(cls.container.run, "rm", "-f", plugin)

    def php(self, code: str) -> str:
        """What WordPress says to code of the site's on the command line, as its cron runs."""
        command = (*AS_SITE, "php", "-d", "display_errors=stderr", "--")
        output = self.container.run(*command, stdin=f"<?php require '{ROOT}/wp-load.php'; {code}")
        self.assertEqual((output.exit_code, output.stderr), (0, ""))
        return output.stdout

    def ask(self, path: str = "/", **more: object) -> tuple[str, requests.Response]:
        """What the page cache says of a request, and the answer."""
        answer = self.container.visit(path, cached=True, **more)
        return answer.headers.get("X-Page-Cache", "none"), answer

    def assert_kept(self, path: str, kept: bool = True, **more: object) -> None:
        self.ask(path, **more)
        self.assertEqual(self.ask(path, **more)[0] == "HIT", kept, path)


class PageTests(CacheTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container.shell(f"find {PAGES} -type f -delete")

    def test_a_page_is_made_once_for_all(self):
        first, page = self.ask("/hello-world/")
        again, same = self.ask("/hello-world/", client="198.51.100.8")
        self.assertEqual((first, again, page.status_code), ("MISS", "HIT", 200))
        self.assertEqual(page.text, same.text)
        self.assertEqual(page.headers["X-Cache-Enabled"], "true", "what Site Health looks for")
        status, head = self.ask("/hello-world/", method="HEAD")
        self.assertEqual((status, head.status_code, head.text), ("HIT", 200, ""))
        self.assert_kept("/feed/")

    def test_the_first_one_may_ask_for_the_head_alone(self):
        self.ask("/np-x/", method="HEAD")
        status, page = self.ask("/np-x/")
        self.assertEqual(status, "HIT")
        self.assertIn(" GET ", page.text)

    def test_tracking_is_no_other_page_and_not_in_it(self):
        self.ask("/np-x/?utm_source=a%3Cb&gclid=1")
        status, page = self.ask("/np-x/?fbclid=2")
        self.assertEqual(status, "HIT")
        self.assertNotIn("utm", page.text)
        self.assert_kept("/np-x/")
        for path in (
            "/np-x/?s=1",
            "/np-x/?utm_source=a&s=1",
            "/np-x/?s=1&utm_source=a",
            "/np-x?utm_source=a",
        ):
            self.assert_kept(path, kept=False)

    def test_only_whom_nothing_sets_apart_gets_it(self):
        self.assert_kept("/np-x/")
        harmless = {
            "Cookie": "_ga=GA1.1.1; sbjs_current=typ%3Dx|||y; wordpress_test_cookie=WP%20Cookie%20check"
        }
        self.assert_kept("/np-x/", headers=harmless)
        for cookie in (
            "wordpress_logged_in_ab=jane",
            "woocommerce_items_in_cart=1",
            "wp_woocommerce_session_ab=1",
            "edd_items_in_cart=1",
            "wp-postpass_ab=1",
            "comment_author_ab=jane",
            "_ga=1; np=own",
        ):
            self.assert_kept("/np-x/", kept=False, headers={"Cookie": cookie})
        for name in ("Authorization", "X-Requested-With", "HX-Request"):
            self.assert_kept("/np-x/", kept=False, headers={name: "x"})
        self.assert_kept("/np-x/", kept=False, method="POST")
        self.assert_kept("/np-x/", kept=False, data="x=1")
        self.assertNotIn("own", self.ask("/np-x/")[1].text)

    def test_a_page_decides_for_itself(self):
        for name in ("constant", "cookie", "private", "session", "error"):
            self.assert_kept(f"/np-{name}/", kept=False)
        for path in (
            "/np-none",
            "/nothing-here/",
            "/wp-login.php",
            "/wp-json/",
            "/search/hello/",
            "/wp-admin/",
        ):
            self.assert_kept(path, kept=path == "/np-none")

    def test_the_names_of_others_are_in_no_page(self):
        """A page that one visitor makes with odd heads is made anew for the next."""
        name = self.container.site.hostname
        for heads in (
            {"X-Forwarded-Host": "evil.example"},
            {"X-Forwarded-Server": "evil.example"},
            {"X-Original-URL": "/evil"},
            {"Forwarded": "host=evil.example"},
        ):
            with self.subTest(heads):
                self.ask("/np-x/", headers=heads)
                status, page = self.ask("/np-x/")
                self.assertEqual(status, "MISS")
                self.assertNotIn("evil", page.text)
                self.container.shell(f"find {PAGES} -type f -delete")
        for host in ("evil.example", "other.nodepoint.eu"):
            self.assertEqual(self.ask("/np-x/", host=host)[1].status_code, 301)
        page = self.ask("/np-x/", host=f"{name.upper()}:8080")[1]
        self.assertIn(f" {name} /np-x/ ", page.text)
        self.assertEqual(self.ask("/np-x/")[0], "HIT")
        self.assertEqual(self.ask("/np-x/", host="evil.example")[1].status_code, 301)
        keys = self.container.shell(f"grep -rah ^KEY: {PAGES}").split()
        self.assertEqual(keys, ["KEY:", f"on|{name}||/np-x/"])

    def test_phones_get_their_own(self):
        phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 16) Mobile"}
        self.ask("/np-x/")
        self.assertEqual(self.ask("/np-x/", headers=phone)[0], "MISS")
        self.assertEqual(self.ask("/np-x/", headers=phone)[0], "HIT")

    def test_what_somebody_logged_in_sees_nobody_else_does(self):
        script = install.access_script(self.container.site)
        link = self.container.run("bash", "-s", "login", stdin=script).stdout
        browser, form = requests.Session(), {"nodepoint_token": link.strip().split("#")[1]}
        self.container.visit(LOGIN, session=browser, method="POST", data=form)
        for _ in range(2):
            status, page = self.ask("/", session=browser)
            self.assertEqual(status, "BYPASS")
            self.assertIn("wpadminbar", page.text)
        status, page = self.ask("/")
        self.assertEqual(status, "MISS")
        self.assertNotIn("wpadminbar", page.text)

    def test_a_change_is_seen_at_once(self):
        self.assert_kept("/")
        new = self.php("echo wp_insert_post(['post_title' => 'Brand new', 'post_status' => 'publish']);")
        self.assert_fresh("Brand new")
        self.php(f"wp_update_post(['ID' => {new}, 'post_title' => 'Renamed']);")
        self.assert_fresh("Renamed")
        self.php(f"wp_trash_post({new});")
        self.assertNotIn("Renamed", self.assert_fresh(""))
        said = "['comment_post_ID' => 1, 'comment_content' => 'So true', 'comment_approved' => 1]"
        self.ask("/hello-world/")
        self.php(f"wp_insert_comment({said});")
        status, page = self.ask("/hello-world/")
        self.assertEqual(status, "MISS")
        self.assertIn("So true", page.text)
        self.php("update_option('blogname', 'Another name');")
        self.assert_fresh("Another name")
        self.php(f"update_option('blogname', '{self.container.site.hostname}');")

    def assert_fresh(self, text: str) -> str:
        status, page = self.ask("/")
        self.assertEqual(status, "MISS")
        self.assertIn(text, page.text)
        self.assert_kept("/")
        return page.text

    def test_what_nobody_sees_forgets_nothing(self):
        self.assert_kept("/")
        self.php(
            "$id = wp_insert_post(['post_title' => 'Draft', 'post_status' => 'draft']);"
            "wp_save_post_revision($id); set_transient('x', 1); update_option('cron_like', 2, false);"
            "update_post_meta(1, 'views', rand()); wp_delete_post($id, true);"
        )
        self.assertEqual(self.ask("/")[0], "HIT")

    def test_a_change_while_a_page_is_made_is_not_overtaken_by_it(self):
        made = threading.Thread(target=base.node().run, args=self.slow_visit())
        made.start()
        time.sleep(1)
        self.php("do_action('nodepoint_forget_pages');")
        made.join()
        self.assertEqual(self.ask("/np-slow/")[0], "MISS")

    def slow_visit(self) -> tuple[str, ...]:
        heads = (f"Host: {self.container.site.hostname}", "X-Forwarded-Proto: https")
        return (
            "curl",
            "-s",
            "-o/dev/null",
            *(f"-H{head}" for head in heads),
            "http://10.77.0.103/np-slow/",
        )

    def test_it_takes_no_more_than_its_share_of_the_memory(self):
        self.assertIn(" max_size=32m ", self.container.shell("cat /etc/nginx/conf.d/nodepoint-pages.conf"))
        self.assertEqual(
            self.container.shell(f"stat -c '%a %U' {PAGES} ; stat -f -c %T {PAGES}").split(),
            ["700", "www-data", "tmpfs"],
        )


class ObjectTests(CacheTestCase):
    REDIS = "redis-cli -s /run/redis/site.sock"

    def test_wordpress_keeps_its_objects_in_redis(self):
        self.assertEqual(self.php("echo (int) wp_using_ext_object_cache();"), "1")
        self.php(
            "wp_cache_set('a', ['x' => 1], 'np'); wp_cache_set('n', 4, 'np');set_transient('np', 'kept', 60);"
        )
        self.assertEqual(
            self.php(
                "echo json_encode([wp_cache_get('a', 'np'), wp_cache_incr('n', 3, 'np'),"
                "get_transient('np')]);"
            ),
            '[{"x":1},7,"kept"]',
        )
        self.assertEqual(
            self.php(
                "var_dump(wp_cache_add('n', 1, 'np'), wp_cache_get('none', 'np'),"
                "wp_cache_decr('n', 99, 'np'));"
                "wp_cache_flush_group('np'); var_dump(wp_cache_get('a', 'np'), wp_cache_add('n', 1, 'np'));"
                "echo json_encode(wp_cache_get_multiple(['n', 'none'], 'np'));"
            ).split(),
            ["bool(false)", "bool(false)", "int(0)", "bool(false)", "bool(true)", '{"n":1,"none":false}'],
        )
        self.assertEqual(
            self.container.shell(f"{self.REDIS} config get maxmemory 2>&1 | head -c 6"), "NOPERM"
        )
        facts = self.container.shell(f"{self.REDIS} info memory; stat -c '%a %G' /run/redis/site.sock")
        self.assertIn("maxmemory:67108864", facts)
        self.assertIn("maxmemory_policy:allkeys-lru", facts)
        self.assertTrue(facts.endswith("770 www-data\n"))

    def test_options_of_two_requests_do_not_undo_one_another(self):
        name = "np_count"
        self.php(f"update_option('{name}', 1); wp_load_alloptions();")
        self.php(f"update_option('{name}', 2);")
        self.assertEqual(self.php(f"echo get_option('{name}');"), "2")

    def test_without_redis_the_site_works_and_nothing_old_comes_back_with_it(self):
        self.php("update_option('np', 'before', false); get_option('np');")
        self.container.shell("systemctl stop redis-server")
        try:
            self.assertEqual(self.container.visit("/").status_code, 200)
            self.assertEqual(
                self.php("echo (int) wp_using_ext_object_cache(); update_option('np', 'after', false);"), "0"
            )
        finally:
            self.container.shell("systemctl start redis-server")
        self.assertEqual(self.php("echo get_option('np'), (int) wp_using_ext_object_cache();"), "after1")

    def test_redis_that_dies_in_the_middle_is_forgotten_by_what_it_missed(self):
        self.php("update_option('np', 'before', false);")
        # The connection breaks; what is in Redis stays.
        self.php(
            "get_option('np'); NodePoint\\Objects\\Cache::$redis->close();"
            "NodePoint\\Objects\\Cache::$redis = new class extends Redis { public function __call($n, $a) {}"
            " public function set($k, $v, $o = null): Redis|string|bool { throw new RedisException('gone'); }"
            " public function get($k): mixed { throw new RedisException('gone'); } };"
            "update_option('np', 'after', false);"
        )
        self.assertEqual(self.php("echo get_option('np');"), "after")

    def test_a_drop_in_of_the_customer_goes_before_it_and_leaves_nothing_old_behind(self):
        drop_in = f"{ROOT}/wp-content/object-cache.php"
        self.php("update_option('np', 'before', false); get_option('np');")
        theirs = "<?php require_once ABSPATH . WPINC . '/cache.php'; define('NP_THEIRS', 1);"
        self.container.run("tee", drop_in, stdin=theirs)
        try:
            said = self.php("echo (int) defined('NP_THEIRS'); update_option('np', 'after', false);")
            self.assertEqual(said, "1")
        finally:
            self.container.run("rm", "-f", drop_in)
        self.assertEqual(self.php("echo get_option('np');"), "after")

    def test_what_root_changes_in_the_tables_is_seen(self):
        self.php("update_option('np', 'before', false); get_option('np');")
        self.container.shell(
            "mariadb wordpress -e \"UPDATE wp_options SET option_value = 'after' WHERE option_name = 'np'\""
        )
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.php("echo get_option('np');"), "after")
