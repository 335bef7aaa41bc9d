"""What an operator is given: the service has as few rights as it can work with."""

import configparser
import re
import shutil
import subprocess
import unittest
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "nodepoint.service"
MOST = 2.0  # of ten, as systemd-analyze counts exposure


class UnitTests(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_its_exposure_is_small(self) -> None:
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertLessEqual(float(level), MOST, said)

    def test_it_writes_to_its_data_folder_alone(self) -> None:
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(UNIT)
        service = dict(unit["Service"])
        self.assertEqual((service["ProtectSystem"], service["StateDirectory"]), ("strict", "nodepoint"))
        self.assertNotIn("ReadWritePaths", service)
        self.assertIn("NODEPOINT_DATA=/var/lib/nodepoint", service["Environment"])
        self.assertEqual(service["User"], "nodepoint")
