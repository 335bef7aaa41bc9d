"""What the tests share that do what the pages for operators say: the commands, timed, and an order's way."""

import json
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from django.test import SimpleTestCase

from tests.containers.node import PATH
from tests.nodepoint.test_pages import command

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = "/root/nodepoint.bundle"  # what the pages call ADDRESS
CLEAN = ("env", "-i", "HOME=/root", f"PATH={PATH}")  # a login's environment
LONGEST = 120.0  # seconds until an order is settled


def say(line: str) -> None:
    """A figure, beside the runner's dots."""
    sys.stderr.write(f"{line}\n")


@cache
def releases(folder: Path) -> tuple[Path, Path]:
    """This commit as a repository in a file, and one with a later release that has another unit."""
    work, bundles = folder / "releases", (folder / "this.bundle", folder / "next.bundle")
    git = ["git", "-C", str(work), "-c", "user.name=tests", "-c", "user.email=tests@example.com"]
    subprocess.run(["git", "clone", "-q", str(ROOT), str(work)], check=True)
    subprocess.run([*git, "checkout", "-q", "-B", "main"], check=True)
    subprocess.run([*git, "bundle", "create", "-q", str(bundles[0]), "HEAD", "main"], check=True)
    unit = work / "deploy" / "nodepoint.service"
    unit.write_text(unit.read_text().replace("Description=NodePoint", "Description=NodePoint, the next"))
    subprocess.run([*git, "commit", "-q", "-a", "-m", "The next release"], check=True)
    subprocess.run([*git, "bundle", "create", "-q", str(bundles[1]), "HEAD", "main"], check=True)
    return bundles


class Machine(Protocol):
    """Where commands are typed in."""

    def run(self, script: str) -> str:
        """What a script of root's prints. AssertionError when it fails."""


class ByThePages(SimpleTestCase):
    """A class sets `machine` and `named`; `replaced`: more words of the pages that are others here."""

    machine: Machine
    named = ""
    replaced: dict[str, str] = {}

    def run_page(self, text: str, **words: str) -> str:
        """The commands of a page, with the words in capitals replaced."""
        for word, value in {"ADDRESS": BUNDLE, **self.replaced, **words}.items():
            text = text.replace(word, value)
        began = time.monotonic()
        said = self.machine.run(text)
        say(f"{self.named}: {time.monotonic() - began:.0f} s: {text.strip().splitlines()[-1]}")
        return said

    def settled(self, token: str, service: str = "1") -> dict[str, Any]:
        """The status of an ordered site when it is no longer being made, and the service answers."""
        until = time.monotonic() + LONGEST
        asked = command("status").strip()
        for word, value in {
            "TOKEN": token,
            "service_id=1": f"service_id={service}",
            **self.replaced,
        }.items():
            asked = asked.replace(word, value)
        while True:
            said = self.machine.run(f"{asked} || true")
            status = json.loads(said) if said.startswith("{") else {"status": "provisioning"}
            if status.get("status", "provisioning") != "provisioning" or time.monotonic() > until:
                return status
            time.sleep(1)
