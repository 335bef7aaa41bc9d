"""The way by which visitors reach a site, made the same for a new one and for one that is adopted."""

from nodepoint.jobs.registry import Step
from sites.steps import dns_record, name, proxy_host


def publication(after: str) -> tuple[Step, ...]:
    """Record, proxy host and, where there is no shared one, a certificate; behind the step `after`."""
    return (
        Step(
            "dns_record",
            "Setting the DNS record",
            dns_record.present,
            undo=dns_record.absent,
            if_skipped="Its record is missing until the site is repaired; one that was made may stay.",
            after=(after,),
            usual=0.5,
        ),
        Step(
            "proxy_host",
            "Setting up the proxy",
            proxy_host.served,
            undo=proxy_host.gone,
            after=(after,),
            limits=(proxy_host.WRITES,),
            usual=1,
        ),
        Step(
            "name",
            "Moving to another name",
            name.settled,
            nothing_to_undo="Record and proxy host are looked for under all names that the site was to have.",
            after=("dns_record", "proxy_host"),
            limits=(proxy_host.WRITES,),
            needed=name.was_changed,
            usual=1,
        ),
        Step(
            "certificate",
            "Ordering the certificate",
            proxy_host.certified,
            undo=proxy_host.certificate_gone,
            after=("name",),
            limits=(proxy_host.ORDERS,),
            needed=proxy_host.needs_own_certificate,
            usual=1,
        ),
        Step(
            "encryption",
            "Switching encryption on",
            proxy_host.encrypted,
            # Before the certificate: deleting one that a host uses breaks all of NPM.
            undo=proxy_host.gone,
            after=("certificate",),
            limits=(proxy_host.WRITES,),
            needed=proxy_host.needs_own_certificate,
            usual=0.5,
        ),
    )
