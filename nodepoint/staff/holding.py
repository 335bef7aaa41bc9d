"""Nobody hands out what he does not hold: neither by a role, nor to a user, nor by touching somebody who may
do more than himself."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.forms.models import ModelChoiceIterator
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from nodepoint.staff.topics import TOPICS, names


def of_role(group: Group) -> set[str]:
    """`app.codename` of all that a role holds."""
    return {_name(one) for one in group.permissions.select_related("content_type")}


def may_touch_role(user: User, group: Group | None) -> bool:
    """Whether the user himself holds all that the role does."""
    return group is None or user.is_superuser or of_role(group) <= user.get_all_permissions()


def may_touch_user(user: User, other: User | None) -> bool:
    """Whether `other` may do nothing that the user may not: who changes a password can log in with it."""
    if other is None or user.is_superuser or user == other:
        return True
    return not other.is_superuser and _all_of(other) <= user.get_all_permissions()


def roles_to_give(user: User) -> QuerySet[Group]:
    """The roles that hold nothing that the user does not."""
    roles = Group.objects.all()
    if user.is_superuser:
        return roles
    return roles.filter(pk__in=[role.pk for role in roles if may_touch_role(user, role)])


def _all_of(user: User) -> set[str]:
    """Also of one who is switched off: he may be switched on again."""
    direct = Permission.objects.filter(user=user) | Permission.objects.filter(group__user=user)
    return {_name(one) for one in direct.select_related("content_type")}


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


class _ByTopic(ModelChoiceIterator):
    """Choices in groups, in the order and words of TOPICS."""

    def __iter__(self) -> Iterator[Any]:
        known = {_name(one): one for one in self.queryset}
        for topic, words in TOPICS.items():
            if choices := [
                (self.field.prepare_value(known[n]), word) for n, word in words.items() if n in known
            ]:
                yield topic, choices


class PermissionsField(forms.ModelMultipleChoiceField):
    """Check boxes by topic; of one's own permissions, unless one is a superuser."""

    iterator = _ByTopic
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, user: User, **options: Any) -> None:
        allowed = names() if user.is_superuser else names() & user.get_all_permissions()
        codenames = {name.partition(".")[2] for name in allowed}
        found = Permission.objects.filter(codename__in=codenames).select_related("content_type")
        keys = [one.pk for one in found if _name(one) in allowed]
        super().__init__(found.filter(pk__in=keys), **options)
