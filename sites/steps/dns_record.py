"""The A record of the site's own name at Cloudflare. Names are not unique there: look first, and never touch
a foreign record.
"""

from collections.abc import Iterable

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import marks, strangers
from sites.clients.cloudflare import Record
from sites.connections import cloudflare
from sites.models import Site
from sites.steps.renaming import another_name

TTL = 300  # seconds
IN_THE_WAY = {"A", "AAAA", "CNAME"}


def present(call: Call) -> Outcome:
    """Exactly one A record of ours leads to the proxy, and nothing foreign stands beside it: an order takes
    another name for that."""
    site: Site = call.subject
    records = [record for record in cloudflare().find_records(site.hostname) if record.type in IN_THE_WAY]
    ours = [record for record in records if _is_ours(record, site)]
    if found := _described(record for record in records if record not in ours):
        sentence = f"Cloudflare has another record for {site.hostname}."
        refusal = Fail(error=sentence, detail=f"Foreign records: {found}")
        return another_name(call, f"record {found}", otherwise=refusal)
    for surplus in ours[1:]:
        cloudflare().delete_record(surplus.id)
    record = _right(site, ours[0]) if ours else _create(site)
    if record is None:
        return Retry(error="Cloudflare already has a record for this name.")
    return Done(ref=record.id, facts={"dns_record_id": record.id})


def _right(site: Site, record: Record) -> Record:
    """Our record with the content it should have."""
    wanted = {"content": site.public_ip, "ttl": TTL, "proxied": False}
    if all(getattr(record, field) == value for field, value in wanted.items()):
        return record
    return cloudflare().update_record(record.id, **wanted)


def _create(site: Site) -> Record | None:
    """A new record; None when one turned up meanwhile and has to be looked at."""
    try:
        return cloudflare().create_record(
            "A", site.hostname, site.public_ip, TTL, comment=marks.for_comment(site)
        )
    except Conflict:
        return None


def absent(call: Call) -> Outcome:
    """No record of ours is left, under any name of the site. Somebody else's stays, and no later order gets
    that name."""
    site: Site = call.subject
    others = {hostname: removed(site, hostname) for hostname in site.hostnames}
    foreign = others.get(site.hostname, "")
    if foreign:
        strangers.met(site, f"record {foreign}")
    return Done(facts={"dns_record_id": ""}, note=foreign and f"Left alone, without our mark: {foreign}")


def removed(site: Site, hostname: str) -> str:
    """No record of ours is left for a name. Returns what others have there."""
    records = [record for record in cloudflare().find_records(hostname) if record.type in IN_THE_WAY]
    for record in records:
        if _is_ours(record, site):
            cloudflare().delete_record(record.id)
    return _described(record for record in records if not _is_ours(record, site))


def _described(records: Iterable[Record]) -> str:
    return ", ".join(f"{record.type} {record.content}" for record in records)


def _is_ours(record: Record, site: Site) -> bool:
    return marks.is_of(marks.carried_by_comment(record.comment), site)
