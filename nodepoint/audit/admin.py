"""The log of acts, for staff to search. Nobody can change it."""

from django.contrib import admin
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from nodepoint.admin import ReadOnlyAdmin
from nodepoint.audit import words
from nodepoint.audit.models import Entry

MOST_FOUND = 1000  # by one search
MOST_COUNTED = 10_000
LAST = "\U0010ffff"  # sorts after whatever follows a beginning
LINK = "text-primary-600 dark:text-primary-500"
COLOURS = {Entry.Kind.API: "info", Entry.Kind.STAFF: "warning", Entry.Kind.SYSTEM: "success"}


class Bounded(Paginator):
    """Counts no further than anybody turns pages: the log grows for ever."""

    @cached_property
    def count(self) -> int:
        """At most MOST_COUNTED."""
        return self.object_list.order_by()[:MOST_COUNTED].count()


class ActFilter(admin.SimpleListFilter):
    """Which act; the choices are read from the index, now and then."""

    title = "act"
    parameter_name = "act"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Those that were ever done."""
        return sorted(
            ((act, words.of(act)) for act in cache.get_or_set("audit.acts", _acts, 300)),
            key=lambda choice: choice[1],
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        """The entries of the chosen one."""
        return queryset.filter(act=self.value()) if self.value() else queryset


def _acts() -> list[str]:
    return list(Entry.objects.order_by("act").values_list("act", flat=True).distinct())


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Acts, newest first."""

    paginator = Bounded
    list_max_show_all = 0
    list_display = ("when", "what", "label", "kind_label", "actor", "address", "change", "reason")
    list_filter = (("kind", admin.ChoicesFieldListFilter), ActFilter, ("at", RangeDateTimeFilter))
    list_filter_submit = True
    ordering = ("-at", "-pk")
    sortable_by = ()
    search_fields = ("label",)  # makes the box appear; `get_search_results` answers it
    search_help_text = "Service or domain (or its beginning), request id, name of a token or of staff"
    fields = (
        ("when", "what", "act"),
        ("label", "subject_link"),
        ("kind", "actor", "address"),
        ("request_id", "job_link"),
        "reason",
        "change_table",
    )
    readonly_fields = ("when", "what", "subject_link", "job_link", "change_table")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """The newest entries that each index finds, fetched by themselves: no database can then prefer to
        walk through the whole log."""
        text = search_term.strip()
        if not text:
            return queryset, False
        looks = [
            Q(label__gte=text, label__lt=text + LAST),
            Q(request_id=text),
            Q(actor=text),
            Q(subject=text),
            Q(job_id=text),
        ]
        found: set[int] = set()
        for look in looks:
            found.update(Entry.objects.filter(look).order_by("-at").values_list("pk", flat=True)[:MOST_FOUND])
        return queryset.filter(pk__in=sorted(found)[-MOST_FOUND:]), False

    @display(description="At")
    def when(self, entry: Entry) -> str:
        """To the second, by TIME_ZONE."""
        return f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}"

    @display(description="Act")
    def what(self, entry: Entry) -> str:
        """In words."""
        return entry.in_words

    @display(description="By", ordering="kind", label=COLOURS)
    def kind_label(self, entry: Entry) -> tuple[str, str]:
        """API, staff or system, in colour."""
        return entry.kind, entry.get_kind_display()

    @display(description="Change")
    def change(self, entry: Entry) -> str:
        """What was before and is now, in one short line."""
        parts = [f"{name}: {was} → {now}" if was else f"{name}: {now}" for name, was, now in entry.changes]
        line = ", ".join(parts)
        return f"{line[:120]}…" if len(line) > 120 else line or "-"

    @display(description="Change")
    def change_table(self, entry: Entry) -> SafeString | str:
        """The same, one field a line."""
        rows = format_html_join(
            "",
            '<tr><th class="font-semibold pr-4 text-left align-top">{}</th><td class="pr-4 break-all">{}</td>'
            '<td class="break-all">{}</td></tr>',
            entry.changes,
        )
        head = "<tr><td></td><td class='pr-4'>before</td><td>after</td></tr>"
        return format_html("<table>{}{}</table>", SafeString(head), rows) if rows else "-"

    @display(description="Subject")
    def subject_link(self, entry: Entry) -> str:
        """What it was done to, with a link where there is a page of it."""
        label, _, pk = entry.subject.partition(":")
        return _link(f"admin:{label.replace('.', '_')}_change", pk, entry.subject)

    @display(description="Job")
    def job_link(self, entry: Entry) -> str:
        """The job that carries it out."""
        return _link("admin:jobs_job_change", entry.job_id, entry.job_id) if entry.job_id else "-"


def _link(page: str, pk: str, text: str) -> str:
    try:
        return format_html('<a class="{}" href="{}">{}</a>', LINK, reverse(page, args=[pk]), text)
    except NoReverseMatch:
        return text
