import sys

from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand

from nodepoint import logs
from nodepoint.env import WRONG_SETTINGS
from nodepoint.jobs import cluster


class Command(BaseCommand):
    """Carry out jobs: a django-q2 cluster with a watch over it. Ends by itself when it stalled; start it
    again then."""

    help = "Carry out jobs until SIGTERM or SIGINT. Whoever starts it must start it again when it ends."
    requires_system_checks = []

    def handle(self, *args, **options) -> None:
        """Run in the foreground."""
        found = run_checks(tags=["infrastructure"], include_deployment_checks=True)
        if errors := [message.msg for message in found if message.level >= ERROR]:
            self.stderr.write("\n".join(errors))
            sys.exit(WRONG_SETTINGS)
        logs.every_line_as_json()
        cluster.run()
