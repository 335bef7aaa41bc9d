"""Finding support keys by what people remember: beginnings of the name, e-mail, service, or of the key."""

import re
from collections.abc import Iterable

from django.db.models import Q

from support import keys
from support.models import SearchTerm, SupportKey
from support.text import fold

MOST = 1000  # keys that one search gives; whoever has more than that before him adds a word
MOST_WORDS = 6
TERM_LENGTH = SearchTerm._meta.get_field("text").max_length
LAST = "\U0010ffff"  # sorts after every other character, in bytes as in code points


def index(row: SupportKey) -> None:
    """Write the words that a new key is found by."""
    terms = [SearchTerm(support_key=row, text=text) for text in sorted(_terms(row))]
    SearchTerm.objects.bulk_create(terms)


def index_anew(row: SupportKey) -> None:
    """Write them once more, after a change."""
    row.terms.all().delete()
    index(row)


def _terms(row: SupportKey) -> set[str]:
    email = fold(row.email)
    words = fold(row.name).split()
    # Also the parts of Meyer-Landrut and O'Brien: nobody knows which one somebody will search for.
    parts = [part for word in words for part in re.split(r"[-'’.]", word)]
    found = [fold(row.service_id), email, email.rpartition("@")[2], *words, *parts]
    return {text[:TERM_LENGTH] for text in found if text}


def matching(text: str) -> tuple[list[int], bool]:
    """Primary keys of the rows in which each word begins some term, or whose key begins with the text.

    At most MOST, those first that have the text itself as a term; also whether there are more. They are
    fetched by themselves, before the list, so that neither database can prefer to walk through all rows.
    """
    words = sorted({word[:TERM_LENGTH] for word in fold(text).split()[:MOST_WORDS]}, key=len, reverse=True)
    itself = SearchTerm.objects.filter(text=fold(text)).values_list("support_key", flat=True)[: MOST + 1]
    found = dict.fromkeys([*_by_key(text), *itself, *_by_words(words)])
    return list(found)[:MOST], len(found) > MOST


def _by_key(text: str) -> Iterable[int]:
    """Short beginnings count only with `SUP`: else every short name would find some keys by chance."""
    begin = keys.tidy(text)
    typed = len(re.sub(r"[\s-]", "", text))
    if not begin or typed < 6:
        return ()
    return SupportKey.objects.filter(_between("support_key", begin)).values_list("pk", flat=True)[: MOST + 1]


def _by_words(words: list[str]) -> Iterable[int]:
    if not words:
        return ()
    found = SearchTerm.objects.filter(_between("text", words[0]))
    for word in words[1:]:
        found = found.filter(_between("support_key__terms__text", word))
    return found.values_list("support_key", flat=True).distinct()[: MOST + 1]


def _between(field: str, begin: str) -> Q:
    """`field` begins with `begin`, as a range: when LIKE uses an index differs by database."""
    return Q(**{f"{field}__gte": begin, f"{field}__lt": begin + LAST})
