"""The pool of private addresses: who holds which, and what is free."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from sites import watch
from sites.allocation import address_range
from sites.models import Site, Spare, TakenName

PAGE = 256  # addresses of one page: what used to be one network
MOST_NAMES = 200  # that strangers hold


@dataclass(frozen=True)
class Place:
    """One address. `why`: what it is for where no site can have it. `site`: who holds it."""

    address: str
    site: Site | None
    why: str = ""


class Pool:
    """The range as a sequence of addresses, so that a large one costs nothing until it is read."""

    def __init__(self) -> None:
        first, last = address_range()
        self.first, self.size = int(first), int(last) - int(first) + 1

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> list[str]:
        begin, end, _ = part.indices(self.size)
        return [str(IPv4Address(self.first + number)) for number in range(begin, end)]


def page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """A part of the range with its sites, and the names that strangers hold."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    part = Paginator(Pool(), PAGE).get_page(request.GET.get("p"))
    used, free = watch.held_and_free()
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Addresses",
        "range": settings.SITE_IP_RANGE,
        "used": used,
        "free": free,
        "part": part,
        "places": _places(list(part.object_list)),
        "taken_names": TakenName.objects.all()[:MOST_NAMES],
    }
    return TemplateResponse(request, "board/addresses.html", context)


def _places(addresses: list[str]) -> list[Place]:
    """These addresses with their sites. Two queries."""
    held = {site.private_ip: site for site in Site.objects.filter(private_ip__in=addresses)}
    waiting = Spare.objects.filter(private_ip__in=addresses).values_list("private_ip", flat=True)
    reserved = {
        **dict.fromkeys(waiting, "ready container"),
        **dict.fromkeys(settings.PROXY_LAN_IPS, "proxy"),
        **dict.fromkeys(settings.SITE_NAMESERVERS, "name server"),
        settings.SITE_GATEWAY: "gateway",
    }
    return [Place(address, held.get(address), reserved.get(address, "")) for address in addresses]
