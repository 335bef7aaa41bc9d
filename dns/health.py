"""Something harmless to ask of ISPConfig: for the deep health check and `manage.py doctor`."""

from dns import connections
from nodepoint.api import health
from nodepoint.clients.deadline import deadline

SECONDS = 4.0  # for all calls of the probe


def ispconfig() -> None:
    """The remote user can log in and read zones."""
    with deadline(SECONDS):
        connections.ispconfig().verify()


def register() -> None:
    """Have it asked."""
    health.register("ispconfig", ispconfig)
