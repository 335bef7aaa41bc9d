"""The log of acts. Rows are written once and never again."""

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone

from nodepoint.audit import words
from nodepoint.fields import IdentifierField


class AppendOnly(models.QuerySet):
    """Rows that can be read and added, not changed."""

    def update(self, **_: Any) -> NoReturn:
        """TypeError."""
        raise TypeError("The log of acts is append-only.")

    def delete(self) -> NoReturn:
        """TypeError."""
        raise TypeError("The log of acts is append-only.")


class Entry(models.Model):
    """One act: by whom, from where, on what, and what it changed."""

    class Kind(models.TextChoices):
        API = "api", "API"
        STAFF = "staff", "staff"
        SYSTEM = "system", "system"

    at = models.DateTimeField(default=timezone.now, db_index=True)
    act = models.CharField(max_length=64, help_text="App and act, such as sites.suspend.")
    subject = IdentifierField(max_length=64, help_text="Model and key, such as sites.site:17.")
    label = models.CharField(
        max_length=255, blank=True, help_text="What people call it: a service id, a domain."
    )
    kind = models.CharField(max_length=8, choices=Kind)
    actor = models.CharField(max_length=128, blank=True, help_text="Name of the token or the staff member.")
    address = models.CharField(max_length=45, blank=True, help_text="Where the call came from.")
    request_id = models.CharField(max_length=128, blank=True, db_index=True)
    job_id = IdentifierField(
        max_length=32, blank=True, db_index=True, help_text="The job that carries it out, if one does."
    )
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "entries"
        default_permissions = ("view",)
        # Each question that staff ask, with its newest answers first.
        indexes = [
            models.Index(fields=["subject", "at"], name="audit_entry_of_subject"),
            models.Index(fields=["act", "at"], name="audit_entry_of_act"),
            models.Index(fields=["label", "at"], name="audit_entry_of_label"),
            models.Index(fields=["kind", "at"], name="audit_entry_of_kind"),
            models.Index(fields=["actor", "at"], name="audit_entry_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.in_words}: {self.label or self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once; TypeError for a row that is there already."""
        if self.pk is not None:
            raise TypeError("The log of acts is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """TypeError."""
        raise TypeError("The log of acts is append-only.")

    @property
    def in_words(self) -> str:
        """What was done, as people say it."""
        return words.of(self.act)

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Name, value before and value after, in words, of each field that it speaks of; empty where it says
        nothing of one."""
        names = dict.fromkeys([*self.before, *self.after])
        return [(name, _of(self.before, name), _of(self.after, name)) for name in names]


def _of(values: dict[str, Any], name: str) -> str:
    return _words(values[name]) if name in values else ""


def _words(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items() if one is not None)
    return str(value)
