"""From an act of staff to the service that carries it out."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from nodepoint.api.errors import of_status
from nodepoint.api.waiting import place
from nodepoint.staff.acts import Result
from sites import services
from sites.errors import WrongState
from sites.models import Site
from sites.services import overrides
from sites.services.adoption import adopt_site
from sites.services.repair import repair_site
from sites.services.unlocking import unlock_container

FOLLOWS = "The job below shows how far it is."


def standing(service: Callable[..., Any]) -> Callable[..., None]:
    """The act that calls `service` for the site's service, as long as this very row stands for it: services
    know sites by their service, which may have got a newer one."""

    def perform(site: Site, *, actor: str, reason: str, **given: Any) -> None:
        if not Site.objects.filter(pk=site.pk, live_key=site.service_id).exists():
            raise WrongState(services.own_status(site))
        given.pop("typed", None)
        service(site.service_id, actor=actor, **given)

    return perform


def patiently(work: Callable[..., Any]) -> Callable[..., Any]:
    """With one of the places for requests that wait for something outside; the others are not for that."""

    def perform(site: Site, **given: Any) -> Any:
        with place(f"service_id:{site.service_id}") as free:
            if not free:
                raise of_status(429, "Too many requests wait for something at the moment. Please try again.")
            return work(site, **given)

    return perform


def log_in(site: Site, *, actor: str, reason: str) -> Result:
    return Result(shown_once=services.log_in(site.service_id, actor=actor))


def switch(enabled: bool) -> Callable[..., Any]:
    def service(service_id: str, *, actor: str) -> Any:
        return services.toggle_traffic(service_id, enabled, actor=actor)

    return service


def safe_mode(enabled: bool) -> Callable[..., Any]:
    def service(service_id: str, *, actor: str) -> Any:
        return services.switch_safe_mode(service_id, enabled, actor=actor)

    return service


def set_options(service_id: str, *, actor: str, **chosen: Any) -> None:
    services.set_options(service_id, chosen, actor=actor)


def repair(site: Site, *, actor: str, reason: str) -> None:
    if repair_site(site, actor=actor) is None:
        raise WrongState(services.own_status(site))


def overrule(site: Site, *, actor: str, reason: str, **values: Any) -> Result:
    job = overrides.overrule(site, actor=actor, **values)
    return Result(f"Noted. {FOLLOWS}" if job else "Noted.")


def force(site: Site, *, actor: str, reason: str, state: str, typed: str) -> Result:
    overrides.force_state(site, state, actor=actor)
    return Result(f"The row says {state} now.")


def order_again(site: Site, *, actor: str, reason: str) -> Result:
    new, _ = overrides.order_again(site, actor=actor)
    where = reverse("admin:sites_site_change", args=[new.pk])
    return Result(f"Ordered again: this is the new site. {FOLLOWS}", where=where)


def order(site: None, *, actor: str, reason: str, **order: Any) -> Result:
    new, _ = services.create_site(**order, actor=actor)
    return Result(f"Ordered. {FOLLOWS}", where=reverse("admin:sites_site_change", args=[new.pk]))


def adopt(site: None, *, actor: str, reason: str, typed: int, **order: Any) -> Result:
    new, _ = adopt_site(**order, actor=actor)
    where = reverse("admin:sites_site_change", args=[new.pk])
    return Result(f"The container is being looked at. {FOLLOWS}", where=where)


def unlock(site: Site, *, actor: str, reason: str) -> Result:
    unlocked = unlock_container(site, actor=actor)
    return Result(f"The lock “{unlocked.lock}” is off. {FOLLOWS}")


def alone(service: Callable[..., Any]) -> Callable[..., None]:
    """The act that calls `service` for the row itself."""

    def perform(site: Site, *, actor: str, reason: str, **given: Any) -> None:
        given.pop("typed", None)
        service(site, actor=actor, **given)

    return perform
