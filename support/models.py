"""Support keys, what happened to them, the words they are found by, and who tried wrong ones."""

from typing import Any, Never

from django.core.exceptions import FieldError
from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from support.text import plain


class SupportKey(models.Model):
    """The right to support of one service. The row is kept when the service ends, as INACTIVE."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        SUSPENDED = "SUSPENDED", "Suspended"
        INACTIVE = "INACTIVE", "Terminated"

    service_id = IdentifierField("service", max_length=64, unique=True)
    support_key = IdentifierField(max_length=20, unique=True)
    key_hash = IdentifierField(max_length=64, unique=True, editable=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE, db_index=True)
    email = models.EmailField("e-mail", max_length=254)
    firstname = models.CharField("first name", max_length=255, validators=[plain])
    lastname = models.CharField("last name", max_length=255, blank=True, validators=[plain])
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("rotate_supportkey", "Can replace support keys by new ones")]

    def __str__(self) -> str:
        return f"{self.support_key} (service {self.service_id})"

    @property
    def name(self) -> str:
        """First and last name; people with one name have no last one."""
        return f"{self.firstname} {self.lastname}".strip()

    @property
    def active(self) -> bool:
        """Whether it gives a right to support now."""
        return self.status == self.Status.ACTIVE


class AppendOnly(models.QuerySet):
    """Rows that are written once: neither changed nor deleted."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Never:
        raise FieldError("History is only ever added to.")

    update = delete = bulk_update = _refuse


class HistoryEntry(models.Model):
    """One thing that happened to a support key: what, when, by whom and why. Kept for ever."""

    class Kind(models.TextChoices):
        CREATED = "created"
        SUSPENDED = "suspended"
        UNSUSPENDED = "unsuspended"
        TERMINATED = "terminated"
        ROTATED = "rotated"

    support_key = models.ForeignKey(SupportKey, on_delete=models.PROTECT, related_name="history")
    kind = models.CharField(max_length=16, choices=Kind)
    before = models.CharField("status before", max_length=16, choices=SupportKey.Status, blank=True)
    after = models.CharField("status after", max_length=16, choices=SupportKey.Status)
    replaced_key = IdentifierField(max_length=20, blank=True, db_index=True, help_text="Dead since then.")
    actor = models.CharField("by", max_length=200, help_text="The token or the member of staff.")
    reason = models.CharField(max_length=200, blank=True, validators=[plain])
    request_id = models.CharField("request", max_length=128, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "history"
        indexes = [models.Index(fields=["kind"], name="support_history_of_kind")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only once; FieldError afterwards."""
        if not self._state.adding:
            raise FieldError("History is only ever added to.")
        super().save(*args, **kwargs)

    @classmethod
    def erase_reasons(cls, row: SupportKey) -> int:
        """The one change that history knows: what somebody wrote of a person who is to be forgotten."""
        return models.QuerySet(cls).filter(support_key=row).exclude(reason="").update(reason="[erased]")

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Never; FieldError."""
        raise FieldError("History is only ever added to.")


class SearchTerm(models.Model):
    """A folded word that a support key is found by. A search is a range of this index."""

    support_key = models.ForeignKey(SupportKey, on_delete=models.CASCADE, related_name="terms")
    text = IdentifierField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "support_key"], name="support_term_once")]

    def __str__(self) -> str:
        return self.text


class WrongKeys(models.Model):
    """How many wrong keys came from one token or address in the minute that began with the first of them."""

    source = IdentifierField(max_length=80, unique=True)
    began_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "wrong keys"

    def __str__(self) -> str:
        return f"{self.count} by {self.source}"
