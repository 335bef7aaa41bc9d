"""What lists of the admin share: they count no further than somebody reads, search by index, are exported as
CSV, and act on many rows at once within a limit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from unfold.decorators import action
from unfold.views import ChangeList

from nodepoint import export
from nodepoint.api.errors import translate
from nodepoint.audit import origin
from nodepoint.jobs.errors import MoveRefused
from nodepoint.staff.acts import LONGEST_ACTOR, REFUSALS, ActForm

MOST_AT_ONCE = 50  # rows of one bulk act
NAMED = 10  # refusals that the summary names
COUNTED = 5000  # rows of a list; who looks for more filters
NEWEST = 2000  # rows that are looked at one by one


def newest(rows: QuerySet) -> QuerySet:
    """Of these rows those that are among the NEWEST of their table, by `created_at`: for a question that no
    index answers. One query."""
    times = rows.model._default_manager.order_by("-created_at").values_list("created_at", flat=True)
    oldest = times[NEWEST - 1 : NEWEST].first()
    return rows.filter(created_at__gte=oldest) if oldest else rows


class CappedPaginator(Paginator):
    """Counts no further than COUNTED: nobody reads page 2000, and every visit would pay for the count."""

    @cached_property
    def count(self) -> int:
        """How many rows, COUNTED at most."""
        return self.object_list.order_by().values("pk")[:COUNTED].count()


class Choice(admin.SimpleListFilter):
    """A filter that answers questions: `questions` is {value: (what it is called, how it filters)}."""

    questions: dict[str, tuple[str, Callable[[QuerySet], QuerySet]]]

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """The choices."""
        return [(value, title) for value, (title, _) in self.questions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rows that answer the chosen one."""
        question = self.questions.get(self.value())
        return question[1](queryset) if question else queryset


@dataclass(frozen=True)
class BulkAct:
    """Something that can be done to many rows at once. `perform(row, actor)` calls the service and returns
    False where there was nothing to be done. `done` follows the number: `started`."""

    name: str
    label: str
    warning: str
    done: str
    permission: str
    perform: Callable[[Any, str], Any]


class Page(ChangeList):
    """A page of a list whose rows are told more by their admin, in as many queries for fifty as for one."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        """Ties in the direction of the first column: no index is read in two at once, so that all rows would
        be sorted."""
        ordering = list(super().get_ordering(request, queryset))
        first, last = str(ordering[0]), ordering[-1]
        return [*ordering[:-1], "pk"] if last == "-pk" and not first.startswith("-") else ordering

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, enriched."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.enrich(self.result_list)


class BigList:
    """The list part of a ModelAdmin whose table may be large. `csv_columns`: of the export, which also need
    `csv_related`. `bulk`: acts on
    the chosen rows. `matching(text)`: the primary keys that a search finds, and whether there are more."""

    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they would count the whole table, once for each choice
    csv_columns: Sequence[export.Column] = ()
    csv_name = ""
    csv_related: Sequence[str] = ()
    bulk: Sequence[BulkAct] = ()

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """One that enriches its rows."""
        return Page

    def enrich(self, rows: Sequence[Model]) -> None:
        """Give the rows of a page what their columns need beside their own table."""

    def matching(self, text: str) -> tuple[Iterable[Any], bool] | None:
        """None: the usual search of the admin."""
        return None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The rows that `matching` finds. They are looked up first, by themselves, so that no database can
        prefer to walk through all rows."""
        found = self.matching(search_term) if search_term.strip() else None
        if found is None:
            return super().get_search_results(request, queryset, search_term)
        keys, more = found
        if more:
            messages.warning(request, "These are not all that match. Add more of what you look for.")
        return queryset.filter(pk__in=list(keys)), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """With the bulk acts that this member of staff may do, and the export."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        for act in self.bulk:
            if request.user.has_perm(act.permission):
                actions[act.name] = (_bulk_action(act), act.name, f"{act.label} (at most {MOST_AT_ONCE})")
        if self.csv_columns and self.has_view_permission(request):
            actions["export_chosen"] = (_export_chosen, "export_chosen", "Export as CSV")
        return actions

    @action(description="Export all as CSV", icon="download", permissions=["view"])
    def export_list(self, request: HttpRequest) -> HttpResponse:
        """The whole list. What is filtered is exported by choosing all rows of it."""
        return self.as_csv(self.model._default_manager.all())

    def as_csv(self, queryset: QuerySet) -> HttpResponse:
        """Rows as a file."""
        name = self.csv_name or self.opts.verbose_name_plural.replace(" ", "-")
        related = queryset.prefetch_related(*self.csv_related)
        return export.download(name, export.lines(related, self.csv_columns))


def _export_chosen(model_admin: BigList, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    return model_admin.as_csv(queryset)


def _bulk_action(act: BulkAct) -> Callable[[BigList, HttpRequest, QuerySet], HttpResponse | None]:
    def run(model_admin: BigList, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        if not request.user.has_perm(act.permission):
            raise PermissionDenied
        rows = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            messages.error(request, f"Nothing was done: choose {MOST_AT_ONCE} at most.")
            return None
        return _ask_or_do(model_admin, request, act, rows)

    return run


def _ask_or_do(
    model_admin: BigList, request: HttpRequest, act: BulkAct, rows: Sequence[Model]
) -> HttpResponse:
    """The page before, or, when that was answered, the act on one row after the other."""
    answered = "confirmed" in request.POST
    form = ActForm(request.POST if answered else None, subject=None)
    if answered and form.is_valid():
        carry_out(request, act, rows, form.cleaned_data["reason"])
        return HttpResponseRedirect(request.get_full_path())
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"{act.label}?",
        "act": act,
        "rows": rows,
        "form": form,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "board/bulk.html", context)


def carry_out(request: HttpRequest, act: BulkAct, rows: Sequence[Model], reason: str) -> None:
    """Do it to each row through its service; a summary says how many, and which ones were refused and why."""
    actor = f"staff {request.user.get_username()}"[:LONGEST_ACTOR]
    done, refused = 0, []
    with origin.because(reason):
        for row in rows:
            try:
                outcome = act.perform(row, actor)
            except REFUSALS as error:
                refused.append(f"{row}: {_sentence(error)}")
            else:
                done += outcome is not False
                if outcome is False:
                    refused.append(f"{row}: nothing to be done, or something else goes on there.")
    if done:
        messages.success(request, f"{done} {act.done}.")
    if refused:
        more = f" And {len(refused) - NAMED} more." if len(refused) > NAMED else ""
        messages.warning(request, f"{len(refused)} not: {' '.join(refused[:NAMED])}{more}")


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, MoveRefused) else translate(error).sentence
