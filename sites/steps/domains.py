"""A customer's host name of a site: its proxy host, and the certificate that is ordered for it."""

from dataclasses import replace

from django.db import transaction

from nodepoint import names
from nodepoint.clients.errors import (
    BadAnswer,
    ClientError,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
)
from nodepoint.jobs import queue
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait
from nodepoint.names import Shown
from sites import belonging, pointing
from sites.models import CustomDomain, MovedDomain, Site
from sites.steps import certificates, hosts, wordpress
from sites.steps.certificates import Ordered
from sites.steps.hosts import custom_name

CERTIFICATE = "sites.certificate"  # kind of the job that orders
PRIMARY = "sites.primary"  # kind of the job that tells WordPress its name
ORDER = "certificate"  # its step that does
FAILURES_AN_HOUR = 5  # that Let's Encrypt permits for one name before it refuses to look
FIRST_PAUSE, LONGEST_PAUSE = 10 * 60, 12 * 3600  # seconds after an order that failed; doubled each time
LOOK_PAUSE, LONGEST_LOOK_PAUSE = 5 * 60, 3600  # seconds until DNS is asked anew after it was wrong
LONGEST_AWAY_PAUSE = 5 * 60  # seconds between two looks whether NPM is there again

Status, CertificateStatus = CustomDomain.Status, CustomDomain.CertificateStatus


def _domain(call: Call) -> CustomDomain | None:
    """The domain that a job of the site is about; None when it is gone."""
    found = CustomDomain.objects.filter(site_id=call.subject.pk, domain=call.job.data["domain"])
    return found.select_related("site").first()


def _ordered(domain: CustomDomain) -> Ordered:
    return Ordered(domain.domain, domain.certificate_id, domain.created_at)


def _note(domain: CustomDomain, **columns: object) -> None:
    CustomDomain.objects.filter(pk=domain.pk).update(**columns)


# Adding


def not_accepted(call: Call) -> Outcome:
    """It could not be set up, or not be removed. It stands as failed, so that the customer can see why."""
    if domain := _domain(call):
        _note(domain, status=Status.FAILED, error=call.job.error or "It could not be carried out.")
    return Done()


def served(call: Call) -> Outcome:
    """One proxy host of ours leads the domain to the site's container, by plain HTTP unless an earlier
    certificate is still there. That of a site which the domain has moved from is used.
    """
    domain = _domain(call)
    if domain is None:
        return Done(note="The domain is gone.")
    moved = hosts.moved(domain.domain)
    if moved and (underway := _ordered(domain).underway(call)):
        return underway
    if domain.certificate_id and not hosts.usable(domain.certificate_id):
        domain.certificate_id = None  # a removal that failed got as far as that
        _note(domain, certificate_id=None, certificate=CertificateStatus.NONE)
    host = hosts.served(custom_name(domain, [one.site for one in moved]))
    _note(domain, proxy_host_id=host.id, status=Status.ACTIVE, error="")
    _forget(moved)
    return Done(ref=str(host.id))


def _forget(moved: list[MovedDomain]) -> None:
    """No proxy host carries the mark of these former sites any more. What has moved since is another row."""
    if moved:
        MovedDomain.objects.filter(pk__in=[one.pk for one in moved]).delete()


def host_gone(call: Call) -> Outcome:
    """No proxy host of ours is left for the domain."""
    if domain := _domain(call):
        if underway := _ordered(domain).underway(call):
            # An order that died with NPM is waited for longer than the customer's wish has time.
            return replace(underway, in_line=True)
        _without_host(domain)
        _note(domain, proxy_host_id=None)
    return Done()


def _without_host(domain: CustomDomain) -> None:
    moved = hosts.moved(domain.domain)
    hosts.gone(custom_name(domain, [one.site for one in moved]))
    _forget(moved)


def certificate_wished(call: Call) -> Outcome:
    """A job of the domain's own orders its certificate; an earlier one that rests between two tries ends."""
    with transaction.atomic():
        names.lock()  # the domain does not move to another site meanwhile
        domain = _domain(call)
        if domain is None or domain.certificate == CertificateStatus.ACTIVE:
            return Done()
        data = {"service_id": call.subject.service_id, "domain": domain.domain}
        job = queue.submit(CERTIFICATE, domain.key, data=data, actor=call.job.actor, cancel=True)
        _note(domain, certificate=CertificateStatus.PENDING)
    return Done(ref=job.pk)


# The certificate: jobs of the domain


def certified(call: Call) -> Outcome:
    """A certificate for exactly the domain exists. DNS is asked before each order, and after failures orders
    become rare: the authority counts them.
    """
    domain: CustomDomain = call.subject
    ordered = _ordered(domain)
    try:
        certificate = ordered.usable()
        if certificate is None:
            ordered = _known_by_name(domain, ordered)
            if not_now := ordered.underway(call) or _not_now(call, domain):
                return not_now
            certificate = ordered.order()
    except (Refused, BadAnswer, Conflict, NotFound) as error:
        return _failed(call, error)
    except (Unreachable, TimedOut) as error:
        return _away(call, error)
    return Done(ref=str(certificate.id), facts={"certificate_id": certificate.id})


def _known_by_name(domain: CustomDomain, ordered: Ordered) -> Ordered:
    """How a new certificate is known while it has no id: one that has ended is still ours, but not this."""
    if domain.certificate_id is None:
        return ordered
    domain.certificate_id = None
    _note(domain, certificate_id=None)
    return _ordered(domain)


def _not_now(call: Call, domain: CustomDomain) -> Outcome | None:
    """Why nothing is to be ordered yet: an order that must fail, or one too many, would only be counted."""
    lately = [at for at in _failures(domain) if at > call.now.timestamp() - 3600]
    if len(lately) >= FAILURES_AN_HOUR:
        rest = lately[-FAILURES_AN_HOUR] + 3600 - call.now.timestamp()
        return Retry(error="Let's Encrypt permits no more tries this hour.", seconds=max(1.0, rest))
    wrong = _wrong_in_dns(domain)
    if not wrong:
        return None
    looks = call.step.data.get("looks", 0)
    return Retry(
        error=wrong,
        seconds=min(LONGEST_LOOK_PAUSE, LOOK_PAUSE * 2**looks),
        data={"looks": looks + 1, "away": 0},
        facts={"certificate": CertificateStatus.FAILED, "error": wrong},
    )


def _wrong_in_dns(domain: CustomDomain) -> str:
    """Why an order would fail: empty for a name that leads here, or is known to be its owner's elsewhere."""
    found = pointing.look(domain.domain, domain.site.public_ip)
    elsewhere = "" if found.is_here else found.why
    if elsewhere and domain.proven and belonging.proof(domain.site, domain.domain).shown() is Shown.YES:
        elsewhere = ""
    return elsewhere or pointing.forbidden(domain.domain)


def _failures(domain: CustomDomain) -> list[float]:
    """When orders for this name failed (epoch seconds, in order), those of earlier jobs included."""
    orders = JobStep.objects.filter(
        name=ORDER, job__kind=CERTIFICATE, job__data__domain=domain.domain
    ).values_list("data", flat=True)
    return sorted(at for data in orders for at in data.get("failures", []))


def _failed(call: Call, error: ClientError) -> Outcome:
    failures = [*call.step.data.get("failures", []), call.now.timestamp()]
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (len(failures) - 1))
    sentence = certificates.sentence(error)  # the last one stays with the job
    # Read anew: the order may have taken minutes.
    if not hosts.traffic_wished(Site.objects.get(pk=call.subject.site_id)):
        hosts.off_again(custom_name(call.subject))
    return Retry(
        error=sentence,
        detail=certificates.detail(error),
        seconds=max(pause, getattr(error, "retry_after", None) or 0),
        data={"failures": failures[-20:], "looks": 0, "away": 0},
        facts={"certificate": CertificateStatus.FAILED, "error": f"{sentence} It is tried again."},
    )


def _away(call: Call, error: ClientError) -> Outcome:
    """NPM is away or does not take the host: there is a week in which that can be mended."""
    times = call.step.data.get("away", 0)
    pause = min(LONGEST_AWAY_PAUSE, 2 ** min(times, 10))
    return Retry(error=error.sentence, detail=error.vendor, seconds=pause, data={"away": times + 1})


def encrypted(call: Call) -> Outcome:
    """The domain's proxy host uses the certificate and forces TLS; traffic is as wished."""
    domain: CustomDomain = call.subject
    name = custom_name(domain)
    try:
        hosts.served(name)
        if not hosts.traffic_wished(domain.site):
            hosts.off_again(name)
    except ClientError as error:
        return _away(call, error)
    return Done(facts={"certificate": CertificateStatus.ACTIVE, "error": ""})


def primary_wished(call: Call) -> Outcome:
    """A job of the site tells WordPress its name, where it is another one now."""
    job = name_wished(call.subject.site, call.subject.domain, call.job.actor)
    return Done(ref=job.pk if job else "")


def name_wished(site: Site, domain: str, actor: str) -> Job | None:
    """The job that tells WordPress its name, because of what has become of a domain; None where it is the one
    that it has. One at a time works on a site, so that the last one to write it has seen all that went
    before."""
    with transaction.atomic():
        queue.lock(site.key)
        site = Site.objects.get(pk=site.pk)
        if (
            site.state != Site.State.LIVE
            or site.deletion_requested_at
            or site.serves_as == site.primary_domain
        ):
            return None
        data = {"service_id": site.service_id, "domain": domain}
        return queue.submit(PRIMARY, site.key, data=data, actor=actor)


def no_certificate(call: Call) -> Outcome:
    """No certificate was to be had for so long that nothing more is tried."""
    error = "No certificate could be obtained. Please check the domain and add it again."
    return Done(facts={"certificate": CertificateStatus.FAILED, "error": error})


# Removing


def order_stopped(call: Call) -> Outcome:
    """Nothing is being ordered for the domain any more."""
    domain = _domain(call)
    return Wait(seconds=1.0) if domain and on_order(domain) else Done()


def on_order(domain: CustomDomain) -> bool:
    """Whether its certificate may be on order this moment; what only rests is stopped."""
    queue.cancel(domain.key)
    return Job.objects.filter(subject=domain.key, state__in=Job.ALIVE).exists()


def goes_by_a_custom_name(site: Site) -> bool:
    """Whether WordPress may have a customer's domain for its name."""
    return site.serves_as != site.hostname


def handed_over(call: Call) -> Outcome:
    """WordPress goes by another name than the domain that is to go."""
    domain = _domain(call)
    if not call.ref:
        # Tried once more after all else was done, it finds no row, or that of a domain which was added anew.
        if domain and domain.created_at <= call.job.created_at:
            _note(domain, status=Status.PENDING, lapsed_at=None)  # from now on it is not chosen
        if call.subject.serves_as == call.subject.primary_domain:
            return Done()
    return wordpress.tuned(call)


def certificate_gone(call: Call) -> Outcome:
    """No certificate of ours is left for the domain, whose host is gone by now."""
    if domain := _domain(call):
        _ordered(domain).gone()
        _note(domain, certificate_id=None, certificate=CertificateStatus.NONE)
    return Done()


def forgotten(call: Call) -> Outcome:
    """The name is free again, for this site and for others."""
    if domain := _domain(call):
        domain.release()
    return Done()


def all_gone(call: Call) -> Outcome:
    """Nothing is left of all the domains of a site that is being deleted, nor a proxy host that leads here of
    those that have moved to another site."""
    for domain in call.subject.custom_domains.select_related("site"):
        if on_order(domain):
            return Wait(seconds=1.0)
        ordered = _ordered(domain)
        if underway := ordered.underway(call):
            return underway
        _without_host(domain)
        ordered.gone()
        domain.release()
    return _moved_hosts_gone(call)


def _moved_hosts_gone(call: Call) -> Outcome:
    for moved in call.subject.moved_domains.select_related("site"):
        domain = CustomDomain.objects.filter(domain=moved.domain).first()
        if domain and (underway := _ordered(domain).underway(call)):
            return underway
        hosts.gone(hosts.HostName(moved.domain, moved.site, None))
        _forget([moved])
    return Done()
