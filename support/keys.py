"""Support keys as text: `SUP-` and 16 of `A-Z0-9`, 82 bits that nobody can guess."""

import re
import secrets
import string
from hashlib import sha256

ALPHABET = string.ascii_uppercase + string.digits
LENGTH = 16
PREFIX = "SUP-"
KEY = re.compile(rf"{PREFIX}[A-Z0-9]{{{LENGTH}}}")


def generate() -> str:
    """A new key from the system's cryptographic source."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def digest(key: str) -> str:
    """What a key is looked up by: an index of hashes says nothing about how far a guess was right."""
    return sha256(key.encode()).hexdigest()


def tidy(text: str) -> str:
    """A key, or the beginning of one, as people write it; empty when the text can be neither.

    Lower case, blanks, other dashes or none, and a missing `SUP` are forgiven.
    """
    bare = re.sub(r"[\s\u2010-\u2015-]", "", text).upper()
    rest = bare.removeprefix("SUP") if len(bare) != LENGTH else bare
    return PREFIX + rest if re.fullmatch(rf"[A-Z0-9]{{1,{LENGTH}}}", rest) else ""


def complete(text: str) -> str:
    """The whole key that a text means, as `tidy` reads it; empty when it means none."""
    key = tidy(text)
    return key if KEY.fullmatch(key) else ""
