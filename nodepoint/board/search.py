"""One search box over everything that staff know by name. Apps register how their things are found: by
equality or beginning of an indexed column, so that it takes as long with a hundred rows as with a hundred
thousand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from nodepoint.jobs.models import Job

EACH = 10  # results of one kind
SHORTEST = 2  # characters
LAST = "\U0010ffff"  # sorts after every other character, in bytes as in code points


@dataclass(frozen=True)
class Hit:
    """Something found: what it is called, what it is, where its page is; all the names that it goes by."""

    title: str
    description: str
    url: str
    icon: str
    names: frozenset[str]

    @classmethod
    def of(cls, title: str, description: str, url: str, icon: str, *names: str | None) -> "Hit":
        """A hit that goes by its title and these names."""
        return cls(title, description, url, icon, frozenset(name.lower() for name in (title, *names) if name))


Searcher = Callable[[str, int], Iterable[Hit]]
Finder = Callable[[str], Iterable[str]]
_searchers: list[tuple[str, Searcher]] = []
_finders: list[Finder] = []
_service_finders: list[Finder] = []


def searches(permission: str) -> Callable[[Searcher], Searcher]:
    """Decorator: the function gives at most so many hits for a text, for whoever has the permission."""

    def keep(function: Searcher) -> Searcher:
        _searchers.append((permission, function))
        return function

    return keep


def finds_subjects(function: Finder) -> Finder:
    """Decorator: the function gives the subjects (`sites.site:17`) that a text may mean, for lists of jobs
    and acts."""
    _finders.append(function)
    return function


def finds_services(function: Finder) -> Finder:
    """Decorator: the function gives the service ids that a text may mean, such as that of a support key."""
    _service_finders.append(function)
    return function


def begins(field: str, text: str) -> Q:
    """`field` begins with `text`, byte by byte, as a range of its index: when LIKE uses one differs by
    database. In the order of the field, the very text comes first."""
    return Q(**{f"{field}__gte": text, f"{field}__lt": text + LAST})


def gather(looks: Iterable[QuerySet], most: int) -> tuple[list[int], bool]:
    """Primary keys of what several looks find, each by an index and by itself, and whether there are more.
    What one of them finds first stands before what any finds second. One query for each."""
    found = [list(look.values_list("pk", flat=True)[: most + 1]) for look in looks]
    keys = dict.fromkeys(key for rank in zip_longest(*found) for key in rank if key is not None)
    return list(keys)[:most], len(keys) > most or any(len(each) > most for each in found)


def hits(user: object, text: str) -> list[Hit]:
    """What a member of staff finds for a text, the kinds in the order of their registration."""
    text = tidy(text)
    if len(text) < SHORTEST:
        return []
    allowed = (search for permission, search in _searchers if user.has_perm(permission))
    return [hit for search in allowed for hit in search(text, EACH)]


def meant(found: list[Hit], text: str) -> Hit | None:
    """What the text can only mean: all that is found, or all that goes by this very name (`10.0.0.1`, where
    other addresses begin so). None where there is a choice."""
    name = tidy(text).lower()
    candidates = [hit for hit in found if name in hit.names] or found
    return candidates[0] if len(candidates) == 1 else None


def subjects(text: str) -> list[str]:
    """The subjects that a text may mean."""
    text = tidy(text)
    return [subject for find in _finders for subject in find(text)] if text else []


def services(text: str) -> list[str]:
    """The service ids that a text may mean."""
    text = tidy(text)
    return [service for find in _service_finders for service in find(text)] if text else []


def tidy(text: str) -> str:
    """What people paste: without blanks around it, the host of an address instead of the address."""
    text = text.strip()
    if "://" in text:
        text = text.partition("://")[2].partition("/")[0].partition("?")[0]
    return text[:200]


def results(request: HttpRequest, _: str) -> list[SearchResult]:
    """For the theme's search box. It hands over the text in lower case; ours is the one that was typed."""
    found = hits(request.user, request.GET.get("s", ""))
    return [SearchResult(hit.title, hit.description, hit.url, hit.icon) for hit in found]


@searches("jobs.view_job")
def jobs(text: str, most: int) -> Iterable[Hit]:
    """Jobs by their id, or the id of the request that asked for them."""
    if len(text) < 8:
        return
    wanted = begins("pk", text) | Q(request_id=text)
    for job in Job.objects.filter(wanted).defer("detail")[:most]:
        about = f"Job, {job.state_in_words.lower()}"
        url = reverse("admin:jobs_job_change", args=[job.pk])
        yield Hit.of(str(job), about, url, "build", job.pk, job.request_id)
