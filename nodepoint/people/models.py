"""What staff note about customers."""

import re
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from nodepoint.fields import IdentifierField

LONGEST = 2000  # characters of a note
TAG = re.compile(r"(?<![\w#])#([\w-]{1,32})")
MOST_TAGS = 10


class Note(models.Model):
    """A note about a customer. Words with a `#` before them are tags, by which it is found."""

    whose = IdentifierField(max_length=272, db_index=True, help_text="The customer's key.")
    text = models.TextField(max_length=LONGEST)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return self.text[:60]

    def save(self, *args: Any, **options: Any) -> None:
        """With its tags."""
        with transaction.atomic():
            super().save(*args, **options)
            self.tags.all().delete()
            words = dict.fromkeys(word.lower() for word in TAG.findall(self.text))
            self.tags.bulk_create(Tag(note=self, word=word) for word in list(words)[:MOST_TAGS])


class Tag(models.Model):
    """A word by which a note is found."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="tags")
    word = IdentifierField(max_length=32, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.word}"
