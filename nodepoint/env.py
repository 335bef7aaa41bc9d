"""Reading settings from the environment.

A value that cannot be understood ends in `ImproperlyConfigured` with one sentence that names the setting, so
that every command stops with that line instead of a traceback. Files are read before: see `load_files`.
"""

import os
import re
import secrets
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

WRONG_SETTINGS = 78
"""Exit code of commands that a setting stops (EX_CONFIG of sysexits.h): starting them again is in vain, which
the service unit and the supervisor know."""

LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=")  # what django-environ takes for a setting (read_env)
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def load_files(base: Path) -> Path:
    """Add the settings of `.env`, else those of a demo, to the environment; returns the data folder.

    What the environment already says wins. A demo's file in the data folder counts only where no `.env`
    stands, so that the simulated infrastructure of an old demo can never slip into a production installation.
    """
    production = base / ".env"
    if production.is_file():
        _read(production)
    data = Path(os.environ.get("NODEPOINT_DATA") or base / "var").resolve()
    if data.exists() and not data.is_dir():
        raise ImproperlyConfigured(f"NODEPOINT_DATA is malformed: {data} is no folder.")
    demo = data / "demo.env"
    if demo.is_file() and not production.is_file():
        _read(demo)
    return data


def _read(file: Path) -> None:
    """Lines `NAME=value`. The library leaves out what it does not understand, and says nothing of a file that
    cannot be read: then a setting would be missing that stands there."""
    try:
        content = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{file} cannot be read: {_why(error)}.") from error
    for number, line in enumerate(content.splitlines(), start=1):
        if line and not line.startswith("#") and not LINE.match(line):
            raise ImproperlyConfigured(
                f"{file}: line {number} is malformed: it should be NAME=value, without blanks around NAME."
            )
    environ.Env.read_env(StringIO(content), overwrite=False)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or "it is no text"


def text(name: str, default: str = "") -> str:
    """The setting as text, or from the file that `NAME_FILE` names (for secrets handed over as files). Empty
    means the default."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, "").strip() or default
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {_why(error)}.") from error


def shaped(name: str, default: str, looks: str, shape: Callable[[str], Any]) -> str:
    """The setting as text, of which `shape` raises ValueError where it is malformed; `looks` says in the
    refusal what it should be. The value itself is not shown: it may be a secret."""
    value = text(name, default)
    _fits(name, [value] if value else [], looks, shape)
    return value


def items(name: str, default: str = "", looks: str = "", shape: Callable[[str], Any] = str) -> list[str]:
    """A list written with commas; blanks around the items and empty items are dropped. `looks` and `shape` as
    in `shaped`, of each item."""
    values = [item.strip() for item in text(name, default).split(",") if item.strip()]
    _fits(name, values, looks, shape)
    return values


def _fits(name: str, values: list[str], looks: str, shape: Callable[[str], Any]) -> None:
    try:
        for value in values:
            shape(value)
    except ValueError:
        raise malformed(name, looks) from None


def malformed(name: str, looks: str) -> ImproperlyConfigured:
    """The refusal of a setting; `looks` is what it should be."""
    return ImproperlyConfigured(f"{name} is malformed: it should be {looks}.")


def boolean(name: str, default: bool) -> bool:
    """True or false; anything else is refused rather than guessed."""
    value = text(name, str(default)).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def integer(name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number of at least `minimum` and at most `maximum`."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    if maximum is not None and number > maximum:
        raise ImproperlyConfigured(f"{name} must be at most {maximum}, not {number}.")
    return number


def choice(name: str, *choices: str) -> str:
    """One of `choices`, in any case; the first of them is the default."""
    value = text(name, choices[0])
    for one in choices:
        if one.lower() == value.lower():
            return one
    raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, not {value!r}.")


def secret_key(data: Path) -> str:
    """SECRET_KEY, or one that is made at the first start and kept in the data folder (mode 600)."""
    if value := text("SECRET_KEY"):
        return value
    file = data / "secret_key"
    try:
        if not file.exists():
            _write_once(file, secrets.token_urlsafe(50))
        return file.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"NODEPOINT_DATA: {file} cannot be used: {_why(error)}.") from error


def _write_once(file: Path, content: str) -> None:
    """Several processes may start at once: the first one's key counts, and nobody reads half a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(content)
    try:
        os.link(draft, file)
    except FileExistsError:  # another process was first
        return
    finally:
        draft.unlink()
