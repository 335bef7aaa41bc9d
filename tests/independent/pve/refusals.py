"""How Proxmox VE says no."""

from typing import NoReturn


class Refusal(Exception):
    """An HTTP answer of 400 and above. `errors`: parameter → text (PVE/Exception.pm, raise_param_exc)."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors or {}


class TaskFailed(Exception):
    """Ends a task with this text as its `exitstatus`."""


def die(text: str) -> NoReturn:
    """What Perl's `die "…\\n"` becomes outside of a task: status 500."""
    raise Refusal(500, text)


def bad_parameters(**errors: str) -> NoReturn:
    """PVE::Exception::raise_param_exc."""
    raise Refusal(400, "Parameter verification failed.", {k: f"{v}\n" for k, v in errors.items()})


def forbid(path: str, *privileges: str) -> NoReturn:
    """PVE::Exception::raise_perm_exc."""
    raise Refusal(403, f"Permission check failed ({path}, {'|'.join(privileges)})")
