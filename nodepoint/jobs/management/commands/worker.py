from django.core.management.base import BaseCommand

from nodepoint.jobs import cluster


class Command(BaseCommand):
    """Carry out jobs: a django-q2 cluster with a watch over it. Ends with code 1 when it stalled; start it again then."""

    help = "Carry out jobs until SIGTERM or SIGINT. Whoever starts it must start it again when it ends by itself."

    def handle(self, *args, **options) -> None:
        """Run in the foreground."""
        cluster.run()
