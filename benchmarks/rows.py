"""Rows as a year of work leaves them, for benchmarks: sites with their domains and support
keys, jobs with their steps, zones, the log of acts, figures and findings."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from dns.models import Customer, Zone
from nodepoint.audit.models import Entry
from nodepoint.board import findings, statistics
from nodepoint.board.models import Alert, CallCount, Finding, SystemState
from nodepoint.jobs import registry
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import Notice
from nodepoint.prepared import prepared
from sites import watch
from sites.models import Backup, CustomDomain, Plan, Site, SiteUsage
from sites.placement import reading
from support.models import HistoryEntry, SearchTerm, SupportKey

PART = 500  # rows of one statement
LISTED = 50  # rows of a page: a list whose second page is measured has more
FIRST_USER = 850  # ids of users begin before those of containers, so that some are both, few sites or many
S, J = JobStep.State, Job.State


@dataclass
class Filler:
    """Writes rows as the product would have left them after a year."""

    sites: int
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - the same rows each time

    def fill(self) -> None:
        """All tables, in one transaction: the disk is asked once."""
        with transaction.atomic():
            self._fill_sites()
            self._fill_others()

    def fill_sites(self) -> None:
        """What belongs to sites alone, likewise."""
        with transaction.atomic():
            self._fill_sites()

    def _fill_sites(self) -> None:
        self.now = timezone.now()
        self.plans = list(Plan.objects.order_by("pk"))
        self._sites()
        self._jobs()

    def _fill_others(self) -> None:
        self._dns()
        self._support()
        self._board()
        self._told()

    def _sites(self) -> None:
        _write(Site, (self._site(number) for number in range(self.sites)))
        self.keys = list(Site.objects.order_by("pk").values_list("pk", flat=True))
        _write(CustomDomain, (self._domain(number, key) for number, key in enumerate(self.keys)))
        backed_up = self.keys[4::5]
        _write(Backup, (Backup(site_id=key, name="BAK1", state=Backup.State.READY) for key in backed_up))
        month = f"{self.now:%Y-%m}"
        _write(SiteUsage, (SiteUsage(site_id=key, disk_percent=key % 80, month=month) for key in self.keys))

    def _site(self, number: int) -> Site:
        name = f"W{number:06d}"
        created = self._in_a_year()
        held = {
            "live_key": name,
            "vmid": 900 + number,
            "private_ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "subdomain": f"customer{number}",
        }
        usual = {
            "service_id": name,
            "email": f"person{number}@example{number % 997}.com",
            "public_ip": "203.0.113.10",
            "plan": self.plans[number % len(self.plans)],
            "state": Site.State.LIVE,
            "suspended_at": created if number % 10 == 1 else None,
            "node": f"node{number // 3 % 3 + 1}",
            "power": "running",
            "created_at": created,
            "live_at": created + timedelta(seconds=300 if number % 50 == 2 else 30 + number % 20),
        }
        return Site(**usual | held | self._special(number))

    def _in_a_year(self) -> datetime:
        return self.now - timedelta(seconds=self.random.randrange(60, 365 * 86400))

    def _special(self, number: int) -> dict[str, Any]:
        """What is so of a few sites only, so that every filter finds some, and few among many."""
        gone = {"live_key": None, "vmid": None, "private_ip": None, "subdomain": None, "ended_at": self.now}
        begun = self.now - timedelta(seconds=20)
        ordered = {"state": Site.State.PROVISIONING, "created_at": begun, "live_at": None}
        hundred = {
            0: {"state": Site.State.DELETED, "deletion_requested_at": self.now, **gone},
            50: {"state": Site.State.DELETED, "deletion_requested_at": self.now, **gone},
            10: {"state": Site.State.FAILED, "live_at": None, **gone},
            3: {"domain_quota": 0},  # of one domain
            4: {"backup_quota": 0},  # of one backup
        }
        thousands = {7: ordered, 8: {"deletion_requested_at": self.now}, 9: {"wanted_power": "stopped"}}
        return thousands.get(number % 2000) or hundred.get(number % 100) or {}

    def _domain(self, number: int, site: int) -> CustomDomain:
        failed = number % 200 == 1
        certificate = CustomDomain.CertificateStatus
        return CustomDomain(
            site_id=site,
            domain=f"shop{number}.example.org",
            status=CustomDomain.Status.FAILED if failed else CustomDomain.Status.ACTIVE,
            certificate=certificate.FAILED if failed else certificate.ACTIVE,
            created_at=self._in_a_year(),
        )

    def _jobs(self) -> None:
        """Five steps for each site: a few with a whole provisioning, the others with shorter jobs."""
        flows = [registry.flow(name) for name in ("sites.suspend", "sites.unsuspend", "sites.toggle")]
        steps = 5 * self.sites
        jobs, rows, made = [], [], 0
        number = 0
        while made < steps:
            flow = registry.flow("sites.provision") if number % 4 == 0 else flows[number % 3]
            job = self._job(flow, self.keys[number % len(self.keys)], number)
            jobs.append(job)
            rows += self._steps(job, flow)
            made += len(flow.steps)
            number += 1
            if len(jobs) >= PART:
                _write(Job, jobs), _write(JobStep, rows)
                jobs, rows = [], []
        _write(Job, jobs), _write(JobStep, rows)

    def _job(self, flow: registry.Flow, site: int, number: int) -> Job:
        """Of the last five days one in 20, of the others any day of half a year. One in 100 was undone, one
        in 100 took long, one in 500 succeeded without its last step; 23 go on, three of them held up. Of the
        first 100 so many more, lately, that the board shows as much of them as of many."""
        undone = number % 100 == 1 or 24 <= number < 30
        spared = number % 500 == 60 or 60 < number < 66
        lately = number % 20 == 0 or number % 500 == 1 or ((undone or spared) and number < 100)
        created = self.now - timedelta(seconds=self.random.randrange(600, (5 if lately else 180) * 86400))
        state = J.ROLLED_BACK if undone else J.SUCCEEDED
        if number < 20 and number != 1:
            state, created = J.RUNNING, self.now - timedelta(seconds=30)
        elif number in (20, 21, 22):
            state, created = J.WAITING, self.now - timedelta(minutes=20)
        ended = state not in Job.ALIVE
        seconds = 500 if number % 100 == 44 else 50
        return Job(
            pk=f"{number:032d}",  # so that copies can be told from it
            kind=flow.name,
            subject=f"sites.site:{site}",
            active_key=None if ended else f"sites.site:{site}",
            state=state,
            error="Cloudflare could not be reached." if state == J.ROLLED_BACK else "",
            warning="The e-mail was not sent." if spared else "",
            data={"service_id": f"W{number:06d}"},
            request_id=f"request-{number}",
            actor="token Paymenter",
            created_at=created,
            started_at=created,
            finished_at=created + timedelta(seconds=seconds) if ended else None,
        )

    def _steps(self, job: Job, flow: registry.Flow) -> list[JobStep]:
        ended = job.finished_at is not None
        each = (job.finished_at - job.created_at) / len(flow.steps) if ended else None
        steps = [
            JobStep(
                job=job,
                position=position,
                name=step.name,
                title=step.title,
                state=S.DONE if ended else S.RUNNING,
                started_at=job.created_at,
                finished_at=job.created_at + each * (position + 1) if ended else None,
                usual_seconds=3,
                work_seconds=3,
                detail="Nothing was in the way. " * 4,
            )
            for position, step in enumerate(flow.steps)
        ]
        if job.warning:
            steps[-1].state = S.FAILED
        return steps

    def _dns(self) -> None:
        count = max(2 * LISTED, self.sites // 5)
        _write(
            Customer,
            (Customer(user_id=str(FIRST_USER + n), email=f"person{n}@example.com") for n in range(count)),
        )
        keys = Customer.objects.order_by("pk").values_list("pk", flat=True)
        zones = (
            Zone(
                customer_id=key,
                name=f"zone{n}.com",
                name_key=f"zone{n}.com",
                state=Zone.State.FAILED if n % 100 == 1 else Zone.State.ACTIVE,
                ispconfig_id=n,
                created_at=self._in_a_year(),
            )
            for n, key in enumerate(keys)
        )
        _write(Zone, zones)

    def _support(self) -> None:
        keys = (
            SupportKey(
                service_id=f"W{n:06d}",
                support_key=f"SUP-{n:016d}",
                key_hash=f"{n:064d}",
                email=f"person{n}@example.com",
                firstname="Ann",
                lastname=f"Lee{n}",
                status=SupportKey.Status.SUSPENDED if n % 100 == 1 else SupportKey.Status.ACTIVE,
                created_at=self._in_a_year(),
            )
            for n in range(self.sites)
        )
        _write(SupportKey, keys)
        rows = SupportKey.objects.order_by("pk").values_list("pk", "service_id").iterator()
        _write(SearchTerm, (SearchTerm(support_key_id=key, text=text.lower()) for key, text in rows))
        keys = SupportKey.objects.order_by("pk").values_list("pk", flat=True)
        entries = (
            HistoryEntry(
                support_key_id=key,
                kind=HistoryEntry.Kind.ROTATED if n % 100 == 1 else HistoryEntry.Kind.CREATED,
                after=SupportKey.Status.ACTIVE,
                actor="token Paymenter",
            )
            for n, key in enumerate(keys)
        )
        _write(HistoryEntry, entries)

    def _board(self) -> None:
        """Acts, calls, findings: a share of the sites each."""
        acts = (
            Entry(
                act="sites.suspend",
                subject=f"sites.site:{key}",
                label=f"W{n:06d}",
                kind=Entry.Kind.STAFF if n % 100 == 1 else Entry.Kind.API,
                actor="Paymenter",
            )
            for n, key in enumerate(self.keys)
        )
        _write(Entry, acts)
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        calls = [
            CallCount(hour=hour - timedelta(hours=back), route=f"action/{n}", status=status, calls=9, ms=90)
            for back in range(90 * 24 if self.sites > 1000 else 24)
            for n in range(12)
            for status in (2, 4)
        ]
        _write(CallCount, calls)
        differences = [
            self._finding("reconcile", Finding.Kind.DIFFERS, "npm", "proxy host", n)
            for n in range(min(self.sites, findings.MOST))
        ]
        running = [
            self._finding(watch.LOOK, Finding.Kind.RUNS, "proxmox", "container", n)
            for n in range(1, min(self.sites, findings.MOST), 10)
        ]
        _write(Finding, differences + running)
        _write(SystemState, [SystemState(name=name, ok=True) for name in ("proxmox", "npm", "cloudflare")])
        nodes = [
            {"name": f"node{n}", "online": True}
            | {
                f"{what}_{of}": 1.0
                for what in ("memory", "disk", "cores")
                for of in ("used", "held", "total")
            }
            for n in (1, 2, 3)
        ]
        findings.note(reading.NODES, {"nodes": nodes})
        fresh = self.now + timedelta(hours=1)  # as if the look went on while this is measured
        findings.note(watch.POOL, watch.count(), fresh)
        findings.note(watch.OVER_QUOTA, {"sites": watch.over_quota()}, fresh)
        statistics.count()

    def _told(self) -> None:
        """An e-mail to each customer, some of which nobody took, and the troubles of 90 days."""
        _write(Notice, (self._notice(number, key) for number, key in enumerate(self.keys)))
        troubles = (
            Alert(
                key=f"{number:064d}",
                group="Disks that fill up",
                title=f"W{number:06d}: 91 % of the disk",
                url=f"/admin/sites/site/{key}/change/",
                level=number % 2 + 1,
                told_at=self.now,
                over_at=self.now if number % 30 else None,
            )
            for number, key in enumerate(self.keys[:3000])
        )
        _write(Alert, troubles)

    def _notice(self, number: int, key: int) -> Notice:
        to, created = f"person{number}@example{number % 997}.com", self._in_a_year()
        sent = None if number % 50 == 3 else created
        kind = "notices.site_failed" if number % 500 == 7 else "notices.site_live"
        return Notice(
            pk=f"{number:032x}",
            kind=kind,
            about=f"sites.site:{key}",
            created_at=created,
            recipient=to,
            sent_at=sent,
            sent_to=to if sent else "",
            held_at=created if number % 1000 == 3 else None,
        )

    def _finding(self, look: str, kind: str, system: str, thing: str, number: int) -> Finding:
        return Finding(
            look=look,
            digest=f"{look}{number:040d}",
            kind=kind,
            system=system,
            thing=f"{thing} {number}",
            subject=f"sites.site:{self.keys[number]}",
            label=f"W{number:06d}",
            mendable=kind == Finding.Kind.DIFFERS,
        )


def _write(model: type, rows: Iterable[Any]) -> None:
    """By statements of so many rows: Django's own are of two dozen on SQLite."""
    rows = iter(rows)
    while part := list(islice(rows, PART)):
        prepared(model).insert(part)
