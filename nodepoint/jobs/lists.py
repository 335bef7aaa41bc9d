"""The list of jobs: what goes on, what failed and is not made good, what is stuck or slow."""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.contrib import admin
from django.db.models import Max, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from nodepoint.board import dismissals, search, statistics, troubles
from nodepoint.jobs import progress, registry, timeline
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep
from nodepoint.lists import NEWEST, BigList, BulkAct, Choice, newest
from nodepoint.notices.models import jobs_about

MOST_FOUND = 1000  # jobs of one search


def _unsettled(jobs: QuerySet[Job]) -> QuerySet[Job]:
    return jobs.filter(pk__in=[job.pk for job in troubles.unsettled()])


def _warned(jobs: QuerySet[Job]) -> QuerySet[Job]:
    spared = troubles.spared().values_list("job_id", flat=True)[:MOST_FOUND]
    unsent = troubles.unsent().values_list("pk", flat=True)[:MOST_FOUND]
    return jobs.filter(pk__in={*spared, *unsent})


def _slow(jobs: QuerySet[Job]) -> QuerySet[Job]:
    late = Job.objects.filter(statistics.late())
    rows = (late.filter(state__in=Job.ALIVE), newest(late))
    keys = (found.values_list("pk", flat=True)[:MOST_FOUND] for found in rows)
    return jobs.filter(pk__in={*chain(*keys)})


class Attention(Choice):
    """The questions that a list of jobs is opened for; the same as on the board."""

    title = "needs attention"
    parameter_name = "attention"
    questions = {
        "alive": ("not finished", lambda jobs: jobs.filter(state__in=Job.ALIVE)),
        "stuck": ("stuck", lambda jobs: jobs.filter(troubles.stuck())),
        "failed": ("failed, and not made good", _unsettled),
        "failed_lately": ("failed in the last 7 days", lambda jobs: jobs.filter(troubles.failed())),
        "warning": ("succeeded with a warning, or e-mail not sent", _warned),
        "slow": (f"slower than usual, of the newest {NEWEST:,}", _slow),
    }


class KindFilter(admin.SimpleListFilter):
    """By what the job does; asked of the release, not of all rows."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """All flows by their title."""
        return sorted(((flow.name, flow.title) for flow in registry.flows()), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


def latest_jobs(subjects: Iterable[str]) -> dict[str, Job]:
    """The newest job of each subject. Two queries by the index of both columns: as a subquery in a list it
    would be asked for every row before the page is cut out."""
    wanted = Job.objects.filter(subject__in=list(subjects)).order_by()
    newest = dict(wanted.values_list("subject").annotate(Max("created_at")))
    jobs = wanted.filter(created_at__in=set(newest.values())).only("subject", "state", "created_at")
    return {job.subject: job for job in jobs if newest[job.subject] == job.created_at}


def job_link(job: Job | None) -> str:
    """Its state, with a link to it."""
    if job is None:
        return "–"
    url = reverse("admin:jobs_job_change", args=[job.pk])
    return format_html('<a href="{}">{}</a>', url, job.get_state_display())


def _dismiss(job: Job, actor: str) -> bool:
    if job.alive or job.state not in Job.ENDED_BADLY:
        return False
    dismissals.dismiss(f"job:{job.pk}", actor.removeprefix("staff "))
    return True


class JobList(BigList):
    """The list part of the jobs' admin."""

    list_display = (
        "title",
        "service",
        "state_label",
        "step_label",
        "created_at",
        "seconds_label",
        "actor",
        "error",
    )
    list_filter = (Attention, KindFilter, "state", "created_at")
    sortable_by = ("created_at",)
    search_fields = ("id",)  # makes the box appear; `matching` answers it
    search_help_text = "Service, e-mail, domain, address, VMID, zone, job or request id"
    actions_list = ("export_list",)
    csv_name = "jobs"
    csv_columns = (
        ("id", lambda job: job.pk),
        ("kind", lambda job: job.kind),
        ("subject", lambda job: job.subject),
        ("service_id", lambda job: job.data.get("service_id", "")),
        ("state", lambda job: job.state),
        ("actor", lambda job: job.actor),
        ("request_id", lambda job: job.request_id),
        ("created_at", lambda job: job.created_at),
        ("started_at", lambda job: job.started_at),
        ("finished_at", lambda job: job.finished_at),
        ("error", lambda job: job.error),
        ("detail", lambda job: job.detail),
        ("warning", lambda job: job.warning),
    )
    bulk = (
        BulkAct(
            name="dismiss",
            label="Nothing to be done any more",
            warning="They are taken off the board. The jobs themselves stay as they are.",
            done="taken off the board",
            permission="jobs.steer_job",
            perform=_dismiss,
        ),
    )

    def matching(self, text: str) -> tuple[Iterable[Any], bool]:
        """By id, request, or whatever its subject is known by, e-mails about that among them."""
        text = search.tidy(text)
        subjects = [text, *search.subjects(text)]
        found = list(
            Job.objects.filter(subject__in=[*subjects, *jobs_about(subjects, MOST_FOUND)])
            .order_by("-created_at")
            .values_list("pk", flat=True)[: MOST_FOUND + 1]
        )
        exact = Job.objects.filter(search.begins("pk", text) if len(text) >= 6 else Q(pk=text))
        found += exact.values_list("pk", flat=True)[:MOST_FOUND]
        found += Job.objects.filter(request_id=text).values_list("pk", flat=True)[:MOST_FOUND]
        return found[:MOST_FOUND], len(found) > MOST_FOUND

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """With the steps of those that go on, which the progress is made of."""
        steps = JobStep.objects.filter(job__state__in=Job.ALIVE).defer("data", "detail", "error")
        return super().get_queryset(request).prefetch_related(Prefetch("steps", steps, "open_steps"))

    @display(description="Job")
    def title(self, job: Job) -> str:
        """What it does."""
        return job.title

    @display(description="Of")
    def service(self, job: Job) -> str:
        """The billing system's id or the zone, else what it works on."""
        return troubles.about([job])[job.pk]

    @display(description="State", ordering="state", label=timeline.COLOURS)
    def state_label(self, job: Job) -> tuple[str, str]:
        """The state in colour."""
        return job.state, job.state_in_words

    @display(description="Step")
    def step_label(self, job: Job) -> str:
        """How far it is, and with what."""
        if not job.alive:
            return "–"
        try:
            how_far = progress.of(job, list(job.open_steps))
        except UnknownFlow:
            return "of another release"
        return f"{how_far.percent} %: {how_far.step}"

    @display(description="Seconds")
    def seconds_label(self, job: Job) -> str:
        """From its start to its end."""
        if not (job.started_at and job.finished_at):
            return "–"
        return f"{(job.finished_at - job.started_at).total_seconds():.1f}"
