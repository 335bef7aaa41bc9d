"""What can be done with support keys: one function for each act, called by API, admin and commands alike."""

import hmac
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from nodepoint import logs
from nodepoint.api.errors import Unavailable
from nodepoint.api.models import Token
from nodepoint.audit import trail
from nodepoint.conflicts import duplicate_of
from support import guessing, keys, search
from support.errors import KeyExists, KeyReplaced, UnknownService
from support.models import HistoryEntry, SupportKey

MOST_TRIES = 5  # a collision happens once in 8e24 keys; five in a row mean that something else is wrong
NOBODYS = (
    keys.PREFIX + "-" * keys.LENGTH
)  # compared with when there is no row, so that both ways cost the same
Status = SupportKey.Status
Kind = HistoryEntry.Kind
# What the log of acts calls them.
ACTS = {
    Kind.CREATED: "create",
    Kind.SUSPENDED: "suspend",
    Kind.UNSUSPENDED: "unsuspend",
    Kind.TERMINATED: "terminate",
    Kind.ROTATED: "rotate",
}


def create_support_key(
    *, service_id: str, email: str, firstname: str, lastname: str, actor: str
) -> SupportKey:
    """Give a service its key; KeyExists when it has or had one. Names are kept exactly as they are."""
    facts = {"service_id": service_id, "email": email, "firstname": firstname, "lastname": lastname}
    for _ in range(MOST_TRIES):
        try:
            return _insert(facts, keys.generate(), actor)
        except IntegrityError as error:
            if duplicate_of(error, "service_id"):
                raise KeyExists() from None
            _raise_unless_key_is_taken(error)
    raise Unavailable("No support key could be made. Please try again later.")


@transaction.atomic
def _insert(facts: dict[str, str], key: str, actor: str) -> SupportKey:
    row = SupportKey.objects.create(**facts, support_key=key, key_hash=keys.digest(key))
    search.index(row)
    _record(row, HistoryEntry.Kind.CREATED, before="", actor=actor)
    return row


def suspend_support(service_id: str, *, actor: str, reason: str = "") -> SupportKey:
    """No support until it is unsuspended. Any number of times; UnknownService."""
    return _set_status(service_id, Status.SUSPENDED, HistoryEntry.Kind.SUSPENDED, actor, reason)


def unsuspend_support(service_id: str, *, actor: str, reason: str = "") -> SupportKey:
    """Support again with the same key, also after a termination. Any number of times; UnknownService."""
    return _set_status(service_id, Status.ACTIVE, HistoryEntry.Kind.UNSUSPENDED, actor, reason)


def terminate_support(service_id: str, *, actor: str, reason: str = "") -> SupportKey:
    """The service ended; the row stays. Any number of times; UnknownService."""
    return _set_status(service_id, Status.INACTIVE, HistoryEntry.Kind.TERMINATED, actor, reason)


@transaction.atomic
def _set_status(service_id: str, status: str, kind: str, actor: str, reason: str) -> SupportKey:
    row = _locked(service_id)
    if row.status != status:
        before, row.status = row.status, status
        row.save(update_fields=["status"])
        _record(row, kind, before=before, actor=actor, reason=reason)
    return row


@transaction.atomic
def rotate_key(service_id: str, *, old_key: str, actor: str, reason: str) -> SupportKey:
    """Replace the service's key `old_key`, which is dead at once; the status stays as it is.

    KeyReplaced when it is the service's key no more, so that two clicks make one new key; UnknownService.
    """
    row = _locked(service_id)
    if row.support_key != old_key:
        raise KeyReplaced()
    for _ in range(MOST_TRIES):
        row.support_key = keys.generate()
        row.key_hash = keys.digest(row.support_key)
        try:
            with transaction.atomic():
                row.save(update_fields=["support_key", "key_hash"])
        except IntegrityError as error:
            _raise_unless_key_is_taken(error)
            continue
        _record(
            row,
            HistoryEntry.Kind.ROTATED,
            before=row.status,
            actor=actor,
            reason=reason,
            replaced_key=old_key,
        )
        return row
    raise Unavailable("No support key could be made. Please try again later.")


@transaction.atomic
def change_owner(service_id: str, *, user_id: str, email: str, actor: str) -> bool:
    """A service's key is of whoever has this address from now on; key, status and name stay. Whether there is
    a key. `user_id` is for products that know whose their things are."""
    row = SupportKey.objects.select_for_update().filter(service_id=service_id).first()
    if row is not None and row.email != email:
        before, row.email = row.email, email
        row.save(update_fields=["email"])
        search.index_anew(row)
        trail.record(
            "support.owner",
            f"support.supportkey:{row.pk}",
            label=service_id,
            before={"email": before},
            after={"email": email},
            actor=actor,
        )
    return row is not None


def _raise_unless_key_is_taken(error: IntegrityError) -> None:
    """Only that another service has this very key is a reason to try another one."""
    if not (duplicate_of(error, "support_key") or duplicate_of(error, "key_hash")):
        raise error


def _locked(service_id: str) -> SupportKey:
    """The row, held until the transaction ends: the order of two changes is that of their history."""
    row = SupportKey.objects.select_for_update().filter(service_id=service_id).first()
    if row is None:
        raise UnknownService()
    return row


def _record(row: SupportKey, kind: str, **facts: str) -> None:
    HistoryEntry.objects.create(
        support_key=row, kind=kind, after=row.status, request_id=logs.request_id(), **facts
    )
    trail.record(
        f"support.{ACTS[kind]}",
        f"support.supportkey:{row.pk}",
        label=row.service_id,
        before={"status": facts["before"]} if facts["before"] else {},
        after={"status": row.status},
        reason=facts.get("reason", ""),
        actor=facts["actor"],
    )


def get_support_key(service_id: str) -> SupportKey:
    """The service's row, whatever its status; UnknownService."""
    row = SupportKey.objects.filter(service_id=service_id).first()
    if row is None:
        raise UnknownService()
    return row


def verify_key(text: str, *, token: Token, address: str) -> SupportKey | None:
    """The row of a key that gives a right to support now, else None, whether it is unknown or not active.

    TooManyWrongKeys, also for a right one, when the token or the address has used up its wrong keys. The key
    is looked up first: so many guesses at once cannot all be weighed against the same low count.
    """
    row = find_key(text)
    sources = guessing.sources(token, address)
    guessing.refuse_guessers(sources)
    if row is not None and row.active:
        return row
    guessing.note_wrong_key(sources)
    return None


def find_key(text: str) -> SupportKey | None:
    """The row of exactly this key, whatever its status. Unknown keys cost the same steps."""
    row = SupportKey.objects.filter(key_hash=keys.digest(text)).first()
    known = hmac.compare_digest((row.support_key if row else NOBODYS).encode(), text.encode())
    return row if row and known else None


@dataclass(frozen=True)
class Verdict:
    """The answer to “is this key good?”, for staff."""

    good: bool
    sentence: str
    row: SupportKey | None


def judge(text: str) -> Verdict:
    """Whether a key, as a person wrote it, is good now, and if not, why. For staff: it is not throttled."""
    key = keys.complete(text)
    if not key:
        return Verdict(False, "This is no support key: one has SUP- and 16 letters and digits.", None)
    row = find_key(key)
    if row is None:
        return _judge_unknown(key)
    whose = f"service {row.service_id}, {row.name}, {row.email}"
    if row.active:
        return Verdict(True, f"{key} is good: {whose}.", row)
    return Verdict(
        False, f"{key} is not good: {row.get_status_display().lower()}{_since(row)} ({whose}).", row
    )


def _since(row: SupportKey) -> str:
    entry = row.history.exclude(kind=HistoryEntry.Kind.ROTATED).first()
    return f" since {_day(entry)}" if entry else ""


def _judge_unknown(key: str) -> Verdict:
    entry = HistoryEntry.objects.filter(replaced_key=key).select_related("support_key").first()
    if entry is None:
        return Verdict(False, f"{key} is not good: there is no such key.", None)
    row = entry.support_key
    sentence = (
        f"{key} is not good: it was replaced by a newer one on {_day(entry)} (service {row.service_id})."
    )
    return Verdict(False, sentence, row)


def _day(entry: HistoryEntry) -> str:
    return f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M}"
