"""What can be refused about support keys: facts, each with the sentence that a customer reads."""

from nodepoint.api.errors import ApiError, Conflict, Missing


class UnknownService(Missing):
    """The service never had a support key."""

    def __init__(self) -> None:
        super().__init__("There is no support key for this service.")


class KeyExists(Conflict):
    """The service has a support key already, whatever its status."""

    code = "exists"

    def __init__(self) -> None:
        super().__init__("A support key for this service exists already.")


class KeyReplaced(Conflict):
    """The key that was to be replaced is not the service's key any more."""

    def __init__(self) -> None:
        super().__init__("The key was replaced by somebody else in the meantime.")


class TooManyWrongKeys(ApiError):
    """A token or an address has used up its wrong keys of a minute. `seconds`: until it may try again."""

    http, code = 429, "rate_limited"

    def __init__(self, seconds: int) -> None:
        sentence = f"Too many wrong support keys. Please try again in {seconds} seconds."
        super().__init__(sentence, headers={"Retry-After": str(seconds)})
