"""`manage.py remove_second_factor NAME`: for when nobody is left who could do it in the admin."""

from argparse import ArgumentParser

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from nodepoint.audit import origin
from nodepoint.staff import second_factor


class Command(BaseCommand):
    """Takes device and recovery codes away; the password alone logs in then."""

    help = "Take the second factor away from a member of staff who has lost phone and recovery codes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name that he logs in with")

    def handle(self, name: str, **_: object) -> None:
        """CommandError for a name that there is not, or one without a second factor."""
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name!r}.")
        with origin.acting_as(origin.Origin("system", "manage.py remove_second_factor")):
            if not second_factor.remove(user):
                raise CommandError(f"{name} has no second factor.")
        self.stdout.write(f"{name} logs in with the password alone now.")
