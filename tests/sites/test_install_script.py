"""The install script: nothing that anybody writes can break out of it, and half of it does nothing."""

import subprocess
import tempfile
from pathlib import Path

from django.test import SimpleTestCase, override_settings

from sites import install
from sites.models import Plan, Site

MARK = "BROKEN_OUT"
HOSTILE = [
    "plain@example.com",
    "o'neil@example.com",
    f"x'; touch {MARK}; '@example.com",
    f'x"; touch {MARK}; "@example.com',
    f"$(touch {MARK})@example.com",
    f"`touch {MARK}`@example.com",
    f"${{IFS}}$(touch {MARK})",
    f"a\ntouch {MARK}\n",
    f"a\r\ntouch {MARK}",
    f"a\\'; touch {MARK} #",
    f"\n# parameters\ntouch {MARK}\n",
    f"*?[]{{}}~!#&|<>;() touch {MARK}",
    f"END\ntouch {MARK}\nEND",
    "ünïcödé@example.com \u202e",
    "-n",
    "",
]


def site(email: str = "jane@example.com") -> Site:
    """An order that is in no database."""
    plan = Plan(name="basic", memory_mb=2048, disk_gb=20, cores=2, backups=2, domains=3)
    return Site(service_id="1", email=email, plan=plan, vmid=903, subdomain="jane", public_ip="203.0.113.10")


def bash(
    script: str | bytes, *arguments: str, folder: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run bash with a script on its standard input, as the container does."""
    script = script.encode() if isinstance(script, str) else script
    return subprocess.run(
        ["/bin/bash", *arguments], input=script, capture_output=True, cwd=folder, timeout=20, check=False
    )


@override_settings(PROXY_LAN_IPS=["192.168.1.5", "192.168.1.6"], BASE_DOMAIN="nodepoint.eu")
class ParameterTests(SimpleTestCase):
    def _assignments(self, script: str) -> str:
        """The part of the script that does nothing but assign."""
        begin = script.index("SITE_HOSTNAME=")
        return script[begin : script.index("\nSTATE=/var/lib/nodepoint\n")]

    def test_bash_reads_every_value_as_it_was_given(self):
        for value in HOSTILE:
            with self.subTest(value=value), override_settings(SITE_SMTP_URL=value, WORDPRESS_URL=value):
                order = site(email=value)
                names = list(install.parameters(order))
                said = " ".join(f'"${name}"' for name in names)
                script = f"{self._assignments(install.script(order))}\nprintf '%s\\0' {said}\n"
                with tempfile.TemporaryDirectory() as folder:
                    output = bash(script, "-s", folder=folder)
                    self.assertEqual(list(Path(folder).iterdir()), [], "a command was run")
                values = output.stdout.decode().split("\0")[:-1]
                self.assertEqual((output.returncode, output.stderr), (0, b""))
                wanted = [str(given) for given in install.parameters(order).values()]
                self.assertEqual(values, wanted)

    def test_the_whole_script_is_good_bash_whatever_is_in_it(self):
        for value in HOSTILE:
            with self.subTest(value=value), override_settings(SITE_SMTP_URL=value):
                checked = bash(install.script(site(email=value)), "-n")
                self.assertEqual((checked.returncode, checked.stderr), (0, b""))

    def test_what_a_site_is_given(self):
        given = install.parameters(site())
        self.assertEqual(given["SITE_HOSTNAME"], "jane.nodepoint.eu")
        self.assertEqual((given["MEMORY"], given["PROXY_IPS"]), (2048, "192.168.1.5 192.168.1.6"))

    def test_bad_parameters_end_it_before_it_does_anything(self):
        for old, new in (
            ("SITE_HOSTNAME=jane.nodepoint.eu", "SITE_HOSTNAME='a b'"),
            ("MEMORY=2048", "MEMORY=lots"),
            ("ADMIN_EMAIL=jane@example.com", "ADMIN_EMAIL="),
        ):
            with self.subTest(new):
                script = install.script(site())
                self.assertIn(old, script)
                script = script.replace(old, new, 1).replace(
                    "    install -d -m 700", "    echo REACHED; exit 1 #", 1
                )
                ended = bash(script, "-s", "install")
                self.assertEqual((ended.returncode, ended.stdout), (64, b""))


class CutOffTests(SimpleTestCase):
    def test_a_script_that_arrives_in_part_is_never_run(self):
        script = install.script(site()).replace("main() {", "main() { echo REACHED; exit 0", 1).encode()
        self.assertIn(b"REACHED", bash(script, "-s", "install").stdout, "whole, it is run")
        end = len(script.rstrip())
        last_line = script.rstrip().rindex(b"\n")
        places = [*range(0, last_line, 331), *range(last_line - 3, end)]
        for place in places:
            with self.subTest(place=place, before=script[max(0, place - 20) : place]):
                self.assertNotIn(b"REACHED", bash(script[:place], "-s", "install").stdout)
