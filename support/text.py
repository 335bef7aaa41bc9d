"""Text that customers wrote: kept as it is, compared in a form of its own."""

import re
import unicodedata

from django.core.exceptions import ValidationError

# Control characters, and the two that break a line without being one. Joiners and marks of direction stay.
REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def plain(text: str) -> None:
    """Validator: ValidationError for control characters and line breaks."""
    if REFUSED.search(text):
        raise ValidationError("Control characters and line breaks are not allowed.")


def fold(text: str) -> str:
    """The form in which texts are compared: without case, accents and widths."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn").casefold()
