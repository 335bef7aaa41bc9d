"""`manage.py prune`: all that the apps do not keep for ever, and what docs/running.md says of it."""

import io
import re
from datetime import timedelta
from pathlib import Path
from unittest import mock

from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from nodepoint import pruning
from nodepoint.board.models import CallCount
from nodepoint.jobs.models import Lease

PAGE = Path(__file__).resolve().parents[2] / "docs" / "running.md"


class PruneTests(TestCase):
    def prune(self, *options: str) -> str:
        out = io.StringIO()
        call_command("prune", *options, stdout=out)
        return out.getvalue()

    def test_it_counts_and_then_deletes_in_batches(self) -> None:
        long_ago = timezone.now() - timedelta(days=200)
        for number in range(5):
            CallCount.objects.create(hour=long_ago, route=f"r{number}", status=2)
        Lease.objects.create(name="x", slot=1, holder="", until=long_ago)
        Lease.objects.create(name="y", slot=1, holder="", until=timezone.now())
        self.assertRegex(self.prune("--dry-run"), r"(?m)^ +5  counts of calls")
        self.assertEqual(CallCount.objects.count(), 5)
        with mock.patch.object(pruning, "BATCH", 2):
            said = self.prune()
        self.assertRegex(said, r"(?m)^ +5  counts of calls, by the hour \(90 days\)$")
        self.assertRegex(said, r"(?m)^ +1  slots of limits \(1 days\)$")
        self.assertEqual((CallCount.objects.count(), Lease.objects.get().name), (0, "y"))
        self.assertNotRegex(self.prune(), r"(?m)^ +[1-9]")

    def test_the_page_lists_all_of_it(self) -> None:
        self.prune("--dry-run")
        rows = dict(re.findall(r"(?m)^\| ([^|]+) \| (\d+) days \|", PAGE.read_text()))
        self.assertEqual(rows, {rule.what: f"{rule.days:g}" for rule in pruning.rules()})
