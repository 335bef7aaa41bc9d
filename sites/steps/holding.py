"""Whose a domain is, looked at once more when its job acts; and its move from another site.

A name that stands for another site goes on standing there until the record that shows it to be this one's was
seen again. Then it moves in one transaction: that row goes and this one comes, so that the name is never
twice and never nobody's; the other site's WordPress gets another name, its owner and staff are told. What its
jobs are at is not waited for: they find the name not theirs any more. Only an order of its certificate is,
since NPM puts hosts back as they were when the order began. The proxy host is written by the step that
follows; until then `MovedDomain` knows whose mark it may carry.
"""

from nodepoint import names
from nodepoint.api.errors import as_refusal
from nodepoint.audit import trail
from nodepoint.jobs import queue, transitions
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from nodepoint.names import Shown
from sites import belonging
from sites.errors import DomainNotProven
from sites.models import CustomDomain, MovedDomain, Site
from sites.steps import domains

MOVES = "moves"  # in a job's data: the name was another site's when it was accepted
TO_FORMER, TO_STAFF = "notices.domain_moved", "notices.domain_moved_staff"
GONE = Done(note="The domain is gone.")


def proven(call: Call) -> Outcome:
    """The domain is the site's: nobody else's, or its TXT record shows whose it is. One that is another
    site's moves here. Looked at once more, since what was true when it was accepted may not be so any more.
    """
    site, name, moves = call.subject, call.job.data["domain"], call.job.data.get(MOVES, False)
    standing = belonging.standing(name)
    is_own = standing is not None and standing.site_id == site.pk
    if not is_own and not moves:
        return GONE
    if is_own and (moves or not (standing.proven or belonging.held(site, name, standing))):
        return Done()
    proof = belonging.proof(site, name)
    match proof.shown():
        case Shown.YES:
            return Done() if is_own else queue.whole(lambda: _moved(call, name))
        case Shown.UNKNOWN:
            return Retry(error=f"The name servers gave no answer about {proof.name}.")
    refusal = DomainNotProven(f"{name} was not shown to be yours. {proof.request}", proof, taken=not is_own)
    return Fail(error=refusal.sentence, refusal=as_refusal(refusal), callers_fault=True)


def _moved(call: Call, name: str) -> Outcome:
    """In the caller's transaction: the name stands for this site, and for no other."""
    names.lock()
    site = Site.objects.get(pk=call.subject.pk)
    if site.deletion_requested_at:
        return Done(note="The site is being deleted: the domain stays where it is.")
    row = belonging.standing(name)
    if row and row.site_id == site.pk:
        return Done()
    if row and domains.on_order(row):
        return Wait(seconds=1.0)
    if row:
        _taken_off(row, call)
    # The certificate's key is at NPM and the name is proven: it serves the new holder as well, whose job of
    # the certificate finds it.
    number = row.certificate_id if row else None
    CustomDomain.objects.create(site=site, domain=name, proven=True, certificate_id=number)
    return Done(note=f"It was a domain of {row.site.service_id}." if row else "")


def _taken_off(row: CustomDomain, call: Call) -> None:
    """The name is not the former site's any more, and whoever has to know is told."""
    former, job, orders = row.site, call.job, row.key
    row.delete()  # a new row comes: the age of this one would make it the other site's primary name
    queue.cancel(orders)  # one that began at this very moment
    MovedDomain.objects.get_or_create(domain=row.domain, site=former)
    trail.record(
        "sites.domain_moved",
        former.key,
        label=former.service_id,
        before={"domain": row.domain, "service_id": former.service_id},
        after={"domain": row.domain, "service_id": call.subject.service_id},
        job_id=job.pk,
        actor=job.actor,
    )
    domains.name_wished(former, row.domain, job.actor)
    data = {"job": job.pk, "service_id": former.service_id, "domain": row.domain}
    for kind in (TO_FORMER, TO_STAFF):
        transitions.tell(kind, former.key, call.now, data, cause=job.pk, request_id=job.request_id)
