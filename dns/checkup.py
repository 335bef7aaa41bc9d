"""What `manage.py doctor` asks ISPConfig. Nothing is changed there."""

from collections.abc import Iterator

from dns import connections, health
from nodepoint.checkup import Examination
from nodepoint.clients.errors import Refused

NOBODY = "health.invalid"  # a customer number that nobody has
NO_ID = 0


def examinations() -> list[Examination]:
    """One of the panel."""
    return [
        Examination(
            "ispconfig",
            health.ispconfig,
            where=("ISPCONFIG_URL",),
            who=("ISPCONFIG_USER", "ISPCONFIG_PASSWORD", "ISPCONFIG_VERIFY_TLS"),
            complaints=ispconfig,
        )
    ]


def ispconfig() -> Iterator[str]:
    """Whether the remote user may call what reads; whether it may write is seen only by writing."""
    panel = connections.ispconfig()
    reads = (
        ("Client functions", lambda: panel.find_clients(NOBODY)),
        ("DNS zone functions", lambda: panel.zones_of(NO_ID)),
        ("DNS A functions", lambda: panel.records_of(NO_ID)),
    )
    for name, read in reads:
        try:
            read()
        except Refused as error:
            yield f"Let the remote user call the {name}: {error.vendor}"
