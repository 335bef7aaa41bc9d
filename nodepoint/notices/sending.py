"""Handing a notice to the mail server: the one step of its job.

A mail server may take a message and be gone before it says so. Nobody can tell then, so the message is sent
again, under the same Message-ID. In every other case it is sent once: what was sent is in the notice's row
before the job goes on. Who was refused while others have it is asked about by himself.
"""

import contextlib
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.charset import QP, Charset
from email.utils import parseaddr
from functools import partial
from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from nodepoint.clients.errors import ClientError
from nodepoint.jobs import limits, retry
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from nodepoint.jobs.registry import Flow, Limit, Step, register
from nodepoint.notices import holding, recipients
from nodepoint.notices.models import Notice
from nodepoint.notices.recipients import PERMANENT, SPOKEN, Tally
from nodepoint.prepared import prepared

DAYS = 4  # that a mail server may be away
LONGEST_PAUSE = 900.0  # seconds between two tries
FIRST_PAUSE = 4  # as a power of two: 16 seconds
LANE = Limit("mail", lambda: 2)  # a server that hangs takes no more threads than these
AWAY = "mail:away"  # a slot that is taken while nobody needs to try
AWAY_SECONDS = 30.0
STALE = timedelta(seconds=60)  # longer than any connection (smtp.ALL) and the link before it take
DJANGOS, OURS = "django.core.mail.backends.smtp.EmailBackend", "nodepoint.notices.smtp.Backend"
NOT_TAKEN = "The mail server did not take the message."
REFUSED = "The mail server refused the message for good."
PARTLY = "The mail server did not take the message for all recipients."
NO_ANSWER = "The mail server did not answer."
# What keeps us from talking to it at all is mended in the settings, and waited for. The first that fits.
NOT_LET_IN: tuple[tuple[type[OSError], str], ...] = (
    (SMTPAuthenticationError, "The mail server refused the user name or password of EMAIL_URL."),
    (SMTPNotSupportedError, "The mail server offers no STARTTLS or no login, which EMAIL_URL asks for."),
    (ssl.SSLCertVerificationError, "The mail server's certificate is not trusted."),
    (ssl.SSLError, "The mail server does not speak TLS as EMAIL_URL asks for."),
)
DOUBLE = "It may have come twice: the mail server gave no answer."
NO_ADDRESS = "Nobody was told: no address is known."
NEVER = "never"  # in the step's data: who was refused for good, and how
# Django sends UTF-8 as 8 bits, which a server need not take that does not announce 8BITMIME (RFC 6152).
SEVEN_BITS = Charset("utf-8")
SEVEN_BITS.body_encoding = QP
ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True)
class Letter:
    """What a notice says at this moment. `secret`: the body holds something that must be kept nowhere and
    is void once another letter was made. `note`: what staff should know of it. `html`: the same for whoever
    reads mail with pictures. `covers`: ids of other notices that it tells as well."""

    to: list[str]
    subject: str
    body: str
    secret: bool = False
    note: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    covers: tuple[str, ...] = ()


First = Callable[[Notice], Outcome | None]
Compose = Callable[[Notice], Letter | Outcome]
Urgent = Callable[[Notice], str]


@dataclass(frozen=True)
class Kind:
    """How a kind of notice is told; see `notice`."""

    first: First
    compose: Compose
    urgent: Urgent | None = None


_kinds: dict[str, Kind] = {}


def kind(name: str) -> Kind | None:
    """The kind of that name; None for what is told otherwise than by e-mail, and for another release's."""
    return _kinds.get(name)


def notice(name: str, title: str, first: First, compose: Compose, urgent: Urgent | None = None) -> Flow:
    """Register the flow of a kind of notice.

    `first` is asked before anything is sent: an outcome instead of the e-mail, such as Done where there is
    nothing to be told any more. `compose` is asked once the mail server is ready to take it. `urgent`: as
    what it breaks the quiet hours of staff (`Urgency`), empty where it can wait; None: it knows no such
    hours, as all that goes to customers."""
    _kinds[name] = Kind(first, compose, urgent)
    step = Step(
        "mail_sent",
        "Sending the e-mail",
        partial(sent, _kinds[name]),
        nothing_to_undo="A sent e-mail stays sent.",
        limits=(LANE,),
    )
    deadline = DAYS * 24 * 3600
    return register(
        Flow(name, title=title, subject="notices.Notice", scope="", deadline=deadline, steps=(step,))
    )


def sent(kind: Kind, call: Call) -> Outcome:
    """The notice was sent, once, or there is nothing to be told."""
    row: Notice = call.subject
    if row.sent_at:
        return Done(ref=", ".join(row.has), note="It was sent before.")
    if instead := kind.first(row):
        holding.let_go(row)
        return instead
    if kind.urgent and (instead := holding.held(row, kind.urgent(row), call.now)):
        return instead
    if limits.taken(AWAY, call.now):
        return later(call, NO_ANSWER, "It was not asked again so soon.")
    if not row.hand(call.now, call.now - STALE):
        return Wait(seconds=STALE.total_seconds())
    if row.handed_at:  # the worker died while a server had it
        prepared(Notice).filter(pk=row.pk).update(doubts=row.doubts + 1)
        row.doubts += 1
    server = _server()
    try:
        return _handed(call, row, server, kind.compose)
    finally:
        with contextlib.suppress(OSError):  # it has been sent or not by now; a bad farewell changes nothing
            server.close()


def later(call: Call, error: str, detail: str, data: dict[str, Any] | None = None) -> Retry:
    """Try again after a pause that grows to LONGEST_PAUSE. `data`: what the step remembers."""
    pause = retry.pause(call.step.tries + FIRST_PAUSE, LONGEST_PAUSE)
    return Retry(error=error, detail=detail, seconds=pause, data=data or {})


def _server() -> BaseEmailBackend:
    return get_connection(OURS if settings.EMAIL_BACKEND == DJANGOS else None)


def _handed(call: Call, row: Notice, server: BaseEmailBackend, compose: Compose) -> Outcome:
    """Open the connection, make the letter, send it. The row says throughout whether a server may have it."""
    try:
        server.open()
    except OSError as error:  # smtplib's errors are OSErrors too
        _not_handed(row)
        why = next((sentence for kind, sentence in NOT_LET_IN if isinstance(error, kind)), NOT_TAKEN)
        return _away(call, _words(error, secret=False), why)
    letter = _letter(call, row, compose)
    if isinstance(letter, Outcome):
        return letter
    if not any(letter.to):
        _not_handed(row)
        return Done(note=NO_ADDRESS)
    never = call.step.data.get(NEVER, {})
    asked = recipients.left(letter.to, row.has, never)
    taken = True
    try:
        if asked:
            _message(row, letter, asked, server).send()
    except SMTPRecipientsRefused:
        taken = False
    except (SMTPResponseException, SMTPNotSupportedError) as error:
        _not_handed(row)
        words = _words(error, letter.secret)
        return Fail(error=REFUSED, detail=words) if _for_good(error) else later(call, NOT_TAKEN, words)
    except OSError as error:  # it may have the message or not
        prepared(Notice).filter(pk=row.pk).update(doubts=row.doubts + 1, handed_at=None)
        return _away(call, _words(error, letter.secret))
    except BaseException:  # nothing has gone out: the row must not say that a server may have it
        _not_handed(row)
        raise
    refused = getattr(server, "refused", {}) if asked else {}  # other backends refuse nobody
    return _recorded(call, row, letter, recipients.tally(asked, refused, taken, never))


def _recorded(call: Call, row: Notice, letter: Letter, found: Tally) -> Outcome:
    """Write down who has it now, before the job goes on. The others are asked about again, without those who
    were refused for good; of these staff are told in the end."""
    has = [*row.has, *found.have]
    missing = found.later or found.never
    sent_at = None if missing else call.now
    if has and letter.covers:
        told = prepared(Notice).filter(pk__in=letter.covers, sent_at=None)
        told.update(sent_at=call.now, sent_to="\n".join(has))
    prepared(Notice).filter(pk=row.pk).update(sent_at=sent_at, sent_to="\n".join(has), handed_at=None)
    if found.later:
        return later(call, PARTLY if has else NOT_TAKEN, found.words, {NEVER: found.never})
    if found.never:
        return Fail(error=PARTLY if has else REFUSED, detail=found.words)
    note = "\n".join(filter(None, [letter.note, DOUBLE if row.doubts else ""]))
    return Done(ref=", ".join(has), note=note)


def _letter(call: Call, row: Notice, compose: Compose) -> Letter | Outcome:
    """What is to be sent. What it is made of may be away for days, too."""
    try:
        letter = compose(row)
    except ClientError as error:
        _not_handed(row)
        if error.permanent:
            raise
        return later(call, error.sentence, error.vendor)
    except BaseException:  # likewise
        _not_handed(row)
        raise
    if isinstance(letter, Outcome):
        _not_handed(row)
    return later(call, letter.error, letter.detail) if isinstance(letter, Retry) else letter


def _for_good(error: OSError) -> bool:
    """Whether it is this message that the server will never take. What it says of us, the sender, is mended
    in the settings."""
    if isinstance(error, SMTPDataError):
        return error.smtp_code >= PERMANENT
    return isinstance(error, SMTPNotSupportedError)


def _message(row: Notice, letter: Letter, to: list[str], server: BaseEmailBackend) -> EmailMessage:
    """The message to these. Its Message-ID stays the same, so that a mail system can drop a double. A letter
    whose secret voids that of the one before is no double: it has to arrive."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    copy = f".{row.doubts}" if letter.secret and row.doubts else ""
    headers = {
        **letter.headers,
        "Message-ID": f"<{row.pk}{copy}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMultiAlternatives(letter.subject, letter.body, to=to, headers=headers, connection=server)
    message.encoding = SEVEN_BITS
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message


def _not_handed(row: Notice) -> None:
    prepared(Notice).filter(pk=row.pk).update(handed_at=None)


def _away(call: Call, detail: str, why: str = NOT_TAKEN) -> Retry:
    """Nobody else needs to try for a while."""
    limits.take(AWAY, 1, "mail", call.now, AWAY_SECONDS)
    return later(call, why, detail)


def _words(error: OSError, secret: bool) -> str:
    """What the mail server said. After the message some repeat it, and with it its secret: then the codes
    only."""
    if not isinstance(error, SMTPResponseException):
        return type(error).__name__ if secret and isinstance(error, SMTPException) else str(error)[:SPOKEN]
    said = error.smtp_error
    if secret and isinstance(error, SMTPDataError):
        found = ENHANCED.match(said if isinstance(said, bytes) else said.encode())
        said = found[0] if found else b""
    return f"{type(error).__name__} {error.smtp_code} {recipients.text(said)}".strip()[:SPOKEN]
