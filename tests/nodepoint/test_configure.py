"""The questions of an installation: what is malformed or refused is said, nothing half is written."""

import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase

import lab
from nodepoint.management import answers
from nodepoint.management.commands.configure import Command, Dialogue, Trial, database_fault
from tests.base import on_one_database

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / ".env.example"
SOUND = {
    "LAB": "yes",
    "HOST_NAME": "nodepoint.test",
    "TLS_CERTIFICATE": "self-signed",
    "DATABASE": "sqlite",
    "STAFF_USER": "ada",
    "PROXY_IP": "203.0.113.10",
    "EMAIL_URL": "filemail:///tmp/mail",
    "STAFF_EMAIL": "staff@example.com",
}
SELF_SIGNED = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    "/CN=nodepoint.example.com",
]
BAD = {
    "HOST_NAME": "localhost",
    "TLS_CERTIFICATE": "/nowhere.pem",
    "TLS_KEY": "/nowhere.key",
    "DATABASE": "postgres://db/name",
    "STAFF_USER": "a b",
    "PROXY_IP": "203.0.113",
    "PROXMOX_USER": "api",
    "PROXMOX_TOKEN_VALUE": "",
    "SITE_IP_RANGE": "192.168.1.9-192.168.1.2",
    "NPM_PASSWORD": "two\nlines",
    "NPM_URL": '"http://192.168.1.5:81"',
}


class AnswerTests(SimpleTestCase):
    databases = {"default"}  # the name under which a candidate is looked at

    def test_every_setting_is_a_question_in_the_words_of_the_example(self) -> None:
        asked = {one.name: one for one in answers.questions(EXAMPLE)}
        self.assertLessEqual({"HOST_NAME", "PROXMOX_HOST", "JOB_THREADS", "ISPCONFIG_URL"}, set(asked))
        self.assertEqual(asked["PROXMOX_HOST"].section, "Proxmox VE")
        self.assertTrue(all(one.text for one in asked.values()))
        self.assertTrue(asked["PROXMOX_HOST"].asked and not asked["JOB_THREADS"].asked)
        self.assertTrue(asked["NPM_PASSWORD"].secret and not asked["NPM_EMAIL"].secret)
        self.assertLessEqual(answers.ASKED | answers.DERIVED, set(asked))

    def test_a_bad_answer_is_one_sentence_that_names_it(self) -> None:
        for name, value in BAD.items():
            with self.subTest(name):
                self.assertRegex(answers.complaint(name, value), rf"^{name} .+\.$")

    def test_the_file_says_what_was_answered_whatever_it_holds(self) -> None:
        values = {"NPM_PASSWORD": "p'a$s \"w#o\\rd ", "PROXMOX_HOST": "10.0.0.1:8006", "VMID_START": "900"}
        with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
            file.write(answers.env_file(EXAMPLE.read_text(), values))
            file.flush()
            read = answers.read(Path(file.name))
        self.assertEqual({name: read.get(name, "900") for name in values}, values)
        self.assertNotIn("VMID_START", read)  # the default stays a comment

    def test_facts_survive_a_shell(self) -> None:
        facts = {"HOST_NAME": "x.test", "TLS_KEY": "/etc/it's $HOME `id`"}
        script = f'{answers.facts_file(facts)}\nprintf %s "$TLS_KEY"'
        said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
        self.assertEqual(said, facts["TLS_KEY"])

    def test_the_documented_production_has_no_warning(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            values = {one.name: one.default for one in answers.questions(EXAMPLE)}
            values |= answers.read(ROOT / "deploy" / "answers.example")
            for file in (
                "SSH_KEY_FILE",
                "SSH_KNOWN_HOSTS",
                "PROXMOX_VERIFY_TLS",
                "TLS_CERTIFICATE",
                "TLS_KEY",
            ):
                values[file] = str(Path(name, file))
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", values["SSH_KEY_FILE"]], check=True
            )
            public = Path(f"{values['SSH_KEY_FILE']}.pub").read_text()
            Path(values["SSH_KNOWN_HOSTS"]).write_text(f"192.168.1.10 {public}")
            for key, certificate in (("TLS_KEY", "TLS_CERTIFICATE"), ("ca.key", "PROXMOX_VERIFY_TLS")):
                where = ["-keyout", f"{name}/{key}", "-out", f"{name}/{certificate}"]
                subprocess.run([*SELF_SIGNED, *where], check=True, capture_output=True)
            self.assertEqual([], [said for one in values.items() if (said := answers.complaint(*one))])
            values |= answers.derived(values, name, secrets.token_urlsafe(50))
            environment = {one: values[one] for one in values if one not in answers.FACTS}
            done = subprocess.run(
                [sys.executable, "manage.py", "check", "--deploy", "--fail-level=WARNING"],
                env={"PATH": os.environ["PATH"], **environment},
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_database_of_another_application_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, table in (("other", "wp_posts"), ("django", "django_migrations")):
                with sqlite3.connect(f"{folder}/{name}") as made:
                    made.execute(f"CREATE TABLE {table} (app text)")
                    made.execute(f"INSERT INTO {table} VALUES ('blog')")  # noqa: S608
                made.close()
                self.assertIn("something else", database_fault(f"sqlite:///{folder}/{name}"))
            self.assertEqual(database_fault(f"sqlite:///{folder}/empty"), "")
        self.assertIn("cannot be used", database_fault("mysql://a:b@127.0.0.1:9/name"))


@on_one_database
class ConfigureTests(SimpleTestCase):
    """Against the lab, by the doctor's own questions."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start(speed=0.0)
        cls.addClassCleanup(cls.lab.stop)
        folder = tempfile.TemporaryDirectory(prefix="nodepoint-answers-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.trial = Trial("")
        cls.addClassCleanup(cls.trial.close)

    def file(self, **changed: str) -> Path:
        """An answer file: the sound answers with some changed."""
        file = self.folder / "answers"
        lines = SOUND | self.lab.settings | changed
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items() if name != "LAB"))
        return file

    def test_what_a_system_refuses_is_said(self) -> None:
        values = SOUND | self.lab.settings | {"PROXMOX_TOKEN_VALUE": "wrong"}
        with self.assertRaises(CommandError) as refused:
            Command().from_file(answers.questions(EXAMPLE), values, self.trial)
        first, *_, last = str(refused.exception).splitlines()
        self.assertIn("proxmox: Check PROXMOX_USER", first)
        self.assertEqual(last, "Nothing was written.")

    def test_what_makes_no_sense_is_said_before_anybody_is_asked_and_nothing_is_written(self) -> None:
        for changed, sentence in (
            ({"PROXMOX_TOKEN": "x"}, "PROXMOX_TOKEN is no setting"),
            ({"PROXMOX_HOST": "", "NPM_URL": "ftp://x"}, "PROXMOX_HOST is missing"),
            ({"TLS_CERTIFICATE": str(EXAMPLE)}, "TLS_KEY is missing"),
        ):
            with self.subTest(changed):
                with self.assertRaises(CommandError) as refused:
                    call_command("configure", answers=self.file(**changed), into=self.folder, user="")
                self.assertIn(sentence, str(refused.exception))
                self.assertIn("Nothing was written", str(refused.exception))
                self.assertFalse((self.folder / ".env").exists())

    def test_a_person_is_asked_again_until_the_system_lets_us_in(self) -> None:
        said: list[str] = []
        right = SOUND | self.lab.settings
        tokens = iter(["wrong", right["PROXMOX_TOKEN_VALUE"]])

        def read(prompt: str) -> str:
            name = prompt.strip().partition(":")[0]
            if name == "PROXMOX_TOKEN_VALUE":
                return next(tokens, "")
            return (
                "" if name == "Enter to answer again, `keep` to go on all the same" else right.get(name, "")
            )

        final = {one.name: right.get(one.name, one.default) for one in answers.questions(EXAMPLE)}
        asked = [one for one in answers.questions(EXAMPLE) if one.asked and one.section == "Proxmox VE"]
        dialogue = Dialogue(said.append, read, read)
        Command().ask_section("Proxmox VE", asked, final, self.trial, dialogue)
        self.assertEqual(final["PROXMOX_TOKEN_VALUE"], right["PROXMOX_TOKEN_VALUE"])
        faults = [line for line in said if line.startswith("    ")]
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("proxmox: Check PROXMOX_USER", faults[0])

    def test_the_same_answers_again_change_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as into:
            written = []
            for _ in range(2):
                out = StringIO()
                call_command(
                    "configure", answers=self.file(), into=Path(into), user="", unchecked=True, stdout=out
                )
                written.append((Path(into, ".env").read_text(), out.getvalue().split()[-1]))
        self.assertEqual(written[0][0], written[1][0])
        self.assertEqual([last for _, last in written], ["written", "was"])
