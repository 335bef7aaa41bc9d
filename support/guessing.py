"""Keys cannot be guessed: a token, and a network address, may try 30 wrong ones a minute over all processes.

Only wrong keys are written down. Once the 30 are used up, right ones are refused too: else the refusal itself
would tell them apart.
"""

import ipaddress
import math
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from nodepoint.api.models import Token
from nodepoint.conflicts import duplicate
from support.errors import TooManyWrongKeys
from support.models import WrongKeys

MOST = 30
WINDOW = timedelta(minutes=1)
FORGOTTEN = timedelta(days=1)


def sources(token: Token, address: str) -> list[str]:
    """Who is counted: the token, and the address it came from."""
    return [f"token {token.pk}", f"address {_network(address)}"]


def _network(address: str) -> str:
    """The address itself; of an IPv6 address its /64, since whoever has one has all of these."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ip if ip.version == 4 else ipaddress.ip_network((int(ip), 64), strict=False))


def refuse_guessers(names: list[str]) -> None:
    """TooManyWrongKeys when one of the sources has used up its minute."""
    now = timezone.now()
    full = WrongKeys.objects.filter(source__in=names, began_at__gt=now - WINDOW, count__gte=MOST)
    if began_at := full.aggregate(last=Max("began_at"))["last"]:
        raise _too_many(began_at, now)


def note_wrong_key(names: list[str]) -> None:
    """Count a wrong key for each source; TooManyWrongKeys, and no answer, when it is one too many."""
    now = timezone.now()
    for name in names:
        if not _count(name, now):
            raise _too_many(WrongKeys.objects.get(source=name).began_at, now)


def _too_many(began_at: datetime, now: datetime) -> TooManyWrongKeys:
    return TooManyWrongKeys(max(1, math.ceil((began_at + WINDOW - now).total_seconds())))


def _count(name: str, now: datetime) -> bool:
    """Each UPDATE repeats what it expects, so that of many at once none exceeds the limit."""
    row = WrongKeys.objects.filter(source=name)
    current = row.filter(began_at__gt=now - WINDOW, count__lt=MOST)
    if current.update(count=F("count") + 1):
        return True
    if row.filter(began_at__lte=now - WINDOW).update(began_at=now, count=1):
        return True
    if row.exists():
        # Full; or somebody else began a new minute between the two updates above.
        return bool(current.update(count=F("count") + 1))
    try:
        with transaction.atomic():
            WrongKeys.objects.create(source=name, began_at=now)
    except IntegrityError as error:
        if not duplicate(error):
            raise
        return bool(current.update(count=F("count") + 1))
    WrongKeys.objects.filter(began_at__lt=now - FORGOTTEN).delete()
    return True
