"""`manage.py first_access USER`: the first member of staff and the portal's token, unless they are there."""

import secrets
from argparse import ArgumentParser

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from nodepoint.api.models import Token
from nodepoint.audit import edits, origin

PORTAL = "Paymenter"
SCOPES = "sites,dns,support"
BY = origin.Origin("system", "manage.py first_access")


class Command(BaseCommand):
    """What is made is printed once; what is there is left as it is, and nothing is printed of it."""

    help = "Make a superuser where there is none, and a token for the billing portal; print both once."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the superuser's login name")

    def handle(self, *, user: str, **options: object) -> None:
        try:
            self.give(user)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used ({error}). Has `migrate` been run?") from error

    def give(self, user: str) -> None:
        """Make and print what is not there. DatabaseError where the tables are not."""
        if password := first_user(user):
            self.stdout.write(f"Admin: user {user}, password {password} (shown this once)")
        if not any(token.usable for token in Token.objects.filter(name=PORTAL)):
            self.stdout.write(f"Token of {PORTAL}, scopes {SCOPES} (shown this once):")
            call_command("create_token", PORTAL, scopes=SCOPES, stdout=self.stdout)


def first_user(name: str) -> str:
    """Make a superuser `name` where there is no active one; its password, empty where nothing was made."""
    users = get_user_model().objects
    with transaction.atomic(), origin.acting_as(BY):
        if users.filter(is_superuser=True, is_active=True).exists():
            return ""
        password = secrets.token_urlsafe(15)
        made = users.create_superuser(name, password=password)
        edits.record("add", made, after={"username": name, "is_superuser": True})
    return password
