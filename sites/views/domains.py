"""Customers' own host names, and the traffic of all of a site's host names."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.errors import of_status
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish, place
from nodepoint.jobs.models import Job
from sites import representation, services
from sites.models import CustomDomain
from sites.serializers import (
    AddedDomainOutput,
    DomainInput,
    DomainOutput,
    DomainsOutput,
    NewDomainInput,
    PrimaryOutput,
    ServiceInput,
    ToggleInput,
    ToggleOutput,
)


class Domains(ApiView):
    """The custom domains of a site, without the platform's own name."""

    scope = "sites"
    input = ServiceInput
    output = DomainsOutput

    def get(self, request: Request) -> Response:
        """Names, quota and, for each, what is wrong with it."""
        return success(**representation.custom_domains(services.get_site(**self.read(request))))


class AddDomain(ApiView):
    """Add a custom domain. Its DNS must lead to the proxy, or a TXT record show whose it is: `verification`
    in the refusal. Its certificate is ordered afterwards."""

    scope = "sites"
    input = NewDomainInput
    output = AddedDomainOutput

    def post(self, request: Request) -> Response:
        """The domain in the form of DNS, how far it is, and how many more may be added."""
        values = self.read(request)
        with place(f"service_id:{values['service_id']}") as free:
            if not free:
                raise _too_many()
            domain, job = services.add_domain(**values, actor=request.auth.actor)

        return finish(request, job, lambda job: _added(domain, job))


class RemoveDomain(ApiView):
    """Remove a custom domain, with its proxy host and its certificate."""

    scope = "sites"
    input = DomainInput
    output = DomainOutput

    def post(self, request: Request) -> Response:
        """The domain, and how many may be added now."""
        domain, job = services.remove_domain(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: _named(domain))


class ChoosePrimary(ApiView):
    """Choose the name by which the site goes: the platform's, or a custom domain that is served with a
    certificate and leads here now. All its other names lead there."""

    scope = "sites"
    input = DomainInput
    output = PrimaryOutput

    def post(self, request: Request) -> Response:
        """The name that was chosen."""
        values = self.read(request)
        with place(f"service_id:{values['service_id']}") as free:
            if not free:
                raise _too_many()
            site, job = services.choose_primary(**values, actor=request.auth.actor)
        return finish(request, job, lambda job: {"primary": site.chosen_name})


def _too_many() -> Exception:
    """DNS may take its time, and half of the threads is not for that."""
    sentence = "Too many domains are being checked at the moment. Please try again."
    return of_status(429, sentence, headers={"Retry-After": "5"})


def _added(domain: CustomDomain, job: Job) -> dict[str, Any]:
    """How far it is. One that moves here from another site has no row before it has moved."""
    row, is_coming = domain.site.custom_domains.filter(domain=domain.domain).first(), job.alive
    absent = CustomDomain.Status.PENDING if is_coming else CustomDomain.Status.FAILED
    found = _named(domain)
    if row is None and is_coming:
        found["count"] = max(0, found["count"] - 1)
    return {**found, "status": row.status if row else absent}


def _named(domain: CustomDomain) -> dict[str, Any]:
    return {"domain": domain.domain, "count": services.remaining_domains(domain.site)}


class ToggleTraffic(ApiView):
    """Switch the traffic of all host names of a site on or off; the container is left alone."""

    scope = "sites"
    input = ToggleInput
    output = ToggleOutput

    def post(self, request: Request) -> Response:
        """The customer's wish."""
        site, job = services.toggle_traffic(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: {"enabled": site.proxy_enabled})
