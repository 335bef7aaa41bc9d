"""E-mails about customers' domains: to their customers when one is ready, has lapsed or moved to another
site, and to staff."""

from django.conf import settings

from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from nodepoint.notices.letters import Contents, Mail, register
from nodepoint.notices.models import AGAIN, Notice
from nodepoint.notices.sending import Letter, notice
from sites.flows.notices import BEFORE, BUSY, GONE, IN_LINE, NAME, SITE, facts, key_of, on_their_way, site_of
from sites.models import CustomDomain, Site
from sites.steps.holding import TO_FORMER, TO_STAFF

DOMAIN_READY = "notices.domain_ready"
DOMAIN_LAPSED, DOMAIN_LAPSED_STAFF = "notices.domain_lapsed", "notices.domain_lapsed_staff"
NOT_SERVED = "Nobody was told: the domain is not served."
DOMAIN = {**SITE, "domain": "www.example.com"}


def _ready(row: Notice) -> CustomDomain | None:
    """The domain, where it is served with its certificate."""
    rows = CustomDomain.objects.filter(pk=key_of(row), site__state=Site.State.LIVE)
    domain = rows.filter(site__deletion_requested_at=None).select_related("site").first()
    return domain if domain and domain.serves else None


def _newly_ready(row: Notice) -> Outcome | None:
    """Once, until it lapses; a certificate that is ordered anew is no news."""
    if _ready(row) is None:
        return Done(note=NOT_SERVED)
    if row.says == AGAIN:
        return None
    about = Notice.objects.filter(about=row.about, kind__in=(DOMAIN_READY, DOMAIN_LAPSED))
    last = about.exclude(pk=row.pk).filter(sent_at__isnull=False).order_by("-sent_at").first()
    if last and last.kind == DOMAIN_READY:
        return Done(note=BEFORE)
    if on_their_way(row, kind=DOMAIN_READY, created_at__lt=row.created_at):
        return Retry(error=IN_LINE, seconds=BUSY)
    return None


def _of_ready(row: Notice) -> Contents | Outcome:
    domain = _ready(row)
    if domain is None:
        return Done(note=NOT_SERVED)
    return Contents(domain.site.email, {**facts(domain.site), "domain": domain.domain})


def _lapsed(row: Notice) -> CustomDomain | None:
    """The domain, where it still leads elsewhere and its site still stands."""
    found = CustomDomain.objects.filter(pk=key_of(row), lapsed_at__isnull=False)
    return found.filter(site__state=Site.State.LIVE).select_related("site").first()


def _still_lapsed(row: Notice) -> Outcome | None:
    return None if _lapsed(row) else Done(note="Nobody was told: the domain is back, or gone.")


def _of_lapse(row: Notice) -> Contents | Outcome:
    domain = _lapsed(row)
    if domain is None:
        return _still_lapsed(row)
    site = domain.site
    details = {"domain": domain.domain, "why": domain.error, "address": site.public_ip}
    return Contents(site.email, {**facts(site), **details, "primary": site.primary_domain})


def _still_there(row: Notice) -> Outcome | None:
    return None if site_of(row) else Done(note=GONE)


def _to_former_holder(row: Notice) -> Contents | Outcome:
    site = site_of(row)
    if site is None:
        return Done(note=GONE)
    return Contents(site.email, {**facts(site), "domain": _known_as(row)["domain"]})


register(
    Mail(
        DOMAIN_READY,
        "Domain ready",
        "when a domain of the customer's is served with a certificate, and when it is back after it was lost",
        "domain_ready",
        DOMAIN,
    ),
    _newly_ready,
    _of_ready,
)
register(
    Mail(
        DOMAIN_LAPSED,
        "Domain leads elsewhere",
        "when a domain has not led here for six hours",
        "domain_lapsed",
        {
            **DOMAIN,
            "primary": NAME,
            "address": "203.0.113.10",
            "why": "www.example.com has not led here since 2026-11-30 08:00 UTC, so it is not used any more."
            " www.example.com leads to 198.51.100.7.",
        },
    ),
    _still_lapsed,
    _of_lapse,
)
register(
    Mail(
        TO_FORMER,
        "Domain moved away",
        "when somebody else has shown that a domain is his",
        "domain_moved",
        DOMAIN,
        lasts=False,  # the row of the domain is the other site's
    ),
    _still_there,
    _to_former_holder,
)


# To staff


def _known_as(row: Notice) -> dict[str, str]:
    """What the notice's own job says it is about."""
    return Job.objects.filter(subject=row.key).values_list("data", flat=True).latest("created_at")


def _staff_there(row: Notice) -> Outcome | None:
    return None if settings.STAFF_EMAIL else Done(note="STAFF_EMAIL is empty: nobody was told.")


def _lapsed_to_staff(row: Notice) -> Letter | Outcome:
    domain = _lapsed(row)
    if domain is None or not settings.STAFF_EMAIL:
        return _still_lapsed(row) or _staff_there(row)
    site = domain.site
    subject = f"[NodePoint] {site.service_id}: {domain.domain} does not lead to its site any more"
    body = (
        f"A custom domain of service {site.service_id} ({site.email}) has lapsed. The customer was told.\n\n"
        f"{domain.error}\n\nThe site is reached at https://{site.primary_domain}. The domain comes back by"
        " itself once it leads here again.\n"
    )
    return Letter(list(settings.STAFF_EMAIL), subject, body)


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


def _can_wait(row: Notice) -> str:
    """Not in quiet hours: staff have nothing to do about either."""
    return ""


notice(
    DOMAIN_LAPSED_STAFF,
    "E-mail to staff: domain leads elsewhere",
    _still_lapsed,
    _lapsed_to_staff,
    urgent=_can_wait,
)
notice(TO_STAFF, "E-mail to staff: domain moved", _staff_there, _moved_to_staff, urgent=_can_wait)
