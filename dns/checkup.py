"""What `manage.py doctor` asks ISPConfig. Nothing is changed there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.utils import timezone

from dns import connections, health, published, records
from nodepoint.checkup import Examination
from nodepoint.clients.errors import Refused, Unreachable

NOBODY = "health.invalid"  # a customer number, and a zone, that nobody has
NO_ID = 2**31 - 1  # a record that is not there
SECONDS = 4.0  # for the name servers
SHOWN = 5  # zones that are named


def examinations() -> list[Examination]:
    """One of the panel, one of the name servers that publish what it holds. Rows are read here: what follows
    runs in threads of its own."""
    unpublished = list(_unpublished())
    return [
        Examination(
            "ispconfig",
            health.ispconfig,
            where=("ISPCONFIG_URL",),
            who=("ISPCONFIG_USER", "ISPCONFIG_PASSWORD", "ISPCONFIG_VERIFY_TLS"),
            complaints=ispconfig,
        ),
        Examination(
            "nameservers",
            nameservers_answer,
            where=("NAMESERVERS", "DNS_PORT"),
            complaints=lambda: unpublished,
        ),
    ]


def nameservers_answer() -> None:
    """Each of our name servers answers a question, whatever it says. `Unreachable` names those that do
    not."""
    if silent := connections.nameservers().silent(NOBODY, SECONDS):
        raise Unreachable("dns", f"{', '.join(silent)}: no answer")


def _unpublished() -> Iterator[str]:
    """Zones that are not served as the panel holds them, as the last looks found them."""
    rows = list(published.unpublished()[: SHOWN + 1])
    for seen in rows[:SHOWN]:
        yield f"{seen.zone.name} is {published.for_staff(seen)}."
    if len(rows) > SHOWN:
        yield "More zones are not published: see the board."


def ispconfig() -> Iterator[str]:
    """Which groups of functions the remote user may not call, in ISPConfig's words. A group is ticked as a
    whole, so that whether its reading function is allowed tells of all."""
    for group, ask in _groups():
        try:
            ask()
        except Refused as error:
            yield f"Tick “{group}” for the remote user (System > Remote Users): {error.vendor}"


def _groups() -> Iterator[tuple[str, Callable[[], object]]]:
    """The groups that NodePoint calls (interface/web/*/lib/remote.conf.php), each with a question about
    something that does not exist."""
    panel = connections.ispconfig()
    yield "Client functions", lambda: panel.find_clients(NOBODY)
    yield "DNS zone functions", lambda: panel.find_zone(f"{NOBODY}.")
    for type in records.TYPES:
        yield f"DNS {type.lower()} functions", partial(panel.has_record, type, NO_ID)
    later = timezone.now() + timedelta(days=365)
    yield "Server functions", lambda: panel.failed_changes(later)
    yield "Monitor functions", panel.pending_changes
