"""`manage.py prune`: what the workers do once a day, now."""

from django.core.management.base import BaseCommand, CommandParser

from nodepoint import pruning
from nodepoint.jobs import tasks  # noqa: F401 - importing registers what it prunes


class Command(BaseCommand):
    """Prints one line for each kind of row."""

    help = "Delete what is not kept for ever; the workers do it once a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")

    def handle(self, *, dry_run: bool, **options: object) -> None:
        for rule in pruning.rules():
            gone = rule.found().count() if dry_run else rule.carry_out()
            self.stdout.write(f"{gone:>8}  {rule.what} ({rule.days:g} days)")
