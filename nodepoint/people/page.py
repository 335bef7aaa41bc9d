"""Everything that the page of a customer shows, each thing read once."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Max

from nodepoint.audit.models import Entry
from nodepoint.jobs import timeline
from nodepoint.jobs.models import Job
from nodepoint.notices.models import Notice, jobs_about
from nodepoint.people.models import Note
from nodepoint.people.person import EMAIL, USER, Person, parts

JOBS, MAILS, ENTRIES, CALLERS = 10, 20, 20, 10  # shown of each


def shown(person: Person, key: str, user: AbstractBaseUser) -> dict[str, Any]:
    """What the template needs; what a member of staff may not see is left out."""
    found = [(title, one) for title, permission, one in parts(person) if user.has_perm(permission)]
    subjects = [subject for _, one in found for subject in one.subjects]
    jobs = Job.objects.filter(subject__in=[*subjects, *jobs_about(subjects, JOBS)]).order_by("-created_at")
    entries = Entry.objects.filter(subject__in=subjects).order_by("-pk")
    callers = entries.filter(kind=Entry.Kind.API).order_by().values("actor", "address")
    return {
        "person": person,
        "parts": found,
        "jobs": [timeline.line(job) for job in jobs[:JOBS]] if user.has_perm("jobs.view_job") else [],
        "mails": mails(person) if user.has_perm("notices.view_notice") else [],
        "entries": entries[:ENTRIES] if user.has_perm("audit.view_entry") else [],
        "callers": callers.annotate(last=Max("at")).order_by("-last")[:CALLERS],
        "notes": Note.objects.filter(whose__in={key, *keys(person)}).prefetch_related("tags"),
    }


def mails(person: Person) -> list[Notice]:
    """What went to his addresses, the newest first."""
    return list(Notice.objects.filter(recipient__in=person.emails).order_by("-created_at")[:MAILS])


def keys(person: Person) -> list[str]:
    """Under which notes about him may stand: he may have been known by his address alone before. Where
    somebody else is reached at that address too, notes name the user."""
    known = [f"{USER}:{user_id}" for user_id in person.user_ids]
    return known + [f"{EMAIL}:{email}" for email in person.emails]
