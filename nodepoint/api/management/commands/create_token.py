"""`manage.py create_token NAME --scopes sites,dns,support`: a token for a caller of the API."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from nodepoint.api.models import SCOPES, Token
from nodepoint.audit import edits, origin

BY = origin.Origin("system", "manage.py create_token")


class Command(BaseCommand):
    """Makes a token and prints it, alone on its line; it cannot be shown again."""

    help = "Make a token for the API and print it once."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="who uses it, such as Paymenter")
        parser.add_argument("--scopes", required=True, metavar="LIST", help=f"any of {','.join(SCOPES)}")
        parser.add_argument(
            "--rate", type=int, default=6000, metavar="N", help="requests a minute, 0: no limit"
        )
        parser.add_argument(
            "--expires", type=int, metavar="DAYS", help="days until it expires; default: never"
        )
        parser.add_argument(
            "--networks", default="", metavar="LIST", help="where it may be used from: CIDR,…"
        )

        parser.add_argument("--read-only", action="store_true", help="it asks, and changes nothing")
        parser.add_argument(
            "--unused", type=int, metavar="DAYS", help="days without use after which it is refused"
        )

    def handle(self, name: str, **options: object) -> None:
        """Print the token; CommandError (one line, exit code 1) for what makes no sense."""
        if options["rate"] < 0 or any(
            options[name] is not None and options[name] < 1 for name in ("expires", "unused")
        ):
            raise CommandError("--rate must not be negative, and --expires and --unused must be at least 1.")
        if not name.strip() or len(name) > 100:
            raise CommandError("The name must be 1 to 100 characters long.")
        try:
            with transaction.atomic(), origin.acting_as(BY):
                token, text = Token.issue(
                    name.strip(),
                    _items(options["scopes"]),
                    networks=_items(options["networks"]),
                    days=options["expires"],
                    rate_per_minute=options["rate"],
                    read_only=options["read_only"],
                    max_unused_days=options["unused"],
                )
                edits.record("add", token, after={"name": token.name, "scopes": token.scopes})
        except ValueError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Has `migrate` been run?") from error
        self.stdout.write(text)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
