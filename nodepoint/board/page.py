"""The first page of the admin: what needs a human comes first, then what goes on, then how it has been."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from nodepoint.board import charts, troubles
from nodepoint.board.models import SystemState
from nodepoint.board.registry import Group, Picture, board
from nodepoint.jobs import progress
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import PREFIX

IN_FLIGHT = 20  # jobs shown; the rest is a number
COUNTED = 1000


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the index page."""
    user = request.user
    return {
        **context,
        "title": "Operations board",
        **needs(request),
        "in_flight": in_flight() if user.has_perm("jobs.view_job") else None,
        "pictures": [_drawn(picture) for picture in board.pictures(user)],
    }


def needs(request: HttpRequest) -> dict[str, Any]:
    """What needs a human, in one sentence and in groups."""
    groups = board.groups(request.user)
    checked = SystemState.objects.order_by("-checked_at").values_list("checked_at", flat=True).first()
    return {
        "groups": groups,
        "verdict": _verdict(groups),
        "failing": any(group.failing for group in groups),
        "checked_at": checked,
        "now": timezone.now(),
    }


def _verdict(groups: list[Group]) -> str:
    if not groups:
        return "All is well. Nothing needs you."
    failing = [group for group in groups if group.failing]
    named = ", ".join(f"{group.title.lower()} ({group.count})" for group in (failing or groups))
    return f"{'Look at this now' if failing else 'Nothing is on fire. To be looked at today'}: {named}."


def in_flight() -> dict[str, Any]:
    """Jobs that go on, the oldest first: `{jobs: [{id, title, about, state, percent, step, eta, url}],
    more}`. Three queries."""
    alive = Job.objects.filter(state__in=Job.ALIVE).exclude(kind__startswith=PREFIX)
    jobs = list(alive.order_by("created_at").defer("detail")[: IN_FLIGHT + 1])
    total = len(jobs) if len(jobs) <= IN_FLIGHT else alive[:COUNTED].count()
    shown = jobs[:IN_FLIGHT]
    steps: dict[str, list[JobStep]] = {job.pk: [] for job in shown}
    for step in JobStep.objects.filter(job__in=shown).defer("data", "detail"):
        steps[step.job_id].append(step)
    names = troubles.about(shown)
    return {"jobs": [_line(job, steps[job.pk], names[job.pk]) for job in shown], "more": total - len(shown)}


def _line(job: Job, steps: list[JobStep], name: str) -> dict[str, Any]:
    try:
        how_far = progress.of(job, steps)
        percent, step, eta = how_far.percent, how_far.step, how_far.eta_seconds
    except UnknownFlow:
        percent, step, eta = 0, "It is of another release.", None
    return {
        "id": job.pk,
        "title": job.title,
        "about": name,
        "state": job.state_in_words,
        "percent": percent,
        "step": step,
        "eta": None if job.state == Job.State.WAITING else eta,  # nobody knows how long it is held up
        "url": reverse("admin:jobs_job_change", args=[job.pk]),
    }


def _drawn(picture: Picture) -> dict[str, Any]:
    headers, rows = charts.table(picture)
    return {
        "picture": picture,
        "value": charts.value(picture),
        "options": charts.options(picture),
        "headers": headers,
        "rows": rows,
    }


def in_flight_view(request: HttpRequest) -> HttpResponse:
    """The jobs in flight as JSON, for the page that shows them."""
    if not request.user.has_perm("jobs.view_job"):
        raise PermissionDenied
    return JsonResponse(in_flight())


def needs_view(request: HttpRequest) -> HttpResponse:
    """What needs a human, as a part of the page."""
    return render(request, "board/needs.html", needs(request))
