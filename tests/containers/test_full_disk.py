"""A disk without a free byte: its administrator gets in to make room, and the script does no harm."""

import unittest

from tests.containers import base, sites
from tests.containers.base import WORDPRESS, ContainerTestCase, title

# Overwriting needs no room on ext4 and thin volumes, but does on btrfs, unless a folder is marked.
AS_ON_EXT4 = """
cd /var/lib; systemctl stop mariadb; mv mysql copied; mkdir mysql
perl -e 'open my $folder, "<", "mysql"; my $flags = pack("l!", 0);
    ioctl($folder, 0x80086601, $flags) or die $!; $flags = pack("l!", unpack("l!", $flags) | 0x800000);
    ioctl($folder, 0x40086602, $flags) or die $!'
cp -a --reflink=never copied/. mysql/; chown mysql: mysql; rm -r copied; systemctl start mariadb
"""
# Reserved, not written: the machine's own disk has no part in it.
FILLED = """
cd /srv; number=0
for size in 4G 1G 256M 64M 16M 4M 1M 256K 64K 4K; do
    while [ $number -lt 300 ] && fallocate -l $size filler.$number 2>/dev/null
    do number=$((number + 1)); done
done
yes >filler.rest 2>/dev/null || true
"""
WRITES = f"head -c 65536 /dev/urandom >{WORDPRESS}/written"


def setUpModule() -> None:
    base.required()


class FullDiskTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if not base.node().has_snapshots:
            raise unittest.SkipTest("the containers lie on the machine's own disk")
        cls.container = sites.plain().container
        cls.container.shell(AS_ON_EXT4)
        cls.addClassCleanup(cls.container.shell, "rm -f /srv/filler.*; systemctl restart mariadb nginx")
        cls.container.shell(FILLED)

    def test_everybody_gets_in_and_the_script_finds_all_in_order(self):
        as_site = (
            "setpriv",
            "--reuid",
            "www-data",
            "--regid",
            "www-data",
            "--clear-groups",
            "sh",
            "-c",
            WRITES,
        )
        self.assertIn("No space left", self.container.run(*as_site).stderr)
        page = self.container.visit("/wp-admin/plugins.php", session=self.container.entered())
        self.assertIn("Plugins", title(page))
        self.assertEqual(self.container.access("password").exit_code, 0)
        for wanted in ("on", "off"):
            output = self.container.access("safemode", wanted)
            self.assertEqual((output.exit_code, output.stdout), (0, f"safemode {wanted}\n"))
        lines = self.container.install()
        self.assertEqual(lines[-1], "done 0")
        self.assertEqual(self.container.visit("/").status_code, 200)
