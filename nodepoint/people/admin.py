"""The page of a customer, and the list of what staff have noted."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from nodepoint.admin import NoSuchRow, ReadOnlyAdmin
from nodepoint.audit import trail
from nodepoint.lists import BigList
from nodepoint.people import page
from nodepoint.people.models import LONGEST, Note
from nodepoint.people.person import Person, whole


class NoteForm(forms.Form):
    """A new note."""

    text = forms.CharField(
        max_length=LONGEST,
        label="Note",
        help_text="Words with a # before them are tags, by which the search finds him.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


@admin.register(Note)
class NoteAdmin(BigList, ReadOnlyAdmin):
    """What staff have noted about customers, the newest first. Its addresses also hold the customers."""

    list_display = ("customer", "text", "by", "at")
    list_display_links = None
    sortable_by = ()
    search_fields = ("whose",)
    search_help_text = "user:17 or email:jane@example.com; #vip in the box of the board finds tags"
    actions_list = ("export_list",)
    csv_name = "notes"
    csv_columns = tuple(
        (name, lambda row, name=name: getattr(row, name)) for name in ("whose", "text", "by", "at")
    )

    @display(description="Customer")
    def customer(self, note: Note) -> str:
        """With a link to his page."""
        url = reverse("admin:people_customer", args=[note.whose])
        return format_html('<a href="{}">{}</a>', url, note.whose.partition(":")[2])

    def get_urls(self) -> list[URLPattern]:
        """With a page for each customer."""
        view, remove = self.admin_site.admin_view(self.customer_view), self.admin_site.admin_view(self.remove)
        return [
            path("customer/<path:key>/note/<int:pk>/remove/", remove, name="people_remove_note"),
            path("customer/<path:key>/", view, name="people_customer"),
            *super().get_urls(),
        ]

    def customer_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Everything about him; a POST adds a note."""
        if not request.user.has_perm("people.view_note"):
            raise PermissionDenied
        person = Person.parse(key)
        if person is None:
            raise NoSuchRow(f"There is no customer {key[:64]}.")
        form = NoteForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            if not request.user.has_perm("people.add_note"):
                raise PermissionDenied
            if form.is_valid():
                return self._added(request, key, form.cleaned_data["text"])
        person = whole(person)
        context = {
            **self.admin_site.each_context(request),
            **page.shown(person, key, request.user),
            "opts": self.opts,
            "title": f"Customer {key.partition(':')[2]}",
            "subtitle": None,
            "key": key,
            "form": form,
            "known": bool(person.emails or person.services),
        }
        return TemplateResponse(request, "people/customer.html", context)

    def _added(self, request: HttpRequest, key: str, text: str) -> HttpResponse:
        with transaction.atomic():
            note = Note.objects.create(whose=key, text=text, by=request.user.get_username())
            trail.record("people.add_note", f"people.note:{note.pk}", label=key[:255])
        messages.success(request, "The note is kept.")
        return HttpResponseRedirect(reverse("admin:people_customer", args=[key]))

    def remove(self, request: HttpRequest, key: str, pk: int) -> HttpResponse:
        """Take a note away: one's own, or any where the role allows it."""
        note = Note.objects.filter(pk=pk, whose=key).first()
        if note and request.method == "POST":
            if note.by != request.user.get_username() and not request.user.has_perm("people.delete_note"):
                raise PermissionDenied
            with transaction.atomic():
                note.delete()
                trail.record("people.remove_note", f"people.note:{pk}", label=key[:255])
            messages.success(request, "The note is gone.")
        return HttpResponseRedirect(reverse("admin:people_customer", args=[key]))
