"""From SQLite to MariaDB by the commands of docs/operations/keeping.md."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from django.test import SimpleTestCase

from tests.base import on_one_database
from tests.nodepoint.test_pages import command

ROOT = Path(__file__).resolve().parents[2]
MADE = """
from django.contrib.auth.models import Group, User
from nodepoint.api.models import Token
from sites.models import Plan
user = User.objects.create_superuser("ada", password="a long password")
user.groups.add(Group.objects.get(name="operator"))
Token.issue("Paymenter", ["sites"])
Plan.objects.filter(name="basic").update(memory_mb=1234)
"""
SEEN = """
from django.contrib.auth.models import User
from nodepoint.api.models import Token
from nodepoint.models import Installation
from sites.models import Plan
user = User.objects.get(username="ada")
print(user.check_password("a long password"), [group.name for group in user.groups.all()],
      [token.prefix for token in Token.objects.all()],
      [plan.memory_mb for plan in Plan.objects.order_by("pk")],
      Installation.objects.get().pk, sorted(user.groups.get().permissions.values_list("codename", flat=True)))
"""


@on_one_database
@unittest.skipUnless(
    shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"), "MariaDB is not installed"
)
class MoveTests(SimpleTestCase):
    def test_what_was_in_sqlite_is_in_mariadb_afterwards(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            before = {"DATABASE_URL": f"sqlite:///{folder}/old.sqlite3"}
            script = "\n".join(
                ("nodepoint migrate --verbosity 0", f"nodepoint shell -v0 -c '{MADE}'", command("rows-out"))
            )
            self.run_script(script, before)
            old = self.run_script(f"nodepoint shell -v0 -c '{SEEN}'", before)
            new = self.run_script(
                f"{command('rows-in')}\nnodepoint shell -v0 -c '{SEEN}'", {}, "script/mariadb"
            )
        self.assertEqual(old.splitlines()[-1], new.splitlines()[-1])
        self.assertIn("True ['operator']", old)
        self.assertIn("1234", new)

    def run_script(self, script: str, environment: dict[str, str], *before: str) -> str:
        """What commands of the page print; `nodepoint` is manage.py, and the data folder one of ours."""
        script = script.replace("/var/lib/nodepoint", str(self.folder))
        wrapper = f'nodepoint() {{ "{sys.executable}" manage.py "$@"; }}\n'
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [*before, "bash", "-ec", wrapper + script],
            env={**clean, "NODEPOINT_DATA": str(self.folder), **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout
