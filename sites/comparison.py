"""What the comparisons of our rows with each system share: our side, and what is left over there."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import Q
from django.utils import timezone

from nodepoint.jobs.models import Job
from nodepoint.reconcile import Finding, Kind
from sites import marks
from sites.clients.cloudflare import Record
from sites.clients.npm import ProxyHost
from sites.clients.proxmox import Guest, HaService
from sites.live import LAG
from sites.models import Site
from sites.steps import hosts

ENDED_FOR = timedelta(days=1)  # before what is left of a site may be removed

Remote = Guest | HaService | Record | ProxyHost


class Rows:
    """Our side. Read after the systems, so that whatever was seen there has its row. `among`: primary keys of
    the sites that are looked at; by default all."""

    def __init__(self, begun: datetime, among: Collection[int] | None = None) -> None:
        lately = Q(state__in=Job.ALIVE) | Q(finished_at__gt=begun - LAG)
        self._at_work: dict[str, set[str]] = {}
        for subject, state in Job.objects.filter(lately).values_list("subject", "state"):
            self._at_work.setdefault(subject, set()).add(state)
        stands = Q(state__in=(Site.State.PROVISIONING, Site.State.LIVE))
        rows = Site.objects.filter(stands | Q(vmid__isnull=False))
        rows = rows if among is None else rows.filter(pk__in=among)
        rows = rows.select_related("plan").prefetch_related("custom_domains").order_by("pk")
        ended = (Site.State.FAILED, Site.State.DELETED)
        self.standing = [site for site in rows if site.state not in ended]
        # Ended, and still with a VMID: their container was not ours any more, or somebody forced their state.
        self.holding = [site for site in rows if site.state in ended]

    @cached_property
    def calm(self) -> list[Site]:
        """Sites that should be whole: live, and nothing goes on."""
        return [
            site
            for site in self.standing
            if site.state == Site.State.LIVE
            and not site.deletion_requested_at
            and not self.restless(site.key)
        ]

    @cached_property
    def by_mark(self) -> dict[str, Site]:
        """The sites that stand by all that their marks may look like."""
        return {mark: site for site in self.standing for mark in marks.forms(site)}

    def restless(self, subject: str) -> bool:
        """Whether a job works on it, or has until just now."""
        return subject in self._at_work

    def resting(self, subject: str) -> bool:
        """Whether nothing works on it but a job that is held up, such as the order of a certificate between
        two tries."""
        return self._at_work.get(subject) == {Job.State.WAITING}

    def owner(self, mark: str) -> Site | None:
        """The site that a mark is of, ended ones included; None when its row is gone."""
        return self.by_mark.get(mark) or owner(mark)

    def names(self, site: Site) -> list[hosts.HostName]:
        """As `hosts.names`, without a query for each site."""
        return [hosts.own_name(site), *map(hosts.custom_name, site.custom_domains.all())]


def owner(mark: str) -> Site | None:
    """The site of ours that a mark is of, ended ones included; None when its row is gone."""
    named = marks.parse(mark)
    site = Site.objects.filter(pk=named.pk).first() if named and not named.is_anothers else None
    return site if site and marks.is_of(mark, site) else None


def is_proven(mark: str, site: Site | None) -> bool:
    """Whether what carries `mark` is known to be dead: a row of ours says that its site has ended. A row that
    is gone proves nothing, since the database may be an older copy; nor does a mark of before installations
    were told apart, which another one's things may carry too."""
    named = marks.parse(mark)
    return site is not None and site.ended_at is not None and bool(named and named.installation)


def whose(mark: str) -> str:
    """How a foreign thing is described by the mark that it carries, or none."""
    named = marks.parse(mark)
    if named and named.is_anothers:
        return f"with the mark of another installation ({mark})"
    return f"with the mark {mark}" if mark else "without our mark"


@dataclass
class Comparison:
    """Rows against one system. `things` counts what of ours was looked at."""

    rows: Rows
    things: Counter[str]

    def left_over(
        self, system: str, thing: str, remote: Remote, mark: str, *, runs: bool = False
    ) -> Iterator[Finding]:
        """A thing that no row puts where it is: an orphan if it carries a mark of ours. `runs`: people may be
        using it."""
        named = marks.parse(mark)
        if named is None or named.is_anothers:
            return
        site = self.rows.owner(mark)
        if site and self.rows.restless(site.key):
            return
        self.things[system] += 1
        proven = is_proven(mark, site)
        if site and site.ended_at is None:
            detail, orphan = f"Its site {site} stands, and has no place for it.", None
        elif site and site.ended_at > timezone.now() - ENDED_FOR:
            detail, orphan = f"Its site {site} ended less than a day ago.", None
        elif proven:
            detail, orphan = f"Its site {site} ended on {site.ended_at:%Y-%m-%d}.", remote
        else:
            detail = f"The row of {mark} is gone" if site is None else f"{mark} may be another installation's"
            detail += ", which is no proof that it is dead."
            detail += " It is in use: switch it off first." if runs else ""
            orphan = None if runs else remote
        unproven = orphan is not None and not proven
        yield Finding(Kind.ORPHAN, system, thing, detail, site, orphan=orphan, mark=mark, unproven=unproven)
