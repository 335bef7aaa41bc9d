"""The service in containers: what docs/operations/containers.md says is done, with a real podman.

No registry of images is asked: the base is made of Debian's packages, and `images/` has MariaDB, Redis and
nginx under the names that the compose file gives.
"""

import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from tests.containers import materials
from tests.containers.base import cache_folder, mirror_for, required
from tests.containers.node import PATH, Node
from tests.containers.pages import ByThePages, releases, say
from tests.nodepoint.test_pages import command

BUNDLE = "/run/nodepoint.bundle"
IMAGES = Path(__file__).parent / "images"
NAMES = {"database": "mariadb:11.8", "broker": "redis:7", "front": "nginx:1.28"}
NEEDED = ("podman", "podman-compose", "iptables", "curl")
# A machine that is this one without its /etc, /opt and containers. It has no systemd, whose timers look at a
# container's health, and limits nothing by cgroups, which the node has without controllers.
SCRATCH = """
mkdir "$1/etc" "$1/work" "$1/storage"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
mkdir -p /var/lib/containers
mount --bind "$1/storage" /var/lib/containers
mount -t tmpfs tmpfs /opt
mount -t tmpfs tmpfs /var/backups
rm -rf /etc/containers/networks /etc/nodepoint
printf '[containers]\\ncgroups = "disabled"\\n' >/etc/containers/containers.conf
"""


def setUpModule() -> None:
    required()
    if missing := [name for name in NEEDED if shutil.which(name, path=f"{PATH}:{venv()}") is None]:
        raise unittest.SkipTest(f"not installed: {', '.join(missing)}")


def venv() -> str:
    """Where podman-compose is where pip has installed it."""
    found = shutil.which("podman-compose")
    return str(Path(found).parent) if found else PATH


class Host:
    """A machine with podman, in namespaces of its own; all of it goes with `close`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nodepoint-podman-")
        self.folder = Path(self._folder.name)
        self.node = Node(self.folder)
        self.mirror = mirror_for(self.node)
        base = materials.image(cache_folder(), self.mirror.url)
        self.node.run("bash", "-euc", SCRATCH, "-", str(self.folder))
        self.push(releases(self.folder)[0])
        self.run(f"podman import -q {base} docker.io/library/debian:trixie-slim")
        for name, image in NAMES.items():
            file = IMAGES / f"{name}.Containerfile"
            self.run(f"podman build -q -f {file} -t docker.io/library/{image} {IMAGES}")

    def close(self) -> None:
        self.run("podman rm --all --force --time 0")
        self.mirror.close()
        self.node.close()
        self._folder.cleanup()

    def push(self, bundle: Path) -> None:
        self.run(f"cp {bundle} {BUNDLE}")

    def run(self, script: str) -> str:
        """What a script of root's prints. AssertionError when it fails."""
        words = ["env", "-i", "HOME=/root", f"PATH={venv()}:{PATH}", "BUILDAH_ISOLATION=chroot"]
        return self.node.run(*words, "bash", "-ec", script).stdout


class ComposeTests(ByThePages):
    """From nothing to an upgrade, by the page: each step stands on the one before."""

    named = "containers"
    replaced = {
        "ADDRESS": BUNDLE,
        "--cacert /etc/ssl/nodepoint.pem": "--cacert /opt/nodepoint/deploy/tls/nodepoint.pem",
    }

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine = Host()
        cls.addClassCleanup(cls.machine.close)

    def running(self) -> set[str]:
        said = self.machine.run("podman ps --format '{{.Names}}'")
        return {name.removeprefix("nodepoint_").removesuffix("_1") for name in said.split()}

    def test_the_life_of_an_installation_by_the_page(self) -> None:
        began = time.monotonic()
        self.run_page(command("containers-files"))
        self.run_page(command("containers-certificate"))
        self.run_page(command("containers-build"))
        self.run_page(command("containers-rehearsal"))
        first = self.run_page(command("containers-start"))
        self.assertNotRegex(first, r"(?m)^\S+.* no ")
        for system in ("database", "broker", "workers", "proxmox", "npm", "nameservers"):
            self.assertRegex(first, rf"(?m)^{system} +yes +yes +yes")
        say(f"containers: green doctor {time.monotonic() - began:.0f} s after the first command")
        token = re.search(r"^np_\S+$", first, re.MULTILINE)[0]

        self.run_page(command("order"), TOKEN=token)
        self.assertEqual(self.settled(token)["status"], "running")
        say(f"containers: a site was live {time.monotonic() - began:.0f} s after the first command")
        self.assertEqual(self.running(), {"database", "broker", "app", "front", "lab"})

        with self.subTest("each of them may be started again alone, and is found by the others"):
            self.run_page(command("containers-restart"))
            self.machine.run("podman restart nodepoint_front_1 nodepoint_lab_1 nodepoint_broker_1")
            self.assertEqual(self.settled(token)["status"], "running")
            self.run_page(command("order"), TOKEN=token, **{'"1"': '"2"'})
            self.assertEqual(self.settled(token, "2")["status"], "running")
        with self.subTest("the machine is started again"):
            # podman-restart.service, word by word (Debian 12: podman 4.3.1).
            self.machine.run("podman stop --all; podman start --all --filter restart-policy=always")
            self.assertEqual(self.settled(token, "2")["status"], "running")
        with self.subTest("upgrade"):
            self.machine.push(releases(self.machine.folder)[1])
            before = self.machine.run("podman exec nodepoint_app_1 cat .install-release")
            self.run_page(command("containers-upgrade"))
            self.assertNotEqual(self.machine.run("podman exec nodepoint_app_1 cat .install-release"), before)
            self.assertEqual(self.settled(token)["status"], "running")
        with self.subTest("backup"):
            self.run_page(command("containers-backup"))
            dump = self.machine.run("zcat /var/backups/nodepoint/rows.sql.gz | grep -c '^CREATE TABLE'")
            self.assertGreater(int(dump), 10)
        with self.subTest("nobody is root, nothing of its own is changed"):
            self.assertEqual(self.machine.run("podman exec nodepoint_app_1 id -u").strip(), "10001")
            refused = self.machine.run("podman exec nodepoint_app_1 touch /opt/nodepoint/x 2>&1 || true")
            self.assertIn("Read-only", refused)
        self.run_page(command("containers-remove"))
        self.assertEqual(self.running(), set())
