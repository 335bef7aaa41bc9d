"""From the order to the live site, and from there to nothing left."""

from dataclasses import replace

from nodepoint.jobs.registry import Flow, Step, former_step, register
from nodepoint.restoration import after_release
from sites.flows.archive_notices import ARCHIVE_KEPT
from sites.flows.notices import SITE_FAILED, SITE_LIVE
from sites.flows.place import PLACE
from sites.flows.power import is_live
from sites.flows.publication import publication
from sites.pool import takeover
from sites.steps import (
    container,
    dns_record,
    domains,
    firewall,
    high_availability,
    last_archive,
    name,
    proxy_host,
    reservation,
    second,
    snapshot,
    wordpress,
)
from sites.steps.proxmox import CALLS, CREATIONS

PROVISION = register(
    Flow(
        "sites.provision",
        title="Create site",
        subject="sites.Site",
        scope="sites",
        deadline=30 * 60,
        stands=is_live,
        version=4,
        tells=SITE_LIVE,
        tells_failure=SITE_FAILED,
        former=(former_step("customer_told", "Sending the e-mail", "snapshot"),),
        steps=(
            Step(
                "reserved",
                "Reserving an address",
                None,  # allocation.reserve, in the transaction that accepts the order
                undo=reservation.given_back,
                usual=0.1,
            ),
            replace(PLACE, run=takeover.placed),
            Step(
                "container",
                "Creating the container",
                takeover.created,
                undo=container.removed,
                after=("place",),
                limits=(CREATIONS, CALLS),
                usual=45,
            ),
            *publication("place"),
            # Before the start: a container never runs unguarded.
            Step(
                "firewall",
                "Closing the firewall",
                firewall.firewall_on,
                nothing_to_undo="It goes with the container.",
                after=("container",),
                limits=(CALLS,),
                usual=1.5,
            ),
            Step(
                "started",
                "Starting the container",
                takeover.started,
                nothing_to_undo="Removing the container stops it.",
                after=("firewall",),
                limits=(CALLS,),
                deadline=5 * 60,
                usual=7,
            ),
            Step(
                "high_availability",
                "Switching high availability on",
                high_availability.managed,
                undo=high_availability.unmanaged,
                after=("started",),
                needed=high_availability.wanted,
                limits=(CALLS,),
                if_skipped="The site is not managed by HA until it is repaired.",
                usual=0.3,
            ),
            Step(
                "wordpress",
                "Installing WordPress",
                takeover.installed,
                nothing_to_undo="It goes with the container.",
                after=("started",),
                deadline=15 * 60,
                usual=75,
            ),
            Step(
                "renamed",
                "Telling WordPress its other name",
                name.carried_inside,
                nothing_to_undo="It goes with the container.",
                after=("wordpress", "name"),
                needed=name.was_changed,
                deadline=15 * 60,
                usual=3,
            ),
            Step(
                "verified",
                "Checking the site",
                wordpress.verified,
                nothing_to_undo="Looking changes nothing.",
                after=("renamed", "high_availability", "encryption"),
                deadline=5 * 60,
                usual=1,
            ),
            # From here on the site is live: what fails now is reported to staff, the customer keeps the site.
            Step(
                "snapshot",
                "Taking the first snapshot",
                snapshot.initial_taken,
                nothing_to_undo="It goes with the container.",
                after=("verified",),
                limits=(CALLS,),
                deadline=10 * 60,
                spares_the_job=True,
                if_skipped="The site has no first snapshot, so it cannot be reset.",
                usual=15,
            ),
        ),
    )
)

TERMINATE = register(
    Flow(
        "sites.terminate",
        title="Delete site",
        subject="sites.Site",
        scope="sites",
        version=2,
        tells=ARCHIVE_KEPT,
        steps=(
            # Beside the names, which go meanwhile; nothing of the container does before it is there.
            Step(
                "last_archive",
                "Making the last archive",
                after_release(last_archive.made),
                nothing_to_undo="Deleting is final.",
                needed=last_archive.may_be_wanted,
                limits=(CALLS,),  # not among ARCHIVES: one that waits for staff would keep its place there
                if_skipped="Nothing of the site is kept but the archives that there are.",
                usual=25,
            ),
            Step(
                "dns_record_gone",
                "Removing the DNS record",
                after_release(dns_record.absent),
                nothing_to_undo="Deleting is final.",
                if_skipped="A record of ours may stay at Cloudflare; reconcile reports it.",
            ),
            Step(
                "proxy_host_gone",
                "Removing the proxy host",
                proxy_host.gone,
                nothing_to_undo="Deleting is final.",
                after=("dns_record_gone",),
                limits=(proxy_host.WRITES,),
            ),
            Step(
                "certificate_gone",
                "Removing the certificate",
                proxy_host.certificate_gone,
                nothing_to_undo="Deleting is final.",
                after=("proxy_host_gone",),
                limits=(proxy_host.WRITES,),
                if_skipped="A certificate of ours may stay at Nginx Proxy Manager.",
            ),
            Step(
                "domains_gone",
                "Removing the customer's domains",
                domains.all_gone,
                nothing_to_undo="Deleting is final.",
                after=("dns_record_gone",),
                limits=(proxy_host.WRITES,),
            ),
            Step(
                "high_availability_off",
                "Switching high availability off",
                high_availability.unmanaged,
                nothing_to_undo="Deleting is final.",
                after=("certificate_gone", "domains_gone"),
                limits=(CALLS,),
            ),
            Step(
                "container_removed",
                "Deleting the container",
                second.all_removed,
                nothing_to_undo="Deleting is final.",
                after=("high_availability_off", "last_archive"),
                limits=(CALLS,),
                usual=8,
            ),
            Step(
                "archives_settled",
                "Noting what is kept until when",
                last_archive.settled,
                nothing_to_undo="Deleting is final.",
                after=("container_removed",),
                usual=0.1,
            ),
            Step(
                "deleted",
                "Freeing the address",
                reservation.deleted,
                nothing_to_undo="Deleting is final.",
                after=("archives_settled",),
                usual=0.1,
            ),
        ),
    )
)
