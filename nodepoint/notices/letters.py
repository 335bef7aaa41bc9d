"""E-mails to customers: one text for each kind, of which the plain and the HTML part are made, so that both
say the same.

The text is a template, `mails/<name>.txt`. Its first line is the subject. Blank lines part paragraphs. A line
that begins with two blanks stands by itself: `https://…` is a link, `[Label] https://…` a button of the HTML
part, anything else is shown as it is. Operators put their own text or layout before ours, in the folder
`templates/mails` of the data folder (docs/operations/mails.md).

What is put into a text is one line and plain: no value can add a header, a paragraph or a link.
"""

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import partial
from typing import Any

from django.conf import settings
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template, select_template
from django.utils import translation

from nodepoint.jobs.outcomes import Done, Outcome, Retry
from nodepoint.notices.models import Language, Notice, Preferences
from nodepoint.notices.sending import Letter, notice

WIDTH = 72  # columns of the plain part; links are not broken
LONGEST_SUBJECT = 200  # characters
LINE = re.compile(r"(?:\[(?P<label>[^\]]+)\] )?(?P<url>https?://[^\s<>\"]+)")
SILENCED = "Nobody was told: this kind of e-mail is switched off."
UNREADABLE = "The e-mail cannot be made from its template."
# What the engine of templates raises for a text that an operator has written: UnicodeError is a ValueError.
FAULTS = (TemplateSyntaxError, TemplateDoesNotExist, ValueError, TypeError, AttributeError, KeyError, OSError)


class Unreadable(Exception):
    """A template does not give an e-mail. The text says which and why, for staff."""


@dataclass(frozen=True)
class Block:
    """One paragraph: prose; or, standing by itself, a link with or without a label, or a line."""

    text: str
    is_prose: bool = True
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class Rendered:
    """An e-mail as it would go out now."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Mail:
    """A kind of e-mail to customers. `kind`: of its notice. `title` and `when`: what staff call it, and when
    it is sent. `template`: `mails/<template>.txt`. `sample`: what a preview is made of."""

    kind: str
    title: str
    when: str
    template: str
    sample: Mapping[str, str] = field(repr=False)
    lasts: bool = True


Values = Callable[[Notice], "Contents | Outcome"]


@dataclass(frozen=True)
class Contents:
    """What a letter is made of: to whom, and the values of its template. `secret`, `note`: as of `Letter`."""

    to: str
    values: Mapping[str, Any]
    secret: bool = False
    note: str = ""


_mails: dict[str, Mail] = {}


def mail(kind: str) -> Mail | None:
    """The e-mail to customers whose notice is of this kind."""
    return _mails.get(kind)


def mails() -> list[Mail]:
    """All kinds, in the order of their registration."""
    return list(_mails.values())


def register(mail: Mail, first: Callable[[Notice], Outcome | None], contents: Values) -> None:
    """Make a kind of e-mail to customers known, with the flow of its notice. `first` as for
    `sending.notice`; `contents` is asked once the mail server is ready."""
    _mails[mail.kind] = mail
    title = f"E-mail to the customer: {mail.title.lower()}"
    notice(mail.kind, title, partial(_unless_silenced, first), partial(_letter, mail, contents))


def _unless_silenced(first: Callable[[Notice], Outcome | None], row: Notice) -> Outcome | None:
    if row.kind in Preferences.current().silenced:
        return Done(note=SILENCED)
    return first(row)


def _letter(mail: Mail, contents: Values, row: Notice) -> Letter | Outcome:
    found = contents(row)
    if isinstance(found, Outcome):
        return found
    preferences = Preferences.current()
    try:
        made = render(mail.template, found.values, preferences.language, preferences)
    except Unreadable as error:
        return Retry(error=UNREADABLE, detail=str(error))
    if found.to != row.recipient:
        Notice.objects.filter(pk=row.pk).update(recipient=found.to)
    headers = {"Content-Language": preferences.language}
    if preferences.contact:
        headers["Reply-To"] = preferences.contact
    return Letter(
        [found.to],
        made.subject,
        made.text,
        secret=found.secret,
        note=found.note,
        html=made.html,
        headers=headers,
    )


def render(name: str, values: Mapping[str, Any], language: str, preferences: Preferences) -> Rendered:
    """The e-mail of a template, by these values. Raises Unreadable."""
    brand = {"sender": sender(), "portal": preferences.portal_url, "contact": preferences.contact}
    flat = {key: one_line(value) for key, value in {**brand, **values}.items()}
    language = language if language in Language.values else Language.ENGLISH
    file = f"mails/{name}.txt"
    with translation.override(language):
        try:
            said = get_template(file).template.render(Context(flat, autoescape=False))
            subject, _, rest = said.strip().partition("\n")
            if not subject.strip() or not rest.strip():
                raise Unreadable(f"{file}: the first line is the subject, and a text follows it.")
            context = {**flat, "language": language, "subject": subject.strip(), "blocks": list(blocks(rest))}
            text = get_template("mails/layout.txt").template.render(Context(context, autoescape=False))
            html = select_template([f"mails/{name}.html", "mails/layout.html"]).render(context)
        except FAULTS as error:
            raise Unreadable(f"{file}: {error}") from error
    return Rendered(subject.strip()[:LONGEST_SUBJECT], text.strip() + "\n", html)


def blocks(text: str) -> Iterator[Block]:
    """The paragraphs of a text."""
    prose: list[str] = []
    for line in [*text.splitlines(), ""]:
        by_itself = line.startswith("  ") and line.strip()
        if (by_itself or not line.strip()) and prose:
            yield Block(" ".join(prose))
            prose = []
        if by_itself:
            found = LINE.fullmatch(line.strip())
            url, label = (found["url"], found["label"] or "") if found else ("", "")
            yield Block(url or line.strip(), False, url, label)
        elif line.strip():
            prose.append(line.strip())


def wrapped(block: Block) -> str:
    """A paragraph of the plain part."""
    if not block.is_prose:
        return f"  {block.text}"
    return "\n".join(textwrap.wrap(block.text, WIDTH, break_long_words=False, break_on_hyphens=False))


def sender() -> str:
    """What the operator calls himself: the name in DEFAULT_FROM_EMAIL, else its domain."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return name or address.rpartition("@")[2]


def one_line(value: Any) -> str:
    """A value without line breaks, control characters, and the invisible ones that turn the direction of
    writing."""
    text = " ".join(str("" if value is None or value is False else value).split())
    return "".join(one for one in text if unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co"))
