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

TTL = 300  # seconds
IN_THE_WAY = {"A", "AAAA", "CNAME"}


def present(call: Call) -> Outcome:
    """Exactly one A record of ours leads to the proxy, and nothing foreign stands beside it."""
    site: Site = call.subject
    records = [record for record in cloudflare().find_records(site.hostname) if record.type in IN_THE_WAY]
    ours = [record for record in records if _is_ours(record, site)]
    if found := _described(record for record in records if record not in ours):
        strangers.met(site, f"record {found}")
        return Fail(
            error=f"Cloudflare has another record for {site.hostname}.", detail=f"Foreign records: {found}"
        )
    for surplus in ours[1:]:
        cloudflare().delete_record(surplus.id)
    record = _right(site, ours[0]) if ours else _create(site)
    if record is None:
        return Retry(seconds=0.5, error="Cloudflare already has a record for this name.")
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
    """No record of ours is left. Somebody else's stays, and no later order gets the name."""
    site: Site = call.subject
    if not site.hostname:
        return Done(facts={"dns_record_id": ""})
    records = [record for record in cloudflare().find_records(site.hostname) if record.type in IN_THE_WAY]
    for record in records:
        if _is_ours(record, site):
            cloudflare().delete_record(record.id)
    foreign = _described(record for record in records if not _is_ours(record, site))
    if foreign:
        strangers.met(site, f"record {foreign}")
    return Done(facts={"dns_record_id": ""}, note=foreign and f"Left alone, without our mark: {foreign}")


def _described(records: Iterable[Record]) -> str:
    return ", ".join(f"{record.type} {record.content}" for record in records)


def _is_ours(record: Record, site: Site) -> bool:
    return marks.is_of(marks.carried_by_comment(record.comment), site)
