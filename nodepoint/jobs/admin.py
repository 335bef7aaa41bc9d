"""Job pages: what runs, what failed, and why."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from nodepoint.admin import ReadOnlyAdmin, ReadOnlyInline
from nodepoint.jobs import progress
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep

JOB_COLOURS = {
    Job.State.QUEUED: "info",
    Job.State.RUNNING: "info",
    Job.State.WAITING: "warning",
    Job.State.ROLLING_BACK: "warning",
    Job.State.SUCCEEDED: "success",
    Job.State.FAILED: "danger",
    Job.State.ROLLED_BACK: "danger",
    Job.State.CANCELLED: "warning",
}


class StepInline(ReadOnlyInline):
    """The steps of a job, in their order."""

    model = JobStep
    fields = ("title", "how_it_is", "seconds_label", "calls", "ref", "error", "detail")
    readonly_fields = fields
    verbose_name_plural = "Steps"
    hide_title = True

    @display(description="State")
    def how_it_is(self, step: JobStep) -> str:
        """The state, with what it waits for and how often it has failed."""
        if step.awaits:
            return f"in line: {step.awaits}"
        tries = f", {step.tries} failed tries" if step.tries else ""
        return f"{step.get_state_display()}{tries}"

    @display(description="Seconds")
    def seconds_label(self, step: JobStep) -> str:
        """How long it has taken so far."""
        return "-" if step.seconds is None else f"{step.seconds:.1f}"


class Unfinished(admin.SimpleListFilter):
    """The two questions that a list of jobs is opened for."""

    title = _("needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The choices."""
        return [
            ("alive", "not finished"),
            ("failed", "did not succeed"),
            ("warning", "succeeded with a warning"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The chosen jobs."""
        match self.value():
            case "alive":
                return queryset.filter(state__in=Job.ALIVE)
            case "failed":
                return queryset.filter(state__in=(Job.State.FAILED, Job.State.ROLLED_BACK))
            case "warning":
                return queryset.exclude(warning="")
        return queryset


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("title", "service", "state_label", "step_label", "created_at", "seconds_label", "error")
    list_filter = (Unfinished, "kind", "state", "created_at")
    search_fields = ("id", "subject", "request_id", "data__service_id", "error", "detail")
    readonly_fields = ("title", "service", "step_label")
    inlines = [StepInline]

    def get_fields(self, request: HttpRequest, obj: Job | None = None) -> list:
        """What went wrong only where something did."""
        said = [name for name in ("error", "detail", "warning") if obj and getattr(obj, name)]
        times = [("created_at", "finished_at"), ("actor", "request_id")]
        return [("title", "service"), ("state", "step_label"), *said, *times]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """With the steps, which the progress is made of."""
        return super().get_queryset(request).prefetch_related("steps")

    @display(description="Job")
    def title(self, job: Job) -> str:
        """What it does."""
        return job.title

    @display(description="Service")
    def service(self, job: Job) -> str:
        """The billing system's id, else what it works on."""
        return job.data.get("service_id", job.subject)

    @display(description="State", ordering="state", label=JOB_COLOURS)
    def state_label(self, job: Job) -> tuple[str, str]:
        """The state in colour."""
        return job.state, job.get_state_display()

    @display(description="Step")
    def step_label(self, job: Job) -> str:
        """How far it is, and with what."""
        if not job.alive:
            return "-"
        try:
            how_far = progress.of(job, list(job.steps.all()))
        except UnknownFlow:
            return "of another release"
        return f"{how_far.percent} %: {how_far.step}"

    @display(description="Seconds")
    def seconds_label(self, job: Job) -> str:
        """From its start to its end."""
        if not (job.started_at and job.finished_at):
            return "-"
        return f"{(job.finished_at - job.started_at).total_seconds():.1f}"
