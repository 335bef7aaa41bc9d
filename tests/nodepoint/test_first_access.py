"""The first member of staff and the portal's token: made once, shown once."""

import os
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import TestCase

from nodepoint.api.models import Token
from nodepoint.audit.models import Entry

ROOT = Path(__file__).resolve().parents[2]


class FirstAccessTests(TestCase):
    def run_command(self) -> list[str]:
        out = StringIO()
        call_command("first_access", "ada", stdout=out)
        return out.getvalue().splitlines()

    def test_what_it_shows_lets_in(self) -> None:
        admin, _, secret = self.run_command()
        user = get_user_model().objects.get(username="ada", is_superuser=True, is_staff=True)
        self.assertTrue(user.check_password(admin.partition("password ")[2].split()[0]))
        self.assertEqual(Token.of(secret).scopes, ["sites", "dns", "support"])
        self.assertEqual(Entry.objects.count(), 2)
        self.assertNotIn(secret.rpartition("_")[2], str(list(Entry.objects.values())))

    def test_what_is_there_is_left_alone_and_not_shown(self) -> None:
        self.run_command()
        before = get_user_model().objects.get().password
        self.assertEqual(self.run_command(), [])
        self.assertEqual(get_user_model().objects.get().password, before)

    def test_a_token_that_was_revoked_is_made_anew(self) -> None:
        self.run_command()
        Token.objects.get().revoke()
        self.assertEqual(len(self.run_command()), 2)
        self.assertEqual(sum(token.usable for token in Token.objects.all()), 1)

    def test_before_the_first_start_it_is_one_sentence(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            there = {
                "NODEPOINT_DATA": folder,
                "DATABASE_URL": f"sqlite:///{folder}/empty",
                "SECRET_KEY": "x" * 50,
            }
            done = subprocess.run(
                [sys.executable, "manage.py", "first_access", "ada"],
                env={"PATH": os.environ["PATH"], **there},
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr, r"^CommandError: The database cannot be used .* Has `migrate` been run\?\n$"
        )
