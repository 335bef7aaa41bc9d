"""A whole site packed as vzdump packs it, unpacked as another container, and fitted by our script: WordPress
is intact, its secrets are those of the archive, its name is the one of now."""

from sites import install
from tests.containers import base, sites
from tests.containers.base import Container, ContainerTestCase

FORMER, RESTORED = 921, 922
PICTURE = "/var/www/wordpress/wp-content/uploads/own.png"
SECRETS = "cat /var/lib/nodepoint/database /var/www/wordpress/wp-config.php"


def setUpModule() -> None:
    base.required()


class RestoreTests(ContainerTestCase):
    def test_a_site_comes_back_from_its_archive_under_another_vmid_and_name(self):
        template, archive = sites.golden_template(), base.node().folder / "site.tar.zst"
        former = base.made(FORMER, template)
        self.addCleanup(archive.unlink, missing_ok=True)
        former.write(PICTURE, "picture")
        former.php("wp_insert_post(['post_title' => 'Kept', 'post_status' => 'publish']);")
        secrets = former.shell(SECRETS)
        former.pct("shutdown")
        former.pct("archive", str(archive))
        former.destroy()

        restored = Container(RESTORED, base.order(RESTORED, memory_mb=4096, name="another"))
        restored.create(archive)
        self.addCleanup(restored.destroy)
        lines = restored.install()
        self.assertEqual(lines[-1], "done 0", lines)
        self.assertEqual(restored.shell(SECRETS), secrets)
        self.assertEqual(restored.shell(f"cat {PICTURE}"), "picture")
        self.assertIn("Kept", restored.visit("/?s=Kept").text)
        self.assertEqual(restored.visit("/wp-login.php").status_code, 200)
        self.assertIn("another.nodepoint.eu", restored.visit("/").text)
        self.assertEqual(restored.visit("/", host=former.site.hostname).status_code, 301)
        self.assertTrue(restored.access("login").stdout.startswith("link https://another.nodepoint.eu/"))
        self.assertEqual(lines[0].split()[0], "phase")
        self.assertEqual(restored.run("bash", "-s", "health", stdin=install.health_script()).exit_code, 0)
