"""`manage.py restored [--release]`: after the database came back from a dump."""

from argparse import ArgumentParser
from collections.abc import Iterable

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from nodepoint import restoration, schema
from nodepoint.checks import infrastructure
from nodepoint.clients.errors import ClientError
from nodepoint.restoration import STAFF, Line, NotThisDatabase

ACTOR = "manage.py restored"
UNCHANGED = "Nothing was changed."


class Command(BaseCommand):
    """Prints what is younger than the database, adopts or lists it, and holds everything back that would
    remove something. Any number of times."""

    help = "Find what is younger than a database that came back from a dump; --release once it was looked at."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", action="store_true", help="staff have looked: everything goes on")

    def handle(self, **options: bool) -> None:
        """Refuse what cannot be our database, then look, or release."""
        if wrong := infrastructure():
            raise CommandError(" ".join(message.msg for message in wrong))
        try:
            if refusal := schema_refusal():
                raise CommandError(f"{refusal} {UNCHANGED}")
            self._release() if options["release"] else self._find()
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}).") from error

    def _find(self) -> None:
        try:
            row, lines = restoration.find(ACTOR)
        except ClientError as error:
            raise CommandError(f"Not everything could be read ({error}). {UNCHANGED}") from error
        except NotThisDatabase as error:
            raise CommandError(f"{error} {UNCHANGED}") from error
        if lines:
            self.stdout.write("\n".join(table(lines)))
        if row is None:
            self.stdout.write(f"The database knows everything that stands: it is no older copy. {UNCHANGED}")
            return
        if not lines:
            self.stdout.write(
                f"Nothing new: all of it was found at {row.found_at:%Y-%m-%d %H:%M} UTC. {UNCHANGED}"
            )
        self.stdout.write(
            "New orders are refused and nothing is removed until it is released: look at what is listed, then"
            " run `manage.py restored --release`, or use the button on the platform's page."
        )

    def _release(self) -> None:
        row = restoration.release(ACTOR)
        if row is None:
            raise CommandError(f"No restored database waits for a release. {UNCHANGED}")
        left = [line for line in restoration.lines_of(row) if line.kind in STAFF]
        if left:
            self.stdout.write("\n".join(table(left)))
        self.stdout.write("Released: orders are taken, jobs go on, and `reconcile` shows what is left over.")


def schema_refusal() -> str:
    """Why this release cannot work on the database as it is; empty: it can."""
    executor = MigrationExecutor(connection)
    if not any(app == "nodepoint" for app, _ in executor.loader.applied_migrations):
        return "The database holds no tables of NodePoint."
    if newer := schema.newer(connection):
        return f"The database comes from a newer release, which knows {newer}: install that one."
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "The database comes from an older release: run `manage.py migrate` first."
    return ""


def table(lines: Iterable[Line]) -> list[str]:
    """One row a line, those that need somebody last."""
    ordered = sorted(lines, key=lambda line: (line.kind in STAFF, list(restoration.Kind).index(line.kind)))
    rows = [tuple(map(_plain, (line.kind, line.system, line.thing, line.detail))) for line in ordered]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _plain(text: str) -> str:
    """Names that others have given may hold anything, such as a terminal's control characters."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
