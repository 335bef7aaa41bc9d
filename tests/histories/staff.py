"""Acts of staff, by the buttons of the admin."""

from django.conf import settings

from nodepoint.jobs import steering
from nodepoint.jobs.models import Job
from sites.models import Site
from tests.histories.acts import CUSTOMER, act, any_service, one_of, service
from tests.histories.world import Promise, World

ON_SITES = ("repair", "unlock", "close", "order_again", "release", "unlink", "suspend", "unsuspend", "delete")
MOVES = ("retry", "give_up", "cancel", "ask_again")


@act(2, who=CUSTOMER, button=ON_SITES)
def press(world: World, who: int, button: str) -> None:
    """A button on the page of a customer's latest site; where it does not fit it is refused."""
    site = Site.objects.filter(service_id=any_service(who)).order_by("-pk").first()
    if site is not None:
        world.press(f"/admin/sites/site/{site.pk}/act/{button}/", typed=site.service_id)
        note(world, site)


def note(world: World, site: Site) -> None:
    """What staff have decided about a service stands, as if billing had asked for it."""
    latest = Site.objects.filter(service_id=site.service_id).order_by("-pk")[0]
    promise = world.promises.setdefault(site.service_id, Promise())
    if latest.pk != site.pk:  # ordered again
        promise.deleted, promise.suspended = False, None
    elif latest.deletion_requested_at or latest.state == Site.State.DELETED:
        promise.deleted = True
    elif latest.suspended != site.suspended:
        promise.suspended = latest.suspended


@act(who=CUSTOMER, backups=("", "0", "4"), domains=("", "1"), ha=("", "true", "false"))
def overrule(world: World, who: int, backups: str, domains: str, ha: str) -> None:
    """Quotas and HA other than the plan says."""
    site = Site.objects.filter(live_key=service(who)).first()
    if site:
        fields = {"backup_quota": backups, "domain_quota": domains, "high_availability": ha}
        world.press(f"/admin/sites/site/{site.pk}/act/overrule/", **fields)


@act(2, which=range(12), move=MOVES)
def steer(world: World, which: int, move: str) -> None:
    """A move with one of the jobs that do not get ahead, or have ended badly."""
    job = one_of(list(Job.objects.exclude(state=Job.State.SUCCEEDED).order_by("created_at", "pk")), which)
    if job is None or job.kind.startswith("notices."):
        return
    before = Site.objects.filter(pk=job.subject_pk).first() if job.subject.startswith("sites.site:") else None
    found = steering.moves(job)
    rows = [row.name for row in found.rows if found.retry(row)]
    form = {"step": rows[0]} if move == "retry" and rows else {}
    world.press(f"/admin/jobs/job/{job.pk}/act/{move}/", **form)
    if before is not None:
        note(world, before)


@act(size=(0, 1, 2))
def pool(world: World, size: int) -> None:
    """How many ready containers are kept."""
    settings.POOL_SIZE = size


@act(button=("fill-pool", "drain-pool"))
def press_pool(world: World, button: str) -> None:
    world.press(f"/admin/sites/spare/{button}/")
