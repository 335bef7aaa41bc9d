"""`manage.py prepare`: what has to be true before the processes of `serve` can begin; `serve` calls it."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection

from nodepoint import logs
from nodepoint.jobs import broker
from nodepoint.schema import Refused

log = structlog.get_logger("nodepoint.serve")

PAUSE = 1.0  # seconds between two looks at what is away
SAID_EVERY = 60.0  # seconds between two lines about it


class Command(BaseCommand):
    """Waits for database and broker, then migrates."""

    help = "Wait for the database and the broker however long it takes, then bring the schema up to date."
    requires_system_checks = []

    def handle(self, **options: object) -> None:
        """`nodepoint.schema.Refused` where this release must not touch the database."""
        logs.every_line_as_json()
        settings.NODEPOINT_DATA.mkdir(parents=True, exist_ok=True)
        wait_for("database", database_fault)
        wait_for("broker", broker.fault)
        call_command("migrate", interactive=False, verbosity=0)


def wait_for(what: str, fault: Callable[[], str]) -> None:
    """Look each second until `fault` finds none; one line at once and one a minute says what it is."""
    began = time.monotonic()
    said = 0
    while found := fault():
        seconds = time.monotonic() - began
        if seconds >= said * SAID_EVERY:
            log.warning(f"{what}_away", error=found, seconds=round(seconds))
            said += 1
        time.sleep(PAUSE)
    if said:
        log.info(f"{what}_back", seconds=round(time.monotonic() - began))


def database_fault() -> str:
    """Why the database cannot be used; empty when it can. A file that cannot be opened is no outage:
    Refused."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if connection.vendor == "sqlite" and "unable to open" in str(error):
            name = connection.settings_dict["NAME"]
            raise Refused(f"DATABASE_URL: {name} cannot be opened ({error}).") from error
        return str(error.args[-1])
    return ""
