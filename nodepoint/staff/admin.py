"""Users, groups and locked logins, for administrators."""

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from nodepoint.admin import ReadOnly, StaffAdmin
from nodepoint.audit import edits
from nodepoint.audit.edits import Audited
from nodepoint.staff import holding, second_factor
from nodepoint.staff.pages import ask
from nodepoint.staff.second_factor import REQUIRED


@admin.register(User)
class UserAdmin(Audited, DjangoUserAdmin, StaffAdmin):
    """Who is staff, and in which role. Nobody touches who may do more than himself: else an administrator
    could make himself more than he is, by the other's password."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "roles", "has_second_factor", "is_active", "last_login")
    list_filter = ("is_active", "is_superuser", "groups")
    list_filter_submit = False
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "second_factor_since")}),
        ("Dates", {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2", "is_staff", "groups")}),
    )
    readonly_fields = ("second_factor_since", "last_login", "date_joined")
    filter_horizontal = ()
    actions_detail = ["remove_second_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the roles, and whether each has a second factor."""
        devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(proved=Exists(devices)).prefetch_related("groups")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever is added here is staff: nobody else has a user."""
        return super().get_changeform_initial_data(request) | {"is_staff": True}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser makes superusers."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Roles: only those that hold nothing that one does not hold oneself."""
        if db_field.name == "groups":
            options["queryset"] = holding.roles_to_give(request.user)
        return super().formfield_for_manytomany(db_field, request, **options)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody who may do more than oneself."""
        return super().has_change_permission(request, obj) and holding.may_touch_user(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody who may do more than oneself."""
        return super().has_delete_permission(request, obj) and holding.may_touch_user(request.user, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not many at once: each deletion is looked at by itself."""
        return {}

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Django's, with its entry in the log of acts or not at all."""
        return super().user_change_password(request, id, form_url)

    @display(description="Name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name() or "-"

    @display(description="Roles")
    def roles(self, user: User) -> str:
        """The groups."""
        names = [group.name for group in user.groups.all()] + ["superuser"] * user.is_superuser
        return ", ".join(names) or "-"

    @display(description="Second factor", boolean=True)
    def has_second_factor(self, user: User) -> bool:
        """Whether logging in takes a code."""
        return user.proved

    @display(description="Second factor")
    def second_factor_since(self, user: User) -> str:
        """Since when, and when it was used last."""
        device = second_factor.device_of(user) if user.pk else None
        if device is None:
            return "none"
        used = (
            f", last used {timezone.localtime(device.last_used_at):%Y-%m-%d %H:%M}"
            if device.last_used_at
            else ""
        )
        return f"since {timezone.localtime(device.created_at):%Y-%m-%d %H:%M}{used}"

    def has_remove_second_factor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Administrators, of nobody who may do more than oneself; where there is one."""
        user = User.objects.filter(pk=object_id).first() if object_id else None
        allowed = request.user.has_perm("otp_totp.delete_totpdevice") and holding.may_touch_user(
            request.user, user
        )
        return allowed and (user is None or second_factor.device_of(user) is not None)

    @action(description="Remove second factor", icon="phonelink_erase", permissions=["remove_second_factor"])
    def remove_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For who has lost his phone and his recovery codes: ask, then do."""
        user = self.get_object(request, object_id)
        if user is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_remove_second_factor_permission(request, object_id):
            raise PermissionDenied
        if request.method == "POST":
            second_factor.remove(user)
            messages.success(request, f"{user.get_username()} logs in with the password alone now.")
            return redirect("admin:auth_user_change", user.pk)
        after = (
            ", and leads to setting up a new second factor" if settings.STAFF_TWO_FACTOR == REQUIRED else ""
        )
        question = {
            "title": "Remove this second factor?",
            "question": f"Take away the second factor of {user.get_username()}?",
            "explanation": "For somebody who has lost phone and recovery codes. Make sure that it is the"
            f" person who asks you. From then on the password alone logs in{after}.",
            "back": reverse("admin:auth_user_change", args=[user.pk]),
        }
        return ask(self, request, original=user, **question)


@admin.register(Group)
class GroupAdmin(Audited, DjangoGroupAdmin, StaffAdmin):
    """Roles, by topic. Migrations add the permissions of new releases and take none away."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Permissions: those that the product asks for, and that one holds oneself."""
        return holding.PermissionsField(request.user, required=False, label="May")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """No role that holds more than oneself."""
        return super().has_change_permission(request, obj) and holding.may_touch_role(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """No role that holds more than oneself."""
        return super().has_delete_permission(request, obj) and holding.may_touch_role(request.user, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not many at once: each deletion is looked at by itself."""
        return {}


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnly, StaffAdmin):
    """Failed logins of the last quarter of an hour. Deleting the row unlocks the name for that address."""

    list_display = ("username", "ip_address", "failures_since_start", "locked", "attempt_time", "user_agent")
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    show_full_result_count = False
    fields = (("username", "ip_address"), ("failures_since_start", "attempt_time"), "user_agent", "path_info")
    actions = ["unlock"]

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Administrators."""
        return request.user.has_perm("axes.delete_accessattempt")

    @display(description="Locked", boolean=True)
    def locked(self, attempt: AccessAttempt) -> bool:
        """Whether this alone locks the name for the address."""
        return attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT

    @admin.action(description="Unlock the chosen ones", permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        """They may try again at once."""
        for attempt in (chosen := list(queryset)):
            before = {"address": attempt.ip_address, "failures": attempt.failures_since_start}
            with transaction.atomic():
                edits.record("unlock", attempt, label=attempt.username or "", before=before)
                attempt.delete()
        self.message_user(request, f"{len(chosen)} unlocked.")
