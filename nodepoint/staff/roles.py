"""The groups that staff belong to. Migrations make them and add the permissions of later releases; whatever
an administrator has changed about them stays."""

from collections.abc import Iterable
from typing import Any

SUPPORT, OPERATOR, ADMINISTRATOR = "support", "operator", "administrator"


def make_permissions(apps: Any, using: str, labels: Iterable[str]) -> None:
    """The permissions of these apps, which Django itself makes only after the last migration."""
    from django.contrib.auth.management import create_permissions

    for label in labels:
        config = apps.get_app_config(label)
        # A migration's stand-in for an app has no module of models, without which Django passes it over.
        module, config.models_module = getattr(config, "models_module", None), True
        create_permissions(config, apps=apps, using=using, verbosity=0)
        config.models_module = module


def grant(apps: Any, using: str, role: str, permissions: Iterable[str], *, make_group: bool = False) -> None:
    """Add permissions, each `app.codename`, to a group. One that somebody has deleted is not made again,
    unless `make_group`. LookupError for a permission that there is not."""
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    group = group_model.objects.using(using).filter(name=role).first()
    if group is None:
        if not make_group:
            return
        group = group_model.objects.using(using).create(name=role)
    known = permission_model.objects.using(using).select_related("content_type")
    by_name = {f"{one.content_type.app_label}.{one.codename}": one for one in known}
    wanted = set(permissions)
    if unknown := sorted(wanted - by_name.keys()):
        raise LookupError(f"There is no permission {unknown[0]}.")
    group.permissions.add(*(by_name[name] for name in wanted))
