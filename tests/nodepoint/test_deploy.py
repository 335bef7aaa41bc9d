"""What an operator is given: the service has as few rights as it can work with."""

import configparser
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from nodepoint.env import WRONG_SETTINGS

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "nodepoint.service"
MOST = 2.0  # of ten, as systemd-analyze counts exposure


class UnitTests(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_its_exposure_is_small(self) -> None:
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertLessEqual(float(level), MOST, said)

    def unit(self) -> configparser.RawConfigParser:
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(UNIT)
        return unit

    def test_it_gives_up_on_wrong_settings_alone(self) -> None:
        unit = self.unit()
        self.assertEqual(unit["Unit"]["StartLimitIntervalSec"], "0")
        self.assertEqual(unit["Service"]["Restart"], "always")
        self.assertEqual(unit["Service"]["RestartPreventExitStatus"], str(WRONG_SETTINGS))

    def test_it_writes_to_its_data_folder_alone(self) -> None:
        service = dict(self.unit()["Service"])
        self.assertEqual((service["ProtectSystem"], service["StateDirectory"]), ("strict", "nodepoint"))
        self.assertNotIn("ReadWritePaths", service)
        self.assertIn("NODEPOINT_DATA=/var/lib/nodepoint", service["Environment"])
        self.assertEqual(service["User"], "nodepoint")
