"""The platform's rules stand outside the customer's files: they hold whatever his wp-config.php says."""

from pathlib import Path

from tests.containers import base, sites
from tests.containers.base import WORDPRESS, ContainerTestCase, title

CONFIG = f"{WORDPRESS}/wp-config.php"
EARLIER = Path(__file__).with_name("earlier-wp-config.php")  # as the script made it while it was root's
SHOP = "shop.example.com"
FIELD_CRON = """<?php /* Plugin Name: Field cron */
add_action('field_event', fn() => file_put_contents(WP_CONTENT_DIR . '/uploads/cron.txt', implode("\\n", [
    plugins_url('bg.png', __FILE__), content_url(), site_url('x'), includes_url(), get_stylesheet_uri()])));
"""
# The writes of WP Super Cache: constants behind `<?php`, a drop-in that needs them.
PAGE_CACHE = """<?php /* Plugin Name: Page cache */
add_action('admin_init', function () {
    $file = ABSPATH . 'wp-config.php';
    if (!is_writable($file)) { echo 'Warning! Could not update ' . $file; return; }
    $text = file_get_contents($file);
    if (!str_contains($text, 'CACHEHOME')) {
        $constants = "define( 'WP_CACHE', true );\\ndefine( 'CACHEHOME', '" . __DIR__ . "/' );\\n";
        $text = preg_replace('/^<\\?php\\n/', "<?php\\n$constants", $text);
        file_put_contents($file, $text, LOCK_EX);
        $drop_in = '<?php header("X-Their-Cache: " . basename(CACHEHOME));';
        file_put_contents(WP_CONTENT_DIR . '/advanced-cache.php', $drop_in);
    }
});
"""
# What a backup of another hoster brings along, all that is ours included.
IMPORTED = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'wordpress' );
define( 'DB_PASSWORD', '{password}' );
define( 'DB_HOST', 'localhost' );
define( 'DB_CHARSET', 'utf8' );
{more}
$table_prefix = 'wp_';
define( 'WP_DEBUG', true );
if ( ! defined( 'ABSPATH' ) ) {{ define( 'ABSPATH', __DIR__ . '/' ); }}
require_once ABSPATH . 'wp-settings.php';
"""
OTHERS_CONSTANTS = """
define( 'WP_HOME', 'http://old.example' ); define( 'WP_SITEURL', 'http://old.example' );
define( 'FS_METHOD', 'ftpext' ); define( 'DISALLOW_FILE_EDIT', false );
define( 'WP_AUTO_UPDATE_CORE', false ); define( 'DISABLE_WP_CRON', false );
define( 'WP_POST_REVISIONS', 3 ); define( 'CONCATENATE_SCRIPTS', true );
define( 'WP_MEMORY_LIMIT', '300M' ); define( 'FORCE_SSL_ADMIN', true );
"""
MINOR = (
    "require_once ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';"
    " echo Core_Upgrader::should_update_to_version(preg_replace('/-.*|$/', '.99', $wp_version, 1))"
    " ? 'yes' : 'no';"
)
NO_DATABASE = "systemctl mask --now mariadb.service"


def setUpModule() -> None:
    base.required(short=True)


class PlatformCase(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def keep_configuration(self) -> None:
        """For the end of the test. PHP looks every two seconds for what has changed."""
        self.container.shell(f"cp -a {CONFIG} /srv/configuration")
        self.addCleanup(
            self.container.shell, f"rm -rf {CONFIG}; mv -T /srv/configuration {CONFIG}; {base.NOTICED}"
        )

    def configure(self, text: str) -> None:
        """As migrations do: written beside, then renamed."""
        self.container.write(f"{CONFIG}.tmp", text)
        self.container.shell(f"mv -fT {CONFIG}.tmp {CONFIG}; {base.NOTICED}")

    def imported(self, more: str = "") -> str:
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        return IMPORTED.format(password=password, more=more)


class CommandLineTests(PlatformCase):
    def test_the_cron_is_the_site(self):
        folder = f"{WORDPRESS}/wp-content/plugins/fieldcron"
        self.container.write(f"{folder}/fieldcron.php", FIELD_CRON)
        self.addCleanup(self.container.php, "deactivate_plugins('fieldcron/fieldcron.php');")
        due = "wp_schedule_single_event(time() - 10, 'field_event');"
        said = self.container.php(
            f"activate_plugin('fieldcron/fieldcron.php'); wp_mkdir_p(WP_CONTENT_DIR . '/uploads'); {due}"
        )
        self.assertEqual(said, "")
        self.container.run_cron()
        addresses = self.container.shell(f"cat {WORDPRESS}/wp-content/uploads/cron.txt").split()
        self.assertEqual(len(addresses), 5)
        for address in addresses:
            self.assertTrue(address.startswith(f"https://{self.container.site.hostname}/"), address)

    def test_site_health_misses_no_module(self):
        look = (
            "require_once ABSPATH . 'wp-admin/includes/class-wp-site-health.php';"
            " echo WP_Site_Health::get_instance()->get_test_php_extensions()['status'];"
        )
        self.assertEqual(self.container.php(look), "good")
        self.assertEqual(self.container.php("echo extension_loaded('soap') ? 'there' : 'missing';"), "there")

    def test_the_site_verifies_whom_it_calls_and_no_other_host_is_trusted_for_it(self):
        self.assertEqual(
            self.container.php("echo wp_remote_retrieve_response_code(wp_remote_get(home_url('/')));"), "200"
        )
        self.assertIn(
            "cURL error 60",
            self.container.php("echo wp_remote_get('https://localhost/')->get_error_message();"),
        )


class ConfigurationTests(PlatformCase):
    def setUp(self) -> None:
        super().setUp()
        self.keep_configuration()

    def assert_ours_holds(self) -> None:
        own = self.container.site.hostname
        front = self.container.visit("/")
        self.assertEqual((front.status_code, title(front)), (200, own))
        self.assertNotIn("old.example", front.text)
        away = self.container.visit("/a/?b=c", host="old.example")
        self.assertEqual((away.status_code, away.headers.get("Location")), (301, f"https://{own}/a/?b=c"))
        told = "echo home_url(), ' ', site_url(), ' ', is_ssl() ? 'https' : 'http', ' ';"
        self.assertEqual(self.container.php(f"{told} {MINOR}"), f"https://{own} https://{own} https yes")

    def test_a_page_cache_plugin_can_be_set_up(self):
        self.container.write(f"{WORDPRESS}/wp-content/plugins/pagecache/pagecache.php", PAGE_CACHE)
        self.addCleanup(self.container.shell, f"rm -f {WORDPRESS}/wp-content/advanced-cache.php")
        self.addCleanup(self.container.php, "deactivate_plugins('pagecache/pagecache.php');")
        self.assertEqual(self.container.php("activate_plugin('pagecache/pagecache.php');"), "")
        page = self.container.visit("/wp-admin/plugins.php", session=self.container.entered())
        self.assertNotIn("Could not update", page.text)
        self.container.shell(base.NOTICED)
        self.assertEqual(self.container.visit("/").headers.get("X-Their-Cache"), "pagecache")
        self.assert_ours_holds()

    @base.long_form
    def test_constants_of_a_network_of_sites_have_their_effect(self):
        text = self.container.shell(f"cat {CONFIG}")
        self.configure(text.replace("<?php\n", "<?php\ndefine( 'WP_ALLOW_MULTISITE', true );\n", 1))
        page = self.container.visit("/wp-admin/network.php", session=self.container.entered())
        self.assertIn("Create a Network of WordPress Sites", title(page))

    def test_one_that_an_import_brings_along_is_kept_and_so_is_what_is_ours(self):
        for more in ("", OTHERS_CONSTANTS):
            with self.subTest(more):
                self.configure(self.imported(more))
                self.assert_ours_holds()
                browser = self.container.entered()
                page = self.container.visit("/wp-admin/", session=browser)
                self.assertIn("Dashboard", title(page))
                for kind, name in (("styles", "common"), ("scripts", "jquery-core")):
                    path = f"/wp-admin/load-{kind}.php?c=1&load[]={name}"
                    answer = self.container.visit(path, session=browser)
                    self.assertEqual(answer.status_code, 200, path)
                    self.assertGreater(len(answer.text), 1000)

    def test_one_with_the_same_constants_brings_no_warnings_and_has_its_way_with_most(
        self,
    ):
        self.configure(self.imported(OTHERS_CONSTANTS))
        told = self.container.php(
            "echo FS_METHOD, (int) DISALLOW_FILE_EDIT, WP_POST_REVISIONS, (int) DISABLE_WP_CRON;"
        )
        self.assertEqual(told, "ftpext030")
        self.configure(self.imported())
        told = self.container.php(
            "echo FS_METHOD, (int) DISALLOW_FILE_EDIT, WP_POST_REVISIONS, (int) DISABLE_WP_CRON;"
        )
        self.assertEqual(told, "direct1101")

    @base.long_form
    def test_the_script_switches_the_name_of_an_imported_site(self):
        self.configure(self.imported(OTHERS_CONSTANTS))
        before = self.container.shell(f"sha256sum {CONFIG}")
        self.addCleanup(self.container.install)
        self.assertEqual(self.container.install(self.container.script(SHOP))[-1], "done 0")
        away = self.container.visit("/x")
        self.assertEqual((away.status_code, away.headers["Location"]), (301, f"https://{SHOP}/x"))
        self.assertEqual(self.container.visit("/", host=SHOP).status_code, 200)
        self.assertEqual(self.container.shell(f"sha256sum {CONFIG}"), before)
        verified = self.container.php("echo wp_remote_retrieve_response_code(wp_remote_get(home_url('/')));")
        self.assertEqual(verified, "200")

    def test_the_one_that_was_root_s_goes_on_working_and_is_handed_over_with_its_secrets(self):
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        self.configure(
            EARLIER.read_text().replace("PASSWORD'", "PASSWORD'").replace("'PASSWORD'", f"'{password}'")
        )
        self.container.shell(f"chown root:www-data {CONFIG}; chmod 640 {CONFIG}")
        self.assert_ours_holds()
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.container.shell(f"stat -c '%U %a' {CONFIG}"), "www-data 640\n")
        text = self.container.shell(f"cat {CONFIG}")
        self.assertIn(f"define( 'LOGGED_IN_KEY', '{'2' * 64}' );", text)
        self.assertIn("stop editing", text)
        self.container.shell(base.NOTICED)
        self.assert_ours_holds()

    @base.long_form
    def test_one_that_staff_have_changed_stays_root_s(self):
        password = self.container.shell("cat /var/lib/nodepoint/database").strip()
        text = EARLIER.read_text().replace("'PASSWORD'", f"'{password}'").replace("'256M'", "'512M'")
        self.configure(text)
        self.container.shell(f"chown root:www-data {CONFIG}; chmod 640 {CONFIG}")
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.container.shell(f"cat {CONFIG}; stat -c %U {CONFIG}"), f"{text}root\n")

    @base.long_form
    def test_a_missing_one_is_made_and_leads_to_the_same_tables(self):
        self.container.shell(f"rm {CONFIG}")
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assert_ours_holds()

    @base.long_form
    def test_half_of_one_ends_in_no_worse_a_site_and_says_so(self):
        self.configure(self.imported()[:100])
        self.assertEqual(self.container.visit("/").status_code, 500)
        self.assertEqual(self.container.install()[-1], "done 0")
        refused = self.container.access("login")
        self.assertEqual((refused.exit_code, refused.stdout), (70, "failed configuration wp-config.php\n"))

    def test_one_that_leads_to_no_database_ends_the_script_with_its_reason(self):
        self.configure(self.imported().replace("DB_USER', 'wordpress'", "DB_USER', 'elsewhere'"))
        lines = self.container.install()
        self.assertEqual(lines[-1], "done 78")
        self.assertRegex(lines[-2], "^failed verification 78 .*failed database")
        refused = self.container.access("password")
        self.assertEqual((refused.exit_code, refused.stdout), (70, "failed database -\n"))


class OutsideTests(PlatformCase):
    """What the customer's other files can do about it."""

    def test_a_user_ini_cannot_turn_it_off_and_prepends_its_own_all_the_same(self):
        self.container.write(f"{WORDPRESS}/waf.php", "<?php header('X-Firewall: on');")
        self.container.write(f"{WORDPRESS}/.user.ini", f"auto_prepend_file = '{WORDPRESS}/waf.php'\n")
        self.addCleanup(self.container.shell, f"rm {WORDPRESS}/waf.php {WORDPRESS}/.user.ini")
        self.container.shell("systemctl restart $(basename /lib/systemd/system/php*-fpm.service)")
        self.assertEqual(self.container.visit("/").headers.get("X-Firewall"), "on")
        self.assertEqual(self.container.visit("/", host="old.example").status_code, 301)

    @base.long_form
    def test_a_database_that_does_not_start_ends_the_script_with_its_reason(self):
        self.container.shell(NO_DATABASE)
        try:
            lines = self.container.install()
        finally:
            self.container.shell("systemctl unmask mariadb.service; systemctl start mariadb")
        self.assertEqual(lines[-1], "done 72")
        self.assertRegex(lines[-2], "^failed system 72 .*mariadb")
        self.assertEqual(self.container.visit("/").status_code, 200)
