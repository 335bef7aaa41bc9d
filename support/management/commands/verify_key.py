"""`manage.py verify_key SUP-…`: is this key good?"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from support import services


class Command(BaseCommand):
    """Says whether a support key is good and whose it is; the exit code is 0 for a good one, else 1."""

    help = "Say whether a support key is good, and whose it is."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", nargs="+", help="lower case, blanks and missing dashes are forgiven")

    def handle(self, key: list[str], **options: object) -> None:
        """One line. CommandError (exit code 1) with the reason when the key is not good."""
        try:
            verdict = services.judge("".join(key))
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Has `migrate` been run?") from error
        if not verdict.good:
            raise CommandError(verdict.sentence)
        self.stdout.write(verdict.sentence)
