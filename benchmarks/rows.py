"""Rows as a year of work leaves them, for benchmarks: sites with their domains and support
keys, jobs with their steps, zones, the log of acts, figures and findings."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from dns.models import Customer, Zone
from nodepoint.audit.models import Entry
from nodepoint.board import findings, statistics
from nodepoint.board.models import CallCount, Finding, SystemState
from nodepoint.jobs import registry
from nodepoint.jobs.models import Job, JobStep
from sites import watch
from sites.models import CustomDomain, Plan, Site
from support.models import SearchTerm, SupportKey

PART = 2000  # rows of one statement
S, J = JobStep.State, Job.State


@dataclass
class Filler:
    """Writes rows as the product would have left them after a year."""

    sites: int
    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - the same rows each time

    def fill(self) -> None:
        """All tables."""
        self.now = timezone.now()
        self.plans = list(Plan.objects.order_by("pk"))
        self._sites()
        self._jobs()
        self._dns()
        self._support()
        self._board()

    def _sites(self) -> None:
        _write(Site, (self._site(number) for number in range(self.sites)))
        self.keys = list(Site.objects.order_by("pk").values_list("pk", flat=True))
        _write(CustomDomain, (self._domain(number, key) for number, key in enumerate(self.keys)))

    def _site(self, number: int) -> Site:
        ended = number % 50 == 0
        name = f"W{number:06d}"
        created = self.now - timedelta(seconds=self.random.randrange(365 * 86400))
        held = {
            "live_key": name,
            "vmid": 900 + number,
            "private_ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "subdomain": f"customer{number}",
        }
        return Site(
            service_id=name,
            email=f"person{number}@example{number % 997}.com",
            public_ip="203.0.113.10",
            plan=self.plans[number % len(self.plans)],
            state=Site.State.DELETED if ended else Site.State.LIVE,
            suspended_at=created if number % 25 == 1 else None,
            node=f"node{number % 3 + 1}",
            power="running",
            created_at=created,
            live_at=created + timedelta(seconds=40 + number % 200),
            ended_at=self.now if ended else None,
            **({} if ended else held),
        )

    def _domain(self, number: int, site: int) -> CustomDomain:
        status = CustomDomain.Status.FAILED if number % 200 == 0 else CustomDomain.Status.ACTIVE
        return CustomDomain(site_id=site, domain=f"shop{number}.example.org", status=status)

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
        created = self.now - timedelta(seconds=self.random.randrange(180 * 86400))
        state = J.SUCCEEDED
        if number % 100 == 1:
            state = J.ROLLED_BACK
        elif number < 20:
            state, created = J.RUNNING, self.now - timedelta(seconds=30)
        ended = state != J.RUNNING
        return Job(
            kind=flow.name,
            subject=f"sites.site:{site}",
            active_key=None if ended else f"sites.site:{site}",
            state=state,
            error="Cloudflare could not be reached." if state == J.ROLLED_BACK else "",
            data={"service_id": f"W{number:06d}"},
            request_id=f"request-{number}",
            actor="token Paymenter",
            created_at=created,
            started_at=created,
            finished_at=created + timedelta(seconds=50) if ended else None,
        )

    def _steps(self, job: Job, flow: registry.Flow) -> list[JobStep]:
        ended = job.finished_at is not None
        return [
            JobStep(
                job=job,
                position=position,
                name=step.name,
                title=step.title,
                state=S.DONE if ended else S.RUNNING,
                started_at=job.created_at,
                finished_at=job.created_at + timedelta(seconds=3 * position + 1) if ended else None,
                usual_seconds=3,
                work_seconds=3,
                detail="Nothing was in the way. " * 4,
            )
            for position, step in enumerate(flow.steps)
        ]

    def _dns(self) -> None:
        count = self.sites // 5
        _write(Customer, (Customer(user_id=str(n), email=f"person{n}@example.com") for n in range(count)))
        keys = Customer.objects.order_by("pk").values_list("pk", flat=True)
        zones = (
            Zone(
                customer_id=key, name=f"zone{n}.com", name_key=f"zone{n}.com", state="active", ispconfig_id=n
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
            )
            for n in range(self.sites)
        )
        _write(SupportKey, keys)
        rows = SupportKey.objects.order_by("pk").values_list("pk", "service_id").iterator()
        _write(SearchTerm, (SearchTerm(support_key_id=key, text=text.lower()) for key, text in rows))

    def _board(self) -> None:
        """Acts, calls, findings: a share of the sites each."""
        acts = (
            Entry(
                act="sites.suspend",
                subject=f"sites.site:{key}",
                label=f"W{n:06d}",
                kind="api",
                actor="Paymenter",
            )
            for n, key in enumerate(self.keys)
        )
        Entry.objects.bulk_create(acts, batch_size=PART)
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        calls = [
            CallCount(hour=hour - timedelta(hours=back), route=f"action/{n}", status=status, calls=9, ms=90)
            for back in range(90 * 24 if self.sites > 1000 else 24)
            for n in range(12)
            for status in (2, 4)
        ]
        _write(CallCount, calls)
        differences = (
            Finding(
                look="reconcile",
                digest=f"{n:064d}",
                kind="differs",
                system="npm",
                thing=f"proxy host {n}",
                subject=f"sites.site:{key}",
                label=f"W{n:06d}",
                mendable=True,
            )
            for n, key in enumerate(self.keys[:2000])
        )
        _write(Finding, differences)
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
        findings.note(watch.NODES, {"nodes": nodes})
        findings.note(watch.POOL, watch.count())
        statistics.count()


def _write(model: type, rows: Any) -> None:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == PART:
            model.objects.bulk_create(part)
            part = []
    model.objects.bulk_create(part)
