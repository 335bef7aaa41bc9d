"""What is watched by: alert rules, the dashboard and the page name metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from unittest import skipUnless

from django.test import TestCase
from prometheus_client import generate_latest

from nodepoint.metrics import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
NAMED = re.compile(r"nodepoint_[a-z_]+[a-z]")


class MonitoringTests(TestCase):
    def metrics(self) -> set[str]:
        """All that /metrics tells, with the series of histograms."""
        told = generate_latest(REGISTRY).decode()
        kinds = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", told))
        series = {
            f"{name}_{part}"
            for name in kinds
            if kinds[name] == "histogram"
            for part in ("bucket", "sum", "count")
        }
        return {*kinds, *series}

    def test_alerts_and_dashboard_name_metrics_that_there_are(self) -> None:
        metrics = self.metrics()
        for file in ("alerts.yaml", "alerts.test.yaml", "dashboard.json"):
            named = set(NAMED.findall((FOLDER / file).read_text()))
            self.assertGreater(len(named), 5, file)
            self.assertEqual(named - metrics, set(), file)

    def test_each_metric_stands_on_the_page(self) -> None:
        page = "".join((ROOT / "docs" / name).read_text() for name in ("operations.md", "running.md"))
        short = {name for name in self.metrics() if not name.endswith(("_bucket", "_sum", "_count"))}
        missing = {
            name for name in short if f"`{name}`" not in page and f"`_{name.rpartition('_')[2]}`" not in page
        }
        self.assertEqual(missing, set())

    def test_the_dashboard_can_be_read_and_its_panels_do_not_cover_one_another(self) -> None:
        panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        cells = [
            (x, y)
            for place in (panel["gridPos"] for panel in panels)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        self.assertEqual(len(set(cells)), len(cells))

    @skipUnless(shutil.which("promtool"), "promtool (Debian package prometheus) is not installed")
    def test_each_alert_fires_on_what_it_is_for_and_on_nothing_else(self) -> None:
        for words in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]):
            done = subprocess.run(
                ["promtool", *words], cwd=FOLDER, capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
