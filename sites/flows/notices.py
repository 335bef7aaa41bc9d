"""E-mails about a site: to its customer when it is ready or was reset, and to him and staff when a domain of
his has lapsed or moved to another site.

That a site is ready is told by us, since the portal's own e-mail goes out before the site exists. It holds a
link to set the password, which is made when the mail server is ready for it and handed to that alone: neither
a row nor a log ever sees it. A mail that is sent twice holds two links, of which the later one works.
"""

from functools import partial
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from nodepoint.notices.models import Notice
from nodepoint.notices.sending import Letter, notice
from sites import access
from sites.models import CustomDomain, Site, SiteUsage
from sites.steps.holding import TO_FORMER, TO_STAFF

SITE_LIVE, SITE_RESET = "notices.site_live", "notices.site_reset"
DOMAIN_LAPSED, DOMAIN_LAPSED_STAFF = "notices.domain_lapsed", "notices.domain_lapsed_staff"
DISK_FILLS = "notices.disk_fills"
GOING_BACK = ("sites.rollback", "sites.reset")  # after these a link that was made before is void
NO_LINK = "WordPress gave no link to set the password."
GONE = "Nobody was told: the site is not there any more."
BUSY = 30.0  # seconds until the next look at a site that goes back to a snapshot


def _site(row: Notice) -> Site | None:
    """The site, where its customer still has it."""
    return Site.objects.filter(pk=row.about.partition(":")[2], state=Site.State.LIVE).first()


def _in_its_turn(row: Notice) -> Outcome | None:
    """Nothing of a site that is gone, and no reset of which a later one tells; the rest one after the other,
    since a later link voids the one before."""
    if _site(row) is None:
        return Done(note=GONE)
    if row.kind == SITE_RESET and _on_their_way(row, kind=SITE_RESET, created_at__gt=row.created_at):
        return Done(note="Nobody was told: a later e-mail says the same.")
    if _on_their_way(row, kind__in=(SITE_LIVE, SITE_RESET), created_at__lt=row.created_at):
        return Retry(error="An earlier e-mail about the site goes first.", seconds=BUSY)
    if Job.objects.filter(active_key=row.about, kind__in=GOING_BACK).exists():
        return Retry(error="The site goes back to a snapshot.", seconds=BUSY)
    return None


def _on_their_way(row: Notice, **which: Any) -> bool:
    """Whether others of these about the same site are still to be sent."""
    others = Notice.objects.filter(about=row.about, sent_at=None, **which)
    subjects = [other.key for other in others]
    return bool(subjects) and Job.objects.filter(subject__in=subjects, state__in=Job.ALIVE).exists()


def _to_customer(subject: str, template: str, row: Notice) -> Letter | Outcome:
    """With a link; without one only where the site is meant to be off, and then the letter says so.

    A site that gives no link is asked again until the notice's time is over: an e-mail that helps nobody in
    would look like success.
    """
    site = _site(row)
    if site is None:
        return Done(note=GONE)
    is_off = site.power_wished != "running"
    try:
        link = "" if is_off else access.password_link(site)
    except access.NotRunning:
        return Retry(error=NO_LINK, detail="The container does not run.")
    except access.NoLink as error:
        return Retry(error=NO_LINK, detail=str(error))
    body = render_to_string(template, {"site": site, "link": link})
    note = "Sent without a link to set the password, since the site is off." if is_off else ""
    return Letter([site.email], subject.format(site=site), body, secret=bool(link), note=note)


notice(
    SITE_LIVE,
    "E-mail to the customer: site ready",
    _in_its_turn,
    partial(_to_customer, "Your WordPress site {site.hostname} is ready", "sites/site_live.txt"),
)
notice(
    SITE_RESET,
    "E-mail to the customer: site reset",
    _in_its_turn,
    partial(_to_customer, "Your WordPress site {site.hostname} was reset", "sites/site_reset.txt"),
)


def _lapsed(row: Notice) -> CustomDomain | None:
    """The domain, where it still leads elsewhere and its site still stands."""
    found = CustomDomain.objects.filter(pk=row.about.partition(":")[2], lapsed_at__isnull=False)
    return found.filter(site__state=Site.State.LIVE).select_related("site").first()


def _still_lapsed(row: Notice) -> Outcome | None:
    return None if _lapsed(row) else Done(note="Nobody was told: the domain is back, or gone.")


def _of_lapse(staff: bool, row: Notice) -> Letter | Outcome:
    """The same facts for the customer and for staff."""
    domain = _lapsed(row)
    if domain is None:
        return _still_lapsed(row)
    to = list(settings.STAFF_EMAIL) if staff else [domain.site.email]
    if not to:
        return Done(note="STAFF_EMAIL is empty: nobody was told.")
    values = {"domain": domain, "site": domain.site, "primary": domain.site.primary_domain, "staff": staff}
    subject = f"{domain.domain} does not lead to its site any more"
    prefix = f"[NodePoint] {domain.site.service_id}: " if staff else ""
    return Letter(to, prefix + subject, render_to_string("sites/domain_lapsed.txt", values))


notice(
    DOMAIN_LAPSED,
    "E-mail to the customer: domain leads elsewhere",
    _still_lapsed,
    partial(_of_lapse, False),
)
notice(
    DOMAIN_LAPSED_STAFF,
    "E-mail to staff: domain leads elsewhere",
    _still_lapsed,
    partial(_of_lapse, True),
)


def _warned(row: Notice) -> SiteUsage | None:
    """The site's disk, where it is still filling up and the customer still has the site."""
    found = SiteUsage.objects.filter(pk=row.about.partition(":")[2], site__state=Site.State.LIVE)
    usage = found.select_related("site__plan").first()
    return usage if usage and usage.disk_warning else None


def _still_filling(row: Notice) -> Outcome | None:
    return None if _warned(row) else Done(note="Nobody was told: there is room again, or the site is gone.")


def _of_disk(row: Notice) -> Letter | Outcome:
    usage = _warned(row)
    if usage is None:
        return _still_filling(row)
    subject = f"The disk of {usage.site.hostname} is {usage.disk_percent} % full"
    return Letter([usage.site.email], subject, render_to_string("sites/disk_fills.txt", {"usage": usage}))


notice(DISK_FILLS, "E-mail to the customer: disk fills up", _still_filling, _of_disk)


# A domain that has moved to another site


def _known_as(row: Notice) -> dict[str, str]:
    """What the notice's own job says it is about."""
    return Job.objects.filter(subject=row.key).values_list("data", flat=True).get()


def _still_there(row: Notice) -> Outcome | None:
    return None if _site(row) else Done(note="Nobody was told: the site is not there any more.")


def _to_former_holder(row: Notice) -> Letter | Outcome:
    site = _site(row)
    if site is None:
        return Done(note="Nobody was told: the site is not there any more.")
    domain = _known_as(row)["domain"]
    body = render_to_string("sites/domain_moved.txt", {"site": site, "domain": domain})
    return Letter([site.email], f"{domain} was moved away from {site.hostname}", body)


def _staff_there(row: Notice) -> Outcome | None:
    return None if settings.STAFF_EMAIL else Done(note="STAFF_EMAIL is empty: nobody was told.")


def _moved_to_staff(row: Notice) -> Letter:
    known = _known_as(row)
    move = Job.objects.filter(pk=row.cause).first()
    to = move.data["service_id"] if move else "another service"
    body = (
        f"{known['domain']} was a domain of {known['service_id']} and is one of {to} now. Its TXT record was"
        f" seen twice. The former customer was told.\n\nJob {row.cause}\n"
    )
    subject = f"[NodePoint] {known['domain']} was moved: {known['service_id']} to {to}"
    return Letter(list(settings.STAFF_EMAIL), subject, body)


notice(TO_FORMER, "E-mail to the customer: domain moved away", _still_there, _to_former_holder)
notice(TO_STAFF, "E-mail to staff: domain moved", _staff_there, _moved_to_staff)
