"""`manage.py doctor`: whether every system that we drive can be reached and permits what we need."""

import json
import smtplib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from django.conf import settings
from django.core import mail
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

import dns.checkup
import sites.checkup
from nodepoint.checks import infrastructure
from nodepoint.checkup import Examination, Finding, examine
from nodepoint.clients.errors import Refused, Unreachable
from nodepoint.jobs import broker, limits, queue

HEAD = ("system", "reachable", "authenticated", "permitted", "latency", "what to fix")
SMTP = "django.core.mail.backends.smtp.EmailBackend"
MAIL_SECONDS = 10
LATE = 60.0  # seconds that a due step may wait for a runner
ABSENT = {"nodepoint.E001", "nodepoint.E002"}  # a setting that is missing or malformed


class Command(BaseCommand):
    """Prints a table; exit code 1 when something is to be fixed."""

    help = "Ask each system that we drive something harmless and print what to fix."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--only", nargs="+", metavar="SYSTEM", help="ask these alone: the first word of their lines"
        )
        parser.add_argument("--json", action="store_true", help="print an object instead of the table")

    def handle(self, *, only: Sequence[str] | None, json: bool, **options: object) -> None:
        """One line for each setting that is wrong, then the table of all systems that are set up."""
        wrong = infrastructure()
        unset = {message.msg.split()[0] for message in wrong if message.id in ABSENT}
        try:
            findings = examine_all(unset, only)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Has `migrate` been run?") from error
        said = [message.msg for message in wrong]
        self.stdout.write(as_json(said, findings) if json else "\n".join([*said, *table(findings)]))
        ill = [finding.system for finding in findings if finding.fixes]
        if ill:
            raise CommandError(f"To be looked after: {', '.join(ill)}.")
        if wrong:
            raise CommandError("Settings are missing or wrong.")


def examine_all(unset: set[str], only: Sequence[str] | None = None) -> list[Finding]:
    """Ask all systems at once. `unset`: settings that cannot be used; what needs one is not asked. `only`:
    first words of the lines to ask for, None: all of them. CommandError when one of these is no line's."""
    chosen = [*_platform(), *sites.checkup.examinations(), *dns.checkup.examinations(), *_mail()]
    if only is not None:
        lines = {one.system.split()[0] for one in chosen} | {"mail"}  # which is there with a mail server only
        if strangers := sorted(set(only) - lines):
            raise CommandError(
                f"No line of the doctor: {', '.join(strangers)}; there are {', '.join(sorted(lines))}."
            )
        chosen = [one for one in chosen if one.system.split()[0] in only]
    ready = [one for one in chosen if not unset.intersection(one.where + one.who)]
    with ThreadPoolExecutor(max(1, len(ready))) as pool:
        found = dict(zip(ready, pool.map(examine, ready), strict=True))
    return [found.get(one) or Finding(one.system, fixes=("It is not set up.",)) for one in chosen]


def _platform() -> Iterable[Examination]:
    """What carries the work itself. Rows are read here, not in the threads that ask the systems."""
    pending, idle = list(_of_database()), list(_of_workers())
    yield Examination("database", _ask_database, where=("DATABASE_URL",), complaints=lambda: pending)
    yield Examination("broker", _ask_broker, where=("QUEUE_BROKER",))
    yield Examination("workers", _nothing_to_ask, where=("DATABASE_URL",), complaints=lambda: idle)


def _nothing_to_ask() -> None:
    """Of workers only their rows are known."""


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Unreachable("database", str(error)) from error
    finally:
        connections.close_all()  # this thread's own


def _of_database() -> Iterable[str]:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield f"{len(plan)} migrations are missing: start script/serve, or run manage.py migrate."


def _ask_broker() -> None:
    if fault := broker.fault():
        raise Unreachable("broker", fault)


def _of_workers() -> Iterable[str]:
    if not limits.taken(queue.WORKER, timezone.now()):
        yield "No worker is running: start script/serve, or the service unit."
    elif (oldest := queue.oldest_due_seconds()) > LATE:
        yield f"The oldest step has been due for {oldest:.0f} seconds: give the workers more JOB_THREADS."


def _mail() -> Iterable[Examination]:
    """The mail server, where there is one."""
    if settings.EMAIL_BACKEND == SMTP:
        yield Examination("mail", _log_in_to_mail, where=("EMAIL_URL",))


def _log_in_to_mail() -> None:
    """Connect and log in; nothing is sent."""
    try:
        connection = mail.get_connection(timeout=MAIL_SECONDS)
        connection.open()
        connection.close()
    except smtplib.SMTPAuthenticationError as error:
        raise Refused("mail", str(error)) from error
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable("mail", f"{type(error).__name__}: {error}") from error


def as_json(settings: list[str], findings: list[Finding]) -> str:
    """`{"settings": [sentence, …], "findings": [{system, …, fixes}, …]}`, with the fields of `Finding`."""
    return json.dumps({"settings": settings, "findings": [asdict(finding) for finding in findings]})


def table(findings: list[Finding]) -> list[str]:
    """The lines to print; further things to fix stand below the first."""
    rows: list[tuple[str, ...]] = [HEAD]
    for finding in findings:
        fixes = finding.fixes or ("",)
        rows.append((*_columns(finding), fixes[0]))
        rows += [("",) * (len(HEAD) - 1) + (fix,) for fix in fixes[1:]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _columns(finding: Finding) -> tuple[str, ...]:
    words = {True: "yes", False: "no", None: "-"}
    asked = (finding.reachable, finding.authenticated, finding.permitted)
    latency = "-" if finding.latency_ms is None else f"{finding.latency_ms:.0f} ms"
    return (finding.system, *(words[answer] for answer in asked), latency)
