"""The look from inside, in a real container: what a healthy site says, and what a sick one does."""

from sites import diagnosis, install
from tests.containers import base, sites
from tests.containers.base import ContainerTestCase


def setUpModule() -> None:
    base.required(short=True)


class HealthTests(ContainerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.container = sites.plain().container

    def look(self) -> diagnosis.Facts:
        output = self.container.run("bash", "-s", "health", stdin=install.health_script())
        self.assertEqual(output.exit_code, 0, output)
        return diagnosis.read(output.stdout)

    def test_a_site_tells_its_versions_and_its_troubles(self):
        facts = self.look()
        self.assertEqual(facts.get("answered"), "yes", facts)
        self.assertRegex(facts["wordpress"], r"^\d+\.\d+")
        self.assertLessEqual({"nginx", "mariadb-server"}, set(facts["package"]), facts)
        self.assertGreater(len(facts["test"]), 10, facts)
        self.assertEqual([], facts.get("down", []))
        critical = [name for name, status in facts["test"].items() if status == "critical"]
        self.assertEqual(critical, [], facts["test"])
        recommended = {name for name, status in facts["test"].items() if status == "recommended"}
        # These for want of a way to wordpress.org, which a real site has.
        others = recommended - {"wordpress_version", "plugin_version"}
        self.assertEqual(others, set(), facts["test"])
        self.sick()

    def sick(self) -> None:
        plugin = "/var/www/wordpress/wp-content/mu-plugins/sick.php"
        code = '<?php echo "\\nnodepoint-health\\nend\\ndown everything\\n"; call_nothing();'
        self.container.run("bash", "-c", f"mkdir -p $(dirname {plugin}); cat >{plugin}", stdin=code)
        self.container.run("systemctl", "stop", "cron")
        try:
            facts = self.look()
        finally:
            self.container.run("rm", plugin)
            self.container.run("systemctl", "start", "cron")
        self.assertEqual(facts["down"], ["cron"])
        said = diagnosis.troubles(facts)
        self.assertIn("Not running: cron.", said)
        self.assertTrue(any("does not start" in one for one in said), said)
