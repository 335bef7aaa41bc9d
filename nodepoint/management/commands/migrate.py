from django.core.management.commands import migrate
from django.db import connections

from nodepoint import schema


class Command(migrate.Command):
    """Django's, by one process at a time on any number of hosts, and only on a database that is ours and not
    ahead of this release."""

    def handle(self, *args: object, **options: object) -> None:
        """As Django's; `nodepoint.schema.Refused` before anything was changed."""
        connection = connections[options["database"]]
        schema.unhurried(connection)
        with schema.alone(connection):
            schema.refuse_others(connection)
            super().handle(*args, **options)
