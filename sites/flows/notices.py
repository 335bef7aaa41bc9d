"""E-mails to the customer about a site: when it is ready, was reset, is not ready yet, is suspended or back,
or fills its disk. Their texts are in `templates/mails`; those about his domains in `domain_notices`.

That a site is ready is told by us, since the portal's own e-mail goes out before the site exists. It holds a
link to set the password, which is made when the mail server is ready for it and handed to that alone: neither
a row nor a log ever sees it. A mail that is sent twice holds two links, of which the later one works.
"""

from typing import Any

from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from nodepoint.notices.letters import Contents, Mail, register
from nodepoint.notices.models import AGAIN, Notice
from nodepoint.prepared import prepared
from sites import access, thresholds
from sites.models import Site, SiteUsage

SITE_LIVE, SITE_RESET = "notices.site_live", "notices.site_reset"
SITE_FAILED = "notices.site_failed"
SITE_SUSPENDED, SITE_BACK = "notices.site_suspended", "notices.site_back"
DISK_FILLS = "notices.disk_fills"
GOING_BACK = ("sites.rollback", "sites.reset")  # after these a link that was made before is void
NO_LINK = "WordPress gave no link to set the password."
GONE = "Nobody was told: the site is not there any more."
BEFORE = "Nobody was told: an earlier e-mail says the same."
IN_LINE = "An earlier e-mail about it goes first."
BUSY = 30.0  # seconds until the next look at a site that goes back to a snapshot
NAME, URL = "jane.example.net", "https://jane.example.net"
SITE = {"service_id": "1001", "name": NAME, "url": URL, "email": "jane.doe@example.com"}
LINK = f"{URL}/wp-login.php?action=rp&key=AbCdEf0123456789&login=jane.doe%40example.com"


def key_of(row: Notice) -> str:
    """The primary key of what it tells of."""
    return row.about.partition(":")[2]


def site_of(row: Notice) -> Site | None:
    """The site, where its customer still has it."""
    found = prepared(Site).filter(pk=key_of(row), state=Site.State.LIVE, deletion_requested_at=None)
    return found.first()


def facts(site: Site) -> dict[str, Any]:
    """What every text about a site may say."""
    return {"service_id": site.service_id, "name": site.hostname, "url": site.url, "email": site.email}


def _in_its_turn(row: Notice) -> Outcome | None:
    """Nothing of a site that is gone, and no reset of which a later one tells; the rest one after the other,
    since a later link voids the one before."""
    if site_of(row) is None:
        return Done(note=GONE)
    if row.kind == SITE_RESET and on_their_way(row, kind=SITE_RESET, created_at__gt=row.created_at):
        return Done(note="Nobody was told: a later e-mail says the same.")
    if on_their_way(row, kind__in=(SITE_LIVE, SITE_RESET), created_at__lt=row.created_at):
        return Retry(error=IN_LINE, seconds=BUSY)
    if prepared(Job).filter(active_key=row.about, kind__in=GOING_BACK).values("pk"):
        return Retry(error="The site goes back to a snapshot.", seconds=BUSY)
    return None


def on_their_way(row: Notice, **which: Any) -> bool:
    """Whether others of these about the same site are still to be sent."""
    others = prepared(Notice).filter(about=row.about, sent_at=None, **which)
    subjects = [other.key for other in others.all()]
    return bool(subjects) and Job.objects.filter(subject__in=subjects, state__in=Job.ALIVE).exists()


def _with_link(row: Notice) -> Contents | Outcome:
    """With a link; without one only where the site is meant to be off, and then the letter says so.

    A site that gives no link is asked again until the notice's time is over: an e-mail that helps nobody in
    would look like success.
    """
    site = site_of(row)
    if site is None:
        return Done(note=GONE)
    is_off = site.power_wished != "running"
    try:
        link = "" if is_off else access.password_link(site)
    except access.NotRunning:
        return Retry(error=NO_LINK, detail="The container does not run.")
    except access.NoLink as error:
        return Retry(error=NO_LINK, detail=str(error))
    note = "Sent without a link to set the password, since the site is off." if is_off else ""
    return Contents(site.email, {**facts(site), "link": link}, secret=bool(link), note=note)


register(
    Mail(
        SITE_LIVE,
        "Site ready",
        "when a new site is live, with a link to set the password",
        "site_live",
        {**SITE, "link": LINK},
    ),
    _in_its_turn,
    _with_link,
)
register(
    Mail(
        SITE_RESET,
        "Site reset",
        "when a site was reset to its first day, with a new link",
        "site_reset",
        {**SITE, "link": LINK},
    ),
    _in_its_turn,
    _with_link,
)


# An order that did not succeed


def _not_ordered_again(row: Notice) -> Outcome | None:
    site = Site.objects.filter(pk=key_of(row), state=Site.State.FAILED, deletion_requested_at=None).first()
    if site is None or Site.objects.filter(live_key=site.service_id).exists():
        return Done(note="Nobody was told: the site was ordered again, or is wanted no more.")
    if row.says == AGAIN:
        return None
    others = Site.objects.filter(service_id=site.service_id).exclude(pk=site.pk)
    told = Notice.objects.filter(kind=SITE_FAILED, about__in=[other.key for other in others])
    return Done(note=BEFORE) if told.filter(sent_at__isnull=False).exists() else None


def _of_failure(row: Notice) -> Contents:
    site = Site.objects.get(pk=key_of(row))
    return Contents(site.email, facts(site))


register(
    Mail(
        SITE_FAILED,
        "Site not ready yet",
        "when an order did not succeed; once for each service, however often it is repeated",
        "site_failed",
        SITE,
    ),
    _not_ordered_again,
    _of_failure,
)


# Suspension and its end


def _newly_suspended(row: Notice) -> Outcome | None:
    """Once for each suspension, however often it has to be carried out."""
    site = site_of(row)
    if site is None:
        return Done(note=GONE)
    if not site.suspended:
        return Done(note="Nobody was told: the suspension is over.")
    if row.says == AGAIN:
        return None
    told = Notice.objects.filter(kind=SITE_SUSPENDED, about=row.about, sent_at__gte=site.suspended_at)
    if told.exists():
        return Done(note=BEFORE)
    if on_their_way(row, kind=SITE_SUSPENDED, created_at__lt=row.created_at):
        return Retry(error=IN_LINE, seconds=BUSY)
    return None


def _known_to_be_back(row: Notice) -> Outcome | None:
    """Who was never told of the suspension is not told of its end."""
    site = site_of(row)
    if site is None:
        return Done(note=GONE)
    if site.suspended:
        return Done(note="Nobody was told: the site is suspended again.")
    if row.says == AGAIN:
        return None
    about = Notice.objects.filter(about=row.about, kind__in=(SITE_SUSPENDED, SITE_BACK))
    last = about.exclude(pk=row.pk).filter(sent_at__isnull=False).order_by("-sent_at").first()
    if last is None or last.kind == SITE_BACK:
        return Done(note="Nobody was told: nobody knows of a suspension.")
    return None


def _of_suspension(row: Notice) -> Contents | Outcome:
    site = site_of(row)
    if site is None:
        return Done(note=GONE)
    return Contents(site.email, {**facts(site), "off": site.power_wished != "running"})


register(
    Mail(
        SITE_SUSPENDED,
        "Site suspended",
        "when a site that billing has suspended is off",
        "site_suspended",
        SITE,
    ),
    _newly_suspended,
    _of_suspension,
)
register(
    Mail(
        SITE_BACK,
        "Site back",
        "when the suspension is over and the site is there again, to whoever was told of the suspension",
        "site_back",
        SITE,
    ),
    _known_to_be_back,
    _of_suspension,
)


# His disk


def _warned(row: Notice) -> SiteUsage | None:
    """The site's disk, where it is still filling up and the customer still has the site."""
    found = SiteUsage.objects.filter(pk=key_of(row), site__state=Site.State.LIVE)
    usage = found.select_related("site__plan").first()
    return usage if usage and usage.disk_warning else None


def _still_filling(row: Notice) -> Outcome | None:
    return None if _warned(row) else Done(note="Nobody was told: there is room again, or the site is gone.")


def _of_disk(row: Notice) -> Contents | Outcome:
    usage = _warned(row)
    if usage is None:
        return _still_filling(row)
    site, percent = usage.site, usage.disk_percent
    near = thresholds.reached(percent) == thresholds.DISK[-1]
    return Contents(
        site.email, {**facts(site), "percent": percent, "disk_gb": site.plan.disk_gb, "near": near}
    )


register(
    Mail(
        DISK_FILLS,
        "Disk fills up",
        "when 80, 90 and 95 % of a disk are in use",
        "disk_fills",
        {**SITE, "percent": "95", "disk_gb": "20", "near": "yes"},
    ),
    _still_filling,
    _of_disk,
)
