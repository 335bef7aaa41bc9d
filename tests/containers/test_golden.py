"""From the golden template: only the site's own part is left to do, and nothing is shared."""

from tests.containers import base, sites
from tests.containers.base import ContainerTestCase, title

MOST = 0.25  # of what the plain template takes, from creation to the end of the verification


def setUpModule() -> None:
    base.required(short=True)


class GoldenTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.plain = sites.plain().container
        sites.golden_template()
        cls.before = len(base.mirror().requests)
        cls.golden = sites.golden()

    def test_it_takes_a_quarter_of_the_time_at_most(self):
        ratio = self.golden.seconds / self.plain.seconds
        self.assertLessEqual(ratio, MOST)
        print(  # noqa: T201 - what this test is for
            f"\nplain {self.plain.seconds:.1f} s, golden {self.golden.seconds:.1f} s, ratio {ratio:.2f}"
        )

    def test_it_is_a_site_like_any_other(self):
        answer = self.golden.visit("/")
        self.assertEqual((answer.status_code, title(answer)), (200, "site904.nodepoint.eu"))
        asked = " ".join(base.mirror().requests[self.before :])
        self.assertNotIn(".deb", asked)
        self.assertNotIn("wordpress", asked)

    def test_packages_that_a_kill_left_half_installed_are_mended(self):
        base_of_it = sites.common()
        self.assertNotEqual(base_of_it.half_done, "", "the kill came in the middle")
        self.assertEqual(base_of_it.lines[-1], "done 0")

    def test_two_of_them_share_no_secret(self):
        other = base.made(sites.SPARE, sites.golden_template())
        self.addCleanup(other.destroy)
        for what in (
            "cat /var/lib/nodepoint/database",
            "grep SALT /var/www/wordpress/wp-config.php",
            "cat /etc/machine-id",
            "cat /etc/nginx/loopback.key",
            "mariadb -BN wordpress -e 'SELECT user_pass FROM wp_users'",
        ):
            mine, theirs = self.golden.shell(what), other.shell(what)
            self.assertTrue(mine.strip(), what)
            self.assertNotEqual(mine, theirs, what)
        for name in ("ssh_host_ed25519_key", "ssh_host_rsa_key"):
            self.assertEqual(other.run("test", "-e", f"/etc/ssh/{name}").exit_code, 1)
