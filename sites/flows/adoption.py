"""Containers that were made without us, and sites whose container is gone: asked for by staff alone."""

from nodepoint.jobs.registry import Flow, Step, register
from nodepoint.restoration import after_release
from sites.flows.power import is_live
from sites.flows.publication import publication
from sites.steps import (
    adoption,
    configuration,
    dns_record,
    domains,
    firewall,
    high_availability,
    power,
    proxy_host,
    reservation,
    snapshot,
    wordpress,
)
from sites.steps.proxmox import CALLS

FINAL = "The container is gone already."

ADOPT = register(
    Flow(
        "sites.adopt",
        title="Adopt container",
        subject="sites.Site",
        scope="sites",
        deadline=30 * 60,
        stands=is_live,
        version=2,
        steps=(
            Step(
                "reserved",
                "Reserving the VMID",
                None,  # in the transaction that accepts the wish
                undo=reservation.given_back,
                usual=0.1,
            ),
            Step(
                adoption.EXAMINED,
                "Looking at the container",
                adoption.examined,
                undo=adoption.kept_apart,
                after=("reserved",),
                limits=(CALLS,),
                usual=0.5,
            ),
            Step(
                "marked",
                "Writing our mark",
                adoption.marked,
                undo=adoption.unmarked,
                after=(adoption.EXAMINED,),
                limits=(CALLS,),
                usual=0.5,
            ),
            Step(
                "power",
                "Starting the container",
                power.power_as_wished,
                nothing_to_undo="A container that runs harms nobody.",
                after=("marked",),
                limits=(CALLS,),
                usual=2,
            ),
            Step(
                "firewall",
                "Closing the firewall",
                firewall.firewall_on,
                nothing_to_undo="A closed firewall is what a container of this network should have.",
                after=("marked",),
                limits=(CALLS,),
                usual=1.5,
            ),
            *publication("marked"),
            Step(
                "verified",
                "Checking the site",
                wordpress.verified,
                nothing_to_undo="Looking changes nothing.",
                after=("power", "firewall", "encryption"),
                deadline=5 * 60,
                usual=1,
            ),
            # From here on it is a site: what fails now is reported to staff.
            Step(
                "configured",
                "Applying the plan",
                configuration.applied,
                nothing_to_undo="It is what the plan says.",
                after=("verified",),
                limits=(CALLS,),
                deadline=5 * 60,
                spares_the_job=True,
                if_skipped="The container keeps its size until the site is repaired.",
                usual=1,
            ),
            Step(
                "pool",
                "Joining the pool",
                configuration.in_pool,
                nothing_to_undo="It is where containers of sites belong.",
                after=("configured",),
                limits=(CALLS,),
                needed=configuration.pool_is_used,
                deadline=5 * 60,
                spares_the_job=True,
                if_skipped="Backup jobs of the pool leave it out until the site is repaired.",
                usual=0.3,
            ),
            Step(
                "high_availability",
                "Setting high availability",
                high_availability.as_planned,
                nothing_to_undo="It is what the plan says.",
                after=("configured",),
                limits=(CALLS,),
                deadline=5 * 60,
                spares_the_job=True,
                if_skipped="High availability stays as it is until the site is repaired.",
                usual=0.3,
            ),
            Step(
                "snapshot",
                "Taking the first snapshot",
                snapshot.initial_taken,
                nothing_to_undo="It stays a snapshot of the container.",
                after=("high_availability",),
                limits=(CALLS,),
                deadline=10 * 60,
                spares_the_job=True,
                if_skipped="The site has no first snapshot, so it cannot be reset.",
                usual=15,
            ),
        ),
    )
)

UNLINK = register(
    Flow(
        "sites.unlink",
        title="Unlink site",
        subject="sites.Site",
        scope="sites",
        steps=(
            Step(
                "container_gone",
                "Looking whether the container is gone",
                after_release(adoption.container_gone),
                nothing_to_undo="Looking changes nothing.",
                limits=(CALLS,),
                usual=0.5,
            ),
            Step(
                "dns_record_gone",
                "Removing the DNS record",
                dns_record.absent,
                nothing_to_undo=FINAL,
                after=("container_gone",),
                if_skipped="A record of ours may stay at Cloudflare; reconcile reports it.",
                usual=0.5,
            ),
            Step(
                "proxy_host_gone",
                "Removing the proxy host",
                proxy_host.gone,
                nothing_to_undo=FINAL,
                after=("dns_record_gone",),
                limits=(proxy_host.WRITES,),
                usual=0.5,
            ),
            Step(
                "certificate_gone",
                "Removing the certificate",
                proxy_host.certificate_gone,
                nothing_to_undo=FINAL,
                after=("proxy_host_gone",),
                limits=(proxy_host.WRITES,),
                if_skipped="A certificate of ours may stay at Nginx Proxy Manager.",
                usual=0.5,
            ),
            Step(
                "domains_gone",
                "Removing the customer's domains",
                domains.all_gone,
                nothing_to_undo=FINAL,
                after=("dns_record_gone",),
                limits=(proxy_host.WRITES,),
                usual=0.5,
            ),
            Step(
                "high_availability_off",
                "Switching high availability off",
                high_availability.unmanaged,
                nothing_to_undo=FINAL,
                after=("certificate_gone", "domains_gone"),
                limits=(CALLS,),
                usual=0.3,
            ),
            Step(
                "deleted",
                "Freeing the address",
                reservation.deleted,
                nothing_to_undo=FINAL,
                after=("high_availability_off",),
                usual=0.1,
            ),
        ),
    )
)
