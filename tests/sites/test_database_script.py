"""The script that holds a site's database during a snapshot, with a MariaDB that notes what it is told."""

import subprocess
import tempfile
import time
from pathlib import Path

from django.test import SimpleTestCase

from sites import install
from tests.base import on_one_database

ANSWERS = """#!/bin/bash
echo "$@" >>"$STATE/started"
while read -r line; do
    echo "$line" >>"$STATE/told"
    [[ $line == "SELECT 'held';" ]] && echo held
done
echo end >>"$STATE/told"
exit 0
"""
REFUSES = "#!/bin/bash\necho 'ERROR 2002 (HY000): no server' >&2\nexit 1\n"


@on_one_database
class DatabaseScriptTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state, self.bin = folder / "state", folder / "bin"
        self.bin.mkdir()
        self.script = install.database_script()
        for old, new in (
            ("STATE=/run/nodepoint", f"STATE={self.state}"),
            ("PATH=/usr/sbin", f"PATH={self.bin}:/usr/sbin"),
        ):
            self.assertEqual(self.script.count(old), 1)
            self.script = self.script.replace(old, new)
        self.mariadb(ANSWERS)
        self.addCleanup(self.run_script, "release")

    def mariadb(self, text: str) -> None:
        program = self.bin / "mariadb"
        program.write_text(text.replace("$STATE", str(self.state)))
        program.chmod(0o755)

    def run_script(self, *arguments: str, script: str | None = None) -> subprocess.CompletedProcess:
        command = ["/bin/bash", "-s", *arguments]
        text = self.script if script is None else script
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=15)

    def told(self) -> list[str]:
        return (self.state / "told").read_text().splitlines()

    def test_it_is_held_until_it_is_released(self):
        held = self.run_script("hold")
        self.assertEqual((held.returncode, held.stdout), (0, "held\n"), held.stderr)
        self.assertIn("BACKUP STAGE BLOCK_COMMIT;", self.told()[1])
        self.assertNotIn("BACKUP STAGE END;", self.told())
        self.assertEqual(self.run_script("release").returncode, 0)
        self.assertEqual(self.told()[-2:], ["BACKUP STAGE END;", "end"])

    def test_it_ends_by_itself(self):
        self.script = self.script.replace("LONGEST=20", "LONGEST=1")
        self.assertEqual(self.run_script("hold").returncode, 0)
        time.sleep(1.5)
        self.assertEqual(self.told()[-2:], ["BACKUP STAGE END;", "end"])

    def test_a_second_hold_ends_the_first(self):
        self.run_script("hold")
        self.assertEqual(self.run_script("hold").stdout, "held\n")
        self.assertEqual(len((self.state / "started").read_text().splitlines()), 2)
        self.assertEqual(self.told().count("BACKUP STAGE END;"), 1)

    def test_a_database_that_does_not_answer(self):
        self.mariadb(REFUSES)
        held = self.run_script("hold")
        self.assertEqual((held.returncode, held.stdout), (70, ""))
        self.assertIn("no server", held.stderr)

    def test_a_release_of_nothing_and_what_is_no_act(self):
        self.assertEqual(self.run_script("release").returncode, 0)
        self.assertEqual(self.run_script("drop").returncode, 64)
        self.assertEqual(self.run_script().returncode, 64)

    def test_a_script_that_was_cut_off_does_nothing(self):
        for length in range(0, len(self.script) - 1, 97):
            self.run_script("hold", script=self.script[:length])
        self.run_script("hold", script=self.script[:-2])
        self.assertFalse(self.state.exists())
