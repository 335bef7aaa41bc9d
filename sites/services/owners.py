"""Whose a site is: the customer in the billing portal, and where his e-mails go."""

from django.db import transaction

from nodepoint.api import owners
from nodepoint.audit import trail
from nodepoint.jobs import queue
from sites.errors import UnknownSite, WrongState
from sites.models import Site
from sites.services.standing import get_site, own_status


def change_owner(service_id: str, *, user_id: str, email: str, actor: str = "") -> Site:
    """A site has this customer and address from now on; its name and private address stay. The same once more
    changes nothing. UnknownSite; WrongState where it has failed or is being deleted."""
    site = get_site(service_id)
    with transaction.atomic():
        queue.lock(site.key)
        now = Site.objects.select_for_update().get(pk=site.pk)
        if now.live_key is None or now.deletion_requested_at:
            raise WrongState(own_status(now))
        before = {"user_id": now.user_id, "email": now.email}
        after = {"user_id": user_id, "email": email}
        if before != after:
            Site.objects.filter(pk=now.pk).update(**after)
            trail.record("sites.owner", now.key, label=service_id, before=before, after=after, actor=actor)
    now.user_id, now.email = user_id, email
    return now


def register() -> None:
    """Have sites told of new owners by the billing portal."""
    owners.register("sites", _told)


def _told(service_id: str, *, user_id: str, email: str, actor: str) -> bool:
    try:
        change_owner(service_id, user_id=user_id, email=email, actor=actor)
    except UnknownSite:
        return False
    return True
