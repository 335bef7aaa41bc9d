"""What can be done with a site as it is now. Whatever stands here the services accept; what they accept
beyond it are repeats that change nothing."""

from functools import cached_property

from nodepoint.jobs.models import Job
from sites import live
from sites.models import Archive, Backup, CustomDomain, Platform, Site
from sites.services import archives
from sites.services.backups import listed_backups
from sites.services.login import IN_THE_WAY
from sites.services.standing import failed_last, status
from sites.services.unlocking import locked_step

STANDING = (Site.State.PROVISIONING, Site.State.LIVE)
ENDED = (Site.State.FAILED, Site.State.DELETED)


class Facts:
    """A site and what its acts depend on, each read once."""

    def __init__(self, site: Site, reading: live.Reading | None = None) -> None:
        self.site = site
        self._reading = reading

    @cached_property
    def reading(self) -> live.Reading:
        """The cluster as it was last read."""
        return live.reading() if self._reading is None else self._reading

    @cached_property
    def status(self) -> str:
        """As callers read it."""
        return status(self.site, self.reading)

    @cached_property
    def running(self) -> Job | None:
        """The site's running job."""
        return Job.objects.filter(active_key=self.site.key).first()

    @cached_property
    def backups(self) -> list[Backup]:
        """Those that stand, newest first."""
        return list(listed_backups(self.site))

    @cached_property
    def archives(self) -> list[Archive]:
        """Those that stand or are in the making, newest first."""
        return list(archives.listed_archives(self.site))

    @property
    def backups_used(self) -> int:
        """How many of them count."""
        return sum(backup.kind == Backup.Kind.CUSTOMER for backup in self.backups)

    @cached_property
    def domains(self) -> list[CustomDomain]:
        """The customer's own."""
        return list(self.site.custom_domains.all())

    @property
    def deleting(self) -> bool:
        """Whether its deletion was asked for and is not done."""
        return self.site.deletion_requested_at is not None and self.site.state not in ENDED

    @property
    def standing(self) -> bool:
        """Whether it is, or is about to be, a site."""
        return self.site.state in STANDING and not self.deleting

    @property
    def live(self) -> bool:
        """Whether it is one."""
        return self.site.state == Site.State.LIVE and not self.deleting

    @property
    def seen_gone(self) -> bool:
        """Whether a reading that is newer than anything of the site shows nothing on its VMID."""
        reading, site = self.reading, self.site
        if reading.stale or reading.taken_at is None:
            return False
        made = site.live_at or site.created_at
        return site.vmid not in reading.guests and reading.taken_at - live.LAG > made

    @property
    def holds_something(self) -> bool:
        """Whether an address, a VMID or a subdomain is its own."""
        return any(value is not None for value in (self.site.vmid, self.site.private_ip, self.site.subdomain))


def legal_acts(facts: Facts) -> frozenset[str]:
    """The names of the acts that fit."""
    return frozenset(name for name, fits in RULES.items() if fits(facts))


def _free(facts: Facts) -> bool:
    """What a customer may do something with, as `site_for_action` says."""
    return facts.live and not facts.site.suspended


def _at_rest(facts: Facts) -> bool:
    return _free(facts) and facts.running is None


def _has_names(facts: Facts) -> bool:
    """Whether there is more than one name by which it could go."""
    return any(row.serves for row in facts.domains)


def _to_run_at_rest(facts: Facts) -> bool:
    return _at_rest(facts) and facts.site.power_wished == "running"


def _has_backup(facts: Facts) -> bool:
    return any(backup.state == Backup.State.READY for backup in facts.backups)


def _may_go(archive: Archive) -> bool:
    ready = archive.state == Archive.State.READY and not archive.busy
    return ready and not archive.protected and archive.origin != Archive.Origin.DELETION


def _can_be_restored(archive: Archive) -> bool:
    return archive.state == Archive.State.READY


def _can_be_archived(facts: Facts) -> bool:
    own = sum(archive.origin == Archive.Origin.CUSTOMER for archive in facts.archives)
    return _at_rest(facts) and own < archives.allowed(facts.site)


def _can_log_in(facts: Facts) -> bool:
    in_the_way = facts.running is not None and facts.running.kind in IN_THE_WAY
    return _free(facts) and not in_the_way and facts.site.power_wished == facts.status == "running"


def _can_be_ordered_again(facts: Facts) -> bool:
    return failed_last(facts.site) and not Platform.current().orders_paused_at


def _can_be_unlinked(facts: Facts) -> bool:
    return facts.standing and facts.running is None and facts.seen_gone


def _can_be_released(facts: Facts) -> bool:
    return facts.site.state in ENDED and facts.holds_something and facts.running is None and facts.seen_gone


def _can_be_forced(facts: Facts) -> bool:
    stands = not facts.reading.stale and facts.site.vmid in facts.reading.guests
    to_live, to_ended = facts.site.state == Site.State.PROVISIONING, not stands
    return facts.site.state in STANDING and facts.running is None and (to_live or to_ended)


RULES = {
    "start": lambda facts: _at_rest(facts) and facts.status != "running",
    "stop": lambda facts: _at_rest(facts) and facts.status != "stopped",
    "restart": lambda facts: _at_rest(facts) and facts.status != "stopped",
    "login": _can_log_in,
    "back_up": lambda facts: _at_rest(facts) and facts.backups_used < facts.site.backups_allowed,
    "roll_back": lambda facts: _at_rest(facts) and _has_backup(facts),
    "archive": _can_be_archived,
    "restore_archive": lambda facts: _at_rest(facts) and any(map(_can_be_restored, facts.archives)),
    "delete_archive": lambda facts: _at_rest(facts) and any(map(_may_go, facts.archives)),
    "delete_backup": lambda facts: _at_rest(facts) and _has_backup(facts),
    "reset": _at_rest,
    "traffic_on": lambda facts: _at_rest(facts) and not facts.site.proxy_enabled,
    "traffic_off": lambda facts: _at_rest(facts) and facts.site.proxy_enabled,
    "add_domain": lambda facts: _at_rest(facts) and len(facts.domains) < facts.site.domains_allowed,
    "retry_domain": lambda facts: _at_rest(facts) and any(d.may_be_tried_anew for d in facts.domains),
    "make_primary": lambda facts: _at_rest(facts) and _has_names(facts),
    "remove_domain": lambda facts: _at_rest(facts) and bool(facts.domains),
    "import": lambda facts: _to_run_at_rest(facts) and not facts.seen_gone,  # it looks inside first
    "replace": _to_run_at_rest,
    "options": _at_rest,
    "safe_mode_on": lambda facts: _to_run_at_rest(facts) and not facts.site.safe_mode,
    "safe_mode_off": lambda facts: _to_run_at_rest(facts) and facts.site.safe_mode,
    "suspend": lambda facts: facts.standing and not facts.site.suspended,
    "unsuspend": lambda facts: facts.standing and facts.site.suspended,
    "upgrade": lambda facts: facts.standing,
    "repair": lambda facts: facts.live and facts.running is None,
    "delete": lambda facts: facts.standing,
    "close": lambda facts: facts.site.state == Site.State.FAILED,
    "order_again": _can_be_ordered_again,
    "overrule": lambda facts: facts.standing,
    "owner": lambda facts: facts.standing,
    "force_state": _can_be_forced,
    "unlock": lambda facts: facts.running is not None and locked_step(facts.running) is not None,
    "unlink": _can_be_unlinked,
    "release": _can_be_released,
}
