"""What acts are called on pages: never by the dotted names of the log."""

import re
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

from nodepoint.audit import words
from nodepoint.audit.models import Entry
from support.services import ACTS

WRITTEN = re.compile(r"""(?:record|_set_pause)\(\s*"([a-z_]+\.[a-z_]+)\"""")
STEERED = re.compile(r"""_record\("([a-z_]+)\", job""")


def recorded() -> set[str]:
    """The names of all acts that the code writes down, but for jobs, which are called as their flows are."""
    found = {f"support.{act}" for act in ACTS.values()}
    for app in ("nodepoint", "sites", "dns", "support"):
        for file in Path(settings.BASE_DIR, app).rglob("*.py"):
            text = file.read_text()
            found.update(WRITTEN.findall(text))
            found.update(f"jobs.{act}" for act in STEERED.findall(text))
    return found


class WordsTests(SimpleTestCase):
    def test_every_act_that_is_written_down_has_words(self) -> None:
        acts = recorded()
        self.assertGreater(len(acts), 30)
        self.assertEqual(sorted(act for act in acts if not words.is_known(act)), [])

    def test_jobs_are_called_as_their_flows_and_rows_as_their_models(self) -> None:
        cases = {
            "sites.suspend": "Suspend site",
            "sites.change_plan": "Change plan",
            "api.revoke_token": "Revoke token",
            "sites.a_former_act": "A former act",
            "": "",
        }
        for act, said in cases.items():
            with self.subTest(act):
                self.assertEqual(words.of(act), said)

    def test_an_entry_reads_as_a_sentence(self) -> None:
        self.assertEqual(str(Entry(act="staff.log_in", label="olga")), "Log in: olga")
