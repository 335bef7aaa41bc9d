"""The page of a job: what it does, what it waits for, what each step said, and how it is steered."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from unfold.widgets import UnfoldAdminSelectWidget

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.audit import trail
from nodepoint.jobs import steering, timeline
from nodepoint.jobs.lists import JobList
from nodepoint.jobs.models import Job, JobStep
from nodepoint.staff.acts import Act, ActForm, ActsMixin, Button, Result
from nodepoint.staff.pages import MOVING, RESTING, LivePageMixin

PERMISSION = "jobs.steer_job"
PARTS = {
    "job": "jobs/about.html",
    "acts": "jobs/acts.html",
    "steps": "jobs/steps.html",
    "entries": "staff/entries.html",
}


class StepForm(ActForm):
    """One of the steps that the move is legal for."""

    step = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        found = steering.moves(self.subject)
        self.fields["step"].choices = [(row.name, row.title) for row in found.rows if self.legal(found, row)]


class RetryForm(StepForm):
    """A step to be called now."""

    legal = staticmethod(steering.Moves.retry)


class SkipForm(StepForm):
    """A step to do without."""

    legal = staticmethod(steering.Moves.skip)


def _step(move: Callable[..., Job]) -> Callable[..., None]:
    def perform(job: Job, *, actor: str, reason: str, step: str) -> None:
        move(job.pk, step, **({"reason": reason} if move is steering.skip else {}))

    return perform


def _all_failed(job: Job, *, actor: str, reason: str) -> None:
    steering.retry_failed(job.pk)


def _whole(move: Callable[..., Job]) -> Callable[..., None]:
    def perform(job: Job, *, actor: str, reason: str) -> None:
        move(job.pk, reason)

    return perform


def _ask_again(job: Job, *, actor: str, reason: str) -> Result:
    new = steering.ask_again(job.pk, actor)
    if new is None:
        return Result("There was nothing to do any more.")
    return Result(
        "Asked for again: this is the new job.", where=reverse("admin:jobs_job_change", args=[new.pk])
    )


def _retry_says(job: Job, query: dict[str, str]) -> list[str]:
    if job.alive:
        return ["The step is called at once instead of at its next turn. It looks before it acts."]
    return [
        "The job has succeeded without this step. The step alone is done again; what is done stays done.",
        "Other jobs of the same site wait until it has ended.",
    ]


def _skip_says(job: Job, query: dict[str, str]) -> list[str]:
    found = {row.name: row for row in job.steps.all()}
    row = found.get(query.get("step", ""))
    missing = job.flow.step(row.name).if_skipped if row else ""
    if job.state == Job.State.ROLLING_BACK:
        says = "The undo goes on without removing what this step made. It stays behind."
    else:
        says = "The job goes on without this step, for good."
    return [says, *filter(None, [missing]), "Your reason stands in the job as a warning."]


def _cancel_says(job: Job, query: dict[str, str]) -> list[str]:
    if job.state == Job.State.QUEUED:
        return ["It has not begun: nothing of it will be done."]
    if any(step.undo for step in job.flow.steps):
        return [
            "What it has made so far is undone, last first. A step that is being called is waited for.",
            "Customers read that it was cancelled by our staff.",
        ]
    return ["It ends at its next safe point. Nothing is undone: it has nothing that could be."]


def _give_up_says(job: Job, query: dict[str, str]) -> list[str]:
    rows = steering.moves(job).give_up
    names = ", ".join(row.title for row in rows)
    spared = all(job.flow.step(row.name).spares_the_job for row in rows)
    then = "the job goes on without it, with a warning" if spared else "the job is undone, last first"
    return [f"No further try: {names} counts as failed now, and {then}."]


ACTS = (
    Act(
        "ask_again",
        "Ask for it again",
        "Ask for the same thing again?",
        "A new job does it from its first step, if the guards let it pass. This one stays as it is.",
        "Asked for again.",
        _ask_again,
        PERMISSION,
        icon="replay",
    ),
    Act(
        "retry",
        "Retry now",
        "Retry this step now?",
        _retry_says,
        "It is being called.",
        _step(steering.retry),
        PERMISSION,
        icon="refresh",
        form=RetryForm,
    ),
    Act(
        "retry_failed",
        "Retry all that failed",
        "Do all steps that failed again?",
        [
            "The job has succeeded without these steps. They alone are done again; what is done stays done.",
            "Other jobs of the same site wait until they have ended.",
        ],
        "They are being called.",
        _all_failed,
        PERMISSION,
        icon="refresh",
    ),
    Act(
        "skip",
        "Skip",
        "Skip this step?",
        _skip_says,
        "Skipped.",
        _step(steering.skip),
        PERMISSION,
        icon="skip_next",
        form=SkipForm,
        needs_reason=True,
        dangerous=True,
    ),
    Act(
        "give_up",
        "Give up waiting",
        "Let it fail now instead of waiting on?",
        _give_up_says,
        "Given up.",
        _whole(steering.give_up),
        PERMISSION,
        icon="timer_off",
        needs_reason=True,
        dangerous=True,
    ),
    Act(
        "cancel",
        "Cancel and undo",
        "Take this job back?",
        _cancel_says,
        "It is being taken back.",
        _whole(steering.cancel),
        PERMISSION,
        icon="undo",
        needs_reason=True,
        dangerous=True,
    ),
)
ON_STEPS = {"retry", "skip"}


@admin.register(Job)
class JobAdmin(LivePageMixin, ActsMixin, JobList, ReadOnlyAdmin):
    """Jobs, newest first. They are written by the engine alone, and steered by `steering`."""

    acts = ACTS
    change_form_template = "jobs/job.html"
    live_parts = PARTS

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Job | None:
        """Without what only the list needs."""
        return Job.objects.filter(pk=object_id).first()

    def legal_acts(self, request: HttpRequest, subject: Job) -> Iterable[str]:
        """As the engine would decide."""
        return legal(steering.moves(subject))

    def act_label(self, subject: Job | None) -> str:
        """What it does, for whom."""
        return f"{subject.title} · {subject.data.get('service_id', subject.subject)}" if subject else ""

    def page_title(self, subject: Job) -> str:
        """What it does."""
        return subject.title

    def shown(self, request: HttpRequest, subject: Job) -> dict[str, Any]:
        """The job, its timeline, and what can be done with it."""
        job = subject
        found = steering.moves(job)
        shown = timeline.of(job, found.rows)
        offered = self.buttons(request, job, legal(found))
        by_name = {button.act.name: button for button in offered}
        steps = [(line, list(self._on_step(by_name, found, line.row))) for line in shown.steps]
        return {
            "job": job,
            "timeline": shown,
            "subject_url": subject_url(job),
            "buttons": [button for button in offered if button.act.name not in ON_STEPS],
            "steps": steps,
            "trouble": [(line.row.title, acts) for line, acts in steps if acts and line.row.error],
            "beside": self._beside(request, job, found.failed) if found.failed else [],
            "entries": list(trail.entries_of(job.subject).filter(job_id=job.pk)[:20]),
            "say": f"{shown.title}: {shown.step if job.alive else shown.state_label}.",
            "again": MOVING if job.alive else RESTING,
        }

    def _beside(self, request: HttpRequest, job: Job, failed: list[JobStep]) -> list[Button]:
        """What the page of its subject offers for where one of these steps, done again, may fail again."""
        label, _, pk = job.subject.partition(":")
        pages = {model._meta.label_lower: page for model, page in self.admin_site._registry.items()}
        page = pages.get(label)
        helping = getattr(page, "beside_failed_steps", {})
        names = {name for row in failed for name in helping.get(row.name, ())}
        subject = page.get_object(request, pk) if names else None
        if subject is None:
            return []
        return page.buttons(request, subject, names.intersection(page.legal_acts(request, subject)))

    def _on_step(self, offered: dict[str, Button], found: steering.Moves, row: JobStep) -> Iterable[Button]:
        for name, fits in (("retry", found.retry), ("skip", found.skip)):
            if name in offered and fits(row):
                yield Button(offered[name].act, self.act_url(found.job, name, step=row.name))


def legal(found: steering.Moves) -> set[str]:
    """The names of the moves that fit."""
    whole = {"ask_again": found.again, "cancel": found.cancel, "give_up": bool(found.give_up)}
    whole["retry_failed"] = len(found.failed) > 1
    of_steps = {"retry": found.retry, "skip": found.skip}
    names = {name for name, fits in whole.items() if fits}
    return names | {name for name, fits in of_steps.items() if any(map(fits, found.rows))}


def subject_url(job: Job) -> str:
    """The page of what the job works on, empty where it has none."""
    label, _, pk = job.subject.partition(":")
    try:
        return reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])
    except NoReverseMatch:
        return ""
