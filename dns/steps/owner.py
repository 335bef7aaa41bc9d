"""The customer's client at ISPConfig. Nothing there forbids two with one number, so one job at a time looks
for it or makes it."""

from django.conf import settings
from django.utils import timezone

from dns import marks
from dns.clients.ispconfig import next_serial
from dns.connections import ispconfig
from dns.models import Customer, Zone
from nodepoint.clients.errors import Conflict, NotFound
from nodepoint.jobs import limits
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait

LOCKED = 90.0  # seconds; longer than the calls below can take together
PAUSE = 0.3  # seconds until a customer's next job looks whether it is its turn


def known(call: Call) -> Outcome:
    """The customer's client and its group are known, and there."""
    zone: Zone = call.subject
    lock, holder = f"dns.customer:{zone.customer_id}", f"step:{call.step.pk}"
    if not limits.take(lock, 1, holder, timezone.now(), LOCKED):
        return Wait(seconds=PAUSE)
    try:
        return _found_or_made(Customer.objects.get(pk=zone.customer_id))
    finally:
        limits.release(holder, [lock])


def known_anew(call: Call, error: NotFound) -> Outcome:
    """The same for a step that met a client that is gone: then the step is called again."""
    outcome = known(call)
    if not isinstance(outcome, Done):
        return outcome
    return Retry(error="ISPConfig did not know the customer any more.", detail=error.vendor)


def _found_or_made(customer: Customer) -> Outcome:
    clients = marks.ours(customer.user_id, ispconfig().find_clients(marks.ending(customer.user_id)))
    if clients:
        client_id = clients[0].id
    else:
        try:
            client_id = _make(customer)
        except Conflict as error:
            # Either a lost answer of ours, which the next look finds, or the name is somebody else's.
            return Retry(error="ISPConfig has a user of this name already.", detail=error.vendor)
    try:
        group_id = ispconfig().client_group(client_id)
    except NotFound as error:
        return Retry(error="The customer at ISPConfig is only half made.", detail=error.vendor)
    if customer.client_id not in (None, client_id) and _is_gone(customer.client_id):
        _take_along(customer.group_id, client_id)
    Customer.objects.filter(pk=customer.pk).update(client_id=client_id, group_id=group_id)
    surplus = ", ".join(str(client.id) for client in clients[1:])
    return Done(note=f"More clients of this number, not used: {surplus}" if surplus else "")


def _is_gone(client_id: int) -> bool:
    try:
        ispconfig().client_group(client_id)
    except NotFound:
        return True
    return False


def _take_along(group_id: int, client_id: int) -> None:
    """Give the zones of a client that was deleted to the one that stands for the customer now. ISPConfig
    leaves them, served, to a group that is gone; numbers of groups are not given twice."""
    for zone in ispconfig().zones_of(group_id):
        ispconfig().move_zone(zone.id, client_id, next_serial(zone.serial))


def _make(customer: Customer) -> int:
    return ispconfig().create_client(
        marks.number(customer.user_id),
        marks.username(customer.user_id),
        f"Customer {customer.user_id}",
        customer.email or settings.DNS_HOSTMASTER,
    )
