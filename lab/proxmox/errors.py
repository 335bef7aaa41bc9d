"""How a call fails before its task is forked, and how a task fails afterwards."""


class ApiError(Exception):
    """An HTTP answer of 400 and above; the reason phrase carries the message. ``errors`` by parameter."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors


class BadParameter(ApiError):
    """400 for parameters, as the schema check raises it."""

    def __init__(self, errors: dict[str, str], message: str = "Parameter verification failed.") -> None:
        super().__init__(400, message, errors)


class ConfigLocked(Exception):
    """Another task holds the container's config lock file; a call waits for it up to 10 s (times the
    factor)."""


class TaskFailed(Exception):
    """Ends the task; the text becomes its exitstatus."""


def failure(message: str) -> ApiError:
    """Nearly every failure of Proxmox, "not found" included: 500."""
    return ApiError(500, message)
