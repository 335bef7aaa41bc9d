"""Rows for tests, without the work that makes them in the product."""

import factory
from django.utils import timezone

from sites.install import LEVEL
from sites.models import Plan, Site


class SiteFactory(factory.django.DjangoModelFactory):
    """A site that is live in the database; nothing of it exists anywhere else.

    Traits: `provisioning`, `failed`, `deleted`, `deleting`.
    """

    class Meta:
        model = Site

    class Params:
        provisioning = factory.Trait(state=Site.State.PROVISIONING, live_at=None, power="")
        deleting = factory.Trait(deletion_requested_at=factory.LazyFunction(timezone.now))
        failed = factory.Trait(state=Site.State.FAILED, ended=True)
        deleted = factory.Trait(
            state=Site.State.DELETED,
            ended=True,
            deletion_requested_at=factory.LazyFunction(timezone.now),
        )
        ended = factory.Trait(
            live_key=None,
            vmid=None,
            private_ip=None,
            subdomain=None,
            node="",
            power="",
            power_verified_at=None,
            ended_at=factory.LazyFunction(timezone.now),
        )

    service_id = factory.Sequence(lambda n: f"S{n}")
    live_key = factory.SelfAttribute("service_id")
    email = factory.LazyAttribute(lambda site: f"{site.service_id.lower()}@example.com")
    public_ip = "203.0.113.10"
    plan = factory.LazyFunction(lambda: Plan.objects.get(name="basic"))
    state = Site.State.LIVE
    vmid = factory.Sequence(lambda n: 2000 + n)
    private_ip = factory.Sequence(lambda n: f"10.1.{n // 250}.{n % 250 + 1}")
    subdomain = factory.LazyAttribute(lambda site: site.service_id.lower())
    node = "node1"
    power = "running"
    power_verified_at = factory.LazyFunction(timezone.now)
    live_at = factory.LazyFunction(timezone.now)
    level = LEVEL
