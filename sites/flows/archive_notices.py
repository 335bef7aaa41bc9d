"""E-mails to the customer about archives: one that he has asked for is ready, or could not be made; and
what is kept of a site that was deleted."""

from django.utils import timezone

from nodepoint.jobs.outcomes import Done, Outcome
from nodepoint.notices.letters import Contents, Mail, register
from nodepoint.notices.models import Notice
from sites.archives.rows import Archive
from sites.flows.notices import GONE, SITE, facts, site_of
from sites.models import Site

ARCHIVE_READY, ARCHIVE_FAILED = "notices.archive_ready", "notices.archive_failed"
ARCHIVE_KEPT = "notices.archive_kept"
SAMPLE = {**SITE, "archive": "ARC30112026-k3x9qf", "size_mb": "412"}


def _archive(row: Notice) -> Archive | None:
    """The newest that the customer has asked for, as it was when the notice was made."""
    asked = Archive.objects.filter(site_id=row.about.partition(":")[2], origin=Archive.Origin.CUSTOMER)
    return asked.filter(created_at__lte=row.created_at).order_by("-pk").first()


def _while_it_is_so(row: Notice) -> Outcome | None:
    archive = _archive(row)
    wanted = Archive.State.READY if row.kind == ARCHIVE_READY else Archive.State.FAILED
    if site_of(row) is None:
        return Done(note=GONE)
    if archive is None or archive.state != wanted:
        return Done(note="Nobody was told: the archive is not what it was.")
    return None


def _contents(row: Notice) -> Contents | Outcome:
    site, archive = site_of(row), _archive(row)
    if site is None or archive is None:
        return Done(note=GONE)
    return Contents(site.email, {**facts(site), "archive": archive.name, "size_mb": archive.size_mb or ""})


register(
    Mail(
        ARCHIVE_READY,
        "Archive ready",
        "when an archive that a customer has asked for is there",
        "archive_ready",
        SAMPLE,
    ),
    _while_it_is_so,
    _contents,
)
register(
    Mail(
        ARCHIVE_FAILED,
        "Archive failed",
        "when an archive that a customer has asked for could not be made",
        "archive_failed",
        SAMPLE,
    ),
    _while_it_is_so,
    _contents,
)


def _kept(row: Notice) -> Archive | None:
    """What is kept of a deleted site, and not for ever."""
    kept = Archive.objects.filter(site_id=row.about.partition(":")[2], state=Archive.State.READY)
    later = kept.filter(expires_at__gt=timezone.now(), site__state=Site.State.DELETED)
    return later.select_related("site").order_by("-expires_at").first()


def _while_it_is_kept(row: Notice) -> Outcome | None:
    return None if _kept(row) else Done(note="Nobody was told: nothing is kept of the site.")


def _of_what_is_kept(row: Notice) -> Contents | Outcome:
    archive = _kept(row)
    if archive is None:
        return Done(note="Nobody was told: nothing is kept of the site.")
    until = timezone.localdate(archive.expires_at)
    values = {"service_id": archive.service_id, "archive": archive.name, "until": f"{until:%d.%m.%Y}"}
    return Contents(archive.site.email, values)


register(
    Mail(
        ARCHIVE_KEPT,
        "Archive kept",
        "when a site was deleted of which an archive is kept for some days",
        "archive_kept",
        {"service_id": "1001", "archive": "ARC30112026-k3x9qf", "until": "14.12.2026"},
    ),
    _while_it_is_kept,
    _of_what_is_kept,
)
