"""Everything goes amiss: `script/install` killed, out of disk, wrongly answered, and at last right."""

import json
from pathlib import Path

from tests.containers.base import long_form, required
from tests.containers.pages import ByThePages, say
from tests.containers.test_operator import Machine
from tests.nodepoint.test_pages import command

INSTALL = "/opt/nodepoint/script/install"
LAB = "/var/lib/nodepoint-lab/lab.json"
KILLED = (12, 45, 90)  # seconds into a first run: packages, the virtual environment, and what comes then
ANSWERS = f"{INSTALL} --answers"


def setUpModule() -> None:
    required()


@long_form
class AmissTests(ByThePages):
    """On one Debian 12; nothing is written until all answers are right."""

    named = "amiss"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.machine = Machine(904, "bookworm")
        cls.addClassCleanup(cls.machine.close)

    def attempt(self, script: str) -> tuple[int, str]:
        """Exit code and both outputs of a script of root's."""
        *lines, code = self.machine.run(f"({script}) 2>&1 </dev/null && echo 0 || echo $?").splitlines()
        return int(code), "\n".join(lines)

    def refused(self, script: str, sentence: str) -> None:
        code, said = self.attempt(script)
        self.assertNotEqual(code, 0, said)
        self.assertRegex(said, sentence)
        self.assertNotIn("Traceback", said)
        self.assertEqual(self.machine.run("ls -d /opt/nodepoint/.env /opt/nodepoint/.install || true"), "")

    def test_whatever_goes_amiss_the_next_run_goes_on(self) -> None:
        self.run_page(command("install-lab").splitlines()[0])
        self.machine.run("sed 's/^HOST_NAME=.*/HOST_NAM=x/' /opt/nodepoint/deploy/answers.lab >/root/half")
        with self.subTest("killed, with all that it had started"):
            for seconds in KILLED:
                code, said = self.attempt(f"timeout --signal=KILL {seconds} {ANSWERS} /root/half")
                say(f"amiss: after {seconds} s: {(said.splitlines() or ['-'])[-1]}")
                self.assertNotIn("Traceback", said)
        with self.subTest("a disk that is full"):
            venv = "/opt/nodepoint/.venv"
            self.machine.run(f"rm -rf {venv}; mkdir {venv}; mount -t tmpfs -o size=24m tmpfs {venv}")
            self.refused(f"{ANSWERS} /root/half", r"install: .* could not be installed: .*No space left")
            self.machine.run(f"umount {venv}")
        with self.subTest("half an answer file"):
            self.refused(f"{ANSWERS} /root/half", "HOST_NAM is no setting. Nothing was written")
            self.machine.run("sed '/^HOST_NAME=/d' /opt/nodepoint/deploy/answers.lab >/root/half")
            self.refused(f"{ANSWERS} /root/half", "HOST_NAME is malformed")
        with self.subTest("wrong credentials"):
            wrong = "(cat /opt/nodepoint/deploy/answers.lab; echo PROXMOX_TOKEN_VALUE=wrong) >/root/wrong"
            self.machine.run(wrong)
            self.refused(f"{ANSWERS} /root/wrong", "proxmox: Check PROXMOX_USER")
        with self.subTest("a person answers wrongly, and again"):
            self.assertIn("Check PROXMOX_USER", self.typed())
        with self.subTest("a database of another application"):
            code, said = self.attempt(INSTALL)
            self.assertIn("tables of something else", said)
            self.assertNotEqual(code, 0)
            self.machine.run("mariadb nodepoint -e 'DROP TABLE wp_posts'")
        with self.subTest("and at last"):
            said = self.machine.run(INSTALL)
            self.assertRegex(said, r"proxmox +yes +yes +yes")
            self.assertRegex(said, r"(?m)^np_\S+$")
            self.assertIn("nothing changed", self.machine.run(INSTALL))

    def typed(self) -> str:
        """The screen of a dialogue with two wrong answers, which ends at a database with others' tables."""
        machine = self.machine
        right = json.loads(machine.run(f"cat {LAB}"))["settings"]
        given = {name: [value] for name, value in right.items()}
        given |= {"HOST_NAME": ["localhost", "nodepoint.test"], "PROXY_IP": ["203.0.113.10"]}
        given |= {
            "EMAIL_URL": ["filemail:///var/lib/nodepoint/mail"],
            "STAFF_EMAIL": ["staff@nodepoint.test"],
        }
        given["DATABASE"] = ["mariadb"]
        given["PROXMOX_TOKEN_VALUE"] = ["wrong", right["PROXMOX_TOKEN_VALUE"]]
        # What nobody is asked for is in a file, as that of an installation by hand.
        kept = [f"{name}={value}" for name, value in right.items() if name != "PROXMOX_TOKEN_VALUE"]
        machine.run("cat >/opt/nodepoint/.env <<'END'\n" + "\n".join(kept) + "\nEND")
        machine.push(Path(__file__).with_name("typist.py"), "/root/typist.py")
        machine.run(f"cat >/root/typed.json <<'END'\n{json.dumps(given)}\nEND")
        machine.run(
            "apt-get install -qq -y --no-install-recommends mariadb-server >/dev/null 2>&1;"
            " mariadb -e 'CREATE DATABASE nodepoint; CREATE TABLE nodepoint.wp_posts (id int)'"
        )
        _, said = self.attempt(f"timeout 400 python3 /root/typist.py /root/typed.json {INSTALL}")
        self.assertIn("HOST_NAME is malformed", said)
        return said
