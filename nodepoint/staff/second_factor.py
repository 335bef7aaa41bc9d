"""The second factor of staff: codes of an app (TOTP, RFC 6238), and recovery codes for who has lost it.

django-otp keeps the devices, compares the codes and slows guessing down: after n wrong codes the next one is
looked at 2^(n-1) seconds later, wherever it comes from.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from nodepoint.audit import trail

REQUIRED, OPTIONAL = "required", "optional"  # STAFF_TWO_FACTOR
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits: 16 letters and digits
GROUP = 4  # of them between two dashes


class WrongCode(Exception):
    """The code does not fit. `until`: none is looked at before that time; None when it is just wrong."""

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__("wrong code")
        self.until = until


@dataclass(frozen=True)
class Standing:
    """What a user has: his device, None without one; how many recovery codes are left."""

    device: TOTPDevice | None
    codes_left: int


def device_of(user: AbstractBaseUser) -> TOTPDevice | None:
    """The device that the user has set up."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def standing(user: AbstractBaseUser) -> Standing:
    """What the user has set up."""
    return Standing(device_of(user), StaticToken.objects.filter(device__user=user).count())


def missing(request: HttpRequest) -> str:
    """What stands between a user who is logged in and the admin: `code`, `enrolment`, or nothing.

    One query, unless the session has proved its second factor already."""
    if request.user.otp_device is not None:
        return ""
    if TOTPDevice.objects.filter(user=request.user, confirmed=True).exists():
        return "code"  # a session that began before the device was set up elsewhere
    return "enrolment" if settings.STAFF_TWO_FACTOR == REQUIRED else ""


def new_key() -> str:
    """A secret for a device that is being set up, in hexadecimal: 160 bits, as RFC 4226 recommends."""
    return secrets.token_hex(20)


def draft(user: AbstractBaseUser, key: str) -> TOTPDevice:
    """The device with that secret, not saved: its `config_url` is what the QR code says."""
    return TOTPDevice(user=user, name="App", key=key)


@transaction.atomic
def enrol(user: AbstractBaseUser, key: str, code: str) -> tuple[TOTPDevice, list[str]]:
    """Set up the device with that secret, in place of an earlier one; returns it and the recovery codes,
    which cannot be had again. WrongCode when the app shows something else."""
    device = draft(user, key)
    before = _forget(user)
    if not device.verify_token(re.sub(r"\s", "", code)):  # saves it in any case
        raise WrongCode()
    codes = _new_codes(user)
    _record("staff.enrol_second_factor", user, before={"device": before}, after={"device": True})
    return device, codes


def verify(user: AbstractBaseUser, code: str) -> Device:
    """The device that the code belongs to: six digits of the app, anything else a recovery code. Either is
    used up. WrongCode."""
    text = re.sub(r"[\s-]", "", code).lower()
    if re.fullmatch(r"\d{6}", text, re.ASCII):
        return _verify(TOTPDevice, user, text)
    device = _verify(StaticDevice, user, fingerprint(text))
    _record("staff.use_recovery_code", user, after={"codes_left": standing(user).codes_left})
    return device


def _verify(model: type[Device], user: AbstractBaseUser, token: str) -> Device:
    wrong = WrongCode()
    with transaction.atomic():  # committed in any case: a wrong code has to be counted
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is not None:
            allowed, facts = device.verify_is_allowed()
            if allowed and device.verify_token(token):
                return device
            wrong = WrongCode(None if allowed else facts["locked_until"])
    raise wrong


def fingerprint(code: str) -> str:
    """What is kept of a recovery code: 80 bits of its SHA-256. Random ones cannot be guessed from it."""
    return b32encode(hashlib.sha256(code.encode()).digest()[:RECOVERY_BYTES]).decode().lower()


@transaction.atomic
def renew_codes(user: AbstractBaseUser) -> list[str]:
    """New recovery codes; the old ones are void."""
    codes = _new_codes(user)
    _record("staff.renew_recovery_codes", user, after={"codes_left": len(codes)})
    return codes


def _new_codes(user: AbstractBaseUser) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="Recovery codes")
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    for code in codes:
        device.token_set.create(token=fingerprint(code))
    return ["-".join(re.findall(f".{{{GROUP}}}", code)) for code in codes]


@transaction.atomic
def remove(user: AbstractBaseUser) -> bool:
    """Take the device and the recovery codes away; sessions that were proved by them ask for the second
    factor again. Whether there was one."""
    had = _forget(user)
    if had:
        _record("staff.remove_second_factor", user, before={"device": True}, after={"device": False})
    return had


def _forget(user: AbstractBaseUser) -> bool:
    """Delete what the user has; whether there was a device."""
    StaticDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.filter(user=user, confirmed=True).delete()[0] > 0


def _record(act: str, user: AbstractBaseUser, **change: dict) -> None:
    trail.record(act, f"auth.user:{user.pk}", label=user.get_username(), **change)
