"""Taking the personal data of an ended service out of everything that is kept.

Each app says of its rows (`Holder`); jobs with their steps, notices and the log of acts are ours. What a
person was called is learnt from the rows first, and then taken out of every text. Numbers, times, states and
the service id stay: the figures stay true, and the bills.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from nodepoint.audit import trail
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job, JobStep
from nodepoint.notices.models import Notice
from nodepoint.notices.models import key as notice_key

ERASED = "[erased]"
NOBODY = "erased@invalid"  # RFC 2606: no such mailbox will ever be
EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]]+@[^\s@<>\"',;:()\[\]]+")
SHORTEST = 3  # characters of a name that is looked for in texts; shorter ones stand in every word
# What stands under these names says nothing of a person.
KEPT = {"service_id", "plan", "status", "state", "power", "wanted_power", "kind", "mode", "node", "backup"}
TEXTS = ("error", "detail", "warning")


class StillThere(Exception):
    """The service has not ended, or there never was one; the text says which."""


@dataclass(frozen=True)
class Holder:
    """What an app knows of a service. `living`: why it has not ended, empty when it has. `subjects`: those of
    its jobs and acts. `names`: what its rows call the person. `erase`: take it out of the rows; how many."""

    living: Callable[[str], str]
    subjects: Callable[[str], list[str]]
    names: Callable[[str], Iterable[str]]
    erase: Callable[[str], int]


_holders: list[Holder] = []


def register(holder: Holder) -> None:
    """Have an app asked, too."""
    _holders.append(holder)


@transaction.atomic
def anonymise(service_id: str) -> dict[str, int]:
    """Do it, once or again; how many rows were changed, by what they are. StillThere where the service lives
    or nobody knows it."""
    subjects = [subject for holder in _holders for subject in holder.subjects(service_id)]
    if not subjects:
        raise StillThere(f"There is no service {service_id}, and there never was.")
    if reasons := [reason for holder in _holders if (reason := holder.living(service_id))]:
        raise StillThere(reasons[0])
    about = Q(subject__in=subjects) | Q(data__service_id=service_id)
    if alive := Job.objects.filter(about, state__in=Job.ALIVE).first():
        raise StillThere(f"Job {alive.pk} of service {service_id} has not ended.")
    notices = Notice.objects.filter(
        Q(about__in=subjects) | Q(cause__in=Job.objects.filter(about).values("pk"))
    )
    told = [notice_key(pk) for pk in notices.values_list("pk", flat=True)]
    jobs = list(Job.objects.filter(about | Q(subject__in=told)))
    acts = list(Entry.objects.filter(Q(subject__in=[*subjects, *told]) | Q(label=service_id)))
    eraser = Eraser(service_id)
    eraser.learn(name for holder in _holders for name in holder.names(service_id))
    eraser.learn_from(value for job in jobs for value in (job.data,))
    eraser.learn_from(value for act in acts for value in (act.before, act.after))
    notices.exclude(recipient="").update(recipient=NOBODY)
    return {
        "rows": sum(holder.erase(service_id) for holder in _holders),
        "notices": notices.exclude(sent_to="").update(sent_to=ERASED),
        "jobs": _jobs(jobs, eraser),
        "acts": _acts(acts, eraser),
    }


class Eraser:
    """Knows what a person was called, and takes it out of texts and of JSON."""

    def __init__(self, service_id: str) -> None:
        self.service_id = service_id
        self.names: set[str] = set()

    def learn(self, names: Iterable[str]) -> None:
        """These are personal wherever they stand."""
        nobodys = (self.service_id, ERASED, NOBODY, NOBODY.partition("@")[0])
        self.names |= {name for name in names if len(name) >= SHORTEST and name not in nobodys}

    def learn_from(self, values: Iterable[Any]) -> None:
        """So are all texts in these JSON values, but for what KEPT names."""
        self.learn(text for value in values for text in _texts(value))

    def text(self, text: str) -> str:
        """The text without names and e-mail addresses."""
        text = EMAIL.sub(ERASED, text)
        for name in sorted(self.names, key=len, reverse=True):
            text = re.sub(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", ERASED, text)
        return text

    def value(self, value: Any, name: str = "") -> Any:
        """The JSON value with the same shape; texts are gone, but for what KEPT names."""
        if isinstance(value, dict):
            return {key: self.value(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, name) for item in value]
        if not isinstance(value, str) or not value:
            return value
        return value if name in KEPT or value == self.service_id else ERASED


def _texts(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name)
    elif isinstance(value, str) and name not in KEPT:
        yield value


def _jobs(jobs: list[Job], eraser: Eraser) -> int:
    for job in jobs:
        job.data, job.secret = eraser.value(job.data), None
        for name in TEXTS:
            setattr(job, name, eraser.text(getattr(job, name)))
    Job.objects.bulk_update(jobs, ["data", "secret", *TEXTS], batch_size=200)
    steps = list(JobStep.objects.filter(job__in=jobs))
    for step in steps:
        step.data = {}
        for name in ("error", "detail", "ref"):
            setattr(step, name, eraser.text(getattr(step, name)))
    JobStep.objects.bulk_update(steps, ["data", "error", "detail", "ref"], batch_size=200)
    return len(jobs)


def _acts(acts: list[Entry], eraser: Eraser) -> int:
    for act in acts:
        act.before, act.after = eraser.value(act.before), eraser.value(act.after)
        act.reason = eraser.text(act.reason)
        act.label = act.label if act.label == eraser.service_id else eraser.text(act.label)
    trail.erase(acts)
    return len(acts)
