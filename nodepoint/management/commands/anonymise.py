"""`manage.py anonymise SERVICE_ID`: the person behind an ended service is forgotten."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from nodepoint.anonymity import StillThere, anonymise
from nodepoint.audit import trail


class Command(BaseCommand):
    """Prints how much was changed; exit code 1 and one sentence for a service that lives or is unknown."""

    help = "Take the personal data of an ended service out of rows, jobs, notices and the log of acts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service_id", help="of a site that is gone, of a support key that was terminated")

    def handle(self, *, service_id: str, **options: object) -> None:
        try:
            changed = anonymise(service_id)
        except StillThere as error:
            raise CommandError(str(error)) from error
        trail.record("nodepoint.anonymise", f"service:{service_id}"[:64], label=service_id)
        self.stdout.write(", ".join(f"{number} {what}" for what, number in changed.items()) + " changed.")
