"""Backups, and going back to them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from sites import representation, services
from sites.models import Site
from sites.serializers import (
    BackupInput,
    BackupOutput,
    BackupQuotaOutput,
    BackupsOutput,
    ResetInput,
    RollbackInput,
    ServiceInput,
    StatusOutput,
)


class Backups(ApiView):
    """The backups of a site, newest first, and how many are allowed. The first snapshot is not among them."""

    scope = "sites"
    input = ServiceInput
    output = BackupsOutput

    def get(self, request: Request) -> Response:
        """From rows alone."""
        return success(**representation.backups(services.get_site(**self.read(request))))


class MakeBackup(ApiView):
    """Make a backup: a snapshot on the same storage, with the database held for a moment."""

    scope = "sites"
    input = ServiceInput
    output = BackupOutput

    def post(self, request: Request) -> Response:
        """Its name and the quota with it."""
        backup, job = services.create_backup(**self.read(request), actor=request.auth.actor)
        return finish(
            request, job, lambda job: {"backup": backup.name, **representation.backup_quota(backup.site)}
        )


class DeleteBackup(ApiView):
    """Delete a backup. The first snapshot cannot be deleted."""

    scope = "sites"
    input = BackupInput
    output = BackupQuotaOutput

    def post(self, request: Request) -> Response:
        """The quota without it."""
        backup, job = services.delete_backup(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: representation.backup_quota(backup.site))


class Rollback(ApiView):
    """Roll back to a backup, or to `initial`. What was done since is lost; plan, address and domains stay."""

    scope = "sites"
    input = RollbackInput
    output = BackupQuotaOutput

    def post(self, request: Request) -> Response:
        """The quota: where the storage can only go back to the newest, newer ones may have been discarded."""
        site, job = services.roll_back(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: representation.backup_quota(site))


class Reset(ApiView):
    """Reset a site to the day it was handed over. The customer gets an e-mail on how to log in again."""

    scope = "sites"
    input = ResetInput
    output = StatusOutput

    def post(self, request: Request) -> Response:
        """The status of the site."""
        site, job = services.reset(**self.read(request), actor=request.auth.actor)
        return finish(request, job, lambda job: _status(site))


def _status(site: Site) -> dict[str, Any]:
    site.refresh_from_db()
    return {"status": services.status(site)}
