"""A minor release of WordPress, put in by its own upgrader in a real container.

There is no way to wordpress.org: the offer and the archive come from a plugin of the test, and the archive is
the site's own WordPress under a higher number."""

import time

from sites import answers, install
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


def setUpModule() -> None:
    base.required()


class UpdateTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def update(self, run: str) -> answers.UpdateEnd:
        """The script, to its end."""
        started = self.container.run("bash", "-s", "update", stdin=install.update_script(run))
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
