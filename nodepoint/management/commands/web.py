"""`manage.py web`: one web process; `serve` and `demo` start it."""

import socket

from django.core.management.base import BaseCommand, CommandParser

from nodepoint import logs
from nodepoint.web import server

GRACE = 28  # seconds; no request takes longer than 22


class Command(BaseCommand):
    """Serves on a socket that whoever starts it has opened."""

    help = "One web process on a listening socket that was handed over. serve and demo start it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fd", type=int, required=True, help="file descriptor of the socket")
        parser.add_argument(
            "--grace",
            type=float,
            default=GRACE,
            help="seconds that running requests have to end after SIGTERM",
        )

    def handle(self, *, fd: int, grace: float, **options: object) -> None:
        logs.every_line_as_json()
        server.run(socket.socket(fileno=fd), grace)
