"""What happens to a site, step by step. Read this first.

Steps whose forerunners (`after`) are done run side by side. When a step fails for good, everything that was begun is undone, last first. Deleting a
site is made of the same undos: DNS first, so that visitors go, the address last, so that nobody else gets it before the container is gone.
"""

from nodepoint.jobs.registry import Flow, Step, register
from sites.steps import (
    container,
    dns_record,
    firewall,
    high_availability,
    mail,
    proxy_host,
    reservation,
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
        steps=(
            Step(
                "reserved",
                "Reserving an address",
                None,  # allocation.reserve, in the transaction that accepts the order
                undo=reservation.given_back,
                usual=0.1,
            ),
            Step(
                "container",
                "Creating the container",
                container.created,
                undo=container.removed,
                after=("reserved",),
                limits=(CREATIONS, CALLS),
                usual=45,
            ),
            Step(
                "dns_record",
                "Setting the DNS record",
                dns_record.present,
                undo=dns_record.absent,
                after=("reserved",),
                usual=0.5,
            ),
            Step(
                "proxy_host",
                "Setting up the proxy",
                proxy_host.served,
                undo=proxy_host.gone,
                after=("reserved",),
                limits=(proxy_host.WRITES,),
                usual=1,
            ),
            Step(
                "certificate",
                "Ordering the certificate",
                proxy_host.certified,
                undo=proxy_host.certificate_gone,
                after=("dns_record", "proxy_host"),
                limits=(proxy_host.ORDERS,),
                needed=proxy_host.needs_own_certificate,
                usual=1,
            ),
            Step(
                "encryption",
                "Switching encryption on",
                proxy_host.encrypted,
                undo=proxy_host.gone,  # before the certificate: deleting one that a host uses breaks all of NPM
                after=("certificate",),
                limits=(proxy_host.WRITES,),
                needed=proxy_host.needs_own_certificate,
                usual=0.5,
            ),
            Step(
                "started",
                "Starting the container",
                container.started,
                nothing_to_undo="Removing the container stops it.",
                after=("container",),
                limits=(CALLS,),
                deadline=5 * 60,
                usual=7,
            ),
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
                "high_availability",
                "Switching high availability on",
                high_availability.managed,
                undo=high_availability.unmanaged,
                after=("started",),
                needed=high_availability.wanted,
                limits=(CALLS,),
                usual=0.3,
            ),
            Step(
                "wordpress",
                "Installing WordPress",
                wordpress.installed,
                nothing_to_undo="It goes with the container.",
                after=("started",),
                deadline=15 * 60,
                usual=75,
            ),
            Step(
                "verified",
                "Checking the site",
                wordpress.verified,
                nothing_to_undo="Looking changes nothing.",
                after=("wordpress", "firewall", "high_availability", "encryption"),
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
                usual=15,
            ),
            Step(
                "customer_told",
                "Sending the e-mail",
                mail.customer_told,
                nothing_to_undo="A sent e-mail stays sent.",
                after=("snapshot",),
                deadline=20 * 60,
                spares_the_job=True,
                usual=0.5,
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
        steps=(
            Step(
                "dns_record_gone",
                "Removing the DNS record",
                dns_record.absent,
                nothing_to_undo="Deleting is final.",
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
            ),
            Step(
                "high_availability_off",
                "Switching high availability off",
                high_availability.unmanaged,
                nothing_to_undo="Deleting is final.",
                after=("certificate_gone",),
                limits=(CALLS,),
            ),
            Step(
                "container_removed",
                "Deleting the container",
                container.removed,
                nothing_to_undo="Deleting is final.",
                after=("high_availability_off",),
                limits=(CALLS,),
                usual=8,
            ),
            Step(
                "deleted",
                "Freeing the address",
                reservation.deleted,
                nothing_to_undo="Deleting is final.",
                after=("container_removed",),
                usual=0.1,
            ),
        ),
    )
)
