"""What the tests of acts on sites share: a member of staff who presses buttons."""

from datetime import timedelta
from typing import Any
from unittest import mock

from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client

from lab.content import Archive
from nodepoint.jobs.models import Lease
from sites import live
from sites.models import Backup, ClusterReading, Site
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

GOOD = "www.example.com"
ARCHIVE = f"https://{GOOD}/site.zip"


class ActsCase(ActsMixin, SiteTestCase):
    """A member of staff who may do everything, and a domain that leads here."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(live, "KEPT", timedelta(hours=1)))  # until it is read anew
        self.staff = make_staff("anna", "operator")
        self.client.force_login(self.staff)
        self.control("dns", name=GOOD, type="A", values=["203.0.113.10"])
        self.lab.guest.archives[ARCHIVE] = Archive("old.example", {})

    def read_anew(self) -> None:
        """Have the cluster read now, whatever was read before."""
        ClusterReading.objects.update(tried_at=None, taken_at=None)
        Lease.objects.filter(name=live.LEASE).update(holder="")
        live.forget()
        self.assertFalse(live.reading().stale)

    def url(self, site: Site, act: str) -> str:
        return f"/admin/sites/site/{site.pk}/act/{act}/"

    def fields(self, site: Site, act: str) -> dict[str, Any]:
        """What a member of staff would fill in."""
        failed = site.custom_domains.exclude(status="active").values_list("domain", flat=True).first()
        any_domain = site.custom_domains.values_list("domain", flat=True).first()
        backup = site.backups.filter(state=Backup.State.READY).values_list("name", flat=True).first()
        return {
            "reason": "a customer called",
            "typed": site.service_id,
            "backup": backup or "",
            "domain": {"add_domain": GOOD, "retry_domain": failed or ""}.get(act, any_domain or ""),
            "url": ARCHIVE,
            "old": GOOD,
            "new": site.hostname or "",
            "verify": "dns",
            "plan": site.plan.name,
            "email": "other@example.com",
            "user_id": "7",
            "state": "failed" if site.state != Site.State.FAILED else "deleted",
            "xmlrpc": "on",
            "cache": "on",
            "upload_mb": "200",
            "backup_quota": "7",
            "domain_quota": "",
            "high_availability": "",
        }

    def press(self, site: Site, act: str, client: Client | None = None, **changes: Any):
        """POST of the act's page, filled in."""
        data = self.fields(site, act) | changes
        return (client or self.client).post(self.url(site, act), data)

    def said(self, answer) -> list[str]:
        """The messages that stand on the next page."""
        return [str(message) for message in get_messages(answer.wsgi_request)]

    def accepted(self, site: Site, act: str) -> tuple[bool, str]:
        """Whether the service takes it, and what was said; everything is as before afterwards."""
        self.client.cookies.pop("messages", None)  # those of the press before
        with transaction.atomic():
            answer = self.press(site, act)
            levels = {message.level_tag for message in get_messages(answer.wsgi_request)}
            text = " ".join(self.said(answer))
            transaction.set_rollback(True)
        if answer.status_code == 200:  # a link that is shown, or a form that has nothing to choose
            return "admin-post.php" in answer.content.decode(), "shown"
        return levels == {"success"}, text
