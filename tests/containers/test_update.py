"""Updates in a real container: a minor release of WordPress by its own upgrader, the system's by its own
program, and both by themselves once nobody comes by.

There is no way to wordpress.org: the offer and the archive come from a plugin of the test, and the archive is
the site's own WordPress under a higher number. The security update is a package of the test's."""

import json
import time

from sites import answers, diagnosis, install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

PLUGIN = "/var/www/wordpress/wp-content/mu-plugins/offer.php"
OFFER = """<?php
add_filter('pre_site_transient_update_core', function () {
    $new = trim(file_get_contents('/tmp/offer'));
    $packages = ['full' => 'https://downloads.example/wp.zip'];
    $packages += array_fill_keys(['no_content', 'new_bundled', 'partial', 'rollback'], '');
    $offer = ['response' => 'upgrade', 'locale' => 'en_US', 'php_version' => '7.4', 'mysql_version' => '5.5'];
    $offer += array_fill_keys(['current', 'version', 'new_bundled'], $new);
    $offer += ['partial_version' => '', 'download' => '', 'packages' => (object) $packages];
    $checked = ['version_checked' => get_bloginfo('version'), 'last_checked' => time()];
    return (object) ($checked + ['updates' => [(object) $offer]]);
});
add_filter('upgrader_pre_download', function () {
    return is_readable('/tmp/wp.zip') ? '/tmp/wp.zip' : new WP_Error('no_archive', 'It is not there.');
});
"""
ARCHIVE = r"""
version=$(sed -n "s/^\$wp_version = '\(.*\)';/\1/p" /var/www/wordpress/wp-includes/version.php)
new=$(cut -d. -f1-2 <<<"$version").99
rm -rf /tmp/new && mkdir /tmp/new && cp -r /var/www/wordpress /tmp/new/wordpress
rm -rf /tmp/new/wordpress/wp-content/mu-plugins /tmp/new/wordpress/wp-config.php
sed -i "s/^\$wp_version = .*/\$wp_version = '$new';/" /tmp/new/wordpress/wp-includes/version.php
php -r '
    $zip = new ZipArchive;
    $zip->open("/tmp/wp.zip", ZipArchive::CREATE);
    $all = new RecursiveDirectoryIterator("/tmp/new", FilesystemIterator::SKIP_DOTS);
    foreach (new RecursiveIteratorIterator($all) as $file) {
        if ($file->isFile()) $zip->addFile($file, substr($file, 9));
    }
    $zip->close();'
chown www-data /tmp/wp.zip
rm -rf /tmp/new
echo "$new" >/tmp/offer
echo "$version $new"
"""

AS_SITE = ("setpriv", "--reuid=www-data", "--clear-groups", "php")
# WordPress has kept the offer (wp_version_check), and Site Health would go by it.
FORGOTTEN = "<?php require '/var/www/wordpress/wp-load.php'; delete_site_transient('update_core');"
BY_ITSELF = r"""<?php
require '/var/www/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
require_once ABSPATH . 'wp-admin/includes/class-wp-site-health-auto-updates.php';
$branch = implode('.', array_slice(explode('.', $wp_version), 0, 2));
$offer = ['current' => "$branch.77", 'php_version' => '7.4', 'mysql_version' => '5.5', 'new_files' => false];
$offer = (object) $offer;
$by_itself = (new WP_Automatic_Updater)->should_update('core', $offer, ABSPATH);
$told = apply_filters('send_core_update_notification_email', true, $offer);
$major = (object) ['current' => '99.0'];
$told_of_major = apply_filters('send_core_update_notification_email', true, $major);
$health = (new WP_Site_Health_Auto_Updates)->test_accepts_minor_updates();
echo json_encode([$by_itself, $told, $told_of_major, $health === null || $health['severity'] === 'pass']);
"""
REPOSITORY = r"""
rm -rf /tmp/repository /tmp/probe && mkdir -p /tmp/repository /tmp/probe/DEBIAN
about='Architecture: all\nMaintainer: x <x@example.com>\nDescription: x\n'
printf "Package: probe\nVersion: %s\n$about" "$1" >/tmp/probe/DEBIAN/control
dpkg-deb -b /tmp/probe /tmp/repository/probe.deb >/dev/null
cd /tmp/repository
{
    dpkg-deb -f probe.deb
    printf 'Filename: ./probe.deb\nSize: %s\nSHA256: ' "$(stat -c %s probe.deb)"
    sha256sum <probe.deb | cut -c1-64
} >Packages
. /etc/os-release
{
    printf 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\n'
    printf 'Codename: %s-security\nDate: %s\n' "$VERSION_CODENAME" "$(date -Ru)"
    printf 'SHA256:\n %s %s Packages\n' "$(sha256sum <Packages | cut -c1-64)" "$(stat -c %s Packages)"
} >Release
"""
SOURCES = """
mkdir /root/aside
mv /etc/apt/sources.list.d /root/aside/ && mkdir /etc/apt/sources.list.d
if [[ -e /etc/apt/sources.list ]]; then mv /etc/apt/sources.list /root/aside/; fi
echo 'deb [trusted=yes] file:/tmp/repository ./' >/etc/apt/sources.list
apt-get -qq update
"""
BACK = """
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
mv /root/aside/* /etc/apt/ && rmdir /root/aside
dpkg -P probe
"""


def setUpModule() -> None:
    base.required()


class UpdateTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def update(self, run: str, part: str = "wordpress") -> answers.UpdateEnd:
        """The script, to its end."""
        started = self.container.run("bash", "-s", "update", stdin=install.update_script(run, part))
        self.assertEqual((started.exit_code, started.stdout), (0, "started\n"), started)
        for _ in range(120):
            status = self.container.run("cat", install.UPDATE_STATUS_FILE)
            if end := answers.end_of_update(status, run):
                return end
            time.sleep(0.5)
        raise AssertionError(status)

    def version(self) -> str:
        code = "require '/var/www/wordpress/wp-includes/version.php'; echo $wp_version;"
        return self.container.run("php", "-r", code).stdout

    def test_it_is_put_in_once_and_a_failed_one_leaves_the_site_as_it_was(self):
        before = self.version()
        self.assertEqual(self.update("none").words, f"none {before}")
        self.container.run("mkdir", "-p", PLUGIN.rpartition("/")[0])
        self.container.run("bash", "-c", f"cat >{PLUGIN}", stdin=OFFER)
        self.addCleanup(self.container.run, *AS_SITE, stdin=FORGOTTEN)
        self.addCleanup(self.container.run, "rm", "-f", PLUGIN, "/tmp/offer", "/tmp/wp.zip")
        self.container.shell(
            "echo 6.8.98 >/tmp/offer; echo $(cut -d. -f1-2 <<<'" + before + "').98 >/tmp/offer"
        )
        self.assertIn("no_archive", self.update("broken").trouble)
        self.assertEqual((self.version(), self.container.visit("/").status_code), (before, 200))
        old, new = self.container.shell(ARCHIVE).split()
        self.assertEqual(self.update("good").words, f"updated {old} {new}")
        self.assertEqual((self.version(), self.container.visit("/").status_code), (new, 200))
        self.assertEqual(self.update("good").words, f"updated {old} {new}", "it is not done again")
        folder = "/var/www/wordpress"
        left = f"ls -d {folder}/.maintenance {folder}/wp-content/upgrade/*/ 2>/dev/null; true"
        self.assertEqual(self.container.run("bash", "-c", left).stdout, "")

    def seen(self, when: str) -> None:
        """The platform came by at that moment; empty: never."""
        mark = "/etc/nodepoint/watched"
        self.container.shell(f"touch -d '{when}' {mark}" if when else f"rm -f {mark}")

    def test_both_go_on_by_themselves_once_nobody_comes_by(self):
        self.container.run("bash", "-s", "health", stdin=install.health_script())
        watched, alone = [False, False, True, True], [True, True, True, True]
        for when, expected in (
            (None, watched),
            ("2 days ago", watched),
            ("4 days ago", alone),
            ("1 hour", alone),  # in the future: a clock has jumped
            ("", alone),
        ):
            with self.subTest(when):
                if when is not None:
                    self.seen(when)
                code = self.container.run(*AS_SITE, stdin=BY_ITSELF)
                self.assertEqual(json.loads(code.stdout), expected, code)
                unwatched = self.container.run("sh", "/usr/share/nodepoint/unwatched").exit_code
                self.assertEqual(unwatched, 0 if expected == alone else 1)
        self.seen("now")
        self.container.run("systemctl", "start", "apt-daily-upgrade.service")
        shown = self.container.run("systemctl", "show", "-p", "Result", "apt-daily-upgrade.service")
        self.assertEqual(shown.stdout, "Result=exec-condition\n")

    def test_security_updates_of_the_system_are_put_in(self):
        self.container.shell(f"set -- 1\n{REPOSITORY}{SOURCES}apt-get -qq install probe >/dev/null 2>&1")
        self.addCleanup(self.container.shell, BACK)
        self.assertEqual(self.update("nothing", "system").words, "upgraded 0")
        self.container.shell(f"set -- 2\n{REPOSITORY}apt-get -qq update")
        facts = diagnosis.read(
            self.container.run("bash", "-s", "health", stdin=install.health_script()).stdout
        )
        self.assertEqual(facts["pending"], [1, 1], facts)
        self.assertRegex(facts["security"], "^[0-9a-f]{16}$")
        self.assertEqual(self.update("one", "system").words, "upgraded 1")
        self.assertEqual(self.container.run("dpkg-query", "-Wf", "${Version}", "probe").stdout, "2")
        facts = diagnosis.read(
            self.container.run("bash", "-s", "health", stdin=install.health_script()).stdout
        )
        self.assertEqual((facts["pending"], facts.get("security"), facts["unattended"]), ([0, 0], None, 0))
        self.container.shell("rm -r /tmp/repository")
        self.assertIn("failed to download", self.update("gone", "system").trouble)
        self.assertEqual(self.container.visit("/").status_code, 200)
