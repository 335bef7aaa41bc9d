"""`manage.py configure [--answers FILE]`: asks for the settings of an installation and tries them."""

import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from getpass import getpass
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.utils import ConnectionHandler

from nodepoint import servers
from nodepoint.management import answers
from nodepoint.management.answers import Question
from nodepoint.management.commands.serve import manage
from nodepoint.schema import Refused, refuse_others

# Lines of the doctor that are asked for once a section of .env.example has been answered.
SYSTEMS = {
    "E-mail": ["mail"],
    "Names and addresses of the platform": ["dns"],
    "Proxmox VE": ["proxmox"],
    "Shell of the nodes, WordPress": ["ssh"],
    "Cloudflare, Nginx Proxy Manager": ["cloudflare", "npm"],
    "ISPConfig": ["ispconfig", "nameservers"],
}
TRIAL_SECONDS = 120
DATA = "/var/lib/nodepoint"  # the unit's StateDirectory


class Trial:
    """Tries answers with the doctor, in children that run as the service's user: root may read everything.

    They work on a scratch database, since the real one may not be there yet.
    """

    def __init__(self, user: str) -> None:
        self.user = user if os.geteuid() == 0 and user else ""
        self.folder = Path(tempfile.mkdtemp(prefix="nodepoint-configure-"))
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.migrated = False

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def faults(self, systems: Sequence[str], values: Mapping[str, str], names: Sequence[str]) -> list[str]:
        """What the doctor would have fixed: about these systems, and about the settings `names`."""
        scratch = {
            "NODEPOINT_DATA": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder}/scratch.sqlite3",
            "QUEUE_BROKER": "orm",
        }
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {**values, **scratch, "PYTHONDONTWRITEBYTECODE": "1", "LOG_LEVEL": "ERROR"}
        if not self.migrated:
            if wrong := self._run(environment, "migrate", "--verbosity=0")[1]:
                return [wrong]
            self.migrated = True
        said, wrong = self._run(environment, "doctor", "--json", "--only", *systems)
        if not said:
            return [wrong]
        found = json.loads(said)
        malformed = [line for line in found["settings"] if line.split()[0] in names]
        return malformed or [f"{one['system']}: {fix}" for one in found["findings"] for fix in one["fixes"]]

    def _run(self, environment: Mapping[str, str], *words: str) -> tuple[str, str]:
        """What a command prints, and the last line of its complaints where it prints nothing and fails."""
        as_user = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid} if self.user else {}
        done = subprocess.run(  # noqa: S603 - our own commands
            manage(*words),
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            check=False,
            cwd=settings.BASE_DIR,
            **as_user,
            **({"extra_groups": []} if self.user else {}),
        )
        lines = done.stderr.strip().splitlines() or [f"{words[0]} failed"]
        return done.stdout.strip(), lines[-1].removeprefix("nodepoint: ") if done.returncode else ""


def database_fault(url: str) -> str:
    """Why a database cannot be ours, in a sentence; empty where it is empty, or ours, or made later on."""
    if url in ("", answers.LOCAL_DATABASE):
        return ""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        config = servers.database("DATABASE_URL", settings.NODEPOINT_DATA / "nodepoint.sqlite3")
    except ImproperlyConfigured as error:
        return str(error)
    finally:
        os.environ.pop("DATABASE_URL")
        if before is not None:
            os.environ["DATABASE_URL"] = before
    connection = ConnectionHandler({"default": config})["default"]
    try:
        refuse_others(connection)
    except Refused as error:
        return str(error)
    except DatabaseError as error:
        return f"The database cannot be used: {error}."
    finally:
        connection.close()
    return ""


class Dialogue:
    """Asks a person, section by section, until every answer makes sense and every system lets us in."""

    def __init__(
        self, say: Callable[[str], None], read: Callable[[str], str], read_secret: Callable[[str], str]
    ) -> None:
        self.say, self.read, self.read_secret = say, read, read_secret

    def ask(self, one: Question, known: str) -> str:
        """One answer with the right shape. An empty one keeps what is known, else the default."""
        offered = "kept" if known and one.secret else known or one.default
        while True:
            read = self.read_secret if one.secret else self.read
            said = read(f"  {one.name}: {one.text}{f' [{offered}]' if offered else ''}: ").strip()
            value = said or known or one.default
            if not (wrong := answers.complaint(one.name, value)):
                return value
            self.say(f"    {wrong}")

    def again(self, faults: Sequence[str]) -> bool:
        """Show what is wrong; whether to ask the section again rather than go on with it as it is."""
        for fault in faults:
            self.say(f"    {fault}")
        return self.read("  Enter to answer again, `keep` to go on all the same: ").strip() != "keep"


class Command(BaseCommand):
    """With `--answers` nobody is asked: what is missing, malformed or refused ends it; nothing is written."""

    help = "Ask for the settings of an installation, try each of them, and write .env."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--answers", type=Path, metavar="FILE", help="NAME=value lines, not questions")
        parser.add_argument("--into", type=Path, default=settings.BASE_DIR, metavar="DIR", help="of .env")
        parser.add_argument("--user", default="nodepoint", help="whom the service runs as (when root asks)")
        parser.add_argument("--lab", type=Path, metavar="FILE", help="lab.json, for answers with LAB=yes")
        parser.add_argument(
            "--unchecked",
            action="store_true",
            help="write well-formed answers even if a system refuses",
        )

    def handle(self, *, into: Path, user: str, **options: object) -> None:
        example = settings.BASE_DIR / ".env.example"
        asked = answers.questions(example)
        facts, kept = answers.read(into / ".install"), answers.read(into / ".env")
        values = kept | answers.facts_of(kept) | facts
        trial = Trial(user)
        try:
            if options["answers"]:
                values |= given(options["answers"], options["lab"], asked)
                final = self.from_file(asked, values, None if options["unchecked"] else trial)
            else:
                dialogue = Dialogue(self.stdout.write, input, getpass)
                final = self.from_person(asked, values, trial, dialogue)
        except EOFError:
            raise CommandError("The answers ended before the questions did; nothing was written.") from None
        finally:
            trial.close()
        self.write(into, example, final, kept)

    def from_file(
        self, asked: Sequence[Question], values: Mapping[str, str], trial: Trial | None
    ) -> dict[str, str]:
        """All answers of a file, tried at once; CommandError with a line for each that will not do."""
        final = {one.name: values.get(one.name) or one.default for one in asked}
        wrong = [fault for name, value in final.items() if (fault := answers.complaint(name, value))]
        if not wrong:
            wrong = key_fault(final)
        if not wrong and trial:
            fault = database_fault(database_url(final))
            systems = [name for names in SYSTEMS.values() for name in names]
            wrong = [fault] if fault else trial.faults(systems, settings_of(final), list(final))
        if wrong:
            raise CommandError("\n".join([*wrong, "Nothing was written."]))
        return final

    def from_person(
        self, asked: Sequence[Question], values: Mapping[str, str], trial: Trial, dialogue: Dialogue
    ) -> dict[str, str]:
        """All answers, each section tried before the next one is asked."""
        final = {one.name: values.get(one.name) or one.default for one in asked}
        for section, members in groupby(asked, key=lambda one: one.section):
            if ask := [one for one in members if one.asked]:
                dialogue.say(f"\n{section}")
                self.ask_section(section, ask, final, trial, dialogue)
        return final

    def ask_section(
        self, section: str, ask: Sequence[Question], final: dict[str, str], trial: Trial, dialogue: Dialogue
    ) -> None:
        """Ask until nothing is wrong with the section, or it is to be kept; answers go into `final`."""
        while True:
            for one in ask:
                if one.name != "TLS_KEY" or final["TLS_CERTIFICATE"] != "self-signed":
                    final[one.name] = dialogue.ask(one, final[one.name])
            faults = self.try_section(section, final, [one.name for one in ask], trial)
            if not faults or not dialogue.again(faults):
                return

    def try_section(
        self, section: str, final: Mapping[str, str], names: Sequence[str], trial: Trial
    ) -> list[str]:
        """What is wrong with a section as a whole."""
        if "DATABASE" in names:
            fault = database_fault(database_url(final))
            return key_fault(final) or ([fault] if fault else [])
        if section not in SYSTEMS:
            return []
        return trial.faults(SYSTEMS[section], settings_of(final), names)

    def write(self, into: Path, example: Path, final: Mapping[str, str], kept: Mapping[str, str]) -> None:
        """Both files, unless they say so already."""
        secret_key = kept.get("SECRET_KEY") or secrets.token_urlsafe(50)
        made = answers.derived(final, DATA, secret_key)
        content = answers.env_file(example.read_text(), {**final, **made})
        changed = answers.write_if_changed(into / ".env", content)
        changed |= answers.write_if_changed(into / ".install", answers.facts_file(final))
        self.stdout.write(f"{into / '.env'} {'written' if changed else 'is as it was'}")


def given(file: Path, lab: Path | None, asked: Sequence[Question]) -> dict[str, str]:
    """The answers in a file, on top of what the lab says where it has LAB=yes."""
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    found = answers.read(file)
    if strange := answers.unknown(found, asked):
        raise CommandError(f"{file}: {', '.join(strange)} is no setting. Nothing was written.")
    if found.pop("LAB", "") != "yes":
        return found
    try:
        return answers.settings_of_lab(lab or Path("/nowhere")) | found
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error


def settings_of(final: Mapping[str, str]) -> dict[str, str]:
    """The answers that are settings."""
    return {name: value for name, value in final.items() if name not in answers.FACTS}


def database_url(final: Mapping[str, str]) -> str:
    """DATABASE_URL as the fact DATABASE has it."""
    return answers.derived(final, "", "")["DATABASE_URL"]


def key_fault(final: Mapping[str, str]) -> list[str]:
    """A certificate of one's own needs its key."""
    if final["TLS_CERTIFICATE"] == "self-signed" or final["TLS_KEY"]:
        return []
    return ["TLS_KEY is missing: the path of the private key of TLS_CERTIFICATE."]
