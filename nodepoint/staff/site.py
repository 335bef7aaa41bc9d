"""The admin site: Unfold's, with our way to log in."""

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

OURS = ("nodepoint", "sites", "dns", "support")


class StaffSite(UnfoldAdminSite):
    """`admin.site`."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes pages that are written here, and none that a library brings along: those of django-q2 let
        whoever may add a schedule run any function, `os.system` too; those of django-otp show the secrets."""
        if admin_class is not None and admin_class.__module__.partition(".")[0] in OURS:
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the second factor."""
        from nodepoint.staff import views

        return [
            path("code/", views.code, name="code"),
            path("second-factor/", self.admin_view(views.second_factor_page), name="second_factor"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Without Unfold's colours: they stand in `nodepoint/theme.css`, since the policy of the pages allows
        no styles inside them."""
        return super().each_context(request) | {"colors": None}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password, as Django's; our view asks for the code afterwards."""
        from nodepoint.staff.login import PasswordView

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        context = {
            **self.each_context(request),
            "title": "Log in",
            "subtitle": None,
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
        }
        if REDIRECT_FIELD_NAME not in {*request.GET, *request.POST}:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index", current_app=self.name)
        view = PasswordView.as_view(
            extra_context=context | (extra_context or {}),
            authentication_form=self.login_form,
            template_name=self.login_template or "admin/login.html",
        )
        request.current_app = self.name
        return view(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As Unfold's, and written down."""
        from unfold.forms import AdminOwnPasswordChangeForm

        view = AuditedPasswordChange.as_view(
            form_class=AdminOwnPasswordChangeForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
            template_name=self.password_change_template or "registration/password_change_form.html",
        )
        request.current_app = self.name
        return view(request)


class AuditedPasswordChange(PasswordChangeView):
    """One's own password."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it; the log of acts says so."""
        from nodepoint.audit import trail

        user: AbstractBaseUser = form.user
        with transaction.atomic():
            answer = super().form_valid(form)
            trail.record("staff.change_password", f"auth.user:{user.pk}", label=user.get_username())
        return answer
