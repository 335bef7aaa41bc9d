"""A whole machine, booted: what docs/operations says is done there, word by word."""

import re
import time
from pathlib import Path

from tests.containers import materials
from tests.containers.base import cache_folder, long_form, mirror, node, required
from tests.containers.pages import BUNDLE, CLEAN, ByThePages, releases, say
from tests.nodepoint.test_pages import command

SERVICE = "/etc/systemd/system/nodepoint.service"


def setUpModule() -> None:
    required()


class Machine:
    """A booted Debian, with this repository to be cloned from a file."""

    def __init__(self, vmid: int, suite: str) -> None:
        self.vmid = vmid
        image = materials.machine(cache_folder(), suite, mirror().url)
        self.pct("create", str(image), "--hostname", f"operator-{suite}")
        self.pct("start")
        self.run("systemctl is-system-running --wait || true")
        self.push(releases(node().folder)[0], BUNDLE)
        # The way to Python's packages, as an operator's own network would have one.
        self.push(materials.AUTHORITIES, "/root/ca.pem")
        self.run(f"printf '[global]\\nproxy = {mirror().url}\\ncert = /root/ca.pem\\n' >/etc/pip.conf")

    def close(self) -> None:
        self.pct("destroy")

    def pct(self, act: str, *arguments: str) -> str:
        return node().run("pct", act, str(self.vmid), *arguments).stdout

    def push(self, file: Path, target: str) -> None:
        self.pct("push", str(file), target)

    def run(self, script: str) -> str:
        """What a script of root's prints, typed into a shell after a login. AssertionError when it fails."""
        return node().run("pct", "exec", str(self.vmid), "--", *CLEAN, "bash", "-ec", script).stdout


class OperatorTests(ByThePages):
    """On Debian 12, from nothing to nothing: each step stands on the one before."""

    suite = "bookworm"
    vmid = 901

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine = Machine(cls.vmid, cls.suite)
        cls.named = cls.suite
        cls.addClassCleanup(cls.machine.close)

    def test_the_life_of_an_installation_by_the_pages(self) -> None:
        began = time.monotonic()
        first = self.run_page(command("install-lab"))
        self.assertRegex(first, r"proxmox +yes +yes +yes")
        self.assertIn("password", first)
        token = re.search(r"^np_\S+$", first, re.MULTILINE)[0]

        self.run_page(command("order"), TOKEN=token)
        self.assertEqual(self.settled(token)["status"], "running")
        say(f"{self.suite}: a site was live {time.monotonic() - began:.0f} s after the first command")

        again = self.run_page(command("install-again"))
        self.assertIn("nothing changed", again)
        self.assertNotIn("password", again)
        self.machine.run(command("ssh-key"))
        self.assertEqual(self.machine.run("runuser -u nodepoint -- head -c 3 /etc/nodepoint/ssh_key"), "---")

        self.run_page(command("backup"))
        self.assertEqual(self.settled(token)["vmid"], 900)
        self.run_page(command("order"), TOKEN=token, **{'"1"': '"2"'})
        self.assertEqual(self.settled(token, "2")["status"], "running")
        self.assertRegex(self.run_page(command("restore")), r"(?m)^adopted.* 2\b")
        self.run_page(command("restore-release"))
        self.assertEqual([self.settled(token, one)["status"] for one in "12"], ["running", "running"])

        self.machine.push(releases(node().folder)[1], BUNDLE)
        self.assertIn(SERVICE, self.run_page(command("upgrade")))
        self.assertIn("the next", self.machine.run("systemctl show -P Description nodepoint"))
        self.assertEqual(self.settled(token)["status"], "running")

        self.run_page(command("uninstall"))
        kept = f"test ! -e {SERVICE} && mariadb -e 'USE nodepoint' && echo kept"
        self.assertEqual(self.machine.run(kept), "kept\n")
        self.run_page(command("uninstall-data"))
        self.assertEqual(self.machine.run("ls -d /opt/nodepoint /var/lib/nodepoint 2>/dev/null || true"), "")


@long_form
class NextDebianTests(OperatorTests):
    """The same on Debian 13."""

    suite = "trixie"
    vmid = 902
