"""Snapshots of a site at work, and going back to them."""

import unittest

from sites import install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase

WRITER = r"""
mariadb wordpress -e 'CREATE TABLE IF NOT EXISTS my (n INT, t TEXT, KEY (n)) ENGINE=MyISAM;
                      CREATE TABLE IF NOT EXISTS inno (n INT PRIMARY KEY AUTO_INCREMENT) ENGINE=InnoDB'
rm -f /tmp/over
setsid bash -c 'while [[ ! -e /tmp/over ]]; do
    echo "INSERT INTO my VALUES (RAND() * 1e9, REPEAT(UUID(), 50)); INSERT INTO inno VALUES (NULL);"
done | mariadb wordpress' </dev/null >/dev/null 2>&1 &
sleep 0.5
"""


def setUpModule() -> None:
    base.required()
    if not base.node().has_snapshots:
        raise unittest.SkipTest("no storage with snapshots here: no btrfs, or no loop device")


class SnapshotTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def back_to(self, name: str) -> None:
        self.container.pct("rollback", name)
        self.assertEqual(self.container.pct("status"), "status: stopped\n")
        self.container.pct("start")
        self.container.shell("for i in {1..100}; do systemctl is-active -q mariadb && break; sleep 0.2; done")

    def act(self, name: str) -> str:
        output = self.container.run("bash", "-s", name, stdin=install.database_script())
        self.assertEqual(output.exit_code, 0, output)
        return output.stdout

    def test_a_held_database_comes_back_whole(self):
        self.addCleanup(self.container.run, "touch", "/tmp/over")
        self.container.shell(WRITER)
        count = "mariadb wordpress -BN -e 'SELECT COUNT(*) FROM inno; SELECT COUNT(*) FROM my'"
        self.assertEqual(self.act("hold"), "held\n")
        held = self.container.shell(count)
        self.assertGreater(int(held.split()[0]), 0)
        self.assertEqual(self.container.shell(f"sleep 1; {count}"), held, "nothing is written meanwhile")
        self.container.pct("snapshot", "held")
        self.act("release")
        later = self.container.shell(f"sleep 0.5; {count}")
        self.assertGreater(int(later.split()[0]), int(held.split()[0]), "it goes on afterwards")
        self.back_to("held")
        checked = self.container.shell("mariadb wordpress -BN -e 'CHECK TABLE my, inno, wp_posts'")
        self.assertEqual([line.split("\t")[-1] for line in checked.splitlines()], ["OK"] * 3, checked)
        self.assertEqual(self.container.shell(count), held)
        repaired = self.container.run(
            "journalctl", "--no-pager", "-b", "-u", "mariadb", "-g", "crashed|epair"
        )
        self.assertNotIn("wordpress/my", repaired.stdout)
        self.assertEqual(self.container.visit("/").status_code, 200)

    def test_after_a_rollback_the_script_makes_it_as_the_rows_say(self):
        pool = "mariadb -BN -e 'SELECT @@innodb_buffer_pool_size DIV 1048576'"
        site = self.container.site
        self.addCleanup(setattr, self.container, "site", site)
        self.container.pct("snapshot", "small")
        self.container.site = base.order(sites.PLAIN, memory_mb=4096)
        primary = self.container.script("shop.example.com")
        self.assertEqual(self.container.install(primary)[-1], "done 0")
        self.assertEqual(self.container.visit("/").headers["Location"], "https://shop.example.com/")
        self.assertEqual(self.container.visit("/", host="shop.example.com").status_code, 200)
        self.back_to("small")
        self.assertEqual(self.container.shell(pool), "512\n")
        self.assertEqual(self.container.visit("/").status_code, 200)
        self.assertEqual(self.container.install(primary)[-1], "done 0")
        self.assertEqual(self.container.shell(pool), "1024\n")
        self.assertEqual(self.container.visit("/", host="shop.example.com").status_code, 200)
        self.container.site = site
        self.assertEqual(self.container.install()[-1], "done 0")
        self.assertEqual(self.container.visit("/").status_code, 200)
