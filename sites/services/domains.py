"""Host names that customers bring."""

from collections.abc import Iterable

from django.conf import settings
from publicsuffixlist import PublicSuffixList

from nodepoint import names
from nodepoint.api.waiting import spare_thread
from nodepoint.clients.deadline import deadline
from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from nodepoint.names import Shown
from sites import belonging, pointing
from sites.errors import BadDomain, DomainNotProven, DomainTaken, QuotaExceeded, UnknownDomain
from sites.models import CustomDomain, Site
from sites.naming import BadName, host_name
from sites.services.standing import site_for_action
from sites.steps.holding import MOVES

LOOK_SECONDS = 2.0  # at where all domains of a site lead, of a call that reads
ADD, REMOVE = "sites.add_domain", "sites.remove_domain"

_suffixes = PublicSuffixList()


def remaining_domains(site: Site) -> int:
    """How many domains may still be added; those that failed count until they are removed."""
    return max(0, site.domains_allowed - site.custom_domains.count())


def domain_problems(domains: Iterable[CustomDomain]) -> dict[str, str]:
    """Why those of a site's domains that are active, or lapsed, do not lead here now, by name; without those
    that do, or of which nobody can tell, and nothing where too many requests wait already. Asks DNS, for up
    to 2 s."""
    watched = [row for row in domains if row.status == CustomDomain.Status.ACTIVE or row.lapsed_at]
    with spare_thread() as free:
        return belonging.problems(watched, LOOK_SECONDS) if free else {}


def add_domain(
    service_id: str, domain: str, *, verify: str = "dns", actor: str = ""
) -> tuple[CustomDomain, Job]:
    """Have a site answer to a customer's host name. By now it must lead to the site's public IP and be nobody
    else's, or a TXT record must show that it is his (`verify` "txt": that alone is asked for).

    A name of the site's own that failed, or got no certificate, is tried anew. One of another site moves here
    when the job has seen the record as well; until then the row that is returned is in no table. Asks DNS,
    for up to 10 s.
    BadDomain, DomainTaken, DomainNotProven, QuotaExceeded; JobRefused while a job of the site runs; and what
    `site_for_action` raises.
    """
    site = site_for_action(service_id)
    name = read_name(domain)
    if _is_reserved(name):
        raise DomainTaken(name)
    standing = belonging.standing(name)
    _refuse(site, name, standing)
    if refusing := queue.in_the_way(site.key):
        raise JobRefused(refusing)
    with deadline(pointing.SECONDS):
        proven = _proven(site, name, standing, verify)
        if wrong := pointing.forbidden(name):
            raise BadDomain(wrong)

    def work() -> tuple[CustomDomain, Job]:
        names.lock()
        job = _submit(ADD, site, name, actor)
        now = site_for_action(service_id)  # as it is once no other job of the site can begin
        row = belonging.standing(name)
        _refuse(now, name, row)
        if not proven and (whose := belonging.held(now, name, row)):  # somebody was quicker
            raise _unproven(now, name, whose, taken=True)
        if row and row.site_id != now.pk:
            job.data[MOVES] = True
            job.save(update_fields=["data"])
            return CustomDomain(site=now, domain=name), job
        return _pending(now, name, row, proven), job

    return queue.whole(work)


def read_name(domain: str) -> str:
    """A host name as a caller wrote it, in the form of DNS; BadDomain."""
    try:
        return host_name(domain)
    except BadName as error:
        raise BadDomain(str(error)) from None


def _is_reserved(name: str) -> bool:
    """Whether a name is a public suffix, in the platform's zone, or that of one of its name servers."""
    own = [settings.BASE_DOMAIN, *(server.lower().rstrip(".") for server in settings.NAMESERVERS)]
    return _suffixes.is_public(name) or any(name == zone or name.endswith(f".{zone}") for zone in own)


def _refuse(site: Site, name: str, standing: CustomDomain | None) -> None:
    is_own = standing is not None and standing.site_id == site.pk
    if is_own and not standing.may_be_tried_anew:
        raise DomainTaken(name)
    if not is_own and not remaining_domains(site):
        allowed = site.domains_allowed
        raise QuotaExceeded(f"All {allowed} domains of this plan are in use. Remove one to add another.")


def _proven(site: Site, name: str, standing: CustomDomain | None, verify: str) -> bool:
    """Whether a name that may be taken in is so because its TXT record shows whose it is; not asked for
    without need. DomainNotProven."""
    why = whose = belonging.held(site, name, standing)
    if not whose and verify != "txt":
        found = pointing.look(name, site.public_ip)
        if found.is_here:
            return False
        why = found.why
    shown = belonging.proof(site, name).shown()
    if shown is not Shown.YES:
        raise _unproven(site, name, why, taken=bool(whose), unknown=shown is Shown.UNKNOWN)
    return True


def _unproven(site: Site, name: str, why: str, *, taken: bool, unknown: bool = False) -> DomainNotProven:
    proof = belonging.proof(site, name)
    silent = f"The name servers gave no answer about {proof.name}." if unknown and (taken or not why) else ""
    remedy = proof.request
    if why and not taken:
        remedy = f"Where it is to stay there: {remedy[0].lower()}{remedy[1:]}"
    elif taken:
        remedy = f"If it is yours: {remedy[0].lower()}{remedy[1:]}"
    sentence = " ".join(filter(None, [why, silent, remedy]))
    return DomainNotProven(sentence, proof, taken=taken)


def _pending(site: Site, name: str, row: CustomDomain | None, proven: bool) -> CustomDomain:
    """The row of a name that is set up now, while the names are locked. Its certificate, where it has one,
    stays."""
    if row is None:
        return CustomDomain.objects.create(site=site, domain=name, proven=proven)
    row.error, row.proven = "", proven
    row.lapsed_at, row.astray_since, row.astray_looks = None, None, 0
    if row.status != CustomDomain.Status.ACTIVE:
        row.status = CustomDomain.Status.PENDING
    # The job of the certificate takes the one that it has, and tells WordPress its name.
    row.certificate = CustomDomain.CertificateStatus.NONE
    looks = ["lapsed_at", "astray_since", "astray_looks"]
    row.save(update_fields=["error", "proven", "status", "certificate", *looks])
    return row


def _submit(kind: str, site: Site, name: str, actor: str) -> Job:
    data = {"service_id": site.service_id, "domain": name}
    return queue.submit(kind, site.key, data=data, actor=actor, queue=False)


def remove_domain(service_id: str, domain: str, *, actor: str = "") -> tuple[CustomDomain, Job]:
    """Have a customer's host name taken off a site, its proxy host and certificate deleted.

    BadDomain, UnknownDomain; JobRefused while a job of the site runs; and what `site_for_action` raises.
    """
    site = site_for_action(service_id)
    name = read_name(domain)
    if not site.custom_domains.filter(domain=name).exists():
        raise UnknownDomain()

    def work() -> tuple[CustomDomain, Job]:
        job = _submit(REMOVE, site, name, actor)
        # Once more: another job may have removed it between the look and this one.
        row = site_for_action(service_id).custom_domains.filter(domain=name).first()
        if row is None:
            raise UnknownDomain()
        queue.cancel(row.key)  # the order of its certificate
        return row, job

    return queue.whole(work)
